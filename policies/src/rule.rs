//! Ordered hand-written rules.
