//! The policies of the page as its sections meet them: which is the baseline,
//! in which colour each is drawn, and the sentences that list one item each.

use crate::block::{Key, KeyShape};
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::kpi::{KpiTable, PolicyRole};
use crate::number;
use crate::reason::TierName;
use crate::text::{CentrePhrase, Phrase, Words};

/// Every policy of the KPI table with its colour.
pub(crate) struct Cast {
    members: Vec<(String, Ink)>,
    references: Vec<String>,
}

impl Cast {
    pub(crate) fn of(table: &KpiTable) -> Self {
        let mut series = 0;
        let members = table
            .policies
            .iter()
            .map(|policy| {
                let ink = if policy.role == PolicyRole::Baseline {
                    Ink::Baseline
                } else {
                    series += 1;
                    Ink::Series(series - 1)
                };
                (policy.name.clone(), ink)
            })
            .collect();
        let references = table
            .policies
            .iter()
            .filter(|policy| policy.role == PolicyRole::Reference)
            .map(|policy| policy.name.clone())
            .collect();
        Self {
            members,
            references,
        }
    }

    /// Whether a lead names the policy: policies shown for orientation stand in
    /// charts and tables only, so that the sentence stays short.
    pub(crate) fn leads(&self, policy: &str) -> bool {
        !self.references.iter().any(|name| name == policy)
    }

    /// The policy's colour in every chart of the page.
    pub(crate) fn ink(&self, policy: &str) -> Ink {
        self.members
            .iter()
            .find(|(name, _)| name == policy)
            .map_or(Ink::Muted, |(_, ink)| *ink)
    }

    /// Checks that the KPI table holds the policy.
    pub(crate) fn check(&self, section: &'static str, policy: &str) -> Result<(), ReportError> {
        if self.members.iter().any(|(name, _)| name == policy) {
            Ok(())
        } else {
            Err(ReportError::UnknownPolicy {
                section,
                policy: policy.to_owned(),
            })
        }
    }

    /// A key of the given policies' lines.
    pub(crate) fn keys<'a>(&self, policies: impl IntoIterator<Item = &'a str>) -> Vec<Key> {
        let mut seen: Vec<&str> = Vec::new();
        let mut keys = Vec::new();
        for policy in policies {
            if !seen.contains(&policy) {
                seen.push(policy);
                keys.push(Key::new(KeyShape::Line, self.ink(policy), policy));
            }
        }
        keys
    }
}

/// The message class and tier that a row is about, such as "simple, human".
pub(crate) fn scope(words: Words, class: Option<&str>, tier: Option<TierName>) -> String {
    let class = class.map(|class| words.key(class).to_owned());
    let tier = tier.map(|tier| words.say(tier.phrase()).to_owned());
    let parts: Vec<String> = class.into_iter().chain(tier).collect();
    parts.join(words.say(Phrase::ListSeparator))
}

/// Names joined into a list.
pub(crate) fn list(words: Words, names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.join(words.say(Phrase::ListSeparator))
}

/// Names in quotation marks, for names that are words of the language.
pub(crate) fn quoted(names: &[impl AsRef<str>]) -> Vec<String> {
    let names = names.iter().map(AsRef::as_ref);
    names.map(|name| format!("“{name}”")).collect()
}

/// Items of a sentence that may hold commas themselves.
pub(crate) fn items(words: Words, items: &[String]) -> String {
    items.join(words.say(CentrePhrase::ItemSeparator))
}

/// Checks that hours of a day lie in 0–23 and rise.
pub(crate) fn check_hours(
    place: impl Fn() -> String,
    hours: impl IntoIterator<Item = u8>,
) -> Result<(), ReportError> {
    let mut before: Option<u8> = None;
    for hour in hours {
        if hour > 23 {
            return Err(ReportError::OutOfRange {
                place: place(),
                number: f64::from(hour),
                low: 0.0,
                high: 23.0,
            });
        }
        if let Some(before) = before.filter(|before| *before >= hour) {
            return Err(ReportError::NotRising {
                place: place(),
                before: f64::from(before),
                number: f64::from(hour),
            });
        }
        before = Some(hour);
    }
    Ok(())
}

/// Checks that finite places rise.
pub(crate) fn check_rising(
    place: impl Fn() -> String,
    places: impl IntoIterator<Item = f64>,
) -> Result<(), ReportError> {
    let mut before = f64::NEG_INFINITY;
    for number in places.into_iter().filter(|number| number.is_finite()) {
        if number <= before {
            return Err(ReportError::NotRising {
                place: place(),
                before,
                number,
            });
        }
        before = number;
    }
    Ok(())
}

/// "Bands hold … of … replications", filled into `phrase`.
pub(crate) fn band_caption(
    words: Words,
    phrase: CentrePhrase,
    level: f64,
    replications: u64,
) -> String {
    words.fill(
        phrase,
        &[
            ("level", &number::level(level)),
            ("count", &number::count(replications)),
        ],
    )
}

/// Whose hours a chart shows.
pub(crate) fn hours_note(words: Words, zone: Option<&str>) -> String {
    match zone {
        Some(zone) => words.fill(CentrePhrase::HoursIn, &[("zone", zone)]),
        None => words.say(CentrePhrase::Hours).to_owned(),
    }
}

/// A duration in its own best unit.
pub(crate) fn duration(words: Words, secs: f64) -> String {
    use crate::measure::Unit;
    use crate::number::TimeUnit;
    let unit = Unit::Time(match secs {
        secs if secs < 120.0 => TimeUnit::Seconds,
        secs if secs < 7200.0 => TimeUnit::Minutes,
        _ => TimeUnit::Hours,
    });
    let whole = |unit: TimeUnit| (secs / unit.secs()).fract() == 0.0;
    let decimals = match unit {
        Unit::Time(time) if !whole(time) => number::Decimals(1),
        _ => number::Decimals(0),
    };
    unit.value(words, secs, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::kpi::tests::table;

    #[test]
    fn every_policy_keeps_its_colour() {
        let cast = Cast::of(&table());
        assert_eq!(cast.ink("rule"), Ink::Baseline);
        assert_eq!(cast.ink("<script>alert(1)</script>"), Ink::Series(0));
        assert!(cast.check("waits", "rule").is_ok());
        assert!(matches!(
            cast.check("waits", "other"),
            Err(ReportError::UnknownPolicy { .. })
        ));
        assert_eq!(cast.keys(["rule", "rule"]).len(), 1);
    }

    #[test]
    fn places_must_rise() {
        let place = || "here".to_owned();
        assert!(check_hours(place, [0, 1, 23]).is_ok());
        assert!(check_hours(place, [0, 24]).is_err());
        assert!(check_hours(place, [3, 3]).is_err());
        assert!(check_rising(place, [0.0, f64::NAN, 1.0]).is_ok());
        assert!(check_rising(place, [0.0, 0.0]).is_err());
    }

    #[test]
    fn durations_take_their_own_unit() {
        let words = Words::new(Language::En);
        for (secs, expected) in [
            (5.0, "5\u{202f}s"),
            (0.5, "0.5\u{202f}s"),
            (120.0, "2\u{202f}min"),
            (5400.0, "90\u{202f}min"),
            (9000.0, "2.5\u{202f}h"),
        ] {
            assert_eq!(duration(words, secs), expected);
        }
    }
}
