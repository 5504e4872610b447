//! A TOML file that remembers its text, so that errors can point at a line.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        reason: String,
    },
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("{}{}: {reason}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1; absent for a text that stands in no file.
        line: Option<usize>,
        /// What was found and expected.
        reason: String,
    },
    /// A value out of range.
    #[error("{}{}: `{key}` is {value}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1; absent when the key is not written in the file.
        line: Option<usize>,
        /// Dotted key.
        key: String,
        /// The value found.
        value: String,
        /// What would be right.
        expected: String,
    },
}

impl ConfigError {
    /// The same error of a text that no file holds, such as one combination of a sweep.
    #[must_use]
    pub fn without_line(mut self) -> Self {
        match &mut self {
            Self::Syntax { line, .. } | Self::Value { line, .. } => *line = None,
            Self::Unreadable { .. } => {}
        }
        self
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            ConfigError::Unreadable { .. } => {
                failure.fix("check the path; examples are in configs/")
            }
            ConfigError::Syntax { .. } => failure.fix("configs/reference.toml explains every key"),
            ConfigError::Value { expected, .. } => failure
                .detail(expected)
                .fix("configs/reference.toml explains every key and its range"),
        }
    }
}

/// A TOML file with its text.
#[derive(Debug, Clone)]
pub struct TomlFile {
    path: PathBuf,
    text: String,
}

impl TomlFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::Unreadable {
            path: path.to_owned(),
            reason: e.to_string(),
        })?;
        Ok(Self::new(path, text))
    }

    /// Takes text as if read from `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// The same file with some dotted keys set, each as `key=value`; what is no TOML value is taken as text.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] for a file that is no TOML, or a setting without a key.
    pub fn with_settings(self, settings: &[String]) -> Result<Self, ConfigError> {
        if settings.is_empty() {
            return Ok(self);
        }
        let mut document: toml::Table = self.parse()?;
        let refused = |setting: &str, reason: &str| ConfigError::Syntax {
            path: self.path.clone(),
            line: None,
            reason: format!("`--set {setting}`: {reason}"),
        };
        for setting in settings {
            let (key, text) = setting
                .split_once('=')
                .ok_or_else(|| refused(setting, "a setting is KEY=VALUE"))?;
            let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
                .ok()
                .and_then(|mut table| table.remove("value"))
                .unwrap_or_else(|| toml::Value::String(text.to_owned()));
            let mut table = &mut document;
            let mut parts = key.trim().split('.').peekable();
            while let Some(part) = parts.next() {
                if part.is_empty() {
                    return Err(refused(setting, "a key is words with dots between them"));
                }
                if parts.peek().is_none() {
                    table.insert(part.to_owned(), value.clone());
                    break;
                }
                table = table
                    .entry(part)
                    .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                    .as_table_mut()
                    .ok_or_else(|| {
                        refused(setting, "the key leads through a value that is no table")
                    })?;
            }
        }
        let text = toml::to_string(&document).map_err(|e| refused("", &e.to_string()))?;
        Ok(Self {
            path: self.path,
            text,
        })
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Parses the text.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] with the line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|error| ConfigError::Syntax {
            path: self.path.clone(),
            line: Some(error.span().map_or(1, |span| self.line_at(span.start))),
            reason: match error.span().and_then(|span| self.key_at(span.start)) {
                Some(key) => format!("`{key}`: {}", error.message()),
                None => error.message().to_owned(),
            },
        })
    }

    /// A value error at the line where a dotted key stands.
    pub fn value_error(
        &self,
        key: &str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> ConfigError {
        ConfigError::Value {
            path: self.path.clone(),
            line: self.line_of(key),
            key: key.to_owned(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text[..offset.min(self.text.len())]
            .matches('\n')
            .count()
            + 1
    }

    /// Line of a dotted key, or of its nearest parent that is written in the file.
    fn line_of(&self, key: &str) -> Option<usize> {
        let table = toml::de::DeTable::parse(&self.text).ok()?;
        let mut table = table.get_ref();
        let mut line = None;
        let mut rest = key;
        loop {
            // A whole dotted rest may be one quoted key, as under `[sweep.parameters]`.
            let (part, below) = rest.split_once('.').unwrap_or((rest, ""));
            let quoted = table.iter().find(|(name, _)| name.get_ref() == rest);
            let Some((name, value)) =
                quoted.or_else(|| table.iter().find(|(name, _)| name.get_ref() == part))
            else {
                return line;
            };
            line = Some(self.line_at(name.span().start));
            match value.get_ref() {
                toml::de::DeValue::Table(inner) if quoted.is_none() => table = inner,
                _ => return line,
            }
            rest = below;
        }
    }

    /// The dotted key whose name or value stands at an offset; `None` at the top level and outside of keys.
    fn key_at(&self, offset: usize) -> Option<String> {
        fn within(table: &toml::de::DeTable<'_>, offset: usize) -> Option<String> {
            table.iter().find_map(|(name, value)| {
                let below = match value.get_ref() {
                    toml::de::DeValue::Table(inner) => within(inner, offset),
                    _ => None,
                };
                match below {
                    Some(below) => Some(format!("{}.{below}", name.get_ref())),
                    None => (name.span().contains(&offset) || value.span().contains(&offset))
                        .then(|| name.get_ref().to_string()),
                }
            })
        }
        within(toml::de::DeTable::parse(&self.text).ok()?.get_ref(), offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_point_at_the_line() {
        let file = TomlFile::new("a.toml", "name = \"x\"\n\n[learner]\ndiscount = 1.2\n");
        let error = file.value_error("learner.discount", 1.2, "a discount lies in [0, 1]");
        assert_eq!(error.to_string(), "a.toml:4: `learner.discount` is 1.2");
        let inherited = file.value_error("serve.floor", 0.5, "");
        assert_eq!(inherited.to_string(), "a.toml: `serve.floor` is 0.5");
    }

    #[test]
    fn syntax_errors_name_the_dotted_key() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only parsed")]
        struct Nested {
            inner:
                Option<std::collections::BTreeMap<String, std::collections::BTreeMap<String, u8>>>,
        }
        for (text, message) in [
            (
                "[inner.a]\nb = 300\n",
                "a.toml:2: `inner.a.b`: invalid value: integer `300`, expected u8",
            ),
            (
                "inner = { a = { c = true } }",
                "a.toml:1: `inner.a.c`: invalid type: boolean `true`, expected u8",
            ),
            (
                "\n[inner]\na = 1\n",
                "a.toml:3: `inner.a`: invalid type: integer `1`, expected a map",
            ),
        ] {
            let error = TomlFile::new("a.toml", text).parse::<Nested>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_quoted_dotted_key_has_its_own_line() {
        let text = "[sweep.parameters]\n\n\"learner.discount\" = []\n";
        let error = TomlFile::new("a.toml", text).value_error(
            "sweep.parameters.learner.discount",
            "[]",
            "",
        );
        assert!(error.to_string().starts_with("a.toml:3: "), "{error}");
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_found() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Tiny {
            #[expect(dead_code, reason = "only parsed")]
            steps: u32,
        }
        for (text, line) in [
            ("\nstep = 1\n", 2),
            ("\n\nsteps = \"many\"\n", 3),
            ("steps = -1", 1),
            ("= 3", 1),
        ] {
            match TomlFile::new("a.toml", text).parse::<Tiny>() {
                Err(ConfigError::Syntax { line: have, .. }) => {
                    assert_eq!(have, Some(line), "{text:?}");
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
