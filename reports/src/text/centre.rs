//! Phrases of the contact centre's page, English and Chinese side by side, in
//! the order of its sections.

use super::phrases::phrases;
use super::{Language, Phrased};

phrases! {
    /// A phrase of the contact centre's page.
    CentrePhrase;

    // Words that several sections share.
    ItemSeparator: "; ", "；";
    Hours: "Hours are local.", "小时为当地时间。";
    HoursIn: "Hours are local in {zone}.", "小时为 {zone} 当地时间。";
    BandKey: "{level} of replications", "{level} 的重复模拟";
    Clock: "{hour}:00", "{hour}:00";
    RunDay: "Numbers below the chart count days.", "图下数字为天数。";
    WithCount: "n = {n}", "n = {n}";
    Tier: "Tier", "层";
    Hour: "Hour", "小时";
    Quantity: "Quantity", "指标";
    Count: "n", "n";

    // Policies side by side.
    OutcomesHeading: "What conversations bring", "会话的结果";
    QueuesHeading: "What queues and people do", "队列与人员";

    // Waits.
    WaitsTitle: "How long customers wait", "顾客等待多久";
    WaitsLead: "Longest mean wait in any hour: {items}.", "各时段中最长的平均等待：{items}。";
    WaitsItem: "{wait} under {policy} (tier “{tier}” at {hour}:00, {share} inside the service level, n = {n})", "{policy} 为 {wait}（“{tier}”层，{hour}:00，{share} 在服务水平内，n = {n}）";
    WaitsCaption: "One row per tier: the mean wait, and the wait that 9 in 10 answers stay below. Below them, the share of answers inside the service level. Bands hold {level} of {count} replications.", "每层一行：平均等待，以及九成答复所不超过的等待。其下为服务水平内的答复占比。带包含 {count} 次重复模拟中的 {level}。";
    WaitsRow: "Wait for tier “{tier}”", "“{tier}”层的等待";
    WaitsRowLimit: "Wait for tier “{tier}”, service level {limit}", "“{tier}”层的等待，服务水平 {limit}";
    WaitsShareRow: "Answers inside the service level", "服务水平内的答复";
    MeanKey: "mean wait", "平均等待";
    TailKey: "90th percentile", "第 90 百分位";
    WaitsWorst: "The hour with the longest mean wait", "平均等待最长的时段";
    MeanWait: "Mean wait", "平均等待";
    TailWait: "90th percentile", "第 90 百分位";
    InsideShare: "Inside service level", "服务水平内";
    WaitsNothing: "No hour holds a wait that could be drawn.", "没有可绘制的等待数据。";

    // Pools and abandonment.
    PoolsTitle: "How busy people are, and who gives up", "人员忙碌程度与放弃的顾客";
    PoolsLead: "In the busiest hour, {items}.", "最忙的时段：{items}。";
    PoolsItem: "{pool} is {busy} busy under {policy} (at {hour}:00, {people} people on shift)", "{policy} 下 {pool} 的忙碌占比为 {busy}（{hour}:00，{people} 人在班）";
    PoolsAbandon: "Most customers give up {items}.", "放弃最多的时段：{items}。";
    PoolsAbandonItem: "at {hour}:00 under {policy}: {share} (n = {n})", "{policy} 在 {hour}:00：{share}（n = {n}）";
    PoolsCaption: "Busy share of the people on shift, how many they are, and the share of conversations whose customer left before an answer. Bands hold {level} of {count} replications.", "在班人员的忙碌占比、在班人数，以及顾客在答复前离开的会话占比。带包含 {count} 次重复模拟中的 {level}。";
    BusyRow: "Busy share of people on shift", "在班人员忙碌占比";
    PeopleRow: "People on shift", "在班人数";
    AbandonRow: "Conversations abandoned", "被放弃的会话";
    AllPools: "all pools", "所有人员池";
    BusiestHour: "Busiest hour", "最忙时段";
    PersonHours: "Person-hours (n)", "人时 (n)";
    BusyShare: "Busy", "忙碌";

    // Routing.
    RoutingTitle: "Which tier, for which class, under which load", "何种类别在何种负载下用哪一层";
    RoutingLead: "From {low} to {high} load, the largest change of any tier's share: {items}.", "从“{low}”到“{high}”负载，各层占比的最大变化：{items}。";
    RoutingItem: "{policy} sends {class} to “{tier}” {before} of the time at first and {after} at last", "{policy} 将“{class}”送往“{tier}”层的比例从 {before} 变为 {after}";
    RoutingSteady: "{policy} sends every class the same way under every load", "{policy} 在各种负载下对每个类别的处理都相同";
    RoutingCaption: "Rows: class. Columns: load of the people. Each bar shows the shares of auto, review and human among n decisions, in per cent; ± is the half width of the widest of their intervals.", "行：类别。列：人员负载。每个条形显示 n 次决策中自动、审核、人工的占比（百分比）；± 为其最宽区间的半宽。";
    RoutingCorner: "Class", "类别";
    RoutingNever: "never seen", "从未出现";

    // The queue.
    QueueTitle: "The queue as logged, and as it would become", "日志中的队列与将会形成的队列";
    QueueLead: "{measure} per conversation, from the log to the centre: {items}.", "每个会话的{measure}，从日志到客服中心：{items}。";
    QueueItem: "{policy} moves by {difference}", "{policy} 变化 {difference}";
    QueueItemUnknown: "{policy} has no value from the log", "{policy} 没有日志值";
    QueueCaption: "A log values a policy inside the queue that the logged policy made. The centre lets everyone use the policy, so that it meets the queue it makes itself. Intervals: {level}.", "日志在由日志策略形成的队列中评估策略；客服中心则让所有会话使用该策略，使其面对自己形成的队列。区间：{level}。";
    QueueLogged: "Queue as logged", "日志中的队列";
    QueueBecome: "Queue as it would become", "将会形成的队列";
    QueueDifference: "Effect of its own queue", "自身队列的影响";
    QueueBelieveCentre: "{policy}: believe the centre. The effect of the policy's own queue, {difference}, is told apart from zero, and no log can show a queue that never formed.", "{policy}：应相信客服中心。该策略自身队列的影响 {difference} 与零有别，而日志无法显示从未形成的队列。";
    QueueBelieveLog: "{policy}: believe the log. The effect of the policy's own queue, {difference}, is not told apart from zero, and the log is the nearer witness: it rests on what customers did.", "{policy}：应相信日志。该策略自身队列的影响 {difference} 与零无法区分，而日志依据顾客的实际行为，是更直接的证据。";
    QueueBelieveNeither: "{policy}: the difference has no interval, so the page cannot say which of the two to believe.", "{policy}：差异没有区间，因此无法判断应相信哪一个。";
    QueueOnlyCentre: "{policy}: only the centre has a value; the log refuses one ({reason}).", "{policy}：只有客服中心的值；日志拒绝给出（{reason}）。";
    QueueFit: "How far the centre can be believed: on held-out days, {inside} of {count} quantities lie inside its bands (see the calibration below).", "客服中心的可信程度：在留出日上，{count} 个指标中有 {inside} 个落在其区间内（见下文校准）。";
    QueueNoFit: "This page holds no calibration of the centre on held-out days, so its numbers are assumptions as much as findings.", "本页没有客服中心在留出日上的校准，因此其数字既是结果，也是假设。";

    // Calibration.
    CalibrationTitle: "Does the simulator resemble the shop?", "模拟器像这家店铺吗？";
    CalibrationLead: "On {days} held-out days, {inside} of {count} quantities lie inside the simulator's 5–95\u{202f}% bands; a perfect simulator would put about {expected} there.", "在 {days} 个留出日上，{count} 个指标中有 {inside} 个落在模拟器的 5–95\u{202f}% 区间内；完美的模拟器应约有 {expected} 个。";
    CalibrationOutside: " Outside: {names}.", "落在外面的有：{names}。";
    CalibrationLeadEmpty: "Fitted on {fitted} days; no quantity was checked on held-out days.", "以 {fitted} 天拟合；没有在留出日上检查任何指标。";
    CalibrationCaption: "Fitted on {fitted} days, checked on {days} days that the fit never saw.", "以 {fitted} 天拟合，以拟合未见过的 {days} 天检验。";
    CalibrationSpan: " Held out: {span}.", "留出：{span}。";
    ChecksHeading: "Observed and simulated", "观测与模拟";
    ChecksCaption: "Dot: observed. Bar: from the 5th to the 95th percentile of the simulated days. Every row has its own scale.", "点：观测值。条：模拟日的第 5 至第 95 百分位。每行有各自的刻度。";
    Observed: "Observed", "观测";
    SimulatedMean: "Simulated mean", "模拟均值";
    SimulatedBand: "5–95\u{202f}%", "5–95\u{202f}%";
    Inside: "Inside?", "在区间内？";
    InsideYes: "inside", "在内";
    InsideNo: "outside", "在外";
    QuantilesHeading: "Quantiles against quantiles", "分位数对比";
    QuantilesCaption: "Across: observed quantiles; up: simulated ones. On the line they are equal. KS: the largest distance between the two distributions. With many observations even a small distance has a small p, so read the distance first.", "横轴：观测分位数；纵轴：模拟分位数；在线上则相等。KS：两个分布之间的最大距离。观测很多时，很小的距离也会有很小的 p 值，因此先看距离。";
    Distribution: "Distribution", "分布";
    KsDistance: "KS distance", "KS 距离";
    KsPValue: "p", "p 值";
    ObservedCount: "n observed", "观测 n";
    SimulatedCount: "n simulated", "模拟 n";
    VolumeHeading: "Contacts in every held-out hour", "留出日的每小时联系量";
    VolumeCaption: "{inside} of {count} hours ({share}) lie inside the 90\u{202f}% band.", "{count} 个小时中有 {inside} 个（{share}）落在 90\u{202f}% 区间内。";
    VolumeRow: "Contacts per hour", "每小时联系量";
    VolumeMean: "simulated mean", "模拟均值";
    VolumeBand: "90\u{202f}% of simulations", "90\u{202f}% 的模拟";
    VolumeInside: "observed, inside", "观测，在内";
    VolumeOutside: "observed, outside", "观测，在外";
    CoverageHeading: "Do the bands hold what they promise?", "区间是否名副其实？";
    Nominal: "Promised", "应有";
    Covered: "Held", "实际";
    CoverageFine: "as promised", "名副其实";
    CoverageNarrow: "bands too narrow", "区间过窄";
    CoverageWide: "bands too wide", "区间过宽";
    ScoresHeading: "Probabilities of satisfaction and clicks", "满意度与点击的概率";
    ScoresCaption: "Brier score: mean squared error of a probability, lower is better; beside it, that of always saying the mean. Calibration error: mean distance between promised and observed share over ten bins.", "Brier 得分：概率的均方误差，越低越好；旁边为始终给出均值时的得分。校准误差：十个分箱中承诺与观测占比的平均距离。";
    Model: "Model", "模型";
    Brier: "Brier score", "Brier 得分";
    BrierConstant: "Always the mean", "始终取均值";
    CalibrationError: "Calibration error", "校准误差";
    ReliabilityRow: "Across: promised probability; up: observed share. On the line they are equal.", "横轴：承诺的概率；纵轴：观测占比；在线上则相等。";
    ParametersHeading: "Every parameter, and where it comes from", "全部参数及其来源";
    ParametersSummary: "{fitted} fitted to the log, {pooled} pooled because their own events were too few, {assumed} assumed because the log cannot tell.", "{fitted} 个由日志拟合，{pooled} 个因自身事件过少而合并，{assumed} 个因日志无法判断而假定。";
    Parameter: "Parameter", "参数";
    Estimated: "Estimate", "估计";
    StandardError: "Standard error", "标准误";
    Source: "Source", "来源";
    SourceFitted: "fitted", "拟合";
    SourcePooled: "pooled", "合并";
    SourceAssumed: "assumed", "假定";

    // Sensitivity.
    TornadoTitle: "Does the verdict survive other parameters?", "换用其他参数，结论还成立吗？";
    TornadoLeadStable: "No single parameter moved by {change} up or down changes which policy is ahead ({count} tried, {policy} ahead by {usual}).", "任何单个参数上下变动 {change} 都不改变哪个策略领先（共试 {count} 个，{policy} 领先 {usual}）。";
    TornadoLeadFlips: "Moved by {change} up or down, {flips} of {count} parameters can change which policy is ahead: {names}.", "上下变动 {change} 时，{count} 个参数中有 {flips} 个改变了领先的策略：{names}。";
    TornadoLeadSamples: "With all parameters changed at once, {policy} ranks first in {share} of {samples} samples.", "所有参数同时变动时，{policy} 在 {samples} 个样本中有 {share} 排名第一。";
    TornadoHeading: "One parameter at a time", "逐个改变参数";
    TornadoCaption: "{measure} of {candidate} minus {baseline} when one parameter is {change} lower or higher, all others as fitted; the widest swing first. The bars start at the difference as fitted, {usual}. Intervals: {level}, n = {n} conversations each.", "当一个参数降低或升高 {change}、其余保持拟合值时，{candidate} 减 {baseline} 的{measure}；变动最大者在先。条形从拟合时的差异 {usual} 开始。区间：{level}，每次 n = {n} 个会话。";
    LowerHead: "Parameter lower", "参数降低";
    HigherHead: "Parameter higher", "参数升高";
    AsFitted: "fitted: {value}", "拟合值：{value}";
    Ahead: "Ahead", "领先";
    AheadChanges: "changes", "改变";
    AheadStays: "stays", "不变";
    AheadUnclear: "unclear", "不明确";
    SamplesHeading: "All parameters at once", "同时改变所有参数";
    SamplesCaption: "{samples} Latin-hypercube samples over {change} either way: how often each policy ranks first.", "在上下 {change} 范围内的 {samples} 个拉丁超立方样本：各策略排名第一的次数。";
    RanksFirst: "Ranks first", "排名第一";
    OfSamples: "{count} of {samples}", "{samples} 个中的 {count} 个";
    FlipsHeading: "Samples in which another policy ranks first", "由其他策略排名第一的样本";
    FlipsNone: "No sample ranks another policy first.", "没有样本使其他策略排名第一。";
    SampleHead: "Sample", "样本";
    Sample: "Sample {sample}", "样本 {sample}";
    Settings: "Where the parameters stood", "参数取值";

    // Designs.
    DesignsTitle: "Which live test would find the truth?", "哪种线上测试能找到真相？";
    DesignsLead: "{scenario}: the truth is {truth}; {verdicts}.", "{scenario}：真实差异为 {truth}；{verdicts}。";
    DesignsRight: "the right winner is named by {designs}", "指出正确胜者的有{designs}";
    DesignsWrong: "the wrong one by {designs}", "指出错误胜者的有{designs}";
    DesignsOpen: "no winner by {designs}", "未指出胜者的有{designs}";
    DesignsCaption: "{measure} of {candidate} minus {baseline}, as each test measures it. Solid line: the truth, all on {candidate} against all on {baseline}, with its interval shaded (n = {n}). Dashed line: no difference. Intervals: {level}.", "各测试所测得的 {candidate} 减 {baseline} 的{measure}。实线：真实差异，即全部使用 {candidate} 对比全部使用 {baseline}，阴影为其区间（n = {n}）。虚线：无差异。区间：{level}。";
    Design: "Design", "设计";
    Measured: "Measured", "测得";
    Bias: "Bias", "偏差";
    NamedWinner: "Winner named", "指出的胜者";
    NoWinner: "none", "无";
    WinnerRight: "right", "正确";
    WinnerWrong: "wrong", "错误";
    WinnerMissed: "missed", "未发现";
    DesignUser: "users split over one pool", "按用户分流，共用一个人员池";
    DesignSplitPool: "split pool, half each", "人员池对半分开";
    DesignUneven: "split pool, {share} of people for {candidate}", "人员池不等分，{candidate} 占 {share} 的人员";
    DesignSwitchback: "time blocks in turn", "按时间段轮换";
    SwitchbackNote: "blocks of {block}, the first {washout} of each left out", "每段 {block}，各段开头 {washout} 不计";

    // Staffing.
    StaffingTitle: "Enough people, hour by hour?", "每小时人手够吗？";
    StaffingLead: "{items}.", "{items}。";
    StaffingItem: "{pool}: in {under} of {hours} hours fewer people are scheduled than it takes to serve {share} within {limit}; {missing} person-hours are missing and {spare} to spare", "{pool}：{hours} 个小时中有 {under} 个人手不足以让 {share} 的顾客在 {limit} 内得到服务；缺 {missing} 人时，余 {spare} 人时";
    StaffingCaption: "Above, the forecast with its {level} band, from {n} hours of history. Below, people needed by Erlang-A against people scheduled. {hours}", "上：预测及其 {level} 带，依据 {n} 小时的历史。下：按 Erlang-A 所需的人数与排班人数。{hours}";
    ForecastRow: "Contacts forecast per hour", "每小时预测联系量";
    StaffRow: "People needed and scheduled", "所需与排班人数";
    ReplicaRow: "AI replicas", "AI 副本数";
    ForecastKey: "forecast", "预测";
    ForecastBandKey: "{level} band of the forecast", "预测的 {level} 带";
    NeededKey: "needed", "所需";
    ScheduledKey: "scheduled", "排班";
    MissingKey: "people missing", "缺少的人手";
    SpareKey: "people to spare", "多余的人手";
    RunningKey: "running", "运行中";
    DesiredKey: "wanted by the autoscaler", "自动扩缩所需";
    StaffingShort: "Hours short of people, the worst first", "人手不足的小时，最严重者在先";
    StaffingNoShort: "No hour is short of people.", "没有人手不足的小时。";
    StaffingMore: "And {count} more hours.", "另有 {count} 个小时。";
    Forecast: "Forecast", "预测";
    Needed: "Needed", "所需";
    Scheduled: "Scheduled", "排班";
    MissingPeople: "Missing", "缺少";
    ReplicasNote: "AI replicas run {behind} of {hours} hours with fewer than the autoscaler wants, because a replica takes {delay} to start.", "由于一个副本需 {delay} 启动，AI 副本在 {hours} 小时中有 {behind} 小时少于自动扩缩所需。";
    RunHour: "day {day}, {hour}:00", "第 {day} 天 {hour}:00";

    // Outages.
    OutageTitle: "When a region goes down", "当一个区域宕机";
    OutageLead: "{outage}: {items}.", "{outage}：{items}。";
    OutageItem: "under {policy} the queue is back to normal {recovery} after the outage ends, and {lost} conversations are lost", "{policy} 下队列在宕机结束后 {recovery} 恢复正常，损失 {lost} 个会话";
    OutageItemNever: "under {policy} the queue does not recover before the run ends, and {lost} conversations are lost", "{policy} 下队列在运行结束前未能恢复，损失 {lost} 个会话";
    OutageCaption: "Shaded: the outage, {from} to {to} of the run. It takes {share} of capacity; conversations are sent elsewhere after {delay}.", "阴影：宕机，运行的 {from} 至 {to}，损失 {share} 的容量；会话在 {delay} 后被转往别处。";
    OutageLanguages: " Languages hit: {languages}.", "受影响的语言：{languages}。";
    OutageBands: "Bands hold {level} of {count} replications.", "带包含 {count} 次重复模拟中的 {level}。";
    QueueRow: "Conversations waiting", "等待中的会话";
    OutageAbandonRow: "Conversations abandoned", "被放弃的会话";
    Recovery: "Recovery", "恢复时间";
    NotRecovered: "not within the run", "运行内未恢复";
    Lost: "Lost", "损失";
    AbandonBefore: "Abandoned before", "之前放弃";
    AbandonDuring: "during", "期间放弃";
    AbandonAfter: "after", "之后放弃";

    // The article.
    ArticleTitle: "The article, the simulation, your data", "文章、模拟与您的数据";
    ArticleLead: "Of the article's {count} figures, {simulated} could be simulated and {yours} can be read from your data; assumptions needed: {assumed}.", "文章的 {count} 个数字与模拟并列：{simulated} 个可以模拟，{yours} 个可从您的数据读出，共需 {assumed} 个假设。";
    ArticleNotOurs: "The article's figures are the article's. They are not results of tierwise, which neither measured nor repeats them; the simulation shows only what would follow from the assumptions listed here.", "文章中的数字属于文章本身，并非 tierwise 的结果；tierwise 既未测量也不主张这些数字。模拟仅显示由此处所列假设会推出什么。";
    ArticleMeasure: "Measure", "指标";
    ArticleSaid: "Article said", "文章所述";
    ArticleSimulated: "Simulated", "模拟";
    ArticleYours: "Your data", "您的数据";
    ArticleAssumed: "Assumed: {items}", "假设：{items}";
    ArticleChange: "change {change}", "变化 {change}";
    ArticleFirstResponse: "First response", "首次响应";
    ArticleFirstResponseSaid: "8\u{202f}min → 3\u{202f}s", "8\u{202f}分钟 → 3\u{202f}秒";
    ArticleWorkload: "Human workload", "人工工作量";
    ArticleWorkloadSaid: "−65\u{202f}%", "−65\u{202f}%";
    ArticleClicks: "Click-through", "点击率";
    ArticleClicksSaid: "+40\u{202f}%", "+40\u{202f}%";
    ArticleEscalations: "Escalations", "升级";
    ArticleEscalationsSaid: "−25\u{202f}%", "−25\u{202f}%";
    ArticleConversion: "Conversion, not English", "非英语转化";
    ArticleConversionSaid: "+18\u{202f}%", "+18\u{202f}%";
    ArticleLanguages: "Languages", "语言";
    ArticleLanguagesSaid: "12", "12";

    // Learning under capacity.
    CouplingTitle: "Learning when people are scarce", "人手紧缺时的学习";
    CouplingLead: "{scenario}: {best} earns most, {reward}{apart}{touching}.", "{scenario}：{best} 获得最多，{reward}{apart}{touching}。";
    CouplingApart: ", and its interval does not touch those of {names}", "，其区间与 {names} 的区间不相交";
    CouplingTouching: "; it is not told apart from {names}", "；与 {names} 无法区分";
    CouplingCaption: "{measure} per conversation in the centre, everyone on the learned policy. Intervals: {level}.", "在客服中心内、所有会话使用所学策略时，每个会话的{measure}。区间：{level}。";
    Coupling: "Learner", "学习方式";
    CouplingNone: "none", "无耦合";
    CouplingNoneNote: "each conversation ends its episode, so the learner never sees the queue it makes", "每个会话即结束一回合，学习器看不到自己造成的队列";
    CouplingToll: "toll", "收费";
    CouplingTollNote: "pays for every human second; toll found: {toll} reward per second", "为每一人工秒付费；求得的费率：每秒 {toll} 奖励";
    CouplingTollUnknown: "pays for every human second", "为每一人工秒付费";
    CouplingContinuing: "continuing", "持续";
    CouplingContinuingNote: "looks on to the next decision anywhere in the centre", "着眼于中心内的下一个决策";
    CouplingRule: "rule", "规则";
    CouplingRuleNote: "written by hand", "人工编写";
    CouplingGreedy: "greedy", "贪心";
    CouplingGreedyNote: "takes the tier with the best outcome for the conversation at hand", "为当前会话选择结果最好的层";
    CouplingSeeds: "Seeds", "随机种子";
    CurvesHeading: "Learning over seeds", "不同随机种子下的学习曲线";
}

#[cfg(test)]
impl CentrePhrase {
    /// Phrases that are written alike in both languages.
    pub(super) fn is_symbol(self) -> bool {
        matches!(
            self,
            Self::ItemSeparator
                | Self::Clock
                | Self::WithCount
                | Self::Count
                | Self::SimulatedBand
                | Self::StaffingLead
                | Self::OutageLead
                | Self::ArticleWorkloadSaid
                | Self::ArticleClicksSaid
                | Self::ArticleEscalationsSaid
                | Self::ArticleConversionSaid
                | Self::ArticleLanguagesSaid
        )
    }
}
