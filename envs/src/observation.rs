//! What a policy sees when it decides: a fixed, versioned row of numbers.
//!
//! Each feature has a name, a unit, a range and a meaning of "missing" (NaN in memory, null in logs, never 0).
//! Adding, removing or reordering features raises [`SCHEMA_VERSION`]; policies refuse observations of another schema.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::class::Class;
use crate::time::UtcMicros;

/// Version of the list of features below.
pub const SCHEMA_VERSION: u32 = 1;

/// How a feature's number is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureKind {
    /// A quantity in the unit given.
    Quantity,
    /// 0 or 1.
    Flag,
    /// A category's code; its order means nothing.
    Code,
}

/// Name, unit and range of one feature.
#[derive(Debug, Clone, Copy)]
pub struct FeatureSpec {
    /// The name used in logs, rules and artefacts.
    pub name: &'static str,
    /// How to read it.
    pub kind: FeatureKind,
    /// Smallest value allowed.
    pub low: f32,
    /// Largest value allowed.
    pub high: f32,
    /// Meaning and unit, in a sentence.
    pub meaning: &'static str,
}

macro_rules! features {
    ($($variant:ident $name:literal $kind:ident $low:literal .. $high:literal $meaning:literal;)+) => {
        /// A column of the observation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Feature { $(#[doc = $meaning] $variant),+ }

        impl Feature {
            /// Every feature, in the order of the row.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// How many features a row has.
            pub const COUNT: usize = Self::ALL.len();
            const SPECS: [FeatureSpec; Self::COUNT] = [$(FeatureSpec {
                name: $name, kind: FeatureKind::$kind, low: $low, high: $high, meaning: $meaning,
            }),+];
        }
    };
}

features! {
    Class "class" Code 0.0..2.0 "Live guess of the class: 0 simple, 1 complex, 2 complaint.";
    Intent "intent" Code 0.0..1048575.0 "Intent's code: FNV-1a of its name, 20 bits.";
    IntentProbability "intent_probability" Quantity 0.0..1.0 "Probability of the likeliest intent.";
    IntentEntropy "intent_entropy" Quantity 0.0..16.0 "Entropy of the intent's distribution, in nats.";
    OutOfScope "out_of_scope" Flag 0.0..1.0 "The message fits no known intent.";
    WantsHuman "wants_human" Flag 0.0..1.0 "The customer asked for a person.";
    Sentiment "sentiment" Quantity -1.0..1.0 "Sentiment of the message, -1 angry to 1 happy.";
    LengthChars "length_chars" Quantity 0.0..1000000.0 "Length of the message, in characters.";
    KnowledgeCoverage "kg_coverage" Quantity 0.0..1.0 "Share of the question covered by known solutions.";
    KnowledgeScore "kg_score" Quantity 0.0..1.0 "Score of the best known solution.";
    Channel "channel" Code 0.0..5.0 "Channel's position: chat, email, voice, video, social, other.";
    AttachmentKinds "attachment_kinds" Code 0.0..15.0 "Bits: 1 image, 2 video, 4 audio, 8 other file.";
    Turn "turn" Quantity 0.0..10000.0 "How many customer messages came before this one.";
    ElapsedS "elapsed_s" Quantity 0.0..31622400.0 "Seconds since the conversation began.";
    WaitedS "waited_s" Quantity 0.0..31622400.0 "Seconds the customer has waited for answers so far.";
    AutoUsed "auto_used" Quantity 0.0..10000.0 "Answers given at tier 1 so far.";
    ReviewUsed "review_used" Quantity 0.0..10000.0 "Answers given at tier 2 so far.";
    HumanUsed "human_used" Quantity 0.0..10000.0 "Answers given at tier 3 so far.";
    Unresolved "unresolved" Quantity 0.0..10000.0 "Answers so far that did not solve the request.";
    SentimentSlope "sentiment_slope" Quantity -2.0..2.0 "Sentiment of this message minus that of the first.";
    Reopened "reopened" Flag 0.0..1.0 "The conversation was closed before and came back.";
    Segment "segment" Code 0.0..255.0 "Customer segment's code.";
    Contacts30d "contacts_30d" Quantity 0.0..100000.0 "Customer's contacts in the last 30 days.";
    Orders90d "orders_90d" Quantity 0.0..100000.0 "Customer's orders in the last 90 days.";
    ValueDecile "value_decile" Quantity 1.0..10.0 "Decile of the customer's value, 10 highest.";
    Language "language" Code 0.0..19682.0 "Primary language subtag's code (see `letters_code`).";
    Region "region" Code 0.0..19682.0 "Region's code (see `letters_code`).";
    BusyReview "busy_review" Quantity 0.0..1.0 "Busy share of the people who review.";
    BusyHuman "busy_human" Quantity 0.0..1.0 "Busy share of the people who take over.";
    QueueReview "queue_review" Quantity 0.0..1000000.0 "Messages waiting for review.";
    QueueHuman "queue_human" Quantity 0.0..1000000.0 "Conversations waiting for a person.";
    ExpectedWaitS "expected_wait_s" Quantity 0.0..31622400.0 "Expected seconds until a person is free.";
    HumansOnShift "humans_on_shift" Quantity 0.0..1000000.0 "People on shift who speak the customer's language.";
    AiLatencyS "ai_latency_s" Quantity 0.0..3600.0 "Recent seconds per AI answer.";
    ForecastLoad "forecast_load" Quantity 0.0..100.0 "Forecast contacts of the next hour over the hourly mean.";
    HourSin "hour_sin" Quantity -1.0..1.0 "Sine of the time of day, one turn in 24 h.";
    HourCos "hour_cos" Quantity -1.0..1.0 "Cosine of the time of day.";
    WeekdaySin "weekday_sin" Quantity -1.0..1.0 "Sine of the time of week, one turn in 7 days.";
    WeekdayCos "weekday_cos" Quantity -1.0..1.0 "Cosine of the time of week.";
}

impl Feature {
    /// Name, unit and range.
    #[must_use]
    pub const fn spec(self) -> &'static FeatureSpec {
        &Self::SPECS[self as usize]
    }

    /// Position in the row.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The feature with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|feature| feature.spec().name == name)
    }
}

/// Fingerprint of the schema: version, names, kinds and ranges. Artefacts carry it and refuse another.
#[must_use]
pub fn schema_hash() -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&SCHEMA_VERSION.to_le_bytes());
    for feature in Feature::ALL {
        let spec = feature.spec();
        hasher.update(
            format!("{}|{:?}|{}|{}\n", spec.name, spec.kind, spec.low, spec.high).as_bytes(),
        );
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// A row of features that cannot be observed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// A row of another length: another schema.
    #[error(
        "an observation has {have} features; schema version {SCHEMA_VERSION} has {}",
        Feature::COUNT
    )]
    Length {
        /// Features given.
        have: usize,
    },
    /// A value outside the feature's range.
    #[error("`{feature}` is {value}; it lies in [{low}, {high}]")]
    OutOfRange {
        /// The feature's name.
        feature: &'static str,
        /// The value given.
        value: f32,
        /// Smallest value allowed.
        low: f32,
        /// Largest value allowed.
        high: f32,
    },
}

/// One observation: a value for each [`Feature`], NaN where unknown.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    values: [f32; Feature::COUNT],
}

impl Default for Observation {
    fn default() -> Self {
        Self::unknown()
    }
}

impl PartialEq for Observation {
    /// Equal when every feature is equal or missing in both.
    fn eq(&self, other: &Self) -> bool {
        self.values
            .iter()
            .zip(&other.values)
            .all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
    }
}

impl Observation {
    /// Nothing known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            values: [f32::NAN; Feature::COUNT],
        }
    }

    /// The features given, everything else unknown.
    #[must_use]
    pub fn from_features(features: &[(Feature, f32)]) -> Self {
        let mut observation = Self::unknown();
        for (feature, value) in features {
            observation.set(*feature, *value);
        }
        observation
    }

    /// Checks a row read from outside; NaN is missing.
    ///
    /// # Errors
    /// [`ObservationError`] for another length or a value outside its range.
    pub fn from_row(row: &[f32]) -> Result<Self, ObservationError> {
        let values: [f32; Feature::COUNT] = row
            .try_into()
            .map_err(|_| ObservationError::Length { have: row.len() })?;
        for feature in Feature::ALL {
            let (value, spec) = (values[feature.index()], feature.spec());
            if !value.is_nan() && !(spec.low..=spec.high).contains(&value) {
                return Err(ObservationError::OutOfRange {
                    feature: spec.name,
                    value,
                    low: spec.low,
                    high: spec.high,
                });
            }
        }
        Ok(Self { values })
    }

    /// A feature's value, if known.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<f32> {
        let value = self.values[feature.index()];
        (!value.is_nan()).then_some(value)
    }

    /// Sets a feature, clamped to its range; NaN makes it unknown.
    pub fn set(&mut self, feature: Feature, value: f32) {
        let spec = feature.spec();
        self.values[feature.index()] = value.clamp(spec.low, spec.high);
    }

    /// Sets a feature where a value is known.
    pub fn set_known(&mut self, feature: Feature, value: Option<f32>) {
        if let Some(value) = value {
            self.set(feature, value);
        }
    }

    /// The row, NaN where unknown.
    #[must_use]
    pub const fn row(&self) -> &[f32; Feature::COUNT] {
        &self.values
    }

    /// The live guess of the class.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.get(Feature::Class)
            .and_then(|code| Class::from_index(code as usize))
    }

    /// Sets the four clock features from an instant (UTC).
    pub fn set_clock(&mut self, at: UtcMicros) {
        let day = at.second_of_day() / 86_400.0;
        let week = (f64::from(at.weekday()) + day) / 7.0;
        let (hour_sin, hour_cos) = turn(day);
        let (weekday_sin, weekday_cos) = turn(week);
        self.set(Feature::HourSin, hour_sin as f32);
        self.set(Feature::HourCos, hour_cos as f32);
        self.set(Feature::WeekdaySin, weekday_sin as f32);
        self.set(Feature::WeekdayCos, weekday_cos as f32);
    }

    /// Hour of the day (UTC), [0, 24), from the clock features.
    #[must_use]
    pub fn hour(&self) -> Option<f32> {
        let (sin, cos) = (self.get(Feature::HourSin)?, self.get(Feature::HourCos)?);
        let turn = sin.atan2(cos) / std::f32::consts::TAU;
        // The clock features carry about seven digits: round to 0.1 s so that 09:00 is not 08:59:59.99.
        let hour = (turn.rem_euclid(1.0) * 864_000.0).round() / 36_000.0;
        Some(if hour >= 24.0 { 0.0 } else { hour })
    }
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.values.iter().map(|v| (!v.is_nan()).then_some(*v)))
    }
}

impl<'de> Deserialize<'de> for Observation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row: Vec<Option<f32>> = Vec::deserialize(deserializer)?;
        let row: Vec<f32> = row.into_iter().map(|v| v.unwrap_or(f32::NAN)).collect();
        Self::from_row(&row).map_err(de::Error::custom)
    }
}

/// Steps of the table behind [`turn`].
const STEPS: usize = 128;

/// Sine and cosine of a share of a full turn in [0, 1], to 1e-13: from the nearest step below by the addition theorems, with
/// Taylor's series for the rest, which is below 0.05. Every observation takes two, and the library's take a third of it.
fn turn(share: f64) -> (f64, f64) {
    static TABLE: LazyLock<[(f64, f64); STEPS]> = LazyLock::new(|| {
        std::array::from_fn(|i| (std::f64::consts::TAU * i as f64 / STEPS as f64).sin_cos())
    });
    let scaled = share * STEPS as f64;
    let step = scaled as usize;
    let rest = std::f64::consts::TAU * (scaled - step as f64) / STEPS as f64;
    let (sin, cos) = TABLE[step % STEPS];
    let r2 = rest * rest;
    let rest_sin = rest * (1.0 - r2 / 6.0 * (1.0 - r2 / 20.0 * (1.0 - r2 / 42.0)));
    let rest_cos = 1.0 - r2 / 2.0 * (1.0 - r2 / 12.0 * (1.0 - r2 / 30.0 * (1.0 - r2 / 56.0)));
    (
        sin * rest_cos + cos * rest_sin,
        cos * rest_cos - sin * rest_sin,
    )
}

/// Code of one to three ASCII letters in base 27, so that languages and regions fit a number: `zh` and `ZH` alike.
/// `None` for anything else.
#[must_use]
pub fn letters_code(text: &str) -> Option<f32> {
    if !(1..=3).contains(&text.len()) {
        return None;
    }
    text.bytes().try_fold(0.0, |code, letter| {
        letter
            .is_ascii_alphabetic()
            .then(|| code * 27.0 + f32::from(letter.to_ascii_lowercase() - b'a' + 1))
    })
}

/// Code of a BCP 47 tag's primary language: `zh-Hant-TW` → code of `zh`.
#[must_use]
pub fn language_code(tag: &str) -> Option<f32> {
    letters_code(tag.split(['-', '_']).next()?)
}

/// Code of an intent's name: FNV-1a (32 bits), lowest 20 bits. Two intents share a code with probability 1e-6.
#[must_use]
pub fn intent_code(name: &str) -> f32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash & 0xf_ffff) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_zero() {
        let observation = Observation::unknown();
        assert_eq!(observation.get(Feature::Sentiment), None);
        let json = serde_json::to_string(&observation).unwrap();
        assert!(json.starts_with("[null,"));
        assert_eq!(
            serde_json::from_str::<Observation>(&json).unwrap(),
            observation
        );
    }

    #[test]
    fn rows_are_checked() {
        assert!(matches!(
            Observation::from_row(&[0.0; 3]),
            Err(ObservationError::Length { have: 3 })
        ));
        let mut row = [f32::NAN; Feature::COUNT];
        row[Feature::Sentiment.index()] = 1.5;
        assert!(matches!(
            Observation::from_row(&row),
            Err(ObservationError::OutOfRange {
                feature: "sentiment",
                ..
            })
        ));
        row[Feature::Sentiment.index()] = f32::INFINITY;
        assert!(Observation::from_row(&row).is_err());
    }

    #[test]
    fn the_clock_reads_back() {
        let mut observation = Observation::unknown();
        for (text, hour) in [
            ("2026-03-02T09:00:00Z", 9.0),
            ("2026-03-02T00:00:00Z", 0.0),
            ("2026-03-02T23:30:00Z", 23.5),
        ] {
            observation.set_clock(UtcMicros::parse(text).unwrap());
            assert_eq!(observation.hour(), Some(hour), "{text}");
        }
    }

    #[test]
    fn turns_are_those_of_the_library() {
        for i in 0..=100_000 {
            let share = f64::from(i) / 100_000.0;
            let (sin, cos) = turn(share);
            let (want_sin, want_cos) = (std::f64::consts::TAU * share).sin_cos();
            assert!(
                (sin - want_sin).abs() < 1e-13 && (cos - want_cos).abs() < 1e-13,
                "{share}: {sin} {cos}"
            );
        }
    }

    #[test]
    fn codes_fit_their_range_and_differ() {
        assert_eq!(letters_code("a"), Some(1.0));
        assert_eq!(letters_code("zzz"), Some(19_682.0));
        assert_eq!(language_code("zh-Hant-TW"), letters_code("ZH"));
        assert_ne!(language_code("zh"), language_code("en"));
        assert_eq!(letters_code("1x"), None);
        assert_eq!(letters_code(""), None);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Feature::ALL.iter().map(|f| f.spec().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Feature::COUNT);
    }
}
