//! What `html`, `base`, `link` and `meta` say about the document.

use encoding_rs::Encoding;

use crate::attributes::Attributes;
use crate::document::{Document, LinkKind, Outlink};
use crate::links::{self, refresh_target};
use crate::prescan::meta_encoding;
use crate::references::decode_attribute;
use crate::text::collapse;

/// Characters kept of a description.
const DESCRIPTION_CHARS_MAX: usize = 4_096;
/// Characters kept of a language.
const LANGUAGE_CHARS_MAX: usize = 128;
/// Bytes kept of all robots metas together.
const ROBOTS_BYTES_MAX: usize = 4_096;

/// The encoding that a `meta` declares.
pub(crate) fn declared_encoding(attributes: &Attributes) -> Option<&'static Encoding> {
    let charset = attributes.charset.map(decode_attribute);
    let pragma = attributes.http_equiv.map(decode_attribute);
    let content = attributes.content.map(decode_attribute);
    meta_encoding(charset.as_deref(), pragma.as_deref(), content.as_deref())
}

/// Takes the language of a `html` tag, unless one is known from an earlier one.
pub(crate) fn note_language(language: &mut Option<String>, attributes: &Attributes) {
    if language.is_none() {
        let raw = attributes.lang.or(attributes.xml_lang);
        *language = raw.map(|raw| collapse(&decode_attribute(raw), LANGUAGE_CHARS_MAX));
    }
}

/// Takes the `href` of a `base`, unless there is one.
pub(crate) fn note_base(document: &mut Document, attributes: &Attributes) {
    if document.base.is_none() {
        document.base = attributes.href.map(links::clean_url);
    }
}

/// The outlink of a `link`; the first canonical one is noted.
pub(crate) fn note_link(document: &mut Document, attributes: &Attributes) -> Option<Outlink> {
    let outlink = links::link_element(attributes)?;
    if outlink.kind == LinkKind::Canonical && document.canonical.is_none() {
        document.canonical = Some(outlink.href.clone());
    }
    Some(outlink)
}

/// Takes a `meta`; gives the outlink of a refresh. `pragma_language` is `http-equiv=content-language`.
pub(crate) fn note_meta(
    document: &mut Document,
    pragma_language: &mut Option<String>,
    attributes: &Attributes,
    agent: &str,
) -> Option<Outlink> {
    let content = decode_attribute(attributes.content?);
    if let Some(name) = attributes.name.map(decode_attribute) {
        note_named(document, name.trim(), &content, agent);
    }
    let pragma = attributes.http_equiv.map(decode_attribute)?;
    if pragma.eq_ignore_ascii_case("content-language") {
        note_pragma_language(pragma_language, &content);
    } else if pragma.eq_ignore_ascii_case("refresh") {
        return refresh_target(&content).map(|target| Outlink {
            href: target,
            text: String::new(),
            kind: LinkKind::Refresh,
            rel: String::new(),
            nofollow: false,
        });
    }
    None
}

fn note_named(document: &mut Document, name: &str, content: &str, agent: &str) {
    if name.eq_ignore_ascii_case("description") {
        if document.description.is_none() {
            document.description = Some(collapse(content, DESCRIPTION_CHARS_MAX));
        }
        return;
    }
    let is_agent = !agent.is_empty() && name.eq_ignore_ascii_case(agent);
    if is_agent || name.eq_ignore_ascii_case("robots") {
        let content = collapse(content, ROBOTS_BYTES_MAX);
        let robots = document.robots_meta.get_or_insert_default();
        if robots.len() + content.len() + 2 > ROBOTS_BYTES_MAX {
            return;
        }
        if !robots.is_empty() {
            robots.push_str(", ");
        }
        robots.push_str(&content);
    }
}

/// WHATWG HTML 4.2.5.3: a list of languages is ignored, of one language the first word counts.
fn note_pragma_language(language: &mut Option<String>, content: &str) {
    if language.is_none() && !content.contains(',') {
        let word = content.split_ascii_whitespace().next();
        *language = word.map(|word| collapse(word, LANGUAGE_CHARS_MAX));
    }
}
