//! People needed by hour of the day beside people on shift, for the work that a policy makes.

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{CentreKpi, Replica, Stage};
use tierwise_envs::erlang::{PatienceLaw, Target, Traffic, fewest};
use tierwise_envs::tier::Tier;

use super::interval::Band;

/// Service aimed at: this share of those who need a person is served within so many seconds.
const TARGET: (f64, f64) = (0.8, 60.0);

/// One hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StaffedHour {
    /// Hour of the day, shop-local.
    pub hour: u32,
    /// Answers asked of people in it, a day.
    pub jobs: Band,
    /// Fewest people for the target by Erlang A; `None` where the formula has no answer.
    pub needed: Option<u32>,
    /// People on shift, mean.
    pub scheduled: f64,
}

/// A day of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaffingResult {
    /// The policy whose work it is.
    pub policy: String,
    /// Share of those who need a person to be served within the limit.
    pub target_share: f64,
    /// The limit in seconds.
    pub limit_s: f64,
    /// Mean seconds of work per answer.
    pub work_s: f64,
    /// Mean patience in seconds.
    pub patience_s: f64,
    /// Hours in order.
    pub hours: Vec<StaffedHour>,
}

/// Every pool together, as if each person could do all of it: the fewest that anybody could need.
pub(super) fn staffing(stage: &Stage, policy: &str, run: &[Replica]) -> Option<StaffingResult> {
    let days = (stage.counted_s().1 - stage.counted_s().0) / 86_400.0;
    let people = [Tier::Review, Tier::Human];
    let asked = |replica: &Replica, hour: usize| -> f64 {
        let of = people
            .iter()
            .map(|tier| &replica.tally.hours[hour][tier.index()]);
        of.map(|cell| (cell.answers + cell.abandoned) as f64).sum()
    };
    let answers: f64 = run
        .iter()
        .flat_map(|r| r.tally.hours.iter())
        .map(|h| {
            people
                .iter()
                .map(|tier| h[tier.index()].answers as f64)
                .sum::<f64>()
        })
        .sum();
    let seconds: f64 = run.iter().map(|r| r.tally.kpi(CentreKpi::HumanS).sum).sum();
    if answers == 0.0 || seconds == 0.0 {
        return None;
    }
    let work_s = seconds / answers;
    let by_class = stage.world().config().customer.patience_s;
    let patience_s = by_class.iter().sum::<f64>() / by_class.len() as f64;
    let law = PatienceLaw::Exponential { mean_s: patience_s };
    let target = Target {
        served_within: Some(TARGET),
        ..Target::default()
    };
    let hours = (0..24)
        .filter_map(|hour| {
            let values: Vec<f64> = run.iter().map(|r| asked(r, hour) / days).collect();
            let jobs = Band::of(&values)?;
            let needed = if jobs.value > 0.0 {
                let traffic = Traffic::new(1, jobs.value / 3_600.0, work_s).ok();
                traffic.and_then(|t| fewest(&t, Some(&law), &target).ok())
            } else {
                Some(0)
            };
            let on_shift = run[0]
                .pools
                .iter()
                .map(|pool| pool[hour].people)
                .sum::<f64>();
            Some(StaffedHour {
                hour: hour as u32,
                jobs,
                needed,
                scheduled: on_shift / (3_600.0 * days),
            })
        })
        .collect();
    Some(StaffingResult {
        policy: policy.to_owned(),
        target_share: TARGET.0,
        limit_s: TARGET.1,
        work_s,
        patience_s,
        hours,
    })
}
