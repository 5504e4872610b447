//! Columns from conversations, one after the other.

use std::path::Path;

use super::{ConversationFlags, DecisionColumns, Needed};
use crate::log::error::LogError;
use crate::log::model::{Conversation, Decision};
use crate::log::outcome::{came_back, is_abandoned, same_message};
use crate::log::validate::id_hash;
use crate::observation::language_code;

/// A seconds column's entry: NaN where unknown.
fn seconds(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |seconds| seconds as f32)
}

/// A language column's entry: 0 where unknown or no language tag.
pub(super) fn language(tag: Option<&str>) -> u16 {
    tag.and_then(language_code).map_or(0, |code| code as u16)
}

/// An AI calls column's entry: −1 where unknown.
pub(super) fn calls(count: Option<i32>) -> i16 {
    count.map_or(-1, |count| i16::try_from(count).unwrap_or(i16::MAX))
}

/// The positions are 32 bits wide.
pub(super) fn position(index: usize, file: &Path) -> Result<u32, LogError> {
    u32::try_from(index).map_err(|_| LogError::TooLong {
        file: file.to_owned(),
    })
}

impl DecisionColumns {
    /// Columns with nothing in them yet.
    #[must_use]
    pub fn empty(needed: &Needed) -> Self {
        let mut columns = Self {
            features: needed.features.iter().map(|f| (*f, Vec::new())).collect(),
            ..Self::default()
        };
        columns.conversations.first_decision.push(0);
        columns
    }

    /// Columns of conversations already at hand.
    ///
    /// # Errors
    /// [`LogError::TooLong`] beyond 2³² decisions.
    pub fn from_conversations<'a>(
        conversations: impl IntoIterator<Item = &'a Conversation>,
        needed: &Needed,
    ) -> Result<Self, LogError> {
        let mut columns = Self::empty(needed);
        for conversation in conversations {
            columns.push(conversation, needed)?;
        }
        Ok(columns)
    }

    /// Appends a conversation with its decisions; `needed` is what the columns were made for.
    ///
    /// # Errors
    /// [`LogError::TooLong`] beyond 2³² decisions.
    pub fn push(&mut self, conversation: &Conversation, needed: &Needed) -> Result<(), LogError> {
        let file = Path::new("");
        let index = position(self.conversations.len(), file)?;
        let mut before = None;
        for decision in &conversation.decisions {
            self.conversation.push(index);
            self.push_decision(decision, before, needed);
            before = Some(decision);
        }
        let end = position(self.action.len(), file)?;
        let c = &mut self.conversations;
        c.first_decision.push(end);
        c.id_hash.push(id_hash(&conversation.conversation_id));
        c.created_at.push(conversation.created_at);
        c.class.push(conversation.class);
        c.language.push(language(conversation.language.as_deref()));
        let mut flags = ConversationFlags::default();
        for (flag, on) in [
            (ConversationFlags::ABANDONED, is_abandoned(conversation)),
            (ConversationFlags::CAME_BACK, came_back(conversation)),
            (
                ConversationFlags::TRUNCATED,
                conversation.truncated == Some(true),
            ),
            (
                ConversationFlags::TRACKED,
                conversation.outcomes_tracked == Some(true),
            ),
            (
                ConversationFlags::CLICKED,
                conversation.clicked_at.is_some(),
            ),
            (
                ConversationFlags::CONVERTED,
                conversation.converted_at.is_some(),
            ),
        ] {
            flags.set(flag, on);
        }
        c.flags.push(flags);
        if needed.outcomes {
            let rated = conversation.rating_raw.zip(conversation.rating_scale);
            c.rating_raw.push(rated.map_or(0, |(raw, _)| raw));
            c.rating_scale.push(rated.map(|(_, scale)| scale));
            c.satisfaction.push(seconds(conversation.satisfaction));
            c.satisfaction_source.push(conversation.satisfaction_source);
            c.human_handle_s.push(seconds(conversation.human_handle_s));
        }
        Ok(())
    }

    fn push_decision(&mut self, d: &Decision, before: Option<&Decision>, needed: &Needed) {
        self.action.push(d.action);
        self.mask.push(d.mask);
        self.source.push(d.action_source);
        self.propensity.push(
            d.propensity
                .map_or(f64::NAN, |propensity| propensity.value()),
        );
        self.propensity_kind.push(d.propensity_kind);
        self.same_message.push(same_message(d, before));
        if needed.probs {
            self.probs
                .push(d.probs.map_or([f64::NAN; 3], |probs| probs.as_array()));
        }
        if needed.decided_at {
            self.decided_at.push(d.decided_at);
        }
        if needed.outcomes {
            self.answer_s.push(seconds(d.answer_s));
            self.human_s.push(seconds(d.human_s));
            self.ai_calls.push(calls(d.ai_calls));
        }
        if needed.business_hours {
            self.answer_business_s.push(seconds(d.answer_business_s));
        }
        for (feature, values) in &mut self.features {
            values.push(d.observation.row()[feature.index()]);
        }
    }
}
