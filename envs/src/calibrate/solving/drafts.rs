//! How good the AI's drafts are, and what reviewers make of them.
//!
//! One likelihood for both tiers of the AI, as the simulator draws them: a draft is right with q = right · support ·
//! (1 − w (1 − coverage)) · retryᶠ. At tier 1 a right draft solves. At tier 2 it is accepted, or edited for no need; a wrong
//! one is repaired (edited or rewritten) or goes out as it is. Four cells can be told apart: accepted and solved, accepted
//! and not solved, edited, rejected.

use super::super::customers::CLASSES;
use super::super::estimate::Estimate;
use super::super::parameter::{LEAST, Source, Table, digits};
use super::super::rows::{Contact, Rows};
use super::super::scoring::climb;
use super::{Led, led};
use crate::class::{Class, Review};
use crate::shop::ShopConfig;
use crate::shop::messages::INTENTS;
use crate::tier::Tier;

/// What is seen of one draft.
struct Draft {
    class: usize,
    /// Support of the language, and knowledge coverage.
    support: f64,
    coverage: f64,
    /// AI drafts before it that failed.
    failed: i32,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Auto { solved: bool },
    Accepted { solved: bool },
    Edited,
    Rejected,
}

/// Drafts and reviews that contradict the simulator's picture of a review.
#[derive(Default)]
struct Reviews {
    repaired: u64,
    repaired_unsolved: u64,
    /// By class: reviewed answers, accepted ones, solved ones.
    counts: [[u64; 3]; 3],
}

pub(super) fn fit(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let (drafts, reviews) = read(rows, shop);
    let contradicted = reviews.repaired_unsolved * 10 > reviews.repaired;
    let known_coverage = rows
        .every_answer()
        .filter(|(_, _, answer)| answer.coverage.is_some())
        .count() as u64;
    let used: Vec<&Draft> = drafts
        .iter()
        .filter(|draft| !contradicted || matches!(draft.outcome, Outcome::Auto { .. }))
        .collect();
    if !joint(&used, known_coverage, shop, table) {
        assumed(shop, table);
    }
    if contradicted {
        split(&reviews, shop, table);
    }
}

fn read(rows: &Rows, shop: &ShopConfig) -> (Vec<Draft>, Reviews) {
    let support: Vec<f64> = rows
        .languages
        .iter()
        .map(|tag| {
            shop.language
                .iter()
                .find(|language| language.tag == *tag)
                .map_or(1.0, |language| language.ai_support)
        })
        .collect();
    let covered = Class::ALL
        .iter()
        .map(|class| {
            let of = || INTENTS.iter().filter(move |intent| intent.class == *class);
            let shares: f64 = of().map(|intent| intent.share).sum();
            of().map(|intent| intent.share * intent.coverage)
                .sum::<f64>()
                / shares
        })
        .collect::<Vec<f64>>();
    let (mut drafts, mut reviews) = (Vec::new(), Reviews::default());
    for (contact, turn, answer) in rows.every_answer() {
        let Some(class) = contact.class else { continue };
        let outcome = led(rows, contact, turn);
        if outcome == Led::Unknown || answer.tier == Tier::Human {
            continue;
        }
        let solved = outcome == Led::Solved;
        let outcome = match (answer.tier, answer.review) {
            (Tier::Auto, _) => Outcome::Auto { solved },
            (_, Some(Review::Accepted)) => Outcome::Accepted { solved },
            (_, Some(Review::Edited)) => Outcome::Edited,
            (_, Some(Review::Rejected)) => Outcome::Rejected,
            (_, None) => continue,
        };
        if answer.tier == Tier::Review {
            let counts = &mut reviews.counts[class.index()];
            counts[0] += 1;
            counts[1] += u64::from(matches!(outcome, Outcome::Accepted { .. }));
            counts[2] += u64::from(solved);
            if matches!(outcome, Outcome::Edited | Outcome::Rejected) {
                reviews.repaired += 1;
                if !solved {
                    reviews.repaired_unsolved += 1;
                }
            }
        }
        drafts.push(Draft {
            class: class.index(),
            support: contact
                .language
                .map_or(1.0, |language| support[usize::from(language)]),
            coverage: answer.coverage.map_or(covered[class.index()], f64::from),
            failed: failed_before(rows, contact, turn),
            outcome,
        });
    }
    (drafts, reviews)
}

/// Every answer of the AI that was followed by another message had a wrong draft: reviewers' repairs solve.
fn failed_before(rows: &Rows, contact: &Contact, turn: usize) -> i32 {
    rows.answers(contact)[..turn]
        .iter()
        .filter(|answer| answer.tier != Tier::Human)
        .count() as i32
}

/// Where each number stands in the vector that is fitted; `None` keeps the default.
#[derive(Default)]
struct Places {
    right: [Option<usize>; 3],
    repair: [Option<usize>; 3],
    weight: Option<usize>,
    retry: Option<usize>,
    needless: Option<usize>,
    rewrite: Option<usize>,
}

/// Classes with fewer than 30 events share the number of the class that has most.
fn by_class(counts: [u64; 3], next: &mut usize) -> [Option<usize>; 3] {
    let most = (0..3).max_by_key(|class| counts[*class]).unwrap_or(0);
    if counts[most] < LEAST {
        return [None; 3];
    }
    let mut places = [None; 3];
    for class in 0..3 {
        if counts[class] >= LEAST {
            places[class] = Some(*next);
            *next += 1;
        }
    }
    places.map(|place| place.or(places[most]))
}

/// The joint fit; `false` when drafts are too few or do not identify it.
fn joint(drafts: &[&Draft], known_coverage: u64, shop: &mut ShopConfig, table: &mut Table) -> bool {
    let count = |of: &dyn Fn(&Draft) -> bool| {
        let mut counts = [0_u64; 3];
        drafts
            .iter()
            .filter(|draft| of(draft))
            .for_each(|draft| counts[draft.class] += 1);
        counts
    };
    let all = count(&|_| true);
    let auto: u64 = count(&|d| matches!(d.outcome, Outcome::Auto { .. }))
        .iter()
        .sum();
    let reviewed = count(&|d| !matches!(d.outcome, Outcome::Auto { .. }));
    let edits = count(&|d| d.outcome == Outcome::Edited).iter().sum::<u64>();
    let rewrites = count(&|d| d.outcome == Outcome::Rejected)
        .iter()
        .sum::<u64>();
    let failed = count(&|d| d.failed > 0).iter().sum::<u64>();
    let mut next = 0;
    let one = |holds: bool, next: &mut usize| {
        holds.then(|| {
            *next += 1;
            *next - 1
        })
    };
    let reviews: u64 = reviewed.iter().sum();
    let places = Places {
        right: by_class(all, &mut next),
        repair: by_class(reviewed, &mut next),
        weight: one(known_coverage >= 10 * LEAST, &mut next),
        retry: one(failed >= LEAST, &mut next),
        // Without tier 1, needless edits cannot be told from repairs class by class: they stay as they are.
        needless: one(
            reviews >= LEAST && edits >= LEAST && auto >= LEAST,
            &mut next,
        ),
        rewrite: one(
            rewrites >= LEAST && edits >= LEAST && auto >= LEAST,
            &mut next,
        ),
    };
    if next == 0 || places.right[0].is_none() {
        return false;
    }
    let start = vec![0.5; next];
    let bounds = vec![(1e-3, 1.0 - 1e-3); next];
    let shop_now = shop.clone();
    let Some(fit) = climb(start, &bounds, |at, slope| {
        for draft in drafts {
            let (cells, observed) = cells(draft, at, &places, &shop_now, next);
            slope.outcome(&cells, observed);
        }
    }) else {
        return false;
    };
    let found = |place: Option<usize>, n: u64| {
        place.map(|place| Estimate {
            value: fit.at[place],
            standard_error: fit.standard_error(place),
            n,
        })
    };
    let lists = [
        ("shop.auto.right", &mut shop.auto.right, places.right, all),
        (
            "shop.review.repair",
            &mut shop.review.repair,
            places.repair,
            reviewed,
        ),
    ];
    for (key, values, of, counts) in lists {
        for class in 0..3 {
            let lacking = "no reviewed drafts (tier 2) whose outcome is known";
            let Some(estimate) = found(of[class], counts[class]) else {
                table.assumed(key, Some(CLASSES[class]), values[class], lacking);
                continue;
            };
            values[class] = digits(estimate.value, 6);
            let own = counts[class] >= LEAST;
            table.note(
                key,
                Some(CLASSES[class]),
                Estimate {
                    value: values[class],
                    ..estimate
                },
                if own { Source::Fitted } else { Source::Pooled },
                (!own).then(|| {
                    format!(
                        "{} events of its own, so the class with most",
                        counts[class]
                    )
                }),
            );
        }
    }
    let rows: [(&str, &mut f64, Option<Estimate>, &str); 4] = [
        (
            "shop.auto.coverage_weight",
            &mut shop.auto.coverage_weight,
            found(places.weight, known_coverage),
            "the log holds no knowledge coverage (`kg_coverage`)",
        ),
        (
            "shop.auto.retry",
            &mut shop.auto.retry,
            found(places.retry, failed),
            "fewer than 30 drafts after one that failed",
        ),
        (
            "shop.review.needless_edit",
            &mut shop.review.needless_edit,
            found(places.needless, reviews),
            "it needs edited drafts and answers of the AI alone",
        ),
        (
            "shop.review.rewrite_share",
            &mut shop.review.rewrite_share,
            found(places.rewrite, edits + rewrites),
            "it needs edited and rejected drafts and answers of the AI alone",
        ),
    ];
    for (key, place, estimate, lacking) in rows {
        table.single(key, place, estimate, (0.0, 1.0), lacking);
    }
    true
}

/// Probabilities of what could have been seen of a draft, with their gradients, and which it was.
fn cells(
    draft: &Draft,
    at: &[f64],
    places: &Places,
    shop: &ShopConfig,
    n: usize,
) -> (Vec<(f64, Vec<f64>)>, usize) {
    let value = |place: Option<usize>, default: f64| place.map_or(default, |place| at[place]);
    let right = value(places.right[draft.class], shop.auto.right[draft.class]);
    let weight = value(places.weight, shop.auto.coverage_weight);
    let retry = value(places.retry, shop.auto.retry);
    let repair = value(places.repair[draft.class], shop.review.repair[draft.class]);
    let needless = value(places.needless, shop.review.needless_edit);
    let rewrite = value(places.rewrite, shop.review.rewrite_share);
    let covered = 1.0 - weight * (1.0 - draft.coverage);
    let again = retry.powi(draft.failed);
    let q = right * draft.support * covered * again;
    // d q / d θ.
    let mut slope = vec![0.0; n];
    let mut set = |place: Option<usize>, by: f64| {
        if let Some(place) = place {
            slope[place] += by;
        }
    };
    set(places.right[draft.class], q / right);
    set(
        places.weight,
        -right * draft.support * again * (1.0 - draft.coverage),
    );
    if draft.failed > 0 {
        set(places.retry, q * f64::from(draft.failed) / retry);
    }
    let scaled = |by: f64| slope.iter().map(|s| s * by).collect::<Vec<f64>>();
    if let Outcome::Auto { solved } = draft.outcome {
        return (
            vec![(q, scaled(1.0)), (1.0 - q, scaled(-1.0))],
            usize::from(!solved),
        );
    }
    let with = |mut gradient: Vec<f64>, of: &[(Option<usize>, f64)]| {
        for (place, by) in of {
            if let Some(place) = place {
                gradient[*place] += by;
            }
        }
        gradient
    };
    let repaired = places.repair[draft.class];
    let wrong = 1.0 - q;
    let cells = vec![
        (
            q * (1.0 - needless),
            with(scaled(1.0 - needless), &[(places.needless, -q)]),
        ),
        (
            wrong * (1.0 - repair),
            with(scaled(repair - 1.0), &[(repaired, -wrong)]),
        ),
        (
            q * needless + wrong * repair * (1.0 - rewrite),
            with(
                scaled(needless - repair * (1.0 - rewrite)),
                &[
                    (places.needless, q),
                    (repaired, wrong * (1.0 - rewrite)),
                    (places.rewrite, -wrong * repair),
                ],
            ),
        ),
        (
            wrong * repair * rewrite,
            with(
                scaled(-repair * rewrite),
                &[
                    (repaired, wrong * rewrite),
                    (places.rewrite, wrong * repair),
                ],
            ),
        ),
    ];
    let observed = match draft.outcome {
        Outcome::Accepted { solved: true } => 0,
        Outcome::Accepted { solved: false } => 1,
        Outcome::Edited => 2,
        Outcome::Rejected | Outcome::Auto { .. } => 3,
    };
    (cells, observed)
}

const NO_DRAFTS: &str = "too few drafts of the AI whose outcome is known";

fn assumed(shop: &ShopConfig, table: &mut Table) {
    for (class, cell) in CLASSES.iter().enumerate() {
        table.assumed(
            "shop.auto.right",
            Some(cell),
            shop.auto.right[class],
            NO_DRAFTS,
        );
        table.assumed(
            "shop.review.repair",
            Some(cell),
            shop.review.repair[class],
            NO_DRAFTS,
        );
    }
    for (key, value) in [
        ("shop.auto.coverage_weight", shop.auto.coverage_weight),
        ("shop.auto.retry", shop.auto.retry),
        ("shop.review.needless_edit", shop.review.needless_edit),
        ("shop.review.rewrite_share", shop.review.rewrite_share),
    ] {
        table.assumed(key, None, value, NO_DRAFTS);
    }
}

/// Where edited answers do not end conversations, the simulator's review does not hold: only the chance that a reviewed
/// answer ends one is kept. Reviewed answers then solve as often as logged: by repairs where tier 1 tells how good drafts are,
/// else by right drafts alone.
fn split(reviews: &Reviews, shop: &mut ShopConfig, table: &mut Table) {
    const WHY: &str =
        "customers write on after edited answers too, so draft and repair cannot be told apart";
    let own = reviews
        .counts
        .map(|[n, _, solved]| Estimate::share(solved, n));
    let sum = |i: usize| reviews.counts.iter().map(|c| c[i]).sum::<u64>();
    let all = Estimate::share(sum(2), sum(0));
    let mut retry = false;
    for class in 0..3 {
        let found = own[class]
            .filter(|e| e.n >= LEAST)
            .or(all.filter(|e| e.n >= LEAST));
        let Some(share) = found else { continue };
        // Coverage and support stand between `right` and the chance of a right draft; on average they take this share.
        let of = |intents: &mut dyn Iterator<Item = (f64, f64)>| {
            let (sum, weight) =
                intents.fold((0.0, 0.0), |(s, w), (share, c)| (s + share * c, w + share));
            sum / weight
        };
        let coverage = of(&mut INTENTS
            .iter()
            .filter(|intent| intent.class.index() == class)
            .map(|intent| (intent.share, intent.coverage)));
        let taken = 1.0 - shop.auto.coverage_weight * (1.0 - coverage);
        let fitted = table.parameters.iter().any(|p| {
            p.key == "shop.auto.right"
                && p.cell.as_deref() == Some(CLASSES[class])
                && p.source != Source::Assumed
        });
        let solved = format!(
            "{WHY}; {} of {} reviewed answers ended their conversation solved",
            reviews.counts[class][2], reviews.counts[class][0]
        );
        let mut replace = |key: &str, value: f64| {
            table
                .parameters
                .retain(|p| !(p.key == key && p.cell.as_deref() == Some(CLASSES[class])));
            table.assumed(key, Some(CLASSES[class]), value, &solved);
        };
        if fitted {
            let q = shop.auto.right[class] * taken;
            shop.review.repair[class] = digits(((share.value - q) / (1.0 - q)).clamp(0.0, 1.0), 6);
        } else {
            shop.auto.right[class] = digits((share.value / taken).min(1.0), 6);
            shop.review.repair[class] = 0.0;
            replace("shop.auto.right", shop.auto.right[class]);
            retry = true;
        }
        replace("shop.review.repair", shop.review.repair[class]);
    }
    if retry {
        shop.auto.retry = 1.0;
        table.parameters.retain(|p| p.key != "shop.auto.retry");
        table.assumed("shop.auto.retry", None, 1.0, WHY);
    }
}
