//! Every phrase of every page, English and Chinese side by side. Blanks stand
//! in braces and are the same in both languages; a test compares them.

use super::{Language, Phrased};

macro_rules! phrases {
    ($(#[$doc:meta])* $list:ident; $($name:ident: $en:literal, $zh:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $list { $($name),* }

        #[cfg(test)]
        impl $list {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl Phrased for $list {
            fn in_language(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::En) => $en,
                      (Self::$name, Language::Zh) => $zh,)*
                }
            }
        }
    };
}
pub(super) use phrases;

phrases! {
    /// A phrase that any page may use.
    Phrase;

    // The frame.
    OfflineReport: "Offline report", "离线报告";
    CentreReport: "Contact centre report", "客服中心报告";
    SampleNotice: "Sample page. Every number on it is invented.", "示例页面，所有数字均为虚构。";
    Contents: "On this page", "本页内容";
    FooterSelfContained: "Made by tierwise. This page is one file: it loads nothing from the network.", "由 tierwise 生成。本页为单一文件，不从网络加载任何内容。";
    ListSeparator: ", ", "，";
    FullStop: ".", "。";
    SentenceSpace: " ", "";
    SecondsShort: "\u{202f}s", "\u{202f}秒";
    MinutesShort: "\u{202f}min", "\u{202f}分钟";
    HoursShort: "\u{202f}h", "\u{202f}小时";
    PerHourShort: "/h", "/小时";
    PercentagePoints: "\u{202f}pp", "\u{202f}百分点";
    Days: "{days}\u{202f}days", "{days}\u{202f}天";
    AxisHours: "{hours}\u{202f}h", "{hours}\u{202f}小时";
    NoInterval: "no interval", "无区间";
    SectionOmitted: "This section is empty:", "本节没有内容：";
    ConversationsWithCount: "n = {n} conversations", "n = {n} 个会话";

    // Tiers.
    TierAuto: "auto", "自动";
    TierReview: "review", "审核";
    TierHuman: "human", "人工";
    TierAutoLetter: "A", "自";
    TierReviewLetter: "R", "审";
    TierHumanLetter: "H", "人";
    TierAutoMeaning: "AI answers alone", "由 AI 直接答复";
    TierReviewMeaning: "AI drafts, a person reviews", "AI 拟稿，人工审核";
    TierHumanMeaning: "a person takes over", "由人工接管";

    // Evidence badges.
    BadgeLogged: "logged", "日志";
    BadgeLoggedMeaning: "from logged choices with exact propensities", "来自带有精确倾向得分的日志决策";
    BadgeEstimated: "estimated propensity", "估计的倾向得分";
    BadgeEstimatedMeaning: "from logged choices whose propensities were estimated afterwards; not enough to promote on", "来自日志决策，但倾向得分为事后估计；不足以据此上线";
    BadgeSimulated: "simulated", "模拟";
    BadgeSimulatedMeaning: "from a counterfactual model or a simulator, not from logged choices", "来自反事实模型或模拟器，而非日志中的实际决策";

    // Verdict.
    VerdictTitle: "Verdict", "结论";
    VerdictBeatsHeadline: "{policy} beats {baseline}", "{policy} 优于 {baseline}";
    VerdictBeatsMeaning: "The whole interval lies on the side of the new policy, so chance alone is an unlikely explanation.", "整个区间都落在新策略一侧，仅凭偶然很难解释这一差异。";
    VerdictBeatsAction: "Next: take it into a live test.", "下一步：进入线上测试。";
    VerdictBeatsEstimatedAction: "Next: a live test with logged propensities. Estimated propensities alone do not promote a policy.", "下一步：在记录倾向得分的线上测试中验证。仅凭估计的倾向得分不能上线。";
    VerdictNotShownHeadline: "No improvement shown: keep {baseline}", "未显示出改进：保留 {baseline}";
    VerdictNotShownMeaning: "The interval includes zero: {policy} may be better than, equal to, or worse than {baseline}.", "区间包含零：{policy} 可能优于、等于或劣于 {baseline}。";
    VerdictMoreNeeded: " About {more} more conversations like these would tell a difference of this size from zero.", "大约还需要 {more} 个同类会话，才能把这么大的差异与零区分开。";
    VerdictWorseHeadline: "{policy} is worse: keep {baseline}", "{policy} 更差：保留 {baseline}";
    VerdictWorseMeaning: "The whole interval lies on the side of the baseline.", "整个区间都落在基线一侧。";
    VerdictKeepAction: "Next: keep the baseline in place.", "下一步：继续使用基线。";
    VerdictSimulatedHeadline: "Simulation only: {policy} against {baseline}", "仅为模拟：{policy} 对比 {baseline}";
    VerdictSimulatedMeaning: "These numbers hold inside the model “{model}”. The log does not show what would have happened under {policy}, so nothing here proves that it beats {baseline} for real customers.", "这些数字只在模型“{model}”内成立。日志没有显示 {policy} 实际会带来什么结果，因此不能证明它对真实顾客优于 {baseline}。";
    VerdictSimulatedAction: "Not for promotion. Next: log decisions with propensities, or run a live test.", "不可据此上线。下一步：记录带倾向得分的决策，或进行线上测试。";
    VerdictCentreMore: "In this centre {policy} earns {difference} more per conversation than {baseline}, when everyone uses it", "在此客服中心内，当所有会话都使用 {policy} 时，每个会话比 {baseline} 多获得 {difference} 奖励";
    VerdictCentreLess: "In this centre {policy} earns {difference} less per conversation than {baseline}, when everyone uses it", "在此客服中心内，当所有会话都使用 {policy} 时，每个会话比 {baseline} 少获得 {difference} 奖励";
    VerdictCentreHigher: "In this centre, {measure}: {difference} higher per conversation under {policy} than under {baseline}, when everyone uses it", "在此客服中心内，当所有会话都使用 {policy} 时，每个会话的{measure}比 {baseline} 高 {difference}";
    VerdictCentreLower: "In this centre, {measure}: {difference} lower per conversation under {policy} than under {baseline}, when everyone uses it", "在此客服中心内，当所有会话都使用 {policy} 时，每个会话的{measure}比 {baseline} 低 {difference}";
    VerdictCentreOpen: "In this centre no difference is shown between {policy} and {baseline}, when everyone uses one of them", "在此客服中心内，所有会话都使用 {policy} 或都使用 {baseline} 时，未显示出差异";
    VerdictCentreMeaning: "Each policy had the whole centre “{centre}” to itself, so these are the queues that it would make, not those that the log happened to have. They are as believable as the simulator: look at its calibration and sensitivity before believing them.", "每个策略都独自使用整个客服中心“{centre}”，因此这是该策略自己会形成的队列，而不是日志中恰好出现的队列。其可信程度取决于模拟器：采信之前请先查看其校准与敏感性。";
    VerdictCentreAction: "Not for promotion by itself. Next: a live test in which the two policies do not share a queue.", "不可仅凭此上线。下一步：进行两个策略不共用队列的线上测试。";
    VerdictCentreReplications: " The interval is over {count} replications; both policies meet the same customers in each.", "区间来自 {count} 次重复模拟；每次中两个策略面对相同的顾客。";
    VerdictRefusedHeadline: "No verdict: the evidence does not allow one", "无法得出结论：证据不足";
    VerdictRefusedMeaning: "A number without support would look like a result. None is printed.", "没有依据的数字会被误认为结果，因此不予显示。";
    VerdictRefusedAction: "Next: keep the baseline, and see below what the log can support.", "下一步：继续使用基线，并查看下文日志能够支持哪些结论。";
    VerdictEvidence: "Compared with {baseline}, {measure} per conversation changes by {difference} ({level} interval {interval}, n = {n} conversations).", "与 {baseline} 相比，每个会话的{measure}变化 {difference}（{level} 区间 {interval}，n = {n} 个会话）。";
    VerdictEvidenceSimulated: "Inside the model, compared with {baseline}, {measure} per conversation changes by {difference} ({level} interval {interval}, n = {n} simulated conversations).", "在模型内，与 {baseline} 相比，每个会话的{measure}变化 {difference}（{level} 区间 {interval}，n = {n} 个模拟会话）。";
    VerdictMethod: " Interval by {method}.", "区间方法：{method}。";
    VerdictCandidates: " Corrected for {count} candidates judged on these conversations.", "已针对在这些会话上评判过的 {count} 个候选策略作校正。";
    FigureDifference: "difference in {measure}", "{measure}之差";
    FigureRelative: "relative to the baseline", "相对基线";
    FigureInterval: "{level} interval of the difference", "差异的 {level} 区间";
    FigureConversations: "conversations judged", "评判的会话数";
    FigureSimulatedConversations: "simulated conversations", "模拟会话数";

    // Measures.
    Reward: "Reward", "奖励";
    RewardGloss: "R, 0–1, higher is better", "R，0–1，越高越好";
    Satisfaction: "Satisfaction", "满意度";
    SatisfactionGloss: "S, 0–1, higher is better", "S，0–1，越高越好";
    TimeEfficiency: "Time efficiency", "时间效率";
    TimeEfficiencyGloss: "E_time, 0–1, higher is better", "E_time，0–1，越高越好";
    CostEfficiency: "Cost efficiency", "成本效率";
    CostEfficiencyGloss: "E_cost, 0–1, higher is better", "E_cost，0–1，越高越好";
    HumanTime: "Human time", "人工用时";
    HumanTimeGloss: "per conversation, lower is better", "每个会话，越低越好";
    FirstResponse: "First response", "首次响应";
    FirstResponseGloss: "wait, lower is better", "等待时间，越低越好";
    EscalationRate: "Escalations", "升级率";
    EscalationRateGloss: "share, lower is better", "占比，越低越好";
    ClickRate: "Click rate", "点击率";
    ClickRateGloss: "CTR, higher is better", "CTR，越高越好";
    ConversionRate: "Conversions", "转化率";
    ConversionRateGloss: "share, higher is better", "占比，越高越好";

    Wait: "Mean wait", "平均等待";
    WaitGloss: "for every answer, lower is better", "每次答复，越低越好";
    WithinServiceLevel: "Inside service level", "服务水平内";
    WithinServiceLevelGloss: "share of answers, higher is better", "答复占比，越高越好";
    AbandonmentRate: "Abandoned", "放弃率";
    AbandonmentRateGloss: "share, lower is better", "占比，越低越好";
    Occupancy: "Occupancy", "占用率";
    OccupancyGloss: "busy share of people on shift; neither way is better", "在班人员忙碌占比；高低无优劣";

    // KPI table.
    KpiTitle: "Policies side by side", "策略对比";
    KpiCaption: "Means per conversation with {level} intervals in brackets. Below them, the difference to {baseline}: ▲ above it, ▼ below it; named better or worse only where its interval excludes zero, else unclear.", "每个会话的均值，方括号内为 {level} 区间。其下为与 {baseline} 之差：▲ 高于，▼ 低于；仅当其区间不含零时才标注更好或更差，否则为不明确。";
    KpiCaptionWithoutBaseline: "Means per conversation with {level} intervals in brackets. No baseline was judged on these conversations.", "每个会话的均值，方括号内为 {level} 区间。没有在这些会话上评判基线。";
    KpiEmptyColumn: "{measure}: {reason}", "{measure}：{reason}";
    KpiEmptyColumns: "Not shown for any policy:", "所有策略均无此项：";
    Policy: "Policy", "策略";
    RoleBaseline: "baseline", "基线";
    RoleCandidate: "candidate", "候选";
    RoleReference: "for reference", "参考";
    TierShares: "Tiers used", "各层占比";
    Better: "better", "更好";
    Worse: "worse", "更差";
    Higher: "higher", "更高";
    Lower: "lower", "更低";
    DifferenceOpen: "unclear", "不明确";
    DifferenceWithoutInterval: "no interval", "无区间";
    EvidenceKey: "Evidence", "证据来源";

    // Learning curves.
    LearningTitle: "Learning over seeds", "不同随机种子下的学习曲线";
    LearningCaption: "{measure} per conversation against {steps}. Line: median over seeds; band: {low} to {high} quantile.", "每个会话的{measure}随{steps}的变化。线：各随机种子的中位数；带：{low} 至 {high} 分位数。";
    StepUpdates: "updates", "更新次数";
    StepDecisions: "decisions", "决策次数";
    StepConversations: "conversations", "会话数";
    StepEpochs: "passes over the log", "遍历日志次数";
    Learner: "Learner", "学习器";
    FinalMedian: "Final median", "最终中位数";
    FinalBand: "Band", "带";
    SeedCount: "Seeds (n)", "随机种子数 (n)";
    StepCount: "Steps", "步数";

    // Forest plot.
    ForestTitle: "Policy value by estimator", "各估计方法的策略价值";
    ForestCaption: "{measure} per conversation with {level} intervals. Estimators that agree are worth more than one that is high.", "每个会话的{measure}，附 {level} 区间。多种估计相互一致，比单一高估更可信。";
    ForestBaseline: " Dashed line: {baseline}, {value}.", "虚线：{baseline}，{value}。";
    Estimator: "Estimator", "估计方法";
    Value: "Value", "值";
    Interval: "Interval", "区间";
    Rounds: "n", "n";
    EffectiveSampleSize: "Effective n", "有效 n";
    EffectiveSampleSizeMeaning: "Effective n: how many equally weighted conversations the weighted ones are worth, (Σw)² / Σw².", "有效 n：加权会话相当于多少个等权会话，(Σw)² / Σw²。";
    Biased: "biased", "有偏";
    Refused: "Refused", "拒绝给出";

    // Policy map.
    MapTitle: "Which tier where", "何处用哪一层";
    MapTiers: "Tier chosen", "选择的层";
    MapVisits: "Visits", "出现次数";
    MapAxes: "Rows: {rows}. Columns: {columns}.", "行：{rows}。列：{columns}。";
    MapSummary: "{cells} cells.", "{cells} 个单元格。";
    MapVisitSummary: " {visits} visits; {never} cells never visited: there the choice is a guess.", "共 {visits} 次；{never} 个单元格从未出现，其选择只是猜测。";
    MapUnknown: "not in the map", "不在图中";
    MapMasked: "masked", "已屏蔽";
    MapCellVisits: "; n = {n}", "；n = {n}";
    MapKeyNever: "never visited", "从未出现";
    MapKeyMasked: "masked here: left auto, middle review, right human", "此处被屏蔽：左为自动，中为审核，右为人工";
    MapKeyShare: "widths show probabilities, the letter the likeliest tier", "宽度表示概率，字母表示最可能的层";

    // Reward parts.
    RewardPartsTitle: "What the reward is made of", "奖励的构成";
    RewardPartsCaption: "R = S · E_time · E_cost is averaged conversation by conversation, so the product of the means below is not the mean reward. Human time is shown because a failed conversation (S = 0) hides its cost. Thin line: interval.", "R = S · E_time · E_cost 按会话逐一相乘后再平均，因此下列均值之积并不等于平均奖励。失败的会话（S = 0）会掩盖其成本，故同时列出人工用时。细线：区间。";
    RewardPartsLabel: "Satisfaction, time efficiency, cost efficiency and human time by policy", "各策略的满意度、时间效率、成本效率与人工用时";

    // Sensitivity.
    SensitivityTitle: "Would another reward change the verdict?", "换一种奖励，结论会变吗？";
    SensitivityStable: "{winner} has the higher value under all {count} definitions.", "在全部 {count} 种定义下，{winner} 的值都更高。";
    SensitivityChanges: "The winner changes under {changed} of {count} definitions: the verdict depends on how service is valued.", "在 {count} 种定义中有 {changed} 种改变了胜者：结论取决于如何衡量服务。";
    Definition: "Reward", "奖励定义";
    Winner: "Higher value", "值更高者";
    Difference: "Difference", "差异";
    DefaultDefinition: "used in the verdict", "结论所用";
    WinnerChanges: "changes", "改变";

    // Log support.
    SupportTitle: "What the log can and cannot support", "日志能与不能支持的结论";
    FactConversations: "Conversations", "会话";
    FactDecisions: "Decisions", "决策";
    FactSpan: "Span", "时间跨度";
    FactPropensity: "Propensities", "倾向得分";
    PropensityExact: "logged, exact", "已记录，精确";
    PropensityEstimated: "estimated afterwards", "事后估计";
    PropensityAbsent: "none", "无";
    FactEffectiveSampleSize: "Effective sample size", "有效样本量";
    FactEffectiveSampleSizeNote: "for the candidate; below 100 no value is printed", "针对候选策略；低于 100 不给出值";
    FactLargestWeight: "Largest weight share", "最大权重占比";
    FactLargestWeightNote: "of one conversation; above 10 % no value is printed", "单个会话；高于 10 % 不给出值";
    LogGaps: "Gaps without conversations", "无会话的空档";
    LogGap: "{from} to {to} ({hours} h)", "{from} 至 {to}（{hours} 小时）";
    OverlapTitle: "Overlap: decisions by class and tier", "重叠情况：各类别与层的决策数";
    OverlapNote: "An empty cell (∅) means that the log cannot say what that tier would do in that class.", "空单元格（∅）表示日志无法说明该层在该类别中的效果。";
    Class: "Class", "类别";
    Total: "Total", "合计";
    Allowed: "This log supports", "此日志支持";
    NotAllowed: "This log does not support", "此日志不支持";
    ClaimPolicyValue: "the value of a policy other than the logged one", "评估不同于日志策略的其他策略";
    ClaimPromotion: "promoting a policy on these estimates", "依据这些估计上线策略";
    ClaimTierEffect: "the effect of choosing one tier over another", "选择不同层的效果";
    ClaimSatisfaction: "satisfaction", "满意度";
    ClaimResponseTimes: "first response and handle times", "首次响应与处理时长";
    ClaimHumanWorkload: "human workload", "人工工作量";
    ClaimClicks: "clicks and conversions", "点击与转化";
    ClaimQueueEffect: "what queues become when every conversation uses the policy", "所有会话都使用该策略后队列的变化";
    ClaimArrivals: "arrivals by hour", "每小时到达量";

    // Reasons.
    ReasonNotLogged: "not in the log", "日志未记录";
    ReasonNotApplicable: "not applicable", "不适用";
    ReasonNotComputed: "not computed in this run", "本次未计算";
    ReasonNoPropensities: "the log holds no propensities, so logged choices cannot be reweighted to another policy", "日志没有倾向得分，无法将其中的决策重新加权到其他策略";
    ReasonEstimatedPropensities: "propensities were estimated afterwards; they inform, but do not promote", "倾向得分为事后估计，可供参考，但不能据此上线";
    ReasonOutsideSupport: "the policy chooses tiers that the log never shows in the same situations", "该策略选择的层在日志的同类情形中从未出现";
    ReasonOneTierOnly: "every logged decision used the tier “{tier}”, so no other tier can be judged", "日志中的决策全部使用“{tier}”层，无法评判其他层";
    ReasonTooFewConversations: "{have} conversations, {needed} needed", "仅有 {have} 个会话，需要 {needed} 个";
    ReasonLowEffectiveSampleSize: "effective sample size {have}, {needed} needed", "有效样本量为 {have}，需要 {needed}";
    ReasonLargeWeightShare: "one conversation carries {share} of the weight; at most {limit} is accepted", "单个会话占总权重的 {share}，上限为 {limit}";
    ReasonSeenInTraining: "the policy was trained on conversations it would be judged on", "该策略曾用待评判的会话训练";
    ReasonRewardVersionDiffers: "the results use different versions of the reward", "结果使用了不同版本的奖励";
    ReasonModelOnly: "known only from a model", "仅有模型值";

    // Provenance.
    ProvenanceTitle: "How this was made", "本页如何生成";
    ProvenanceSummary: "Versions, seeds, hashes, command", "版本、随机种子、哈希与命令";
    MadeAt: "Made", "生成时间";
    RewardVersion: "Reward version", "奖励版本";
    ConfigHash: "Configuration hash", "配置哈希";
    LogHash: "Log hash", "日志哈希";
    Seeds: "Seeds", "随机种子";
    RepeatCommand: "To repeat it:", "重复运行：";

    OffPolicyReport: "Off-policy evaluation", "离线策略评估";

    // The page of a live test.
    TestReport: "Live test", "线上测试";
    TestPromote: "{arm} is better than {control}: promote it", "{arm} 优于 {control}：可以上线";
    TestRollBack: "{arm} is worse than {control}: roll it back", "{arm} 劣于 {control}：应当回滚";
    TestHarm: "{arm} harms {guardrail}: roll it back", "{arm} 损害了 {guardrail}：应当回滚";
    TestKeepGoing: "Nothing is decided yet: keep going", "尚无定论：继续测试";
    TestTooLittle: "Too little data to say anything", "数据太少，无法判断";
    TestBroken: "The comparison is broken: repair it first", "对比已失效：请先修复";
    TestPromoteMeaning: "The evidence has crossed the line that identical arms cross in at most {alpha} of tests. {guarantee}", "证据已越过判定线。若两组其实相同，越线的概率不超过 {alpha}。{guarantee}";
    TestRollBackMeaning: "The evidence of harm has crossed the line that identical arms cross in at most {alpha} of tests. {guarantee}", "变差的证据已越过判定线。若两组其实相同，越线的概率不超过 {alpha}。{guarantee}";
    TestTooLittleMeaning: "The smaller arm has {have} units; {needed} are needed before anything is said.", "较小的一组有 {have} 个单位；至少需要 {needed} 个才作判断。";
    TestKeepGoingMeaning: "Neither better nor worse is shown so far. Still missing: {reasons}.", "目前既未显示更好，也未显示更差。尚缺：{reasons}。";
    TestBetterButMeaning: "The main metric is shown to be better, but that is not all a promotion needs. Still missing: {reasons}.", "主要指标已证明更好，但上线还需要其他条件。尚缺：{reasons}。";
    TestBrokenRatio: "The arms did not get the units that their shares say. Something in assignment or counting is wrong, and it may favour either arm.", "各组得到的单位数与其份额不符。分配或计数存在问题，可能偏向任何一组。";
    TestBrokenInterference: "The arms share people, so one arm's policy changes the other's waits. The difference is not shown to exceed what that alone can make.", "各组共用人工，一组的策略会改变另一组的等待时间。尚未证明差异超出这种影响。";
    TestBrokenMaturity: "Units were counted before their windows had closed, so the arms had different lengths of time to convert.", "部分单位在窗口结束前就被计入，各组的转化时间长短不一。";
    TestBrokenAssignment: "Units were not assigned one by one: whole stretches of time went to one arm. Read as a user split this looks like far more evidence than it is.", "单位并非逐个分配：整段时间都归于一组。若按用户分流解读，证据会被严重高估。";
    TestBrokenUnits: "{units} units were seen in two arms, among them {examples}.", "有 {units} 个单位出现在两组中，例如 {examples}。";
    TestPromoteAction: "Next: promote it, and keep a small holdback.", "下一步：上线，并保留少量对照。";
    TestRollBackAction: "Next: return everybody to the control.", "下一步：全部恢复为对照组。";
    TestBrokenAction: "Next: repair assignment or counting, and start again. No number below can be trusted.", "下一步：修复分配或计数后重新开始。以下数字均不可信。";
    TestKeepGoingAction: "Next: let the test run. Looking at it costs nothing.", "下一步：让测试继续。查看不会影响结论。";
    TestWaitSuperiority: "evidence that the main metric is better", "主要指标更好的证据";
    TestWaitShare: "a share of {needed} (now {have})", "份额达到 {needed}（目前 {have}）";
    TestWaitDays: "{needed} days at this share (so far {have})", "在此份额下满 {needed} 天（目前 {have} 天）";
    TestWaitSecondary: "evidence that {metric} is not worse", "{metric} 没有变差的证据";
    TestWaitStratum: "recovery of stratum {stratum}, which is worse", "变差的分层 {stratum} 恢复";
    TestWaitShares: "a stream with logged shares, or outcomes of zero and one", "记录了份额的数据流，或取值为 0 与 1 的结果";
    TestChangeOfRate: "change of the rate, at any look", "比率的变化（随时有效）";
    TestChangeOfOdds: "change of the odds, at any look", "几率的变化（随时有效）";
    TestDifference: "difference, at any look", "差异（随时有效）";
    TestWealthPromote: "evidence of better; {threshold} decides", "更好的证据；达到 {threshold} 即定论";
    TestWealthRollBack: "evidence of worse; {threshold} decides", "更差的证据；达到 {threshold} 即定论";
    TestDecidedAt: "decided at", "定论时间";
    TestUnits: "Units", "单位数";
    TestSummaryTitle: "All tests", "全部测试";
    TestSummaryCaption: "{count} tests; {drawn} of them are drawn in full, those with a decision first.", "共 {count} 个测试；完整展示其中 {drawn} 个，有定论者优先。";
    TestName: "Test", "测试";
    TestObserved: "Observed", "观测值";
    TestAnyLook: "Interval at any look", "随时有效的区间";
    TestLargerWealth: "Evidence", "证据";
    TestOverTimeTitle: "How it became clear", "结论如何形成";
    TestSequenceTitle: "Change against the control, over time", "相对对照组的变化";
    TestSequenceCaption: "The band holds the true change at all looks at once, with the stated confidence. Dots are looks.", "该带在所有查看时刻同时以所述置信度包含真实变化。圆点为查看时刻。";
    TestNoChange: "no change", "无变化";
    TestWealthTitle: "Evidence on both sides", "两侧的证据";
    TestBetterSide: "for better,", "支持更好，";
    TestWorseSide: "for worse.", "支持更差。";
    TestWealthCaption: "Each starts at 1 and is multiplied by every unit; identical arms seldom get it across the line.", "各从 1 开始，随每个单位相乘；若两组相同，很少能越过判定线。";
    TestDecides: "decides", "定论线";
    TestShareTitle: "Share of the challenger", "挑战者的份额";
    TestArmsTitle: "The arms, and every method beside each other", "各组与全部方法对照";
    TestArm: "Arm", "组";
    TestConversions: "Conversions", "转化数";
    TestMean: "Mean", "均值";
    TestShare: "Share", "份额";
    TestRatioSound: "The arms got the units that their shares say (p = {p}).", "各组的单位数与其份额相符（p = {p}）。";
    TestRatioBroken: "The arms did not get the units that their shares say (p = {p}).", "各组的单位数与其份额不符（p = {p}）。";
    TestMethodsTitle: "Every method", "全部方法";
    TestMethodsCaption: "Change against the control with {level} intervals. Only those marked hold when one looks more than once; the others hold at one look whose time was fixed before the start.", "相对对照组的变化，附 {level} 区间。只有带标记的方法允许多次查看；其余仅在事先确定的单次查看时有效。";
    TestMethod: "Method", "方法";
    TestPValue: "p-value", "p 值";
    TestChance: "Chance to win", "获胜概率";
    TestAnyLookBadge: "any look", "随时有效";
    TestPosteriorTitle: "What is believed of the lift", "对提升的后验判断";
    TestPosteriorCaption: "Posterior of the relative change of {arm} without a prior; with probability {chance} it is above zero.", "{arm} 相对变化的后验分布（无先验）；其大于零的概率为 {chance}。";
    TestAnyLookHolds: "This holds however often one looks, and stays true after it crossed.", "无论查看多少次都成立，越线之后结论持续有效。";
    TestAnyLookLargeHolds: "This holds however often one looks, for large samples.", "无论查看多少次都成立，前提是样本量大。";
    TestOneLookHolds: "This holds for one look whose time was fixed before the start; nobody may have looked and gone on.", "仅对事先确定时间的单次查看成立；中途不得看过结果再继续。";
    TestOneLookLargeHolds: "This holds for large samples, at one look whose time was fixed before the start; nobody may have looked and gone on.", "在样本量大时，仅对事先确定时间的单次查看成立；中途不得看过结果再继续。";
    TestChecksTitle: "Secondary metrics, guardrails and strata", "次要指标、护栏与分层";
    TestChecksCaption: "A promotion needs every secondary metric shown not to be worse than its margin; a harmed guardrail rolls back; a stratum shown to be worse vetoes.", "上线要求每个次要指标都证明未差于其界限；护栏受损即回滚；被证明变差的分层可否决。";
    TestRole: "Condition", "条件";
    TestSecondaryRole: "secondary", "次要指标";
    TestGuardrailRole: "guardrail", "护栏";
    TestStratumRole: "stratum", "分层";
    TestMargin: "Margin", "界限";
    TestEvidenceOf: "Evidence (decides at)", "证据（判定线）";
    TestOutcome: "Result", "结果";
    TestShown: "not inferior", "不劣于对照";
    TestNotShown: "not shown yet", "尚未证明";
    TestUnharmed: "no harm shown", "未显示受损";
    TestHarmed: "harmed", "受损";
    TestAcceptable: "acceptable", "可接受";
    TestVetoes: "vetoes", "否决";
    NoteRepeatedExposures: "{count} further exposures of units that were counted already are left out: one unit counts once", "已略去 {count} 次重复曝光：每个单位只计一次";
    NoteRepeatedRows: "{count} further rows of units that were counted already are left out: one unit counts once", "已略去 {count} 行重复单位：每个单位只计一次";
    NoteEmptyPre: "{count} empty `pre` cells of the file count as 0", "文件中 {count} 个空的 `pre` 按 0 计";
    NoteScaled: "outcomes are scaled from {lower} to {upper} onto 0 to 1; means and ratios are those of scaled outcomes", "结果从 {lower} 至 {upper} 缩放到 0 至 1；均值与比率均为缩放后的值";
    NoteEmptySnapshots: "{count} snapshots without numbers are left out", "已略去 {count} 个没有数值的快照";
    NoteShrunkSnapshots: "{count} snapshots with fewer units than the one before are left out", "已略去 {count} 个单位数少于前一个的快照";
    NoteGainsOfOneArm: "in {count} steps only one arm gained units; such a step says nothing of the difference", "有 {count} 步只有一组增加了单位；这样的一步无法说明差异";
    NoteNoShares: "no shares are logged: allocation is taken as constant between two snapshots", "未记录份额：视两次快照之间的分配比例不变";
    NoteLateConversions: "conversions are taken for those of the units of their own step: where they arrive after the snapshot of their unit, the evidence is slightly too sure, and a stream with closed windows should judge", "转化被视为属于同一步的单位：若转化晚于其单位的快照到达，证据会略微偏高，应改用窗口已关闭的数据流来判断";
    NoteNormalMixture: "outcomes are no conversions of the units they are counted with: wealth is that of a normal mixture, which holds for large samples and decides nothing below {count} units an arm", "结果并非其所计单位的转化：证据来自正态混合，仅在大样本下成立，每组不足 {count} 个单位时不作定论";
    NoteSharesChanged: "shares changed {count} times: methods on totals mix times of different base rates; only the e-process allows for it", "份额改变了 {count} 次：基于总数的方法会混合不同基准时期；只有 e 过程能够处理";
    NotePairs: "the unit of analysis is the pair of blocks: {count} of them, {incomplete} incomplete, {washed} units left out as washout; wealth holds for the sharp null of no effect at all", "分析单位是时段对：共 {count} 对，{incomplete} 对不完整，{washed} 个单位作为洗脱略去；证据针对完全无效应的严格零假设";
    NotePoolBlocks: "the unit of analysis is the block: {count} of them, {incomplete} incomplete, {washed} units left out as washout; wealth holds for the sharp null of no effect at all", "分析单位是时段：共 {count} 个，{incomplete} 个不完整，{washed} 个单位作为洗脱略去；证据针对完全无效应的严格零假设";
    NoteOneLook: "totals hold no order: the e-value is that of one look, and assumes that allocation did not change", "总数不含先后次序：e 值只对应一次查看，并假定分配比例未变";
    NoteOneLookOfMeans: "the verdict rests on means at one look, fixed before the start; a stream with logged shares may be looked at any time", "结论基于事先确定的单次查看的均值；记录份额的数据流才可随时查看";
    NoteStrataOfFile: "the {count} strata are those of the file; they count as declared before the start, which a rule's `strata` would show", "{count} 个分层取自文件；视为事先声明，规则中的 `strata` 可以证明这一点";
    NoteStrataNotJudged: "strata take no part in a verdict by blocks of time", "按时段判断时，分层不参与结论";
}

#[cfg(test)]
impl Phrase {
    /// Phrases that are written alike in both languages.
    pub(super) fn is_symbol(self) -> bool {
        matches!(
            self,
            Self::Rounds
                | Self::FullStop
                | Self::SentenceSpace
                | Self::ListSeparator
                | Self::KpiEmptyColumn
                | Self::MapCellVisits
        )
    }
}
