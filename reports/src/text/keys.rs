//! Words that callers pass as keys (axis names, levels, message classes,
//! estimators, sections of the reward), with their wording in both languages.

use super::Language;

const KEYS: &[(&str, &str, &str)] = &[
    ("complexity", "Complexity", "复杂度"),
    ("sentiment", "Sentiment", "情绪"),
    ("load", "Load", "负载"),
    ("turn", "Turn", "轮次"),
    ("simple", "simple", "简单"),
    ("complex", "complex", "复杂"),
    ("complaint", "complaint", "投诉"),
    ("negative", "negative", "负面"),
    ("neutral", "neutral", "中性"),
    ("positive", "positive", "正面"),
    ("not_negative", "not negative", "非负面"),
    ("neutral_or_positive", "neutral or positive", "中性或正面"),
    ("low", "low", "低"),
    ("medium", "medium", "中"),
    ("high", "high", "高"),
    ("full", "full", "满"),
    ("idle", "idle", "空闲"),
    ("busy", "busy", "繁忙"),
    ("first", "first", "首轮"),
    ("second", "second", "第二轮"),
    ("early", "early", "前几轮"),
    ("late", "late", "后续轮"),
    ("later", "later", "后续"),
    ("mean", "Mean", "均值"),
    ("rule", "rule", "规则"),
    ("shop", "shop", "店铺"),
    ("unknown", "unknown", "未知"),
    // Quantities, models and parameters of a simulated centre.
    ("scarce", "scarce people", "人手紧缺"),
    ("slack", "people to spare", "人手宽裕"),
    ("hourly_volume", "Contacts per hour", "每小时联系量"),
    ("daily_volume", "Contacts per day", "每日联系量"),
    ("overdispersion", "Overdispersion of days", "日间过度离散"),
    ("mean_wait", "Mean wait", "平均等待"),
    (
        "p90_wait",
        "90th percentile of the wait",
        "等待的第 90 百分位",
    ),
    ("wait", "Wait", "等待"),
    ("first_response", "First response", "首次响应"),
    ("within_service_level", "Inside service level", "服务水平内"),
    ("abandoned", "Abandoned", "放弃率"),
    ("occupancy", "Occupancy", "占用率"),
    ("arrival_rate", "Arrivals", "到达率"),
    ("ai_latency", "AI answer time", "AI 答复时间"),
    ("review_time", "Review time", "审核时间"),
    ("handle_time", "Handle time", "处理时间"),
    ("service_mean", "Mean service time", "平均服务时间"),
    ("service_sd", "Spread of service time", "服务时间标准差"),
    ("patience", "Patience", "耐心"),
    ("patience_mean", "Mean patience", "平均耐心"),
    ("patience_sd", "Spread of patience", "耐心标准差"),
    (
        "think_time",
        "Time until the customer replies",
        "顾客回复间隔",
    ),
    (
        "slowdown",
        "Slowdown per further chat",
        "每增加一个会话的减速",
    ),
    ("concurrency", "Chats at once", "同时会话数"),
    ("solve_share", "Solved by an answer", "一次答复解决率"),
    ("review_accepted", "Drafts accepted", "草稿采纳率"),
    ("review_edited", "Drafts edited", "草稿修改率"),
    ("review_rejected", "Drafts rejected", "草稿拒绝率"),
    ("reopen_share", "Reopened", "重新打开率"),
    ("escalation", "Escalations", "升级率"),
    ("satisfaction", "Satisfaction", "满意度"),
    ("rating_share", "Ratings answered", "评价回复率"),
    ("click", "Clicks", "点击"),
    ("conversion", "Conversions", "转化"),
    ("human_secs", "Human time", "人工用时"),
    ("ips", "IPS", "IPS"),
    ("snips", "SNIPS", "SNIPS"),
    ("cips", "Clipped IPS", "截断 IPS"),
    ("sgips", "Sub-Gaussian IPS", "次高斯 IPS"),
    ("dm", "Direct method", "直接法"),
    ("model", "Model value", "模型值"),
    ("dr", "Doubly robust", "双重稳健"),
    ("sndr", "Self-normalized DR", "自归一化 DR"),
    ("cdr", "Clipped DR", "截断 DR"),
    ("switch", "Switch-DR", "Switch-DR"),
    ("dros", "DR, optimistic shrinkage", "DR（乐观收缩）"),
    ("sgdr", "Sub-Gaussian DR", "次高斯 DR"),
    ("mrdr", "More robust DR", "更稳健的 DR"),
    ("tis", "Trajectory IS", "轨迹 IS"),
    ("pdis", "Per-decision IS", "逐步 IS"),
    ("sntis", "Self-normalized trajectory IS", "自归一化轨迹 IS"),
    (
        "snpdis",
        "Self-normalized per-decision IS",
        "自归一化逐步 IS",
    ),
    ("wdr", "Weighted DR", "加权 DR"),
    ("fqe", "Fitted Q evaluation", "拟合 Q 评估"),
    ("mis", "Marginalized IS", "边际 IS"),
    ("magic", "MAGIC", "MAGIC"),
    ("normal", "normal", "正态"),
    ("t", "t", "t"),
    ("bootstrap", "bootstrap", "自助法"),
    ("hoeffding", "Hoeffding", "Hoeffding"),
    ("bernstein", "empirical Bernstein", "经验 Bernstein"),
    ("betting", "betting", "下注法"),
    ("z_pooled", "z test, pooled", "z 检验（合并）"),
    ("z_unpooled", "z test, unpooled", "z 检验（不合并）"),
    ("newcombe", "Newcombe", "Newcombe 区间"),
    ("welch", "Welch’s t", "Welch t 检验"),
    ("lift_t", "Lift, t", "提升（t）"),
    ("lift_normal", "Lift, normal", "提升（正态）"),
    ("cuped", "CUPED", "CUPED"),
    ("ratio", "Ratio metric", "比率指标"),
    ("winsorized", "Capped mean", "截尾均值"),
    ("beta_binomial", "Beta-Binomial", "Beta-Binomial"),
    ("gaussian", "Gaussian posterior", "高斯后验"),
    ("growthbook", "GrowthBook’s rule", "GrowthBook 规则"),
    ("msprt", "mSPRT", "mSPRT"),
    ("paired_t", "Paired t", "配对 t 检验"),
];

pub(super) fn translate(key: &str, language: Language) -> Option<&'static str> {
    KEYS.iter()
        .find(|(known, _, _)| *known == key)
        .map(|(_, en, zh)| match language {
            Language::En => *en,
            Language::Zh => *zh,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_listed_once() {
        let mut names: Vec<&str> = KEYS.iter().map(|(key, _, _)| *key).collect();
        names.sort_unstable();
        let listed = names.len();
        names.dedup();
        assert_eq!(names.len(), listed);
    }
}
