//! What elements are: void or special, foreign or not, and how they separate text.

use crate::attributes::Attributes;
use crate::names::*;
use crate::references::decode_attribute;

/// Elements that never have content, so that they are never open.
pub(crate) fn is_void(name: Name) -> bool {
    matches!(
        name,
        AREA | BASE
            | BASEFONT
            | BGSOUND
            | BR
            | COL
            | EMBED
            | FRAME
            | HR
            | IMAGE
            | IMG
            | INPUT
            | KEYGEN
            | LINK
            | META
            | PARAM
            | SOURCE
            | TRACK
            | WBR
    )
}

/// How an element's edges separate the visible text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Not at all: inline elements.
    None,
    /// By a space: table cells.
    Space,
    /// By a new line: blocks and `br`.
    Line,
}

/// How the edges of this HTML element separate text.
pub(crate) fn edge(name: Name) -> Edge {
    match name {
        TD | TH | TEXTAREA | SELECT | BUTTON | IFRAME => Edge::Space,
        ADDRESS | ARTICLE | ASIDE | BLOCKQUOTE | BODY | BR | CAPTION | CENTER | DD | DETAILS
        | DIALOG | DIR | DIV | DL | DT | FIELDSET | FIGCAPTION | FIGURE | FOOTER | FORM | H1
        | H2 | H3 | H4 | H5 | H6 | HEAD | HEADER | HGROUP | HR | HTML | LEGEND | LI | LISTING
        | MAIN | MENU | NAV | OL | OPTGROUP | OPTION | P | PLAINTEXT | PRE | SEARCH | SECTION
        | SUMMARY | TABLE | TBODY | TFOOT | THEAD | TR | UL | XMP => Edge::Line,
        _ => Edge::None,
    }
}

/// Start tags that mean something in a plain body.
#[inline]
pub(crate) fn is_noted(name: Name) -> bool {
    matches!(
        name,
        A | AREA
            | BASE
            | FRAME
            | HTML
            | IFRAME
            | LINK
            | MATH
            | META
            | NOEMBED
            | NOFRAMES
            | PLAINTEXT
            | SCRIPT
            | STYLE
            | SVG
            | TEMPLATE
            | TEXTAREA
            | TITLE
            | XMP
    )
}

/// Start tags after which a `frameset` is ignored: they clear the "frameset-ok" flag.
pub(crate) fn forbids_frameset(name: Name) -> bool {
    matches!(
        name,
        APPLET
            | AREA
            | BODY
            | BR
            | BUTTON
            | DD
            | DT
            | EMBED
            | HR
            | IFRAME
            | IMAGE
            | IMG
            | INPUT
            | KEYGEN
            | LI
            | LISTING
            | MARQUEE
            | OBJECT
            | PRE
            | SELECT
            | TABLE
            | TEXTAREA
            | WBR
            | XMP
    )
}

/// What the insides of a foreign element are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    Foreign,
    /// A MathML text integration point: HTML but for two elements.
    MathText,
    /// An HTML integration point.
    Html,
    /// `annotation-xml` that is no integration point: foreign, but for `svg`.
    Annotation,
}

/// Tags after which a template still waits for its first content.
pub(crate) fn stays_fresh(name: Name) -> bool {
    matches!(
        name,
        BASE | BASEFONT | BGSOUND | LINK | META | NOFRAMES | SCRIPT | STYLE | TEMPLATE | TITLE
    )
}

pub(crate) fn inside_of(name: Name, is_svg: bool, attributes: &Attributes) -> Inside {
    match name {
        FOREIGN_OBJECT | DESC | TITLE if is_svg => Inside::Html,
        MI | MO | MN | MS | MTEXT if !is_svg => Inside::MathText,
        ANNOTATION_XML if !is_svg => {
            let encoding = decode_attribute(attributes.encoding.unwrap_or(""));
            let is_html = encoding.eq_ignore_ascii_case("text/html")
                || encoding.eq_ignore_ascii_case("application/xhtml+xml");
            if is_html {
                Inside::Html
            } else {
                Inside::Annotation
            }
        }
        _ => Inside::Foreign,
    }
}

/// Foreign elements whose text is not shown.
pub(crate) fn hides_foreign_text(name: Name) -> bool {
    matches!(
        name,
        TITLE | DESC | METADATA | SCRIPT | STYLE | ANNOTATION | ANNOTATION_XML
    )
}

/// HTML start tags that end foreign content (WHATWG HTML 13.2.6.5).
pub(crate) fn breaks_out(name: Name, attributes: &Attributes) -> bool {
    match name {
        B | BIG | BLOCKQUOTE | BODY | BR | CENTER | CODE | DD | DIV | DL | DT | EM | EMBED | H1
        | H2 | H3 | H4 | H5 | H6 | HEAD | HR | I | IMG | LI | LISTING | MENU | META | NOBR | OL
        | P | PRE | RUBY | S | SMALL | SPAN | STRONG | STRIKE | SUB | SUP | TABLE | TT | U | UL
        | VAR => true,
        FONT => attributes.styles_font,
        _ => false,
    }
}

/// HTML elements whose end tag can close something outside of the stack: known, with content that has
/// tags, and not among those whose end tags pop nothing.
pub(crate) fn can_be_open(name: Name) -> bool {
    let is_inline = matches!(
        name,
        A | B
            | BIG
            | CODE
            | EM
            | FONT
            | I
            | NOBR
            | S
            | SMALL
            | SPAN
            | STRIKE
            | STRONG
            | SUB
            | SUP
            | TT
            | U
            | VAR
            | RUBY
    );
    let is_raw = matches!(
        name,
        IFRAME | NOEMBED | NOFRAMES | SCRIPT | STYLE | TEXTAREA | TITLE | XMP | PLAINTEXT
    );
    is_inline || (is_special(name) && !is_raw && !matches!(name, HTML | BODY | HEAD | FRAMESET | P))
}

/// HTML elements of the special category that are not void.
pub(crate) fn is_special(name: Name) -> bool {
    edge(name) == Edge::Line && !matches!(name, BR | OPTION | OPTGROUP | LEGEND | DIALOG)
        || matches!(
            name,
            APPLET
                | BUTTON
                | COLGROUP
                | FRAMESET
                | IFRAME
                | MARQUEE
                | NOEMBED
                | NOFRAMES
                | OBJECT
                | SCRIPT
                | SELECT
                | STYLE
                | TD
                | TEMPLATE
                | TEXTAREA
                | TH
                | TITLE
        )
}
