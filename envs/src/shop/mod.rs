//! A generated shop with known truth.
