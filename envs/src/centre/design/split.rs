//! Designs that split the customers: over one pool, or with people of their own.

use std::sync::Arc;

use super::super::engine::Share;
use super::super::stage::Stage;
use super::super::tally::Moments;
use super::contest::{Contest, Truth};
use super::error::DesignError;
use super::estimate::Estimate;
use super::result::{Caution, Design, DesignResult, Measured, Row};
use crate::luck::Purpose;

/// Rewards of a replica's two arms.
type Arms = [Moments; 2];

fn check_share(share: f64) -> Result<(), DesignError> {
    if share > 0.0 && share < 1.0 {
        Ok(())
    } else {
        Err(DesignError::Share { share })
    }
}

impl Contest<'_> {
    /// Each conversation goes to B with a share in (0, 1), else to A, by a salted hash; all share one pool.
    ///
    /// Right while people are not the bottleneck. Where they are, each arm lives in the queue that both make, so the
    /// difference leaves out what a policy does to everyone's waits.
    ///
    /// # Errors
    /// [`DesignError`] for a share outside (0, 1) and an arm into which nobody comes.
    pub fn user(&self, truth: &Truth, share: f64) -> Result<DesignResult, DesignError> {
        self.check()?;
        check_share(share)?;
        let replicas = self.map(|seed| {
            let salt = self.salt(seed, Purpose::Mark);
            let mut arms = Arms::default();
            let arm_of = |number, _| u8::from(Share::hash(salt, number) >= 1.0 - share);
            self.play(self.stage, seed, None, arm_of, |end| {
                arms[usize::from(end.arm)].add(end.ending.reward.total);
            });
            arms
        });
        let cautions = vec![Caution::SharedPool];
        self.of_arms(truth, Design::User { share }, &replicas, cautions)
    }

    /// Two centres: B has a share of the customers, by the same hash as [`Contest::user`], and of every team
    /// ([`CentreConfig::split`](super::super::CentreConfig::split)).
    ///
    /// At 50/50 both pools are alike and half as large as the real one. Otherwise pools of different size wait differently
    /// under the same policy: such a split is refused, unless `uneven` allows it with a caution.
    ///
    /// # Errors
    /// [`DesignError`] for a share outside (0, 1), a split that is not even, and an arm into which nobody comes.
    pub fn split_pool(
        &self,
        truth: &Truth,
        share: f64,
        uneven: bool,
    ) -> Result<DesignResult, DesignError> {
        self.check()?;
        check_share(share)?;
        let split = self.stage.config().split(share);
        let even = (share - 0.5).abs() < 1e-9;
        if !uneven {
            let why = if !even {
                Some("arms of different size have pools of different size, and the smaller one waits longer".to_owned())
            } else {
                split.deviations.first().map(ToString::to_string)
            };
            if let Some(why) = why {
                return Err(DesignError::UnevenPools { share, why });
            }
        }
        let people_share = split.people_share;
        let mut cautions = Vec::new();
        if !even || (people_share - 0.5).abs() > 1e-9 {
            cautions.push(Caution::UnevenPools {
                share,
                people_share,
            });
        }
        cautions.extend(split.deviations.into_iter().map(Caution::UnevenTeam));
        let world = self.stage.world();
        let [a, b] = split.parts;
        let stages = [
            Stage::new(a, Arc::clone(world))?,
            Stage::new(b, Arc::clone(world))?,
        ];
        let replicas = self.map(|seed| {
            let salt = self.salt(seed, Purpose::Mark);
            let mut arms = Arms::default();
            for (arm, (from, to)) in [(0.0, 1.0 - share), (1.0 - share, 1.0)]
                .into_iter()
                .enumerate()
            {
                let customers = Share { salt, from, to };
                let arm_of = |_, _| arm as u8;
                self.play(&stages[arm], seed, Some(customers), arm_of, |end| {
                    arms[arm].add(end.ending.reward.total);
                });
            }
            arms
        });
        let design = Design::SplitPool {
            share,
            people_share,
        };
        self.of_arms(truth, design, &replicas, cautions)
    }

    fn of_arms(
        &self,
        truth: &Truth,
        design: Design,
        replicas: &[Arms],
        cautions: Vec<Caution>,
    ) -> Result<DesignResult, DesignError> {
        let mut rows = Vec::with_capacity(replicas.len());
        let mut conversations = [0; 2];
        for (replica, arms) in replicas.iter().enumerate() {
            let mut means = [0.0; 2];
            for (arm, moments) in arms.iter().enumerate() {
                means[arm] = moments.mean().ok_or(DesignError::EmptyArm {
                    arm: ['A', 'B'][arm],
                    replica,
                })?;
                conversations[arm] += moments.n;
            }
            rows.push(Row { replica, means });
        }
        let differences: Vec<f64> = rows.iter().map(|row| row.means[1] - row.means[0]).collect();
        let measured = Measured {
            design,
            difference: Estimate::of(&differences, self.level),
            replicas: rows,
            conversations,
            left_out: 0.0,
            cautions,
        };
        Ok(measured.against(truth, self.level))
    }
}
