//! `--format`: what a crawl writes.

use super::value::OptionValue;

/// One form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rows as JSON lines.
    Jsonl,
    /// The same, compressed with gzip.
    JsonlGzip,
    /// The same, compressed with zstd.
    JsonlZstd,
    /// Rows as CSV.
    Csv,
    /// Rows as Parquet.
    Parquet,
    /// Exchanges as WARC 1.1, each record a gzip member.
    WarcGzip,
    /// Exchanges as WARC 1.1, each record a zstd frame.
    WarcZstd,
}

/// Every form, by its name.
const NAMES: [(&str, Format); 7] = [
    ("jsonl", Format::Jsonl),
    ("jsonl.gz", Format::JsonlGzip),
    ("jsonl.zst", Format::JsonlZstd),
    ("csv", Format::Csv),
    ("parquet", Format::Parquet),
    ("warc", Format::WarcGzip),
    ("warc.zst", Format::WarcZstd),
];

impl Format {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        let named = NAMES.iter().find(|(_, format)| *format == self);
        named.map_or("", |(name, _)| name)
    }
}

/// The forms that a crawl writes, each once, in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formats(Vec<Format>);

impl Formats {
    /// Whether this form is written.
    pub fn has(&self, format: Format) -> bool {
        self.0.contains(&format)
    }

    /// The forms.
    pub fn iter(&self) -> impl Iterator<Item = Format> + '_ {
        self.0.iter().copied()
    }
}

impl OptionValue for Formats {
    const PLACEHOLDER: &'static str = "FORMAT[,FORMAT...]";

    fn parse(written: &[String]) -> Result<Formats, String> {
        let mut formats = Vec::new();
        let names = written.iter().flat_map(|text| text.split(','));
        for name in names.map(str::trim).filter(|name| !name.is_empty()) {
            let known = NAMES.iter().find(|(known, _)| *known == name);
            let Some((_, format)) = known else {
                let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                return Err(format!("{name:?} is none of {}", known.join(", ")));
            };
            if formats.contains(format) {
                return Err(format!("{name} is named twice"));
            }
            formats.push(*format);
        }
        if formats.is_empty() {
            return Err("a format is missing".to_owned());
        }
        if formats.contains(&Format::WarcGzip) && formats.contains(&Format::WarcZstd) {
            return Err("one of warc and warc.zst is enough: they hold the same".to_owned());
        }
        Ok(Formats(formats))
    }

    fn show(&self) -> Vec<String> {
        let names: Vec<&str> = self.iter().map(Format::as_str).collect();
        vec![names.join(",")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Formats, String> {
        Formats::parse(&[text.to_owned()])
    }

    #[test]
    fn formats_are_named_with_commas() {
        let formats = parse("parquet, warc").unwrap();
        assert!(formats.has(Format::Parquet) && formats.has(Format::WarcGzip));
        assert!(!formats.has(Format::Jsonl));
        assert_eq!(formats.show(), ["parquet,warc"]);
        for (_, format) in NAMES {
            assert_eq!(parse(format.as_str()).unwrap().iter().next(), Some(format));
        }
        for wrong in ["", ",", "xml", "csv,csv", "warc,warc.zst"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
