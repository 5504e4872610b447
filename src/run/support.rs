//! What the log can and cannot support, as the report shows it.

use serde::Deserialize;
use tierwise_envs::log::check::{Claim as Checked, ClaimKind};
use tierwise_envs::time::UtcMicros;
use tierwise_reports::{
    Claim, ClaimTopic, LogGap, LogSupport, OverlapRow, PropensityKind, Reason, Sentence,
};

use super::evaluation::{AS_LOGGED, BASELINE, Evaluation};
use super::judged::Propensities;

/// The parts of a saved log check that the page shows.
#[derive(Debug, Deserialize)]
pub(super) struct SavedCheck {
    conversations: u64,
    decisions: u64,
    span: Option<SavedSpan>,
    overlap: Vec<SavedOverlap>,
    claims: Vec<Checked>,
}

#[derive(Debug, Deserialize)]
struct SavedSpan {
    from: String,
    to: String,
    days: f64,
    longest_gap: Option<SavedGap>,
}

#[derive(Debug, Deserialize)]
struct SavedGap {
    from: UtcMicros,
    seconds: f64,
}

#[derive(Debug, Deserialize)]
struct SavedOverlap {
    class: Option<String>,
    tiers: [SavedCell; 3],
}

#[derive(Debug, Deserialize)]
struct SavedCell {
    count: u64,
}

/// The log's section of the page: weights from judging, everything else from the log check where one was kept.
pub(super) fn log_support(evaluation: &Evaluation, check: Option<SavedCheck>) -> LogSupport {
    let candidate = evaluation
        .policies
        .iter()
        .find(|judged| Some(&judged.name) == evaluation.verdict.policy.as_ref())
        .or_else(|| {
            let learned = |name: &str| name != BASELINE && name != AS_LOGGED;
            evaluation
                .policies
                .iter()
                .find(|judged| learned(&judged.name))
        });
    let weights = candidate.and_then(|candidate| candidate.weights);
    let mut support = LogSupport {
        conversations: evaluation.rows,
        decisions: evaluation.decisions,
        first_at: None,
        last_at: None,
        span_days: None,
        gaps: Vec::new(),
        propensity: match evaluation.propensities {
            Propensities::Exact => PropensityKind::Exact,
            Propensities::Estimated => PropensityKind::Estimated,
            Propensities::Absent => PropensityKind::Absent,
        },
        effective_sample_size: weights.map(|w| w.effective_sample_size),
        largest_weight_share: weights.map(|w| w.max_share),
        overlap: Vec::new(),
        claims: Vec::new(),
    };
    if let Some(check) = check {
        support.conversations = check.conversations;
        support.decisions = check.decisions;
        if let Some(span) = check.span {
            support.first_at = Some(span.from);
            support.last_at = Some(span.to);
            support.span_days = Some(span.days);
            support.gaps.extend(span.longest_gap.map(|gap| LogGap {
                from: gap.from.to_string(),
                to: gap.from.plus_seconds(gap.seconds).to_string(),
                hours: gap.seconds / 3_600.0,
            }));
        }
        support.overlap = check
            .overlap
            .into_iter()
            .map(|row| OverlapRow {
                class: row.class.unwrap_or_else(|| "unknown".to_owned()),
                counts: row.tiers.map(|cell| cell.count),
            })
            .collect();
        support.claims = check.claims.iter().map(claim).collect();
    }
    support
}

/// A claim of the log check in both languages. The counts behind it are the check's own words, in English.
fn claim(checked: &Checked) -> Claim {
    let (topic_zh, because_zh) = chinese(checked.what, checked.allowed);
    Claim {
        topic: ClaimTopic::Stated(Sentence::new(&checked.statement, topic_zh)),
        allowed: checked.allowed,
        reason: Some(Reason::Stated(Sentence::new(&checked.because, because_zh))),
    }
}

/// Topic and reason of a claim in Chinese.
const fn chinese(what: ClaimKind, allowed: bool) -> (&'static str, &'static str) {
    match (what, allowed) {
        (ClaimKind::LoggedValue, true) => {
            ("写下该日志的策略的平均奖励", "有足够的会话可以计算奖励")
        }
        (ClaimKind::LoggedValue, false) => ("写下该日志的策略的平均奖励", "可计算奖励的会话不足"),
        (ClaimKind::SatisfactionAuto, true) => {
            ("自动层级的满意度", "有只由该层级回答且客户给出满意度的会话")
        }
        (ClaimKind::SatisfactionAuto, false) => ("自动层级的满意度", "该层级没有足够的客户满意度"),
        (ClaimKind::SatisfactionReview, true) => {
            ("审核层级的满意度", "有只由该层级回答且客户给出满意度的会话")
        }
        (ClaimKind::SatisfactionReview, false) => {
            ("审核层级的满意度", "该层级没有足够的客户满意度")
        }
        (ClaimKind::SatisfactionHuman, true) => {
            ("人工层级的满意度", "有只由该层级回答且客户给出满意度的会话")
        }
        (ClaimKind::SatisfactionHuman, false) => ("人工层级的满意度", "该层级没有足够的客户满意度"),
        (ClaimKind::OffPolicyValue, true) => (
            "在该日志上估计其他策略的价值",
            "记录了倾向概率，各层级都被采用过，奖励已知",
        ),
        (ClaimKind::OffPolicyValue, false) => (
            "在该日志上估计其他策略的价值",
            "缺少倾向概率、层级覆盖或奖励",
        ),
        (ClaimKind::Learning, true) => ("从该日志的奖励中学习策略", "日志支持其他策略的价值"),
        (ClaimKind::Learning, false) => (
            "从该日志的奖励中学习策略",
            "只能在反事实模型上学习，并标为模拟",
        ),
        (ClaimKind::SimulatedLearning, true) => (
            "在拟合该日志的模拟器上学习",
            "有到达与决策；结果标为模拟，不能用于上线",
        ),
        (ClaimKind::SimulatedLearning, false) => ("在拟合该日志的模拟器上学习", "缺少到达或决策"),
        (ClaimKind::ChoicesUnconfounded, true) => {
            ("层级仅由策略和规则选择", "没有被客服或客户推翻的决策")
        }
        (ClaimKind::ChoicesUnconfounded, false) => {
            ("层级仅由策略和规则选择", "有决策被客服或客户推翻")
        }
        (ClaimKind::Capacity, true) => ("负载与排队的影响", "决策记录了当时忙碌的人数"),
        (ClaimKind::Capacity, false) => ("负载与排队的影响", "没有记录当时忙碌的人数"),
        (ClaimKind::Clicks, true) => ("点击率", "点击被跟踪"),
        (ClaimKind::Clicks, false) => ("点击率", "点击没有被跟踪；没有看到不等于没有"),
        (ClaimKind::Conversion, true) => ("转化率", "购买被跟踪"),
        (ClaimKind::Conversion, false) => ("转化率", "购买没有被跟踪；没有看到不等于没有"),
        (ClaimKind::Seasonality, true) => ("每周规律", "日志跨度足够"),
        (ClaimKind::Seasonality, false) => ("每周规律", "日志跨度不足十四天"),
        (ClaimKind::Completeness, true) => ("没有缺失的时间段", "最可疑的空档仍可能是偶然"),
        (ClaimKind::Completeness, false) => ("没有缺失的时间段", "有一段空档几乎不可能是偶然"),
        (ClaimKind::LabelledTraining, true) => {
            ("用该日志的标签训练意图或类别模型", "带标签的会话足够")
        }
        (ClaimKind::LabelledTraining, false) => {
            ("用该日志的标签训练意图或类别模型", "带标签的会话不足一万")
        }
        (ClaimKind::SatisfactionFromPeople, true) => ("满意度来自真人", "没有模拟器给出的满意度"),
        (ClaimKind::SatisfactionFromPeople, false) => ("满意度来自真人", "部分满意度由模拟器给出"),
        _ => ("其他说明", "见英文版"),
    }
}
