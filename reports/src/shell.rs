//! The frame that every page shares: head, style, header, contents, footer.
//! Pages extend `templates/shell.html` and give it a [`Shell`].

use crate::text::{Phrase, Words};

/// The style sheet of every page, inlined into it.
const STYLE: &str = include_str!("../templates/style.css");

/// What the frame needs to know about a page.
pub(crate) struct Shell {
    pub(crate) language: &'static str,
    pub(crate) style: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) subtitle: Option<String>,
    pub(crate) sample: Option<&'static str>,
    pub(crate) contents: Vec<Entry>,
}

/// One entry of the contents.
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
}

impl Shell {
    pub(crate) fn new(
        words: Words,
        kind: Phrase,
        title: Option<&str>,
        subtitle: Option<&str>,
        sample: bool,
    ) -> Self {
        Self {
            language: words.language().tag(),
            style: STYLE,
            kind: words.say(kind),
            title: title.unwrap_or(words.say(kind)).to_owned(),
            subtitle: subtitle.map(str::to_owned),
            sample: sample.then(|| words.say(Phrase::SampleNotice)),
            contents: Vec::new(),
        }
    }
}
