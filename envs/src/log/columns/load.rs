//! Columns from a log's file: only those needed, block by block.

use std::path::Path;

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type,
};

use super::build::{calls, language, position};
use super::{ConversationFlags, DecisionColumns, Needed};
use crate::class::{ActionSource, Class, PropensityKind, RatingScale, SatisfactionSource};
use crate::log::error::LogError;
use crate::log::file::{LogFormat, LogReader};
use crate::log::parquet::{Projection, check_feature, feature_column};
use crate::log::validate::id_hash;
use crate::mask::Mask;
use crate::reward::efficiency::MAX_DURATION_S;
use crate::tier::{Propensity, Tier, TierProbs};
use crate::time::UtcMicros;

/// A name's value, for a column of names.
fn named<T>(
    text: Option<&ByteArray>,
    from_name: fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(text) = text else {
        return Ok(None);
    };
    let name = text
        .as_utf8()
        .map_err(|error| format!("is no text: {error}"))?;
    from_name(name)
        .map(Some)
        .ok_or_else(|| format!("is `{name}`, which is unknown"))
}

fn required<T>(value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| "is null; the column is required".to_owned())
}

/// A duration in [0, 7 days], NaN where unknown.
fn duration(value: Option<&f64>) -> Result<f32, String> {
    match value {
        None => Ok(f32::NAN),
        Some(seconds) if (0.0..=MAX_DURATION_S).contains(seconds) => Ok(*seconds as f32),
        Some(seconds) => Err(format!(
            "is {seconds}; a duration lies in [0, 604800] seconds"
        )),
    }
}

impl DecisionColumns {
    /// Loads the columns needed of a log.
    ///
    /// From Parquet only these columns are read; from JSONL every line is, and its rows are validated. Values that
    /// break their column's promise end the loading: `tierwise log check` lists them all.
    ///
    /// # Errors
    /// [`LogError::Row`] for the first broken row, [`LogError::Empty`] without a conversation,
    /// [`LogError::TooLong`] beyond 2³² decisions, and whatever keeps the file from being read.
    pub fn load(path: impl AsRef<Path>, needed: &Needed) -> Result<Self, LogError> {
        let path = path.as_ref();
        let columns = match LogFormat::of(path)? {
            LogFormat::Parquet => Self::project(path, needed)?,
            LogFormat::Jsonl | LogFormat::JsonlGz => {
                let mut columns = Self::empty(needed);
                for conversation in LogReader::open(path)? {
                    columns.push(&conversation?, needed)?;
                }
                columns
            }
        };
        if columns.conversations.is_empty() {
            return Err(LogError::Empty {
                file: path.to_owned(),
            });
        }
        Ok(columns)
    }

    fn project(path: &Path, needed: &Needed) -> Result<Self, LogError> {
        let log = Projection::open(path)?;
        let mut columns = Self::empty(needed);
        columns.project_conversations(&log, needed)?;
        columns.project_decisions(&log, needed)?;
        Ok(columns)
    }

    fn project_conversations(&mut self, log: &Projection, needed: &Needed) -> Result<(), LogError> {
        let rows = log.conversations();
        position(rows.len(), rows.path())?;
        position(log.decisions().len(), rows.path())?;
        let c = &mut self.conversations;
        c.first_decision.reserve_exact(rows.len());
        self.conversation.reserve_exact(log.decisions().len());
        let total = log.decisions().len();
        rows.each::<Int32Type>("decision_count", |count| {
            let count = usize::try_from(*required(count)?)
                .map_err(|_| "is negative; a count is at least 0".to_owned())?;
            if count > total - self.conversation.len() {
                return Err(format!("counts more than the {total} decisions there are"));
            }
            let index = (c.first_decision.len() - 1) as u32;
            self.conversation.extend(std::iter::repeat_n(index, count));
            c.first_decision.push(self.conversation.len() as u32);
            Ok(())
        })?;
        if self.conversation.len() != total {
            return Err(log.mismatch(format!(
                "the conversations count {} decisions, there are {total}",
                self.conversation.len()
            )));
        }
        rows.collect::<ByteArrayType, _>("conversation_id", &mut c.id_hash, |id| {
            let id = required(id)?;
            Ok(id_hash(
                id.as_utf8()
                    .map_err(|error| format!("is no text: {error}"))?,
            ))
        })?;
        rows.collect::<Int64Type, _>("created_at", &mut c.created_at, |time| {
            required(time).map(|time| UtcMicros(*time))
        })?;
        rows.collect::<ByteArrayType, _>("class", &mut c.class, |name| {
            named(name, Class::from_name)
        })?;
        rows.collect::<ByteArrayType, _>("language", &mut c.language, |tag| {
            let tag = tag.map(ByteArray::as_utf8).transpose();
            Ok(language(
                tag.map_err(|error| format!("is no text: {error}"))?,
            ))
        })?;
        c.flags = vec![ConversationFlags::default(); rows.len()];
        for (name, flag) in [
            ("abandoned", ConversationFlags::ABANDONED),
            ("reopened_7d", ConversationFlags::CAME_BACK),
            ("escalated_7d", ConversationFlags::CAME_BACK),
            ("truncated", ConversationFlags::TRUNCATED),
            ("outcomes_tracked", ConversationFlags::TRACKED),
        ] {
            let mut flags = c.flags.iter_mut();
            rows.each::<BoolType>(name, |on| {
                if let Some(flags) = flags.next() {
                    flags.set(flag, on == Some(&true));
                }
                Ok(())
            })?;
        }
        for (name, flag) in [
            ("clicked_at", ConversationFlags::CLICKED),
            ("converted_at", ConversationFlags::CONVERTED),
        ] {
            let mut flags = c.flags.iter_mut();
            rows.each::<Int64Type>(name, |time| {
                if let Some(flags) = flags.next() {
                    flags.set(flag, time.is_some());
                }
                Ok(())
            })?;
        }
        let mut sources = Vec::new();
        rows.collect::<ByteArrayType, _>("satisfaction_source", &mut sources, |name| {
            named(name, SatisfactionSource::from_name)
        })?;
        for (flags, source) in c.flags.iter_mut().zip(&sources) {
            flags.set(
                ConversationFlags::ABANDONED,
                *source == Some(SatisfactionSource::Abandoned),
            );
        }
        if !needed.outcomes {
            return Ok(());
        }
        c.satisfaction_source = sources;
        rows.collect::<ByteArrayType, _>("rating_scale", &mut c.rating_scale, |name| {
            named(name, RatingScale::from_name)
        })?;
        let mut scales = c.rating_scale.iter_mut();
        rows.collect::<Int32Type, _>("rating_raw", &mut c.rating_raw, |raw| {
            let scale = scales.next();
            let Some(raw) = raw else {
                // A scale without a mark is no rating.
                scale.into_iter().for_each(|scale| *scale = None);
                return Ok(0);
            };
            i8::try_from(*raw).map_err(|_| format!("is {raw}; it fits 8 bits"))
        })?;
        rows.collect::<DoubleType, _>("satisfaction", &mut c.satisfaction, |value| match value {
            Some(value) if !(0.0..=1.0).contains(value) => {
                Err(format!("is {value}; satisfaction lies in [0, 1]"))
            }
            value => Ok(value.map_or(f32::NAN, |value| *value as f32)),
        })?;
        rows.collect::<DoubleType, _>("human_handle_s", &mut c.human_handle_s, duration)
    }

    fn project_decisions(&mut self, log: &Projection, needed: &Needed) -> Result<(), LogError> {
        let rows = log.decisions();
        rows.collect::<Int32Type, _>("action", &mut self.action, |number| {
            let number = *required(number)?;
            Tier::from_number(i64::from(number))
                .ok_or_else(|| format!("is {number}; a tier is 1 to 3"))
        })?;
        let mut actions = self.action.iter();
        rows.collect_three::<BoolType, _>("mask.list.element", &mut self.mask, |flags| {
            let mask = flags
                .and_then(Mask::from_flags)
                .ok_or("allows no tier; it has three flags and allows at least one")?;
            match actions.next() {
                Some(action) if !mask.allows(*action) => {
                    Err(format!("forbids tier {}, which was taken", action.number()))
                }
                _ => Ok(mask),
            }
        })?;
        rows.collect::<ByteArrayType, _>("action_source", &mut self.source, |name| {
            required(named(name, ActionSource::from_name)?)
        })?;
        rows.collect::<DoubleType, _>("propensity", &mut self.propensity, |value| match value {
            None => Ok(f64::NAN),
            Some(value) => match Propensity::new(*value) {
                Ok(propensity) => Ok(propensity.value()),
                Err(error) => Err(format!("cannot be read: {error}")),
            },
        })?;
        rows.collect::<ByteArrayType, _>("propensity_kind", &mut self.propensity_kind, |name| {
            named(name, PropensityKind::from_name)
        })?;
        let mut before = None;
        let mut conversations = self.conversation.iter();
        rows.collect::<Int32Type, _>("turn", &mut self.same_message, |turn| {
            let this = (conversations.next().copied(), *required(turn)?);
            Ok(before.replace(this) == Some(this))
        })?;
        if needed.probs {
            rows.collect_three::<DoubleType, _>("probs.list.element", &mut self.probs, |probs| {
                let Some(probs) = probs else {
                    return Ok([f64::NAN; 3]);
                };
                match TierProbs::new(probs) {
                    Ok(probs) => Ok(probs.as_array()),
                    Err(error) => Err(format!("cannot be read: {error}")),
                }
            })?;
        }
        if needed.decided_at {
            rows.collect::<Int64Type, _>("decided_at", &mut self.decided_at, |time| {
                required(time).map(|time| UtcMicros(*time))
            })?;
        }
        if needed.outcomes {
            rows.collect::<DoubleType, _>("answer_s", &mut self.answer_s, duration)?;
            rows.collect::<DoubleType, _>("human_s", &mut self.human_s, duration)?;
            rows.collect::<Int32Type, _>("ai_calls", &mut self.ai_calls, |count| match count {
                Some(count) if *count < 0 => Err(format!("is {count}; a count is at least 0")),
                count => Ok(calls(count.copied())),
            })?;
        }
        if needed.business_hours {
            let into = &mut self.answer_business_s;
            rows.collect::<DoubleType, _>("answer_business_s", into, duration)?;
        }
        for (feature, values) in &mut self.features {
            rows.collect::<FloatType, _>(&feature_column(*feature), values, |value| match value {
                None => Ok(f32::NAN),
                Some(value) => check_feature(*feature, *value).map(|()| *value),
            })?;
        }
        Ok(())
    }
}
