//! A generated shop with known truth.
//!
//! Customers write at all hours in many languages; models guess what they want; a policy picks who answers; answers
//! help or do not, and customers wait, reply, leave, rate, click and buy. Every probability is in [`ShopConfig`] and
//! every draw is a function of (seed, conversation, purpose), so the true value of a policy can be computed to any
//! precision ([`World::true_value`]) and two policies can be compared on the same luck.
//!
//! Capacity is exogenous here: how busy people are follows the hour, not the policy. So a value is well defined for
//! one conversation at a time; what happens when a policy uses up the people it relies on is not this module's
//! question.

mod aftermath;
mod config;
pub(crate) mod contact;
mod conversation;
mod generate;
mod load;
pub(crate) mod messages;
mod outcomes;
#[cfg(test)]
mod tests;
mod world;

pub use self::aftermath::Aftermath;
pub use self::config::{
    AftermathConfig, AutoConfig, CustomerConfig, HumanConfig, LanguageConfig, LoadConfig,
    LoggedSatisfaction, MAX_TURNS, PerceptionConfig, ReviewConfig, SatisfactionConfig, ShopConfig,
    ShopConfigError,
};
pub use self::contact::Ending;
pub use self::conversation::{Shop, Taken};
pub use self::generate::LogIdentity;
pub use self::outcomes::{Choose, ConversationOutcome, MaskedChoice, Outcomes, TrueValue};
pub use self::world::{SatisfactionInputs, ShopError, ShopRules, World};
