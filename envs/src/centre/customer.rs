//! The customer behind a conversation, as far as a system outside the centre would know.

use super::engine::Centre;
use crate::class::Class;
use crate::luck::{Domain, Luck};
use crate::shop::contact::customer_number;

impl Centre {
    /// Number of the customer who opens a conversation of a replica; a few customers come again.
    #[must_use]
    pub fn customer_of(seed: u64, number: u64) -> u64 {
        customer_number(Luck::new(seed, Domain::Centre, number))
    }

    /// Class of the request, as an audit would find it.
    #[must_use]
    pub fn class(&self, slot: u32) -> Class {
        self.conversations[slot as usize].contact.class
    }

    /// Whether the customer has asked for a person since the conversation began.
    #[must_use]
    pub fn has_escalated(&self, slot: u32) -> bool {
        self.conversations[slot as usize].contact.escalated
    }

    /// Whether the conversation was closed before and came back.
    #[must_use]
    pub fn has_reopened(&self, slot: u32) -> bool {
        self.conversations[slot as usize].contact.reopened
    }
}
