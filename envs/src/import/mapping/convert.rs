//! One value of the source becomes one value of a column, or a fault that says why not.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::targets::Kind;
use crate::class::{Channel, Class};
use crate::import::CustomerKey;
use crate::import::rejects::Reason;
use crate::observation::{Feature, FeatureKind, intent_code, language_code, letters_code};
use crate::reward::efficiency::MAX_DURATION_S;
use crate::tier::Tier;
use crate::time::UtcMicros;

/// A value as the source has it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::import) enum Raw<'a> {
    /// Text of a cell or string.
    Text(Cow<'a, str>),
    /// A JSON number.
    Number(f64),
    /// A JSON boolean.
    Flag(bool),
    /// A JSON array of texts.
    Texts(Vec<String>),
}

/// Units that a source may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    UnixSeconds,
    UnixMilliseconds,
    Percent,
}

impl Unit {
    /// Whether the unit makes sense for a column.
    pub(super) fn fits(self, kind: Kind) -> bool {
        match self {
            Self::UnixSeconds | Self::UnixMilliseconds => matches!(kind, Kind::Instant),
            Self::Percent => matches!(kind, Kind::Number(..) | Kind::Propensity | Kind::Feature(_)),
            _ => matches!(kind, Kind::Duration | Kind::Seconds | Kind::Feature(_)),
        }
    }

    /// Factor to seconds, or to a share.
    fn factor(self) -> f64 {
        match self {
            Self::Milliseconds | Self::UnixMilliseconds => 1e-3,
            Self::Seconds | Self::UnixSeconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
            Self::Days => 86_400.0,
            Self::Percent => 0.01,
        }
    }
}

/// How to read a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) kind: Kind,
    pub(super) unit: Option<Unit>,
    pub(super) separator: &'a str,
    pub(super) zone: Option<&'a TimeZone>,
    pub(super) key: &'a CustomerKey,
}

/// Why a value is none for its column.
pub(super) type Fault = (Reason, String);

fn fault<T>(reason: Reason, message: String) -> Result<T, Fault> {
    Err((reason, message))
}

impl Raw<'_> {
    /// The value as text, for maps, names and ids.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Flag(flag) => Cow::Owned(flag.to_string()),
            Self::Texts(texts) => Cow::Owned(texts.join(",")),
        }
    }

    fn number(&self) -> Result<f64, Fault> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => match text.trim().parse() {
                Ok(number) => number,
                Err(_) => return fault(Reason::BadValue, format!("`{text}` is no number")),
            },
            Self::Flag(_) | Self::Texts(_) => {
                return fault(Reason::BadValue, format!("`{}` is no number", self.text()));
            }
        };
        if number.is_finite() {
            Ok(number)
        } else {
            fault(
                Reason::BadValue,
                format!("{number} is no number; leave an unknown value empty"),
            )
        }
    }

    fn flag(&self) -> Result<bool, Fault> {
        match self.text().trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "t" | "y" => Ok(true),
            "false" | "no" | "0" | "f" | "n" => Ok(false),
            other => fault(
                Reason::UnknownValue,
                format!("`{other}` is neither true nor false (yes, no, 1, 0)"),
            ),
        }
    }
}

impl Reading<'_> {
    /// The column's value in the log's own JSON.
    pub(super) fn read(&self, raw: &Raw<'_>) -> Result<Value, Fault> {
        Ok(match self.kind {
            Kind::Text => raw.text().into(),
            Kind::Customer => self.key.hash(&raw.text()).into(),
            Kind::Instant => self.instant(raw)?.to_string().into(),
            Kind::Duration => self.seconds(raw, MAX_DURATION_S)?.into(),
            Kind::Seconds => self.seconds(raw, f64::MAX)?.into(),
            Kind::Number(low, high) => {
                let number = self.scaled(raw)?;
                if !(low..=high).contains(&number) {
                    return fault(
                        Reason::BadValue,
                        format!("{number} lies outside [{low}, {high}]"),
                    );
                }
                number.into()
            }
            Kind::Propensity => {
                let number = self
                    .scaled(raw)
                    .map_err(|(_, message)| (Reason::BadPropensity, message))?;
                if !(number > 0.0 && number <= 1.0) {
                    return fault(
                        Reason::BadPropensity,
                        format!("{number} lies outside (0, 1]; the action was taken"),
                    );
                }
                number.into()
            }
            Kind::Count => whole(raw, 0, i64::from(i32::MAX))?.into(),
            Kind::Mark => whole(raw, i64::from(i8::MIN), i64::from(i8::MAX))?.into(),
            Kind::Flag => raw.flag()?.into(),
            Kind::Name(known, names) => {
                let text = raw.text();
                if !known(text.trim()) {
                    return fault(
                        Reason::UnknownValue,
                        format!("`{text}` is none of {}; map it in the mapping", names()),
                    );
                }
                text.trim().into()
            }
            Kind::Tier => tier(raw)?.number().into(),
            Kind::List => match raw {
                Raw::Texts(texts) => texts.clone().into(),
                _ => raw
                    .text()
                    .split(self.separator)
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .into(),
            },
            Kind::Feature(feature) => self.feature(feature, raw)?.into(),
        })
    }

    fn scaled(&self, raw: &Raw<'_>) -> Result<f64, Fault> {
        Ok(raw.number()? * self.unit.map_or(1.0, Unit::factor))
    }

    fn seconds(&self, raw: &Raw<'_>, most: f64) -> Result<f64, Fault> {
        let seconds = self
            .scaled(raw)
            .map_err(|(_, message)| (Reason::BadDuration, message))?;
        if (0.0..=most).contains(&seconds) {
            return Ok(seconds);
        }
        let limit = if most == MAX_DURATION_S {
            "a duration lies in [0, 604800] seconds (7 days)"
        } else {
            "a duration is at least 0 seconds"
        };
        fault(Reason::BadDuration, format!("{seconds} s; {limit}"))
    }

    fn instant(&self, raw: &Raw<'_>) -> Result<UtcMicros, Fault> {
        if let Some(unit @ (Unit::UnixSeconds | Unit::UnixMilliseconds)) = self.unit {
            let seconds = raw
                .number()
                .map_err(|(_, message)| (Reason::BadTime, message))?
                * unit.factor();
            return UtcMicros::from_unix_seconds(seconds).ok_or_else(|| {
                (
                    Reason::BadTime,
                    format!("{seconds} s since 1970 is no time"),
                )
            });
        }
        let text = raw.text();
        let text = text.trim();
        if let Ok(at) = UtcMicros::parse(text) {
            return Ok(at);
        }
        let Ok(civil) = text.parse::<DateTime>() else {
            return fault(
                Reason::BadTime,
                format!(
                    "`{text}` is no time; write RFC 3339 such as 2026-03-01T09:30:00Z, or set `unit = \"unix_seconds\"`"
                ),
            );
        };
        let Some(zone) = self.zone else {
            return fault(
                Reason::BadTime,
                format!("`{text}` has no offset from UTC; set `time_zone` in the mapping"),
            );
        };
        match zone.to_ambiguous_timestamp(civil).compatible() {
            Ok(timestamp) => Ok(UtcMicros(timestamp.as_microsecond())),
            Err(error) => fault(Reason::BadTime, error.to_string()),
        }
    }

    fn feature(&self, feature: Feature, raw: &Raw<'_>) -> Result<f32, Fault> {
        let text = raw.text();
        let text = text.trim();
        let coded = match feature {
            Feature::Class => Class::from_name(text).map(|class| class.index() as f32),
            Feature::Channel => Channel::from_name(text).map(|channel| channel.index() as f32),
            Feature::Intent => Some(intent_code(text)),
            Feature::Language => language_code(text),
            Feature::Region => letters_code(text),
            _ if feature.spec().kind == FeatureKind::Flag => Some(f32::from(u8::from(raw.flag()?))),
            _ => None,
        };
        let value = match coded {
            Some(code) => code,
            None => self.scaled(raw)? as f32,
        };
        let spec = feature.spec();
        if (spec.low..=spec.high).contains(&value) {
            Ok(value)
        } else {
            fault(
                Reason::BadValue,
                format!("{value} lies outside [{}, {}]", spec.low, spec.high),
            )
        }
    }
}

fn whole(raw: &Raw<'_>, low: i64, high: i64) -> Result<i64, Fault> {
    let number = raw.number()?;
    if number.fract() == 0.0 && (low as f64..=high as f64).contains(&number) {
        Ok(number as i64)
    } else {
        fault(
            Reason::BadValue,
            format!("{number} is no whole number in [{low}, {high}]"),
        )
    }
}

fn tier(raw: &Raw<'_>) -> Result<Tier, Fault> {
    let text = raw.text();
    let text = text.trim();
    let by_number = || text.parse().ok().and_then(Tier::from_number);
    match Tier::from_name(text).or_else(by_number) {
        Some(tier) => Ok(tier),
        None => fault(
            Reason::UnknownValue,
            format!(
                "`{text}` is no tier: 1 or auto, 2 or review, 3 or human; map it in the mapping"
            ),
        ),
    }
}
