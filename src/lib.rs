//! tierwise.
