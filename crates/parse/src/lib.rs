//! Bytes in, [`Document`] with outlinks out.
//!
//! Three promises hold for every input, whatever its bytes:
//!
//! - parsing never fails: what cannot be understood is skipped, and said in [`Document::warnings`];
//! - the work is linear in the input, and nothing recurses;
//! - everything kept is bounded by [`ParseOptions`] or [`SitemapLimits`].
//!
//! The crate is pure: no input or output, no clock, no global state.
//!
//! HTML is read in one pass over the bytes by the rules of the WHATWG tokenizer, with those effects
//! of tree construction that decide whether a tag is a link (see `context` in the source): content
//! of `template`, SVG and MathML, and framesets. The suites of html5lib and html5ever hold it to that.

mod attributes;
mod body_kind;
mod charset;
mod context;
mod document;
mod elements;
mod html;
mod letters;
mod links;
mod metadata;
mod names;
mod prescan;
mod raw_text;
mod references;
mod robots_meta;
mod scan;
mod simhash;
mod sitemap;
mod sitemap_xml;
mod text;
mod work;

pub use body_kind::{BodyKind, body_kind};
pub use charset::{Charset, CharsetSource, decode_text};
pub use document::{Document, LinkKind, Outlink, ParseOptions, UnknownLinkKind, Warning};
pub use html::parse_html;
pub use robots_meta::{RobotsDirectives, robots_directives};
pub use simhash::simhash_distance;
pub use sitemap::{
    Sitemap, SitemapEntry, SitemapKind, SitemapLimits, SitemapWarning, parse_sitemap,
};
