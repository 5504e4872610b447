//! How the verdict reads when both policies ran in a simulated centre: more,
//! less, or no difference shown, as the interval says.

use crate::error::ReportError;
use crate::measure::Measure;
use crate::number;
use crate::text::{Phrase, Words};
use crate::verdict::{Comparison, VerdictView};

impl Comparison {
    /// The verdict in a simulated centre, worded by its interval.
    ///
    /// # Errors
    /// [`ReportError`] where the interval cannot be drawn.
    pub(crate) fn centre_view(
        &self,
        words: Words,
        (policy, baseline, centre): (&str, &str, &str),
        replications: u64,
    ) -> Result<VerdictView, ReportError> {
        let mut view = self.view(
            words,
            ("simulated", "∿"),
            baseline,
            self.centre_headline(words, policy, baseline),
            words.fill(Phrase::VerdictCentreMeaning, &[("centre", centre)]),
            words.say(Phrase::VerdictCentreAction),
        )?;
        view.evidence.push_str(&words.fill(
            Phrase::VerdictCentreReplications,
            &[("count", &number::count(replications))],
        ));
        Ok(view)
    }

    /// What the interval says of the candidate when everyone uses it.
    fn centre_headline(&self, words: Words, policy: &str, baseline: &str) -> String {
        let bounds = [self.difference, self.lower, self.upper];
        let unit = self
            .measure
            .unit(bounds.into_iter().chain(self.baseline_value));
        let size = self.difference.abs();
        let difference = unit.difference(words, size, unit.decimals(&bounds));
        let phrase = match (self.measure, self.lower > 0.0, self.upper < 0.0) {
            (Measure::Reward, true, _) => Phrase::VerdictCentreMore,
            (Measure::Reward, _, true) => Phrase::VerdictCentreLess,
            (_, true, _) => Phrase::VerdictCentreHigher,
            (_, _, true) => Phrase::VerdictCentreLower,
            _ => Phrase::VerdictCentreOpen,
        };
        words.fill(
            phrase,
            &[
                ("policy", policy),
                ("baseline", baseline),
                ("measure", &words.inside(self.measure.name())),
                ("difference", difference.trim_start_matches('+')),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evidence, Language, Verdict};

    #[test]
    fn in_a_centre_the_interval_words_the_headline() {
        let headline = |difference: f64, measure, evidence| {
            let verdict = Verdict::InCentre {
                policy: "q".to_owned(),
                baseline: "rule".to_owned(),
                centre: "shop".to_owned(),
                replications: 40,
                comparison: Comparison {
                    measure,
                    evidence,
                    difference,
                    lower: difference - 0.01,
                    upper: difference + 0.01,
                    level: 0.95,
                    n: 12_345,
                    baseline_value: Some(0.4),
                    candidates_judged: None,
                    method: None,
                },
            };
            verdict.check()?;
            verdict.view(Words::new(Language::En))
        };
        for (difference, measure, expected) in [
            (
                0.021,
                Measure::Reward,
                "earns 0.021 more per conversation than rule",
            ),
            (
                -0.021,
                Measure::Reward,
                "earns 0.021 less per conversation than rule",
            ),
            (0.004, Measure::Reward, "no difference is shown"),
            (
                -0.021,
                Measure::AbandonmentRate,
                "abandoned: 2.1\u{202f}pp lower per conversation under q",
            ),
        ] {
            let view = headline(difference, measure, Evidence::Simulated).unwrap();
            assert!(view.headline.contains(expected), "{}", view.headline);
            assert!(view.evidence.contains("40 replications"));
        }
        assert!(matches!(
            headline(0.021, Measure::Reward, Evidence::Logged),
            Err(ReportError::CentreWithoutSimulation)
        ));
    }
}
