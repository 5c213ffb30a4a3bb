//! Whether URLs like the one that is asked about led to nothing new: the rule `--max-shape-repeats`,
//! counted again from the rows of its host.

use nephila_frontier::{CanonicalUrl, Fingerprinter, Outcome, Refusal, UrlKind};
use nephila_store::PartPosition;
use serde::Deserialize;

use super::search::{parse_row, quoted_needle};
use crate::committed_rows::CommittedRows;
use crate::directory::CrawlDirectory;
use crate::duplicates::Content;
use crate::error::Error;
use crate::options::CrawlConfig;
use crate::setup;

/// What is needed of a row.
#[derive(Deserialize)]
struct SaidRow {
    url: String,
    host: String,
    kind: String,
    outcome: String,
    digest: Option<String>,
    #[serde(default)]
    simhash: Option<String>,
}

/// The refusal of a URL whose shape is barren, as far as the rows tell. A crawl counts each run by
/// itself, the rows are of all runs.
pub(super) fn barren_shape(
    directory: &CrawlDirectory,
    end: PartPosition,
    url: &CanonicalUrl,
    config: &CrawlConfig,
) -> Result<Option<Refusal>, Error> {
    if config.max_shape_repeats == 0 {
        return Ok(None);
    }
    let mut traps = setup::content_traps(config, Fingerprinter::new([0, 0]));
    let needle = quoted_needle(url.host())?;
    let mut rows = CommittedRows::up_to(directory.row_parts()?, end);
    let mut row = Vec::new();
    while rows.next_into(&mut row)? {
        let Some(place) = rows.place().filter(|_| needle.is_match(&row)) else {
            continue;
        };
        let said: SaidRow = parse_row(&row, &place)?;
        let is_page = said.kind == UrlKind::Page.as_str();
        if !is_page || said.host != url.host() || said.outcome != Outcome::Fetched.as_str() {
            continue;
        }
        if let (Some(page), Some(digest)) = (CanonicalUrl::from_serialized(&said.url), &said.digest)
        {
            let hex = said.simhash.as_deref();
            let simhash = hex.and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let content = Content { digest, simhash };
            traps.note(&page, content.digest_start(), simhash);
        }
    }
    Ok(traps.check(url).err())
}
