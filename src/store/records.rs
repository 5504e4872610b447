//! Rows as the tables hold them: the same values, with interned texts as numbers.

use uuid::Uuid;

use super::StoreError;
use super::names::NameTable;
use super::rows::{EventId, EventRow, ExposureRow, FirstExposure, KeyedHash, MaturedUnit, Outcome};

/// An [`EventRow`] with its texts interned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EventRecord {
    pub(super) source: i32,
    pub(super) id: [u8; 16],
    pub(super) decision_id: Uuid,
    pub(super) kind: i32,
    pub(super) occurred_at_us: i64,
    pub(super) observed_at_us: i64,
    pub(super) value: Option<f64>,
    pub(super) content: i64,
}

impl EventRecord {
    pub(super) fn key(&self) -> (i32, [u8; 16]) {
        (self.source, self.id)
    }

    pub(super) fn row(&self, names: &dyn NameTable) -> Result<EventRow, StoreError> {
        Ok(EventRow {
            source: names.text_of(self.source)?,
            id: EventId(self.id),
            decision_id: self.decision_id,
            kind: names.text_of(self.kind)?,
            occurred_at_us: self.occurred_at_us,
            observed_at_us: self.observed_at_us,
            value: self.value,
            content: self.content.to_be_bytes(),
        })
    }
}

/// Interns a batch of events.
pub(super) async fn event_records(
    names: &dyn NameTable,
    rows: &[EventRow],
) -> Result<Vec<EventRecord>, StoreError> {
    let sources = rows.iter().map(|row| &*row.source);
    let texts = sources.chain(rows.iter().map(|row| &*row.kind));
    names.intern(names.names().missing(texts)).await?;
    let mut source = Last::default();
    let mut kind = Last::default();
    rows.iter()
        .map(|row| {
            if row.value.is_some_and(|value| !value.is_finite()) {
                return Err(StoreError::Invalid {
                    what: "an event's value is not a finite number".into(),
                });
            }
            Ok(EventRecord {
                source: source.id(names, &row.source)?,
                id: row.id.0,
                decision_id: row.decision_id,
                kind: kind.id(names, &row.kind)?,
                occurred_at_us: row.occurred_at_us,
                observed_at_us: row.observed_at_us,
                value: row.value,
                content: i64::from_be_bytes(row.content),
            })
        })
        .collect()
}

/// The text that was looked up last: neighbours in a batch mostly share it.
#[derive(Default)]
struct Last<'a>(Option<(&'a str, i32)>);

impl<'a> Last<'a> {
    fn id(&mut self, names: &dyn NameTable, text: &'a str) -> Result<i32, StoreError> {
        match self.0 {
            Some((last, id)) if std::ptr::eq(last, text) || last == text => Ok(id),
            _ => {
                let id = names.id_of(text)?;
                self.0 = Some((text, id));
                Ok(id)
            }
        }
    }
}

/// An [`ExposureRow`] with its texts interned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExposureRecord {
    pub(super) decision_id: Uuid,
    pub(super) experiment: i32,
    pub(super) unit: KeyedHash,
    pub(super) conversation: Option<KeyedHash>,
    pub(super) at_us: i64,
    pub(super) arm: i32,
    pub(super) revision: i64,
    pub(super) bucket: i32,
    pub(super) share: f64,
    pub(super) tier: i16,
    pub(super) mask: i16,
    pub(super) probabilities: [f32; 3],
    pub(super) propensity: f32,
    pub(super) policy_version: i32,
    pub(super) fallback: Option<i32>,
    pub(super) forced: bool,
    pub(super) block: Option<i64>,
    pub(super) stratum: Option<i32>,
    pub(super) context: Option<String>,
}

impl ExposureRecord {
    pub(super) fn name_ids(&self) -> impl Iterator<Item = i32> + use<> {
        [
            Some(self.experiment),
            Some(self.policy_version),
            self.fallback,
            self.stratum,
        ]
        .into_iter()
        .flatten()
    }

    pub(super) fn row(self, names: &dyn NameTable) -> Result<ExposureRow, StoreError> {
        let text = |id: Option<i32>| id.map(|id| names.text_of(id)).transpose();
        Ok(ExposureRow {
            decision_id: self.decision_id,
            experiment: names.text_of(self.experiment)?,
            unit: self.unit,
            conversation: self.conversation,
            at_us: self.at_us,
            arm: narrow(names, "arm", self.arm)?,
            revision: narrow(names, "revision", self.revision)?,
            bucket: narrow(names, "bucket", self.bucket)?,
            share: self.share,
            tier: narrow(names, "tier", self.tier)?,
            mask: narrow(names, "mask", self.mask)?,
            probabilities: self.probabilities,
            propensity: self.propensity,
            policy_version: names.text_of(self.policy_version)?,
            fallback: text(self.fallback)?,
            forced: self.forced,
            block: self.block,
            stratum: text(self.stratum)?,
            context: self.context,
        })
    }
}

/// Interns a batch of exposures and refuses what no decision can be.
pub(super) async fn exposure_records(
    names: &dyn NameTable,
    rows: &[ExposureRow],
) -> Result<Vec<ExposureRecord>, StoreError> {
    let texts = rows.iter().flat_map(|row| {
        let always = [Some(&*row.experiment), Some(&*row.policy_version)];
        let maybe = [row.fallback.as_deref(), row.stratum.as_deref()];
        always.into_iter().chain(maybe).flatten()
    });
    names.intern(names.names().missing(texts)).await?;
    rows.iter().map(|row| exposure_record(names, row)).collect()
}

fn exposure_record(names: &dyn NameTable, row: &ExposureRow) -> Result<ExposureRecord, StoreError> {
    let invalid = |what: String| StoreError::Invalid {
        what: format!("decision {}: {what}", row.decision_id),
    };
    if !(0.0..=1.0).contains(&row.share) {
        return Err(invalid(format!(
            "share {} does not lie in 0 to 1",
            row.share
        )));
    }
    if !(row.propensity > 0.0 && row.propensity <= 1.0) {
        return Err(invalid(format!(
            "propensity {} does not lie above 0, up to 1",
            row.propensity
        )));
    }
    if !row.probabilities.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err(invalid(format!(
            "probabilities {:?} do not lie in 0 to 1",
            row.probabilities
        )));
    }
    if !(1..=3).contains(&row.tier) {
        return Err(invalid(format!("tier {} is none of 1, 2, 3", row.tier)));
    }
    if row.context.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(invalid("its context holds a zero byte".into()));
    }
    let id = |text: &Option<std::sync::Arc<str>>| {
        text.as_deref().map(|text| names.id_of(text)).transpose()
    };
    Ok(ExposureRecord {
        decision_id: row.decision_id,
        experiment: names.id_of(&row.experiment)?,
        unit: row.unit,
        conversation: row.conversation,
        at_us: row.at_us,
        arm: row.arm.into(),
        revision: row.revision.into(),
        bucket: row.bucket.into(),
        share: row.share,
        tier: row.tier.into(),
        mask: row.mask.into(),
        probabilities: row.probabilities,
        propensity: row.propensity,
        policy_version: names.id_of(&row.policy_version)?,
        fallback: id(&row.fallback)?,
        forced: row.forced,
        block: row.block,
        stratum: id(&row.stratum)?,
        context: row.context.clone(),
    })
}

/// A [`FirstExposure`] as it was read, with one of its outcomes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FirstRecord {
    pub(super) decision_id: Uuid,
    pub(super) unit: KeyedHash,
    pub(super) at_us: i64,
    pub(super) arm: i32,
    pub(super) revision: i64,
    pub(super) bucket: i32,
    pub(super) share: f64,
    pub(super) tier: i16,
    pub(super) block: Option<i64>,
    pub(super) stratum: Option<i32>,
}

/// One outcome as it was read: kind, time, value.
pub(super) type OutcomeRecord = (i32, i64, Option<f64>);

impl FirstRecord {
    fn row(&self, names: &dyn NameTable) -> Result<FirstExposure, StoreError> {
        Ok(FirstExposure {
            decision_id: self.decision_id,
            unit: self.unit,
            at_us: self.at_us,
            arm: narrow(names, "arm", self.arm)?,
            revision: narrow(names, "revision", self.revision)?,
            bucket: narrow(names, "bucket", self.bucket)?,
            share: self.share,
            tier: narrow(names, "tier", self.tier)?,
            block: self.block,
            stratum: self.stratum.map(|id| names.text_of(id)).transpose()?,
        })
    }
}

/// First exposures without outcomes.
pub(super) async fn first_exposures(
    names: &dyn NameTable,
    records: Vec<FirstRecord>,
) -> Result<Vec<FirstExposure>, StoreError> {
    let strata = records.iter().filter_map(|first| first.stratum);
    names.learn_ids(names.names().knows(strata)).await?;
    records.iter().map(|first| first.row(names)).collect()
}

/// Gathers rows, one for each outcome and at least one for each unit, into units.
pub(super) async fn matured_units(
    names: &dyn NameTable,
    records: Vec<(FirstRecord, Option<OutcomeRecord>)>,
) -> Result<Vec<MaturedUnit>, StoreError> {
    let ids = records
        .iter()
        .flat_map(|(first, outcome)| [first.stratum, outcome.map(|outcome| outcome.0)])
        .flatten();
    names.learn_ids(names.names().knows(ids)).await?;
    let mut units: Vec<MaturedUnit> = Vec::new();
    for (first, outcome) in &records {
        if units
            .last()
            .is_none_or(|unit| unit.first.decision_id != first.decision_id)
        {
            units.push(MaturedUnit {
                first: first.row(names)?,
                outcomes: Vec::new(),
            });
        }
        if let (Some(unit), Some((kind, occurred_at_us, value))) = (units.last_mut(), *outcome) {
            unit.outcomes.push(Outcome {
                kind: names.text_of(kind)?,
                occurred_at_us,
                value,
            });
        }
    }
    Ok(units)
}

fn narrow<W, N>(names: &dyn NameTable, what: &str, wide: W) -> Result<N, StoreError>
where
    W: Copy + std::fmt::Display,
    N: TryFrom<W>,
{
    N::try_from(wide).map_err(|_| StoreError::Corrupt {
        url: names.url().to_owned(),
        reason: format!("an exposure has {what} {wide}"),
    })
}
