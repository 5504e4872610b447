//! JSON lines, one conversation each.
