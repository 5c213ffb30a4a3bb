//! One pass over the bytes of an HTML page.

use encoding_rs::Encoding;

use crate::attributes::{Attributes, TagEnd, read_attributes, skip_attributes};
use crate::body_kind::{BodyKind, body_kind};
use crate::charset::{Charset, CharsetSource, Decoded, decode, decode_as};
use crate::context::{Context, Placement};
use crate::document::{Document, LinkKind, Outlink, ParseOptions, Warning};
use crate::elements::{Edge, edge, forbids_frameset, is_noted};
use crate::links;
use crate::metadata;
use crate::names::{self, Name};
use crate::raw_text::{RawEnd, raw_text_end, script_end};
use crate::scan::{Markup, read_markup};
use crate::simhash::SimHasher;
use crate::text::{Bound, Collapsed};
use crate::work::{self, find, find_either};

/// Reads an HTML page: its outlinks, its metadata and, on request, its visible text.
///
/// Never fails, does work linear in `body`, and keeps no more than `options` says. `content_type` is the
/// value of the HTTP header: its charset goes before the page's own, and `application/xhtml+xml` makes
/// `<script/>` and its like empty elements, as they are in XML. Scripting counts as off: `noscript` is
/// ordinary content.
///
/// Tags mean what the WHATWG tokenizer and tree construction make of them: content of `template` is
/// inert, a page that becomes a frameset has no anchors, `frame` outside of a frameset is nothing.
pub fn parse_html(body: &[u8], content_type: Option<&str>, options: &ParseOptions) -> Document {
    let is_xml = content_type.is_some() && body_kind(content_type, &[]) == BodyKind::Xhtml;
    let decoded = decode(body, content_type);
    let (mut document, declared) = read_decoded(&decoded, is_xml, options);
    let Some(declared) = declared else {
        return document;
    };
    let is_ascii = document.charset.source == CharsetSource::Default;
    if declared.name() == document.charset.name || (is_ascii && declared.is_ascii_compatible()) {
        document.charset = Charset {
            name: declared.name(),
            source: CharsetSource::Meta,
        };
        return document;
    }
    // A late declaration: read it all again, once, as browsers do ("changing the encoding while
    // parsing", WHATWG HTML 13.2.3.4).
    let unknown = decoded
        .warnings
        .iter()
        .copied()
        .filter(|warning| *warning == Warning::UnknownCharset);
    let again = decode_as(body, declared, CharsetSource::Meta, unknown.collect());
    read_decoded(&again, is_xml, options).0
}

/// Reads a page; gives the encoding that it declares too when the one used is a mere guess.
fn read_decoded(
    decoded: &Decoded,
    is_xml: bool,
    options: &ParseOptions,
) -> (Document, Option<&'static Encoding>) {
    let mut document = Document::new(decoded.charset);
    for warning in &decoded.warnings {
        document.warn(*warning);
    }
    let mut reader = Reader::new(&decoded.text, is_xml, document, options);
    reader.read();
    let declared = reader.declared;
    (reader.finish(), declared)
}

/// The next `<`, and whether an ampersand stands before it.
#[inline]
fn find_less_than(bytes: &[u8], from: usize) -> Option<(usize, bool)> {
    if bytes.get(from) == Some(&b'<') {
        work::note(1);
        return Some((from, false)); // one tag behind another
    }
    let found = find_either(bytes, from, b'<', b'&')?;
    match bytes.get(found) {
        Some(b'&') => Some((find(bytes, found + 1, b'<')?, true)),
        _ => Some((found, false)),
    }
}

/// Whether the page is a frameset, whose only elements are frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frames {
    /// It is not, and something was seen that only a body has.
    Never,
    /// It is not yet; a `frameset` would replace what was read.
    Possible,
    /// Inside so many framesets.
    Inside(usize),
    /// All framesets are closed.
    After,
}

struct Reader<'a> {
    html: &'a str,
    is_xml: bool,
    options: &'a ParseOptions,
    document: Document,
    pragma_language: Option<String>,
    /// Whether the encoding is a guess, so that a `meta` may still change it.
    is_guess: bool,
    /// The encoding that the first such `meta` declares.
    declared: Option<&'static Encoding>,
    context: Context,
    frames: Frames,
    /// The index of the anchor that is open.
    anchor: Option<usize>,
    /// Its text so far; empty while there is none.
    anchor_text: Collapsed,
    text: Option<Collapsed>,
    simhash: Option<SimHasher>,
}

impl<'a> Reader<'a> {
    fn new(html: &'a str, is_xml: bool, document: Document, options: &'a ParseOptions) -> Self {
        let text = options
            .want_text
            .then(|| Collapsed::new(Bound::Bytes(options.max_text_bytes)));
        Self {
            html,
            is_xml,
            options,
            is_guess: matches!(
                document.charset.source,
                CharsetSource::Detected | CharsetSource::Default
            ),
            document,
            pragma_language: None,
            declared: None,
            context: Context::default(),
            frames: Frames::Possible,
            anchor: None,
            anchor_text: Collapsed::new(Bound::Characters(options.max_anchor_chars)),
            text,
            simhash: options
                .want_simhash
                .then(|| SimHasher::new(options.max_text_bytes)),
        }
    }

    fn read(&mut self) {
        let bytes = self.html.as_bytes();
        let mut text_start = 0;
        let mut at = 0;
        while let Some((less_than, has_ampersand)) = find_less_than(bytes, at) {
            let takes_cdata = self.is_xml || self.context.is_foreign();
            let markup = read_markup(bytes, less_than, takes_cdata);
            let next = if markup == Markup::Text {
                less_than + 1
            } else {
                // Of a run with a `<` in it only the end was looked at.
                let is_plain = text_start == at && !has_ampersand;
                if text_start < less_than {
                    self.note_text(text_start, less_than, is_plain);
                }
                text_start = self.take_markup(markup);
                text_start
            };
            at = next;
        }
        self.note_text(text_start, bytes.len(), false);
    }

    fn finish(mut self) -> Document {
        self.close_anchor();
        if let Some(text) = self.text.take() {
            if text.is_cut() {
                self.document.warn(Warning::TextCut);
            }
            self.document.text = Some(text.into_text());
        }
        self.document.simhash = self.simhash.take().and_then(SimHasher::finish);
        if self.document.language.is_none() {
            self.document.language = self.pragma_language;
        }
        self.document
    }

    /// Takes what stands at a `<`; gives the byte after it.
    #[inline]
    fn take_markup(&mut self, markup: Markup) -> usize {
        match markup {
            Markup::Start { name, after_name } => self.take_start(name, after_name),
            Markup::End { name, after_name } => self.take_end(name, after_name),
            Markup::CharacterData { from, to, next } => {
                if let Some(text) = self.html.get(from..to) {
                    self.push_text(text, Collapsed::push, SimHasher::push);
                }
                next
            }
            Markup::Skipped { next } => next,
            Markup::Text => self.html.len(),
        }
    }

    /// Whether tags stand in a plain body, where most of them mean nothing to us.
    #[inline]
    fn is_plain(&self) -> bool {
        self.frames == Frames::Never && self.context.is_plain()
    }

    #[inline]
    fn take_start(&mut self, name: Name, after_name: usize) -> usize {
        if self.is_plain() && !is_noted(name) {
            self.separate(name);
            let end = skip_attributes(self.html.as_bytes(), after_name);
            return end.unwrap_or(self.html.len());
        }
        let mut attributes = Attributes::default();
        match read_attributes(self.html, after_name, &mut attributes) {
            Some(end) => self.take_noted_start(name, &attributes, end),
            None => self.html.len(),
        }
    }

    fn take_noted_start(&mut self, name: Name, attributes: &Attributes, end: TagEnd) -> usize {
        if name == names::A && self.is_plain() {
            self.note_element(name, attributes); // the most frequent of all
            return end.next;
        }
        if matches!(self.frames, Frames::Inside(_) | Frames::After) {
            return self.take_frameset_start(name, attributes, end);
        }
        match self.context.start(name, end.self_closing, attributes) {
            Placement::Html => {
                self.separate(name);
                self.note_frameset(name, attributes);
                self.note_element(name, attributes);
                self.skip_raw_text(name, end)
            }
            Placement::Inert => {
                self.note_frameset(name, attributes);
                self.skip_raw_text(name, end)
            }
            Placement::Svg => {
                if name == names::A
                    && let Some(href) = attributes.href.or(attributes.xlink_href)
                {
                    self.open_anchor(LinkKind::SvgAnchor, href, attributes);
                }
                end.next
            }
            Placement::Other | Placement::Ignored => end.next,
        }
    }

    #[inline]
    fn take_end(&mut self, name: Name, after_name: usize) -> usize {
        let Some(next) = skip_attributes(self.html.as_bytes(), after_name) else {
            return self.html.len();
        };
        if name == names::A {
            self.close_anchor();
        }
        self.separate(name);
        if !self.is_plain() {
            self.take_noted_end(name);
        }
        next
    }

    fn take_noted_end(&mut self, name: Name) {
        self.frames = match self.frames {
            Frames::Inside(1) if name == names::FRAMESET => Frames::After,
            Frames::Inside(depth) if name == names::FRAMESET => Frames::Inside(depth - 1),
            Frames::Possible if name == names::BR => Frames::Never,
            frames => frames,
        };
        self.context.end(name);
    }

    /// Inside and after framesets only these tags mean something (WHATWG HTML 13.2.6.4.20 and 21).
    fn take_frameset_start(&mut self, name: Name, attributes: &Attributes, end: TagEnd) -> usize {
        match (name, self.frames) {
            (names::FRAMESET, Frames::Inside(depth)) => self.frames = Frames::Inside(depth + 1),
            (names::FRAME, Frames::Inside(_)) => self.note_frame(attributes),
            (names::HTML, _) => metadata::note_language(&mut self.document.language, attributes),
            (names::NOFRAMES, _) => return self.skip_raw_text(name, end),
            _ => {}
        }
        end.next
    }

    /// Keeps the "frameset-ok" flag, and obeys a `frameset` while it holds.
    fn note_frameset(&mut self, name: Name, attributes: &Attributes) {
        if self.frames != Frames::Possible {
            return;
        }
        let is_hidden = |value: &str| value.eq_ignore_ascii_case("hidden");
        match name {
            names::FRAMESET if !self.context.in_template() => {
                self.frames = Frames::Inside(1);
                self.close_anchor();
                self.context.clear();
                let is_of_body = |link: &Outlink| {
                    matches!(
                        link.kind,
                        LinkKind::Anchor | LinkKind::Area | LinkKind::SvgAnchor
                    )
                };
                self.document.outlinks.retain(|link| !is_of_body(link));
            }
            names::INPUT if attributes.type_.is_some_and(is_hidden) => {}
            names::BODY if self.context.in_template() => {}
            _ if forbids_frameset(name) => self.frames = Frames::Never,
            _ => {}
        }
    }

    /// Takes what an HTML element in the document says.
    fn note_element(&mut self, name: Name, attributes: &Attributes) {
        let outlink = match name {
            names::A => {
                self.close_anchor();
                if let Some(href) = attributes.href {
                    self.open_anchor(LinkKind::Anchor, href, attributes);
                }
                return;
            }
            names::AREA => {
                let href = attributes.href;
                href.map(|href| links::outlink(LinkKind::Area, href, attributes.rel))
            }
            names::IFRAME => return self.note_frame(attributes),
            names::LINK => metadata::note_link(&mut self.document, attributes),
            names::META => {
                if self.is_guess && self.declared.is_none() {
                    self.declared = metadata::declared_encoding(attributes);
                }
                let agent = &self.options.agent;
                metadata::note_meta(
                    &mut self.document,
                    &mut self.pragma_language,
                    attributes,
                    agent,
                )
            }
            names::BASE => return metadata::note_base(&mut self.document, attributes),
            names::HTML => return metadata::note_language(&mut self.document.language, attributes),
            _ => None,
        };
        if let Some(outlink) = outlink {
            self.push(outlink);
        }
    }

    fn note_frame(&mut self, attributes: &Attributes) {
        if let Some(src) = attributes.src {
            self.push(links::outlink(LinkKind::Frame, src, None));
        }
    }

    /// Adds an outlink; whether there was room. Links that a frameset takes back make none: what is
    /// kept is always the first.
    fn push(&mut self, outlink: Outlink) -> bool {
        let is_cut = self.document.warnings.contains(&Warning::LinksCut);
        let has_room = !is_cut && self.document.outlinks.len() < self.options.max_links;
        if has_room {
            self.document.outlinks.push(outlink);
        } else {
            self.document.warn(Warning::LinksCut);
        }
        has_room
    }

    fn open_anchor(&mut self, kind: LinkKind, href: &str, attributes: &Attributes) {
        self.close_anchor();
        if self.push(links::outlink(kind, href, attributes.rel)) {
            self.anchor = Some(self.document.outlinks.len() - 1);
        }
    }

    fn close_anchor(&mut self) {
        let Some(index) = self.anchor.take() else {
            return;
        };
        let text = self.anchor_text.take_text();
        if let Some(outlink) = self.document.outlinks.get_mut(index) {
            outlink.text = text;
        }
    }

    /// Goes past the content of a raw text element that begins at `end.next`; past nothing when `name`
    /// is no such element.
    fn skip_raw_text(&mut self, name: Name, end: TagEnd) -> usize {
        if self.is_xml && end.self_closing {
            return end.next;
        }
        let bytes = self.html.as_bytes();
        let raw_end = match name {
            names::SCRIPT => script_end(bytes, end.next),
            names::STYLE => raw_text_end(bytes, end.next, b"style"),
            names::TITLE => raw_text_end(bytes, end.next, b"title"),
            names::TEXTAREA => raw_text_end(bytes, end.next, b"textarea"),
            names::IFRAME => raw_text_end(bytes, end.next, b"iframe"),
            names::XMP => raw_text_end(bytes, end.next, b"xmp"),
            names::NOEMBED => raw_text_end(bytes, end.next, b"noembed"),
            names::NOFRAMES => raw_text_end(bytes, end.next, b"noframes"),
            names::PLAINTEXT => RawEnd {
                text_end: bytes.len(),
                after_name: bytes.len(),
            },
            _ => return end.next,
        };
        if let Some(content) = self.html.get(end.next..raw_end.text_end) {
            self.note_raw_text(name, content);
        }
        skip_attributes(bytes, raw_end.after_name).unwrap_or(bytes.len())
    }

    fn note_raw_text(&mut self, name: Name, content: &str) {
        match name {
            names::TITLE if self.document.title.is_none() && !self.context.in_template() => {
                let mut title = Collapsed::new(Bound::Characters(self.options.max_title_chars));
                title.push_raw(content);
                self.document.title = Some(title.into_text());
            }
            names::XMP | names::PLAINTEXT => {
                self.push_text(content, Collapsed::push, SimHasher::push);
                self.separate(name);
            }
            _ => {}
        }
    }

    /// Takes the run of text between two tags; `is_plain` where there surely is no reference in it.
    #[inline]
    fn note_text(&mut self, from: usize, to: usize, is_plain: bool) {
        if is_plain && self.anchor.is_none() && self.text.is_none() && self.is_plain() {
            // Most runs: visible text of no link.
            if let (Some(simhash), Some(run)) = (&mut self.simhash, self.html.get(from..to)) {
                simhash.push_plain(run);
                simhash.separate();
            }
            return;
        }
        self.note_any_text(from, to, is_plain);
    }

    fn note_any_text(&mut self, from: usize, to: usize, is_plain: bool) {
        let is_wanted = self.simhash.is_some() || self.anchor.is_some() || self.text.is_some();
        if from == to || !(is_wanted || self.frames == Frames::Possible) {
            return;
        }
        if let Some(run) = self.html.get(from..to) {
            match is_plain {
                true => self.push_text(run, Collapsed::push, SimHasher::push_plain),
                false => self.push_text(run, Collapsed::push_raw, SimHasher::push_raw),
            }
        }
    }

    fn push_text(
        &mut self,
        run: &str,
        push: impl Fn(&mut Collapsed, &str),
        hash: impl Fn(&mut SimHasher, &str),
    ) {
        if matches!(self.frames, Frames::Inside(_) | Frames::After) {
            return;
        }
        if self.frames == Frames::Possible {
            let is_blank = |byte: u8| byte.is_ascii_whitespace() || byte == 0;
            if !run.bytes().all(is_blank) {
                self.frames = Frames::Never;
            }
        }
        if !self.context.is_plain() && self.context.hides_text() {
            return;
        }
        let anchor = self.anchor.map(|_| &mut self.anchor_text);
        for collapsed in [anchor, self.text.as_mut()].into_iter().flatten() {
            if !collapsed.is_cut() {
                push(collapsed, run);
            }
        }
        if let Some(simhash) = &mut self.simhash {
            hash(simhash, run);
            simhash.separate();
        }
    }

    /// Separates the text before and after an edge of this element.
    #[inline]
    fn separate(&mut self, name: Name) {
        if self.anchor.is_some() || self.text.is_some() {
            self.separate_texts(name);
        }
    }

    fn separate_texts(&mut self, name: Name) {
        let edge = edge(name);
        if edge == Edge::None {
            return;
        }
        if self.anchor.is_some() {
            self.anchor_text.separate(Edge::Space); // an anchor's text is one line
        }
        if let Some(text) = &mut self.text {
            text.separate(edge);
        }
    }
}
