//! One column of a batch: its Arrow type, and the values on the way into it.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, StructArray};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, TimeUnit};
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Column, ColumnKind, OUTLINK_PARTS, TIMES_PARTS};
use super::json_object::{JsonObject, Names};
use super::row_values::{number, quoted, shown, text};
use super::timestamp::millis_of;

/// The name of a list's elements (Parquet's LogicalTypes.md, "Lists").
pub(crate) const ELEMENT: &str = "element";

const UTC: &str = "UTC";

/// The Arrow field of a column.
pub(crate) fn field(column: &Column) -> Field {
    let data_type = match column.kind {
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Int32 => DataType::Int32,
        ColumnKind::Int64 => DataType::Int64,
        ColumnKind::Moment => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        ColumnKind::Texts => DataType::List(element(DataType::Utf8)),
        ColumnKind::Outlinks => DataType::List(element(DataType::Struct(outlink_fields()))),
        ColumnKind::Times => DataType::Struct(times_fields()),
    };
    Field::new(column.name, data_type, !column.is_required)
}

fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new(ELEMENT, data_type, false))
}

fn outlink_fields() -> Fields {
    parts(&OUTLINK_PARTS, &DataType::Utf8)
}

fn times_fields() -> Fields {
    parts(&TIMES_PARTS, &DataType::Float64)
}

fn parts(names: &[&str], data_type: &DataType) -> Fields {
    names
        .iter()
        .map(|name| Field::new(*name, data_type.clone(), false))
        .collect()
}

/// The values of one column since the last batch.
pub(crate) enum ColumnBuilder {
    Text(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Moment(TimestampMillisecondBuilder),
    Texts(ListBuilder<StringBuilder>),
    Outlinks(ListBuilder<StructBuilder>),
    /// In the order of [`TIMES_PARTS`].
    Times(Box<[Float64Builder; TIMES_PARTS.len()]>),
}

impl ColumnBuilder {
    /// An empty column.
    pub(crate) fn new(column: &Column) -> ColumnBuilder {
        match column.kind {
            ColumnKind::Text => ColumnBuilder::Text(StringBuilder::new()),
            ColumnKind::Int32 => ColumnBuilder::Int32(Int32Builder::new()),
            ColumnKind::Int64 => ColumnBuilder::Int64(Int64Builder::new()),
            ColumnKind::Moment => {
                ColumnBuilder::Moment(TimestampMillisecondBuilder::new().with_timezone(UTC))
            }
            ColumnKind::Texts => {
                let values = ListBuilder::new(StringBuilder::new());
                ColumnBuilder::Texts(values.with_field(element(DataType::Utf8)))
            }
            ColumnKind::Outlinks => {
                let fields = outlink_fields();
                let parts = OUTLINK_PARTS
                    .map(|_| -> Box<dyn ArrayBuilder> { Box::new(StringBuilder::new()) });
                let links = StructBuilder::new(fields.clone(), parts.into());
                let links = ListBuilder::new(links);
                ColumnBuilder::Outlinks(links.with_field(element(DataType::Struct(fields))))
            }
            ColumnKind::Times => ColumnBuilder::Times(Default::default()),
        }
    }

    /// Appends a row's value. `None` is null; a required column never gets it. `is_newer` passes
    /// by parts that are not known.
    ///
    /// # Errors
    /// What is wrong with the value. The batch is then of no use.
    pub(crate) fn append(
        &mut self,
        value: Option<&RawValue>,
        is_newer: bool,
    ) -> Result<(), String> {
        match self {
            ColumnBuilder::Text(values) => values.append_option(value.map(text).transpose()?),
            ColumnBuilder::Int32(values) => values.append_option(value.map(number).transpose()?),
            ColumnBuilder::Int64(values) => values.append_option(value.map(number).transpose()?),
            ColumnBuilder::Moment(values) => values.append_option(value.map(moment).transpose()?),
            ColumnBuilder::Texts(lists) => {
                if let Some(value) = value {
                    read_array(value, TextSink(lists.values()))?;
                }
                lists.append(value.is_some());
            }
            ColumnBuilder::Outlinks(lists) => {
                if let Some(value) = value {
                    let links = lists.values();
                    read_array(value, OutlinkSink { links, is_newer })?;
                }
                lists.append(value.is_some());
            }
            ColumnBuilder::Times(parts) => append_times(parts.as_mut_slice(), value, is_newer)?,
        }
        Ok(())
    }

    /// The column so far; it is empty afterwards.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            ColumnBuilder::Text(values) => Arc::new(values.finish()),
            ColumnBuilder::Int32(values) => Arc::new(values.finish()),
            ColumnBuilder::Int64(values) => Arc::new(values.finish()),
            ColumnBuilder::Moment(values) => Arc::new(values.finish()),
            ColumnBuilder::Texts(lists) => Arc::new(lists.finish()),
            ColumnBuilder::Outlinks(lists) => Arc::new(lists.finish()),
            ColumnBuilder::Times(parts) => {
                let columns = parts
                    .iter_mut()
                    .map(|part| -> ArrayRef { Arc::new(part.finish()) })
                    .collect();
                Arc::new(StructArray::try_new(times_fields(), columns, None)?)
            }
        })
    }
}

fn moment(value: &RawValue) -> Result<i64, String> {
    let text = text(value)?;
    millis_of(&text).ok_or_else(|| format!("is no moment of RFC 3339 in UTC: {}", quoted(&text)))
}

fn append_times(
    parts: &mut [Float64Builder],
    value: Option<&RawValue>,
    is_newer: bool,
) -> Result<(), String> {
    let json = value.map_or("{}", RawValue::get);
    let object = Names(TIMES_PARTS)
        .read(json.as_bytes())
        .map_err(|error| format!("is no object of times: {}", shown(&error)))?;
    refuse_unknown(object.unknown.as_deref(), is_newer)?;
    for ((part, name), value) in parts.iter_mut().zip(TIMES_PARTS).zip(object.values) {
        let value = value.ok_or_else(|| format!("has no `{name}`"))?;
        part.append_value(number(value)?);
    }
    Ok(())
}

fn refuse_unknown(unknown: Option<&str>, is_newer: bool) -> Result<(), String> {
    match unknown {
        Some(name) if !is_newer => Err(format!("has an unknown part {}", quoted(name))),
        _ => Ok(()),
    }
}

/// Takes the elements of an array one by one, so that a long one is not held a second time.
trait ElementSink {
    /// Takes the next element; whether there was one.
    fn take<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error>;
}

struct TextSink<'b>(&'b mut StringBuilder);

impl ElementSink for TextSink<'_> {
    fn take<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        let Some(element) = elements.next_element::<&RawValue>()? else {
            return Ok(false);
        };
        self.0
            .append_value(text(element).map_err(A::Error::custom)?);
        Ok(true)
    }
}

struct OutlinkSink<'b> {
    links: &'b mut StructBuilder,
    is_newer: bool,
}

impl ElementSink for OutlinkSink<'_> {
    fn take<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        // Taken apart where it stands: a page has more bytes of outlinks than of all else.
        let Some(object) = elements.next_element_seed(Names(OUTLINK_PARTS))? else {
            return Ok(false);
        };
        self.push(&object).map_err(A::Error::custom)?;
        Ok(true)
    }
}

impl OutlinkSink<'_> {
    fn push(&mut self, object: &JsonObject<'_, { OUTLINK_PARTS.len() }>) -> Result<(), String> {
        refuse_unknown(object.unknown.as_deref(), self.is_newer)?;
        for (place, (name, value)) in OUTLINK_PARTS.iter().zip(object.values).enumerate() {
            let value = value.ok_or_else(|| format!("holds a link without `{name}`"))?;
            let value = text(value)?;
            if let Some(part) = self.links.field_builder::<StringBuilder>(place) {
                part.append_value(value);
            }
        }
        self.links.append(true);
        Ok(())
    }
}

fn read_array<S: ElementSink>(value: &RawValue, sink: S) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    Elements(sink)
        .deserialize(&mut deserializer)
        .map_err(|error| shown(&error))
}

struct Elements<S>(S);

impl<'de, S: ElementSink> DeserializeSeed<'de> for Elements<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: ElementSink> Visitor<'de> for Elements<S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while self.0.take(&mut elements)? {}
        Ok(())
    }
}
