//! How many conversations were open at an instant, from all their beginnings and ends.

use crate::log::model::Conversation;
use crate::time::UtcMicros;

/// busy(t) = |{i : aᵢ ≤ t < bᵢ}| for intervals [aᵢ, bᵢ): a difference of two counts in sorted lists, O(log n) each.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    opened: Vec<UtcMicros>,
    closed: Vec<UtcMicros>,
}

impl Timeline {
    pub(super) fn of<'a>(conversations: impl Iterator<Item = &'a Conversation>) -> Self {
        let mut timeline = Self::default();
        for conversation in conversations {
            timeline.opened.push(conversation.created_at);
            let closed = conversation.closed_at.unwrap_or(conversation.created_at);
            timeline.closed.push(closed);
        }
        timeline.opened.sort_unstable();
        timeline.closed.sort_unstable();
        timeline
    }

    pub(super) fn open_at(&self, t: UtcMicros) -> usize {
        let opened = self.opened.partition_point(|begin| *begin <= t);
        let closed = self.closed.partition_point(|end| *end <= t);
        opened - closed
    }

    /// Sets `pool_busy` of every decision to the number of other conversations open at that instant.
    pub(super) fn fill(&self, conversation: &mut Conversation) {
        let begin = conversation.created_at;
        let end = conversation.closed_at.unwrap_or(begin);
        for decision in &mut conversation.decisions {
            let t = decision.decided_at;
            let own = usize::from(begin <= t && t < end);
            decision.pool_busy = i32::try_from(self.open_at(t) - own).ok();
        }
    }
}
