//! Compiled rules: a few comparisons each, then at most two searches of the text.

use regex::Regex;
use tierwise_envs::env::Situation;
use tierwise_envs::observation::Feature;
use tierwise_envs::tier::Tier;

/// A rule ready to decide. Numbers are compared before texts are searched, for they are cheaper.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) comment: Option<String>,
    pub(super) codes: Vec<Codes>,
    pub(super) bounds: Vec<Bounds>,
    /// Shop-local hours from and to.
    pub(super) hours: Option<[f32; 2]>,
    pub(super) keywords: Option<Regex>,
    pub(super) regex: Option<Regex>,
    pub(super) then: Tier,
}

/// A feature that must have one of these codes.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) feature: Feature,
    pub(super) any_of: Vec<f32>,
}

/// A feature that must lie within bounds, both included.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) feature: Feature,
    pub(super) min: f32,
    pub(super) max: f32,
}

impl Rule {
    /// Whether it decides whatever the situation.
    pub(super) const fn always_holds(&self) -> bool {
        self.codes.is_empty()
            && self.bounds.is_empty()
            && self.hours.is_none()
            && self.keywords.is_none()
            && self.regex.is_none()
    }

    /// Whether it looks at the message.
    pub(super) const fn reads_text(&self) -> bool {
        self.keywords.is_some() || self.regex.is_some()
    }

    pub(super) fn holds(&self, at: &Situation<'_>, utc_offset_hours: f32) -> bool {
        let known = |feature| at.observation.get(feature);
        self.codes
            .iter()
            .all(|codes| known(codes.feature).is_some_and(|code| codes.any_of.contains(&code)))
            && self.bounds.iter().all(|bounds| {
                known(bounds.feature)
                    .is_some_and(|value| (bounds.min..=bounds.max).contains(&value))
            })
            && self.hours.is_none_or(|hours| {
                at.observation
                    .hour()
                    .is_some_and(|utc| in_hours(hours, (utc + utc_offset_hours).rem_euclid(24.0)))
            })
            && matches(self.keywords.as_ref(), at.text)
            && matches(self.regex.as_ref(), at.text)
    }
}

/// Whether a text matches a pattern, where there is one.
fn matches(pattern: Option<&Regex>, text: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| text.is_some_and(|text| pattern.is_match(text)))
}

/// Whether an hour lies in [from, to), wrapping midnight when `from` is the later one.
pub(super) fn in_hours([from, to]: [f32; 2], hour: f32) -> bool {
    if from <= to {
        from <= hour && hour < to
    } else {
        hour >= from || hour < to
    }
}
