//! Configuration of the contact centre: who works when, what they can do, and what may break.
//!
//! Customers, answers and what they lead to are the shop's ([`ShopConfig`](crate::shop::ShopConfig)); here is what is
//! finite. `[shop.load]` is not used: load is what the policy makes of these people.

mod validate;

use serde::{Deserialize, Serialize};

use crate::forecast::Autoscaler;
use crate::tier::Tier;

pub use self::validate::CentreConfigError;
pub(super) use self::validate::clock;

/// Most teams a centre may have.
pub const MAX_TEAMS: usize = 64;

/// The contact centre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentreConfig {
    /// When a tier is chosen.
    pub decision: DecisionPoint,
    /// Coefficient of variation of a day's factor on all its arrivals, in [0, 2]; 0 is a Poisson process.
    pub overdispersion: f64,
    /// How patience varies around its mean, `shop.customer.patience_s`.
    pub patience: Spread,
    /// Mean seconds until a customer who reopens comes back, exponential and cut at 7 days; in (0, 604800].
    pub reopen_after_s: f64,
    /// Hours at the start that are simulated and not counted, at least 0.
    pub warmup_h: f64,
    /// Hours after the end in which customers still arrive, uncounted, while counted ones are answered; at least 0.
    pub cooldown_h: f64,
    /// Hours the shop is open, for service levels on the business clock; absent: always.
    pub hours: Option<BusinessHours>,
    /// The AI workers.
    pub ai: AiConfig,
    /// The people.
    pub pool: Vec<PoolConfig>,
    /// What breaks.
    pub outage: Vec<OutageConfig>,
}

/// When a tier is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionPoint {
    /// At each customer message.
    #[default]
    Message,
    /// At the first; later messages are answered at the same tier, or the nearest one allowed.
    Conversation,
}

/// A positive law around a mean that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Spread {
    /// Exponential.
    #[default]
    Exponential,
    /// Lognormal with this coefficient of variation.
    Lognormal {
        /// Standard deviation over mean, in (0, 10].
        cv: f64,
    },
    /// The shape of a sample, scaled to the mean.
    Empirical {
        /// At least two different values, each above 0.
        samples_s: Vec<f64>,
    },
}

/// Opening hours on one clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// IANA time zone.
    pub zone: String,
    /// Days open; absent: every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Opens, `HH:MM`.
    pub from: String,
    /// Closes, `HH:MM`; not after `from` means the next day.
    pub to: String,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// The AI workers: `shop.auto.latency_s` is how long one of them takes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AiConfig {
    /// Answers that can be under way at once; absent: as many as are asked for.
    pub replicas: Option<u32>,
    /// Adds and removes replicas by their busy share.
    pub autoscale: Option<Autoscaler>,
}

/// People who share a place, a clock and a way of working.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Its name in results and outages.
    pub name: String,
    /// IANA time zone of its shifts.
    pub zone: String,
    /// What its people do: `review`, `human`, or both.
    pub tiers: Vec<Tier>,
    /// Where they do both: whether whole conversations go before reviews. Otherwise first come, first served.
    #[serde(default = "yes")]
    pub human_first: bool,
    /// Chats a person holds at once, 1 to 16.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// How much longer each chat takes for every other chat of the same person, in [0, 2].
    #[serde(default = "slowdown")]
    pub slowdown: f64,
    /// Whether its people review drafts in languages they do not speak, with a translation.
    #[serde(default = "yes")]
    pub review_any_language: bool,
    /// Its teams.
    pub team: Vec<TeamConfig>,
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

const fn slowdown() -> f64 {
    0.15
}

/// People with the same languages and the same shift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamConfig {
    /// How many, 1 to 100,000.
    pub people: u32,
    /// Tags of `shop.language`; absent: every language.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Days on which the shift begins; absent: every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Begins, `HH:MM` in the pool's zone.
    pub from: String,
    /// Ends, `HH:MM`; not after `from` means the next day. Equal times are a whole day.
    pub to: String,
    /// Breaks within the shift.
    #[serde(default)]
    pub breaks: Vec<BreakConfig>,
}

/// Part of a team is away for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakConfig {
    /// Begins, `HH:MM`.
    pub at: String,
    /// Lasts, 1 to 480.
    pub minutes: u32,
    /// Share of the team that is away, in (0, 1]; rounded to people.
    pub share: f64,
}

/// Something is gone for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutageConfig {
    /// Hours from the start of the period, at least 0.
    pub start_h: f64,
    /// Hours it lasts, above 0.
    pub duration_h: f64,
    /// Pools that lose people; absent: every pool.
    #[serde(default)]
    pub pools: Vec<String>,
    /// Languages whose teams are hit; absent: all.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Share of these people lost, in [0, 1]; rounded up.
    #[serde(default)]
    pub people_lost: f64,
    /// Share of the AI replicas lost, in [0, 1]; only where replicas are limited.
    #[serde(default)]
    pub ai_lost: f64,
    /// Seconds until an interrupted conversation is back in the queue, at least 0.
    #[serde(default)]
    pub reroute_delay_s: f64,
    /// Share of interrupted conversations that are lost for good, in [0, 1].
    #[serde(default)]
    pub dropped: f64,
}

impl Default for CentreConfig {
    /// A centre that the default shop keeps busy in the evening: people of the day in two shifts, and a night watch.
    fn default() -> Self {
        let team = |people: u32, languages: &[&str], from: &str, to: &str| TeamConfig {
            people,
            languages: languages.iter().map(|l| (*l).to_owned()).collect(),
            days: Vec::new(),
            from: from.to_owned(),
            to: to.to_owned(),
            breaks: Vec::new(),
        };
        Self {
            decision: DecisionPoint::Message,
            overdispersion: 0.1,
            patience: Spread::Exponential,
            reopen_after_s: 86_400.0,
            warmup_h: 24.0,
            cooldown_h: 6.0,
            hours: None,
            ai: AiConfig::default(),
            pool: vec![PoolConfig {
                name: "service".to_owned(),
                zone: "Asia/Shanghai".to_owned(),
                tiers: vec![Tier::Review, Tier::Human],
                human_first: true,
                concurrency: 1,
                slowdown: 0.15,
                review_any_language: true,
                team: vec![
                    team(4, &["zh", "en"], "08:00", "17:00"),
                    team(5, &["zh", "en"], "15:00", "00:00"),
                    team(2, &["en", "id", "ms", "th"], "09:00", "18:00"),
                    team(2, &["en", "vi", "fil", "ja", "ko"], "15:00", "00:00"),
                    team(1, &["en", "es", "pt", "de", "fr", "ar"], "15:00", "00:00"),
                    team(1, &["zh", "en"], "00:00", "08:00"),
                ],
            }],
            outage: Vec::new(),
        }
    }
}
