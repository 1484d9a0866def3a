//! The tables as Parquet, the form for notebooks and warehouses: a file for each table, named as in JSON.
//!
//! Counts are unsigned and signed numbers signed 64-bit integers, ratios are doubles, texts are UTF-8, and null is null.
//! Only what depends on the report is written, so the same report gives the same bytes.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use ::parquet::errors::Result;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::Type;

use super::activity;
use super::model::Report;
use super::row::{Cell, Column, Kind, Table};
use super::tables::Tables;

/// Rows that a reader takes at once.
const ROW_GROUP: usize = 100_000;

/// Returns each file's name and content, in a fixed order. A table without rows has a file with its columns.
pub fn render(report: &Report) -> Vec<(String, Vec<u8>)> {
    let tables = activity::tables(report).into_iter().chain(report.tables.all());
    tables.map(|table| (file_name(table.name), of_table(&table))).collect()
}

/// Returns the names of all files.
pub fn names() -> Vec<String> {
    let tables = activity::without_rows().into_iter().chain(Tables::default().all());
    tables.map(|table| file_name(table.name)).collect()
}

fn file_name(table: &str) -> String {
    format!("{table}.parquet")
}

fn of_table(table: &Table) -> Vec<u8> {
    written(table).expect("memory takes every write, and the cells of a column are of its kind")
}

fn written(table: &Table) -> Result<Vec<u8>> {
    let mut file = File::new(Vec::new(), table)?;
    file.write(table)?;
    file.finish()
}

/// A file that is written table by table, all with the same columns.
pub struct File<W: std::io::Write + Send>(SerializedFileWriter<W>);

impl<W: std::io::Write + Send> File<W> {
    /// # Errors
    ///
    /// Where `out` cannot be written to, as of the other methods.
    pub fn new(out: W, table: &Table) -> Result<Self> {
        let about = |key: &str, text: &str| KeyValue::new(key.to_owned(), text.trim().to_owned());
        let mut told = vec![about("about", table.about)];
        told.extend(
            table.columns.iter().map(|column| about(&format!("about.{}", column.name), column.about)),
        );
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("gitfleet".to_owned())
            .set_key_value_metadata(Some(told))
            .build();
        Ok(Self(SerializedFileWriter::new(out, Arc::new(schema(table)?), Arc::new(properties))?))
    }

    pub fn write(&mut self, table: &Table) -> Result<()> {
        for rows in table.rows.chunks(ROW_GROUP) {
            let mut group = self.0.next_row_group()?;
            for (i, column) in table.columns.iter().enumerate() {
                let cells: Vec<&Cell> = rows.iter().map(|row| &row[i]).collect();
                let mut writer = group.next_column()?.expect("the schema has every column");
                fill(&mut writer, column, &cells)?;
                writer.close()?;
            }
            group.close()?;
        }
        Ok(())
    }

    /// Returns what was written to, whole.
    pub fn finish(self) -> Result<W> {
        self.0.into_inner()
    }
}

fn schema(table: &Table) -> Result<Type> {
    let field = |column: &Column| -> Result<Arc<Type>> {
        let (physical, logical) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Count => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Kind::Signed => (Physical::INT64, Some(LogicalType::integer(64, true))),
            Kind::Ratio => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
        };
        let repetition = if column.may_be_null { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let builder = Type::primitive_type_builder(column.name, physical);
        Ok(Arc::new(builder.with_repetition(repetition).with_logical_type(logical).build()?))
    };
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>>>()?;
    Type::group_type_builder(table.name).with_fields(fields).build()
}

fn fill(writer: &mut SerializedColumnWriter<'_>, column: &Column, cells: &[&Cell]) -> Result<()> {
    match column.kind {
        Kind::Text => put::<ByteArrayType>(writer, column, cells, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
            _ => None,
        }),
        // The bits of an unsigned number are kept; its type says how they are read.
        Kind::Count => put::<Int64Type>(writer, column, cells, |cell| match cell {
            Cell::Count(count) => Some(count.cast_signed()),
            _ => None,
        }),
        Kind::Signed => put::<Int64Type>(writer, column, cells, |cell| match cell {
            Cell::Signed(number) => Some(*number),
            _ => None,
        }),
        Kind::Ratio => put::<DoubleType>(writer, column, cells, |cell| match cell {
            Cell::Ratio(ratio) => Some(ratio.as_f64()),
            _ => None,
        }),
        Kind::Flag => put::<BoolType>(writer, column, cells, |cell| match cell {
            Cell::Flag(flag) => Some(*flag),
            _ => None,
        }),
    }
}

fn put<D: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column,
    cells: &[&Cell],
    value: impl Fn(&Cell) -> Option<D::T>,
) -> Result<()> {
    let values: Vec<Option<D::T>> = cells.iter().map(|cell| value(cell)).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let known: Vec<D::T> = values.into_iter().flatten().collect();
    let levels = column.may_be_null.then_some(levels.as_slice());
    writer.typed::<D>().write_batch(&known, levels, None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
    use ::parquet::record::Field;

    use super::*;
    use crate::report::sample;

    /// Reads a file back as the cells it was made of.
    fn read(bytes: &[u8]) -> Vec<Vec<Cell>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        std::fs::write(&path, bytes).unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let cell = |field: &Field| match field {
            Field::Null => Cell::Null,
            Field::Str(text) => Cell::Text(text.clone()),
            Field::ULong(count) => Cell::Count(*count),
            Field::Long(number) => Cell::Signed(*number),
            Field::Double(ratio) => {
                Cell::Ratio(gitfleet_shared::metrics::share::Ratio::nearest(*ratio).unwrap())
            }
            Field::Bool(flag) => Cell::Flag(*flag),
            other => panic!("a field of no kind of ours: {other:?}"),
        };
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| cell(field)).collect()).collect()
    }

    #[test]
    fn every_table_reads_back_as_it_was() {
        for report in [sample::rich(), sample::large(60, 20, 4), sample::empty()] {
            let files = render(&report);
            let tables: Vec<Table> =
                activity::tables(&report).into_iter().chain(report.tables.all()).collect();
            assert_eq!(files.len(), tables.len());
            for ((name, bytes), table) in files.iter().zip(&tables) {
                assert_eq!(*name, format!("{}.parquet", table.name));
                let rows = read(bytes);
                // The largest ratio of the hostile sample has more digits than a double.
                let is_exact = |cell: &Cell| !matches!(cell, Cell::Ratio(ratio) if ratio.ten_thousandths().unsigned_abs() > 1 << 53);
                assert_eq!(rows.len(), table.rows.len(), "{name}");
                for (read, row) in rows.iter().flatten().zip(table.rows.iter().flatten()) {
                    assert!(!is_exact(row) || read == row, "{name}: {read:?} is not {row:?}");
                }
            }
            assert_eq!(files, render(&report));
        }
    }

    #[test]
    fn names_are_those_of_the_files() {
        let written: Vec<String> = render(&sample::empty()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names(), written);
    }
}
