//! WARC files and their indexes, read by a reader of the harness's own: a judge who asks the accused
//! for the law would find nothing.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use flate2::read::{GzDecoder, MultiGzDecoder};
use serde_json::Value;

/// One record, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// `response`, `revisit`, `request`, `metadata` or `warcinfo`.
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) url: String,
    /// Of a revisit, the URL of the record it stands for.
    pub(super) refers_to: Option<String>,
}

/// Reads every record of a compressed WARC file (ISO 28500:2017); the file has to end with one.
pub(super) fn records(path: &Path) -> anyhow::Result<Vec<Record>> {
    let bytes = std::fs::read(path)?;
    let mut text = Vec::new();
    match is_zstd(path) {
        true => zstd::stream::read::Decoder::new(bytes.as_slice())?.read_to_end(&mut text)?,
        false => MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?,
    };
    parse(&text)
}

/// Reads an index and holds each line against the file that it speaks of. Returns its URLs.
pub(super) fn index(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "its last line has no end"
    );
    let mut urls = Vec::new();
    let mut files = HashMap::new();
    for line in text.lines() {
        let json = line
            .splitn(3, ' ')
            .nth(2)
            .context("a line without its JSON")?;
        let fields: Value = serde_json::from_str(json)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let (url, name) = (
            text("url").context("no url")?,
            text("filename").context("no filename")?,
        );
        let number = |name| text(name).and_then(|text| text.parse::<usize>().ok());
        let (offset, length) = number("offset").zip(number("length")).context("no place")?;
        if !files.contains_key(name) {
            files.insert(name.to_owned(), std::fs::read(path.with_file_name(name))?);
        }
        let bytes = files.get(name).map(Vec::as_slice).unwrap_or_default();
        let member = bytes
            .get(offset..offset + length)
            .context("a place outside the file")?;
        let found = parse(&unpack(member, is_zstd(Path::new(name)))?)?;
        let [record] = found.as_slice() else {
            bail!("{url}: {} records at its place", found.len());
        };
        ensure!(record.url == url, "{url}: at its place is {}", record.url);
        urls.push(url.to_owned());
    }
    Ok(urls)
}

/// One member by itself, and nothing behind it.
fn unpack(member: &[u8], is_zstd: bool) -> anyhow::Result<Vec<u8>> {
    if is_zstd {
        return Ok(zstd::stream::decode_all(member)?);
    }
    let mut text = Vec::new();
    let mut decoder = GzDecoder::new(member);
    decoder.read_to_end(&mut text)?;
    ensure!(
        decoder.into_inner().is_empty(),
        "more than one member at its place"
    );
    Ok(text)
}

fn is_zstd(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

fn parse(mut rest: &[u8]) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let end = find(rest, b"\r\n\r\n").context("a record without its block")?;
        let (head, after) = rest.split_at(end);
        let head = std::str::from_utf8(head)?;
        ensure!(
            head.starts_with("WARC/1.1\r\n"),
            "no record begins there: {:.40}",
            head
        );
        let field = |name: &str| {
            let fields = head.lines().filter_map(|line| line.split_once(':'));
            let found = fields
                .into_iter()
                .find(|(field, _)| field.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim().to_owned())
        };
        let length: usize = field("Content-Length")
            .context("no Content-Length")?
            .parse()?;
        let block = after.get(4..4 + length).context("a block is cut")?;
        ensure!(
            after.get(4 + length..8 + length) == Some(b"\r\n\r\n"),
            "a record without its end"
        );
        let record = Record {
            kind: field("WARC-Type").context("no WARC-Type")?,
            id: field("WARC-Record-ID").context("no WARC-Record-ID")?,
            url: field("WARC-Target-URI").unwrap_or_default(),
            refers_to: field("WARC-Refers-To-Target-URI"),
        };
        let is_http = record.kind == "response";
        ensure!(
            !is_http || block.starts_with(b"HTTP/"),
            "{}: no answer",
            record.url
        );
        records.push(record);
        rest = after.get(8 + length..).unwrap_or_default();
    }
    Ok(records)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:x>\r\n\
        WARC-Target-URI: http://a.test/\r\nContent-Length: 12\r\n\r\nHTTP/1.1 200\r\n\r\n";

    #[test]
    fn whole_records_are_read_and_cut_ones_are_not() {
        let two = [RECORD, RECORD].concat();
        assert_eq!(parse(&two).unwrap().len(), 2);
        for end in [1, 40, RECORD.len() - 1, RECORD.len() + 10, two.len() - 2] {
            assert!(parse(&two[..end]).is_err(), "{end}");
        }
    }
}
