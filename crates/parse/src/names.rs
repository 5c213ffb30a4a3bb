//! Names of tags and attributes as one machine word.

/// A tag or attribute name, compared without regard to ASCII case.
///
/// Up to eight bytes are held as they are; a longer name is held as a hash with the top bit set. Two
/// long names that collide are taken for one another, which costs a wrong link at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name(u64);

impl Name {
    /// The name that these bytes spell.
    #[inline]
    pub(crate) const fn of(bytes: &[u8]) -> Name {
        if bytes.len() > 8 {
            return Name::of_long(bytes);
        }
        let mut rest = bytes;
        let mut value = 0;
        while let [byte, after @ ..] = rest {
            value = value << 8 | byte.to_ascii_lowercase() as u64;
            rest = after;
        }
        Name(value)
    }

    /// The name that stands in these bytes of a page.
    #[inline]
    pub(crate) fn at(bytes: &[u8], from: usize, to: usize) -> Name {
        let length = to.saturating_sub(from);
        let rest = bytes.get(from..).unwrap_or_default();
        match rest.first_chunk::<8>() {
            Some(piece) if length <= piece.len() => Name::of_piece(*piece, length),
            _ => Name::of(rest.get(..length).unwrap_or_default()),
        }
    }

    /// The name of so many first bytes of a piece, eight at most.
    #[inline]
    fn of_piece(piece: [u8; 8], length: usize) -> Name {
        let value = u64::from_be_bytes(piece).unbounded_shr(64 - 8 * length as u32);
        Name(lower_case(value))
    }

    /// The name of the tag that `rest` is the inside of, and its length.
    #[inline]
    pub(crate) fn at_start_of(rest: &[u8]) -> (Name, usize) {
        let ends = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>');
        if let Some(piece) = rest.first_chunk::<8>() {
            let length = (ends_of(u64::from_le_bytes(*piece)).trailing_zeros() / 8) as usize;
            let is_end = rest.get(length).is_some_and(|byte| ends(*byte));
            if is_end && length < piece.len() {
                return (Name::of_piece(*piece, length), length);
            }
        }
        let mut value = 0;
        for (length, byte) in rest.iter().take(9).enumerate() {
            if ends(*byte) {
                return (Name(value), length);
            }
            value = value << 8 | u64::from(byte.to_ascii_lowercase());
        }
        let length = rest
            .iter()
            .position(|byte| ends(*byte))
            .unwrap_or(rest.len());
        (Name::of(rest.get(..length).unwrap_or_default()), length)
    }

    /// FNV-1a over the lower-cased bytes.
    const fn of_long(bytes: &[u8]) -> Name {
        let mut rest = bytes;
        let mut value: u64 = 0xcbf2_9ce4_8422_2325;
        while let [byte, after @ ..] = rest {
            value = (value ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0100_0000_01b3);
            rest = after;
        }
        Name(value | 1 << 63)
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES << 7;

/// Has the high bit of the first byte that may end a name: white space, a control character, `/` or `>`.
/// Above that one a borrow may set others by mistake.
#[inline]
fn ends_of(piece: u64) -> u64 {
    let zeros = |piece: u64| piece.wrapping_sub(ONES) & !piece & HIGH_BITS;
    let blanks = piece.wrapping_sub((b' ' as u64 + 1) * ONES) & !piece & HIGH_BITS;
    let slashes = zeros(piece ^ (b'/' as u64 * ONES));
    let closing = zeros(piece ^ (b'>' as u64 * ONES));
    blanks | slashes | closing
}

/// The ASCII letters of a piece in lower case.
#[inline]
fn lower_case(piece: u64) -> u64 {
    let sevens = piece & !HIGH_BITS;
    let from_a = sevens + (0x80 - b'A' as u64) * ONES;
    let past_z = sevens + (0x7F - b'Z' as u64) * ONES;
    piece | (from_a & !past_z & !piece & HIGH_BITS) >> 2
}

macro_rules! names {
    ($($constant:ident $text:literal)+) => {
        $(pub(crate) const $constant: Name = Name::of($text.as_bytes());)+
    };
}

names! {
    A "a" ADDRESS "address" ANNOTATION "annotation" ANNOTATION_XML "annotation-xml" APPLET "applet"
    AREA "area" ARTICLE "article" ASIDE "aside" B "b" BASE "base" BASEFONT "basefont"
    BGSOUND "bgsound" BIG "big" BLOCKQUOTE "blockquote" BODY "body" BR "br" BUTTON "button"
    CAPTION "caption" CENTER "center" CHARSET "charset" CODE "code" COL "col" COLGROUP "colgroup" COLOR "color"
    CONTENT "content" DD "dd" DESC "desc" DETAILS "details" DIALOG "dialog" DIR "dir" DIV "div"
    DL "dl" DT "dt" EM "em" EMBED "embed" ENCODING "encoding" FACE "face" FIELDSET "fieldset"
    FIGCAPTION "figcaption" FIGURE "figure" FONT "font" FOOTER "footer" FOREIGN_OBJECT "foreignobject"
    FORM "form" FRAME "frame" FRAMESET "frameset" H1 "h1" H2 "h2" H3 "h3" H4 "h4" H5 "h5" H6 "h6"
    HEAD "head" HEADER "header" HGROUP "hgroup" HR "hr" HREF "href" HTML "html"
    HTTP_EQUIV "http-equiv" I "i" IFRAME "iframe" IMAGE "image" IMG "img" INPUT "input"
    KEYGEN "keygen" LANG "lang" LEGEND "legend" LI "li" LINK "link" LISTING "listing" MAIN "main"
    MALIGNMARK "malignmark" MARQUEE "marquee" MATH "math" MENU "menu" META "meta" METADATA "metadata"
    MGLYPH "mglyph" MI "mi" MN "mn" MO "mo" MS "ms" MTEXT "mtext" NAME "name" NAV "nav" NOBR "nobr"
    NOEMBED "noembed" NOFRAMES "noframes" OBJECT "object" OL "ol" OPTGROUP "optgroup"
    OPTION "option" P "p" PARAM "param" PLAINTEXT "plaintext" PRE "pre" REL "rel" RUBY "ruby" S "s"
    SCRIPT "script" SEARCH "search" SECTION "section" SELECT "select" SIZE "size" SMALL "small"
    SOURCE "source" SPAN "span" SRC "src" STRIKE "strike" STRONG "strong" STYLE "style" SUB "sub"
    SUMMARY "summary" SUP "sup" SVG "svg" TABLE "table" TBODY "tbody" TD "td" TEMPLATE "template"
    TEXTAREA "textarea" TFOOT "tfoot" TH "th" THEAD "thead" TITLE "title" TR "tr" TRACK "track"
    TT "tt" TYPE "type" U "u" UL "ul" VAR "var" WBR "wbr" XLINK_HREF "xlink:href"
    XML_LANG "xml:lang" XMP "xmp"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_without_regard_to_case() {
        assert_eq!(Name::of(b"HrEf"), HREF);
        assert_eq!(Name::of(b"ForeignObject"), FOREIGN_OBJECT);
        assert_ne!(Name::of(b"foreignobject2"), FOREIGN_OBJECT);
        assert_ne!(Name::of(b"aa"), A);
        assert_eq!(Name::at_start_of(b"A>"), (A, 1));
        assert_eq!(Name::at_start_of(b"TextArea/"), (TEXTAREA, 8));
        assert_eq!(Name::at_start_of(b"foreignObject x"), (FOREIGN_OBJECT, 13));
        assert_eq!(Name::at_start_of(b"svg"), (SVG, 3));
    }

    #[test]
    fn a_name_in_one_piece_is_read_as_one_that_is_not() {
        for place in 0..10 {
            for byte in 0..=u8::MAX {
                let mut text = *b"sOurceXyzABC > xxxxxxx";
                text[place] = byte;
                let ends = |byte: &u8| b"\t\n\x0c\r />".contains(byte);
                let length = text.iter().position(ends).unwrap();
                let expected = (Name::of(&text[..length]), length);
                assert_eq!(Name::at_start_of(&text), expected, "{byte} at {place}");
                let cut = &text[..=length];
                assert_eq!(Name::at_start_of(cut), expected, "{byte} at {place}, cut");
                for page in [&text[..], cut] {
                    assert_eq!(Name::at(page, 0, length), expected.0, "{byte} at {place}");
                }
            }
        }
    }
}
