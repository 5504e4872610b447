//! People per hour for a forecast.
//!
//! Owns the plan; how many people a rate of arrivals needs is the caller's function, so that any queueing formula fits.

use serde::Serialize;

/// An hour of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlannedHour {
    /// Contacts planned for.
    pub contacts: f64,
    /// Fewest people that serve them as wanted.
    pub needed: u32,
    /// People on shift: the largest need within the block.
    pub people: u32,
}

/// People per hour, in blocks of equal length.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StaffingPlan {
    /// Hours of a block, within which nobody comes or goes.
    pub block_hours: usize,
    /// Hour by hour.
    pub hours: Vec<PlannedHour>,
}

/// A plan that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StaffingError {
    /// A block holds no hour.
    #[error("a block of 0 hours; it holds at least 1")]
    EmptyBlock,
    /// Contacts that are no count.
    #[error("hour {hour} of the plan has {contacts} contacts; a count is finite and not below 0")]
    Contacts {
        /// Index of the hour.
        hour: usize,
        /// The contacts given.
        contacts: f64,
    },
    /// No number of people suffices.
    #[error(
        "no number of people serves the {contacts:.1} contacts of hour {hour} as wanted; is the target below 1, and the \
         time within reach?"
    )]
    Unreachable {
        /// Index of the hour.
        hour: usize,
        /// Its contacts.
        contacts: f64,
    },
}

impl StaffingPlan {
    /// Plans people for contacts per hour: `fewest` people for each hour's rate per second, then the largest need of every
    /// block of `block_hours`, counted from the first hour. The last block may be shorter.
    ///
    /// # Errors
    /// [`StaffingError`] for a block of no hours, contacts that are no count, or where `fewest` says `None`.
    pub fn new(
        contacts: &[f64],
        block_hours: usize,
        mut fewest: impl FnMut(f64) -> Option<u32>,
    ) -> Result<Self, StaffingError> {
        if block_hours == 0 {
            return Err(StaffingError::EmptyBlock);
        }
        let mut hours = Vec::with_capacity(contacts.len());
        for (hour, &contacts) in contacts.iter().enumerate() {
            if !(contacts.is_finite() && contacts >= 0.0) {
                return Err(StaffingError::Contacts { hour, contacts });
            }
            let needed =
                fewest(contacts / 3600.0).ok_or(StaffingError::Unreachable { hour, contacts })?;
            hours.push(PlannedHour {
                contacts,
                needed,
                people: needed,
            });
        }
        for block in hours.chunks_mut(block_hours) {
            let most = block.iter().map(|hour| hour.needed).max().unwrap_or(0);
            for hour in block {
                hour.people = most;
            }
        }
        Ok(Self { block_hours, hours })
    }

    /// Hours of work: people summed over hours.
    #[must_use]
    pub fn human_hours(&self) -> u64 {
        self.hours.iter().map(|hour| u64::from(hour.people)).sum()
    }

    /// Hours of work beyond the needs of single hours: the price of blocks.
    #[must_use]
    pub fn hours_above_need(&self) -> u64 {
        let need: u64 = self.hours.iter().map(|hour| u64::from(hour.needed)).sum();
        self.human_hours() - need
    }

    /// The most people on shift at once.
    #[must_use]
    pub fn peak(&self) -> u32 {
        self.hours.iter().map(|hour| hour.people).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough people to keep everyone busy for at most 80 % of the time, with 300 s a contact; nobody for no contact.
    fn square(rate_per_s: f64) -> Option<u32> {
        Some((rate_per_s * 300.0 / 0.8).ceil() as u32)
    }

    #[test]
    fn blocks_take_their_largest_need() {
        // Loads 12 · 300 / 3600 = 1, 5, 2, 0 and 3 people busy; at 80 %: 1.25, 6.25, 2.5, 0, 3.75, rounded up.
        let plan = StaffingPlan::new(&[12.0, 60.0, 24.0, 0.0, 36.0], 2, square).unwrap();
        let needed: Vec<u32> = plan.hours.iter().map(|hour| hour.needed).collect();
        let people: Vec<u32> = plan.hours.iter().map(|hour| hour.people).collect();
        assert_eq!(needed, [2, 7, 3, 0, 4]);
        assert_eq!(people, [7, 7, 3, 3, 4]);
        assert_eq!(plan.human_hours(), 24);
        assert_eq!(plan.hours_above_need(), 8);
        assert_eq!(plan.peak(), 7);
    }

    #[test]
    fn the_rate_is_per_second() {
        let mut rates = Vec::new();
        let plan = StaffingPlan::new(&[7200.0], 1, |rate| {
            rates.push(rate);
            Some(3)
        });
        assert_eq!(plan.unwrap().peak(), 3);
        assert_eq!(rates, [2.0]);
    }

    #[test]
    fn what_cannot_be_planned_is_named() {
        for (contacts, block, message) in [
            (1.0, 0, "a block of 0 hours"),
            (-1.0, 1, "hour 1 of the plan has -1 contacts"),
            (f64::NAN, 1, "hour 1 of the plan has NaN contacts"),
            (
                9000.0,
                1,
                "no number of people serves the 9000.0 contacts of hour 1",
            ),
        ] {
            let few = |rate: f64| (rate < 1.0).then_some(1);
            let error = StaffingPlan::new(&[5.0, contacts], block, few).unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
}
