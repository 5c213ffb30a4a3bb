//! `application/warc-fields`: named fields as the content of a record (WARC 1.1 section 6.5).

use crate::builder::clean_value;
use crate::error::{BuildError, Shown};
use crate::head::is_token;

/// Lines of `name: value`, as warcinfo and metadata records hold them. A name may stand many times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarcFields {
    text: String,
}

impl WarcFields {
    /// No lines.
    pub fn new() -> WarcFields {
        WarcFields::default()
    }

    /// Adds a line.
    ///
    /// # Errors
    ///
    /// A name that is no token, and a value with a control character.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), BuildError> {
        if !is_token(name.as_bytes()) {
            return Err(BuildError::Name(Shown::new(name.as_bytes())));
        }
        let value = clean_value(name, value)?;
        for part in [name, ": ", value, "\r\n"] {
            self.text.push_str(part);
        }
        Ok(())
    }

    /// Adds an outlink as Heritrix writes it: `outlink: URL HOP CONTEXT`. `hop` is a letter for the
    /// kind of way (L link, E embed, R redirect, X speculative, I inferred); `context` says where the link
    /// stood, for instance `a/@href`.
    ///
    /// # Errors
    ///
    /// A part that is empty or has white space or control characters.
    pub fn outlink(&mut self, url: &str, hop: char, context: &str) -> Result<(), BuildError> {
        let mut buffer = [0; 4];
        let hop: &str = hop.encode_utf8(&mut buffer);
        if ![url, hop, context].into_iter().all(is_word) {
            return Err(BuildError::Value {
                name: "outlink".to_owned(),
                value: Shown::new(format!("{url} {hop} {context}").as_bytes()),
            });
        }
        for part in ["outlink: ", url, " ", hop, " ", context, "\r\n"] {
            self.text.push_str(part);
        }
        Ok(())
    }

    /// The lines as the content of a record.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Reads the names and values of such content. Lines without a colon are passed over; a line that
    /// begins with white space goes on with the value before it.
    pub fn parse(content: &[u8]) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in content.split(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line);
            if text.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
            {
                value.push(' ');
                value.push_str(text.trim());
            } else if let Some((name, value)) = text.split_once(':') {
                fields.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        fields
    }
}

/// Whether a text is one word without control characters.
fn is_word(text: &str) -> bool {
    let is_part = |character: char| !character.is_whitespace() && !character.is_control();
    !text.is_empty()
        && (text.bytes().all(|byte| byte.is_ascii_graphic()) || text.chars().all(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_and_read() {
        let mut fields = WarcFields::new();
        fields.add("via", "http://example.com/").unwrap();
        fields.add("hopsFromSeed", "LL").unwrap();
        fields
            .outlink("http://example.com/b", 'L', "a/@href")
            .unwrap();
        assert_eq!(
            fields.as_bytes(),
            b"via: http://example.com/\r\nhopsFromSeed: LL\r\n\
              outlink: http://example.com/b L a/@href\r\n"
        );
        let read = WarcFields::parse(fields.as_bytes());
        assert_eq!(read.len(), 3);
        assert_eq!(
            read[0],
            ("via".to_owned(), "http://example.com/".to_owned())
        );
        assert_eq!(
            WarcFields::parse(b"a: b\n c\nno\n"),
            [("a".to_owned(), "b c".to_owned())]
        );
    }

    #[test]
    fn a_line_cannot_be_broken() {
        let mut fields = WarcFields::new();
        assert!(fields.add("via", "a\r\nb: c").is_err());
        assert!(fields.add("vi a", "b").is_err());
        assert!(fields.outlink("http://a/ b", 'L', "a/@href").is_err());
        assert!(fields.outlink("http://a/\nb", 'L', "a/@href").is_err());
        assert!(fields.outlink("http://a/", ' ', "a/@href").is_err());
        assert_eq!(fields, WarcFields::new());
    }
}
