//! The evidence of an experiment: closed blocks folded in order into its tests.
//!
//! Everything here is a pure function of the definition and the blocks, so that a restart, a second replica and the report
//! come to the same numbers. Nothing is decided here but by [`decide`], the rule of promotion.

use std::collections::BTreeMap;

use serde::Serialize;

use super::block::{ArmTotal, ClosedBlock, block_length_us};
use crate::router::experiment::{Design, Experiment, Phase};
use crate::stats::eprocess::{
    Block, GuardrailTest, Harm, RateTest, StrataVeto, TestLevels, rate_interval,
};
use crate::stats::sample_ratio::SampleRatioProcess;
use crate::stats::switchback::PairTest;
use crate::stats::verdict::{Broken, Evidence, NamedWealth, Verdict, decide};
use crate::stats::{Alpha, StatsError};

/// Days as far as a minimum duration is concerned, in microseconds.
const DAY_US: i64 = 86_400_000_000;

/// What a metric is there for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It decides.
    Primary,
    /// It must not be inferior.
    Secondary,
    /// It must not be harmed.
    Guardrail,
}

/// Evidence of one metric at one moment, for pages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Look {
    /// End of the block, in microseconds since 1970.
    pub at_us: i64,
    /// Wealth against "no better", as a natural logarithm; of a guardrail, against "unharmed".
    pub log_promote: f64,
    /// Wealth against "no worse".
    pub log_roll_back: f64,
}

/// The test of one metric and one challenger.
#[derive(Debug, Clone)]
enum Test {
    Rate(Box<RateTest>),
    Guardrail(Box<GuardrailTest>),
    Pairs {
        test: PairTest,
        higher_is_harm: bool,
    },
}

/// One metric and its tests, one per challenger.
#[derive(Debug, Clone)]
pub struct MetricLedger {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Its closed blocks.
    pub blocks: BTreeMap<i64, ClosedBlock>,
    /// Evidence of the first challenger after each block.
    pub looks: Vec<Look>,
    tests: Vec<Test>,
    half_pairs: BTreeMap<i64, Vec<ArmTotal>>,
}

/// Everything that has been counted of an experiment.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Metrics: primary, secondary ones, guardrails.
    pub metrics: Vec<MetricLedger>,
    /// Units that entered, minute by minute.
    pub arrivals: BTreeMap<i64, ClosedBlock>,
    veto: Vec<Option<StrataVeto>>,
    sample_ratio: Vec<SampleRatioProcess>,
    holdback: Option<(u32, RateTest)>,
}

impl Ledger {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// [`StatsError`] for a rule or margins that [`Definition::check`](super::super::experiment::Definition::check) refuses.
    pub fn new(experiment: &Experiment) -> Result<Self, StatsError> {
        let definition = &experiment.definition;
        let rule = &definition.rule;
        let challengers = definition.arms.len() - 1;
        let promote = rule.promote_level()?;
        let roll_back = rule.roll_back_level(definition.guardrails.len())?;
        let in_blocks = definition.design != Design::User;
        let metric = |name: &str, role, test: &dyn Fn() -> Result<Test, StatsError>| {
            Ok::<_, StatsError>(MetricLedger {
                name: name.to_owned(),
                role,
                blocks: BTreeMap::new(),
                looks: Vec::new(),
                tests: (0..challengers).map(|_| test()).collect::<Result<_, _>>()?,
                half_pairs: BTreeMap::new(),
            })
        };
        let pairs = |better, higher_is_harm| Test::Pairs {
            test: PairTest::new(better, roll_back),
            higher_is_harm,
        };
        let mut metrics = vec![metric(&definition.primary.name, Role::Primary, &|| {
            Ok(if in_blocks {
                pairs(promote, false)
            } else {
                Test::Rate(Box::new(RateTest::new(TestLevels {
                    promote,
                    roll_back,
                    promote_ratio: 1.0,
                    roll_back_ratio: 1.0,
                })))
            })
        })?];
        for secondary in &definition.secondaries {
            metrics.push(metric(&secondary.metric.name, Role::Secondary, &|| {
                Ok(Test::Rate(Box::new(RateTest::new(TestLevels {
                    promote,
                    roll_back,
                    promote_ratio: 1.0 - rule.secondary_margin,
                    roll_back_ratio: 1.0 - rule.secondary_margin,
                }))))
            })?);
        }
        for guardrail in &definition.guardrails {
            metrics.push(metric(&guardrail.metric.name, Role::Guardrail, &|| {
                Ok(if in_blocks {
                    pairs(roll_back, guardrail.harm == Harm::Higher)
                } else {
                    Test::Guardrail(Box::new(GuardrailTest::new(
                        guardrail.harm,
                        guardrail.margin,
                        roll_back,
                    )?))
                })
            })?);
        }
        let veto = (0..challengers)
            .map(|_| {
                definition
                    .strata
                    .as_ref()
                    .map(|strata| {
                        StrataVeto::new(strata.values.len(), rule.stratum_margin, roll_back)
                    })
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            metrics,
            arrivals: BTreeMap::new(),
            veto,
            sample_ratio: vec![SampleRatioProcess::default(); challengers],
            holdback: None,
        })
    }

    /// The last block of a metric, by position.
    #[must_use]
    pub fn last_block(&self, metric: usize) -> Option<i64> {
        self.metrics[metric].blocks.keys().next_back().copied()
    }

    /// Counts units that entered.
    pub fn fold_arrivals(&mut self, experiment: &Experiment, minute: i64, block: ClosedBlock) {
        if experiment.definition.design == Design::User {
            for (challenger, process) in self.sample_ratio.iter_mut().enumerate() {
                for revision in block.revisions() {
                    if let Some(versus) =
                        block.versus(experiment, revision, None, challenger + 1, minute)
                    {
                        process.fold(versus.share, versus.control.units, versus.treatment.units);
                    }
                }
            }
        }
        self.arrivals.insert(minute, block);
    }

    /// Folds in the next closed block of a metric; blocks come in order.
    ///
    /// # Errors
    /// [`StatsError`] when a block is out of order or out of range: the store has been altered.
    pub fn fold(
        &mut self,
        experiment: &Experiment,
        metric: usize,
        key: i64,
        block: ClosedBlock,
    ) -> Result<(), StatsError> {
        let length_us = block_length_us(&experiment.definition);
        let at_us = (key + 1) * length_us;
        let arms = experiment.definition.arms.len();
        let ledger = &mut self.metrics[metric];
        if experiment.definition.design == Design::User {
            for revision in block.revisions() {
                for (challenger, test) in ledger.tests.iter_mut().enumerate() {
                    let Some(versus) =
                        block.versus(experiment, revision, None, challenger + 1, at_us)
                    else {
                        continue;
                    };
                    match test {
                        Test::Rate(test) => test.fold(&versus)?,
                        Test::Guardrail(test) => test.fold(&versus)?,
                        Test::Pairs { .. } => {}
                    }
                    if ledger.role == Role::Primary {
                        if let Some(veto) = &mut self.veto[challenger] {
                            fold_strata(veto, experiment, &block, revision, challenger + 1, at_us)?;
                        }
                        if let Some((since, test)) = &mut self.holdback
                            && revision >= *since
                        {
                            test.fold(&versus)?;
                        }
                    }
                }
            }
        } else {
            ledger.fold_pair(experiment, key, block.totals(arms))?;
        }
        let look = ledger.tests[0].look(at_us);
        ledger.looks.push(look);
        ledger.blocks.insert(key, block);
        Ok(())
    }

    /// Starts the test of the holdback at a promotion: its own, so that the promotion's evidence cannot outvote it.
    ///
    /// # Errors
    /// [`StatsError`] as [`Ledger::new`].
    pub fn watch_holdback(&mut self, experiment: &Experiment) -> Result<(), StatsError> {
        let Phase::Promoted { arm, .. } = experiment.phase else {
            return Ok(());
        };
        let Some(since) = experiment.revision().map(|revision| revision.number) else {
            return Ok(());
        };
        if self
            .holdback
            .as_ref()
            .is_some_and(|(known, _)| *known == since)
            || experiment.definition.design != Design::User
        {
            return Ok(());
        }
        let rule = &experiment.definition.rule;
        let mut test = RateTest::new(TestLevels {
            promote: rule.promote_level()?,
            roll_back: rule.roll_back_level(experiment.definition.guardrails.len())?,
            promote_ratio: 1.0,
            roll_back_ratio: 1.0,
        });
        for (key, block) in &self.metrics[0].blocks {
            let at_us = (key + 1) * block_length_us(&experiment.definition);
            for revision in block.revisions().filter(|revision| *revision >= since) {
                if let Some(versus) =
                    block.versus(experiment, revision, None, usize::from(arm), at_us)
                {
                    test.fold(&versus)?;
                }
            }
        }
        self.holdback = Some((since, test));
        Ok(())
    }

    /// The evidence for a challenger (1 is the first) at a moment.
    #[must_use]
    pub fn evidence(&self, experiment: &Experiment, challenger: usize, now_us: i64) -> Evidence {
        let definition = &experiment.definition;
        let primary = &self.metrics[0];
        let totals = self.totals(0, definition.arms.len());
        let (log_promote, superior, log_roll_back, inferior) =
            primary.tests[challenger - 1].sides();
        let named = |role| {
            self.metrics
                .iter()
                .filter(move |metric| metric.role == role)
                .map(move |metric| {
                    let (log_e, reached) = metric.tests[challenger - 1].harm_or_proof(role);
                    NamedWealth {
                        name: metric.name.clone(),
                        log_e,
                        reached,
                    }
                })
        };
        let holdback = match (&experiment.phase, &self.holdback) {
            (Phase::Promoted { .. }, Some((_, test))) => Some(test),
            _ => None,
        };
        Evidence {
            arm: definition.arms[challenger].name.clone(),
            units: [totals[0].units, totals[challenger].units],
            share: self.share(experiment, challenger),
            days_at_share: self.days_at_share(experiment, now_us),
            log_promote,
            superior: superior && holdback.is_none(),
            log_roll_back: holdback.map_or(log_roll_back, |test| test.wealth().log_roll_back),
            inferior: holdback.map_or(inferior, |test| test.rolled_back().is_some()),
            secondary: named(Role::Secondary).collect(),
            guardrails: named(Role::Guardrail).collect(),
            vetoes: self.vetoes(experiment, challenger),
            broken: self.broken(experiment, challenger),
        }
    }

    /// The rule's verdict on every challenger.
    #[must_use]
    pub fn verdicts(&self, experiment: &Experiment, now_us: i64) -> Vec<(Evidence, Verdict)> {
        (1..experiment.definition.arms.len())
            .map(|challenger| {
                let evidence = self.evidence(experiment, challenger, now_us);
                let verdict = decide(&experiment.definition.rule, &evidence);
                (evidence, verdict)
            })
            .collect()
    }

    /// Mature units and sums per arm of a metric.
    #[must_use]
    pub fn totals(&self, metric: usize, arms: usize) -> Vec<ArmTotal> {
        let mut totals = vec![ArmTotal::default(); arms];
        for block in self.metrics[metric].blocks.values() {
            for (total, more) in totals.iter_mut().zip(block.totals(arms)) {
                total.units += more.units;
                total.sum += more.sum;
            }
        }
        totals
    }

    /// Blocks of a metric as the e-process took them, for intervals.
    #[must_use]
    pub fn blocks_versus(
        &self,
        experiment: &Experiment,
        metric: usize,
        challenger: usize,
    ) -> Vec<Block> {
        let length_us = block_length_us(&experiment.definition);
        self.metrics[metric]
            .blocks
            .iter()
            .flat_map(|(key, block)| {
                let at_us = (key + 1) * length_us;
                block.revisions().filter_map(move |revision| {
                    block.versus(experiment, revision, None, challenger, at_us)
                })
            })
            .collect()
    }

    /// Mature units of the primary metric since the revision in force began.
    #[must_use]
    pub fn units_at_revision(&self, experiment: &Experiment) -> u64 {
        let Some(revision) = experiment.revision() else {
            return 0;
        };
        self.metrics[0]
            .blocks
            .values()
            .flat_map(|block| &block.parts)
            .filter(|part| part.revision == revision.number)
            .map(|part| {
                part.arms.iter().map(|(units, _)| units).sum::<u64>() + part.rows.len() as u64
            })
            .sum()
    }

    /// Natural logarithms of the guardrails' wealth, over all challengers.
    #[must_use]
    pub fn guardrail_wealths(&self) -> Vec<f64> {
        self.metrics
            .iter()
            .filter(|metric| metric.role == Role::Guardrail)
            .flat_map(|metric| {
                metric
                    .tests
                    .iter()
                    .map(|test| test.harm_or_proof(Role::Guardrail).0)
            })
            .collect()
    }

    /// Natural logarithm of the e-value against the shares of a challenger (1 is the first) and the champion.
    #[must_use]
    pub fn sample_ratio_log_e(&self, challenger: usize) -> f64 {
        self.sample_ratio[challenger - 1].log_value()
    }

    fn share(&self, experiment: &Experiment, challenger: usize) -> f64 {
        if experiment.definition.design == Design::Switchback {
            return 0.5;
        }
        experiment.revision().map_or(0.0, |revision| {
            let (champion, other) = (revision.weights[0], revision.weights[challenger]);
            if champion + other > 0.0 {
                other / (champion + other)
            } else {
                0.0
            }
        })
    }

    /// Days that units were seen at the share in force, at most the days that passed: a clock that jumps ahead brings no
    /// units, and so no days.
    fn days_at_share(&self, experiment: &Experiment, now_us: i64) -> f64 {
        let Some(revision) = experiment.revision() else {
            return 0.0;
        };
        let passed = (now_us - revision.since_us).max(0) as f64 / DAY_US as f64;
        let length_us = block_length_us(&experiment.definition);
        let mut days: Vec<i64> = self.metrics[0]
            .blocks
            .iter()
            .filter(|(_, block)| {
                block
                    .parts
                    .iter()
                    .any(|part| part.revision == revision.number)
            })
            .map(|(key, _)| (key * length_us - revision.since_us).div_euclid(DAY_US))
            .collect();
        days.dedup();
        passed.min(days.len() as f64)
    }

    fn vetoes(&self, experiment: &Experiment, challenger: usize) -> Vec<String> {
        let Some(strata) = &experiment.definition.strata else {
            return Vec::new();
        };
        self.veto[challenger - 1]
            .iter()
            .flat_map(StrataVeto::vetoes)
            .map(|stratum| strata.values[stratum].clone())
            .collect()
    }

    fn broken(&self, experiment: &Experiment, challenger: usize) -> Option<Broken> {
        let definition = &experiment.definition;
        let log_e = self.sample_ratio[challenger - 1].log_value();
        let level = Alpha::new(definition.rule.sample_ratio_level).ok()?;
        if log_e >= level.log_threshold() {
            return Some(Broken::SampleRatio { log_e });
        }
        if definition.design != Design::User || !definition.pool.shared {
            return None;
        }
        let bias = definition.pool.interference_bias;
        let lower = self.lower_difference(experiment, challenger);
        let beyond = bias.is_some_and(|bias| lower > bias);
        (!beyond).then_some(Broken::Interference { lower, bias })
    }

    /// Lower bound of the primary difference, from the lower bound of the ratio and the champion's mean; minus infinity
    /// where nothing is known.
    fn lower_difference(&self, experiment: &Experiment, challenger: usize) -> f64 {
        let rule = &experiment.definition.rule;
        let totals = self.totals(0, experiment.definition.arms.len());
        let levels = rule.promote_level().and_then(|promote| {
            Ok(TestLevels {
                promote,
                roll_back: rule.roll_back_level(experiment.definition.guardrails.len())?,
                promote_ratio: 1.0,
                roll_back_ratio: 1.0,
            })
        });
        let (Some(champion), Ok(levels)) = (totals[0].mean(), levels) else {
            return f64::NEG_INFINITY;
        };
        // The bound is only asked for once superiority is shown; before that it lies below zero anyway.
        let (_, superior, _, _) = self.metrics[0].tests[challenger - 1].sides();
        if !superior {
            return f64::NEG_INFINITY;
        }
        let interval = rate_interval(&self.blocks_versus(experiment, 0, challenger), &levels);
        (interval.lower - 1.0) * champion
    }
}

fn fold_strata(
    veto: &mut StrataVeto,
    experiment: &Experiment,
    block: &ClosedBlock,
    revision: u32,
    challenger: usize,
    at_us: i64,
) -> Result<(), StatsError> {
    let strata = experiment
        .definition
        .strata
        .as_ref()
        .map_or(0, |strata| strata.values.len());
    for stratum in 0..strata {
        let part = block.versus(experiment, revision, Some(stratum as u8), challenger, at_us);
        if let Some(versus) = part {
            veto.fold(stratum, &versus)?;
        }
    }
    Ok(())
}

impl MetricLedger {
    /// Takes in a block of a switchback or of a split pool; a switchback's pair counts when both of its blocks are there.
    fn fold_pair(
        &mut self,
        experiment: &Experiment,
        key: i64,
        totals: Vec<ArmTotal>,
    ) -> Result<(), StatsError> {
        let both = match experiment.definition.design {
            Design::SplitPool => totals,
            _ => match self.half_pairs.remove(&key.div_euclid(2)) {
                None => {
                    self.half_pairs.insert(key.div_euclid(2), totals);
                    return Ok(());
                }
                Some(first) => first
                    .iter()
                    .zip(&totals)
                    .map(|(a, b)| ArmTotal {
                        units: a.units + b.units,
                        sum: a.sum + b.sum,
                    })
                    .collect(),
            },
        };
        let (Some(champion), Some(challenger)) = (both[0].mean(), both[1].mean()) else {
            return Ok(());
        };
        if let Test::Pairs { test, .. } = &mut self.tests[0] {
            test.observe(challenger - champion)?;
        }
        Ok(())
    }
}

impl Test {
    fn look(&self, at_us: i64) -> Look {
        let (log_promote, log_roll_back) = match self {
            Self::Rate(test) => (test.wealth().log_promote, test.wealth().log_roll_back),
            Self::Guardrail(test) => (test.log_value(), 0.0),
            Self::Pairs { test, .. } => test.log_values(),
        };
        Look {
            at_us,
            log_promote,
            log_roll_back,
        }
    }

    /// Wealth and decision of the promote side, then of the roll-back side.
    fn sides(&self) -> (f64, bool, f64, bool) {
        match self {
            Self::Rate(test) => {
                let wealth = test.wealth();
                (
                    wealth.log_promote,
                    test.promoted().is_some(),
                    wealth.log_roll_back,
                    test.rolled_back().is_some(),
                )
            }
            Self::Guardrail(test) => (0.0, false, test.log_value(), test.harmed().is_some()),
            Self::Pairs { test, .. } => {
                let (better, worse) = test.log_values();
                (
                    better,
                    test.promoted_at().is_some(),
                    worse,
                    test.rolled_back_at().is_some(),
                )
            }
        }
    }

    /// Of a guardrail, the wealth of harm; of a secondary metric, of non-inferiority.
    fn harm_or_proof(&self, role: Role) -> (f64, bool) {
        match self {
            Self::Guardrail(test) => (test.log_value(), test.harmed().is_some()),
            Self::Pairs {
                test,
                higher_is_harm,
            } => {
                let (higher, lower) = test.log_values();
                if *higher_is_harm {
                    (higher, test.promoted_at().is_some())
                } else {
                    (lower, test.rolled_back_at().is_some())
                }
            }
            Self::Rate(_) => {
                let (log_promote, promoted, log_roll_back, rolled_back) = self.sides();
                match role {
                    Role::Guardrail => (log_roll_back, rolled_back),
                    _ => (log_promote, promoted),
                }
            }
        }
    }
}
