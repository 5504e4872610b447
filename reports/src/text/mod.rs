//! The page's languages. Owns the choice of language and the look-up of
//! phrases; [`phrases`] holds the table itself, every phrase in both languages
//! side by side, [`centre`] and [`off_policy`] the phrases of one page alone, [`online`] those of the live pages, and
//! [`keys`] the words that callers pass as keys.

mod centre;
mod keys;
mod off_policy;
mod online;
mod phrases;

use serde::{Deserialize, Serialize};

pub(crate) use centre::CentrePhrase;
pub(crate) use off_policy::TablePhrase;
pub(crate) use online::OnlinePhrase;
pub(crate) use phrases::Phrase;

/// An entry of one of the phrase tables.
pub(crate) trait Phrased: Copy {
    /// The phrase's wording in `language`.
    fn in_language(self, language: Language) -> &'static str;
}

/// The language a page is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// The BCP 47 tag for the page's `lang` attribute.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-Hans",
        }
    }
}

/// Phrases in one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    language: Language,
}

impl Words {
    pub(crate) fn new(language: Language) -> Self {
        Self { language }
    }

    pub(crate) fn language(self) -> Language {
        self.language
    }

    /// A phrase without blanks.
    pub(crate) fn say(self, phrase: impl Phrased) -> &'static str {
        phrase.in_language(self.language)
    }

    /// A phrase as it stands inside a sentence: English capitals only open one.
    pub(crate) fn inside(self, phrase: impl Phrased) -> String {
        let text = self.say(phrase);
        let mut rest = text.chars();
        match rest.next() {
            Some(first) => first.to_lowercase().chain(rest).collect(),
            None => String::new(),
        }
    }

    /// A clause made a sentence: capital and full stop.
    pub(crate) fn sentence(self, clause: &str) -> String {
        let mut rest = clause.chars();
        let mut text: String = match rest.next() {
            Some(first) => first.to_uppercase().chain(rest).collect(),
            None => return String::new(),
        };
        if !text.ends_with(['.', '。', '!', '?', '！', '？']) {
            text.push_str(self.say(Phrase::FullStop));
        }
        text
    }

    /// Sentences one after the other, with a space where the language has one.
    pub(crate) fn sentences(self, sentences: &[impl AsRef<str>]) -> String {
        let sentences: Vec<&str> = sentences.iter().map(AsRef::as_ref).collect();
        sentences.join(self.say(Phrase::SentenceSpace))
    }

    /// A phrase with its `{blanks}` filled, in one pass: a value that itself
    /// contains braces (a policy may be named anything) is left as it is.
    pub(crate) fn fill(self, phrase: impl Phrased, values: &[(&str, &str)]) -> String {
        let mut text = String::new();
        let mut rest = self.say(phrase);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            match after.split_once('}') {
                Some((name, after)) => {
                    if let Some((_, value)) = values.iter().find(|(blank, _)| *blank == name) {
                        text.push_str(value);
                    }
                    rest = after;
                }
                None => rest = after,
            }
        }
        text.push_str(rest);
        text
    }

    /// A caller's key in this language where it is known, else as it came.
    pub(crate) fn key(self, key: &str) -> &str {
        keys::translate(key, self.language).unwrap_or(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanks(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .map(|part| part.split_once('}').map_or("unclosed", |(name, _)| name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn is_chinese(character: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&character)
    }

    #[test]
    fn every_phrase_exists_in_both_languages() {
        let both = |name: String, phrase: &dyn Fn(Language) -> &'static str, symbol: bool| {
            (name, phrase(Language::En), phrase(Language::Zh), symbol)
        };
        let shared = Phrase::ALL.iter().map(|phrase| {
            let wording = |language| phrase.in_language(language);
            both(format!("{phrase:?}"), &wording, phrase.is_symbol())
        });
        let centre = CentrePhrase::ALL.iter().map(|phrase| {
            let wording = |language| phrase.in_language(language);
            both(format!("{phrase:?}"), &wording, phrase.is_symbol())
        });
        let table = TablePhrase::ALL.iter().map(|phrase| {
            let wording = |language| phrase.in_language(language);
            both(format!("{phrase:?}"), &wording, false)
        });
        let online = OnlinePhrase::ALL.iter().map(|phrase| {
            let wording = |language| phrase.in_language(language);
            both(format!("{phrase:?}"), &wording, phrase.is_symbol())
        });
        let all = shared.chain(centre).chain(table).chain(online);
        for (name, en, zh, symbol) in all {
            assert!(!en.is_empty(), "{name}");
            assert!(!en.chars().any(is_chinese) || symbol, "{name}: {en}");
            // Symbols and estimator names may stay the same; sentences may not.
            assert!(zh.chars().any(is_chinese) || symbol, "{name}: {zh}");
            assert_eq!(blanks(en), blanks(zh), "{name}");
        }
    }

    #[test]
    fn filling_is_one_pass() {
        let words = Words::new(Language::En);
        let text = words.fill(
            Phrase::VerdictBeatsHeadline,
            &[("policy", "{baseline}"), ("baseline", "rule")],
        );
        assert_eq!(text.matches("rule").count(), 1, "{text}");
        assert!(text.contains("{baseline}"), "{text}");
    }

    #[test]
    fn clauses_become_sentences() {
        let (en, zh) = (Words::new(Language::En), Words::new(Language::Zh));
        assert_eq!(en.sentence("not in the log"), "Not in the log.");
        assert_eq!(en.sentence("Done!"), "Done!");
        assert_eq!(zh.sentence("日志未记录"), "日志未记录。");
        assert_eq!(en.sentence(""), "");
    }

    #[test]
    fn keys_translate_where_known() {
        let words = Words::new(Language::Zh);
        assert_eq!(words.key("complexity"), "复杂度");
        assert_eq!(words.key("moon phase"), "moon phase");
        assert_eq!(Words::new(Language::En).key("negative"), "negative");
    }
}
