//! Checks what a rule file says and compiles it.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use tierwise_envs::observation::{Feature, intent_code, language_code};
use toml::Spanned;

use super::RuleError;
use super::condition::{Bounds, Codes, Rule};
use super::spec::{RuleFile, RuleSpec, Threshold, TurnSpec};

/// Compiled patterns larger than this are refused: a rule file is no place for a grammar.
const PATTERN_BYTES: usize = 1 << 22;

/// Checks and compiles all rules of a file.
pub(super) fn rules(text: &str, file: &RuleFile) -> Result<Vec<Rule>, RuleError> {
    let mut compiled: Vec<Rule> = Vec::with_capacity(file.rule.len());
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (number, spanned) in (1..).zip(&file.rule) {
        let at = Place::new(text, number, spanned);
        let spec = spanned.get_ref();
        if spec.name.trim().is_empty() {
            return Err(at.value("name", &spec.name, "a rule needs a name"));
        }
        if let Some(earlier) = names.insert(&spec.name, number) {
            return Err(at.value(
                "name",
                &spec.name,
                format!("rule {earlier} has this name already"),
            ));
        }
        if let Some((index, blocker)) = (1..).zip(&compiled).find(|(_, rule)| rule.always_holds()) {
            return Err(RuleError::Unreachable {
                line: at.line,
                number,
                name: at.name.to_owned(),
                blocker: index,
                blocker_name: blocker.name.clone(),
            });
        }
        compiled.push(rule(&at, spec)?);
    }
    Ok(compiled)
}

/// Where in the file a rule stands, for messages.
struct Place<'a> {
    line: usize,
    number: usize,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn new(text: &str, number: usize, spec: &'a Spanned<RuleSpec>) -> Self {
        Self {
            line: text[..spec.span().start].matches('\n').count() + 1,
            number,
            name: &spec.get_ref().name,
        }
    }

    fn value(
        &self,
        key: impl Into<String>,
        value: impl std::fmt::Debug,
        expected: impl Into<String>,
    ) -> RuleError {
        RuleError::Value {
            line: self.line,
            number: self.number,
            name: self.name.to_owned(),
            key: key.into(),
            value: format!("{value:?}"),
            expected: expected.into(),
        }
    }

    fn pattern(
        &self,
        key: &'static str,
        pattern: &str,
        any_case: bool,
    ) -> Result<Regex, RuleError> {
        RegexBuilder::new(pattern)
            .case_insensitive(any_case)
            .size_limit(PATTERN_BYTES)
            .build()
            .map_err(|source| RuleError::Pattern {
                line: self.line,
                number: self.number,
                name: self.name.to_owned(),
                key,
                source: Box::new(source),
            })
    }
}

fn rule(at: &Place<'_>, spec: &RuleSpec) -> Result<Rule, RuleError> {
    Ok(Rule {
        name: spec.name.clone(),
        comment: spec.comment.clone(),
        codes: codes(at, spec)?,
        bounds: bounds(at, spec)?,
        hours: hours(at, spec.hour)?,
        keywords: spec
            .keywords
            .as_deref()
            .map(|words| keywords(at, words))
            .transpose()?,
        regex: spec
            .regex
            .as_deref()
            .map(|pattern| at.pattern("regex", pattern, false))
            .transpose()?,
        then: spec.then,
    })
}

fn codes(at: &Place<'_>, spec: &RuleSpec) -> Result<Vec<Codes>, RuleError> {
    let mut all = Vec::new();
    let mut add = |key: &'static str, feature, any_of: Vec<f32>| {
        if any_of.is_empty() {
            return Err(at.value(key, [0; 0], "an empty list never holds; leave the key out"));
        }
        all.push(Codes { feature, any_of });
        Ok(())
    };
    if let Some(classes) = &spec.class {
        let codes = classes.as_slice().iter().map(|c| c.index() as f32);
        add("class", Feature::Class, codes.collect())?;
    }
    if let Some(intents) = &spec.intent {
        let codes = intents.as_slice().iter().map(|name| intent_code(name));
        add("intent", Feature::Intent, codes.collect())?;
    }
    if let Some(channels) = &spec.channel {
        let codes = channels.as_slice().iter().map(|c| c.index() as f32);
        add("channel", Feature::Channel, codes.collect())?;
    }
    if let Some(languages) = &spec.language {
        let codes: Result<Vec<f32>, RuleError> = languages
            .as_slice()
            .iter()
            .map(|tag| {
                language_code(tag).ok_or_else(|| {
                    at.value(
                        "language",
                        tag,
                        "a language is a tag such as `zh` or `en-GB`",
                    )
                })
            })
            .collect();
        add("language", Feature::Language, codes?)?;
    }
    Ok(all)
}

fn bounds(at: &Place<'_>, spec: &RuleSpec) -> Result<Vec<Bounds>, RuleError> {
    let mut all = Vec::new();
    match spec.turn {
        None => {}
        Some(TurnSpec::Exactly(turn)) => all.push(Bounds {
            feature: Feature::Turn,
            min: turn as f32,
            max: turn as f32,
        }),
        Some(TurnSpec::Between(threshold)) => {
            all.push(bound(at, "turn", Feature::Turn, threshold)?);
        }
    }
    for (name, threshold) in &spec.features {
        let key = format!("features.{name}");
        let Some(feature) = Feature::from_name(name) else {
            let expected = match nearest_feature(name) {
                Some(near) => format!("there is no such feature; did you mean `{near}`?"),
                None => "there is no such feature".to_owned(),
            };
            return Err(at.value(key, name, expected));
        };
        all.push(bound(at, &key, feature, *threshold)?);
    }
    Ok(all)
}

fn bound(
    at: &Place<'_>,
    key: &str,
    feature: Feature,
    threshold: Threshold,
) -> Result<Bounds, RuleError> {
    let (low, high) = (feature.spec().low, feature.spec().high);
    if threshold.min.is_none() && threshold.max.is_none() {
        return Err(at.value(key, (), "it needs `min`, `max` or both"));
    }
    for value in threshold.min.into_iter().chain(threshold.max) {
        if !(low..=high).contains(&value) {
            return Err(at.value(key, value, format!("the feature lies in [{low}, {high}]")));
        }
    }
    let (min, max) = (threshold.min.unwrap_or(low), threshold.max.unwrap_or(high));
    if min > max {
        return Err(at.value(key, [min, max], "`min` is above `max`: it never holds"));
    }
    Ok(Bounds { feature, min, max })
}

fn hours(at: &Place<'_>, hour: Option<[f32; 2]>) -> Result<Option<[f32; 2]>, RuleError> {
    let Some([from, to]) = hour else {
        return Ok(None);
    };
    if ![from, to].iter().all(|h| (0.0..=24.0).contains(h)) {
        return Err(at.value("hour", [from, to], "hours lie in [0, 24]"));
    }
    if from == to {
        return Err(at.value(
            "hour",
            [from, to],
            "from and to are equal: write [0, 24] for the whole day",
        ));
    }
    Ok(Some([from, to]))
}

/// One pattern for a list of keywords, in any case. Where a keyword begins or ends with a Latin letter or digit, the
/// word must begin or end there too, so that `late` is not found in `chocolate`; a trailing `*` lifts that.
fn keywords(at: &Place<'_>, words: &[String]) -> Result<Regex, RuleError> {
    if words.is_empty() {
        return Err(at.value(
            "keywords",
            words,
            "an empty list never holds; leave the key out",
        ));
    }
    let mut alternatives = Vec::with_capacity(words.len());
    for word in words {
        let (stem, open) = match word.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (word.as_str(), false),
        };
        if stem.trim().is_empty() {
            return Err(at.value(
                "keywords",
                word,
                "an empty keyword is found in every message",
            ));
        }
        let edge = |letter: Option<char>, open: bool| {
            if !open && letter.is_some_and(|c| c.is_ascii_alphanumeric()) {
                // ASCII: in `我要refund` the Latin word begins after the Chinese one.
                r"(?-u:\b)"
            } else {
                ""
            }
        };
        alternatives.push(format!(
            "{}{}{}",
            edge(stem.chars().next(), false),
            regex::escape(stem),
            edge(stem.chars().next_back(), open)
        ));
    }
    at.pattern("keywords", &alternatives.join("|"), true)
}

/// The feature whose name is nearest, when it is near enough to be a slip: at most a third of its letters differ.
fn nearest_feature(name: &str) -> Option<&'static str> {
    Feature::ALL
        .iter()
        .map(|feature| feature.spec().name)
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| distance * 3 <= candidate.len())
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and substitutions.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
