//! Rows that know their columns. A table of the report is said once, as a struct with documented fields; JSON, its
//! schema, CSV, Markdown, HTML, Parquet and comparisons are read off it.

use gitfleet_shared::metrics::share::Ratio;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Count,
    /// A whole number that may be negative.
    Signed,
    /// Four decimals.
    Ratio,
    Flag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Kind,
    pub may_be_null: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Text(String),
    Count(u64),
    Signed(i64),
    Ratio(Ratio),
    Flag(bool),
}

/// What may stand in a field of a row.
pub trait Field {
    const KIND: Kind;
    const MAY_BE_NULL: bool = false;
    fn cell(&self) -> Cell;
}

macro_rules! field {
    ($type:ty, $kind:ident, $cell:expr) => {
        impl Field for $type {
            const KIND: Kind = Kind::$kind;
            fn cell(&self) -> Cell {
                let cell: fn(&$type) -> Cell = $cell;
                cell(self)
            }
        }
    };
}

field!(String, Text, |text| Cell::Text(text.clone()));
field!(u64, Count, |count| Cell::Count(*count));
field!(i64, Signed, |number| Cell::Signed(*number));
field!(Ratio, Ratio, |ratio| Cell::Ratio(*ratio));
field!(bool, Flag, |flag| Cell::Flag(*flag));

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const MAY_BE_NULL: bool = true;
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
}

/// A row of a table.
pub trait Row {
    const COLUMNS: &'static [Column];
    fn cells(&self) -> Vec<Cell>;
}

/// A table as every form sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// As in JSON; with `.csv`, the name of its file.
    pub name: &'static str,
    pub about: &'static str,
    pub columns: &'static [Column],
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn of<R: Row>(name: &'static str, about: &'static str, rows: &[R]) -> Self {
        Self { name, about, columns: R::COLUMNS, rows: rows.iter().map(Row::cells).collect() }
    }
}

/// Declares the rows of a table.
macro_rules! row {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[doc = $doc])* pub $field: $type,)* }

        impl $crate::report::row::Row for $name {
            const COLUMNS: &'static [$crate::report::row::Column] = &[$(
                $crate::report::row::Column {
                    name: stringify!($field),
                    about: concat!($($doc,)*),
                    kind: <$type as $crate::report::row::Field>::KIND,
                    may_be_null: <$type as $crate::report::row::Field>::MAY_BE_NULL,
                },
            )*];
            fn cells(&self) -> Vec<$crate::report::row::Cell> {
                vec![$($crate::report::row::Field::cell(&self.$field),)*]
            }
        }
    };
}

/// Declares the tables of the report.
macro_rules! tables {
    ($($(#[doc = $doc:literal])* $field:ident: $row:ty,)*) => {
        /// The tables of the report beyond those of activity.
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct Tables { $($(#[doc = $doc])* #[serde(default)] pub $field: Vec<$row>,)* }

        impl Tables {
            /// Returns all tables, in the order of the report.
            pub fn all(&self) -> Vec<$crate::report::row::Table> {
                vec![$($crate::report::row::Table::of(stringify!($field), concat!($($doc,)*), &self.$field),)*]
            }
        }
    };
}

pub(crate) use {row, tables};
