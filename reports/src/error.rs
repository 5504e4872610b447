//! What can be wrong with a page's values. Everything here is caught before
//! drawing: a page either shows numbers that agree with each other, or there
//! is no page.

use thiserror::Error;

/// Why a page could not be drawn from its values.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The verdict's kind and its numbers say different things.
    #[error(
        "verdict `{verdict}` contradicts its interval [{lower}, {upper}] for `{measure}`; \
         let the interval decide the kind of the verdict"
    )]
    VerdictContradictsInterval {
        /// The verdict's kind.
        verdict: &'static str,
        /// The measure compared.
        measure: String,
        /// The interval's lower bound.
        lower: f64,
        /// The interval's upper bound.
        upper: f64,
    },
    /// A win or loss was claimed on simulated numbers.
    #[error(
        "verdict `{verdict}` rests on simulated numbers; use `Verdict::Simulated`, \
         which says that nothing may be promoted on them"
    )]
    VerdictOnSimulation {
        /// The verdict's kind.
        verdict: &'static str,
    },
    /// A verdict about a simulated centre on numbers that are not simulated.
    #[error(
        "verdict `in_centre` rests on numbers that are not simulated; \
         mark its comparison as `simulated`, or use another verdict"
    )]
    CentreWithoutSimulation,
    /// A number that must be finite is not.
    #[error(
        "{place} is {number}; a page states only finite numbers, so leave it out with a reason"
    )]
    NotFinite {
        /// Where the number stands.
        place: String,
        /// The number found.
        number: f64,
    },
    /// An interval does not contain its own value.
    #[error("{place}: the interval [{lower}, {upper}] does not contain the value {value}")]
    IntervalMissesValue {
        /// Where the interval stands.
        place: String,
        /// The value.
        value: f64,
        /// The interval's lower bound.
        lower: f64,
        /// The interval's upper bound.
        upper: f64,
    },
    /// Shares or probabilities over the tiers do not sum to one.
    #[error("{place}: tier shares {shares:?} must be in [0, 1] and sum to 1")]
    SharesDoNotSum {
        /// Where the shares stand.
        place: String,
        /// Shares of auto, review and human.
        shares: [f64; 3],
    },
    /// A fraction outside its range.
    #[error("{place} is {number}; it must lie strictly between 0 and 1")]
    NotALevel {
        /// Where the number stands.
        place: String,
        /// The number found.
        number: f64,
    },
    /// More than one policy claims to be the baseline.
    #[error("the KPI table holds {count} baselines; mark exactly one policy as the baseline")]
    SeveralBaselines {
        /// Baselines found.
        count: usize,
    },
    /// A policy map's cell points outside its axes.
    #[error(
        "the map of `{policy}`: cell {index:?} does not fit axes with {levels:?} levels; \
         give one index per axis, counted from 0"
    )]
    CellOutsideMap {
        /// The mapped policy.
        policy: String,
        /// The cell's index.
        index: Vec<usize>,
        /// Levels per axis.
        levels: Vec<usize>,
    },
    /// A number outside the range of what it counts.
    #[error("{place} is {number}; it must lie in [{low}, {high}]")]
    OutOfRange {
        /// Where the number stands.
        place: String,
        /// The number found.
        number: f64,
        /// The smallest value it can have.
        low: f64,
        /// The largest value it can have.
        high: f64,
    },
    /// Points of a curve that do not rise.
    #[error("{place}: {number} does not follow {before}; give every point once, in rising order")]
    NotRising {
        /// Where the points stand.
        place: String,
        /// The point before.
        before: f64,
        /// The point that should be larger.
        number: f64,
    },
    /// A section names a policy that the KPI table lacks.
    #[error(
        "{section}: `{policy}` is not in the KPI table; a page compares the same policies everywhere"
    )]
    UnknownPolicy {
        /// The section.
        section: &'static str,
        /// The policy.
        policy: String,
    },
    /// Parts that must add up to a whole do not.
    #[error("{place}: the parts add up to {parts}, the whole is {whole}")]
    PartsDoNotAdd {
        /// Where the parts stand.
        place: String,
        /// Sum of the parts.
        parts: u64,
        /// The whole.
        whole: u64,
    },
    /// A design's bias is not what it measured minus the truth.
    #[error(
        "design `{design}`: bias {bias} is not measured {measured} minus truth {truth}; \
         take all three from the same replications"
    )]
    BiasDisagrees {
        /// The design.
        design: String,
        /// The bias given.
        bias: f64,
        /// The measured difference.
        measured: f64,
        /// The true difference.
        truth: f64,
    },
    /// A parameter's evidence contradicts its source.
    #[error("parameter `{parameter}` is {source_name}, so {fix}")]
    ParameterSource {
        /// The parameter.
        parameter: String,
        /// How it was obtained.
        source_name: &'static str,
        /// What to change.
        fix: &'static str,
    },
    /// A sample is listed as a rank flip and ranks the usual winner first.
    #[error(
        "sample {sample} is listed as a rank flip, yet `{winner}` also leads as fitted; \
         list only samples in which another policy leads"
    )]
    FlipWithoutChange {
        /// The sample.
        sample: u64,
        /// Its winner.
        winner: String,
    },
    /// A promotion of a candidate whose bound is not above zero.
    #[error(
        "`{candidate}` is promoted and does not pass the gate in its own ranking; let the ranking decide the verdict"
    )]
    PromotedWithoutPassing {
        /// The candidate.
        candidate: String,
    },
    /// A group whose cells are not one for each action.
    #[error(
        "group `{group}` has {have} cells, and there are {actions} actions; give one an action"
    )]
    GroupActions {
        /// The group.
        group: String,
        /// Cells found.
        have: usize,
        /// Actions of the first group.
        actions: usize,
    },
    /// A chart could not be drawn.
    #[error("the chart `{chart}` could not be drawn: {detail}")]
    Chart {
        /// The chart.
        chart: &'static str,
        /// What the drawing library said.
        detail: String,
    },
    /// The page's template failed.
    #[error("the page template failed")]
    Template(#[from] askama::Error),
}
