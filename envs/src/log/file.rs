//! Opening and writing a log by its file name.
