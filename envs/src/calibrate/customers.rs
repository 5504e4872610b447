//! Who the customers are: classes by day and night, languages, regions, channels, and what the live models see of them.

use super::estimate::Estimate;
use super::parameter::{LEAST, Source, Table, digits};
use super::rows::Rows;
use crate::centre::Moments;
use crate::class::{Channel, Class};
use crate::shop::{LanguageConfig, ShopConfig};

/// Names of the classes, in order.
pub(super) const CLASSES: [&str; 3] = ["simple", "complex", "complaint"];

/// Most languages a shop may have.
const MOST_LANGUAGES: usize = 64;

/// Shares of classes, languages and channels.
pub(super) fn fit(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    classes(rows, shop, table);
    languages(rows, shop, table);
    channels(rows, shop, table);
    perception(rows, shop, table);
}

fn classes(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let [from, to] = shop.night_hours.map(|hour| hour as usize);
    let is_night = |hour: usize| {
        if from <= to {
            (from..to).contains(&hour)
        } else {
            hour >= from || hour < to
        }
    };
    let mut counts = [[0_u64; 3]; 2];
    for contact in &rows.contacts {
        if let Some(class) = contact.class {
            counts[usize::from(is_night(contact.hour()))][class.index()] += 1;
        }
    }
    let totals = counts.map(|part| part.iter().sum::<u64>());
    let of = |part: usize| {
        CLASSES
            .iter()
            .enumerate()
            .map(|(class, _)| Estimate::share(counts[part][class], totals[part]))
            .collect::<Vec<_>>()
    };
    let together: Vec<Option<Estimate>> = (0..3)
        .map(|class| Estimate::share(counts[0][class] + counts[1][class], totals[0] + totals[1]))
        .collect();
    let parts = [
        ("shop.class_shares_day", &mut shop.class_shares_day),
        ("shop.class_shares_night", &mut shop.class_shares_night),
    ];
    for (part, (key, places)) in parts.into_iter().enumerate() {
        let own = of(part);
        for class in 0..3 {
            table.list(
                key,
                &mut places[class..=class],
                &CLASSES[class..=class],
                &own[class..=class],
                together[class],
                (0.0, 1.0),
                "the log names no classes",
            );
        }
    }
    for (hour, cell) in [(from, "from"), (to, "to")] {
        table.assumed(
            "shop.night_hours",
            Some(cell),
            hour as f64,
            "where day and night shares meet is a convention",
        );
    }
}

fn languages(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut counts = vec![0_u64; rows.languages.len()];
    for contact in &rows.contacts {
        if let Some(language) = contact.language {
            counts[usize::from(language)] += 1;
        }
    }
    let total: u64 = counts.iter().sum();
    let mut order: Vec<usize> = (0..counts.len()).filter(|l| counts[*l] > 0).collect();
    // Names break ties, so that the order of the log does not matter.
    order.sort_by(|a, b| {
        counts[*b]
            .cmp(&counts[*a])
            .then_with(|| rows.languages[*a].cmp(&rows.languages[*b]))
    });
    let dropped = order.len().saturating_sub(MOST_LANGUAGES);
    order.truncate(MOST_LANGUAGES);
    let known = std::mem::take(&mut shop.language);
    let default = |tag: &str| known.iter().find(|language| language.tag == tag);
    for language in &order {
        let tag = rows.languages[*language].clone();
        let regions = regions(rows, *language as u16)
            .or_else(|| default(&tag).map(|known| known.regions.clone()))
            .unwrap_or_else(|| vec!["ZZ".to_owned()]);
        let share = Estimate::share(counts[*language], total);
        let share = share.unwrap_or(Estimate::exact(1.0, 0));
        let value = digits(share.value, 6).max(1e-6);
        table.note(
            "shop.language.share",
            Some(&tag),
            Estimate { value, ..share },
            Source::Fitted,
            (dropped > 0).then(|| {
                format!(
                    "{dropped} rarer languages are left out; a shop has at most {MOST_LANGUAGES}"
                )
            }),
        );
        let (ai_support, human_share) =
            default(&tag).map_or((1.0, 0.5), |known| (known.ai_support, known.human_share));
        table.assumed(
            "shop.language.ai_support",
            Some(&tag),
            ai_support,
            "default; `shop.auto.right` is fitted beside it",
        );
        shop.language.push(LanguageConfig {
            tag,
            share: value,
            ai_support,
            human_share,
            regions,
        });
    }
    if shop.language.is_empty() {
        table.assumed(
            "shop.language.share",
            Some("en"),
            1.0,
            "the log names no language; one stands for all",
        );
        shop.language.push(LanguageConfig {
            tag: "en".to_owned(),
            share: 1.0,
            ai_support: 1.0,
            human_share: 1.0,
            regions: vec!["ZZ".to_owned()],
        });
    }
}

/// Regions that hold at least 5 % of a language's conversations, commonest first; the simulator takes them as equally
/// likely.
fn regions(rows: &Rows, language: u16) -> Option<Vec<String>> {
    let mut counts: std::collections::BTreeMap<[u8; 2], u64> = std::collections::BTreeMap::new();
    let mut total = 0;
    for contact in &rows.contacts {
        if contact.language == Some(language)
            && let Some(region) = contact.region
        {
            *counts.entry(region).or_default() += 1;
            total += 1;
        }
    }
    let mut often: Vec<([u8; 2], u64)> = counts
        .into_iter()
        .filter(|(_, count)| count * 20 >= total)
        .collect();
    often.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let names: Vec<String> = often
        .iter()
        .map(|(code, _)| code.iter().map(|b| char::from(*b)).collect())
        .collect();
    (!names.is_empty()).then_some(names)
}

fn channels(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut counts = [0_u64; 6];
    for contact in &rows.contacts {
        counts[usize::from(contact.channel)] += 1;
    }
    let total = counts.iter().sum();
    for (channel, count) in Channel::ALL.iter().zip(counts) {
        let share = Estimate::share(count, total).unwrap_or(Estimate::exact(0.0, 0));
        let value = digits(share.value, 6);
        shop.channel_shares[channel.index()] = value;
        table.note(
            "shop.channel_shares",
            Some(channel.name()),
            Estimate { value, ..share },
            Source::Fitted,
            None,
        );
    }
}

/// Confusion of the live class guess, and sentiment.
fn perception(rows: &Rows, shop: &mut ShopConfig, table: &mut Table) {
    let mut guesses = [[0_u64; 3]; 3];
    let mut first = [Moments::default(); 3];
    let mut residual = Moments::default();
    for (contact, turn, answer) in rows.every_answer() {
        let Some(class) = contact.class else { continue };
        if let Some(guess) = answer.guess {
            guesses[class.index()][guess.index()] += 1;
        }
        if let (0, Some(sentiment)) = (turn, answer.sentiment) {
            first[class.index()].add(f64::from(sentiment));
        }
    }
    for class in Class::ALL {
        let row = guesses[class.index()];
        let total: u64 = row.iter().sum();
        let key = "shop.perception.confusion";
        let name = |guess: usize| format!("{class} as {}", CLASSES[guess]);
        let places = &mut shop.perception.confusion[class.index()];
        if total < LEAST {
            for (guess, place) in places.iter().enumerate() {
                table.assumed(
                    key,
                    Some(&name(guess)),
                    *place,
                    "fewer than 30 messages with both a guess and a class",
                );
            }
            continue;
        }
        for guess in 0..2 {
            places[guess] = (row[guess] as f64 / total as f64 * 1e6).round() / 1e6;
        }
        // A row sums to 1 whatever the rounding.
        places[2] = (((1.0 - places[0] - places[1]) * 1e6).round() / 1e6).max(0.0);
        for (guess, (value, count)) in places.iter().zip(row).enumerate() {
            let share = Estimate::share(count, total).unwrap_or(Estimate::exact(0.0, 0));
            let value = *value;
            table.note(
                key,
                Some(&name(guess)),
                Estimate { value, ..share },
                Source::Fitted,
                None,
            );
        }
    }
    let means: Vec<Option<Estimate>> = first.iter().map(Estimate::mean).collect();
    table.list(
        "shop.perception.sentiment",
        &mut shop.perception.sentiment,
        &CLASSES,
        &means,
        None,
        (-1.0, 1.0),
        "the log holds no sentiment",
    );
    for (contact, turn, answer) in rows.every_answer() {
        if let (0, Some(class), Some(sentiment)) = (turn, contact.class, answer.sentiment)
            && let Some(mean) = first[class.index()].mean()
        {
            residual.add((f64::from(sentiment) - mean).powi(2));
        }
    }
    // A triangular law on ±a has variance a²/6.
    let noise = Estimate::mean(&residual).map(|variance| {
        let a = (6.0 * variance.value).sqrt();
        Estimate {
            value: a,
            standard_error: 3.0 * variance.standard_error / a.max(1e-9),
            n: variance.n,
        }
    });
    table.single(
        "shop.perception.sentiment_noise",
        &mut shop.perception.sentiment_noise,
        noise,
        (0.0, 1.0),
        "the log holds no sentiment",
    );
    for (key, value) in [
        (
            "shop.perception.ambiguous_share",
            shop.perception.ambiguous_share,
        ),
        (
            "shop.perception.sentiment_fall",
            shop.perception.sentiment_fall,
        ),
        (
            "shop.perception.coverage_noise",
            shop.perception.coverage_noise,
        ),
    ] {
        table.assumed(key, None, value, "default of the simulator");
    }
}
