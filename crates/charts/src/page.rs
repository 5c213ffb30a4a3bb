//! The page: its sections in order, and the one file that they become.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::assets::{SCRIPT, STYLE, UPLOT_LICENSE, UPLOT_SCRIPT, UPLOT_STYLE};
use crate::bars::{Bars, width_classes};
use crate::escape::text;
use crate::figure::figure;
use crate::plot::Plot;
use crate::policy::content_security_policy;
use crate::table::Table;

/// A page that is being written from top to bottom.
///
/// What is added stands in the section that was begun last, or above all sections where none was.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
    is_section_open: bool,
    has_plots: bool,
    widths: BTreeSet<u16>,
}

impl Page {
    /// An empty page with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: String::new(),
            is_section_open: false,
            has_plots: false,
            widths: BTreeSet::new(),
        }
    }

    /// Begins a section with a heading and a sentence or two on what it is about (none where empty).
    pub fn section(&mut self, heading: &str, intro: &str) -> &mut Self {
        self.close_section();
        let _ = writeln!(self.body, "<section>\n<h2>{}</h2>", text(heading));
        self.is_section_open = true;
        if intro.is_empty() {
            self
        } else {
            self.text(intro)
        }
    }

    /// A paragraph.
    pub fn text(&mut self, paragraph: &str) -> &mut Self {
        let _ = writeln!(self.body, "<p>{}</p>", text(paragraph));
        self
    }

    /// A smaller heading inside of a section.
    pub fn heading(&mut self, heading: &str) -> &mut Self {
        let _ = writeln!(self.body, "<h3>{}</h3>", text(heading));
        self
    }

    /// A few figures that stand out: each a value and what it counts.
    pub fn facts<T: AsRef<str>>(&mut self, facts: &[(T, T)]) -> &mut Self {
        self.body.push_str("<dl class=\"facts\">\n");
        for (value, name) in facts {
            let (value, name) = (text(value.as_ref()), text(name.as_ref()));
            let _ = writeln!(self.body, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        self.body.push_str("</dl>\n");
        self
    }

    /// A table.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        self.body.push_str(&table.html());
        self
    }

    /// A plot.
    pub fn plot(&mut self, plot: &Plot) -> &mut Self {
        self.body.push_str(&figure(plot));
        self.has_plots = true;
        self
    }

    /// Horizontal bars; they need no script.
    pub fn bars(&mut self, bars: &Bars) -> &mut Self {
        let html = bars.html(&mut self.widths);
        self.body.push_str(&html);
        self
    }

    fn close_section(&mut self) {
        if self.is_section_open {
            self.body.push_str("</section>\n");
        }
        self.is_section_open = false;
    }

    /// The whole page. Scripts are in it only where it has plots.
    pub fn to_html(&self) -> String {
        let style = format!("{UPLOT_STYLE}\n{STYLE}{}", width_classes(&self.widths));
        let scripts: &[&str] = if self.has_plots {
            &[UPLOT_SCRIPT, SCRIPT]
        } else {
            &[]
        };
        let policy = content_security_policy(scripts, &[&style]);
        let title = text(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        );
        if self.has_plots {
            html.push_str(
                "<noscript><p>The plots are drawn by a script in this page, and scripts are off here; \
                 the table below each plot has its figures.</p></noscript>\n",
            );
        }
        html.push_str(&self.body);
        if self.is_section_open {
            html.push_str("</section>\n");
        }
        html.push_str("</main>\n");
        if self.has_plots {
            let _ = writeln!(html, "<!-- uPlot 1.6.32\n{UPLOT_LICENSE}\n-->");
        }
        for script in scripts {
            let _ = writeln!(html, "<script>{script}</script>");
        }
        html.push_str("</body>\n</html>\n");
        html
    }
}
