//! Rows to be filled from their columns: every required field holds a stand-in until its column is read.

use crate::class::{ActionSource, Channel, Role};
use crate::log::model::{Attachment, Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::mask::Mask;
use crate::observation::{Observation, SCHEMA_VERSION};
use crate::tier::Tier;
use crate::time::UtcMicros;

pub(super) fn attachment() -> Attachment {
    Attachment {
        kind: String::new(),
        mime: None,
        bytes: None,
        duration_s: None,
        sha256: None,
    }
}

pub(super) fn turn() -> Turn {
    Turn {
        role: Role::System,
        at: None,
        text: None,
        text_hash: None,
        intent: None,
        sentiment: None,
        draft_edited: None,
    }
}

pub(super) fn decision() -> Decision {
    Decision {
        turn: 0,
        decided_at: UtcMicros(0),
        feature_schema: SCHEMA_VERSION,
        observation: Observation::unknown(),
        mask: Mask::ALL,
        action: Tier::Human,
        probs: None,
        propensity: None,
        propensity_kind: None,
        action_source: ActionSource::Policy,
        policy_id: None,
        policy_version: None,
        arm: None,
        block_id: None,
        pool_busy: None,
        pool_slots: None,
        queue_len: None,
        expected_wait_s: None,
        answer_s: None,
        answer_business_s: None,
        human_s: None,
        ai_calls: None,
        review: None,
    }
}

pub(super) fn conversation() -> Conversation {
    Conversation {
        schema_version: LOG_SCHEMA_VERSION,
        conversation_id: String::new(),
        source_system: String::new(),
        channel: Channel::Other,
        created_at: UtcMicros(0),
        closed_at: None,
        customer_id_hash: None,
        language: None,
        region: None,
        priority: None,
        tags: Vec::new(),
        intent: None,
        class: None,
        first_response_s: None,
        first_response_business_s: None,
        resolution_s: None,
        customer_wait_s: None,
        agent_wait_s: None,
        queue_wait_s: None,
        human_handle_s: None,
        human_handle_estimated: None,
        reopens: None,
        reopened_7d: None,
        escalated_7d: None,
        replies: None,
        assignees: None,
        bot_involved: None,
        bot_resolved: None,
        bot_handoff: None,
        tier: None,
        rating_raw: None,
        rating_scale: None,
        rating_at: None,
        rating_remark_present: None,
        satisfaction: None,
        satisfaction_source: None,
        sla_name: None,
        sla_status: None,
        sla_limit_s: None,
        abandoned: None,
        truncated: None,
        clicked_at: None,
        converted_at: None,
        outcomes_tracked: None,
        order_value: None,
        currency: None,
        attachments: Vec::new(),
        turns: Vec::new(),
        decisions: Vec::new(),
    }
}
