//! Several values on one line: bars from a common root (how a difference moves
//! when a parameter does), or one interval beside the truth it should have
//! found. Like a [`super::strip`], it stretches with its table cell.

use askama::Template;

use super::strip::Domain;
use crate::error::ReportError;
use crate::uncertain::Uncertain;

/// One line of values.
pub(crate) struct Spread {
    pub(crate) label: String,
    pub(crate) domain: Domain,
    /// The truth with its interval, drawn as a band with a rule.
    pub(crate) truth: Option<Uncertain>,
    /// Where nothing differs.
    pub(crate) zero: bool,
    /// Thick bars from one place to another, with their colour class.
    pub(crate) bars: Vec<(f64, f64, &'static str)>,
    /// A value with its interval, with its colour class.
    pub(crate) mark: Option<(Uncertain, &'static str)>,
}

#[derive(Template)]
#[template(path = "spread.svg", escape = "html")]
struct SpreadTemplate<'a> {
    label: &'a str,
    zero: Option<String>,
    truth: Option<Placed>,
    bars: Vec<Bar>,
    mark: Option<Placed>,
}

struct Placed {
    class: &'static str,
    value: String,
    lower: String,
    upper: String,
    width: String,
}

struct Bar {
    class: &'static str,
    start: String,
    width: String,
}

impl Spread {
    pub(crate) fn draw(&self) -> Result<String, ReportError> {
        let at = |number: f64| self.domain.fraction(number).clamp(0.0, 1.0) * 100.0;
        let percent = |number: f64| format!("{number:.2}%");
        let placed = |number: Uncertain, class| {
            let (lower, upper) = (at(number.lower), at(number.upper));
            number.is_finite().then(|| Placed {
                class,
                value: percent(at(number.value)),
                lower: percent(lower),
                upper: percent(upper),
                width: percent((upper - lower).max(0.0)),
            })
        };
        let template = SpreadTemplate {
            label: &self.label,
            zero: (self.zero && self.domain.contains(0.0)).then(|| percent(at(0.0))),
            truth: self.truth.and_then(|truth| placed(truth, "truth")),
            bars: self
                .bars
                .iter()
                .filter(|(from, to, _)| from.is_finite() && to.is_finite())
                .map(|(from, to, class)| {
                    let (start, end) = (at(from.min(*to)), at(from.max(*to)));
                    Bar {
                        class,
                        start: percent(start),
                        width: percent(end - start),
                    }
                })
                .collect(),
            mark: self.mark.and_then(|(mark, class)| placed(mark, class)),
        };
        Ok(template.render()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(number: f64) -> Spread {
        Spread {
            label: "measured <0.02>".to_owned(),
            domain: Domain::between(-0.05, 0.05),
            truth: Some(Uncertain::new(0.02, 0.015, 0.025)),
            zero: true,
            bars: vec![(0.0, 0.01, "low"), (0.0, number, "high")],
            mark: Some((
                Uncertain::new(number, number - 0.01, number + 0.01),
                "worse",
            )),
        }
    }

    #[test]
    fn an_interval_beside_the_truth() {
        insta::assert_snapshot!(spread(-0.02).draw().unwrap());
    }

    #[test]
    fn numbers_that_are_not_numbers_are_not_drawn() {
        let svg = spread(f64::NAN).draw().unwrap();
        assert!(!svg.contains("NaN"), "{svg}");
        assert!(svg.contains("class=\"truth\""), "{svg}");
    }
}
