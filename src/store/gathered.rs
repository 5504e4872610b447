//! What both databases do with rows once they are read.

use super::StoreError;
use super::names::NameTable;
use super::records::{EventRecord, ExposureRecord};
use super::rows::{CheckReport, DecisionRow};

impl DecisionRow {
    /// Puts events, in order of decision and occurrence, under their exposures, in order of decision. Events of other
    /// decisions are left out: they belong to another page, or to nothing.
    pub(super) async fn gathered(
        names: &dyn NameTable,
        exposures: Vec<ExposureRecord>,
        events: Vec<EventRecord>,
    ) -> Result<Vec<Self>, StoreError> {
        let of_exposures = exposures.iter().flat_map(ExposureRecord::name_ids);
        let of_events = events.iter().flat_map(|event| [event.source, event.kind]);
        let known = names.names().knows(of_exposures.chain(of_events));
        names.learn_ids(known).await?;
        let mut events = events.iter().peekable();
        let mut decisions = Vec::with_capacity(exposures.len());
        for exposure in exposures {
            let decision = exposure.decision_id;
            while events
                .next_if(|event| event.decision_id < decision)
                .is_some()
            {}
            let mut own = Vec::new();
            while let Some(event) = events.next_if(|event| event.decision_id == decision) {
                own.push(event.row(names)?);
            }
            decisions.push(Self {
                exposure: exposure.row(names)?,
                events: own,
            });
        }
        Ok(decisions)
    }
}

impl CheckReport {
    /// What must not be there, and how many of it there are. The text holds on both databases.
    pub(super) const BROKEN: [(&'static str, &'static str); 6] = [
        (
            "exposures with a propensity outside (0, 1]",
            "SELECT COUNT(*) FROM exposures WHERE NOT (propensity > 0 AND propensity <= 1)",
        ),
        (
            "exposures with a share outside [0, 1]",
            "SELECT COUNT(*) FROM exposures WHERE NOT (share >= 0 AND share <= 1)",
        ),
        (
            "exposures with probabilities that do not sum to 1",
            "SELECT COUNT(*) FROM exposures WHERE NOT (p1 + p2 + p3 BETWEEN 0.999 AND 1.001)",
        ),
        (
            "exposures with a tier outside 1 to 3 or a bucket outside 0 to 9999",
            "SELECT COUNT(*) FROM exposures WHERE NOT (tier BETWEEN 1 AND 3 AND bucket BETWEEN 0 AND 9999)",
        ),
        (
            "rows that use a name which is not stored",
            "SELECT COUNT(*) FROM (SELECT experiment AS id FROM exposures UNION SELECT policy_version FROM exposures \
             UNION SELECT fallback FROM exposures UNION SELECT stratum FROM exposures \
             UNION SELECT source FROM events UNION SELECT kind FROM events) used \
             WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM names)",
        ),
        (
            "experiments whose audit does not reach their revision",
            "SELECT COUNT(*) FROM experiments e WHERE revision <> \
             (SELECT COUNT(*) FROM audit a WHERE a.experiment = e.key)",
        ),
    ];

    /// Experiments, policies, exposures, events.
    pub(super) const TOTALS: &'static str = "SELECT (SELECT COUNT(*) FROM experiments), (SELECT COUNT(*) FROM policies), \
         (SELECT COUNT(*) FROM exposures), (SELECT COUNT(*) FROM events)";
}
