//! The rule of promotion from a TOML file.

use std::path::Path;

use super::{ConfigError, TomlFile};
use crate::stats::verdict::PromotionRule;

/// Reads and checks a rule; keys that are not written have their defaults.
///
/// # Errors
/// [`ConfigError`] naming file, line, key and range.
pub fn load_rule(path: &Path) -> Result<PromotionRule, ConfigError> {
    let file = TomlFile::read(path)?;
    let rule: PromotionRule = file.parse()?;
    match rule.check() {
        Ok(()) => Ok(rule),
        Err(fault) => Err(file.value_error(fault.key, fault.value, fault.expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_states_the_defaults() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/promotion.toml");
        assert_eq!(load_rule(&path).unwrap(), PromotionRule::default());
        // Every key is written: leaving all out and leaving none out differ in nothing.
        let text = std::fs::read_to_string(&path).unwrap();
        let written: toml::Table = text.parse().unwrap();
        let all = toml::Table::try_from(PromotionRule::default()).unwrap();
        assert_eq!(
            written.keys().collect::<Vec<_>>(),
            all.keys().collect::<Vec<_>>()
        );
    }

    #[test]
    fn bad_values_name_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rule.toml");
        for (text, line) in [
            (
                "challengers = 1\nerror_budget = 1.5\n",
                ":2: `error_budget` is 1.5",
            ),
            ("\nramp = [0.5, 0.1]\n", ":2: `ramp` is [0.5, 0.1]"),
            ("minimum_day = 3\n", ":1: "),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = load_rule(&path).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }
}
