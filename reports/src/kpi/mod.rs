//! The KPI table: every policy beside the baseline, each number with its
//! interval, count and evidence. Owns the values and their checks; [`view`] says
//! how a cell reads. Leaves estimates and differences to whoever fills them in.

mod view;

use serde::{Deserialize, Serialize};

use crate::charts::policy_map::check_shares;
use crate::error::ReportError;
use crate::measure::Measure;
use crate::reason::{Evidence, Reason};

pub(crate) use view::KpiTableView;

/// One number of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kpi {
    /// The value in the measure's base unit; `None` where there is none.
    #[serde(default)]
    pub value: Option<f64>,
    /// Lower bound at the table's level.
    #[serde(default)]
    pub lower: Option<f64>,
    /// Upper bound at the table's level.
    #[serde(default)]
    pub upper: Option<f64>,
    /// Conversations behind the value.
    #[serde(default)]
    pub n: Option<u64>,
    /// Where the value comes from.
    pub evidence: Evidence,
    /// Why there is no value.
    #[serde(default)]
    pub missing: Option<Reason>,
    /// The difference to the baseline with its own interval; without it the
    /// page shows the bare difference and claims nothing about its sign.
    #[serde(default)]
    pub difference: Option<KpiDifference>,
}

/// A policy's value minus the baseline's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiDifference {
    /// The difference.
    pub value: f64,
    /// Lower bound at the table's level.
    pub lower: f64,
    /// Upper bound at the table's level.
    pub upper: f64,
}

impl Kpi {
    /// A value with its interval and count.
    pub fn estimated(value: f64, lower: f64, upper: f64, n: u64, evidence: Evidence) -> Self {
        Self {
            value: Some(value),
            lower: Some(lower),
            upper: Some(upper),
            n: Some(n),
            evidence,
            missing: None,
            difference: None,
        }
    }

    /// No value, and why.
    pub fn missing(reason: Reason) -> Self {
        Self {
            value: None,
            lower: None,
            upper: None,
            n: None,
            evidence: Evidence::Logged,
            missing: Some(reason),
            difference: None,
        }
    }

    /// The same number with its difference to the baseline.
    #[must_use]
    pub fn against_baseline(mut self, value: f64, lower: f64, upper: f64) -> Self {
        self.difference = Some(KpiDifference {
            value,
            lower,
            upper,
        });
        self
    }

    pub(crate) fn finite(&self) -> Option<f64> {
        self.value.filter(|value| value.is_finite())
    }

    pub(crate) fn finite_interval(&self) -> Option<(f64, f64)> {
        self.lower
            .zip(self.upper)
            .filter(|(lower, upper)| lower.is_finite() && upper.is_finite())
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let finite = self.finite();
        finite.into_iter().chain(
            self.finite_interval()
                .filter(|_| finite.is_some())
                .map(|(_, upper)| upper),
        )
    }
}

/// All numbers of one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kpis {
    /// Reward R per conversation, in \[0, 1\].
    pub reward: Kpi,
    /// Satisfaction S, in \[0, 1\].
    pub satisfaction: Kpi,
    /// Time efficiency E_time, in \[0, 1\].
    pub time_efficiency: Kpi,
    /// Cost efficiency E_cost, in \[0, 1\].
    pub cost_efficiency: Kpi,
    /// Seconds of human work per conversation.
    pub human_secs: Kpi,
    /// Seconds to the first response.
    pub first_response_secs: Kpi,
    /// Escalated conversations, a fraction.
    pub escalation_rate: Kpi,
    /// Clicked offers, a fraction of exposed conversations.
    pub click_rate: Kpi,
    /// Conversations followed by a purchase, a fraction.
    pub conversion_rate: Kpi,
    /// What only a centre knows: its queues and its people.
    #[serde(default)]
    pub queue: Option<QueueKpis>,
}

/// Numbers of a policy's queues and people, known where all conversations of a
/// centre were seen or simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueKpis {
    /// Mean seconds from a customer message to its answer.
    pub wait_secs: Kpi,
    /// Answers inside the service level, a fraction.
    pub within_service_level: Kpi,
    /// Conversations whose customer left before an answer, a fraction.
    pub abandonment_rate: Kpi,
    /// Busy share of people's time on shift, a fraction.
    pub occupancy: Kpi,
}

/// Stands for the numbers of [`QueueKpis`] where there are none.
static NO_QUEUE: Kpi = Kpi {
    value: None,
    lower: None,
    upper: None,
    n: None,
    evidence: Evidence::Simulated,
    missing: Some(Reason::NotComputed),
    difference: None,
};

impl Kpis {
    /// Every number missing for the same reason; fill in what is known.
    pub fn all_missing(reason: &Reason) -> Self {
        let missing = || Kpi::missing(reason.clone());
        Self {
            reward: missing(),
            satisfaction: missing(),
            time_efficiency: missing(),
            cost_efficiency: missing(),
            human_secs: missing(),
            first_response_secs: missing(),
            escalation_rate: missing(),
            click_rate: missing(),
            conversion_rate: missing(),
            queue: None,
        }
    }

    /// The number for one measure.
    pub fn of(&self, measure: Measure) -> &Kpi {
        let queue = |of: fn(&QueueKpis) -> &Kpi| self.queue.as_ref().map_or(&NO_QUEUE, of);
        match measure {
            Measure::Reward => &self.reward,
            Measure::Satisfaction => &self.satisfaction,
            Measure::TimeEfficiency => &self.time_efficiency,
            Measure::CostEfficiency => &self.cost_efficiency,
            Measure::HumanSecs => &self.human_secs,
            Measure::FirstResponseSecs => &self.first_response_secs,
            Measure::EscalationRate => &self.escalation_rate,
            Measure::ClickRate => &self.click_rate,
            Measure::ConversionRate => &self.conversion_rate,
            Measure::WaitSecs => queue(|queue| &queue.wait_secs),
            Measure::WithinServiceLevel => queue(|queue| &queue.within_service_level),
            Measure::AbandonmentRate => queue(|queue| &queue.abandonment_rate),
            Measure::Occupancy => queue(|queue| &queue.occupancy),
        }
    }
}

/// What a policy is in this comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRole {
    /// What all others are compared with.
    Baseline,
    /// A learned policy that may go on.
    Candidate,
    /// A policy shown for orientation, such as always-human.
    Reference,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyKpis {
    /// The policy's name, with its version.
    pub name: String,
    /// What it is in this comparison.
    pub role: PolicyRole,
    /// Its numbers.
    pub kpis: Kpis,
    /// Shares of auto, review and human among its decisions; they sum to 1.
    #[serde(default)]
    pub tier_shares: Option<[f64; 3]>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiTable {
    /// Confidence level of every interval in the table, a fraction.
    pub level: f64,
    /// The policies, the baseline among them.
    pub policies: Vec<PolicyKpis>,
}

impl KpiTable {
    /// The baseline's row, where there is one.
    pub fn baseline(&self) -> Option<&PolicyKpis> {
        self.policies
            .iter()
            .find(|policy| policy.role == PolicyRole::Baseline)
    }

    pub(crate) fn check(&self) -> Result<(), ReportError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReportError::NotALevel {
                place: "the KPI table's level".to_owned(),
                number: self.level,
            });
        }
        let baselines = self
            .policies
            .iter()
            .filter(|policy| policy.role == PolicyRole::Baseline)
            .count();
        if baselines > 1 {
            return Err(ReportError::SeveralBaselines { count: baselines });
        }
        for policy in &self.policies {
            if let Some(shares) = policy.tier_shares {
                check_shares(|| format!("the tier shares of `{}`", policy.name), shares)?;
            }
            for measure in Measure::ALL {
                let kpi = policy.kpis.of(measure);
                let (Some(value), Some((lower, upper))) = (kpi.finite(), kpi.finite_interval())
                else {
                    continue;
                };
                if value < lower || value > upper {
                    return Err(ReportError::IntervalMissesValue {
                        place: format!("policy `{}`, {measure:?}", policy.name),
                        value,
                        lower,
                        upper,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn table() -> KpiTable {
        let estimated = |value: f64, half: f64| {
            Kpi::estimated(value, value - half, value + half, 2000, Evidence::Logged)
        };
        let rule = Kpis {
            reward: estimated(0.40, 0.01),
            satisfaction: estimated(0.70, 0.02),
            time_efficiency: estimated(0.80, 0.01),
            cost_efficiency: estimated(0.70, 0.01),
            human_secs: estimated(180.0, 9.0),
            escalation_rate: estimated(0.12, 0.01),
            ..Kpis::all_missing(&Reason::NotLogged)
        };
        let learned = Kpis {
            reward: estimated(0.43, 0.01).against_baseline(0.03, 0.01, 0.05),
            satisfaction: estimated(0.69, 0.02).against_baseline(-0.01, -0.03, 0.01),
            time_efficiency: estimated(0.85, 0.01),
            cost_efficiency: estimated(0.78, 0.01),
            human_secs: estimated(120.0, 9.0).against_baseline(-60.0, -72.0, -48.0),
            escalation_rate: Kpi {
                n: Some(900),
                ..estimated(0.15, 0.01).against_baseline(0.03, 0.01, 0.05)
            },
            ..Kpis::all_missing(&Reason::NotLogged)
        };
        KpiTable {
            level: 0.95,
            policies: vec![
                PolicyKpis {
                    name: "rule".to_owned(),
                    role: PolicyRole::Baseline,
                    kpis: rule,
                    tier_shares: Some([0.3, 0.4, 0.3]),
                },
                PolicyKpis {
                    name: "<script>alert(1)</script>".to_owned(),
                    role: PolicyRole::Candidate,
                    kpis: learned,
                    tier_shares: Some([0.5, 0.3, 0.2]),
                },
            ],
        }
    }

    #[test]
    fn wrong_tables_are_refused() {
        assert!(table().check().is_ok());
        let mut two = table();
        two.policies[1].role = PolicyRole::Baseline;
        assert!(matches!(
            two.check(),
            Err(ReportError::SeveralBaselines { count: 2 })
        ));
        let mut shares = table();
        shares.policies[0].tier_shares = Some([0.5, 0.4, 0.3]);
        assert!(shares.check().is_err());
        let mut outside = table();
        outside.policies[0].kpis.reward.upper = Some(0.1);
        assert!(outside.check().is_err());
    }
}
