//! Configuration of the generated shop: every number of its world, with defaults and ranges.

mod validate;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::validate::ShopConfigError;

/// Most customer messages a conversation may have.
pub const MAX_TURNS: u32 = 16;

/// The generated shop.
///
/// Lists of three numbers go by class (simple, complex, complaint) unless the key says tier (auto, review, human).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShopConfig {
    /// Seed of the world: the load of each hour. Conversations take their own seed where they are drawn.
    pub seed: u64,
    /// First day, shop-local.
    pub start: Date,
    /// Days generated, 1 to 3,660; the world repeats after the last.
    pub days: u32,
    /// Hours that the shop's clock is ahead of UTC, -12 to 14. All hourly profiles are shop-local.
    pub utc_offset_hours: f64,
    /// Mean contacts a day, above 0.
    pub daily_contacts: f64,
    /// Relative contacts by hour of the day.
    pub hourly_profile: [f64; 24],
    /// Relative contacts by weekday, Monday first.
    pub weekday_profile: [f64; 7],
    /// Share of chat, email, voice, video, social and other, relative.
    pub channel_shares: [f64; 6],
    /// Relative shares of the classes by day.
    pub class_shares_day: [f64; 3],
    /// Relative shares of the classes in the evening and at night.
    pub class_shares_night: [f64; 3],
    /// Shop-local hours from and to which the night shares hold, wrapping midnight.
    pub night_hours: [u32; 2],
    /// Customer messages after which the customer gives up, 1 to 16.
    pub max_turns: u32,
    /// Languages of the customers.
    pub language: Vec<LanguageConfig>,
    /// What the live models see.
    pub perception: PerceptionConfig,
    /// How busy people are.
    pub load: LoadConfig,
    /// Tier 1.
    pub auto: AutoConfig,
    /// Tier 2.
    pub review: ReviewConfig,
    /// Tier 3.
    pub human: HumanConfig,
    /// How customers wait, reply and leave.
    pub customer: CustomerConfig,
    /// What makes customers content.
    pub satisfaction: SatisfactionConfig,
    /// What happens afterwards.
    pub aftermath: AftermathConfig,
    /// What the generated log says about satisfaction.
    pub logged_satisfaction: LoggedSatisfaction,
}

/// One language of the shop's customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageConfig {
    /// BCP 47 primary subtag: two or three letters.
    pub tag: String,
    /// Relative share of the conversations.
    pub share: f64,
    /// How well the AI speaks it, in [0, 1]; it multiplies the chance of a right draft.
    pub ai_support: f64,
    /// Share of the people on shift who speak it, in [0, 1].
    pub human_share: f64,
    /// Regions (two letters), equally likely.
    pub regions: Vec<String>,
}

/// What the live models see of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PerceptionConfig {
    /// Live class guess: row = true class, column = guess; each row sums to 1.
    pub confusion: [[f64; 3]; 3],
    /// Share of first messages whose words give no hint, in [0, 1].
    pub ambiguous_share: f64,
    /// Mean sentiment of a first message, in [-1, 1].
    pub sentiment: [f64; 3],
    /// Half-width of the triangular noise of sentiment, in [0, 1].
    pub sentiment_noise: f64,
    /// Fall of sentiment with each answer that did not help, in [0, 1].
    pub sentiment_fall: f64,
    /// Half-width of the uniform noise of knowledge coverage around its intent's mean, in [0, 1].
    pub coverage_noise: f64,
}

/// How busy people are. Load is *exogenous*: it follows the hour, not what the policy does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadConfig {
    /// People who take over, mean over the hours of a day, at least 1.
    pub humans: f64,
    /// People who review, mean over the hours of a day, at least 1.
    pub reviewers: f64,
    /// Relative staff by hour of the day.
    pub staff_profile: [f64; 24],
    /// Staff on Saturday and Sunday relative to other days, above 0.
    pub weekend_staff: f64,
    /// Busy share of the people who take over in an average hour, in [0, 2].
    pub human_pressure: f64,
    /// Busy share of the people who review in an average hour, in [0, 2].
    pub review_pressure: f64,
    /// Half-width of the triangular noise of each hour's pressure, relative, in [0, 1).
    pub noise: f64,
    /// Largest busy share, in (0, 0.99].
    pub busy_max: f64,
}

/// Tier 1: the AI answers alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoConfig {
    /// Mean seconds to an answer or draft, in (0, 600].
    pub latency_s: f64,
    /// Chance of a right draft in a fully supported and covered case, in [0, 1].
    pub right: [f64; 3],
    /// Share of that chance which hangs on knowledge coverage, in [0, 1].
    pub coverage_weight: f64,
    /// The chance is multiplied by this after each AI draft that failed in the same conversation, in [0, 1].
    pub retry: f64,
}

/// Tier 2: the AI drafts, a person accepts, edits or rejects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewConfig {
    /// Chance that the reviewer sees a wrong draft and puts it right, in [0, 1].
    pub repair: [f64; 3],
    /// Share of right drafts that are edited all the same, in [0, 1].
    pub needless_edit: f64,
    /// Share of the repaired drafts that are rewritten (rejected) and not merely edited, in [0, 1].
    pub rewrite_share: f64,
    /// Mean seconds of a review whose draft is accepted, edited, rejected; each in (0, 3600].
    pub seconds: [f64; 3],
}

/// Tier 3: a person takes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HumanConfig {
    /// Chance to solve the request, in [0, 1].
    pub solve: [f64; 3],
    /// Mean seconds of work for the first answer, in (0, 3600].
    pub handle_s: [f64; 3],
    /// Work of a later answer in the same conversation relative to the first, in (0, 1].
    pub followup: f64,
    /// Share of the work done before the customer reads an answer, in (0, 1].
    pub first_word: f64,
    /// Spread of handling and review times: exponent of the log-logistic law, in [0, 0.45].
    pub spread: f64,
}

/// How customers wait, reply and leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerConfig {
    /// Mean patience in a queue, exponential, in (0, 21600].
    pub patience_s: [f64; 3],
    /// Mean seconds until an unsolved customer replies, exponential, in (0, 21600].
    pub think_s: f64,
    /// Chance that a customer leaves silently after an answer that did not help, in [0, 1].
    pub leave: [f64; 3],
    /// Chance, by tier of that answer, that a customer who stays asks for a person, in [0, 1].
    pub ask_human: [f64; 3],
}

/// What makes customers content: S = clamp(base − penalties + leniency) to [0, 1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SatisfactionConfig {
    /// Base when solved: row = class, column = tier of the last answer; in [0, 1].
    pub solved: [[f64; 3]; 3],
    /// Base when the customer leaves unsolved, in [0, 1].
    pub unsolved: [f64; 3],
    /// Lost with each customer message after the first, in [0, 1].
    pub per_extra_turn: f64,
    /// Lost with each minute waited, in [0, 1].
    pub per_minute: f64,
    /// Most that waiting can take away, in [0, 1].
    pub waiting_max: f64,
    /// Gained per unit of the last message's sentiment, in [0, 1].
    pub per_sentiment: f64,
    /// Half-width of the uniform differences between customers, in [0, 1].
    pub leniency: f64,
}

/// What happens after the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AftermathConfig {
    /// Chance that a solved conversation is reopened within 7 days, by tier of the last answer, in [0, 1].
    pub reopen_solved: [f64; 3],
    /// Chance that one left unsolved is reopened, in [0, 1].
    pub reopen_unsolved: f64,
    /// Chance that an indifferent customer (S = 0.5) answers the survey, in [0, 1].
    pub survey_base: f64,
    /// Added for a customer of the utmost opinion (S = 0 or 1), in [0, 1]: the survey's self-selection.
    pub survey_extreme: f64,
    /// Chance of a click per unit of S, by class, in [0, 1].
    pub click: [f64; 3],
    /// Mean seconds from the last answer to the click, in (0, 604800]; clicks count within 24 h of the first decision.
    pub click_delay_s: f64,
    /// Chance of a purchase per unit of S for a customer who clicked, in [0, 1].
    pub convert_clicked: f64,
    /// The same for one who did not.
    pub convert_unclicked: f64,
    /// Mean seconds from the last answer to the purchase, in (0, 604800]; purchases count within 7 days.
    pub conversion_delay_s: f64,
    /// Mean value of an order, above 0.
    pub order_value: f64,
    /// ISO 4217 currency of orders.
    pub currency: String,
}

/// What the generated log says about satisfaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedSatisfaction {
    /// Only the ratings of those who answered the survey, as in life.
    #[default]
    Survey,
    /// The simulator's S for everyone, source `simulated`; ratings as well.
    True,
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            start: Date::constant(2026, 3, 2),
            days: 28,
            utc_offset_hours: 8.0,
            daily_contacts: 2_000.0,
            hourly_profile: [
                0.25, 0.15, 0.10, 0.08, 0.08, 0.12, 0.25, 0.50, 0.80, 1.10, 1.30, 1.35, 1.20, 1.15,
                1.20, 1.25, 1.25, 1.30, 1.45, 1.80, 2.10, 2.00, 1.50, 0.80,
            ],
            weekday_profile: [1.0, 0.97, 0.96, 0.98, 1.05, 1.12, 1.10],
            channel_shares: [0.82, 0.06, 0.0, 0.01, 0.10, 0.01],
            class_shares_day: [0.62, 0.26, 0.12],
            class_shares_night: [0.58, 0.25, 0.17],
            night_hours: [19, 3],
            max_turns: 6,
            language: default_languages(),
            perception: PerceptionConfig::default(),
            load: LoadConfig::default(),
            auto: AutoConfig::default(),
            review: ReviewConfig::default(),
            human: HumanConfig::default(),
            customer: CustomerConfig::default(),
            satisfaction: SatisfactionConfig::default(),
            aftermath: AftermathConfig::default(),
            logged_satisfaction: LoggedSatisfaction::default(),
        }
    }
}

fn default_languages() -> Vec<LanguageConfig> {
    let rows: [(&str, f64, f64, f64, &[&str]); 14] = [
        ("zh", 0.33, 1.00, 0.50, &["CN", "SG", "MY"]),
        ("en", 0.20, 1.00, 0.60, &["SG", "US", "GB", "PH"]),
        ("id", 0.12, 0.85, 0.25, &["ID"]),
        ("th", 0.08, 0.75, 0.20, &["TH"]),
        ("vi", 0.07, 0.78, 0.20, &["VN"]),
        ("ms", 0.04, 0.85, 0.25, &["MY"]),
        ("fil", 0.04, 0.70, 0.15, &["PH"]),
        ("ja", 0.025, 0.92, 0.10, &["JP"]),
        ("ko", 0.020, 0.90, 0.08, &["KR"]),
        ("es", 0.025, 0.94, 0.10, &["MX", "ES"]),
        ("pt", 0.020, 0.92, 0.08, &["BR"]),
        ("de", 0.010, 0.94, 0.06, &["DE"]),
        ("fr", 0.010, 0.94, 0.06, &["FR"]),
        ("ar", 0.010, 0.78, 0.05, &["SA", "AE"]),
    ];
    rows.into_iter()
        .map(
            |(tag, share, ai_support, human_share, regions)| LanguageConfig {
                tag: tag.to_owned(),
                share,
                ai_support,
                human_share,
                regions: regions.iter().map(|r| (*r).to_owned()).collect(),
            },
        )
        .collect()
}

impl Default for PerceptionConfig {
    fn default() -> Self {
        Self {
            confusion: [[0.91, 0.06, 0.03], [0.10, 0.82, 0.08], [0.10, 0.16, 0.74]],
            ambiguous_share: 0.3,
            sentiment: [0.15, -0.05, -0.5],
            sentiment_noise: 0.5,
            sentiment_fall: 0.2,
            coverage_noise: 0.25,
        }
    }
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            humans: 24.0,
            reviewers: 12.0,
            staff_profile: [
                0.40, 0.30, 0.25, 0.25, 0.25, 0.25, 0.40, 0.70, 1.10, 1.40, 1.50, 1.50, 1.30, 1.40,
                1.50, 1.50, 1.40, 1.40, 1.40, 1.50, 1.60, 1.50, 1.10, 0.70,
            ],
            weekend_staff: 0.9,
            human_pressure: 0.64,
            review_pressure: 0.56,
            noise: 0.35,
            busy_max: 0.97,
        }
    }
}

impl Default for AutoConfig {
    fn default() -> Self {
        Self {
            latency_s: 2.2,
            right: [0.96, 0.56, 0.24],
            coverage_weight: 0.6,
            retry: 0.6,
        }
    }
}

impl Default for ReviewConfig {
    fn default() -> Self {
        Self {
            repair: [0.75, 0.66, 0.28],
            needless_edit: 0.1,
            rewrite_share: 0.4,
            seconds: [32.0, 75.0, 120.0],
        }
    }
}

impl Default for HumanConfig {
    fn default() -> Self {
        Self {
            solve: [0.97, 0.90, 0.84],
            handle_s: [130.0, 220.0, 240.0],
            followup: 0.6,
            first_word: 0.3,
            spread: 0.28,
        }
    }
}

impl Default for CustomerConfig {
    fn default() -> Self {
        Self {
            patience_s: [240.0, 480.0, 600.0],
            think_s: 90.0,
            leave: [0.35, 0.28, 0.22],
            ask_human: [0.35, 0.15, 0.0],
        }
    }
}

impl Default for SatisfactionConfig {
    fn default() -> Self {
        Self {
            solved: [[0.88, 0.88, 0.90], [0.80, 0.86, 0.89], [0.52, 0.68, 0.86]],
            unsolved: [0.22, 0.16, 0.08],
            per_extra_turn: 0.08,
            per_minute: 0.02,
            waiting_max: 0.25,
            per_sentiment: 0.08,
            leniency: 0.1,
        }
    }
}

impl Default for AftermathConfig {
    fn default() -> Self {
        Self {
            reopen_solved: [0.06, 0.04, 0.03],
            reopen_unsolved: 0.25,
            survey_base: 0.12,
            survey_extreme: 0.18,
            click: [0.16, 0.10, 0.05],
            click_delay_s: 5_400.0,
            convert_clicked: 0.30,
            convert_unclicked: 0.02,
            conversion_delay_s: 86_400.0,
            order_value: 24.0,
            currency: "USD".to_owned(),
        }
    }
}
