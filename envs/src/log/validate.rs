//! What a conversation must satisfy to enter the log.
