//! `--sensitivity`: whether the order of policies hangs on numbers that nobody knows exactly.

use tierwise_envs::centre::{NamedPolicy as Played, Sensitivity, SensitivityPlan, sensitivity};
use tierwise_envs::env::Situation;
use tierwise_envs::shop::{Choose, ShopRules};

use crate::cli::output;
use crate::config::TrainConfig;
use crate::failure::{Failure, failure_of};
use crate::run::{NamedPolicy, RunDirectory, write_json};

/// Varies the centre's numbers one at a time and together.
pub(super) fn run(
    config: &TrainConfig,
    policies: &[NamedPolicy],
    samples: u32,
    out: Option<&RunDirectory>,
    json: bool,
) -> Result<(), Failure> {
    if policies.len() < 2 {
        return Err(
            Failure::new("`--sensitivity` compares policies, and one is named")
                .fix("name two or more: `--policy rule --policy human`"),
        );
    }
    let Some(centre) = &config.centre else {
        return Err(Failure::new(
            "there is no `[centre]` whose numbers could be varied",
        ));
    };
    let chosen: Vec<Box<Choose<'_>>> = policies
        .iter()
        .map(|named| {
            let choose: Box<Choose<'_>> =
                Box::new(|at: &Situation<'_>| named.policy.probabilities(at));
            choose
        })
        .collect();
    let played: Vec<Played<'_>> = policies
        .iter()
        .zip(&chosen)
        .map(|(named, choose)| Played {
            name: &named.name,
            choose: choose.as_ref(),
        })
        .collect();
    let rules = ShopRules {
        reward: config.reward.clone(),
        mask: config.mask.clone(),
        discretizer: config.table.clone(),
    };
    let plan = SensitivityPlan {
        samples,
        seed: config.simulation.as_ref().map_or(1, |s| s.seed),
        ..SensitivityPlan::default()
    };
    let found = sensitivity(&config.shop, centre, &rules, &played, &plan)
        .map_err(|error| failure_of(&error))?;
    if let Some(out) = out {
        write_json(&out.sensitivity(), &found)?;
    }
    if json {
        output::json(&found)
    } else {
        output::text_line(&table(&found))
    }
}

fn table(found: &Sensitivity) -> String {
    let last = found.policies.len() - 1;
    let spread = 100.0 * found.plan.spread;
    let mut lines = vec![
        format!(
            "{} minus {} in reward, when a number is {spread:.0} % lower or higher (as configured: {:+.4})",
            found.policies[last], found.policies[0], found.base.differences[last]
        ),
        String::new(),
        format!(
            "{:<22} {:>10} {:>10}  earns most",
            "number",
            format!("-{spread:.0} %"),
            format!("+{spread:.0} %")
        ),
    ];
    for pair in found.one_at_a_time.chunks(2) {
        let [down, up] = pair else { continue };
        let best = |at: &tierwise_envs::centre::OneAtATime| found.policies[at.ranking.best].clone();
        lines.push(format!(
            "{:<22} {:>+10.4} {:>+10.4}  {}",
            down.knob.name(),
            down.ranking.differences[last],
            up.ranking.differences[last],
            if down.flips || up.flips {
                format!("{} / {}", best(down), best(up))
            } else {
                String::new()
            }
        ));
    }
    if !found.latin.is_empty() {
        lines.push(format!(
            "\nall together, {} samples of a Latin hypercube:",
            found.latin.len()
        ));
        for (policy, share) in found.policies.iter().zip(&found.first_share) {
            lines.push(format!(
                "  {policy:<20} earns most in {:.0} %",
                100.0 * share
            ));
        }
    }
    lines.join("\n")
}
