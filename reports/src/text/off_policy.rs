//! Phrases of the page of a logged table, English and Chinese side by side, in
//! the order of its sections.

use super::phrases::phrases;
use super::{Language, Phrased};

phrases! {
    /// A phrase of the page of a logged table.
    TablePhrase;

    // Words that several sections share.
    RowUnit: "rows", "行";
    EpisodeUnit: "episodes", "序列";
    PerRow: "reward per row", "每行奖励";
    PerEpisode: "reward per episode", "每个序列的奖励";
    AsLogged: "the policy that wrote the log", "记录日志的策略";
    PolicyPi: "the policy pi", "策略 pi";
    Action: "action {action}", "动作 {action}";
    AllRows: "all rows", "全部行";
    EmptyName: "(empty)", "（空）";
    OtherGroups: "all others", "其余各组";
    AndMore: "and {count} more", "另有 {count} 个";

    // Verdict.
    PromoteHeadline: "Promote {candidate}: it earns more than {baseline}", "上线 {candidate}：其收益高于{baseline}";
    KeepHeadline: "Keep {baseline}", "保留{baseline}";
    CollectHeadline: "Keep {baseline} for now, and collect about {rows} more {units}", "暂时保留{baseline}，再收集约 {rows} {units}";
    RefusedHeadline: "No verdict: this table does not allow one", "无法得出结论：此表的证据不足";
    ValuedHeadline: "A value, and no decision", "只有估值，没有决定";
    PromoteMeaning: "Even the lower bound of its advantage is above zero, and the bound holds for all {count} candidates at once. Leaving the baseline wrongly would happen in at most {error} of such logs.", "其优势的下界仍高于零，且该下界同时对全部 {count} 个候选成立。在这类日志中，错误地放弃基线的概率至多为 {error}。";
    PromoteAction: "Next: take it into a live test, or put it in place and keep a holdback.", "下一步：进入线上测试，或上线并保留对照。";
    CollectMeaning: "{candidate} looks better, but the lower bound of its advantage is not above zero: chance alone could explain what is seen.", "{candidate} 看起来更好，但其优势的下界未高于零：仅凭偶然也可能出现这样的结果。";
    CollectAction: "Next: collect about {rows} more {units} like these; should the estimate be right, they would show it.", "下一步：再收集约 {rows} {units}同类数据；若估计正确，届时即可证实。";
    KeepAction: "Next: keep what is in place.", "下一步：保持现状。";
    RefusedMeaning: "A number without support would look like a result, so none is printed.", "没有依据的数字会被误认为结果，因此不予显示。";
    ValuedMeaning: "Decisions of a sequence are judged together, and the gate that compares candidates is for tables of single decisions. Compare the intervals below with the line of the log before drawing a conclusion.", "序列中的决策是一并评判的，而比较候选策略的关口只适用于单步决策的表。下结论前，请将下列区间与日志本身的参考线对照。";
    ValuedAction: "Next: a live test decides.", "下一步：由线上测试决定。";
    EvidenceDifference: "Against {baseline}, {candidate} is estimated to change the {unit} by {difference}; with {level} confidence by at least {lower} (n = {n} {units}).", "与{baseline}相比，{candidate} 估计使{unit}变化 {difference}；以 {level} 的置信度至少为 {lower}（n = {n} {units}）。";
    EvidenceValue: "{estimator} puts {policy} at {value} {unit} ({level} interval {interval}, n = {n} {units}); the log itself earned {logged}.", "{estimator}估计{policy}为{unit} {value}（{level} 区间 {interval}，n = {n} {units}）；日志本身为 {logged}。";
    EvidenceNothing: "The table has {n} {units}; the log itself earned {logged} {unit}.", "该表有 {n} {units}；日志本身为{unit} {logged}。";
    FigureDifference: "difference in {unit}", "{unit}之差";
    FigureLower: "its {level} lower bound", "差异的 {level} 下界";
    FigureValue: "{policy}, {unit}", "{policy}的{unit}";
    FigureInterval: "its {level} interval", "其 {level} 区间";
    FigureLogged: "as logged", "日志本身";
    FigureEffective: "effective n", "有效 n";

    // Reasons and remedies.
    ReasonNoPropensities: "the log holds no propensities, so its rows cannot be weighted to another policy", "日志没有倾向得分，无法将其加权到另一策略";
    RemedyNoPropensities: "Log the probability of every choice; until then `--estimate-propensity` gives estimates that inform and do not promote", "请记录每次选择的概率；在此之前可用 `--estimate-propensity` 得到仅供参考、不能据此上线的估计";
    ReasonEstimated: "propensities were estimated here, and on estimates alone nothing is promoted: reasons that the model cannot see would go unnoticed", "倾向得分为此处估计所得；仅凭估计不能上线：模型看不到的原因无从察觉";
    RemedyEstimated: "Log the probability of every choice from now on, then judge again", "请从现在起记录每次选择的概率，之后重新评估";
    ReasonNeverTaken: "the log never took action {action}, and the policy takes it in {share} of rows", "日志从未采取动作 {action}，而该策略在 {share} 的行中会采取它";
    ReasonNeverTakenIn: "the log never took action {action} in {group}, and the policy wants it there", "日志在 {group} 中从未采取动作 {action}，而该策略在此需要它";
    RemedyNeverTaken: "Collect rows with this action, or mask it in the policy", "请收集含该动作的数据，或在策略中屏蔽该动作";
    ReasonLowEffective: "the weighted rows are worth only {have} equally weighted ones, and {needed} are needed", "加权后的数据只相当于 {have} 行等权数据，需要 {needed} 行";
    RemedyLowEffective: "Collect more, or judge a policy closer to the log's", "请收集更多数据，或评估更接近日志的策略";
    ReasonLargeShare: "one row carries {share} of all weight, and {limit} is the limit", "单独一行占总权重的 {share}，上限为 {limit}";
    RemedyLargeShare: "Collect more, or clip the weights", "请收集更多数据，或截断权重";
    ReasonNoOverlap: "the log never did what the policy does", "日志从未做过该策略所做的选择";
    ReasonNoModel: "the table has no reward model, and nothing to fit one to", "该表没有奖励模型，也没有可用于拟合的列";
    RemedyNoModel: "Add a reward model (columns q0, q1 and so on) or features (x0, x1 and so on)", "请添加奖励模型（列 q0、q1 等）或特征（列 x0、x1 等）";
    ReasonTooFew: "one alone has no spread", "只有一个样本，无从得知离散程度";
    RemedyTooFew: "Collect more", "请收集更多数据";
    ReasonNothingBetter: "no candidate has an estimate above the baseline's", "没有候选策略的估计高于基线";
    ReasonBaselineRefused: "the baseline itself cannot be judged on this table", "基线本身无法在此表上评估";
    RemedyBaselineRefused: "Compare with the log instead, or collect rows like the baseline's", "请改与日志比较，或收集更接近基线的数据";

    // Estimates.
    AboutPi: "Judged here is the policy of the columns pi0, pi1, …; other candidates stand further below.", "此处评估的是列 pi0、pi1……所给的策略；其他候选见下文。";
    EstimatesTitle: "What the policy is worth, by estimator", "各估计方法给出的策略价值";
    EstimatesCaption: "Mean {unit} with {level} intervals ({method}). Dashed line: {logged}, what the log itself earned. Estimators that agree are worth more than one that is high.", "平均{unit}及其 {level} 区间（{method}）。虚线：{logged}，即日志本身的收益。多种估计相互一致，比单一高估更可信。";
    EstimatesAgree: "All {count} estimates that the table allows lie between {low} and {high}; the log itself earned {logged} {unit}.", "此表允许的 {count} 种估计都在 {low} 与 {high} 之间；日志本身为{unit} {logged}。";
    EstimatesOne: "One estimate is allowed, {low}; the log itself earned {logged} {unit}.", "此表只允许一种估计，为 {low}；日志本身为{unit} {logged}。";
    EstimatesNone: "No estimator may say what the policy is worth on this table. The log itself earned {logged} {unit}.", "此表不允许任何方法估计该策略的价值。日志本身为{unit} {logged}。";
    ModelOnly: "model alone", "仅凭模型";
    BiasedNote: "Biased: an error remains that more rows do not remove; intervals of clipped and shrunk estimators hold a bound on it. Model alone: rests on the reward model, whose own error is in no interval.", "有偏：存在增加数据也无法消除的误差；截断与收缩类方法的区间已包含其上界。仅凭模型：完全依赖奖励模型，而模型自身的误差不在任何区间内。";
    SensitivityPoint: "Should hidden reasons have moved the odds of the log's choices up to {gamma}-fold, the value lies between {lower} and {upper} (SNIPS).", "若隐藏原因使日志选择的几率变化至多 {gamma} 倍，则其价值在 {lower} 与 {upper} 之间（SNIPS）。";
    ReturnsPoint: "Return of a single episode under the policy: median {median}, standard deviation {deviation}, mean of the worst 5 % {worst}.", "该策略下单个序列的回报：中位数 {median}，标准差 {deviation}，最差 5 % 的均值 {worst}。";

    // Weights.
    WeightsTitle: "How many rows really speak", "真正有发言权的数据有多少";
    WeightsLead: "The {n} {units} are worth {effective} equally weighted ones ({share}) when they are to speak for this policy; the heaviest one carries {largest} of all weight.", "当这 {n} {units}用来代表该策略时，只相当于 {effective} 个等权样本（{share}）；最重的一个占总权重的 {largest}。";
    WeightsFine: "That is enough to carry a value.", "这足以支撑一个估值。";
    WeightsThin: "That is too little: below {needed}, no weighted value is given.", "这太少了：低于 {needed} 时不给出任何加权估值。";
    WeightsHeavy: "That one could decide the result alone: above {limit}, no weighted value is given.", "这一个样本就可能左右结果：高于 {limit} 时不给出任何加权估值。";
    WeightsCaption: "Importance weight: how much likelier the policy is to do what the log did. Bars double in size from one to the next. Where a few large weights hold much of the right-hand chart, few {units} decide the value. Dotted line: weight 1, a choice that both make equally often.", "重要性权重：该策略做出日志所做选择的可能性是日志的多少倍。相邻各条的权重加倍。若右图中少数大权重占据很大部分，则估值由少数{units}决定。点线：权重 1，即两者同样常做的选择。";
    WeightsByCount: "Share of {units}", "占{units}数的比例";
    WeightsByWeight: "Share of all weight", "占总权重的比例";
    WeightsLabel: "Importance weights by size", "按大小分布的重要性权重";
    FactMean: "Mean weight", "平均权重";
    FactMeanNote: "1 is expected when propensities are right", "倾向得分正确时应为 1";
    FactLargest: "Largest weight", "最大权重";
    FactLargestNote: "{share} of all weight", "占总权重的 {share}";
    FactEffective: "Effective n", "有效 n";
    FactEffectiveNote: "(Σw)² / Σw², of {n}", "(Σw)² / Σw²，共 {n}";
    FactZero: "Weight zero", "权重为零";
    FactZeroNote: "the policy never does there what the log did", "在这些样本中该策略绝不做日志所做的选择";

    // Overlap.
    OverlapTitle: "Where the log can speak for the policy", "日志在何处能代表该策略";
    OverlapFine: "Wherever the policy takes an action, the log took it too.", "凡该策略会采取的动作，日志都采取过。";
    OverlapHoles: "In {count} places the policy takes an action that the log never took there, {share} of its decisions: {places}. Nothing in the table says what would happen.", "有 {count} 处该策略会采取日志在此从未采取的动作，占其决策的 {share}：{places}。表中没有任何信息说明会发生什么。";
    OverlapHole: "In one place the policy takes an action that the log never took there, {share} of its decisions: {places}. Nothing in the table says what would happen.", "有一处该策略会采取日志在此从未采取的动作，占其决策的 {share}：{places}。表中没有任何信息说明会发生什么。";
    OverlapPlace: "{group}, action {action} (policy {share})", "{group}，动作 {action}（策略 {share}）";
    OverlapPlaceAll: "action {action} (policy {share})", "动作 {action}（策略 {share}）";
    OverlapCaption: "Each cell: the log's share → the policy's share of this action, and the number of rows in which the log took it. Rows by {by}.", "每格：日志占比 → 该策略的占比，以及日志采取该动作的行数。按 {by} 分行。";
    OverlapCaptionAll: "Each cell: the log's share → the policy's share of this action, and the number of rows in which the log took it. The table has no column class or state, so all rows are one group.", "每格：日志占比 → 该策略的占比，以及日志采取该动作的行数。此表没有 class 或 state 列，因此所有行为一组。";
    OverlapLabel: "Shares of actions, in the log and under the policy", "各动作在日志中与在该策略下的占比";
    OverlapMoreKey: "the policy takes it more often than the log", "该策略比日志更常采取";
    OverlapLessKey: "less often", "更少采取";
    OverlapHoleKey: "never taken by the log, wanted by the policy", "日志从未采取而该策略需要";
    OverlapCell: "{group}, action {action}: log {log}, policy {policy}, n = {n}", "{group}，动作 {action}：日志 {log}，策略 {policy}，n = {n}";
    OverlapLeftOut: "Drawn: {groups} of {all_groups} groups and {actions} of {all_actions} actions, holes and the largest first.", "图中显示 {all_groups} 组中的 {groups} 组、{all_actions} 个动作中的 {actions} 个，优先显示空缺与最大者。";

    // Candidates.
    CandidatesTitle: "Candidates, and what the gate says", "候选策略与关口的判断";
    CandidatesLead: "{passed} of {count} candidates pass; {judged} were judged on these rows in all, and the bounds hold for all of them at once.", "{count} 个候选中有 {passed} 个通过；在这些数据上共评判过 {judged} 个，下界同时对全部成立。";
    CandidatesCaption: "Doubly robust difference in {unit} to {baseline}. Bar: from the {level} lower bound to the estimate, {critical} standard errors ({bonferroni} would be taken by Bonferroni). A candidate passes when its bound is above zero, the dashed line.", "与{baseline}相比{unit}的双重稳健差异。条形：从 {level} 下界到估计值，相距 {critical} 个标准误（Bonferroni 需 {bonferroni} 个）。下界高于零（虚线）即通过。";
    CandidatesCaptionPlain: "Difference in {unit} to {baseline}.", "与{baseline}相比{unit}的差异。";
    Candidate: "Candidate", "候选";
    Difference: "Difference", "差异";
    LowerBound: "At least", "至少";
    StandardError: "Std. error", "标准误";
    Gate: "Gate", "关口";
    GatePasses: "passes", "通过";
    GateOpen: "not shown", "未证实";
    GateWorse: "no gain", "无增益";

    // Propensities.
    CalibrationTitle: "Do the propensities say what happened?", "倾向得分与实际是否相符？";
    CalibrationFine: "In every bin the share of choices that was promised is the share that was made, within chance.", "在每个分箱中，承诺的选择占比与实际占比在偶然误差内一致。";
    CalibrationOff: "In {off} of {count} bins the share of choices is further from what was promised than chance explains: the propensities there are wrong, and so is every weighted value.", "{count} 个分箱中有 {off} 个的实际占比与承诺之差超出偶然可解释的范围：这些倾向得分有误，所有加权估值也随之有误。";
    CalibrationLogged: "Propensities were logged. What they promise for a group and action follows from their inverses, and stands against the share of its rows that took the action. Dots on the line are right; bars reach two standard errors.", "倾向得分为日志记录。某组某动作的承诺占比由其倒数推得，与该组中实际采取该动作的占比对照。落在线上即为正确；竖条为两个标准误。";
    CalibrationEstimated: "Propensities were estimated here, each row by a model that had not seen it; every action of every row counts once. Dots on the line are right; bars reach two standard errors. This checks the fit, not reasons that the model cannot see.", "倾向得分为此处估计，每行所用模型均未见过该行；每行的每个动作计一次。落在线上即为正确；竖条为两个标准误。这只检验拟合，无法检验模型看不到的原因。";
    CalibrationPanel: "observed share, by share promised", "实际占比（按承诺占比）";
    CalibrationLabel: "Observed share of choices against the share promised", "实际选择占比与承诺占比";
    Bin: "Promised between", "承诺区间";
    Predicted: "Promised", "承诺";
    Observed: "Observed", "实际";
    Occasions: "Occasions (n)", "次数 (n)";
    BinFine: "within chance", "在偶然范围内";
    BinOff: "off", "偏离";

    // More data.
    MoreTitle: "What more data would buy", "更多数据能换来什么";
    MoreLead: "Today the interval ({estimator}) reaches {half} to either side. It shrinks with the square root of the number of {units}: half of it takes four times as many.", "目前的区间（{estimator}）向两侧各延伸 {half}。它随{units}数的平方根缩小：减半需要四倍的数据。";
    MoreCaption: "Expected from the variance measured here, by 1/√n, should further {units} be like these; the estimate will move as well.", "按此处测得的方差以 1/√n 推算，前提是后续的{units}与此相似；估计值本身也会变动。";
    MoreDecide: "{candidate} would be shown to be better at about {rows} {units} in all, {times} times today's, should its estimate of {difference} be the truth.", "若 {candidate} 的估计值 {difference} 属实，总计约 {rows} {units}（目前的 {times} 倍）时即可证实其更优。";
    MoreDecided: "{candidate} is shown to be better already; more rows would only sharpen by how much.", "{candidate} 已被证实更优；更多数据只会让幅度更精确。";
    MoreNever: "No candidate's estimate is above the baseline's: more rows like these would make that surer, not reverse it.", "没有候选的估计高于基线：更多同类数据只会使这一点更确定，而不会反转。";
    MoreSupport: "About {rows} {units} in all would make an effective {needed}, at today's rate of {share}; other rows, in which the log tries what the policy does, would do it sooner.", "按目前 {share} 的比率，总计约 {rows} {units}可使有效数量达到 {needed}；若日志多尝试该策略的选择，则所需更少。";
    MoreHole: "More rows like these say nothing of the place without support: there the log must try the action.", "更多同类数据无法说明那处空缺：日志必须在那里尝试该动作。";
    MoreHoles: "More rows like these say nothing of the {count} places without support: there the log must try the action.", "更多同类数据无法说明那 {count} 处空缺：日志必须在那里尝试该动作。";
    MoreData: "Data", "数据量";
    MoreToday: "today", "目前";
    MoreHalf: "Half-width", "区间半宽";
    MoreInterval: "Interval, should the estimate stay", "若估计值不变，区间为";
    MoreLowerHead: "Lower bound of the best", "最优候选的下界";

    // Remarks.
    NotesTitle: "Remarks", "备注";
}
