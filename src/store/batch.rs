//! Repeats within one batch: what the database is asked once, every row is told.

use super::records::EventRecord;
use super::rows::EventOutcome;

/// The rows of a batch in key order, each identity once, and where every row of the batch finds its answer.
pub(super) struct Unique {
    /// First row of every identity, in order of key: two writers then take their locks in the same order, and a database
    /// in key order is appended to.
    pub(super) records: Vec<EventRecord>,
    /// For every row of the batch: the index in `records` of its identity.
    place: Vec<u32>,
    /// For every identity: the row of the batch that came first.
    first: Vec<u32>,
}

/// What the database held for an identity: nothing, and the row is in now, or a row with this content.
pub(super) type Stored = Option<i64>;

impl Unique {
    pub(super) fn of(batch: &[EventRecord]) -> Self {
        let mut order: Vec<u32> = (0u32..).take(batch.len()).collect();
        let key = |row: u32| batch[row as usize].key();
        // Stable by row number, so that the first one stands.
        order.sort_unstable_by_key(|&row| (key(row), row));
        let mut unique = Self {
            records: Vec::with_capacity(batch.len()),
            place: vec![0; batch.len()],
            first: Vec::with_capacity(batch.len()),
        };
        for row in order {
            let record = batch[row as usize];
            if unique
                .records
                .last()
                .is_none_or(|last| last.key() != record.key())
            {
                unique.records.push(record);
                unique.first.push(row);
            }
            unique.place[row as usize] = (unique.records.len() - 1) as u32;
        }
        unique
    }

    /// What became of every row of `batch`, given what was stored for every one of `records`.
    pub(super) fn outcomes(&self, batch: &[EventRecord], stored: &[Stored]) -> Vec<EventOutcome> {
        (0u32..)
            .zip(batch)
            .map(|(row, record)| {
                let place = self.place[row as usize] as usize;
                let content = match stored[place] {
                    None if self.first[place] == row => return EventOutcome::Accepted,
                    None => self.records[place].content,
                    Some(content) => content,
                };
                if content == record.content {
                    EventOutcome::Duplicate
                } else {
                    EventOutcome::Conflict
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventOutcome::{Accepted, Conflict, Duplicate};
    use uuid::Uuid;

    fn record(id: u8, content: i64) -> EventRecord {
        EventRecord {
            source: 1,
            id: [id; 16],
            decision_id: Uuid::nil(),
            kind: 1,
            occurred_at_us: 0,
            observed_at_us: 0,
            value: None,
            content,
        }
    }

    #[test]
    fn repeats_are_judged_by_the_one_that_stands() {
        let batch = [
            record(2, 7),
            record(1, 5),
            record(2, 7),
            record(2, 8),
            record(1, 5),
        ];
        let unique = Unique::of(&batch);
        assert_eq!(unique.records, [record(1, 5), record(2, 7)]);
        let cases: [([Stored; 2], [EventOutcome; 5]); 4] = [
            (
                [None, None],
                [Accepted, Accepted, Duplicate, Conflict, Duplicate],
            ),
            (
                [None, Some(7)],
                [Duplicate, Accepted, Duplicate, Conflict, Duplicate],
            ),
            (
                [None, Some(8)],
                [Conflict, Accepted, Conflict, Duplicate, Duplicate],
            ),
            ([Some(1), Some(1)], [Conflict; 5]),
        ];
        for (stored, expected) in cases {
            assert_eq!(unique.outcomes(&batch, &stored), expected, "{stored:?}");
        }
    }
}
