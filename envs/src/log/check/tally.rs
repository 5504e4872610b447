//! Counts of one pass over a log.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::time::span;
use super::{
    CompositionRow, Labels, LogCheck, Missing, OverlapCell, OverlapRow, Propensities, Rewards,
    RowErrors,
};
use crate::class::{ActionSource, Class, PropensityKind, SatisfactionSource};
use crate::log::error::{RowError, RowErrorKind};
use crate::log::hash::ContentHasher;
use crate::log::model::{Conversation, Decision};
use crate::log::outcome::{ConversationOutcome, full_human_cost, median_cost};
use crate::observation::Feature;
use crate::reward::{NoReward, RewardSpec};

/// Most names kept apart; a column of free text must not fill the memory.
const MOST_NAMES: usize = 100;

#[derive(Clone, Copy, Default)]
struct Cell {
    count: u64,
    min_propensity: Option<f64>,
}

/// Counts by name, with `*` for the names beyond the first hundred.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn position(&mut self, name: &str) -> usize {
        if let Some(at) = self.0.iter().position(|known| known == name) {
            return at;
        }
        if self.0.len() >= MOST_NAMES {
            return MOST_NAMES;
        }
        self.0.push(name.to_owned());
        self.0.len() - 1
    }

    fn name(&self, at: usize) -> String {
        self.0.get(at).cloned().unwrap_or_else(|| "*".to_owned())
    }
}

pub(super) struct Tally<'a> {
    spec: &'a RewardSpec,
    hasher: ContentHasher,
    conversations: u64,
    decisions: u64,
    turns: u64,
    arrivals: Vec<i64>,
    systems: Names,
    by_system: BTreeMap<usize, u64>,
    languages: Names,
    composition: HashMap<(Option<Class>, Option<usize>), [u64; 3]>,
    labels: Labels,
    satisfaction: BTreeMap<SatisfactionSource, u64>,
    rewards: Rewards,
    reward_sum: f64,
    refused: BTreeMap<NoReward, u64>,
    human_costs: Vec<f64>,
    propensities: Propensities,
    sources: BTreeMap<ActionSource, u64>,
    /// By class position, the unknown class last, and tier.
    overlap: [[Cell; 3]; 4],
    with_pool_state: u64,
    missing: [u64; Feature::COUNT],
    errors: BTreeMap<(RowErrorKind, String), (u64, String)>,
}

fn lower(least: &mut Option<f64>, value: f64) {
    *least = Some(least.map_or(value, |least| least.min(value)));
}

impl<'a> Tally<'a> {
    pub(super) fn new(spec: &'a RewardSpec) -> Self {
        Self {
            spec,
            hasher: ContentHasher::default(),
            conversations: 0,
            decisions: 0,
            turns: 0,
            arrivals: Vec::new(),
            systems: Names::default(),
            by_system: BTreeMap::new(),
            languages: Names::default(),
            composition: HashMap::new(),
            labels: Labels::default(),
            satisfaction: BTreeMap::new(),
            rewards: Rewards::default(),
            reward_sum: 0.0,
            refused: BTreeMap::new(),
            human_costs: Vec::new(),
            propensities: Propensities::default(),
            sources: BTreeMap::new(),
            overlap: Default::default(),
            with_pool_state: 0,
            missing: [0; Feature::COUNT],
            errors: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conversations == 0 && self.errors.is_empty()
    }

    pub(super) fn count_error(&mut self, error: &RowError) {
        let column = error.column_pattern();
        let about_probabilities = column.ends_with(".propensity") || column.ends_with(".probs");
        self.propensities.mismatches += u64::from(about_probabilities);
        let errors = self
            .errors
            .entry((error.kind, column))
            .or_insert_with(|| (0, error.to_string()));
        errors.0 += 1;
    }

    pub(super) fn count(&mut self, c: &Conversation) {
        self.hasher.update(c);
        self.conversations += 1;
        self.decisions += c.decisions.len() as u64;
        self.turns += c.turns.len() as u64;
        self.arrivals.push(c.created_at.0);
        let system = self.systems.position(&c.source_system);
        *self.by_system.entry(system).or_default() += 1;
        self.count_labels(c);
        self.count_reward(c);
        let language = c
            .language
            .as_deref()
            .and_then(|tag| tag.split(['-', '_']).next())
            .filter(|subtag| !subtag.is_empty())
            .map(|subtag| self.languages.position(&subtag.to_lowercase()));
        let by_tier = self.composition.entry((c.class, language)).or_default();
        for decision in &c.decisions {
            by_tier[decision.action.index()] += 1;
        }
        for decision in &c.decisions {
            self.count_decision(c.class, decision);
        }
    }

    fn count_labels(&mut self, c: &Conversation) {
        let labels = &mut self.labels;
        labels.class += u64::from(c.class.is_some());
        labels.intent += u64::from(c.intent.is_some());
        labels.rating += u64::from(c.rating_raw.is_some());
        labels.outcomes_tracked += u64::from(c.outcomes_tracked == Some(true));
        labels.clicked += u64::from(c.clicked_at.is_some());
        labels.converted += u64::from(c.converted_at.is_some());
        labels.texts += c.turns.iter().filter(|turn| turn.text.is_some()).count() as u64;
        let outcome = ConversationOutcome::of(c);
        let Ok(satisfaction) = outcome.satisfaction.resolve() else {
            return;
        };
        *self.satisfaction.entry(satisfaction.source).or_default() += 1;
        let by_customer = matches!(
            satisfaction.source,
            SatisfactionSource::Rating
                | SatisfactionSource::Questionnaire
                | SatisfactionSource::Abandoned
        );
        let tier = c.decisions.first().map(|first| first.action);
        if let Some(tier) = tier
            && by_customer
            && c.decisions.iter().all(|d| d.action == tier)
        {
            labels.satisfaction_by_tier[tier.index()] += 1;
        }
    }

    fn count_reward(&mut self, c: &Conversation) {
        self.human_costs.extend(full_human_cost(c, self.spec));
        match ConversationOutcome::of(c).reward(self.spec, None) {
            Ok(reward) => {
                self.rewards.computable += 1;
                self.rewards.cost_assumed += u64::from(reward.cost_assumed);
                self.reward_sum += reward.total;
            }
            Err(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }

    fn count_decision(&mut self, class: Option<Class>, d: &Decision) {
        *self.sources.entry(d.action_source).or_default() += 1;
        self.with_pool_state += u64::from(d.pool_busy.is_some());
        for (missing, value) in self.missing.iter_mut().zip(d.observation.row()) {
            *missing += u64::from(value.is_nan());
        }
        if !matches!(d.action_source, ActionSource::Policy | ActionSource::Rule) {
            return;
        }
        let class = class.or_else(|| d.observation.class());
        let cell = &mut self.overlap[class.map_or(3, Class::index)][d.action.index()];
        cell.count += 1;
        let p = &mut self.propensities;
        p.with_vector += u64::from(d.probs.is_some());
        let Some(propensity) = d.propensity else {
            p.absent += 1;
            return;
        };
        lower(&mut cell.min_propensity, propensity.value());
        lower(&mut p.min, propensity.value());
        match d.propensity_kind {
            Some(PropensityKind::Estimated) => p.estimated += 1,
            _ => p.exact += 1,
        }
    }

    pub(super) fn finish(mut self, path: &Path) -> LogCheck {
        let total = |row: &[u64; 3]| row.iter().sum::<u64>();
        let mut composition: Vec<_> = self
            .composition
            .iter()
            .filter(|(_, by_tier)| total(by_tier) > 0)
            .map(|((class, language), by_tier)| CompositionRow {
                class: *class,
                language: language.map(|at| self.languages.name(at)),
                by_tier: *by_tier,
            })
            .collect();
        composition.sort_by(|a, b| {
            let key = |row: &CompositionRow| (row.class, row.language.clone());
            total(&b.by_tier)
                .cmp(&total(&a.by_tier))
                .then_with(|| key(a).cmp(&key(b)))
        });
        let mut source_systems: Vec<_> = self
            .by_system
            .iter()
            .map(|(at, count)| (self.systems.name(*at), *count))
            .collect();
        source_systems.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut missing_features: Vec<_> = Feature::ALL
            .iter()
            .filter(|feature| self.missing[feature.index()] > 0)
            .map(|feature| Missing {
                feature: feature.spec().name,
                share: self.missing[feature.index()] as f64 / self.decisions as f64,
            })
            .collect();
        missing_features.sort_by(|a, b| b.share.total_cmp(&a.share));
        let mut row_errors: Vec<_> = self
            .errors
            .into_iter()
            .map(|((kind, column), (count, example))| RowErrors {
                kind,
                column,
                count,
                example,
            })
            .collect();
        row_errors.sort_by_key(|errors| std::cmp::Reverse(errors.count));
        self.labels.satisfaction = self.satisfaction.into_iter().collect();
        let computable = self.rewards.computable;
        LogCheck {
            file: path.display().to_string(),
            hash: self.hasher.digest(),
            conversations: self.conversations,
            decisions: self.decisions,
            turns: self.turns,
            source_systems,
            span: span(&mut self.arrivals),
            composition,
            labels: self.labels,
            rewards: Rewards {
                version: self.spec.version(),
                mean: (computable > 0).then(|| self.reward_sum / computable as f64),
                refused: self.refused.into_iter().collect(),
                reference_cost: median_cost(self.human_costs),
                ..self.rewards
            },
            propensities: Propensities {
                max_weight: self.propensities.min.map(f64::recip),
                ..self.propensities
            },
            action_sources: self.sources.into_iter().collect(),
            overlap: overlap(&self.overlap),
            with_pool_state: self.with_pool_state,
            missing_features,
            row_errors,
            claims: Vec::new(),
        }
    }
}

/// The overlap table: every class, and the unknown one where it occurs.
fn overlap(cells: &[[Cell; 3]; 4]) -> Vec<OverlapRow> {
    let classes = Class::ALL.iter().copied().map(Some).chain([None]);
    classes
        .zip(cells)
        .filter_map(|(class, cells)| {
            let total: u64 = cells.iter().map(|cell| cell.count).sum();
            (class.is_some() || total > 0).then(|| OverlapRow {
                class,
                tiers: cells.map(|cell| OverlapCell {
                    count: cell.count,
                    share: if total == 0 {
                        0.0
                    } else {
                        cell.count as f64 / total as f64
                    },
                    min_propensity: cell.min_propensity,
                }),
            })
        })
        .collect()
}
