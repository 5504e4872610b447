//! The simulator's parameters: each with its estimate, its standard error, and
//! whether the log gave it, lent it, or could not tell.

use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::centre::cast::scope;
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number;
use crate::reason::{Reason, TierName};
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::QuantityUnit;

/// One parameter of the simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedParameter {
    /// Its key, such as `patience_mean`; translated where the page knows it.
    pub name: String,
    /// The message class it belongs to.
    #[serde(default)]
    pub class: Option<String>,
    /// The tier it belongs to.
    #[serde(default)]
    pub tier: Option<TierName>,
    /// The unit of estimate and standard error.
    pub unit: QuantityUnit,
    /// The value in use.
    pub estimate: f64,
    /// Its standard error; none where the value is assumed.
    #[serde(default)]
    pub standard_error: Option<f64>,
    /// Events behind it; none where the value is assumed.
    #[serde(default)]
    pub n: Option<u64>,
    /// Where it comes from.
    pub source: ParameterSource,
}

/// Where a parameter comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ParameterSource {
    /// From the log's own events.
    Fitted,
    /// From a wider group of events, because its own were too few.
    Pooled {
        /// Over what, and why.
        reason: Reason,
    },
    /// Not from the log at all.
    Assumed {
        /// Where the value comes from, and why the log cannot tell.
        reason: Reason,
    },
}

impl FittedParameter {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let known = self.standard_error.is_some() && self.n.is_some();
        let claimed = self.standard_error.is_some() || self.n.is_some();
        let fault = match self.source {
            ParameterSource::Fitted if !known => {
                Some(("fitted", "give its standard error and its number of events"))
            }
            ParameterSource::Pooled { .. } if !known => {
                Some(("pooled", "give its standard error and its number of events"))
            }
            ParameterSource::Assumed { .. } if claimed => Some((
                "assumed",
                "it has neither a standard error nor events of its own",
            )),
            _ => None,
        };
        match fault {
            Some((source_name, fix)) => Err(ReportError::ParameterSource {
                parameter: self.name.clone(),
                source_name,
                fix,
            }),
            None => Ok(()),
        }
    }

    fn row(&self, words: Words) -> Row {
        let unit = self.unit.unit([self.estimate]);
        let width = self.standard_error.unwrap_or(self.estimate);
        let decimals = match unit {
            Unit::Score => unit.coarse_decimals(&[width]),
            _ => unit.decimals(&[width]),
        };
        let source = match &self.source {
            ParameterSource::Fitted => ("logged", CentrePhrase::SourceFitted, None),
            ParameterSource::Pooled { reason } => {
                ("estimated", CentrePhrase::SourcePooled, Some(reason))
            }
            ParameterSource::Assumed { reason } => {
                ("simulated", CentrePhrase::SourceAssumed, Some(reason))
            }
        };
        let (class, phrase, reason) = source;
        let mark = Mark {
            class,
            icon: "",
            text: words.say(phrase),
        };
        let missing = || number::MISSING.to_owned();
        let strong = Cell {
            strong: true,
            ..Cell::text(unit.value(words, self.estimate, decimals))
        };
        let source = Cell {
            below: reason.map(|reason| reason.sentence(words)),
            ..Cell::mark(mark)
        };
        Row::new(
            words.key(&self.name),
            vec![
                strong,
                Cell::text(
                    self.standard_error
                        .map_or_else(missing, |error| unit.value(words, error, decimals)),
                ),
                Cell::text(self.n.map_or_else(missing, number::count)),
                source,
            ],
        )
        .with_note(Some(scope(words, self.class.as_deref(), self.tier)))
    }
}

/// The table of parameters with its summary.
pub(super) fn blocks(words: Words, parameters: &[FittedParameter]) -> Vec<Block> {
    if parameters.is_empty() {
        return Vec::new();
    }
    let count = |is: fn(&ParameterSource) -> bool| {
        let found = parameters.iter().filter(|parameter| is(&parameter.source));
        number::count(found.count() as u64)
    };
    let summary = words.fill(
        CentrePhrase::ParametersSummary,
        &[
            (
                "fitted",
                &count(|source| matches!(source, ParameterSource::Fitted)),
            ),
            (
                "pooled",
                &count(|source| matches!(source, ParameterSource::Pooled { .. })),
            ),
            (
                "assumed",
                &count(|source| matches!(source, ParameterSource::Assumed { .. })),
            ),
        ],
    );
    vec![
        Block::Heading(words.say(CentrePhrase::ParametersHeading).to_owned()),
        Block::Caption(summary),
        Block::Table(Table {
            class: "parameters",
            head: words.say(CentrePhrase::Parameter),
            columns: vec![
                Column::number(words.say(CentrePhrase::Estimated)),
                Column::number(words.say(CentrePhrase::StandardError)),
                Column::number(words.say(CentrePhrase::Count)),
                Column::words(words.say(CentrePhrase::Source)),
            ],
            rows: parameters
                .iter()
                .map(|parameter| parameter.row(words))
                .collect(),
        }),
    ]
}
