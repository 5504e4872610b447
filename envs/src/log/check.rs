//! What a log holds, and what may and may not be claimed from it.
