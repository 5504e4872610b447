//! Tables with a column mapping.
