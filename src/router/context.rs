//! What a client tells about the message and the customer, read from JSON into an observation.
//!
//! Features stand under their names; codes (class, intent, language, region, channel) may be given as text. `text` is the
//! message, for rules with keywords. Anything else is an attribute: it can be targeted, is never stored and never a part of
//! the observation.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use tierwise_envs::class::{Channel, Class};
use tierwise_envs::observation::{
    Feature, FeatureKind, Observation, intent_code, language_code, letters_code,
};

/// Most attributes that are kept; the rest of a context is passed over.
const MOST_ATTRIBUTES: usize = 64;

/// A context as read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The features given.
    pub observation: Observation,
    /// The message.
    pub text: Option<String>,
    /// The texts of features given as text, and everything that is no feature.
    attributes: Vec<(String, Attribute)>,
}

/// A value that is no feature, or a feature's own text.
#[derive(Debug, Clone, PartialEq)]
enum Attribute {
    Text(String),
    Number(f64),
}

impl Context {
    /// A field's number: the feature, or a numeric attribute.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<f64> {
        if let Some(feature) = Feature::from_name(field) {
            return self.observation.get(feature).map(f64::from);
        }
        match self.attribute(field)? {
            Attribute::Number(number) => Some(*number),
            Attribute::Text(_) => None,
        }
    }

    /// A field's text: as it was given; a class by its name; numbers in decimal.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<Cow<'_, str>> {
        match self.attribute(field) {
            Some(Attribute::Text(text)) => Some(Cow::Borrowed(text)),
            Some(Attribute::Number(number)) => Some(Cow::Owned(number.to_string())),
            None if field == "class" => Some(Cow::Borrowed(self.observation.class()?.name())),
            None => {
                let feature = Feature::from_name(field)?;
                self.observation
                    .get(feature)
                    .map(|number| Cow::Owned(number.to_string()))
            }
        }
    }

    fn attribute(&self, field: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, attribute)| attribute)
    }

    fn keep(&mut self, name: &str, attribute: Attribute) -> Result<(), String> {
        if self.attribute(name).is_some() {
            return Err(twice(name));
        }
        if self.attributes.len() < MOST_ATTRIBUTES {
            self.attributes.push((name.to_owned(), attribute));
        }
        Ok(())
    }

    /// Takes in a feature's value; the message names field and range where it does not fit.
    fn set(&mut self, feature: Feature, value: Scalar) -> Result<(), String> {
        let spec = feature.spec();
        if self.observation.get(feature).is_some() {
            return Err(twice(spec.name));
        }
        let number = match value {
            Scalar::Null => return Ok(()),
            Scalar::Number(number) => number as f32,
            Scalar::Flag(flag) if spec.kind == FeatureKind::Flag => f32::from(u8::from(flag)),
            Scalar::Text(text) => {
                let code = code_of(feature, &text)
                    .ok_or_else(|| format!("`{}` is \"{text}\"; {}", spec.name, wanted(feature)))?;
                self.keep(spec.name, Attribute::Text(text))?;
                code
            }
            Scalar::Flag(_) | Scalar::Other(_) => {
                return Err(format!("`{}` is {value}; {}", spec.name, wanted(feature)));
            }
        };
        if !(spec.low..=spec.high).contains(&number) {
            return Err(format!(
                "`{}` is {number}; it lies in [{}, {}]",
                spec.name, spec.low, spec.high
            ));
        }
        self.observation.set(feature, number);
        Ok(())
    }
}

/// Targeting and the observation must not read different ones.
fn twice(name: &str) -> String {
    format!("`{name}` is given twice")
}

/// The code of a feature given as text.
fn code_of(feature: Feature, text: &str) -> Option<f32> {
    match feature {
        Feature::Class => Class::from_name(text).map(|class| class.index() as f32),
        Feature::Channel => Channel::from_name(text).map(|channel| channel.index() as f32),
        Feature::Intent => Some(intent_code(text)),
        Feature::Language => language_code(text),
        Feature::Region => letters_code(text),
        _ => None,
    }
}

fn wanted(feature: Feature) -> String {
    match feature {
        Feature::Class => "a class is `simple`, `complex` or `complaint`".to_owned(),
        Feature::Channel => {
            "a channel is `chat`, `email`, `voice`, `video`, `social` or `other`".to_owned()
        }
        Feature::Language => "a language is a BCP 47 tag such as `zh-Hant`".to_owned(),
        Feature::Region => "a region is a code of one to three letters".to_owned(),
        _ => {
            let spec = feature.spec();
            let kind = match spec.kind {
                FeatureKind::Quantity => "a number",
                FeatureKind::Flag => "true, false, 0 or 1",
                FeatureKind::Code => "a code",
            };
            format!("it is {kind} in [{}, {}]", spec.low, spec.high)
        }
    }
}

/// A JSON value as far as a context needs it.
#[derive(Debug)]
enum Scalar {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    Other(&'static str),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number as f64))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("a list"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("an object"))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContextVisitor;
        impl<'de> Visitor<'de> for ContextVisitor {
            type Value = Context;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of observation fields")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
                let mut context = Context::default();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    let value: Scalar = map.next_value()?;
                    if let Some(feature) = Feature::from_name(&name) {
                        context.set(feature, value).map_err(de::Error::custom)?;
                        continue;
                    }
                    let kept = match (&*name, value) {
                        ("text", Scalar::Text(_)) if context.text.is_some() => Err(twice("text")),
                        ("text", Scalar::Text(text)) => {
                            context.text = Some(text);
                            Ok(())
                        }
                        ("text", Scalar::Null) | (_, Scalar::Null | Scalar::Other(_)) => Ok(()),
                        ("text", other) => {
                            return Err(de::Error::custom(format!(
                                "`text` is {other}; it is a text"
                            )));
                        }
                        (_, Scalar::Text(text)) => context.keep(&name, Attribute::Text(text)),
                        (_, Scalar::Number(number)) => {
                            context.keep(&name, Attribute::Number(number))
                        }
                        (_, Scalar::Flag(flag)) => {
                            context.keep(&name, Attribute::Text(flag.to_string()))
                        }
                    };
                    kept.map_err(de::Error::custom)?;
                }
                Ok(context)
            }
        }
        deserializer.deserialize_map(ContextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Context, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn features_are_numbers_flags_or_names() {
        let context = read(
            r#"{"class": "complaint", "sentiment": -0.5, "wants_human": true, "language": "zh-Hant",
                "turn": null, "text": "退款", "shop": "north", "vip": true, "age": 7, "nested": {"a": [1]}}"#,
        )
        .unwrap();
        assert_eq!(context.observation.class(), Some(Class::Complaint));
        assert_eq!(context.observation.get(Feature::Sentiment), Some(-0.5));
        assert_eq!(context.observation.get(Feature::WantsHuman), Some(1.0));
        assert_eq!(
            context.observation.get(Feature::Language),
            letters_code("zh")
        );
        assert_eq!(context.observation.get(Feature::Turn), None);
        assert_eq!(context.text.as_deref(), Some("退款"));
        assert_eq!(context.text_of("language").as_deref(), Some("zh-Hant"));
        assert_eq!(context.text_of("shop").as_deref(), Some("north"));
        assert_eq!(context.text_of("vip").as_deref(), Some("true"));
        assert_eq!(context.number("age"), Some(7.0));
        assert_eq!(context.text_of("nested"), None);
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (json, want) in [
            (
                r#"{"sentiment": 3}"#,
                "`sentiment` is 3; it lies in [-1, 1]",
            ),
            (
                r#"{"sentiment": "low"}"#,
                "`sentiment` is \"low\"; it is a number in [-1, 1]",
            ),
            (
                r#"{"class": "rude"}"#,
                "a class is `simple`, `complex` or `complaint`",
            ),
            (r#"{"turn": [1]}"#, "`turn` is a list"),
            (r#"{"turn": true}"#, "`turn` is true; it is a number"),
            (r#"{"text": 4}"#, "`text` is 4; it is a text"),
            (
                r#"{"language": "th", "language": "en"}"#,
                "`language` is given twice",
            ),
            (r#"{"turn": 1, "turn": 2}"#, "`turn` is given twice"),
            (r#"{"shop": "a", "shop": "b"}"#, "`shop` is given twice"),
            (r#"{"text": "a", "text": "b"}"#, "`text` is given twice"),
            (r#"[1]"#, "an object of observation fields"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(want), "{json}: {error}");
        }
    }
}
