//! Fields read from a row become the parts of a conversation.

use serde_json::{Map, Value};

use super::convert::Raw;
use super::{Field, List, Mapping, Origin};
use crate::class::Role;
use crate::import::rejects::Reason;
use crate::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::mask::Mask;
use crate::observation::{Feature, Observation, SCHEMA_VERSION};
use crate::reward::{Rating, last_rating};
use crate::tier::{Tier, TierProbs};
use crate::time::UtcMicros;

/// A row, or an entry of a list in it, from which single values are taken.
pub(in crate::import) trait Cells {
    /// The value of a source column by its name and its number in [`Mapping::sources`]; `None` where it is missing.
    fn cell(&self, name: &str, number: usize) -> Result<Option<Raw<'_>>, (Reason, String)>;
}

/// What is wrong with a row, and in which column of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct RowFault {
    pub(in crate::import) reason: Reason,
    pub(in crate::import) column: Option<String>,
    pub(in crate::import) message: String,
}

impl RowFault {
    pub(in crate::import) fn new(reason: Reason, column: &str, message: impl Into<String>) -> Self {
        Self {
            reason,
            column: Some(column.to_owned()),
            message: message.into(),
        }
    }

    /// A fault without a column of its own.
    pub(in crate::import) fn plain(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            column: None,
            message: message.into(),
        }
    }
}

/// A conversation whose rows are still being gathered.
#[derive(Debug, Default)]
pub(in crate::import) struct Draft {
    columns: Map<String, Value>,
    turns: Vec<Turn>,
    decisions: Vec<(Option<i32>, Decision)>,
}

impl Mapping {
    /// A field's value, converted; `None` where the source has none.
    fn value(&self, field: &Field, cells: &dyn Cells) -> Result<Option<Value>, RowFault> {
        let (name, number) = match &field.source {
            Origin::Constant(value) => return Ok(Some(value.clone())),
            Origin::From(name, number) => (name, *number),
        };
        let fault = |(reason, message): (Reason, String)| {
            RowFault::new(reason, name, format!("`{}`: {message}", field.name))
        };
        let raw = cells
            .cell(name, number)
            .map_err(fault)?
            .filter(|raw| !matches!(raw, Raw::Text(text) if self.is_missing(text)));
        let Some(raw) = raw else {
            return Ok(field.default.clone());
        };
        let raw = match &field.map {
            None => raw,
            Some(map) => match map.get(raw.text().trim()) {
                Some(mapped) => Raw::Text(mapped.as_str().into()),
                None if field.default.is_some() => return Ok(field.default.clone()),
                None => {
                    let known: Vec<_> = map.keys().map(String::as_str).collect();
                    return Err(fault((
                        Reason::UnknownValue,
                        format!(
                            "`{}` is not in the map (line {} of the mapping), which knows {}",
                            raw.text(),
                            field.line,
                            known.join(", ")
                        ),
                    )));
                }
            },
        };
        self.reading(field).read(&raw).map(Some).map_err(fault)
    }

    fn values(&self, fields: &[Field], cells: &dyn Cells) -> Result<Map<String, Value>, RowFault> {
        let mut values = Map::new();
        for field in fields {
            if let Some(value) = self.value(field, cells)? {
                values.insert(field.name.to_owned(), value);
            }
        }
        Ok(values)
    }

    /// The conversation's id in a row.
    pub(in crate::import) fn conversation_id(&self, cells: &dyn Cells) -> Result<String, RowFault> {
        let field = self
            .conversation
            .iter()
            .find(|field| field.name == "conversation_id");
        let field =
            field.expect("a mapping without `conversation_id` is refused when it is loaded");
        match self.value(field, cells)? {
            Some(Value::String(id)) if !id.trim().is_empty() => Ok(id),
            _ => Err(RowFault::new(
                Reason::MissingField,
                field.source_name(),
                "`conversation_id` is empty",
            )),
        }
    }

    /// Adds a row's columns to a conversation. A column that another row filled must agree.
    pub(in crate::import) fn add_columns(
        &self,
        draft: &mut Draft,
        cells: &dyn Cells,
    ) -> Result<(), RowFault> {
        for (name, value) in self.values(&self.conversation, cells)? {
            match draft.columns.get(&name) {
                None => {
                    draft.columns.insert(name, value);
                }
                Some(before) if *before == value => {}
                Some(before) => {
                    let message =
                        format!("{value}, but {before} in an earlier row of the conversation");
                    return Err(RowFault::new(Reason::BadValue, &name, message));
                }
            }
        }
        Ok(())
    }

    /// Adds the decision of a row, or of a list's entry.
    pub(in crate::import) fn add_decision(
        &self,
        draft: &mut Draft,
        cells: &dyn Cells,
    ) -> Result<(), RowFault> {
        let Some(List { fields, .. }) = &self.decision else {
            return Ok(());
        };
        let mut values = self.values(fields, cells)?;
        let source = |name: &str| {
            let field = fields.iter().find(|field| field.name == name);
            field.map_or(name, Field::source_name).to_owned()
        };
        for name in ["decided_at", "action", "action_source"] {
            if !values.contains_key(name) {
                let message = format!("`{name}` is missing");
                return Err(RowFault::new(Reason::MissingField, &source(name), message));
            }
        }
        let turn = values.remove("turn").and_then(|turn| turn.as_i64());
        let mask = mask(&mut values).ok_or_else(|| {
            RowFault::new(
                Reason::BadValue,
                &source("mask_auto"),
                "the mask allows no tier",
            )
        })?;
        let probs = probs(&mut values)
            .map_err(|message| RowFault::new(Reason::BadPropensity, &source("p_auto"), message))?;
        let mut observation = Observation::unknown();
        for field in &self.observation {
            if let (Some(feature), Some(value)) =
                (Feature::from_name(field.name), self.value(field, cells)?)
            {
                observation.set_known(feature, value.as_f64().map(|value| value as f32));
            }
        }
        let kind = values.remove("propensity_kind");
        values.insert("turn".to_owned(), 0.into());
        values.insert("feature_schema".to_owned(), SCHEMA_VERSION.into());
        let unknown = serde_json::to_value(observation).map_err(|error| plain(&error))?;
        values.insert("observation".to_owned(), unknown);
        values.insert("mask".to_owned(), mask.flags().to_vec().into());
        let mut decision: Decision =
            serde_json::from_value(values.into()).map_err(|error| plain(&error))?;
        if observation.get(Feature::HourSin).is_none() {
            observation.set_clock(decision.decided_at);
        }
        decision.observation = observation;
        decision.probs = probs;
        if decision.propensity.is_none()
            && let Some(probs) = probs
        {
            let propensity = crate::tier::Propensity::new(probs.of(decision.action));
            decision.propensity = Some(propensity.map_err(|error| {
                RowFault::new(Reason::BadPropensity, &source("p_auto"), error.to_string())
            })?);
        }
        if decision.propensity.is_some() {
            let Some(kind) = kind else {
                return Err(RowFault::new(
                    Reason::MissingField,
                    &source("propensity_kind"),
                    "`propensity_kind` is missing; a propensity is `exact` or `estimated`",
                ));
            };
            decision.propensity_kind =
                Some(serde_json::from_value(kind).map_err(|error| plain(&error))?);
        }
        let turn = turn.map(|turn| i32::try_from(turn).unwrap_or(i32::MAX));
        draft.decisions.push((turn, decision));
        Ok(())
    }

    /// Adds a turn of a list.
    pub(in crate::import) fn add_turn(
        &self,
        draft: &mut Draft,
        cells: &dyn Cells,
    ) -> Result<(), RowFault> {
        let Some(List { fields, .. }) = &self.turn else {
            return Ok(());
        };
        let values = self.values(fields, cells)?;
        if !values.contains_key("role") {
            return Err(RowFault::new(
                Reason::MissingField,
                "role",
                "a turn's `role` is missing",
            ));
        }
        draft
            .turns
            .push(serde_json::from_value(values.into()).map_err(|error| plain(&error))?);
        Ok(())
    }

    /// A rating of a list; `None` when its mark is missing.
    pub(in crate::import) fn rating(&self, cells: &dyn Cells) -> Result<Option<Rating>, RowFault> {
        let Some(List { fields, .. }) = &self.rating else {
            return Ok(None);
        };
        let values = self.values(fields, cells)?;
        if !values.contains_key("raw") {
            return Ok(None);
        }
        if !values.contains_key("scale") {
            return Err(RowFault::new(
                Reason::MissingField,
                "scale",
                "a rating's `scale` is missing",
            ));
        }
        serde_json::from_value(values.into())
            .map(Some)
            .map_err(|error| plain(&error))
    }

    /// Where the lists of decisions, turns and ratings stand.
    pub(in crate::import) fn list_paths(&self) -> [Option<&str>; 3] {
        [&self.decision, &self.turn, &self.rating]
            .map(|list| list.as_ref().and_then(|list| list.path.as_deref()))
    }
}

impl Field {
    /// The source column's name; the log's for a constant.
    fn source_name(&self) -> &str {
        match &self.source {
            Origin::Constant(_) => self.name,
            Origin::From(name, _) => name,
        }
    }
}

impl Draft {
    /// The last of the ratings becomes the conversation's.
    pub(in crate::import) fn set_rating(&mut self, ratings: &[Rating]) {
        if let Some(last) = last_rating(ratings) {
            self.columns
                .insert("rating_raw".to_owned(), last.raw.into());
            self.columns
                .insert("rating_scale".to_owned(), last.scale.name().into());
            if let Some(at) = last.at {
                self.columns
                    .insert("rating_at".to_owned(), at.to_string().into());
            }
        }
    }

    /// Whether the decision added last stands there already; it is taken out again.
    pub(in crate::import) fn repeats_itself(&mut self) -> bool {
        let repeated = match self.decisions.split_last() {
            Some((last, before)) => before.contains(last),
            None => false,
        };
        if repeated {
            self.decisions.pop();
        }
        repeated
    }

    /// The conversation. Decisions are put in order of time, for the rows of a table promise none.
    pub(in crate::import) fn finish(
        mut self,
        source_system: &str,
    ) -> Result<Conversation, RowFault> {
        self.decisions
            .sort_by_key(|(_, decision)| decision.decided_at);
        let first = self
            .decisions
            .first()
            .map(|(_, decision)| decision.decided_at);
        let mut columns = self.columns;
        if let Some(hash) = columns.remove("customer_id") {
            columns.insert("customer_id_hash".to_owned(), hash);
        }
        columns.insert("schema_version".to_owned(), LOG_SCHEMA_VERSION.into());
        columns
            .entry("source_system")
            .or_insert_with(|| source_system.into());
        if !columns.contains_key("created_at") {
            let first = self.turns.first().and_then(|turn| turn.at).or(first);
            let first = first.ok_or_else(|| {
                RowFault::new(
                    Reason::MissingField,
                    "created_at",
                    "`created_at` is missing",
                )
            })?;
            columns.insert("created_at".to_owned(), first.to_string().into());
        }
        for (value, about) in [
            ("rating_raw", "rating_scale"),
            ("satisfaction", "satisfaction_source"),
        ] {
            if !columns.contains_key(value) {
                columns.remove(about);
            }
        }
        let mut conversation: Conversation =
            serde_json::from_value(columns.into()).map_err(|error| plain(&error))?;
        for (position, (turn, mut decision)) in self.decisions.into_iter().enumerate() {
            decision.turn = match turn {
                Some(turn) => turn,
                None if self.turns.is_empty() => i32::try_from(position).unwrap_or(i32::MAX),
                None => answered(&self.turns, decision.decided_at).ok_or_else(|| {
                    RowFault::new(
                        Reason::BadOrder,
                        "decided_at",
                        format!(
                            "no customer message stands at or before {}",
                            decision.decided_at
                        ),
                    )
                })?,
            };
            conversation.decisions.push(decision);
        }
        conversation.turns = self.turns;
        Ok(conversation)
    }
}

/// Position of the message a decision answers: the first of the last run of customer messages up to that time.
fn answered(turns: &[Turn], decided_at: UtcMicros) -> Option<i32> {
    let is_customer = |turn: &Turn| turn.role == Role::Customer;
    let last = turns
        .iter()
        .rposition(|turn| is_customer(turn) && turn.at.is_some_and(|at| at <= decided_at))?;
    let run = turns[..last]
        .iter()
        .rev()
        .take_while(|turn| is_customer(turn))
        .count();
    i32::try_from(last - run).ok()
}

/// The mask of the `mask_` columns; a tier without one is allowed. `None` when nothing is.
fn mask(values: &mut Map<String, Value>) -> Option<Mask> {
    let mut allowed = |name| {
        values
            .remove(name)
            .and_then(|flag: Value| flag.as_bool())
            .unwrap_or(true)
    };
    Mask::from_flags([
        allowed("mask_auto"),
        allowed("mask_review"),
        allowed("mask_human"),
    ])
}

/// The vector of the `p_` columns: all three or none.
fn probs(values: &mut Map<String, Value>) -> Result<Option<TierProbs>, String> {
    let given = ["p_auto", "p_review", "p_human"]
        .map(|name| values.remove(name).and_then(|value: Value| value.as_f64()));
    match given {
        [None, None, None] => Ok(None),
        [Some(auto), Some(review), Some(human)] => TierProbs::new([auto, review, human])
            .map(Some)
            .map_err(|error| error.to_string()),
        _ => {
            let missing = Tier::ALL
                .into_iter()
                .find(|tier| given[tier.index()].is_none());
            let missing = missing.map_or("one", Tier::name);
            Err(format!(
                "the probability of tier {missing} is missing; give all three or none"
            ))
        }
    }
}

/// A fault without a column of its own.
fn plain(error: &serde_json::Error) -> RowFault {
    RowFault::plain(Reason::BadValue, error.to_string())
}
