//! What answers lead to: drafts that are right, reviews that repair, people who solve, customers who write again or leave.

mod drafts;

use super::customers::CLASSES;
use super::estimate::Estimate;
use super::parameter::{Source, Table};
use super::rows::{Answer, Contact, Rows};
use crate::centre::Moments;
use crate::shop::{MAX_TURNS, ShopConfig};
use crate::tier::Tier;

pub(super) const TIERS: [&str; 3] = ["auto", "review", "human"];

/// What an answer led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Led {
    /// The request was solved.
    Solved,
    /// The customer wrote again.
    Again,
    /// The customer left, unsolved.
    Left,
    /// It is not known, or nobody answered.
    Unknown,
}

/// What an answer of a conversation led to.
///
/// Whoever writes again was not helped. The last answer solved the request when the log says that it was resolved.
pub(super) fn led(rows: &Rows, contact: &Contact, turn: usize) -> Led {
    let answers = rows.answers(contact);
    match answers.get(turn + 1) {
        // It had been closed in between: what the answer led to then is not in the log.
        Some(next) if next.again && !answers[turn].again => Led::Unknown,
        Some(_) => Led::Again,
        None if contact.abandoned || contact.truncated => Led::Unknown,
        None if contact.resolved => Led::Solved,
        None => Led::Left,
    }
}

/// Chances that answers solve, and what customers do when they do not.
pub(super) fn fit(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    max_turns(rows, shop, table);
    drafts::fit(rows, shop, table);
    people(rows, shop, table);
    unsolved(rows, shop, table);
}

fn max_turns(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let longest = rows
        .contacts
        .iter()
        .map(|contact| rows.answers(contact).len() as u32)
        .max()
        .unwrap_or(1);
    shop.max_turns = longest.clamp(1, MAX_TURNS);
    table.note(
        "shop.max_turns",
        None,
        Estimate::exact(f64::from(shop.max_turns), rows.contacts.len() as u64),
        Source::Fitted,
        Some(if longest > MAX_TURNS {
            format!("the longest conversation has {longest} messages; {MAX_TURNS} is the most")
        } else {
            "messages of the longest conversation".to_owned()
        }),
    );
}

fn people(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut counts = [[0_u64; 2]; 3];
    for (contact, turn, answer) in rows.every_answer() {
        if let (Tier::Human, Some(class)) = (answer.tier, contact.class) {
            match led(rows, contact, turn) {
                Led::Unknown => {}
                outcome => {
                    counts[class.index()][0] += u64::from(outcome == Led::Solved);
                    counts[class.index()][1] += 1;
                }
            }
        }
    }
    let all = Estimate::share(
        counts.iter().map(|c| c[0]).sum(),
        counts.iter().map(|c| c[1]).sum(),
    );
    let own = counts.map(|[solved, n]| Estimate::share(solved, n));
    table.list(
        "shop.human.solve",
        &mut shop.human.solve,
        &CLASSES,
        &own,
        all,
        (0.0, 1.0),
        "no answers of people (tier 3) whose outcome is known",
    );
}

/// Leaving, asking for a person and thinking, after answers that did not help.
fn unsolved(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut leaves = [[0_u64; 2]; 3];
    let mut asks = [[0_u64; 2]; 3];
    let mut think = Moments::default();
    for (contact, turn, answer) in rows.every_answer() {
        let outcome = led(rows, contact, turn);
        // After the last message that is allowed everybody leaves: that is no choice.
        let last = turn + 1 >= shop.max_turns as usize;
        if let (Some(class), Led::Again | Led::Left, false) = (contact.class, outcome, last) {
            leaves[class.index()][0] += u64::from(outcome == Led::Left);
            leaves[class.index()][1] += 1;
        }
        if outcome != Led::Again {
            continue;
        }
        let next: &Answer = &rows.answers(contact)[turn + 1];
        if let (Some(false), Some(wants)) = (answer.wants_human, next.wants_human) {
            asks[answer.tier.index()][0] += u64::from(wants);
            asks[answer.tier.index()][1] += 1;
        }
        if let Some(answer_s) = answer.answer_s {
            let gap_s = next.at_s - answer.at_s - answer_s;
            if gap_s >= 0.0 {
                think.add(gap_s);
            }
        }
    }
    let shares = |counts: &[[u64; 2]; 3]| counts.map(|[k, n]| Estimate::share(k, n));
    let all = |counts: &[[u64; 2]; 3]| {
        Estimate::share(
            counts.iter().map(|c| c[0]).sum(),
            counts.iter().map(|c| c[1]).sum(),
        )
    };
    let resolution = if rows.resolution_known {
        "no unsolved answers with a known outcome"
    } else {
        "the log does not tell solved conversations from others (`resolution_s`)"
    };
    if rows.resolution_known {
        table.list(
            "shop.customer.leave",
            &mut shop.customer.leave,
            &CLASSES,
            &shares(&leaves),
            all(&leaves),
            (0.0, 1.0),
            resolution,
        );
    } else {
        for (class, value) in CLASSES.iter().zip(shop.customer.leave) {
            table.assumed("shop.customer.leave", Some(class), value, resolution);
        }
    }
    table.list(
        "shop.customer.ask_human",
        &mut shop.customer.ask_human,
        &TIERS,
        &shares(&asks),
        None,
        (0.0, 1.0),
        "no further messages that tell whether a person is asked for (`wants_human`)",
    );
    table.single(
        "shop.customer.think_s",
        &mut shop.customer.think_s,
        Estimate::mean(&think),
        (1e-3, 21_600.0),
        "no further messages with times",
    );
}
