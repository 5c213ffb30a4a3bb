//! Rows as Parquet: the schema, the properties of the file, and the loop.

use std::io::{BufRead, BufWriter, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::BUFFER_BYTES;
use super::columns::{COLUMNS, ColumnKind, OUTLINK_PARTS};
use super::convert_error::ConvertError;
use super::parquet_column::{ColumnBuilder, ELEMENT, field};
use super::row_lines::RowLines;
use super::row_values::{RowValues, named};
use crate::row::ROW_VERSION;

/// The key of the file's metadata that holds the version of the row format.
const VERSION_KEY: &str = "nephila.row_version";

/// Rows in a batch at most, and bytes of JSON: what is held besides the row group.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 4 << 20;

/// Rows in a row group at most: readers share out work by row group.
const GROUP_ROWS: usize = 128 << 10;

/// Bytes that a row group takes in memory, compressed pages included, before it is written.
const GROUP_BYTES: usize = 24 << 20;

/// The share of absent URLs that the Bloom filter does not rule out.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Writes the rows as a Parquet file.
pub(crate) fn write(rows: &mut dyn BufRead, out: impl Write + Send) -> Result<u64, ConvertError> {
    let mut lines = RowLines::new(rows);
    let mut file = File::new(out)?;
    while let Some((number, line)) = lines.next_line()? {
        let taken = RowValues::read(line).and_then(|row| file.push(&row));
        taken.map_err(|problem| ConvertError::Row {
            line: number,
            problem,
        })?;
        file.batch_rows += 1;
        file.batch_bytes += line.len();
        lines.forget_line();
        if file.batch_rows >= BATCH_ROWS || file.batch_bytes >= BATCH_BYTES {
            file.write_batch()?;
        }
    }
    file.finish()?;
    Ok(lines.count())
}

/// A file that is being written: the batch that is gathered, and the writer behind it.
struct File<W: Write + Send> {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    batch_rows: usize,
    batch_bytes: usize,
    writer: ArrowWriter<BufWriter<W>>,
}

impl<W: Write + Send> File<W> {
    fn new(out: W) -> Result<File<W>, ConvertError> {
        let schema = Arc::new(schema());
        // The Parquet types say all that the Arrow schema would; without it no reader can take
        // the columns for anything else.
        let options = ArrowWriterOptions::new()
            .with_properties(properties())
            .with_skip_arrow_metadata(true);
        let out = BufWriter::with_capacity(BUFFER_BYTES, out);
        let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options)?;
        Ok(File {
            schema,
            columns: COLUMNS.iter().map(ColumnBuilder::new).collect(),
            batch_rows: 0,
            batch_bytes: 0,
            writer,
        })
    }

    fn push(&mut self, row: &RowValues<'_>) -> Result<(), String> {
        for ((column, value), builder) in row.each().zip(&mut self.columns) {
            builder
                .append(value, row.is_newer)
                .map_err(|what| named(column, &what))?;
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<(), ConvertError> {
        if self.batch_rows == 0 {
            return Ok(());
        }
        let columns: Result<_, ArrowError> =
            self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = columns
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns))
            .map_err(ParquetError::from)?;
        (self.batch_rows, self.batch_bytes) = (0, 0);
        self.writer.write(&batch)?;
        if self.writer.memory_size() >= GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), ConvertError> {
        self.write_batch()?;
        let mut out = self.writer.into_inner()?;
        out.flush().map_err(ConvertError::Write)
    }
}

fn schema() -> Schema {
    Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>())
}

fn properties() -> WriterProperties {
    let url = ColumnPath::from("url");
    let version = KeyValue::new(VERSION_KEY.to_owned(), ROW_VERSION.to_string());
    let properties = WriterProperties::builder()
        .set_created_by(concat!("nephila version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![version]))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        // This also switches the filter on.
        .set_column_bloom_filter_fpp(url, BLOOM_FALSE_POSITIVES)
        .set_dictionary_enabled(false);
    with_dictionaries(properties).build()
}

/// Dictionaries where values repeat: menus make links repeat from page to page.
fn with_dictionaries(mut properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    for column in COLUMNS {
        let name = column.name.to_owned();
        let paths = match column.kind {
            ColumnKind::Outlinks => OUTLINK_PARTS
                .iter()
                .map(|part| vec![name.clone(), "list".into(), ELEMENT.into(), (*part).into()])
                .collect(),
            ColumnKind::Texts => vec![vec![name, "list".into(), ELEMENT.into()]],
            ColumnKind::Int32 => vec![vec![name]],
            _ if column.repeats => vec![vec![name]],
            _ => Vec::new(),
        };
        for path in paths {
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(path), true);
        }
    }
    properties
}
