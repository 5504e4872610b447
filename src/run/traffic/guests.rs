//! The customers of one centre, or of its two halves, in order of time.

use std::sync::Arc;

use tierwise_envs::centre::design::Deviation;
use tierwise_envs::centre::{Centre, CentreConfig, Happening, Keep, Stage};
use tierwise_envs::time::UtcMicros;

use super::{TrafficError, TrafficPlan, customer};
use crate::config::TrainConfig;
use crate::router::allocation::Allocation;
use crate::router::bucketing::Seed;
use crate::router::experiment::{Definition, Design};
use crate::run::RunError;
use crate::run::centre::centre_of;
use crate::run::train::shop_world;

/// The centres in which customers are under way.
pub(super) struct Guests {
    halves: Vec<Half>,
    start: UtcMicros,
    /// Numbers of people that could not be halved and were made even.
    pub(super) made_even: Vec<String>,
}

struct Half {
    centre: Centre,
    next: Option<Happening>,
}

impl Guests {
    /// One centre; with a split pool two halves, each with the customers of one arm. The calendar begins on the configured
    /// day, or whole weeks later, when `after` has passed.
    pub(super) fn new(
        config: &TrainConfig,
        plan: &TrafficPlan,
        definition: Option<&Definition>,
        after: Option<UtcMicros>,
    ) -> Result<Self, TrafficError> {
        let mut config = config.clone();
        if let Some(days) = plan.days {
            config.shop.days = days;
        }
        let mut world = shop_world(&config)?;
        while after.is_some_and(|after| world.start() < after) {
            let week = jiff::Span::new().days(7);
            config.shop.start = config.shop.start.saturating_add(week);
            world = shop_world(&config)?;
        }
        let mut centre = centre_of(&config)?.clone();
        // Every customer is real here: nobody warms the centre up.
        (centre.warmup_h, centre.cooldown_h) = (0.0, 0.0);
        let (seed, most) = (plan.seed, plan.contacts.unwrap_or(u64::MAX));
        let split = definition.filter(|definition| definition.design == Design::SplitPool);
        let mut changed = Vec::new();
        let parts: Vec<(CentreConfig, Keep)> = match split {
            None => vec![(centre, Keep::new(move |number| number < most))],
            Some(definition) => {
                let arm = arm_of(definition, seed);
                let (parts, uneven) = halves(definition, &centre)?;
                changed = uneven;
                parts
                    .into_iter()
                    .zip([false, true])
                    .map(|(part, second)| {
                        let arm = arm.clone();
                        let keep = move |number| number < most && arm(number) == second;
                        (part, Keep::new(keep))
                    })
                    .collect()
            }
        };
        let halves = parts
            .into_iter()
            .map(|(config, keep)| {
                let stage = Stage::new(config, Arc::clone(&world)).map_err(RunError::from)?;
                Ok(Half {
                    centre: Centre::with_customers(stage, seed, 1, Some(keep)),
                    next: None,
                })
            })
            .collect::<Result<_, TrafficError>>()?;
        Ok(Self {
            halves,
            start: world.start(),
            made_even: changed,
        })
    }

    /// The instant at which the calendar begins.
    pub(super) fn start(&self) -> UtcMicros {
        self.start
    }

    pub(super) fn centre(&mut self, half: usize) -> &mut Centre {
        &mut self.halves[half].centre
    }

    /// Takes what happens next, in whichever half; `None` when everything is over.
    pub(super) fn next(&mut self) -> Option<(usize, Happening)> {
        for half in &mut self.halves {
            if half.next.is_none() {
                half.next = Some(half.centre.advance());
            }
        }
        let (position, half) = self
            .halves
            .iter_mut()
            .enumerate()
            .filter(|(_, half)| half.next != Some(Happening::Over))
            .min_by(|(_, a), (_, b)| a.centre.now_s().total_cmp(&b.centre.now_s()))?;
        Some((position, half.next.take()?))
    }
}

/// Whether a conversation's customer belongs to the challenger, as the router assigns at the start of a split pool.
fn arm_of(
    definition: &Definition,
    seed: u64,
) -> impl Fn(u64) -> bool + Clone + Send + Sync + 'static {
    let salt = Seed::new(definition.salt());
    let allocation = Allocation::initial(&definition.weights(0.5), definition.coverage)
        .expect("a definition that a router took is checked");
    move |number| {
        let unit = customer(Centre::customer_of(seed, number));
        allocation.arm(salt.bucket(&unit)) == Some(1)
    }
}

/// Two halves that are alike: whoever makes a number odd stays at home.
fn halves(
    definition: &Definition,
    centre: &CentreConfig,
) -> Result<([CentreConfig; 2], Vec<String>), TrafficError> {
    let mut even = centre.clone();
    let at_home = centre.split(0.5).deviations;
    let teams = even.pool.iter_mut().flat_map(|pool| &mut pool.team);
    for people in teams
        .map(|team| &mut team.people)
        .chain(&mut even.ai.replicas)
    {
        if *people % 2 == 1 {
            *people = (*people - 1).max(2);
        }
    }
    let split = even.split(0.5);
    match split.deviations.first() {
        None => {
            let said = |odd: &Deviation| {
                format!(
                    "{} has {} instead of {}",
                    odd.what,
                    made_even(odd.whole),
                    odd.whole
                )
            };
            Ok((split.parts, at_home.iter().map(said).collect()))
        }
        Some(uneven) => Err(TrafficError::Experiment {
            key: definition.key.clone(),
            reason: format!("its pools are to be alike, but {uneven}"),
        }),
    }
}

/// The number itself, or one less; of one, two.
fn made_even(people: u32) -> u32 {
    (people - people % 2).max(2 * u32::from(people > 0))
}
