//! How long answers take: people's work by class and review outcome, its spread, the AI's latency, and the queue waits that
//! are left when all of it is taken away.

use super::customers::CLASSES;
use super::estimate::{Estimate, Pairs, log_logistic_spread};
use super::parameter::{LEAST, Source, Table};
use super::patience::Stay;
use super::rows::{Answer, Contact, Rows};
use crate::centre::Moments;
use crate::shop::ShopConfig;
use crate::tier::Tier;

/// Outcomes of a review, in order.
pub(super) const REVIEWS: [&str; 3] = ["accepted", "edited", "rejected"];

/// Most seconds of one piece of work that the simulator takes.
const HOUR: (f64, f64) = (1e-3, 3_600.0);

/// Service times, and what of a takeover the customer waits for.
pub(super) fn fit(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let (mut handle, mut later) = ([Moments::default(); 3], [Moments::default(); 3]);
    let mut review = [Moments::default(); 3];
    let mut auto = Moments::default();
    for (contact, turn, answer) in rows.every_answer() {
        let work = answer.human_s.filter(|s| *s > 0.0);
        match (answer.tier, work) {
            (Tier::Human, Some(seconds)) => {
                if let Some(class) = contact.class {
                    let cell = if is_later(rows, contact, turn) {
                        &mut later
                    } else {
                        &mut handle
                    };
                    cell[class.index()].add(seconds);
                }
            }
            (Tier::Review, Some(seconds)) => {
                if let Some(outcome) = answer.review {
                    review[outcome.index()].add(seconds);
                }
            }
            (Tier::Auto, _) => auto.add(answer.answer_s.unwrap_or(f64::NAN)),
            _ => {}
        }
    }
    let together = |cells: &[Moments]| {
        let mut all = Moments::default();
        cells.iter().for_each(|cell| all.merge(cell));
        Estimate::mean(&all)
    };
    let means = |cells: &[Moments]| cells.iter().map(Estimate::mean).collect::<Vec<_>>();
    table.list(
        "shop.human.handle_s",
        &mut shop.human.handle_s,
        &CLASSES,
        &means(&handle),
        together(&handle),
        HOUR,
        "no answers of people (tier 3) with `human_s`",
    );
    table.list(
        "shop.review.seconds",
        &mut shop.review.seconds,
        &REVIEWS,
        &means(&review),
        together(&review),
        HOUR,
        "no reviewed answers (tier 2) with `human_s` and an outcome",
    );
    followup(&handle, &later, shop, table);
    spread(rows, &handle, &later, &review, shop, table);
    latency(rows, &auto, shop, table);
    first_word(rows, shop, table);
}

/// Whether a person has answered in the conversation before.
fn is_later(rows: &Rows, contact: &Contact, turn: usize) -> bool {
    rows.answers(contact)[..turn]
        .iter()
        .any(|answer| answer.tier == Tier::Human)
}

/// Later work over first work, classes weighted as later work has them.
fn followup(first: &[Moments; 3], later: &[Moments; 3], shop: &mut ShopConfig, table: &mut Table) {
    let (mut expected, mut found, mut variance, mut n) = (0.0, 0.0, 0.0, 0);
    for (first, later) in first.iter().zip(later) {
        if let (Some(base), Some(again)) = (Estimate::mean(first), Estimate::mean(later)) {
            let count = later.n as f64;
            expected += count * base.value;
            found += count * again.value;
            variance += (count * again.standard_error).powi(2)
                + (count * base.standard_error * again.value / base.value).powi(2);
            n += later.n;
        }
    }
    let estimate = (expected > 0.0).then(|| Estimate {
        value: found / expected,
        standard_error: variance.sqrt() / expected,
        n,
    });
    table.single(
        "shop.human.followup",
        &mut shop.human.followup,
        estimate,
        (1e-3, 1.0),
        "no later answers of people in a conversation",
    );
}

/// One spread for all of people's work, from times over their cell's mean.
fn spread(
    rows: &Rows,
    handle: &[Moments; 3],
    later: &[Moments; 3],
    review: &[Moments; 3],
    shop: &mut ShopConfig,
    table: &mut Table,
) {
    let mut relative = Vec::new();
    for (contact, turn, answer) in rows.every_answer() {
        let Some(seconds) = answer.human_s.filter(|s| *s > 0.0) else {
            continue;
        };
        let cell = match (answer.tier, contact.class, answer.review) {
            (Tier::Human, Some(class), _) if is_later(rows, contact, turn) => &later[class.index()],
            (Tier::Human, Some(class), _) => &handle[class.index()],
            (Tier::Review, _, Some(outcome)) => &review[outcome.index()],
            _ => continue,
        };
        if let Some(mean) = cell.mean().filter(|_| cell.n >= LEAST) {
            relative.push(seconds / mean);
        }
    }
    let n = relative.len() as u64;
    let estimate = log_logistic_spread(&mut relative);
    let lacking = if n >= LEAST && estimate.is_none() {
        "half of the times or more are one value: defaults or rounded, no measure of spread"
    } else {
        "too few timed answers of people"
    };
    table.single(
        "shop.human.spread",
        &mut shop.human.spread,
        estimate,
        (0.0, 0.45),
        lacking,
    );
}

/// Seconds to an answer at tier 1; where those are few, what is left of a review that nobody waited for.
fn latency(rows: &Rows, auto: &Moments, shop: &mut ShopConfig, table: &mut Table) {
    let key = "shop.auto.latency_s";
    let most = (1e-3, 600.0);
    if auto.n >= LEAST {
        let place = &mut shop.auto.latency_s;
        table.single(key, place, Estimate::mean(auto), most, "");
        return;
    }
    let mut drafts = Moments::default();
    for contact in &rows.contacts {
        let [only] = rows.answers(contact) else {
            continue;
        };
        if let (Tier::Review, Some(answer_s), Some(human_s), Some(queue_s)) =
            (only.tier, only.answer_s, only.human_s, contact.queue_s)
        {
            drafts.add((answer_s - human_s - queue_s).max(0.0));
        }
    }
    match Estimate::mean(&drafts).filter(|e| e.n >= LEAST && e.value > 0.0) {
        Some(estimate) => {
            shop.auto.latency_s = super::parameter::digits(estimate.value, 6).clamp(most.0, most.1);
            table.note(
                key,
                None,
                Estimate {
                    value: shop.auto.latency_s,
                    ..estimate
                },
                Source::Pooled,
                Some("fewer than 30 answers at tier 1; from reviewed drafts".to_owned()),
            );
        }
        None => table.single(
            key,
            &mut shop.auto.latency_s,
            Estimate::mean(auto),
            most,
            "no answers of the AI alone (tier 1) with `answer_s`",
        ),
    }
}

/// Share of a person's work that comes before the answer: (answer − queue)/work, where a person answered once and the queue
/// wait is known.
fn first_word(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut pairs = Pairs::default();
    for contact in &rows.contacts {
        let mut attended = rows
            .answers(contact)
            .iter()
            .filter(|a| a.tier != Tier::Auto);
        let (Some(only), None) = (attended.next(), attended.next()) else {
            continue;
        };
        if let (Tier::Human, Some(answer_s), Some(human_s), Some(queue_s)) =
            (only.tier, only.answer_s, only.human_s, contact.queue_s)
            && human_s > 0.0
        {
            pairs.add(human_s, (answer_s - queue_s).max(0.0));
        }
    }
    table.single(
        "shop.human.first_word",
        &mut shop.human.first_word,
        pairs.ratio(),
        (1e-3, 1.0),
        "it needs queue waits (`queue_wait_s`) beside answer times of people",
    );
}

/// Seconds in the queue before an answer; `None` where its parts are not known.
pub(super) fn queue_s(answer: &Answer, shop: &ShopConfig) -> Option<f64> {
    let answer_s = answer.answer_s?;
    Some(match answer.tier {
        Tier::Auto => 0.0,
        Tier::Review => (answer_s - answer.human_s? - shop.auto.latency_s).max(0.0),
        Tier::Human => (answer_s - shop.human.first_word * answer.human_s?).max(0.0),
    })
}

/// Each customer's longest stay in a queue, where the log knows queue waits.
///
/// Patience is one number per customer in the simulator: a stay survived before a longer one tells nothing more.
pub(super) fn stays(rows: &Rows, shop: &ShopConfig) -> Vec<Stay> {
    let mut stays = Vec::new();
    for contact in &rows.contacts {
        let (Some(class), Some(total_s)) = (contact.class, contact.queue_s) else {
            continue;
        };
        let answers = rows.answers(contact);
        let attended = answers.iter().filter(|a| a.tier != Tier::Auto).count();
        let seconds = if attended <= 1 {
            Some(total_s)
        } else if contact.abandoned {
            let earlier: Option<f64> = answers[..answers.len() - 1]
                .iter()
                .map(|answer| queue_s(answer, shop))
                .sum();
            let answered_s: Option<f64> = answers[..answers.len() - 1]
                .iter()
                .map(|answer| answer.answer_s)
                .sum();
            let last = answers[answers.len() - 1];
            let draft_s = if last.tier == Tier::Review {
                shop.auto.latency_s
            } else {
                0.0
            };
            // Seconds waited in all less those of answers are those of the last stay.
            match (contact.waited_s, answered_s, earlier) {
                (Some(waited_s), Some(answered_s), _) => {
                    let stay_s = waited_s - answered_s;
                    Some(
                        if stay_s > total_s {
                            stay_s - draft_s
                        } else {
                            stay_s
                        }
                        .max(0.0),
                    )
                }
                (_, _, Some(earlier)) => Some((total_s - earlier).max(0.0)),
                _ => None,
            }
        } else {
            answers
                .iter()
                .map(|answer| queue_s(answer, shop))
                .try_fold(0.0_f64, |longest, wait| Some(longest.max(wait?)))
        };
        if let Some(seconds) = seconds.filter(|s| *s > 0.0) {
            stays.push(Stay {
                class,
                seconds,
                left: contact.abandoned,
            });
        }
    }
    stays
}
