//! The colours of series, bands and bars.

use serde::Serialize;

/// A colour of the page's palette, which is told apart with every common colour blindness (after Okabe
/// and Ito, "Color Universal Design", 2008), and has a light and a dark form in `charts.css`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The first series.
    Blue,
    /// The second series.
    Vermillion,
    /// The third series.
    Green,
    /// The fourth series.
    Purple,
    /// The fifth series.
    Orange,
    /// The sixth series.
    Sky,
    /// The seventh series.
    Yellow,
    /// What is none of the others, or no matter.
    Grey,
}

impl Colour {
    /// All of them, in the order in which they are best given to series.
    pub const ALL: [Self; 8] = [
        Self::Blue,
        Self::Vermillion,
        Self::Green,
        Self::Purple,
        Self::Orange,
        Self::Sky,
        Self::Yellow,
        Self::Grey,
    ];

    /// The name of its variable and of its class in the style sheet.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Vermillion => "vermillion",
            Self::Green => "green",
            Self::Purple => "purple",
            Self::Orange => "orange",
            Self::Sky => "sky",
            Self::Yellow => "yellow",
            Self::Grey => "grey",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::STYLE;

    #[test]
    fn every_colour_has_a_light_a_dark_and_a_printed_form_and_a_class() {
        for colour in Colour::ALL {
            let name = colour.name();
            assert_eq!(STYLE.matches(&format!("--{name}: #")).count(), 3, "{name}");
            assert!(STYLE.contains(&format!(".{name} {{ --mark: var(--{name}); }}")));
            let json = serde_json::to_string(&colour).unwrap();
            assert_eq!(json, format!("\"{name}\""));
        }
    }
}
