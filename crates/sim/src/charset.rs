//! The charsets that hosts write in, and the text that their pages are filled with.

use std::sync::OnceLock;

use encoding_rs::Encoding;

use crate::draw::{Draw, Topic};

/// The charset of a host's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// UTF-8, declared nowhere.
    Undeclared,
    Latin1,
    Windows1251,
    Gbk,
    Windows1252,
    ShiftJis,
    EucJp,
    Latin2,
}

/// Text in one charset, made once: titles, anchors and paragraphs are slices of it.
#[derive(Debug)]
pub(crate) struct Text {
    /// A few words for titles and descriptions.
    pub(crate) heading: Vec<u8>,
    /// Anchor texts.
    anchors: Vec<Vec<u8>>,
    /// Paragraphs of 150 to 900 bytes with their markup.
    paragraphs: Vec<Vec<u8>>,
}

const PARAGRAPHS: u32 = 64;
const ENGLISH: &str = "the crawler waits while pages travel and readers find what they came for \
    because every host answers in its own time with words about rivers trains weather bread music \
    glass paper stone light numbers gardens ships winter summer markets letters and small machines";

impl Charset {
    /// The charsets besides UTF-8, in the order of `CharsetMix::shares`.
    pub(crate) const MIXED: [Self; 8] = [
        Self::Undeclared,
        Self::Latin1,
        Self::Windows1251,
        Self::Gbk,
        Self::Windows1252,
        Self::ShiftJis,
        Self::EucJp,
        Self::Latin2,
    ];

    /// The name in headers and meta elements; none where nothing is declared.
    pub(crate) const fn label(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => Some("utf-8"),
            Self::Undeclared => None,
            Self::Latin1 => Some("iso-8859-1"),
            Self::Windows1251 => Some("windows-1251"),
            Self::Gbk => Some("gb2312"),
            Self::Windows1252 => Some("windows-1252"),
            Self::ShiftJis => Some("Shift_JIS"),
            Self::EucJp => Some("EUC-JP"),
            Self::Latin2 => Some("ISO-8859-2"),
        }
    }

    /// The content type of a page whose charset is declared in the header.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "text/html; charset=utf-8",
            Self::Undeclared => "text/html",
            Self::Latin1 => "text/html; charset=ISO-8859-1",
            Self::Windows1251 => "text/html; charset=windows-1251",
            Self::Gbk => "text/html;charset=\"gb2312\"",
            Self::Windows1252 => "text/html; charset=windows-1252",
            Self::ShiftJis => "text/html; charset=Shift_JIS",
            Self::EucJp => "text/html; charset=euc-jp",
            Self::Latin2 => "text/html; Charset=iso-8859-2",
        }
    }

    /// The language attribute.
    pub(crate) const fn language(self) -> &'static str {
        match self {
            Self::Utf8 => "en",
            Self::Undeclared => "pt",
            Self::Latin1 => "fr",
            Self::Windows1251 => "ru",
            Self::Gbk => "zh-CN",
            Self::Windows1252 => "de",
            Self::ShiftJis | Self::EucJp => "ja",
            Self::Latin2 => "pl",
        }
    }

    const fn sample(self) -> &'static str {
        match self {
            Self::Utf8 => "Notes — “from” the simulated web",
            Self::Undeclared => "Página com ação, coração e você também",
            Self::Latin1 => "Été à la plage, forêt ancienne, garçon français",
            Self::Windows1251 => "Привет, мир: новости города и погода",
            Self::Gbk => "欢迎访问我们的网站 新闻 中心",
            Self::Windows1252 => "Größe – Straße „schön“ für 5 €",
            Self::ShiftJis => "ようこそ 日本語のページ 表示ソフト",
            Self::EucJp => "ようこそ 日本語のページです 東京",
            Self::Latin2 => "Zażółć gęślą jaźń, książka i świat",
        }
    }

    const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 | Self::Undeclared => encoding_rs::UTF_8,
            Self::Latin1 | Self::Windows1252 => encoding_rs::WINDOWS_1252,
            Self::Windows1251 => encoding_rs::WINDOWS_1251,
            Self::Gbk => encoding_rs::GBK,
            Self::ShiftJis => encoding_rs::SHIFT_JIS,
            Self::EucJp => encoding_rs::EUC_JP,
            Self::Latin2 => encoding_rs::ISO_8859_2,
        }
    }

    /// The text of this charset; made when it is first asked for, some 40 kB.
    pub(crate) fn text(self) -> &'static Text {
        static TEXTS: [OnceLock<Text>; 9] = [const { OnceLock::new() }; 9];
        static NONE: Text = Text {
            heading: Vec::new(),
            anchors: Vec::new(),
            paragraphs: Vec::new(),
        };
        TEXTS
            .get(self as usize)
            .map_or(&NONE, |text| text.get_or_init(|| Text::new(self)))
    }
}

impl Text {
    fn new(charset: Charset) -> Self {
        let encode = |text: &str| charset.encoding().encode(text).0.into_owned();
        let sample: Vec<&str> = charset.sample().split(' ').collect();
        let words: Vec<&str> = ENGLISH.split_whitespace().collect();
        let mut draw = Draw::new(0, Topic::Body, charset as u32, 0);
        let pick = |draw: &mut Draw, from: &[&'static str]| {
            from.get(draw.below(from.len() as u32) as usize)
                .copied()
                .unwrap_or_default()
        };
        let paragraph = |number: u32| {
            let mut text = String::from(if number % 7 == 3 { "<h2>" } else { "<p>" });
            for word in 0..20 + draw.below(100) {
                if word > 0 {
                    text.push(if word % 16 == 0 { '\n' } else { ' ' });
                }
                let from = if draw.below(4) == 0 { &sample } else { &words };
                let (open, close) = match draw.below(24) {
                    0 => ("<em>", "</em>"),
                    1 => ("<span class=\"w\">", "</span>"),
                    2 => ("", " &amp; so"),
                    _ => ("", ""),
                };
                text.push_str(open);
                text.push_str(pick(&mut draw, from));
                text.push_str(close);
            }
            text.push_str(if number % 7 == 3 { "</h2>\n" } else { "</p>\n" });
            encode(&text)
        };
        let paragraphs = (0..PARAGRAPHS).map(paragraph).collect();
        let anchors = words
            .chunks(2)
            .map(|pair| encode(&pair.join(" ")))
            .chain(sample.iter().map(|w| encode(w)));
        Self {
            heading: encode(charset.sample()),
            anchors: anchors.collect(),
            paragraphs,
        }
    }

    /// An anchor text; which one follows from `bits`.
    pub(crate) fn anchor(&self, bits: u64) -> &[u8] {
        pick(&self.anchors, bits)
    }

    /// A paragraph; which one follows from `bits`.
    pub(crate) fn paragraph(&self, bits: u64) -> &[u8] {
        // The divisor is a constant power of two: this runs sixty times a page.
        let place = (bits % u64::from(PARAGRAPHS)) as usize;
        self.paragraphs.get(place).map_or(&[], Vec::as_slice)
    }
}

fn pick(from: &[Vec<u8>], bits: u64) -> &[u8] {
    from.get((bits % from.len().max(1) as u64) as usize)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_charset_can_write_its_text_and_read_it_back() {
        for charset in Charset::MIXED.into_iter().chain([Charset::Utf8]) {
            let (bytes, _, unmappable) = charset.encoding().encode(charset.sample());
            assert!(!unmappable, "{charset:?}");
            assert_eq!(charset.encoding().decode(&bytes).0, charset.sample());
            if let Some(label) = charset.label() {
                assert_eq!(
                    Encoding::for_label(label.as_bytes()),
                    Some(charset.encoding())
                );
            }
            let text = charset.text();
            for bits in 0..u64::from(PARAGRAPHS) {
                let (_, malformed) = charset
                    .encoding()
                    .decode_without_bom_handling(text.paragraph(bits));
                assert!(!malformed);
                assert!(text.paragraph(bits).len() > 100);
            }
        }
    }
}
