//! The STAR corpus of service conversations.
