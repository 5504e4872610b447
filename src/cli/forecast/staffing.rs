//! People for the hours to come: the forecast's quantile through Erlang-A.

use clap::Args;
use tierwise_envs::erlang::{PatienceLaw, Target, Traffic, fewest};
use tierwise_envs::forecast::StaffingPlan;

use crate::failure::{Failure, failure_of};

/// Options of a staffing plan.
#[derive(Debug, Args)]
pub(super) struct StaffArgs {
    /// Also plan the fewest people per hour for the forecast's quantile.
    #[arg(long, requires = "service_s")]
    staff: bool,
    /// Mean seconds of work per contact.
    #[arg(long, value_name = "S")]
    service_s: Option<f64>,
    /// Mean patience in seconds, exponential (Erlang A); absent: nobody leaves (Erlang C).
    #[arg(long, value_name = "S")]
    patience_s: Option<f64>,
    /// Share of contacts to be answered within `--within`.
    #[arg(long, default_value_t = 0.8, value_name = "SHARE")]
    target: f64,
    /// Seconds within which they are answered.
    #[arg(long, default_value_t = 20.0, value_name = "S")]
    within: f64,
    /// Hours for which people stay: the plan holds the most needed in each block.
    #[arg(long, default_value_t = 1, value_name = "H")]
    block_hours: usize,
}

impl StaffArgs {
    /// The plan for expected contacts by hour, if one was asked for.
    pub(super) fn plan(&self, contacts: &[f64]) -> Result<Option<StaffingPlan>, Failure> {
        if !self.staff {
            return Ok(None);
        }
        let service_s = self.service_s.unwrap_or(0.0);
        let patience = self
            .patience_s
            .map(|mean_s| PatienceLaw::Exponential { mean_s });
        let target = Target {
            served_within: Some((self.target, self.within)),
            ..Target::default()
        };
        // One trial, so that options out of range are named before the hours are planned.
        let trial = Traffic::new(1, 1.0 / 3_600.0, service_s).map_err(|e| failure_of(&e))?;
        fewest(&trial, patience.as_ref(), &target).map_err(|e| failure_of(&e))?;
        let people = |rate_per_s: f64| {
            if rate_per_s <= 0.0 {
                return Some(0);
            }
            let traffic = Traffic::new(1, rate_per_s, service_s).ok()?;
            fewest(&traffic, patience.as_ref(), &target).ok()
        };
        StaffingPlan::new(contacts, self.block_hours, people)
            .map(Some)
            .map_err(|e| failure_of(&e))
    }
}
