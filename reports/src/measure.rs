//! The quantities a page compares policies by: their names, units, and which
//! direction is better. Leaves their computation to whoever fills the page.

use serde::{Deserialize, Serialize};

use crate::number::{self, Decimals, TimeUnit};
use crate::text::{Phrase, Words};

/// A quantity measured once per conversation and averaged over conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Reward R = S · E_time · E_cost, in \[0, 1\].
    Reward,
    /// Satisfaction S, in \[0, 1\].
    Satisfaction,
    /// Time efficiency E_time, in \[0, 1\]; 1 when every answer met its service level.
    TimeEfficiency,
    /// Cost efficiency E_cost, in \[0, 1\]; 1 when the conversation cost nothing.
    CostEfficiency,
    /// Seconds of human work per conversation (lower is better).
    HumanSecs,
    /// Seconds from the first customer message to its answer (lower is better).
    FirstResponseSecs,
    /// Fraction of conversations escalated by the customer or an agent (lower is better).
    EscalationRate,
    /// Fraction of conversations whose offer was clicked within its window.
    ClickRate,
    /// Fraction of conversations followed by a purchase within its window.
    ConversionRate,
    /// Mean seconds from a customer message to its answer, over all messages (lower is better).
    WaitSecs,
    /// Fraction of answers given inside the service level of the class' tier.
    WithinServiceLevel,
    /// Fraction of conversations whose customer left before an answer (lower is better).
    AbandonmentRate,
    /// Fraction of paid time on shift in which people were busy; neither
    /// direction is better ([`Measure::has_direction`]).
    Occupancy,
}

/// How a measure's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Score,
    Rate,
    Time(TimeUnit),
    /// A count of people, contacts or replicas; may have fractions where it is a mean.
    Count,
    /// Events per hour.
    PerHour,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 13] = [
        Self::Reward,
        Self::Satisfaction,
        Self::TimeEfficiency,
        Self::CostEfficiency,
        Self::HumanSecs,
        Self::FirstResponseSecs,
        Self::EscalationRate,
        Self::ClickRate,
        Self::ConversionRate,
        Self::WaitSecs,
        Self::WithinServiceLevel,
        Self::AbandonmentRate,
        Self::Occupancy,
    ];

    /// What a log can tell of a policy, in the order of the offline page's columns.
    pub const OFFLINE: [Self; 9] = [
        Self::Reward,
        Self::Satisfaction,
        Self::TimeEfficiency,
        Self::CostEfficiency,
        Self::HumanSecs,
        Self::FirstResponseSecs,
        Self::EscalationRate,
        Self::ClickRate,
        Self::ConversionRate,
    ];

    /// What conversations bring, in the order of the centre page's first table.
    pub const CENTRE_OUTCOMES: [Self; 7] = [
        Self::Reward,
        Self::Satisfaction,
        Self::TimeEfficiency,
        Self::CostEfficiency,
        Self::EscalationRate,
        Self::ClickRate,
        Self::ConversionRate,
    ];

    /// What queues and people do, in the order of the centre page's second table.
    pub const CENTRE_QUEUES: [Self; 6] = [
        Self::FirstResponseSecs,
        Self::WaitSecs,
        Self::WithinServiceLevel,
        Self::AbandonmentRate,
        Self::HumanSecs,
        Self::Occupancy,
    ];

    /// Whether a policy with the larger value is the better one.
    pub fn higher_is_better(self) -> bool {
        !matches!(
            self,
            Self::HumanSecs
                | Self::FirstResponseSecs
                | Self::EscalationRate
                | Self::WaitSecs
                | Self::AbandonmentRate
        )
    }

    /// Whether one direction of the measure is better than the other. Busy
    /// people are cheap and slow, idle people dear and quick: occupancy alone
    /// speaks for no policy.
    pub fn has_direction(self) -> bool {
        self != Self::Occupancy
    }

    /// How far `difference` speaks for the candidate: its sign flipped where
    /// lower values are better.
    pub(crate) fn benefit(self, difference: f64) -> f64 {
        if self.higher_is_better() {
            difference
        } else {
            -difference
        }
    }

    pub(crate) fn name(self) -> Phrase {
        match self {
            Self::Reward => Phrase::Reward,
            Self::Satisfaction => Phrase::Satisfaction,
            Self::TimeEfficiency => Phrase::TimeEfficiency,
            Self::CostEfficiency => Phrase::CostEfficiency,
            Self::HumanSecs => Phrase::HumanTime,
            Self::FirstResponseSecs => Phrase::FirstResponse,
            Self::EscalationRate => Phrase::EscalationRate,
            Self::ClickRate => Phrase::ClickRate,
            Self::ConversionRate => Phrase::ConversionRate,
            Self::WaitSecs => Phrase::Wait,
            Self::WithinServiceLevel => Phrase::WithinServiceLevel,
            Self::AbandonmentRate => Phrase::AbandonmentRate,
            Self::Occupancy => Phrase::Occupancy,
        }
    }

    /// The column head's second line: symbol, unit, direction.
    pub(crate) fn gloss(self) -> Phrase {
        match self {
            Self::Reward => Phrase::RewardGloss,
            Self::Satisfaction => Phrase::SatisfactionGloss,
            Self::TimeEfficiency => Phrase::TimeEfficiencyGloss,
            Self::CostEfficiency => Phrase::CostEfficiencyGloss,
            Self::HumanSecs => Phrase::HumanTimeGloss,
            Self::FirstResponseSecs => Phrase::FirstResponseGloss,
            Self::EscalationRate => Phrase::EscalationRateGloss,
            Self::ClickRate => Phrase::ClickRateGloss,
            Self::ConversionRate => Phrase::ConversionRateGloss,
            Self::WaitSecs => Phrase::WaitGloss,
            Self::WithinServiceLevel => Phrase::WithinServiceLevelGloss,
            Self::AbandonmentRate => Phrase::AbandonmentRateGloss,
            Self::Occupancy => Phrase::OccupancyGloss,
        }
    }

    pub(crate) fn unit(self, values: impl IntoIterator<Item = f64>) -> Unit {
        match self {
            Self::HumanSecs | Self::FirstResponseSecs | Self::WaitSecs => {
                Unit::Time(TimeUnit::for_largest(values))
            }
            Self::EscalationRate
            | Self::ClickRate
            | Self::ConversionRate
            | Self::WithinServiceLevel
            | Self::AbandonmentRate
            | Self::Occupancy => Unit::Rate,
            _ => Unit::Score,
        }
    }
}

impl Unit {
    /// Numbers in this unit's own scale: per cent for rates, the column's unit
    /// for times.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Self::Score | Self::Count | Self::PerHour => 1.0,
            Self::Rate => 100.0,
            Self::Time(unit) => 1.0 / unit.secs(),
        }
    }

    /// Decimals that show every one of `numbers` (in base units) honestly.
    pub(crate) fn decimals(self, numbers: &[f64]) -> Decimals {
        self.decimals_showing(2, numbers)
    }

    /// As [`Unit::decimals`], with one significant digit: for the narrow cells
    /// of a table.
    pub(crate) fn coarse_decimals(self, numbers: &[f64]) -> Decimals {
        self.decimals_showing(1, numbers)
    }

    fn decimals_showing(self, significant: usize, numbers: &[f64]) -> Decimals {
        let scaled: Vec<f64> = numbers.iter().map(|number| number * self.scale()).collect();
        match self {
            Self::Score => Decimals::for_all(3, significant, &scaled),
            Self::Rate | Self::Time(_) => {
                let Decimals(wanted) = Decimals::for_all(1, significant, &scaled);
                Decimals(wanted.min(3))
            }
            Self::Count | Self::PerHour => {
                let whole = scaled.iter().all(|number| number.fract() == 0.0);
                let Decimals(wanted) = Decimals::for_all(usize::from(!whole), significant, &scaled);
                Decimals(if whole { 0 } else { wanted.min(3) })
            }
        }
    }

    /// Decimals that tell ticks `step` (in base units) apart.
    pub(crate) fn tick_decimals(self, step: f64) -> Decimals {
        let scaled = step * self.scale();
        if !(scaled.is_finite() && scaled > 0.0) {
            return Decimals(0);
        }
        Decimals((-scaled.log10().floor()).clamp(0.0, 6.0) as usize)
    }

    fn suffix(self, words: Words, difference: bool) -> &'static str {
        match self {
            Self::Score | Self::Count => "",
            Self::PerHour => words.say(Phrase::PerHourShort),
            Self::Rate if difference => words.say(Phrase::PercentagePoints),
            Self::Rate => "\u{202f}%",
            Self::Time(TimeUnit::Seconds) => words.say(Phrase::SecondsShort),
            Self::Time(TimeUnit::Minutes) => words.say(Phrase::MinutesShort),
            Self::Time(TimeUnit::Hours) => words.say(Phrase::HoursShort),
        }
    }

    /// A value with its unit.
    pub(crate) fn value(self, words: Words, number: f64, decimals: Decimals) -> String {
        let text = number::fixed(number * self.scale(), decimals);
        if text == number::MISSING {
            return text;
        }
        text + self.suffix(words, false)
    }

    /// A signed difference with its unit; rates differ by percentage points.
    pub(crate) fn difference(self, words: Words, number: f64, decimals: Decimals) -> String {
        let text = number::signed(number * self.scale(), decimals);
        if text == number::MISSING {
            return text;
        }
        text + self.suffix(words, true)
    }

    /// An interval's two bounds in brackets, without the unit its value carries.
    pub(crate) fn interval(self, lower: f64, upper: f64, decimals: Decimals) -> String {
        format!(
            "[{}, {}]",
            number::fixed(lower * self.scale(), decimals),
            number::fixed(upper * self.scale(), decimals)
        )
    }

    /// As [`Unit::interval`], with signs.
    pub(crate) fn signed_interval(self, lower: f64, upper: f64, decimals: Decimals) -> String {
        format!(
            "[{}, {}]",
            number::signed(lower * self.scale(), decimals),
            number::signed(upper * self.scale(), decimals)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn values_carry_their_unit() {
        let words = Words::new(Language::En);
        let minutes = Measure::HumanSecs.unit([60.0, 1200.0]);
        for (unit, number, expected) in [
            (Unit::Score, 0.4567, "0.457"),
            (Unit::Rate, 0.1234, "12.340\u{202f}%"),
            (minutes, 90.0, "1.500\u{202f}min"),
            (Unit::Score, f64::NAN, "—"),
        ] {
            assert_eq!(unit.value(words, number, Decimals(3)), expected);
        }
        assert_eq!(
            Unit::Rate.difference(words, -0.012, Decimals(1)),
            "−1.2\u{202f}pp"
        );
        assert_eq!(
            Unit::Rate.interval(0.1, f64::INFINITY, Decimals(1)),
            "[10.0, —]"
        );
    }

    #[test]
    fn ticks_are_told_apart() {
        let seconds = Measure::HumanSecs.unit([200.0]);
        for (unit, step, expected) in [
            (Unit::Score, 0.02, 2),
            (Unit::Score, 0.5, 1),
            (Unit::Rate, 0.02, 0),
            (Unit::Rate, 0.005, 1),
            (seconds, 50.0, 0),
            (Unit::Score, f64::NAN, 0),
        ] {
            assert_eq!(unit.tick_decimals(step), Decimals(expected), "{step}");
        }
    }

    #[test]
    fn benefit_flips_where_lower_is_better() {
        assert!(Measure::Reward.benefit(0.1) > 0.0);
        assert!(Measure::HumanSecs.benefit(-3.0) > 0.0);
        assert!(Measure::EscalationRate.benefit(0.01) < 0.0);
    }
}
