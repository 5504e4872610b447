//! The ordinal model in the table: its bases and weights, the survey, and marks by cell.

use super::super::customers::CLASSES;
use super::super::estimate::Estimate;
use super::super::parameter::{LEAST, Source, Table, digits};
use super::super::solving::TIERS;
use super::{BASES, Ended, Model, Rated, RatingCell, survey};
use crate::shop::ShopConfig;

pub(super) fn write(
    model: &Model,
    counts: &[u64; BASES],
    rated: &Rated,
    shop: &mut ShopConfig,
    table: &mut Table,
) {
    let s = &mut shop.satisfaction;
    let all = rated.len() as u64;
    for base in 0..BASES {
        let (key, cell, place) = if base < 9 {
            (
                "shop.satisfaction.solved",
                format!("{} {}", CLASSES[base / 3], TIERS[base % 3]),
                &mut s.solved[base / 3][base % 3],
            )
        } else {
            (
                "shop.satisfaction.unsolved",
                CLASSES[base - 9].to_owned(),
                &mut s.unsolved[base - 9],
            )
        };
        let Some(parameter) = model.free[base] else {
            let why = format!("{} rated conversations ended there", counts[base]);
            table.assumed(key, Some(&cell), *place, &why);
            continue;
        };
        *place = digits(model.theta[base], 6).clamp(0.0, 1.0);
        let own = counts[base] >= LEAST;
        let estimate = Estimate {
            value: *place,
            standard_error: model.covariance[parameter][parameter].max(0.0).sqrt(),
            n: counts[base],
        };
        let note = (!own).then(|| {
            format!(
                "{} ratings of its own, so the fullest cell of its kind",
                counts[base]
            )
        });
        table.note(
            key,
            Some(&cell),
            estimate,
            if own { Source::Fitted } else { Source::Pooled },
            note,
        );
    }
    let weights = [
        ("shop.satisfaction.per_extra_turn", &mut s.per_extra_turn),
        ("shop.satisfaction.per_minute", &mut s.per_minute),
        ("shop.satisfaction.per_sentiment", &mut s.per_sentiment),
    ];
    for (weight, (key, place)) in weights.into_iter().enumerate() {
        let estimate = model.free[BASES + weight].map(|parameter| Estimate {
            value: model.theta[BASES + weight],
            standard_error: model.covariance[parameter][parameter].max(0.0).sqrt(),
            n: all,
        });
        table.single(
            key,
            place,
            estimate,
            (0.0, 1.0),
            "fewer than 300 rated conversations in which it varies",
        );
    }
    s.waiting_max = digits((s.per_minute * model.most_minutes).min(1.0), 6);
    let minutes = model.most_minutes;
    let why = format!("waiting is taken to count up to {minutes} minutes");
    table.assumed("shop.satisfaction.waiting_max", None, s.waiting_max, &why);
    table.assumed(
        "shop.satisfaction.leniency",
        None,
        s.leniency,
        "differences between customers cannot be told from the noise of one mark",
    );
}

pub(super) fn write_survey(
    model: &Model,
    ended: &[(Ended, Option<f64>)],
    surveyed: bool,
    shop: &mut ShopConfig,
    table: &mut Table,
) {
    let n = ended.len() as u64;
    let fit = surveyed.then(|| survey(model, ended)).flatten();
    let after = &mut shop.aftermath;
    let of = |parameter: usize| {
        fit.as_ref().map(|fit| Estimate {
            value: fit.at[parameter],
            standard_error: fit.standard_error(parameter),
            n,
        })
    };
    let lacking = "the log holds no ratings of a survey";
    table.single(
        "shop.aftermath.survey_base",
        &mut after.survey_base,
        of(0),
        (0.0, 1.0),
        lacking,
    );
    let most = 1.0 - after.survey_base;
    table.single(
        "shop.aftermath.survey_extreme",
        &mut after.survey_extreme,
        of(1),
        (0.0, most),
        lacking,
    );
}

pub(super) fn cells(model: &Model, ended: &[(Ended, Option<f64>)]) -> Vec<RatingCell> {
    (0..BASES)
        .map(|base| {
            let mut cell = RatingCell {
                class: CLASSES[if base < 9 { base / 3 } else { base - 9 }].to_owned(),
                tier: (base < 9).then(|| TIERS[base % 3].to_owned()),
                conversations: 0,
                rated: 0,
                mean: None,
                fitted: None,
                marks: [0; 5],
                fitted_marks: [0.0; 5],
            };
            let (mut sum, mut expected) = (0.0, 0.0);
            for (of, value) in ended.iter().filter(|(of, _)| of.base == base) {
                cell.conversations += 1;
                let Some(value) = value else { continue };
                cell.rated += 1;
                sum += value;
                expected += model.answered_mean(model.eta(of));
                cell.marks[(4.0 * value).round() as usize] += 1;
                for (total, p) in cell.fitted_marks.iter_mut().zip(model.answered_marks(of)) {
                    *total += p;
                }
            }
            if cell.rated > 0 {
                cell.mean = Some(sum / cell.rated as f64);
                cell.fitted = Some(expected / cell.rated as f64);
            }
            cell
        })
        .collect()
}
