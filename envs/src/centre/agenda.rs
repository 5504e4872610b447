//! What will happen when: a four-ary heap of instants.
//!
//! Equal instants come in the order in which they were noted, so a run repeats bit for bit.

/// Something that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The AI has written its answer or draft for a conversation.
    Drafted(u32),
    /// The customer of a job reads a person's answer.
    Answered(u32),
    /// The person of a job is free again.
    Freed(u32),
    /// The customer in the queue has waited long enough: conversation and ticket.
    Impatient(u32, u32),
    /// The customer writes again.
    Replies(u32),
    /// A conversation is back in the queue after an outage.
    Rerouted(u32),
    /// The autoscaler looks.
    Scale,
    /// A replica has started.
    ReplicaReady,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Bits of a non-negative f64: their order is the order of the numbers.
    at: u64,
    noted: u32,
    event: Event,
}

impl Entry {
    const fn before(&self, other: &Self) -> bool {
        self.at < other.at
            || (self.at == other.at && (self.noted.wrapping_sub(other.noted) as i32) < 0)
    }
}

/// Events by time.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    heap: Vec<Entry>,
    noted: u32,
}

impl Agenda {
    /// Notes an event at a second ≥ 0.
    #[inline]
    pub(super) fn note(&mut self, at_s: f64, event: Event) {
        let entry = Entry {
            at: at_s.to_bits(),
            noted: self.noted,
            event,
        };
        self.noted = self.noted.wrapping_add(1);
        let mut hole = self.heap.len();
        self.heap.push(entry);
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if !entry.before(&self.heap[parent]) {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = entry;
    }

    /// Second of the next event.
    #[inline]
    pub(super) fn next_s(&self) -> f64 {
        self.heap
            .first()
            .map_or(f64::INFINITY, |entry| f64::from_bits(entry.at))
    }

    /// Takes the next event.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Event> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first().copied() else {
            return Some(last.event);
        };
        let length = self.heap.len();
        let mut hole = 0;
        loop {
            let child = 4 * hole + 1;
            if child >= length {
                break;
            }
            let mut least = child;
            for other in child + 1..(child + 4).min(length) {
                if self.heap[other].before(&self.heap[least]) {
                    least = other;
                }
            }
            if !self.heap[least].before(&last) {
                break;
            }
            self.heap[hole] = self.heap[least];
            hole = least;
        }
        self.heap[hole] = last;
        Some(first.event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn events_come_in_order_and_ties_in_the_order_noted(times in prop::collection::vec(0u8..20, 1..200)) {
            let mut agenda = Agenda::default();
            let mut want: Vec<(u8, u32)> = Vec::new();
            for (i, time) in times.iter().enumerate() {
                agenda.note(f64::from(*time), Event::Drafted(i as u32));
                want.push((*time, i as u32));
            }
            want.sort();
            for (time, i) in want {
                prop_assert_eq!(agenda.next_s(), f64::from(time));
                prop_assert_eq!(agenda.take(), Some(Event::Drafted(i)));
            }
            prop_assert_eq!(agenda.take(), None);
        }
    }
}
