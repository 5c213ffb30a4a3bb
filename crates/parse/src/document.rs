//! What parsing gives, and the bounds it keeps.

use std::fmt;
use std::str::FromStr;

use crate::charset::Charset;

/// Bounds and switches of one parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseOptions {
    /// Outlinks kept from one document; the rest is dropped with [`Warning::LinksCut`].
    /// Default 100,000: the largest index pages of Java's documentation have 28,000.
    pub max_links: usize,
    /// Characters kept of an outlink's text. Default 200.
    pub max_anchor_chars: usize,
    /// Bytes of UTF-8 kept of the visible text, cut at a character. Default 1 MiB.
    pub max_text_bytes: usize,
    /// Characters kept of the title. Default 512.
    pub max_title_chars: usize,
    /// Whether [`Document::text`] is made. Default false: it costs about a third more time.
    pub want_text: bool,
    /// Whether [`Document::simhash`] is made, of the first [`ParseOptions::max_text_bytes`] of the
    /// visible text. Default false.
    pub want_simhash: bool,
    /// Product token of the crawler. `meta name=<agent>` is then read like `meta name=robots`.
    /// Case does not matter. Default empty: only `robots` is read.
    pub agent: String,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            max_links: 100_000,
            max_anchor_chars: 200,
            max_text_bytes: 1 << 20,
            max_title_chars: 512,
            want_text: false,
            want_simhash: false,
            agent: String::new(),
        }
    }
}

/// What one HTML page says: metadata, outlinks in document order and, on request, visible text.
///
/// URLs are as written (see [`Outlink::href`]): joining them with the base is the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The encoding used to read the bytes and where it was learnt.
    pub charset: Charset,
    /// Text of the first `title`, whitespace collapsed, cut at [`ParseOptions::max_title_chars`].
    pub title: Option<String>,
    /// Content of the first `meta name=description`, whitespace collapsed, at most 4,096 characters.
    pub description: Option<String>,
    /// `lang` (or `xml:lang`) of `html`; without it, the first token of `http-equiv=content-language`.
    pub language: Option<String>,
    /// Contents of `meta name=robots` and `meta name=<agent>`, in order, joined by `", "`;
    /// read them with [`crate::robots_directives`].
    pub robots_meta: Option<String>,
    /// The first `link rel=canonical`, as written. It is among the outlinks too.
    pub canonical: Option<String>,
    /// `href` of the first `base` that has one, as written: outlinks are relative to it.
    pub base: Option<String>,
    /// Links in document order, repetitions included, at most [`ParseOptions::max_links`].
    pub outlinks: Vec<Outlink>,
    /// Visible text when asked for: whitespace collapsed, one line a block, without title, scripts,
    /// styles, templates, form fields and the hidden parts of SVG and MathML.
    pub text: Option<String>,
    /// The SimHash of the visible text when asked for: near texts differ in few bits (see
    /// [`crate::simhash_distance`]). `None` for a text of fewer than ten words.
    pub simhash: Option<u64>,
    /// What was cut or unclear; each at most once.
    pub warnings: Vec<Warning>,
}

/// Links that a page often has: room for them is made at once.
const USUAL_LINKS: usize = 32;

impl Document {
    pub(crate) fn new(charset: Charset) -> Self {
        Self {
            charset,
            title: None,
            description: None,
            language: None,
            robots_meta: None,
            canonical: None,
            base: None,
            outlinks: Vec::with_capacity(USUAL_LINKS),
            text: None,
            simhash: None,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// One link of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlink {
    /// The URL as written: character references decoded, ASCII whitespace stripped at the ends, tabs
    /// and line breaks removed as WHATWG URL does. Empty for `href=""`, a link to the document itself.
    pub href: String,
    /// Text up to the end of the anchor or the next one, whitespace collapsed, at most
    /// [`ParseOptions::max_anchor_chars`]. Empty for links that are not anchors, and for images.
    pub text: String,
    /// What kind of link it is.
    pub kind: LinkKind,
    /// The `rel` tokens in lower case, joined by one space; empty when there are none.
    pub rel: String,
    /// Whether `rel` has the token `nofollow`.
    pub nofollow: bool,
}

macro_rules! link_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// What kind of link an outlink is. The names of [`LinkKind::as_str`] are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LinkKind { $($(#[$doc])* $kind,)+ }

        impl LinkKind {
            /// Every kind, in the order of declaration.
            pub const ALL: &[LinkKind] = &[$(LinkKind::$kind,)+];

            /// The stable name, as rows and options use it.
            pub fn as_str(self) -> &'static str {
                match self { $(LinkKind::$kind => $name,)+ }
            }
        }
    };
}

link_kinds! {
    /// `a href`.
    Anchor = "anchor",
    /// `area href`.
    Area = "area",
    /// `href` or `xlink:href` of an SVG `a`. A kind of its own, as html5ever's tree keeps it apart
    /// from HTML's `a`; browsers follow it, so a crawler should.
    SvgAnchor = "svg_anchor",
    /// `link rel=next`.
    Next = "next",
    /// `link rel=prev` or `previous`.
    Prev = "prev",
    /// `link rel=canonical`.
    Canonical = "canonical",
    /// `link rel=alternate` that is neither a feed nor a style sheet.
    Alternate = "alternate",
    /// `link rel=alternate` of an RSS, Atom or JSON feed type, or `rel=feed`.
    Feed = "feed",
    /// `link rel=sitemap`, or a URL that a sitemap names.
    Sitemap = "sitemap",
    /// `frame src` or `iframe src`.
    Frame = "frame",
    /// The target of `meta http-equiv=refresh`.
    Refresh = "refresh",
    /// The target of an HTTP redirect; never made by parsing, a word for the caller's rows.
    Redirect = "redirect",
}

impl fmt::Display for LinkKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A name that is none of [`LinkKind`]'s; it holds the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLinkKind(pub String);

impl fmt::Display for UnknownLinkKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no link kind is called {:?}", self.0)
    }
}

impl std::error::Error for UnknownLinkKind {}

impl FromStr for LinkKind {
    type Err = UnknownLinkKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == name);
        found
            .copied()
            .ok_or_else(|| UnknownLinkKind(name.to_owned()))
    }
}

/// What was cut or unclear in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// There were more links than [`ParseOptions::max_links`].
    LinksCut,
    /// The text was longer than [`ParseOptions::max_text_bytes`].
    TextCut,
    /// The HTTP header names a charset that the Encoding Standard does not know.
    UnknownCharset,
    /// Some bytes are malformed in the charset used; each stands as U+FFFD.
    MalformedBytes,
}

impl Warning {
    /// The stable name, as rows use it.
    pub fn as_str(self) -> &'static str {
        match self {
            Warning::LinksCut => "links_cut",
            Warning::TextCut => "text_cut",
            Warning::UnknownCharset => "unknown_charset",
            Warning::MalformedBytes => "malformed_bytes",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_kind_is_found_by_its_name() {
        for kind in LinkKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("Anchor".parse::<LinkKind>().is_err());
    }
}
