//! How a field of the log's rows becomes a Parquet value, and back.

use crate::class::{
    ActionSource, Channel, Class, PropensityKind, RatingScale, Review, Role, SatisfactionSource,
    SlaStatus,
};
use crate::log::model::Decision;
use crate::observation::Feature;
use crate::tier::{Propensity, Tier};
use crate::time::UtcMicros;

/// The types columns have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A text that hardly ever repeats: no dictionary.
    UniqueText,
    Flag,
    Int8,
    Int32,
    Int64,
    Time,
    Float,
    Double,
}

impl Kind {
    /// Declares a column in Parquet's schema language.
    pub(super) fn declare(self, repetition: &str, name: &str) -> String {
        let (physical, logical) = match self {
            Self::Text | Self::UniqueText => ("binary", " (STRING)"),
            Self::Flag => ("boolean", ""),
            Self::Int8 => ("int32", " (INTEGER(8,true))"),
            Self::Int32 => ("int32", ""),
            Self::Int64 => ("int64", ""),
            Self::Time => ("int64", " (TIMESTAMP(MICROS,true))"),
            Self::Float => ("float", ""),
            Self::Double => ("double", ""),
        };
        format!("{repetition} {physical} {name}{logical};")
    }
}

/// One value on its way in or out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(&'a str),
    Flag(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
}

/// A type that fills one column.
pub(super) trait Field: Sized {
    const KIND: Kind;
    const OPTIONAL: bool = false;
    fn cell(&self) -> Cell<'_>;
    /// The reason reads on after the column's name.
    fn from_cell(cell: Cell<'_>) -> Result<Self, String>;
}

fn misfit<T>(cell: Cell<'_>) -> Result<T, String> {
    match cell {
        Cell::Null => Err("is null; the column is required".to_owned()),
        other => Err(format!("is {other:?}, a value of another type")),
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, T::cell)
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Null => Ok(None),
            known => T::from_cell(known).map(Some),
        }
    }
}

macro_rules! plain_fields {
    ($($type:ty: $kind:ident = $cell:ident),+ $(,)?) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::$kind;

            fn cell(&self) -> Cell<'_> {
                Cell::$cell(*self)
            }

            fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
                match cell {
                    Cell::$cell(value) => Ok(value),
                    other => misfit(other),
                }
            }
        }
    )+};
}

plain_fields!(bool: Flag = Flag, i32: Int32 = Int, i64: Int64 = Long, f64: Double = Double);

impl Field for String {
    const KIND: Kind = Kind::Text;

    fn cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Text(text) => Ok(text.to_owned()),
            other => misfit(other),
        }
    }
}

impl Field for u32 {
    const KIND: Kind = Kind::Int32;

    fn cell(&self) -> Cell<'_> {
        // Only versions are unsigned; they are validated to be small.
        Cell::Int(i32::try_from(*self).unwrap_or(i32::MAX))
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        let number = i32::from_cell(cell)?;
        Self::try_from(number).map_err(|_| format!("is {number}; it is at least 0"))
    }
}

impl Field for i8 {
    const KIND: Kind = Kind::Int8;

    fn cell(&self) -> Cell<'_> {
        Cell::Int(i32::from(*self))
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        let number = i32::from_cell(cell)?;
        Self::try_from(number).map_err(|_| format!("is {number}; it fits 8 bits"))
    }
}

impl Field for UtcMicros {
    const KIND: Kind = Kind::Time;

    fn cell(&self) -> Cell<'_> {
        Cell::Long(self.0)
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        i64::from_cell(cell).map(Self)
    }
}

impl Field for Tier {
    const KIND: Kind = Kind::Int8;

    fn cell(&self) -> Cell<'_> {
        Cell::Int(i32::from(self.number()))
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        let number = i32::from_cell(cell)?;
        Self::from_number(i64::from(number)).ok_or_else(|| format!("is {number}; a tier is 1 to 3"))
    }
}

impl Field for Propensity {
    const KIND: Kind = Kind::Double;

    fn cell(&self) -> Cell<'_> {
        Cell::Double(self.value())
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
        Self::new(f64::from_cell(cell)?).map_err(|error| format!("cannot be read: {error}"))
    }
}

macro_rules! named_fields {
    ($($type:ty),+ $(,)?) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::Text;

            fn cell(&self) -> Cell<'_> {
                Cell::Text(self.name())
            }

            fn from_cell(cell: Cell<'_>) -> Result<Self, String> {
                let Cell::Text(name) = cell else {
                    return misfit(cell);
                };
                Self::from_name(name).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                    format!("is `{name}`; it is one of {}", names.join(", "))
                })
            }
        }
    )+};
}

named_fields!(
    ActionSource,
    Channel,
    Class,
    PropensityKind,
    RatingScale,
    Review,
    Role,
    SatisfactionSource,
    SlaStatus,
);

/// A column with one value a row.
pub(super) trait Single<R> {
    fn name(&self) -> &str;
    fn kind(&self) -> Kind;
    fn optional(&self) -> bool;
    fn cell<'r>(&self, row: &'r R) -> Cell<'r>;
    fn set(&self, row: &mut R, cell: Cell<'_>) -> Result<(), String>;

    fn declare(&self) -> String {
        let repetition = if self.optional() {
            "optional"
        } else {
            "required"
        };
        self.kind().declare(repetition, self.name())
    }
}

/// A column that is a field of the row.
pub(super) struct FieldColumn<R, T> {
    pub(super) name: &'static str,
    /// Overrides the type's own kind.
    pub(super) kind: Option<Kind>,
    pub(super) get: fn(&R) -> &T,
    pub(super) get_mut: fn(&mut R) -> &mut T,
}

impl<R, T: Field + 'static> Single<R> for FieldColumn<R, T> {
    fn name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> Kind {
        self.kind.unwrap_or(T::KIND)
    }

    fn optional(&self) -> bool {
        T::OPTIONAL
    }

    fn cell<'r>(&self, row: &'r R) -> Cell<'r> {
        (self.get)(row).cell()
    }

    fn set(&self, row: &mut R, cell: Cell<'_>) -> Result<(), String> {
        *(self.get_mut)(row) = T::from_cell(cell)?;
        Ok(())
    }
}

/// One feature of a decision's observation: `obs_` and its name, null where unknown.
pub(super) struct FeatureColumn {
    name: String,
    feature: Feature,
}

impl FeatureColumn {
    pub(super) fn new(feature: Feature) -> Self {
        Self {
            name: feature_column(feature),
            feature,
        }
    }
}

/// Name of a feature's column.
pub(in crate::log) fn feature_column(feature: Feature) -> String {
    format!("obs_{}", feature.spec().name)
}

/// Checks a feature's value as read from a file; [`crate::observation::Observation::set`] would clamp it.
pub(in crate::log) fn check_feature(feature: Feature, value: f32) -> Result<(), String> {
    let spec = feature.spec();
    if (spec.low..=spec.high).contains(&value) {
        Ok(())
    } else {
        Err(format!(
            "is {value}; it lies in [{}, {}], null where it is unknown",
            spec.low, spec.high
        ))
    }
}

impl Single<Decision> for FeatureColumn {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> Kind {
        Kind::Float
    }

    fn optional(&self) -> bool {
        true
    }

    fn cell<'r>(&self, row: &'r Decision) -> Cell<'r> {
        row.observation
            .get(self.feature)
            .map_or(Cell::Null, Cell::Float)
    }

    fn set(&self, row: &mut Decision, cell: Cell<'_>) -> Result<(), String> {
        match cell {
            Cell::Null => Ok(()),
            Cell::Float(value) => {
                check_feature(self.feature, value)?;
                row.observation.set(self.feature, value);
                Ok(())
            }
            other => misfit(other),
        }
    }
}
