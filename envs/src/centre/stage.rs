//! Everything of a centre that no replica changes: worked out once, shared by threads.

use std::sync::Arc;

use super::config::{CentreConfig, CentreConfigError, Spread};
use super::people::People;
use super::roster::{OpenHours, Roster};
use super::trace::Trace;
use crate::luck::Quantiles;
use crate::shop::{ShopError, World};

/// Why a centre cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CentreError {
    /// A key of the centre is out of range.
    #[error(transparent)]
    Config(#[from] CentreConfigError),
    /// The shop behind it cannot be built.
    #[error(transparent)]
    Shop(#[from] ShopError),
}

/// Something that happens to the centre and not to a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Turning {
    /// A team gains or loses people by the roster.
    Roster { group: u8, people: i32 },
    /// An outage begins or ends: its position in the configuration.
    Outage { which: usize, begins: bool },
}

/// A centre before its first customer.
#[derive(Debug)]
pub struct Stage {
    pub(super) world: Arc<World>,
    pub(super) config: CentreConfig,
    pub(super) turnings: Vec<(f64, Turning)>,
    pub(super) open: OpenHours,
    pub(super) patience: Quantiles,
    pub(super) people: People,
    /// When somebody who takes over in a language is on shift again: beginnings of presence, by language.
    presence: Vec<Vec<f64>>,
    /// Seconds from and to which conversations are counted.
    pub(super) counted: (f64, f64),
    /// Last second at which customers arrive.
    pub(super) arrivals_end_s: f64,
    /// Logged conversations that come instead of simulated arrivals.
    pub(super) trace: Option<Arc<Trace>>,
}

/// Seconds after the last arrival for which shifts are worked out: reopened conversations come back within 7 days.
const AFTER_S: f64 = 9.0 * 86_400.0;

impl Stage {
    /// Works out a centre in which the world's customers arrive.
    ///
    /// # Errors
    /// [`CentreError`] names the key, its value and its range.
    pub fn new(config: CentreConfig, world: Arc<World>) -> Result<Arc<Self>, CentreError> {
        Self::build(config, world, None)
    }

    /// The same centre, to which the conversations of a log come at their logged times.
    ///
    /// # Errors
    /// [`CentreError`] names the key, its value and its range.
    pub fn replaying(
        config: CentreConfig,
        world: Arc<World>,
        mut trace: Trace,
    ) -> Result<Arc<Self>, CentreError> {
        trace.sort();
        Self::build(config, world, Some(Arc::new(trace)))
    }

    fn build(
        config: CentreConfig,
        world: Arc<World>,
        trace: Option<Arc<Trace>>,
    ) -> Result<Arc<Self>, CentreError> {
        let shop = world.config();
        config.validate(shop)?;
        let period_s = world.period_s();
        let warmup_s = config.warmup_h * 3_600.0;
        if warmup_s >= period_s {
            return Err(CentreConfigError {
                key: "warmup_h".to_owned(),
                value: config.warmup_h.to_string(),
                expected: format!(
                    "it lies below the {} hours simulated (`shop.days`)",
                    period_s / 3_600.0
                ),
            }
            .into());
        }
        let arrivals_end_s = period_s + config.cooldown_h * 3_600.0;
        let length_s = arrivals_end_s + AFTER_S;
        let roster = Roster::new(&config, world.start(), length_s);
        let mut turnings: Vec<(f64, Turning)> = roster
            .changes
            .iter()
            .map(|c| {
                (
                    c.at_s,
                    Turning::Roster {
                        group: c.group,
                        people: c.people,
                    },
                )
            })
            .collect();
        for (which, outage) in config.outage.iter().enumerate() {
            let start_s = outage.start_h * 3_600.0;
            turnings.push((
                start_s,
                Turning::Outage {
                    which,
                    begins: true,
                },
            ));
            let end_s = start_s + outage.duration_h * 3_600.0;
            turnings.push((
                end_s,
                Turning::Outage {
                    which,
                    begins: false,
                },
            ));
        }
        turnings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let people = People::new(&config, shop);
        let presence = presence(&people, &roster, shop.language.len());
        Ok(Arc::new(Self {
            open: OpenHours::new(config.hours.as_ref(), world.start(), length_s),
            patience: match &config.patience {
                Spread::Exponential => Quantiles::exponential(),
                Spread::Lognormal { cv } => Quantiles::lognormal(*cv),
                Spread::Empirical { samples_s } => Quantiles::empirical(samples_s),
            },
            turnings,
            people,
            presence,
            counted: (warmup_s, period_s),
            arrivals_end_s,
            world,
            config,
            trace,
        }))
    }

    /// The world whose customers arrive.
    #[must_use]
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &CentreConfig {
        &self.config
    }

    /// Seconds of the period in which conversations are counted.
    #[must_use]
    pub const fn counted_s(&self) -> (f64, f64) {
        self.counted
    }

    /// Languages of customers that nobody ever takes over: tier 3 is masked for them all the time.
    #[must_use]
    pub fn unspoken(&self) -> Vec<&str> {
        self.world
            .config()
            .language
            .iter()
            .zip(&self.presence)
            .filter(|(_, presence)| presence.is_empty())
            .map(|(language, _)| language.tag.as_str())
            .collect()
    }

    /// Seconds until somebody who takes over in a language comes on shift; infinite when nobody does.
    pub(super) fn until_present_s(&self, language: u8, now_s: f64) -> f64 {
        let begins = &self.presence[usize::from(language)];
        begins
            .get(begins.partition_point(|at| *at <= now_s))
            .map_or(f64::INFINITY, |at| at - now_s)
    }
}

/// Beginnings of spans in which somebody takes over in each language.
fn presence(people: &People, roster: &Roster, languages: usize) -> Vec<Vec<f64>> {
    (0..languages)
        .map(|language| {
            let mut present = 0;
            let mut begins = Vec::new();
            for change in &roster.changes {
                if people.takes_over(change.group, language) {
                    let before = present;
                    present += change.people;
                    if before <= 0 && present > 0 {
                        begins.push(change.at_s);
                    }
                }
            }
            begins
        })
        .collect()
}
