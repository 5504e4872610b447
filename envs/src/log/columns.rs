//! Decisions as columns, for everything that loops over a log.
