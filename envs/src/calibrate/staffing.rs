//! People set so that customers wait as long as they did: the peaks of work say when people are there, the logged waits say
//! how many.

use super::CalibrateError;
use super::estimate::Estimate;
use super::fit::simulated_queue_s;
use super::parameter::{LEAST, Table, short};
use super::rows::Rows;
use crate::centre::{CentreConfig, Knob, Moments};
use crate::shop::{ShopConfig, ShopRules};

/// Longest period that is simulated for one try.
const DAYS: u32 = 7;
/// Halvings of the span of factors, on a logarithmic scale.
const HALVINGS: u32 = 7;
const LEAST_FACTOR: f64 = 0.2;
const MOST_FACTOR: f64 = 3.0;

/// Scales the teams together until the mean queue of the simulated centre is nearest to the log's.
pub(super) fn fit(
    train: &Rows,
    shop: &ShopConfig,
    centre: &mut CentreConfig,
    rules: &ShopRules,
    seed: u64,
    table: &mut Table,
) -> Result<(), CalibrateError> {
    let mut queues = Moments::default();
    for contact in &train.contacts {
        queues.add(contact.queue_s.unwrap_or(f64::NAN));
    }
    let Some(logged) = Estimate::mean(&queues).filter(|e| e.n >= LEAST && e.value > 0.0) else {
        return Ok(());
    };
    let days = shop.days.min(DAYS);
    let found = |factor: f64| -> Result<(f64, f64), CalibrateError> {
        let (mut shop, mut centre) = (shop.clone(), centre.clone());
        Knob::People.turn(factor, &mut shop, &mut centre);
        let queue_s = simulated_queue_s(train, shop, centre, rules, seed, days)?;
        Ok((factor, queue_s))
    };
    let (mut low, mut high) = (LEAST_FACTOR, MOST_FACTOR);
    let mut tried = vec![found(1.0)?];
    for _ in 0..HALVINGS {
        let last = tried[tried.len() - 1];
        if last.1 > logged.value {
            low = last.0;
        } else {
            high = last.0;
        }
        tried.push(found((low * high).sqrt())?);
    }
    let off = |queue_s: f64| (queue_s.max(1e-3) / logged.value).ln().abs();
    let best = tried
        .iter()
        .copied()
        .reduce(|best, next| {
            if off(next.1) < off(best.1) {
                next
            } else {
                best
            }
        })
        .unwrap_or((1.0, logged.value));
    let before = people(centre);
    Knob::People.turn(best.0, &mut shop.clone(), centre);
    let note = format!(
        "estimated from the peak of people at work at once, times {}, so that the mean queue of the simulated centre ({} s) \
         is nearest to the log's ({} s)",
        short(best.0),
        short(best.1),
        short(logged.value)
    );
    let teams = table
        .parameters
        .iter_mut()
        .filter(|p| p.key == "centre.pool.team.people");
    for ((p, people), before) in teams.zip(people(centre)).zip(before) {
        p.estimate = people;
        p.standard_error = p.standard_error.map(|se| se * people / before);
        p.note = Some(if p.n < LEAST {
            format!("{} hours only; {note}", p.n)
        } else {
            note.clone()
        });
    }
    Ok(())
}

fn people(centre: &CentreConfig) -> Vec<f64> {
    centre
        .pool
        .iter()
        .flat_map(|pool| &pool.team)
        .map(|team| f64::from(team.people))
        .collect()
}
