//! Writing an object as one line of JSON, field by field, in one pass.
//!
//! Rows are a fifteenth of a page's instructions when serde_json writes them, which looks at every byte of
//! a text by itself. Here a text is looked at eight bytes at a time, and copied whole where nothing in it needs an
//! escape. What comes out is what serde_json writes: `row.rs` has the test.

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct JsonObject<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> JsonObject<'a> {
    /// Begins one behind what is in `out`.
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> JsonObject<'a> {
        out.push(b'{');
        JsonObject {
            out,
            is_empty: true,
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    /// Begins a field; its name is plain ASCII. The value is to be written behind what is returned.
    #[inline]
    pub(crate) fn field(&mut self, name: &'static str) -> &mut Vec<u8> {
        let before: &[u8] = if self.is_empty { b"\"" } else { b",\"" };
        self.is_empty = false;
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    #[inline]
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        push_text(self.field(name), value);
    }

    #[inline]
    pub(crate) fn text_or_null(&mut self, name: &'static str, value: Option<&str>) {
        let out = self.field(name);
        match value {
            Some(value) => push_text(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }

    #[inline]
    pub(crate) fn number(&mut self, name: &'static str, value: u64) {
        push_number(self.field(name), value);
    }

    pub(crate) fn number_or_null(&mut self, name: &'static str, value: Option<u64>) {
        match value {
            Some(value) => self.number(name, value),
            None => self.text_or_null(name, None),
        }
    }

    /// A number that is finite.
    pub(crate) fn decimal(&mut self, name: &'static str, value: f64) {
        // Writing a number to memory cannot fail.
        let _ = serde_json::to_writer(self.field(name), &value);
    }

    /// An array, each of whose values `write` writes.
    pub(crate) fn array<T>(
        &mut self,
        name: &'static str,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
        let out = self.field(name);
        out.push(b'[');
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write(out, value);
        }
        out.push(b']');
    }
}

/// Writes a string.
#[inline]
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_escaped(out, text);
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut plain_from = 0;
    for (place, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            0..0x20 => b'u',
            _ => continue,
        };
        let bytes = text.as_bytes();
        out.extend_from_slice(bytes.get(plain_from..place).unwrap_or_default());
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let hex = |digit: u8| char::from_digit(digit.into(), 16).map_or(b'0', |hex| hex as u8);
            out.extend_from_slice(&[b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
        }
        plain_from = place + 1;
    }
    out.extend_from_slice(text.as_bytes().get(plain_from..).unwrap_or_default());
}

/// Whether no byte needs an escape.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let (pieces, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let marks = |marks, piece: &[u8; 8]| marks | marks_of(u64::from_le_bytes(*piece));
    pieces.iter().chain([&last]).fold(0, marks) == 0
}

/// Not zero where a byte is a quotation mark, a backslash or a control character.
#[inline]
fn marks_of(piece: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH_BITS: u64 = ONES << 7;
    let zeros = |piece: u64| piece.wrapping_sub(ONES) & !piece & HIGH_BITS;
    let controls = piece.wrapping_sub(0x20 * ONES) & !piece & HIGH_BITS;
    controls | zeros(piece ^ (b'"' as u64 * ONES)) | zeros(piece ^ (b'\\' as u64 * ONES))
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut rest = number;
    let mut from = digits.len();
    while let Some(place) = from.checked_sub(1).and_then(|place| digits.get_mut(place)) {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_serde_json_writes_them() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text: String = "0123456é89é123456789".chars().take(place).collect();
                text.push(char::from(byte));
                text.push_str("x\u{7f}");
                let mut out = Vec::new();
                push_text(&mut out, &text);
                assert_eq!(
                    String::from_utf8(out).unwrap(),
                    serde_json::to_string(&text).unwrap()
                );
            }
        }
    }

    #[test]
    fn numbers_have_all_their_digits() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
