//! Dividing a centre's people between two arms.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::config::CentreConfig;

/// Part of a centre that cannot be divided as its customers are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// What it is: a team by pool and position, or the AI replicas.
    pub what: String,
    /// How many there are.
    pub whole: u32,
    /// How many work for A and for B.
    pub parts: [u32; 2],
    /// How many should work for B.
    pub exact: f64,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            whole,
            parts: [a, b],
            exact,
        } = self;
        write!(
            f,
            "{what} has {whole}: {a} for A and {b} for B, where B should have {exact:.1}"
        )
    }
}

/// A centre divided between two arms.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitCentre {
    /// A's part and B's.
    pub parts: [CentreConfig; 2],
    /// Where people do not divide as customers do.
    pub deviations: Vec<Deviation>,
    /// Share of all people who work for B.
    pub people_share: f64,
}

/// A number divided: B gets `share` of it, rounded to the nearest, halves up; each side at least 1.
///
/// A team of one is doubled, for a pool without it would lack its skills or its shift.
fn divide(whole: u32, share: f64) -> [u32; 2] {
    let b = (f64::from(whole) * share + 0.5).floor() as u32;
    let b = b.clamp(1, whole.saturating_sub(1).max(1));
    [(whole - b).max(1), b]
}

impl CentreConfig {
    /// Divides every team, and limited AI replicas, between A and B, who gets `share` in (0, 1).
    ///
    /// Numbers are rounded to the nearest, halves up for B, with at least 1 on each side; so a team of one counts twice. What
    /// this does to a team is among the deviations. Shifts, breaks, skills and outages stay as they are.
    #[must_use]
    pub fn split(&self, share: f64) -> SplitCentre {
        let mut parts = [self.clone(), self.clone()];
        let mut deviations = Vec::new();
        let mut people = [0_u64; 2];
        let mut note = |what: String, whole: u32| {
            let divided = divide(whole, share);
            let exact = f64::from(whole) * share;
            if (f64::from(divided[1]) - exact).abs() > 1e-9 || divided[0] + divided[1] != whole {
                deviations.push(Deviation {
                    what,
                    whole,
                    parts: divided,
                    exact,
                });
            }
            divided
        };
        for (p, pool) in self.pool.iter().enumerate() {
            for (t, team) in pool.team.iter().enumerate() {
                let what = format!("team {} of pool {:?}", t + 1, pool.name);
                let divided = note(what, team.people);
                for arm in [0, 1] {
                    parts[arm].pool[p].team[t].people = divided[arm];
                    people[arm] += u64::from(divided[arm]);
                }
            }
        }
        if let Some(replicas) = self.ai.replicas {
            let divided = note("`ai.replicas`".to_owned(), replicas);
            for arm in [0, 1] {
                parts[arm].ai.replicas = Some(divided[arm]);
            }
        }
        if let Some(scale) = &self.ai.autoscale {
            let (least, most) = (divide(scale.min, share), divide(scale.max, share));
            for (arm, part) in parts.iter_mut().enumerate() {
                if let Some(own) = &mut part.ai.autoscale {
                    (own.min, own.max) = (least[arm], most[arm].max(least[arm]));
                }
            }
        }
        SplitCentre {
            parts,
            deviations,
            people_share: people[1] as f64 / (people[0] + people[1]) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_and_nobody_is_left_without() {
        for (whole, share, parts) in [
            (20, 0.5, [10, 10]),
            (20, 0.1, [18, 2]),
            (7, 0.5, [3, 4]),
            (4, 0.1, [3, 1]),
            (4, 0.9, [1, 3]),
            (1, 0.5, [1, 1]),
            (1, 0.01, [1, 1]),
            (2, 0.99, [1, 1]),
        ] {
            assert_eq!(divide(whole, share), parts, "{whole} at {share}");
        }
    }

    #[test]
    fn teams_that_do_not_divide_are_named() {
        let mut config = CentreConfig::default();
        config.ai.replicas = Some(6);
        let split = config.split(0.5);
        // The default centre has teams of 4, 5, 2, 2, 1 and 1.
        let odd: Vec<(u32, [u32; 2])> = split
            .deviations
            .iter()
            .map(|d| (d.whole, d.parts))
            .collect();
        assert_eq!(odd, [(5, [2, 3]), (1, [1, 1]), (1, [1, 1])]);
        assert_eq!(split.parts.clone().map(|p| p.ai.replicas), [Some(3); 2]);
        let people = |part: usize| -> u32 {
            split.parts[part].pool[0]
                .team
                .iter()
                .map(|t| t.people)
                .sum()
        };
        assert_eq!((people(0), people(1)), (8, 9));
        assert!((split.people_share - 9.0 / 17.0).abs() < 1e-12);
        assert!(split.deviations[0].to_string().contains("team 2 of pool"));
    }
}
