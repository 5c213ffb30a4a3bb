//! A table.

use std::fmt::Write as _;

use crate::escape::{is_steering, text};

/// A table with a heading for each column. Cells are text or links; it scrolls inside its own box where the page
/// is too narrow.
#[derive(Clone, Debug, Default)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A link to what is an http or https URL; any other is text. It tells the other side nothing of where
    /// it stands.
    Link(String),
    /// Several, one below the other.
    Lines(Vec<Cell>),
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::Text(text.into())
    }
}

impl Cell {
    fn push(&self, out: &mut String) {
        match self {
            Cell::Text(plain) => out.push_str(&text(plain)),
            Cell::Link(url) => push_link(url, out),
            Cell::Lines(cells) => {
                for (place, cell) in cells.iter().enumerate() {
                    out.push_str(if place > 0 { "<br>" } else { "" });
                    cell.push(out);
                }
            }
        }
    }
}

fn push_link(url: &str, out: &mut String) {
    let is_web = ["http://", "https://"]
        .iter()
        .any(|start| url.starts_with(start));
    let shown = text(url);
    // What is shown in another form than it is written would not lead where it says.
    if !is_web || url.chars().any(is_steering) {
        return out.push_str(&shown);
    }
    let _ = write!(
        out,
        "<a rel=\"noopener nofollow noreferrer\" href=\"{shown}\">{shown}</a>"
    );
}

#[derive(Clone, Debug)]
struct Column {
    heading: String,
    is_number: bool,
}

impl Table {
    /// An empty table. The caption says what it holds; screen readers read it.
    pub fn new(caption: impl Into<String>) -> Self {
        Self {
            caption: caption.into(),
            ..Self::default()
        }
    }

    /// One more column of text, to the right of the others.
    #[must_use]
    pub fn column(mut self, heading: impl Into<String>) -> Self {
        self.columns.push(Column {
            heading: heading.into(),
            is_number: false,
        });
        self
    }

    /// One more column of numbers, which stand at its right edge.
    #[must_use]
    pub fn numbers(mut self, heading: impl Into<String>) -> Self {
        self.columns.push(Column {
            heading: heading.into(),
            is_number: true,
        });
        self
    }

    /// One more row. Cells beyond the columns are left out, missing ones are empty.
    pub fn row<T: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn html(&self) -> String {
        let caption = text(&self.caption);
        let mut out = format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table>\n<thead><tr>"
        );
        for column in &self.columns {
            let class = class(column);
            let _ = write!(
                out,
                "<th scope=\"col\"{class}>{}</th>",
                text(&column.heading)
            );
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (place, column) in self.columns.iter().enumerate() {
                let mut cell = String::new();
                if let Some(of) = row.get(place) {
                    of.push(&mut cell);
                }
                let class = class(column);
                let _ = match place {
                    0 => write!(out, "<th scope=\"row\"{class}>{cell}</th>"),
                    _ => write!(out, "<td{class}>{cell}</td>"),
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
        out
    }
}

fn class(column: &Column) -> &'static str {
    if column.is_number { " class=\"n\"" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_web_or_nowhere() {
        let mut table = Table::new("links").column("to");
        for url in [
            "https://a.test/?a=1&b=\"><script>",
            "javascript:alert(1)",
            "https://a.test/\u{202e}",
        ] {
            table.row([Cell::Link(url.to_owned())]);
        }
        let html = table.html();
        assert_eq!(html.matches("<a ").count(), 1);
        assert!(html.contains("href=\"https://a.test/?a=1&amp;b=&quot;&gt;&lt;script&gt;\""));
        assert!(html.contains(">javascript:alert(1)</th>"), "{html}");
    }

    #[test]
    fn cells_are_text_and_rows_have_a_cell_for_each_column() {
        let mut table = Table::new("sizes").column("name").numbers("bytes");
        table.row(["<b>", "1", "beyond"]);
        table.row(["short"]);
        let html = table.html();
        assert!(html.contains("<tr><th scope=\"row\">&lt;b&gt;</th><td class=\"n\">1</td></tr>"));
        assert!(html.contains("<tr><th scope=\"row\">short</th><td class=\"n\"></td></tr>"));
        assert!(!html.contains("beyond"));
    }
}
