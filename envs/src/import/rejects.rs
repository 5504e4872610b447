//! Rows that could not be imported, and why.
