//! After the conversation: the survey, clicks and purchases. None of it touches the reward.

use super::contact::Contact;
use super::conversation::Shop;
use super::world::World;
use crate::luck::{Purpose, high};

/// Seconds within which a click counts, from the first decision.
const CLICK_WINDOW_S: f64 = 86_400.0;
/// Seconds within which a purchase counts, from the first decision.
const CONVERSION_WINDOW_S: f64 = 7.0 * 86_400.0;
/// Mean seconds until a survey is answered.
const SURVEY_DELAY_S: f64 = 3_600.0;

/// What happened after a conversation; delays are seconds after its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Aftermath {
    /// Mark of the survey, 1 to 5, and when it came.
    pub rating: Option<(u8, f64)>,
    /// First click within 24 h of the first decision.
    pub click_s: Option<f64>,
    /// First purchase within 7 days of the first decision.
    pub conversion_s: Option<f64>,
    /// Value of that purchase.
    pub order_value: Option<f64>,
}

impl Aftermath {
    /// What follows a conversation that ended with true satisfaction S, `None` when the customer abandoned it.
    ///
    /// Chances: survey = [`World::survey_probability`], mark = [`World::mark_probabilities`], click = click\[class\] · S,
    /// purchase = (convert_clicked or convert_unclicked) · S, with S before it is halved for coming back. Those who
    /// abandoned are not asked.
    pub(crate) fn of(world: &World, contact: &Contact, satisfaction: Option<f64>) -> Self {
        let Some(satisfaction) = satisfaction else {
            return Self::default();
        };
        let config = &world.config.aftermath;
        let luck = contact.luck;
        let delay = |bits: u64, mean_s: f64| mean_s * world.exponential.at(bits as u32);
        let survey = luck.once(Purpose::Survey);
        let rating = (high(survey) < world.survey_probability(satisfaction)).then(|| {
            let mark = mark(satisfaction, high(luck.once(Purpose::Mark)));
            (mark, delay(survey, SURVEY_DELAY_S))
        });
        let click = luck.once(Purpose::Click);
        let clicked = high(click) < config.click[contact.class.index()] * satisfaction;
        let within = |window_s: f64, seconds: f64| {
            (contact.elapsed_s + seconds < window_s).then_some(seconds)
        };
        let click_s = clicked
            .then(|| delay(click, config.click_delay_s))
            .and_then(|seconds| within(CLICK_WINDOW_S, seconds));
        let conversion = luck.once(Purpose::Conversion);
        let chance = if clicked {
            config.convert_clicked
        } else {
            config.convert_unclicked
        };
        let conversion_s = (high(conversion) < chance * satisfaction)
            .then(|| delay(conversion, config.conversion_delay_s))
            .and_then(|seconds| within(CONVERSION_WINDOW_S, seconds));
        let order = luck.once(Purpose::Order);
        Self {
            rating,
            click_s,
            conversion_s,
            order_value: conversion_s
                .map(|_| config.order_value * (0.25 + 0.75 * world.exponential.at(order as u32))),
        }
    }
}

impl Shop {
    /// What happens after the conversation; `None` before its end.
    #[must_use]
    pub fn aftermath(&self) -> Option<Aftermath> {
        let ending = self.ending()?;
        let satisfaction = (!ending.abandoned).then_some(ending.true_satisfaction);
        Some(Aftermath::of(self.world(), self.contact(), satisfaction))
    }

    /// A uniform number in [0, 1) for the policy's own choice at this decision: the same under every policy.
    #[must_use]
    pub fn choice(&self) -> f64 {
        self.contact().choice()
    }
}

fn mark(satisfaction: f64, u: f64) -> u8 {
    let mut below = 0.0;
    for (mark, probability) in (1..).zip(World::mark_probabilities(satisfaction)) {
        below += probability;
        if u < below {
            return mark;
        }
    }
    5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_the_mean_they_should() {
        for satisfaction in [0.0, 0.2, 0.5, 0.93, 1.0] {
            let probabilities = World::mark_probabilities(satisfaction);
            let sum: f64 = probabilities.iter().sum();
            let mean: f64 = (0..)
                .zip(probabilities)
                .map(|(k, p)| f64::from(k) / 4.0 * p)
                .sum();
            assert!((sum - 1.0).abs() < 1e-12 && (mean - satisfaction).abs() < 1e-12);
        }
        assert_eq!(mark(0.0, 0.999), 1);
        assert_eq!(mark(1.0, 0.0), 5);
        assert_eq!(mark(0.5, 0.5), 3);
    }
}
