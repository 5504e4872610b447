//! The key figures of one conversation: what every policy is compared in.

use serde::{Deserialize, Serialize};

use crate::class::named;
use crate::reward::Reward;

named! {
    /// A key figure.
    Kpi {
        /// R, in [0, 1].
        Reward = "reward",
        /// S, in [0, 1].
        Satisfaction = "satisfaction",
        /// E_time, in (0, 1].
        TimeEfficiency = "time_efficiency",
        /// E_cost, in (0, 1].
        CostEfficiency = "cost_efficiency",
        /// Seconds of people's time.
        HumanS = "human_s",
        /// Seconds to the first answer.
        FirstResponseS = "first_response_s",
        /// 1 when the customer or an agent escalated within 7 days, else 0.
        Escalation = "escalation",
        /// 1 when the customer clicked within the window, else 0.
        Click = "click",
        /// 1 when the customer bought within the window, else 0.
        Conversion = "conversion",
    }
}

impl Kpi {
    /// How many key figures there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// The key figures of one conversation; NaN where not measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KpiRow([f64; Kpi::COUNT]);

impl Default for KpiRow {
    fn default() -> Self {
        Self([f64::NAN; Kpi::COUNT])
    }
}

impl KpiRow {
    /// A figure, if measured.
    #[must_use]
    pub fn get(&self, kpi: Kpi) -> Option<f64> {
        let value = self.0[kpi.index()];
        (!value.is_nan()).then_some(value)
    }

    /// Sets a figure.
    pub fn set(&mut self, kpi: Kpi, value: f64) {
        self.0[kpi.index()] = value;
    }

    /// Sets a figure where it was measured.
    pub fn set_known(&mut self, kpi: Kpi, value: Option<f64>) {
        if let Some(value) = value {
            self.set(kpi, value);
        }
    }

    /// Sets R and its parts.
    pub fn set_reward(&mut self, reward: &Reward) {
        self.set(Kpi::Reward, reward.total);
        self.set(Kpi::Satisfaction, reward.satisfaction);
        self.set(Kpi::TimeEfficiency, reward.time);
        self.set(Kpi::CostEfficiency, reward.cost);
        self.set(Kpi::HumanS, reward.human_s);
    }

    /// The figures in the order of [`Kpi::ALL`], NaN where not measured.
    #[must_use]
    pub const fn values(&self) -> &[f64; Kpi::COUNT] {
        &self.0
    }
}
