//! Customers of the simulated centre against a live router.
//!
//! Every decision is asked over HTTP with the observation of its moment; the answered tier goes into the simulation, and
//! what it leads to goes back as CloudEvents. Under a clock that follows ([`FollowingClock`]) the router lives in the
//! centre's calendar, days pass in seconds and the same traffic finds the same answers; otherwise the centre's time is
//! stretched over real time. The traffic moves a following clock past the slack only when everything that it was answered
//! is in the store and judged.
//!
//! [`FollowingClock`]: crate::router::clock::FollowingClock

mod guests;
mod link;
mod outbox;

use std::time::Duration;

use hyper::Method;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tierwise_envs::centre::{Centre, Closed, Happening};
use tierwise_envs::env::Situation;
use tierwise_envs::observation::Feature;
use tierwise_envs::tier::Tier;
use tierwise_envs::time::UtcMicros;
use tokio::sync::watch;

use self::guests::Guests;
pub use self::link::TrafficError;
use self::link::{Link, Ready};
pub use self::outbox::EventCounts;
use self::outbox::{Outbox, Outcome};
use crate::config::TrainConfig;
use crate::router::clock::{Clock, SLACK_S};
use crate::router::experiment::Definition;

/// Seconds of a following clock between two moments at which everything is settled: well below [`SLACK_S`].
const SETTLE_S: f64 = SLACK_S / 2.0;

/// Whose traffic, how much, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrafficPlan {
    /// The router.
    pub url: String,
    /// An API key with the roles needed: admin where an experiment is named.
    pub api_key: Option<String>,
    /// The experiment; a draft is started.
    pub experiment: Option<String>,
    /// Conversations that begin; by default as many as come in the days.
    pub contacts: Option<u64>,
    /// Days of the calendar; the shop's by default.
    pub days: Option<u32>,
    /// Seed of the customers.
    pub seed: u64,
    /// End as soon as the experiment no longer runs.
    pub until_decided: bool,
    /// Seconds of the centre in a second of real time; `None` where the router's clock follows.
    pub speed: Option<f64>,
}

/// Where the traffic is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Decisions answered.
    pub decisions: u64,
    /// Seconds of the calendar.
    pub at_s: f64,
}

/// What the customers of an arm came to, whoever they were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmTraffic {
    /// The arm; `-` outside every experiment.
    pub arm: String,
    /// Decisions by tier.
    pub tiers: [u64; 3],
    /// Conversations that ended.
    pub conversations: u64,
    /// Their mean reward, as the simulation knows it.
    pub reward: Option<f64>,
    /// Their mean seconds of people's time.
    pub human_s: Option<f64>,
    /// Share that left unanswered.
    pub abandoned: Option<f64>,
}

/// What the traffic came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrafficResult {
    /// Decisions that the router answered.
    pub decisions: u64,
    /// Of these, answered by the rules in place of a policy.
    pub fallbacks: u64,
    /// Conversations that began.
    pub contacts: u64,
    /// Events sent.
    pub events: EventCounts,
    /// Outcomes whose moment had not come at the end.
    pub outcomes_to_come: u64,
    /// Requests that were sent again.
    pub retried: u64,
    /// When the calendar began; `None` in real time.
    pub began: Option<UtcMicros>,
    /// Days of the calendar that passed.
    pub days: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Decisions a second.
    pub decisions_per_second: f64,
    /// The arms, in the order in which they answered first.
    pub arms: Vec<ArmTraffic>,
    /// Teams of a split pool that could not be halved, and were made even.
    pub made_even: Vec<String>,
    /// Where the experiment stands at the end, as the router says.
    pub experiment: Option<Value>,
}

/// What is remembered of a conversation under way.
#[derive(Debug, Clone, Default)]
struct Note {
    decision_id: String,
    decided_us: i64,
    arm: usize,
    escalated: bool,
    reopened: bool,
}

/// A question, as `/v1/decide` reads it.
#[derive(Serialize)]
struct Question<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment: Option<&'a str>,
    unit_id: &'a str,
    conversation_id: &'a str,
    context: ContextOf<'a>,
}

/// What is known, by name.
struct ContextOf<'a>(&'a Situation<'a>);

impl Serialize for ContextOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for feature in Feature::ALL {
            if let Some(value) = self.0.observation.get(*feature) {
                map.serialize_entry(feature.spec().name, &value)?;
            }
        }
        if let Some(text) = self.0.text {
            map.serialize_entry("text", text)?;
        }
        map.end()
    }
}

#[derive(Deserialize)]
struct Decided {
    decision_id: String,
    arm: Option<String>,
    tier: i64,
    fallback: Option<String>,
}

/// The name that a customer goes by.
fn customer(number: u64) -> String {
    format!("customer-{number}")
}

/// Sends the customers; `clock` measures and paces, `progress` is told of every decision.
///
/// # Errors
/// [`TrafficError`]: a router that stays away, refuses, or cannot be driven this way.
pub async fn drive(
    config: &TrainConfig,
    plan: &TrafficPlan,
    clock: &dyn Clock,
    progress: &watch::Sender<Progress>,
) -> Result<TrafficResult, TrafficError> {
    let begin_ns = clock.monotonic_ns();
    let mut link = Link::new(&plan.url, plan.api_key.as_deref());
    let ready: Ready = link.read(Method::GET, "/readyz", "", None).await?;
    let follows = plan.speed.is_none();
    if follows && ready.now_us.is_none() {
        return Err(TrafficError::Answer {
            url: plan.url.clone(),
            reason: "its clock follows no traffic; start it with `tierwise serve --follow-traffic`, or name the speed of \
                     its clock with `--speed` (1 for real time)"
                .to_owned(),
        });
    }
    let after = ready.now_us.filter(|_| follows).map(UtcMicros);
    let seen = match &plan.experiment {
        Some(key) => Some(experiment(&mut link, key, None).await?),
        None => None,
    };
    let definition = seen.as_ref().map(definition).transpose()?;
    let mut guests = Guests::new(config, plan, definition.as_ref(), after)?;
    let start = follows.then(|| guests.start());
    if let (Some(key), Some(seen)) = (&plan.experiment, &seen)
        && seen["phase"] == "draft"
    {
        let path = format!("/v1/experiments/{key}/start");
        let body = r#"{"reason": "its traffic begins"}"#;
        link.ask(Method::POST, &path, body, start.map(|start| start.0))
            .await?;
    }
    let mut drive = Drive {
        plan,
        link,
        outbox: Outbox::default(),
        start,
        notes: vec![Vec::new(); 2],
        sums: Vec::new(),
        settled_s: 0.0,
        unsettled: false,
        decisions: 0,
        fallbacks: 0,
        contacts: 0,
        standing: seen,
        made_even: std::mem::take(&mut guests.made_even),
    };
    let mut at_s = 0.0;
    while let Some((half, happening)) = guests.next() {
        let centre = guests.centre(half);
        let now_s = centre.now_s();
        if let Some(speed) = plan.speed {
            let due_ns = begin_ns + (now_s / speed * 1e9) as u64;
            let early_ns = due_ns.saturating_sub(clock.monotonic_ns());
            if early_ns > 0 {
                tokio::time::sleep(Duration::from_nanos(early_ns)).await;
            }
        }
        if drive.settle_before(now_s).await? && plan.until_decided {
            break;
        }
        at_s = now_s;
        match happening {
            Happening::Decision(slot) => {
                drive.decide(centre, half, slot).await?;
                progress.send_replace(Progress {
                    decisions: drive.decisions,
                    at_s,
                });
            }
            Happening::Closed(slot, end) => drive.close(centre, half, slot, &end),
            Happening::Over => {}
        }
    }
    drive.finish(at_s, begin_ns, clock).await
}

async fn experiment(link: &mut Link, key: &str, at_us: Option<i64>) -> Result<Value, TrafficError> {
    link.read(Method::GET, &format!("/v1/experiments/{key}"), "", at_us)
        .await
}

fn definition(view: &Value) -> Result<Definition, TrafficError> {
    Definition::deserialize(&view["definition"]).map_err(|e| TrafficError::Answer {
        url: "/v1/experiments".to_owned(),
        reason: e.to_string(),
    })
}

/// Sums of an arm.
#[derive(Debug, Default)]
struct Sums {
    arm: ArmTraffic,
    reward: f64,
    human_s: f64,
    abandoned: u64,
}

struct Drive<'a> {
    plan: &'a TrafficPlan,
    link: Link,
    outbox: Outbox,
    start: Option<UtcMicros>,
    /// By half and slot.
    notes: Vec<Vec<Note>>,
    sums: Vec<Sums>,
    settled_s: f64,
    /// Something was asked since everything was settled.
    unsettled: bool,
    decisions: u64,
    fallbacks: u64,
    contacts: u64,
    standing: Option<Value>,
    made_even: Vec<String>,
}

/// Microseconds of a second of the calendar.
fn micros(at_s: f64) -> i64 {
    (at_s * 1e6).round() as i64
}

impl Drive<'_> {
    /// The time that a following clock is told.
    fn told_us(&self, at_s: f64) -> Option<i64> {
        self.start.map(|start| start.0 + micros(at_s))
    }

    /// Sends and settles at every mark before a second of the calendar; whether the experiment no longer runs.
    async fn settle_before(&mut self, now_s: f64) -> Result<bool, TrafficError> {
        let step_s = match self.plan.speed {
            None => SETTLE_S,
            // In real time outcomes go out every second.
            Some(speed) => speed,
        };
        while now_s - self.settled_s >= step_s {
            let mut next = self.settled_s + step_s;
            if !self.unsettled {
                // Nothing was asked since: the quiet until the next outcome is passed at once.
                let due_s = |due_us| due_us as f64 / 1e6;
                let quiet_s = self.outbox.next_due_us().map_or(now_s, due_s).min(now_s);
                next = next.max(step_s * (quiet_s / step_s).floor());
            }
            self.settled_s = next;
            if self.settle(self.settled_s).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn settle(&mut self, at_s: f64) -> Result<bool, TrafficError> {
        self.outbox
            .send(&mut self.link, micros(at_s), self.start)
            .await?;
        if let Some(at_us) = self.told_us(at_s) {
            self.link.settle(at_us).await?;
        }
        self.unsettled = false;
        let Some(key) = &self.plan.experiment else {
            return Ok(false);
        };
        let at_us = self.told_us(at_s);
        let view = experiment(&mut self.link, key, at_us).await?;
        let runs = view["phase"] == "running";
        self.standing = Some(view);
        Ok(!runs)
    }

    /// Asks the router for a tier and lets the centre act on it.
    async fn decide(
        &mut self,
        centre: &mut Centre,
        half: usize,
        slot: u32,
    ) -> Result<(), TrafficError> {
        let index = slot as usize;
        let notes = &mut self.notes[half];
        if notes.len() <= index {
            notes.resize_with(index + 1, Note::default);
        }
        if centre.is_first(slot) {
            notes[index] = Note::default();
            self.contacts += 1;
        } else {
            self.answered(centre, half, slot);
            self.came_back(centre, half, slot);
        }
        let tier = match centre.settled(slot) {
            Some(tier) => tier,
            None => self.ask(centre, half, slot).await?,
        };
        centre.act(slot, tier);
        Ok(())
    }

    async fn ask(&mut self, centre: &Centre, half: usize, slot: u32) -> Result<Tier, TrafficError> {
        let (seed, number) = (self.plan.seed, centre.number(slot));
        let situation = centre.situation(slot);
        let question = Question {
            experiment: self.plan.experiment.as_deref(),
            unit_id: &customer(Centre::customer_of(seed, number)),
            conversation_id: &format!("centre-{seed}-{number:08}"),
            context: ContextOf(&situation),
        };
        let body = serde_json::to_string(&question).expect("a question is plain data");
        let now_s = centre.now_s();
        let at_us = self.told_us(now_s);
        let decided: Decided = self
            .link
            .read(Method::POST, "/v1/decide", &body, at_us)
            .await?;
        let wanted = Tier::from_number(decided.tier).ok_or_else(|| TrafficError::Answer {
            url: format!("{}/v1/decide", self.plan.url),
            reason: format!("tier {}", decided.tier),
        })?;
        self.unsettled = true;
        self.decisions += 1;
        self.fallbacks += u64::from(decided.fallback.is_some());
        let name = decided.arm.as_deref().unwrap_or("-");
        let arm = match self.sums.iter().position(|sums| sums.arm.arm == name) {
            Some(arm) => arm,
            None => {
                let mut sums = Sums::default();
                name.clone_into(&mut sums.arm.arm);
                self.sums.push(sums);
                self.sums.len() - 1
            }
        };
        // Router and centre forbid by the same rules; where a configuration makes them differ, the centre cannot do more.
        let tier = centre.mask(slot).nearest(wanted);
        self.sums[arm].arm.tiers[tier.index()] += 1;
        let note = &mut self.notes[half][slot as usize];
        note.decision_id = decided.decision_id;
        note.decided_us = micros(now_s);
        if centre.is_first(slot) {
            note.arm = arm;
        }
        Ok(tier)
    }

    fn put(&mut self, note: &Note, due_us: i64, kind: &'static str, value: Option<f64>) {
        if !note.decision_id.is_empty() {
            self.outbox.put(Outcome {
                due_us,
                decision_id: note.decision_id.clone(),
                kind,
                value,
            });
        }
    }

    /// What the last decision took.
    fn answered(&mut self, centre: &Centre, half: usize, slot: u32) {
        let note = self.notes[half][slot as usize].clone();
        let answer = *centre.answer(slot);
        let after_s = answer.answer_s.unwrap_or(answer.queue_s);
        let at_us = note.decided_us + micros(after_s);
        if let Some(answer_s) = answer.answer_s {
            self.put(&note, at_us, "answered", Some(answer_s));
        }
        self.put(&note, at_us, "handled", Some(answer.human_s));
    }

    /// A customer who asks for a person, or whose request was not settled after all.
    fn came_back(&mut self, centre: &Centre, half: usize, slot: u32) {
        let now_us = micros(centre.now_s());
        let (escalated, reopened) = (centre.has_escalated(slot), centre.has_reopened(slot));
        let note = self.notes[half][slot as usize].clone();
        if escalated && !note.escalated {
            self.put(&note, now_us, "escalation", None);
        }
        if reopened && !note.reopened {
            self.put(&note, now_us, "reopen", None);
        }
        let note = &mut self.notes[half][slot as usize];
        (note.escalated, note.reopened) = (escalated, reopened);
    }

    /// The conversation has ended: what it came to, now and later.
    fn close(&mut self, centre: &Centre, half: usize, slot: u32, end: &Closed) {
        self.answered(centre, half, slot);
        let note = std::mem::take(&mut self.notes[half][slot as usize]);
        let now_us = micros(centre.now_s());
        let later = |after_s: f64| now_us + micros(after_s);
        let reward = end.ending.reward.total;
        self.put(&note, now_us, "reward", Some(reward));
        let class = centre.class(slot).index() as f64;
        self.put(&note, now_us, "class", Some(class));
        if end.ending.abandoned {
            self.put(&note, now_us, "abandoned", None);
        }
        if let Some(after) = centre.aftermath(slot) {
            if let Some((mark, after_s)) = after.rating {
                let mark = Some(f64::from(mark));
                self.put(&note, later(after_s), "satisfaction", mark);
            }
            if let Some(after_s) = after.click_s {
                self.put(&note, later(after_s), "click", None);
            }
            if let Some(after_s) = after.conversion_s {
                self.put(&note, later(after_s), "conversion", after.order_value);
            }
        }
        if note.decision_id.is_empty() {
            return;
        }
        let sums = &mut self.sums[note.arm];
        sums.arm.conversations += 1;
        sums.reward += reward;
        sums.human_s += end.human_s;
        sums.abandoned += u64::from(end.ending.abandoned);
    }

    /// Lets the outcomes come that are still due, unless the test was decided; then everything is settled once more.
    async fn finish(
        mut self,
        mut at_s: f64,
        begin_ns: u64,
        clock: &dyn Clock,
    ) -> Result<TrafficResult, TrafficError> {
        let decided = self.plan.until_decided
            && self
                .standing
                .as_ref()
                .is_some_and(|view| view["phase"] != "running");
        let days = at_s / 86_400.0;
        self.settle(at_s).await?;
        if !decided && self.start.is_some() {
            while let Some(due_us) = self.outbox.next_due_us() {
                at_s = at_s.max(due_us as f64 / 1e6) + SETTLE_S;
                if self.settle(at_s).await? && self.plan.until_decided {
                    break;
                }
            }
            at_s += SLACK_S + 60.0;
            self.settle(at_s).await?;
        }
        let seconds = (clock.monotonic_ns() - begin_ns) as f64 / 1e9;
        let arms = self.sums.into_iter().map(|sums| {
            let n = sums.arm.conversations as f64;
            let mean = |sum: f64| (n > 0.0).then(|| sum / n);
            ArmTraffic {
                reward: mean(sums.reward),
                human_s: mean(sums.human_s),
                abandoned: mean(sums.abandoned as f64),
                ..sums.arm
            }
        });
        Ok(TrafficResult {
            decisions: self.decisions,
            fallbacks: self.fallbacks,
            contacts: self.contacts,
            events: self.outbox.counts,
            outcomes_to_come: self.outbox.len(),
            retried: self.link.retried,
            began: self.start,
            days,
            seconds,
            decisions_per_second: self.decisions as f64 / seconds.max(1e-9),
            arms: arms.collect(),
            made_even: self.made_even,
            experiment: self.standing,
        })
    }
}
