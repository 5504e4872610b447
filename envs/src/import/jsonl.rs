//! JSON lines of the log's own shape, or with a field mapping.
