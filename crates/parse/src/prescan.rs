//! The encoding that a page declares in its first bytes: "prescan a byte stream to determine its
//! encoding" (WHATWG HTML 13.2.3.2).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::{memchr, memmem};

/// Bytes looked at, as the standard recommends.
pub(crate) const PRESCAN_BYTES: usize = 1024;

/// The encoding that `meta` elements or an XML declaration in the first 1,024 bytes of `body` declare.
pub(crate) fn prescan(body: &[u8]) -> Option<&'static Encoding> {
    let head = body.get(..PRESCAN_BYTES).unwrap_or(body);
    if head.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if head.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let mut cursor = Cursor { head, at: 0 };
    cursor.find_meta().or_else(|| xml_encoding(head))
}

/// The end of the bytes was reached.
struct Ended;

/// Name and value, in lower case.
type Attribute = (Vec<u8>, Vec<u8>);

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.head.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Result<u8, Ended> {
        self.head.get(self.at).copied().ok_or(Ended)
    }

    fn find_meta(&mut self) -> Option<&'static Encoding> {
        while let Some(found) = memchr(b'<', self.rest()) {
            self.at += found;
            match self.read_markup() {
                Ok(None) => {}
                Ok(found) => return found,
                Err(Ended) => return None,
            }
        }
        None
    }

    /// Reads what stands at a `<`, up to its end.
    fn read_markup(&mut self) -> Result<Option<&'static Encoding>, Ended> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            // The dashes of `<!--` may be those of the end: `<!-->`.
            let end = rest
                .get(2..)
                .and_then(|rest| memmem::find(rest, b"-->"))
                .ok_or(Ended)?;
            self.at += 2 + end + 3;
            return Ok(None);
        }
        let is_meta = rest
            .get(1..5)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"meta"));
        let ends_name = |byte: &u8| is_whitespace(*byte) || *byte == b'/';
        if is_meta && rest.get(5).is_some_and(ends_name) {
            self.at += 5;
            return self.read_meta();
        }
        let name = match rest.get(1) {
            Some(b'/') => rest.get(2),
            other => other,
        };
        if name.is_some_and(u8::is_ascii_alphabetic) {
            let ends = |byte: &u8| is_whitespace(*byte) || *byte == b'>';
            self.at += rest.iter().position(ends).ok_or(Ended)?;
            while self.read_attribute()?.is_some() {}
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            self.at += memchr(b'>', rest).ok_or(Ended)? + 1;
        } else {
            self.at += 1;
        }
        Ok(None)
    }

    fn read_meta(&mut self) -> Result<Option<&'static Encoding>, Ended> {
        let mut seen: Vec<Vec<u8>> = Vec::new(); // at most 1,024 bytes in all
        let mut got_pragma = false;
        let mut need_pragma = None;
        let mut encoding = None;
        while let Some((name, value)) = self.read_attribute()? {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => got_pragma = value == b"content-type",
                b"content" if encoding.is_none() => {
                    if let Some(found) = encoding_in_content(&value) {
                        encoding = Some(found);
                        need_pragma = Some(true);
                    }
                }
                b"charset" => {
                    encoding = Encoding::for_label(&value);
                    need_pragma = Some(false);
                }
                _ => {}
            }
            seen.push(name);
        }
        let counts = match need_pragma {
            None => false,
            Some(needed) => got_pragma || !needed,
        };
        Ok(encoding.filter(|_| counts).map(as_declared))
    }

    /// "Get an attribute"; `None` at the end of the tag.
    fn read_attribute(&mut self) -> Result<Option<Attribute>, Ended> {
        while is_whitespace(self.byte()?) || self.byte()? == b'/' {
            self.at += 1;
        }
        if self.byte()? == b'>' {
            self.at += 1;
            return Ok(None);
        }
        let mut name = Vec::new();
        loop {
            match self.byte()? {
                b'=' if !name.is_empty() => break,
                b'/' | b'>' => return Ok(Some((name, Vec::new()))),
                byte if is_whitespace(byte) => {
                    self.skip_whitespace()?;
                    if self.byte()? != b'=' {
                        return Ok(Some((name, Vec::new())));
                    }
                    break;
                }
                byte => name.push(byte.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip_whitespace()?;
        Ok(Some((name, self.read_value()?)))
    }

    fn read_value(&mut self) -> Result<Vec<u8>, Ended> {
        let first = self.byte()?;
        if matches!(first, b'"' | b'\'') {
            self.at += 1;
            let length = memchr(first, self.rest()).ok_or(Ended)?;
            let value = self
                .rest()
                .get(..length)
                .unwrap_or_default()
                .to_ascii_lowercase();
            self.at += length + 1;
            return Ok(value);
        }
        let ends = |byte: &u8| is_whitespace(*byte) || *byte == b'>';
        let length = self.rest().iter().position(ends).ok_or(Ended)?;
        let value = self
            .rest()
            .get(..length)
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.at += length;
        Ok(value)
    }

    fn skip_whitespace(&mut self) -> Result<(), Ended> {
        while is_whitespace(self.byte()?) {
            self.at += 1;
        }
        Ok(())
    }
}

fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// What a declared encoding stands for: the declaration was read as ASCII, so it cannot be UTF-16.
fn as_declared(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        UTF_8
    } else if encoding == encoding_rs::X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    }
}

/// "Extracting a character encoding from a meta element"; `content` is in lower case.
fn encoding_in_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        let found = memmem::find(rest, b"charset")?;
        rest = rest.get(found + 7..)?.trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            return Encoding::for_label(charset_value(value.trim_ascii_start())?);
        }
    }
}

/// The value after `charset=`; `None` when its quote is not closed.
fn charset_value(value: &[u8]) -> Option<&[u8]> {
    if let [quote @ (b'"' | b'\''), rest @ ..] = value {
        return rest.get(..memchr(*quote, rest)?);
    }
    let ends = |byte: &u8| is_whitespace(*byte) || *byte == b';';
    value.split(ends).next()
}

/// The encoding that a `meta` declares with its decoded `charset`, or with its `http-equiv` and `content`.
pub(crate) fn meta_encoding(
    charset: Option<&str>,
    http_equiv: Option<&str>,
    content: Option<&str>,
) -> Option<&'static Encoding> {
    let by_charset = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let is_pragma = http_equiv.is_some_and(|value| value.eq_ignore_ascii_case("content-type"));
    let content = content.filter(|_| is_pragma && by_charset.is_none());
    let by_content =
        content.and_then(|content| encoding_in_content(&content.as_bytes().to_ascii_lowercase()));
    by_charset.or(by_content).map(as_declared)
}

/// "Getting an XML encoding": the one that `<?xml ... encoding="..."?>` names.
pub(crate) fn xml_encoding(head: &[u8]) -> Option<&'static Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..memchr(b'>', declaration)?)?;
    let rest = declaration.get(memmem::find(declaration, b"encoding")? + 8..)?;
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let [quote @ (b'"' | b'\''), rest @ ..] = rest else {
        return None;
    };
    let label = rest.get(..memchr(*quote, rest)?)?;
    Encoding::for_label(label).map(as_declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: &str) -> Option<&'static str> {
        prescan(head.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn metas_declare() {
        assert_eq!(name("<meta charset=latin1>"), Some("windows-1252"));
        assert_eq!(name("<META/CHARSET = 'KOI8-R'>"), Some("KOI8-R"));
        assert_eq!(
            name("<meta content='text/html; charset=big5' http-equiv=Content-Type>"),
            Some("Big5")
        );
        assert_eq!(name("<meta content='text/html; charset=big5'>"), None);
        assert_eq!(
            name("<!--<meta charset=big5>--><p title='<meta charset=big5>'>"),
            None
        );
        assert_eq!(name("<!--><meta charset=big5>"), Some("Big5"));
        assert_eq!(
            name("<meta charset=nosuch><meta charset=utf-16>"),
            Some("UTF-8")
        );
        assert_eq!(name("<meta charset=x-user-defined>"), Some("windows-1252"));
    }

    #[test]
    fn only_the_first_bytes_count() {
        let late = format!("{}<meta charset=big5>", " ".repeat(PRESCAN_BYTES - 5));
        assert_eq!(name(&late), None);
    }

    #[test]
    fn xml_declarations_declare() {
        assert_eq!(
            name("<?xml version='1.0' encoding = \"shift_jis\"?><html>"),
            Some("Shift_JIS")
        );
        assert_eq!(name("<?xml version='1.0'?><html>"), None);
        assert_eq!(prescan(b"<\0?\0x\0m\0"), Some(UTF_16LE));
    }
}
