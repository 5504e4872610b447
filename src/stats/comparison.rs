//! The result every method for two arms gives: an estimate, its interval, and how surprising it is.

use serde::{Deserialize, Serialize};

/// An estimated difference between two arms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The estimate: treatment minus control, or its relative form.
    pub estimate: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Two-sided p-value against no difference, where the method has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

impl Comparison {
    /// An estimate ± `width`.
    #[must_use]
    pub fn around(estimate: f64, width: f64, p_value: Option<f64>) -> Self {
        Self {
            estimate,
            lower: estimate - width,
            upper: estimate + width,
            p_value,
        }
    }
}
