//! Phrases of the live pages, English and Chinese side by side: the page of an experiment, then the dashboard.

use super::phrases::phrases;
use super::{Language, Phrased};

phrases! {
    /// A phrase of the live pages.
    OnlinePhrase;

    // The verdict by phase.
    Report: "Live experiment", "线上实验";
    DraftHeadline: "Not started: everybody meets {control}", "尚未开始：所有顾客由 {control} 答复";
    DraftMeaning: "A draft touches nobody. Nothing has been counted.", "草稿不影响任何顾客，尚无任何数据。";
    DraftAction: "Next: start it with `tierwise experiment start {key}`.", "下一步：用 `tierwise experiment start {key}` 启动。";
    PausedHeadline: "Paused: everybody meets {control}", "已暂停：所有顾客由 {control} 答复";
    PausedMeaning: "Evidence gathered so far is kept, and units that entered still mature.", "已有证据予以保留，已进入的单位继续成熟。";
    PausedAction: "Next: `tierwise experiment resume {key}` goes on where it stopped.", "下一步：`tierwise experiment resume {key}` 从暂停处继续。";
    PromotedHeadline: "{arm} is better than {control} and has been promoted", "{arm} 优于 {control}，已上线";
    PromotedMeaning: "It now answers all but a holdback of {share}, which stays with {control} until {until} and is watched for harm.", "目前除 {share} 的对照外全部由它答复；对照留给 {control} 直至 {until}，期间持续监测是否有损害。";
    PromotedAction: "Next: nothing. Should the holdback show harm, it is rolled back by itself.", "下一步：无需操作。若对照显示有损害，将自动回滚。";
    CompletedHeadline: "{arm} won: it answers everybody", "{arm} 胜出：由它答复所有顾客";
    CompletedMeaning: "The holdback is over and showed no harm.", "对照期已结束，未显示损害。";
    CompletedAction: "Next: the next experiment, with {arm} as its champion.", "下一步：以 {arm} 为基准开始新的实验。";
    RolledBackHeadline: "Rolled back: everybody meets {control} again", "已回滚：所有顾客重新由 {control} 答复";
    RolledBackMeaning: "The challengers answer nobody any more.", "挑战者不再答复任何顾客。";
    RolledBackAction: "Next: find out why, change the policy, and start a new experiment.", "下一步：查明原因，修改策略，再开始新的实验。";
    StoppedHeadline: "Stopped by a person: everybody meets {control}", "已由人停止：所有顾客由 {control} 答复";
    KilledHeadline: "Killed: everybody meets {control}", "已紧急停止：所有顾客由 {control} 答复";
    EndedMeaning: "It ended without a verdict of its own. What was counted until then stands below.", "实验未得出结论即告结束。以下为截至当时的统计。";
    EndedAction: "Next: a new experiment, should the question still be open.", "下一步：若问题仍未解决，可开始新的实验。";
    Reason: "Reason given: {reason}", "理由：{reason}";
    RunningPromoteAction: "Next: nothing. It is promoted at the next look.", "下一步：无需操作，下次查看时自动上线。";
    RunningRollBackAction: "Next: nothing. It is rolled back at the next look.", "下一步：无需操作，下次查看时自动回滚。";
    InterferenceHeadline: "Better on paper, but the arms share people: not promoted", "数字上更好，但各组共用人工：不予上线";
    InterferenceAction: "Next: bound the bias with `tierwise simulate --ab` and write it as `interference_bias`, or test by switchback. Harm still rolls it back.", "下一步：用 `tierwise simulate --ab` 求出偏差上界并写入 `interference_bias`，或改用轮换设计。若有损害仍会回滚。";
    PhaseDraft: "draft", "草稿";
    PhaseRunning: "running", "运行中";
    PhasePaused: "paused", "已暂停";
    PhasePromoted: "promoted", "已上线";
    PhaseCompleted: "completed", "已完成";
    PhaseRolledBack: "rolled back", "已回滚";
    PhaseStopped: "stopped", "已停止";
    PhaseKilled: "killed", "紧急停止";
    Since: "since {when}", "自 {when}";
    AsOf: "as of {when}", "截至 {when}";

    // Facts.
    DesignTitle: "Design", "设计";
    DesignUser: "by customer: each stays in one arm", "按顾客分流：每位顾客始终在同一组";
    DesignSwitchback: "switchback: blocks of {block} min, the first {washout} min left out, in pairs", "轮换：每段 {block} 分钟，成对比较，每段前 {washout} 分钟不计";
    DesignSplitPool: "split pool: each arm has people of its own, compared in blocks of {block} min", "分组人工：各组有自己的人员，按 {block} 分钟时段比较";
    PrimaryTitle: "Main metric", "主要指标";
    PrimaryValue: "{name}: {event} within {hours} h of the exposure", "{name}：曝光后 {hours} 小时内的 {event}";
    PeopleTitle: "People", "人员";
    PeopleShared: "shared by all arms", "各组共用";
    PeopleOwn: "each arm its own, or not needed", "各组独立或不需要";

    // Arms.
    ArmsTitle: "The arms", "各组";
    ArmsCaption: "Only mature units are compared: those whose window of {hours} h has closed. Intervals hold at any look.", "仅比较成熟的单位，即 {hours} 小时窗口已结束者。区间随时有效。";
    Entered: "Entered", "已进入";
    Mature: "Mature", "成熟";
    Change: "Observed change", "观测变化";
    ChangeInterval: "Interval at any look", "随时有效的区间";
    Champion: "champion", "基准";
    RatioSound: "The arms got the units that their shares say (e-value against it {e}).", "各组的单位数与其份额相符（反对的 e 值为 {e}）。";
    RatioBroken: "The arms did not get the units that their shares say (e-value {e}): something in assignment or counting is wrong.", "各组的单位数与其份额不符（e 值为 {e}）：分配或计数有误。";

    // Over time.
    OverTimeTitle: "Evidence over time", "证据随时间的变化";
    OverTimeEmpty: "No unit is mature yet: the first numbers come when the window of {hours} h has closed.", "尚无成熟的单位：{hours} 小时窗口结束后才有数字。";
    SequenceCaption: "{arm}. The band holds the true change at all looks at once, with the stated confidence, however often one looks.", "{arm}。该带在所有查看时刻同时以所述置信度包含真实变化，查看多少次都成立。";
    AllocationTitle: "Ramp and arrivals", "放量与进入";
    ShareTitle: "Share of each arm", "各组份额";
    EnteringTitle: "Units entering per hour", "每小时进入的单位";
    DaysAxis: "Numbers below the charts count from the start.", "图下数字自开始时算起。";
    RevisionColumn: "Revision", "版本";
    SinceColumn: "Since", "起始";

    // Watched metrics and strata.
    WatchedTitle: "Guardrails and secondary metrics", "护栏与次要指标";
    WatchedCaption: "A guardrail whose evidence of harm reaches its threshold rolls the challenger back. A secondary metric must reach its own before a promotion: evidence that it is not worse beyond the margin.", "护栏的损害证据达到阈值即回滚；次要指标须在上线前达到阈值，即证明其变差不超过容许范围。";
    Metric: "Metric", "指标";
    RoleColumn: "Must not", "不得";
    RoleSecondary: "be worse", "变差";
    RoleRise: "rise", "上升";
    RoleFall: "fall", "下降";
    Margin: "by more than {margin}", "超过 {margin}";
    Evidence: "Evidence", "证据";
    Threshold: "Decides at", "判定线";
    State: "State", "状态";
    StateHarmed: "harmed", "受损";
    StateQuiet: "no harm shown", "未见损害";
    StateProven: "not worse", "未变差";
    StateUnproven: "not shown yet", "尚未证明";
    WatchedChart: "Evidence of each, over time", "各指标证据随时间的变化";
    WatchedChartCaption: "Each as a part of its own threshold, on a logarithmic scale: at 100 % it decides.", "均以各自判定线为单位，对数刻度：达到 100 % 即定论。";
    StrataTitle: "Strata", "分层";
    StrataCaption: "Groups by {field}. A group that is shown to be worse keeps the challenger from promotion.", "按 {field} 分组。任何一组被证明变差，挑战者便不能上线。";
    Stratum: "Stratum", "分层";
    StratumVetoes: "worse: vetoes", "变差：否决";
    StratumQuiet: "no veto", "未否决";

    // History and assignment.
    AuditTitle: "What was done, and on which numbers", "操作记录及其依据";
    AuditCaption: "Append-only, newest first. `judge` is the rule of promotion itself.", "只增不改，最新在前。`judge` 即上线规则本身。";
    Numbers: "{arm}: {champion} and {challenger} mature units at a share of {share}; evidence for better {better}, for worse {worse}", "{arm}：成熟单位 {champion} 与 {challenger}，份额 {share}；更好的证据 {better}，更差的证据 {worse}";
    NumbersOther: "{name} {e}", "{name} {e}";
    AssignmentTitle: "How customers are assigned", "顾客如何分配";
    AssignmentCaption: "The hash of salt and customer falls into one of {buckets} buckets; each arm owns some. A new revision moves as few of them as it must. Who held which bucket is logged with every exposure.", "由盐与顾客标识的哈希落入 {buckets} 个桶之一，各组拥有其中一部分。新版本只移动必要的桶，每次曝光都记录所属的桶。";
    Salt: "Salt", "盐";
    RevisionFact: "Revision in force", "当前版本";
    Owned: "Buckets of {arm}", "{arm} 的桶";
    Nobody: "Buckets of nobody", "无主的桶";
    Coverage: "Takes part", "参与比例";
    Holdout: "Kept out of every experiment", "不参与任何实验";
    Floor: "Least probability of a tier", "每层最小概率";
    LayerFact: "Layer {layer}", "图层 {layer}";
    LayerPart: "{from} to {to}", "{from} 至 {to}";

    // Notes.
    NotesTitle: "Read this with care", "阅读须知";
    NoteInterference: "The arms share people, so interference is possible: a challenger that hands over more chats makes the champion's customers wait as well, and the difference between the arms says less than it seems. {bound}", "各组共用人工，可能相互干扰：挑战者转接更多会话时，基准组的顾客也要等待，两组之差因此不如看上去那样可靠。{bound}";
    NoteBound: "Promotion therefore asks for a difference above {bias}, the simulated bound of that bias.", "因此上线要求差异超过 {bias}，即模拟得到的偏差上界。";
    NoteNoBound: "No bound of that bias is written, so it may roll back but not promote.", "未给出偏差上界，因此只能回滚，不能上线。";
    NoteUnits: "A customer is counted once, at the first exposure, and stays in that arm; answers by the fallback stay in as well. Forced arms are left out.", "每位顾客只在首次曝光时计一次，并始终留在该组；由后备规则答复的也计入。强制指定的不计入。";
    NoteLasting: "The evidence says that the effect was there, not that it lasts: hence the minimum duration and the holdback.", "证据说明效果曾经存在，并不说明会持续：因此设有最短时长与对照期。";
    NotePairs: "The unit of analysis is a pair of blocks, however many customers they hold.", "分析单位为成对的时段，与其中顾客数无关。";

    // The dashboard.
    Dashboard: "Dashboard", "仪表板";
    Experiments: "Experiments", "实验";
    NoExperiments: "There is no experiment yet.", "尚无实验。";
    NoExperimentsHint: "Create one with `tierwise experiment create configs/experiment.toml`, then start it.", "用 `tierwise experiment create configs/experiment.toml` 创建，然后启动。";
    Ready: "ready", "就绪";
    NotReady: "the store does not answer", "存储无响应";
    Leads: "this router judges", "由本路由器判定";
    Follows: "another router judges", "由其他路由器判定";
    Spool: "{kb} KB of exposures on their way", "{kb} KB 曝光待传送";
    SpoolEmpty: "no exposure waits", "没有待传送的曝光";
    Live: "refreshes itself", "自动刷新";
    Offline: "connection lost, trying again", "连接中断，正在重试";
    ReadReport: "Report as one file", "单文件报告";
    AllExperiments: "All experiments", "全部实验";
    Commands: "Commands", "命令";
    CommandsHint: "Copy one into a shell that can reach this router.", "复制到能访问本路由器的命令行中运行。";
    SparkLabel: "evidence for better and for worse over time", "更好与更差的证据随时间的变化";
    BetterShort: "better {e}", "更好 {e}";
    WorseShort: "worse {e}", "更差 {e}";
    OfThreshold: "{threshold} decides", "{threshold} 定论";
    UnitsShort: "{entered} entered, {mature} mature", "已进入 {entered}，成熟 {mature}";
    LogInTitle: "This router asks for a key", "此路由器需要密钥";
    LogInHint: "Type an admin key. It is kept in a cookie that scripts cannot read and other sites cannot send, until you sign out or close the browser.", "请输入管理员密钥。它保存在脚本无法读取、其他网站无法发送的 Cookie 中，退出或关闭浏览器后失效。";
    KeyField: "Key", "密钥";
    LogIn: "Sign in", "登录";
    LogOut: "Sign out", "退出";
    WrongKey: "No admin key is like this one.", "没有与此相符的管理员密钥。";
    OtherLanguage: "中文", "English";
}

#[cfg(test)]
impl OnlinePhrase {
    /// Phrases that are written alike in both languages.
    pub(super) fn is_symbol(self) -> bool {
        matches!(self, Self::NumbersOther | Self::OtherLanguage)
    }
}
