//! Agreement with independent libraries: `scripts/stats-fixtures.py` writes the expected values and names their sources.

use serde_json::Value;

use super::beta_binomial::{BetaPrior, posterior};
use super::correction::Correction;
use super::cuped::cuped;
use super::eprocess::log_odds_normaliser;
use super::gaussian::{GaussianPrior, gaussian_posterior};
use super::growthbook::{DEFAULT_TUNING, growthbook_sequential};
use super::lift::{LiftReference, delta, relative_lift};
use super::msprt::{log_mixture_ratio, normal_mixture_boundary};
use super::proportion::{newcombe, pooled_z, unpooled_z, wilson};
use super::ratio::ratio_sample;
use super::sample_ratio::{chi_squared, log_multinomial_e_value};
use super::sequence::{EmpiricalBernstein, HedgedBetting};
use super::special::{
    chi_squared_sf, ln_beta_density, normal_sf, normal_upper_quantile, student_sf,
    student_upper_quantile,
};
use super::tally::{Count, PairedMoments, Sample};
use super::welch::welch;
use super::winsor::cap_at_quantile;
use super::{Alpha, Comparison};

/// Largest relative difference allowed; of differences near zero, relative to the numbers they are differences of.
const CLOSE: f64 = 1e-9;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("fixtures hold numbers")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(number)
        .collect()
}

/// One line of the table: a group, and the largest difference found in it.
struct Agreement {
    fixtures: Value,
    lines: Vec<String>,
}

struct Group {
    worst: f64,
    compared: u32,
}

impl Group {
    fn same(&mut self, what: &str, ours: f64, theirs: f64) {
        self.within(what, ours, theirs, 0.0);
    }

    fn within(&mut self, what: &str, ours: f64, theirs: f64, scale: f64) {
        let size = theirs.abs().max(scale);
        let difference = (ours - theirs).abs() / if size > 0.0 { size } else { 1.0 };
        assert!(
            difference < CLOSE,
            "{what}: {ours} is not {theirs} ({difference:e})"
        );
        self.worst = self.worst.max(difference);
        self.compared += 1;
    }

    fn interval(&mut self, what: &str, ours: Comparison, theirs: &Value, scale: f64) {
        let ends = numbers(theirs);
        self.within(what, ours.lower, ends[0], scale);
        self.within(what, ours.upper, ends[1], scale);
    }
}

impl Agreement {
    fn group(&mut self, name: &str, check: impl Fn(&Value, &mut Group)) {
        let group = &self.fixtures[name];
        let mut found = Group {
            worst: 0.0,
            compared: 0,
        };
        for case in group["cases"].as_array().expect("a list of cases") {
            check(case, &mut found);
        }
        assert!(found.compared > 0, "{name} compared nothing");
        self.lines.push(format!(
            "| {name} | {} | {} | {:.0e} |",
            group["source"].as_str().expect("a source"),
            found.compared,
            found.worst
        ));
    }
}

fn counts(case: &Value) -> (Count, Count) {
    let n: Vec<u64> = case
        .as_array()
        .expect("counts")
        .iter()
        .map(|v| v.as_u64().expect("a count"))
        .collect();
    (
        Count::new(n[0], n[1]).expect("a count"),
        Count::new(n[2], n[3]).expect("a count"),
    )
}

fn arm_counts(case: &Value) -> Vec<Count> {
    case.as_array()
        .expect("arms")
        .iter()
        .map(|arm| Count {
            units: arm[0].as_u64().expect("a count"),
            conversions: arm[1].as_u64().expect("a count"),
        })
        .collect()
}

fn samples(case: &Value) -> (Sample, Sample) {
    let v = numbers(case);
    let sample = |at: usize| Sample {
        units: v[at],
        mean: v[at + 1],
        variance: v[at + 2],
    };
    (sample(0), sample(3))
}

#[test]
fn formulas_agree_with_independent_libraries() {
    let alpha = Alpha::FIVE_PERCENT;
    let mut table = Agreement {
        fixtures: serde_json::from_str(include_str!("fixtures.json")).expect("JSON"),
        lines: Vec::new(),
    };
    table.group("normal_sf", |case, found| {
        found.same("tail", normal_sf(number(&case[0])), number(&case[1]));
    });
    table.group("normal_upper_quantile", |case, found| {
        let ours = normal_upper_quantile(number(&case[0]));
        found.within("quantile", ours, number(&case[1]), 1e-3);
    });
    table.group("student_sf", |case, found| {
        let ours = student_sf(number(&case[0]), number(&case[1]));
        found.same("tail", ours, number(&case[2]));
    });
    table.group("student_upper_quantile", |case, found| {
        let ours = student_upper_quantile(number(&case[0]), number(&case[1]));
        found.same("quantile", ours, number(&case[2]));
    });
    table.group("chi_squared_sf", |case, found| {
        let ours = chi_squared_sf(number(&case[0]), number(&case[1]) as usize);
        found.same("tail", ours, number(&case[2]));
    });
    table.group("ln_beta_density", |case, found| {
        let v = numbers(case);
        let ours = ln_beta_density(v[0], 1.0 - v[0], v[1], v[2]);
        found.within("density", ours, v[3], 1.0);
    });
    table.group("proportions", |case, found| {
        let (a, b) = counts(&case["counts"]);
        let pooled = pooled_z(a, b, alpha).expect("computable");
        let unpooled = unpooled_z(a, b, alpha).expect("computable");
        let hybrid = newcombe(a, b, alpha).expect("computable");
        // At 10¹² units the difference of two rates keeps six digits less than the rates.
        let scale = if a.units > 1 << 30 { b.rate() } else { 0.0 };
        found.within(
            "pooled p",
            pooled.p_value.expect("p"),
            number(&case["pooled_p"]),
            scale,
        );
        found.within(
            "unpooled p",
            unpooled.p_value.expect("p"),
            number(&case["unpooled_p"]),
            scale,
        );
        found.interval("wald", pooled, &case["wald"], scale);
        found.interval("newcombe", hybrid, &case["newcombe"], scale);
    });
    table.group("newcombe_ends", |case, found| {
        let (a, b) = counts(&case["counts"]);
        let ours = newcombe(a, b, alpha).expect("computable");
        found.interval("newcombe", ours, &case["newcombe"], 0.0);
    });
    table.group("wilson", |case, found| {
        let v = numbers(case);
        let count = Count {
            units: v[1] as u64,
            conversions: v[0] as u64,
        };
        let (low, high) = wilson(count, normal_upper_quantile(0.025));
        found.within("wilson", low, v[2], 1e-6);
        found.same("wilson", high, v[3]);
    });
    table.group("welch", |case, found| {
        let (a, b) = samples(&case["samples"]);
        let ours = welch(a, b, alpha).expect("computable");
        found.same("p", ours.p_value.expect("p"), number(&case["p"]));
        found.interval("interval", ours, &case["ci"], 0.0);
    });
    table.group("lift", |case, found| {
        let (a, b) = samples(&case["samples"]);
        let student = relative_lift(a, b, alpha, LiftReference::Student).expect("computable");
        let normal = relative_lift(a, b, alpha, LiftReference::Normal).expect("computable");
        found.same("lift", student.estimate, number(&case["estimate"]));
        found.interval("student", student, &case["student"], 0.0);
        found.same(
            "student p",
            student.p_value.expect("p"),
            number(&case["student_p"]),
        );
        found.interval("normal", normal, &case["normal"], 0.0);
        found.same(
            "normal p",
            normal.p_value.expect("p"),
            number(&case["normal_p"]),
        );
        let (effect, variance) = delta(a, b).expect("computable");
        let absolute = (b.mean - a.mean, a.error_squared() + b.error_squared());
        for (kind, (effect, variance)) in [("relative", (effect, variance)), ("absolute", absolute)]
        {
            let ours =
                growthbook_sequential(effect, variance, a.units + b.units, alpha, DEFAULT_TUNING)
                    .expect("computable");
            found.interval("sequential", ours, &case["sequential"][kind]["ci"], 0.0);
            let theirs = number(&case["sequential"][kind]["p"]);
            found.same("sequential p", ours.p_value.expect("p"), theirs);
        }
    });
    table.group("growthbook_counts", |case, found| {
        let (a, b) = counts(&case["counts"]);
        let (effect, variance) = delta(a.sample(), b.sample()).expect("computable");
        let units = (a.units + b.units) as f64;
        let ours = growthbook_sequential(effect, variance, units, alpha, DEFAULT_TUNING)
            .expect("computable");
        found.interval("sequential", ours, &case["ci"], 0.0);
        found.same("p", ours.p_value.expect("p"), number(&case["p"]));
    });
    table.group("unit_rows", |case, found| {
        let mut pre = [PairedMoments::default(), PairedMoments::default()];
        let mut per = pre.clone();
        let mut values = Vec::new();
        for row in case["rows"].as_array().expect("rows") {
            let row = numbers(row);
            pre[row[0] as usize].count(row[1], row[2]);
            per[row[0] as usize].count(row[1], row[3]);
            values.push(row[1]);
        }
        let adjusted = cuped(&pre[0], &pre[1]).expect("computable");
        found.same("slope", adjusted.slope, number(&case["theta"]));
        let ours = welch(adjusted.control, adjusted.treatment, alpha).expect("computable");
        found.same("cuped", ours.estimate, number(&case["cuped_estimate"]));
        found.interval("cuped", ours, &case["cuped_ci"], 0.0);
        found.same(
            "cuped p",
            ours.p_value.expect("p"),
            number(&case["cuped_p"]),
        );
        for (tally, theirs) in per.iter().zip(case["ratios"].as_array().expect("ratios")) {
            let ours = ratio_sample(tally).expect("computable");
            found.same("ratio", ours.mean, number(&theirs[0]));
            found.same("ratio's variance", ours.variance, number(&theirs[1]));
        }
        for pair in case["quantiles"].as_array().expect("quantiles") {
            let ours = cap_at_quantile(&mut values, number(&pair[0])).expect("values");
            found.same("quantile", ours, number(&pair[1]));
        }
    });
    table.group("gaussian", |case, found| {
        let (a, b) = samples(&case["samples"]);
        let (effect, variance) = delta(a, b).expect("computable");
        let prior = if case["proper"].as_bool().expect("a flag") {
            GaussianPrior::Normal {
                mean: 0.05,
                deviation: 0.3,
            }
        } else {
            GaussianPrior::Flat
        };
        let ours = gaussian_posterior(effect, variance, prior, alpha).expect("computable");
        found.same("mean", ours.mean, number(&case["mean"]));
        found.same("lower", ours.lower, number(&case["ci"][0]));
        found.same("upper", ours.upper, number(&case["ci"][1]));
        found.same("chance", ours.chance_to_win, number(&case["win"]));
        found.same("loss", ours.loss_of_control, number(&case["loss_control"]));
        found.same(
            "loss",
            ours.loss_of_treatment,
            number(&case["loss_treatment"]),
        );
    });
    table.group("corrections", |case, found| {
        let p = numbers(&case["p"]);
        for (correction, name) in [
            (Correction::Bonferroni, "bonferroni"),
            (Correction::Holm, "holm"),
            (Correction::BenjaminiHochberg, "fdr_bh"),
            (Correction::BenjaminiYekutieli, "fdr_by"),
        ] {
            for (ours, theirs) in correction.adjust(&p).iter().zip(numbers(&case[name])) {
                found.same(name, *ours, theirs);
            }
        }
    });
    for name in ["beta_two_arms", "beta_many_arms"] {
        table.group(name, |case, found| {
            let arms = arm_counts(&case["counts"]);
            let ours = posterior(&arms, BetaPrior::default()).expect("computable");
            let win = numbers(&case["win"]);
            let loss = numbers(&case["loss"]);
            for (i, arm) in ours.iter().enumerate() {
                found.same("chance to win", arm.chance_to_win, win[i]);
                found.same("expected loss", arm.expected_loss, loss[i]);
            }
        });
    }
    table.group("chi_squared", |case, found| {
        let units: Vec<u64> = numbers(&case["units"]).iter().map(|n| *n as u64).collect();
        let ours = chi_squared(&units, &numbers(&case["weights"])).expect("computable");
        found.same("p", ours.p_value, number(&case["p"]));
    });
    table.group("multinomial", |case, found| {
        let units: Vec<u64> = numbers(&case["units"]).iter().map(|n| *n as u64).collect();
        let weights = numbers(&case["weights"]);
        let ours = log_multinomial_e_value(&units, &weights, number(&case["concentration"]))
            .expect("computable");
        found.within("log e", ours, number(&case["log_e"]), 1.0);
    });
    table.group("hypergeometric", |case, found| {
        let count = |name: &str| case[name].as_u64().expect("a count");
        let ours = log_odds_normaliser(
            count("control"),
            count("treatment"),
            count("conversions"),
            number(&case["odds"]).ln(),
        );
        found.same("normaliser", ours, number(&case["log_normaliser"]));
    });
    table.group("msprt", |case, found| {
        let v = ["estimate", "variance", "tau"].map(|name| number(&case[name]));
        let ours = log_mixture_ratio(v[0], v[1], v[2]).expect("computable");
        found.same("log ratio", ours, number(&case["log"]));
    });
    table.group("normal_mixture", |case, found| {
        let ours = normal_mixture_boundary(number(&case["v"]), number(&case["tuning"]), alpha);
        found.same("boundary", ours, number(&case["bound"]));
    });
    table.group("mean_sequences", |case, found| {
        let mut bernstein = EmpiricalBernstein::new(alpha);
        let mut hedged = HedgedBetting::new(alpha, 200);
        let at = numbers(&case["at"]);
        let mut place = 0;
        for (i, outcome) in numbers(&case["outcomes"]).iter().enumerate() {
            bernstein.observe(*outcome).expect("in bounds");
            hedged.observe(*outcome).expect("in bounds");
            if at.get(place) != Some(&(i as f64)) {
                continue;
            }
            let theirs = numbers(&case["bernstein"][place]);
            // The library clips its interval to [0, 1], as ours does.
            found.within("bernstein", bernstein.interval().0, theirs[0], 1e-3);
            found.same("bernstein", bernstein.interval().1, theirs[1]);
            let theirs = numbers(&case["hedged"][place]);
            let ours = hedged.interval().expect("something stands");
            found.within("hedged", ours.0, theirs[0], 1e-3);
            found.same("hedged", ours.1, theirs[1]);
            place += 1;
        }
    });
    println!("{}", table.lines.join("\n"));
}
