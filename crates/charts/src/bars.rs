//! Horizontal bars made of named states one after the other, as of the time that a page took.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::colour::Colour;
use crate::escape::text;
use crate::number::shown;
use crate::table::Table;

/// Widths are kept in thousandths of the whole, each a class of the page's style sheet: an attribute
/// with a style would need a policy that allows them all.
const WHOLE: f64 = 1_000.0;

/// Rows of bars under one legend, all to the same measure.
#[derive(Clone, Debug)]
pub struct Bars {
    title: String,
    caption: String,
    unit: String,
    states: Vec<(String, Colour)>,
    rows: Vec<BarRow>,
}

/// A bar: how long each state took, in the order in which they stand.
#[derive(Clone, Debug, Default)]
pub struct BarRow {
    name: String,
    starts_at: f64,
    /// Place of the state in the legend, and its length.
    parts: Vec<(usize, f64)>,
}

impl BarRow {
    /// A bar without states.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Begins behind an empty stretch, as in a waterfall.
    #[must_use]
    pub fn starting_at(mut self, start: f64) -> Self {
        self.starts_at = length(start);
        self
    }

    /// One more state: its place among the states of the bars, and its length.
    #[must_use]
    pub fn part(mut self, state: usize, value: f64) -> Self {
        self.parts.push((state, length(value)));
        self
    }

    fn total(&self) -> f64 {
        self.parts.iter().map(|(_, value)| value).sum()
    }

    fn end(&self) -> f64 {
        self.starts_at + self.total()
    }
}

/// A length: nothing below 0, nothing that is no number.
fn length(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}

impl Bars {
    /// Bars without rows; lengths are told in this unit.
    pub fn new(
        title: impl Into<String>,
        caption: impl Into<String>,
        unit: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            caption: caption.into(),
            unit: unit.into(),
            states: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// One more state of the legend. Their places are counted from 0.
    #[must_use]
    pub fn state(mut self, name: impl Into<String>, colour: Colour) -> Self {
        self.states.push((name.into(), colour));
        self
    }

    /// One more bar, below the others.
    #[must_use]
    pub fn row(mut self, row: BarRow) -> Self {
        self.rows.push(row);
        self
    }

    /// The figure; the widths that it uses go into `widths`.
    pub(crate) fn html(&self, widths: &mut BTreeSet<u16>) -> String {
        let mut out = format!(
            "<figure>\n<figcaption><strong>{}</strong> {}</figcaption>\n<ul class=\"legend\">",
            text(&self.title),
            text(&self.caption)
        );
        for (name, colour) in &self.states {
            let _ = write!(out, "<li class=\"{}\">{}</li>", colour.name(), text(name));
        }
        out.push_str("</ul>\n<div class=\"bars\" aria-hidden=\"true\">\n");
        let longest = self.rows.iter().map(BarRow::end).fold(0.0, f64::max);
        for row in &self.rows {
            self.push_row(row, longest, widths, &mut out);
        }
        let _ = write!(
            out,
            "</div>\n<details><summary>The figures of these bars</summary>\n{}</details>\n</figure>\n",
            self.table().html()
        );
        out
    }

    fn push_row(&self, row: &BarRow, longest: f64, widths: &mut BTreeSet<u16>, out: &mut String) {
        let _ = write!(
            out,
            "<span class=\"name\">{}</span><span class=\"track\">",
            text(&row.name)
        );
        let gap = std::iter::once(("gap", row.starts_at));
        let parts = row.parts.iter().map(|(state, value)| {
            let colour = self
                .states
                .get(*state)
                .map_or(Colour::Grey, |(_, colour)| *colour);
            (colour.name(), *value)
        });
        for (class, value) in gap.chain(parts) {
            let width = share(value, longest);
            if width > 0 {
                widths.insert(width);
                let _ = write!(out, "<i class=\"{class} w{width}\"></i>");
            }
        }
        let total = shown(row.total());
        let _ = writeln!(
            out,
            "</span><span class=\"n\">{total} {}</span>",
            text(&self.unit)
        );
    }

    fn table(&self) -> Table {
        let mut table = Table::new(self.title.clone()).column("");
        for (name, _) in &self.states {
            table = table.numbers(format!("{name}, {}", self.unit));
        }
        table = table.numbers(format!("sum, {}", self.unit));
        for row in &self.rows {
            let of_state = |place: usize| {
                let parts = row.parts.iter().filter(|(state, _)| *state == place);
                parts.map(|(_, value)| value).sum::<f64>()
            };
            let values = (0..self.states.len()).map(|place| shown(of_state(place)));
            let cells = std::iter::once(row.name.clone()).chain(values);
            table.row(cells.chain(std::iter::once(shown(row.total()))));
        }
        table
    }
}

/// The classes of the widths that were used.
pub(crate) fn width_classes(widths: &BTreeSet<u16>) -> String {
    let mut style = String::new();
    for width in widths {
        let _ = write!(style, ".w{width}{{width:{}%}}", f64::from(*width) / 10.0);
    }
    style
}

/// The width in thousandths of the longest bar.
fn share(value: f64, longest: f64) -> u16 {
    if longest <= 0.0 {
        return 0;
    }
    (value / longest * WHOLE).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_one_measure_and_have_their_figures_in_a_table() {
        let mut widths = BTreeSet::new();
        let html = Bars::new("A <page>", "What it waited for.", "ms")
            .state("DNS", Colour::Blue)
            .state("body", Colour::Green)
            .row(BarRow::new("slow").part(0, 30.0).part(1, 70.0))
            .row(
                BarRow::new("late")
                    .starting_at(50.0)
                    .part(1, 25.0)
                    .part(7, f64::NAN),
            )
            .html(&mut widths);
        assert!(html.contains("<i class=\"blue w300\"></i><i class=\"green w700\"></i>"));
        assert!(html.contains("<i class=\"gap w500\"></i><i class=\"green w250\"></i>"));
        assert!(html.contains("A &lt;page&gt;"));
        assert!(html.contains("<td class=\"n\">70</td><td class=\"n\">100</td>"));
        assert_eq!(
            width_classes(&widths),
            ".w250{width:25%}.w300{width:30%}.w500{width:50%}.w700{width:70%}"
        );
        assert!(!html.contains("style="));
    }

    #[test]
    fn bars_without_length_have_no_width() {
        let mut widths = BTreeSet::new();
        let bars = Bars::new("", "", "s").state("a", Colour::Grey);
        bars.row(BarRow::new("none").part(0, 0.0)).html(&mut widths);
        assert!(widths.is_empty());
    }
}
