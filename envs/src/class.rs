//! The kinds of things a log tells apart: class of the request, channel, and how sure we are of a number.

use serde::{Deserialize, Serialize};

/// Declares a closed set of names that reads from and prints as snake case, with `ALL`, `name` and `from_name`.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in logs and configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value with this name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// Position in [`Self::ALL`]: the code in features and columns.
            #[must_use]
            pub const fn index(self) -> usize { self as usize }

            /// The value at a position of [`Self::ALL`].
            #[must_use]
            pub fn from_index(index: usize) -> Option<Self> { Self::ALL.get(index).copied() }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }
    };
}
pub(crate) use named;

named! {
    /// What a request needs: it sets the service level (5 s, 120 s, 120 s by default).
    Class {
        /// Answered from knowledge at hand.
        Simple = "simple",
        /// Needs steps, look-ups or judgement.
        Complex = "complex",
        /// The customer is dissatisfied or claims a right.
        Complaint = "complaint",
    }
}

named! {
    /// Where the conversation takes place.
    Channel {
        /// Live or asynchronous text chat.
        Chat = "chat",
        /// E-mail or web form.
        Email = "email",
        /// Telephone or voice message.
        Voice = "voice",
        /// Video call or video message.
        Video = "video",
        /// Comments and direct messages on a social network.
        Social = "social",
        /// Anything else.
        Other = "other",
    }
}

named! {
    /// Who wrote a turn.
    Role {
        /// The customer.
        Customer = "customer",
        /// The AI, sent without a person.
        Ai = "ai",
        /// A person of the shop, whether or not an AI drafted the text.
        Agent = "agent",
        /// The helpdesk itself: notices, assignments, forms.
        System = "system",
    }
}

named! {
    /// What the reviewer did with the AI's draft (tier 2).
    Review {
        /// Sent as drafted.
        Accepted = "accepted",
        /// Sent after changes.
        Edited = "edited",
        /// Thrown away and rewritten.
        Rejected = "rejected",
    }
}

named! {
    /// Where a propensity comes from.
    PropensityKind {
        /// Logged by the policy that acted.
        Exact = "exact",
        /// Estimated afterwards from the log; results that use it are marked and never promote alone.
        Estimated = "estimated",
    }
}

named! {
    /// Who chose the tier. Only `policy` and `rule` are actions; the others are events that would confound.
    ActionSource {
        /// A learned or fixed policy.
        Policy = "policy",
        /// A hand-written rule.
        Rule = "rule",
        /// The customer asked for it.
        Customer = "customer",
        /// An agent overrode it.
        Agent = "agent",
    }
}

named! {
    /// The scale of a raw rating.
    RatingScale {
        /// 1 to 5 stars: S = (r − 1)/4.
        FivePoint = "1-5",
        /// 1 to 3: S = (r − 1)/2.
        ThreePoint = "1-3",
        /// 0 bad, 1 good: S = r, marked coarse.
        GoodBad = "good_bad",
    }
}

named! {
    /// Where a satisfaction value comes from, best first.
    SatisfactionSource {
        /// The customer's own rating.
        Rating = "rating",
        /// Questions answered after the conversation, or its completion, by a documented rule.
        Questionnaire = "questionnaire",
        /// A model's prediction, because nobody answered.
        Model = "model",
        /// The customer left unanswered: S = 0.
        Abandoned = "abandoned",
        /// A simulator's draw.
        Simulated = "simulated",
    }
}

named! {
    /// State of the helpdesk's service-level agreement.
    SlaStatus {
        /// Met.
        Hit = "hit",
        /// Breached.
        Missed = "missed",
        /// Still running.
        Active = "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_positions_invert() {
        for (index, class) in Class::ALL.iter().enumerate() {
            assert_eq!(Class::from_name(class.name()), Some(*class));
            assert_eq!(Class::from_index(index), Some(*class));
            assert_eq!(class.index(), index);
        }
        assert_eq!(Class::from_name("Simple"), None);
        assert_eq!(RatingScale::from_name("1-5"), Some(RatingScale::FivePoint));
        assert_eq!(
            serde_json::to_string(&RatingScale::FivePoint).unwrap(),
            "\"1-5\""
        );
    }
}
