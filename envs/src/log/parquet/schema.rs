//! The columns of the two tables.

use std::sync::Arc;

use parquet::errors::Result;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

use super::blank;
use super::cell::{Cell, FeatureColumn, FieldColumn, Kind, Single};
use super::leaf::{LeafBuffer, LeafCursor};
use crate::log::model::{Attachment, Conversation, Decision, Turn};
use crate::mask::Mask;
use crate::observation::Feature;
use crate::tier::TierProbs;

/// Why a row cannot be taken from its columns.
pub(super) enum Fault {
    /// The file is damaged.
    Damaged(parquet::errors::ParquetError),
    /// One value does not fit: column and reason.
    Value(String, String),
}

impl From<parquet::errors::ParquetError> for Fault {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error)
    }
}

/// A column that holds a list in each row, over one or more leaves.
pub(super) trait Listed<R> {
    fn declare(&self) -> String;
    fn leaves(&self) -> Vec<Kind>;
    fn leaves_len(&self) -> usize {
        1
    }
    fn append(&self, row: &R, leaves: &mut [LeafBuffer]) -> usize;
    fn read(&self, row: &mut R, leaves: &mut [LeafCursor]) -> std::result::Result<(), Fault>;
}

/// A column of a table.
pub(super) enum Column<R> {
    Single(Box<dyn Single<R> + Send + Sync>),
    List(Box<dyn Listed<R> + Send + Sync>),
}

impl<R> Column<R> {
    fn declare(&self) -> String {
        match self {
            Self::Single(column) => column.declare(),
            Self::List(column) => column.declare(),
        }
    }

    fn leaves(&self) -> Vec<Kind> {
        match self {
            Self::Single(column) => vec![column.kind()],
            Self::List(column) => column.leaves(),
        }
    }

    /// How many leaves the column has.
    pub(super) fn leaves_len(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::List(column) => column.leaves_len(),
        }
    }

    /// Appends a row to the column's leaves; returns the bytes it takes.
    pub(super) fn append(&self, row: &R, leaves: &mut [LeafBuffer]) -> usize {
        match self {
            Self::Single(column) => {
                let cell = column.cell(row);
                let definition = i16::from(column.optional() && cell != Cell::Null);
                leaves[0].push(cell, definition, 0)
            }
            Self::List(column) => column.append(row, leaves),
        }
    }

    /// Takes the next row from the column's leaves.
    pub(super) fn read(
        &self,
        row: &mut R,
        leaves: &mut [LeafCursor],
    ) -> std::result::Result<(), Fault> {
        match self {
            Self::Single(column) => {
                let (_, cell) = leaves[0].next()?;
                column
                    .set(row, cell)
                    .map_err(|reason| Fault::Value(column.name().to_owned(), reason))
            }
            Self::List(column) => column.read(row, leaves),
        }
    }
}

/// A list of elements with fields of their own; the three-level form that Parquet's readers agree on.
struct Nested<R, E> {
    name: &'static str,
    /// The element is its only field, not a group of fields.
    bare: bool,
    get: fn(&R) -> &Vec<E>,
    get_mut: fn(&mut R) -> &mut Vec<E>,
    blank: fn() -> E,
    fields: Vec<Box<dyn Single<E> + Send + Sync>>,
}

impl<R, E> Listed<R> for Nested<R, E> {
    fn declare(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(|field| field.declare()).collect();
        let element = if self.bare {
            fields.concat()
        } else {
            format!("required group element {{ {} }}", fields.join(" "))
        };
        format!(
            "required group {} (LIST) {{ repeated group list {{ {element} }} }}",
            self.name
        )
    }

    fn leaves(&self) -> Vec<Kind> {
        self.fields.iter().map(|field| field.kind()).collect()
    }

    fn leaves_len(&self) -> usize {
        self.fields.len()
    }

    fn append(&self, row: &R, leaves: &mut [LeafBuffer]) -> usize {
        let elements = (self.get)(row);
        let mut bytes = 0;
        for (field, leaf) in self.fields.iter().zip(leaves) {
            if elements.is_empty() {
                bytes += leaf.push(Cell::Null, 0, 0);
            }
            for (index, element) in elements.iter().enumerate() {
                let cell = field.cell(element);
                let definition = 1 + i16::from(field.optional() && cell != Cell::Null);
                bytes += leaf.push(cell, definition, i16::from(index > 0));
            }
        }
        bytes
    }

    fn read(&self, row: &mut R, leaves: &mut [LeafCursor]) -> std::result::Result<(), Fault> {
        let elements = (self.get_mut)(row);
        let mut wrong = None;
        for (field, leaf) in self.fields.iter().zip(leaves) {
            let mut index = 0;
            loop {
                let (definition, cell) = leaf.next()?;
                if definition > 0 {
                    if elements.len() == index {
                        elements.push((self.blank)());
                    }
                    if let Err(reason) = field.set(&mut elements[index], cell)
                        && wrong.is_none()
                    {
                        let tail = if self.bare {
                            String::new()
                        } else {
                            format!(".{}", field.name())
                        };
                        wrong = Some(Fault::Value(
                            format!("{}[{index}]{tail}", self.name),
                            reason,
                        ));
                    }
                    index += 1;
                }
                if !leaf.goes_on() {
                    break;
                }
            }
        }
        wrong.map_or(Ok(()), Err)
    }
}

/// Reads one row of a list of plain values; `None` where the list itself is null.
fn read_three<T: Copy>(
    name: &str,
    leaf: &mut LeafCursor,
    null_below: i16,
    value: fn(Cell<'_>) -> Option<T>,
) -> std::result::Result<Option<[T; 3]>, Fault> {
    let mut values = Vec::with_capacity(3);
    let mut is_null = false;
    loop {
        let (definition, cell) = leaf.next()?;
        is_null |= definition < null_below;
        values.extend(value(cell));
        if !leaf.goes_on() {
            break;
        }
    }
    if is_null {
        return Ok(None);
    }
    let have = values.len();
    match values.try_into() {
        Ok(three) => Ok(Some(three)),
        Err(_) => Err(Fault::Value(
            name.to_owned(),
            format!("has {have} entries; it has one for each of the 3 tiers"),
        )),
    }
}

/// `mask`: three flags in the order of the tiers.
struct MaskColumn;

impl Listed<Decision> for MaskColumn {
    fn declare(&self) -> String {
        "required group mask (LIST) { repeated group list { required boolean element; } }"
            .to_owned()
    }

    fn leaves(&self) -> Vec<Kind> {
        vec![Kind::Flag]
    }

    fn append(&self, row: &Decision, leaves: &mut [LeafBuffer]) -> usize {
        let flags = row.mask.flags();
        (0..3)
            .map(|i| leaves[0].push(Cell::Flag(flags[i]), 1, i16::from(i > 0)))
            .sum()
    }

    fn read(
        &self,
        row: &mut Decision,
        leaves: &mut [LeafCursor],
    ) -> std::result::Result<(), Fault> {
        let flags = read_three("mask", &mut leaves[0], 0, |cell| match cell {
            Cell::Flag(flag) => Some(flag),
            _ => None,
        })?;
        row.mask = flags.and_then(Mask::from_flags).ok_or_else(|| {
            Fault::Value(
                "mask".to_owned(),
                "allows no tier; it allows at least one".to_owned(),
            )
        })?;
        Ok(())
    }
}

/// `probs`: null, or three probabilities in the order of the tiers.
struct ProbsColumn;

impl Listed<Decision> for ProbsColumn {
    fn declare(&self) -> String {
        "optional group probs (LIST) { repeated group list { required double element; } }"
            .to_owned()
    }

    fn leaves(&self) -> Vec<Kind> {
        vec![Kind::Double]
    }

    fn append(&self, row: &Decision, leaves: &mut [LeafBuffer]) -> usize {
        let Some(probs) = row.probs else {
            return leaves[0].push(Cell::Null, 0, 0);
        };
        let values = probs.as_array();
        (0..3)
            .map(|i| leaves[0].push(Cell::Double(values[i]), 2, i16::from(i > 0)))
            .sum()
    }

    fn read(
        &self,
        row: &mut Decision,
        leaves: &mut [LeafCursor],
    ) -> std::result::Result<(), Fault> {
        let values = read_three("probs", &mut leaves[0], 1, |cell| match cell {
            Cell::Double(value) => Some(value),
            _ => None,
        })?;
        row.probs = values.map(TierProbs::new).transpose().map_err(|error| {
            Fault::Value("probs".to_owned(), format!("cannot be read: {error}"))
        })?;
        Ok(())
    }
}

macro_rules! fields {
    ($row:ty; $($field:ident $(as $kind:ident)?),+ $(,)?) => {
        [$(Box::new(FieldColumn {
            name: stringify!($field),
            kind: fields!(@kind $($kind)?),
            get: |row: &$row| &row.$field,
            get_mut: |row: &mut $row| &mut row.$field,
        }) as Box<dyn Single<$row> + Send + Sync>),+]
    };
    (@kind) => { None };
    (@kind $kind:ident) => { Some(Kind::$kind) };
}

/// A table's columns in order, behind one column that joins it to the other table.
pub(super) struct Table<R> {
    /// `conversations` or `decisions`.
    pub(super) name: &'static str,
    /// The joining column's name.
    pub(super) key: &'static str,
    /// Its type.
    pub(super) key_kind: Kind,
    /// The other columns.
    pub(super) columns: Vec<Column<R>>,
    /// A row to fill.
    pub(super) blank: fn() -> R,
}

impl<R> Table<R> {
    /// Parquet's schema of the table.
    pub(super) fn schema(&self) -> Result<TypePtr> {
        let mut text = format!(
            "message {} {{ {}",
            self.name,
            self.key_kind.declare("required", self.key)
        );
        for column in &self.columns {
            text.push(' ');
            text.push_str(&column.declare());
        }
        text.push_str(" }");
        Ok(Arc::new(parse_message_type(&text)?))
    }

    /// Every leaf's type, in order.
    pub(super) fn leaves(&self) -> Vec<Kind> {
        let columns = self.columns.iter().flat_map(Column::leaves);
        std::iter::once(self.key_kind).chain(columns).collect()
    }
}

/// The conversations table. Its key is the number of decisions, so that both tables are read in step.
pub(super) fn conversations() -> Table<Conversation> {
    let singles = fields!(Conversation;
        schema_version, conversation_id as UniqueText, source_system, channel, created_at, closed_at,
        customer_id_hash as UniqueText, language, region, priority, intent, class, first_response_s,
        first_response_business_s, resolution_s, customer_wait_s, agent_wait_s, queue_wait_s,
        human_handle_s, human_handle_estimated, reopens, reopened_7d, escalated_7d, replies,
        assignees, bot_involved, bot_resolved, bot_handoff, tier, rating_raw, rating_scale, rating_at,
        rating_remark_present, satisfaction, satisfaction_source, sla_name, sla_status, sla_limit_s,
        abandoned, truncated, clicked_at, converted_at, outcomes_tracked, order_value, currency,
    );
    let tags = Nested {
        name: "tags",
        bare: true,
        get: |row: &Conversation| &row.tags,
        get_mut: |row: &mut Conversation| &mut row.tags,
        blank: String::new,
        fields: vec![Box::new(FieldColumn {
            name: "element",
            kind: None,
            get: |tag: &String| tag,
            get_mut: |tag: &mut String| tag,
        })],
    };
    let attachments = Nested {
        name: "attachments",
        bare: false,
        get: |row: &Conversation| &row.attachments,
        get_mut: |row: &mut Conversation| &mut row.attachments,
        blank: blank::attachment,
        fields: fields!(Attachment; kind, mime, bytes, duration_s, sha256 as UniqueText).into(),
    };
    let turns = Nested {
        name: "turns",
        bare: false,
        get: |row: &Conversation| &row.turns,
        get_mut: |row: &mut Conversation| &mut row.turns,
        blank: blank::turn,
        fields: fields!(Turn;
            role, at, text as UniqueText, text_hash as UniqueText, intent, sentiment, draft_edited,
        )
        .into(),
    };
    let mut columns: Vec<_> = singles.into_iter().map(Column::Single).collect();
    columns.push(Column::List(Box::new(tags)));
    columns.push(Column::List(Box::new(attachments)));
    columns.push(Column::List(Box::new(turns)));
    Table {
        name: "conversations",
        key: "decision_count",
        key_kind: Kind::Int32,
        columns,
        blank: blank::conversation,
    }
}

/// The decisions table, in the order of the conversations.
pub(super) fn decisions() -> Table<Decision> {
    let before = fields!(Decision; turn, decided_at, feature_schema);
    let after = fields!(Decision;
        action, propensity, propensity_kind, action_source, policy_id, policy_version, arm, block_id,
        pool_busy, pool_slots, queue_len, expected_wait_s, answer_s, answer_business_s, human_s,
        ai_calls, review,
    );
    let features = Feature::ALL.iter().map(|feature| {
        Column::Single(
            Box::new(FeatureColumn::new(*feature)) as Box<dyn Single<Decision> + Send + Sync>
        )
    });
    let mut columns: Vec<_> = before.into_iter().map(Column::Single).collect();
    columns.push(Column::List(Box::new(MaskColumn)));
    columns.push(Column::List(Box::new(ProbsColumn)));
    columns.extend(after.into_iter().map(Column::Single));
    columns.extend(features);
    Table {
        name: "decisions",
        key: "conversation_id",
        key_kind: Kind::UniqueText,
        columns,
        blank: blank::decision,
    }
}
