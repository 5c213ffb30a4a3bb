//! The report as one HTML page: no script, nothing loaded, all text from the web escaped.

use std::fmt::Write as _;

use super::escape::{push_link, push_text};
use super::{BrokenPage, Report};

const STYLE: &str = include_str!("report.css");

impl Report {
    /// The report as one HTML page that needs nothing else.
    ///
    /// Text from the web is escaped; links lead to http and https only; the page's own policy forbids
    /// every script, frame, form and request. `nonce` names the page's one style sheet in that policy
    /// (CSP level 3): letters and digits that nobody who is crawled can know beforehand.
    pub fn to_html(&self, nonce: &str) -> String {
        let nonce: String = nonce.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut page =
            String::from("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
        let _ = write!(
            page,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
             'nonce-{nonce}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>Crawl report</title>\n\
             <style nonce=\"{nonce}\">\n{STYLE}</style>\n"
        );
        self.push_head(&mut page);
        self.push_counts(&mut page);
        self.push_broken(&mut page);
        self.push_redirects(&mut page);
        self.push_duplicates(&mut page);
        push_ranking("slowest", "Slowest pages", "ms", &self.slowest, &mut page);
        push_ranking(
            "largest",
            "Largest pages",
            "bytes",
            &self.largest,
            &mut page,
        );
        page.push_str("</main>\n</html>\n");
        page
    }

    fn push_head(&self, page: &mut String) {
        page.push_str("<header><h1>Crawl report</h1><p>");
        const MOST_SEEDS: usize = 5;
        for (place, seed) in self.seeds.iter().take(MOST_SEEDS).enumerate() {
            page.push_str(if place > 0 { ", " } else { "" });
            push_link(seed, page);
        }
        push_more(self.seeds.len() as u64, MOST_SEEDS, page);
        let _ = write!(
            page,
            "</p><p class=\"quiet\">made at {} by Nephila</p>",
            self.made_at
        );
        page.push_str("<ul class=\"cards\">");
        for (anchor, count, name) in [
            ("outcomes", self.pages, "pages"),
            ("broken", self.broken_count, "broken"),
            ("redirects", self.redirect_count, "redirects"),
            ("duplicates", self.duplicate_count, "groups of duplicates"),
        ] {
            let figure = grouped(count);
            let _ = write!(
                page,
                "<li><a href=\"#{anchor}\"><strong>{figure}</strong> {name}</a></li>"
            );
        }
        page.push_str("</ul></header>\n<main>\n");
    }

    fn push_counts(&self, page: &mut String) {
        page.push_str("<section id=\"outcomes\"><h2>Outcomes</h2><div class=\"pair\">");
        let outcomes = self
            .outcomes
            .iter()
            .map(|(name, count)| (name.clone(), *count));
        push_counts("Outcome", outcomes, self.pages, page);
        let statuses = self
            .statuses
            .iter()
            .map(|(status, count)| (status.to_string(), *count));
        push_counts("HTTP status", statuses, self.pages, page);
        page.push_str("</div></section>\n");
    }

    fn push_broken(&self, page: &mut String) {
        page.push_str("<section id=\"broken\"><h2>Broken links</h2>");
        if self.broken.is_empty() {
            page.push_str("<p class=\"quiet\">None.</p></section>\n");
            return;
        }
        page.push_str("<table><thead><tr><th>Page<th>Answer<th>Linked from</thead><tbody>");
        for broken in &self.broken {
            push_broken_page(broken, page);
        }
        page.push_str("</tbody></table>");
        push_more(self.broken_count, self.broken.len(), page);
        page.push_str("</section>\n");
    }

    fn push_redirects(&self, page: &mut String) {
        page.push_str("<section id=\"redirects\"><h2>Redirects</h2>");
        if self.redirects.is_empty() {
            page.push_str("<p class=\"quiet\">None.</p></section>\n");
            return;
        }
        page.push_str("<table><thead><tr><th>From<th>To</thead><tbody>");
        for (from, to) in &self.redirects {
            page.push_str("<tr><td>");
            push_link(from, page);
            page.push_str("<td>");
            push_link(to, page);
        }
        page.push_str("</tbody></table>");
        push_more(self.redirect_count, self.redirects.len(), page);
        page.push_str("</section>\n");
    }

    fn push_duplicates(&self, page: &mut String) {
        page.push_str("<section id=\"duplicates\"><h2>Duplicates</h2>");
        if self.duplicates.is_empty() {
            page.push_str("<p class=\"quiet\">None.</p></section>\n");
            return;
        }
        page.push_str("<p class=\"quiet\">Pages with the very same body.</p>");
        for group in &self.duplicates {
            let (count, bytes) = (grouped(group.count), grouped(group.bytes));
            let _ = write!(page, "<details><summary>{count} pages of {bytes} bytes: ");
            push_text(group.urls.first().map_or("", String::as_str), page);
            page.push_str("</summary><ul>");
            for url in &group.urls {
                page.push_str("<li>");
                push_link(url, page);
            }
            page.push_str("</ul>");
            push_more(group.count, group.urls.len(), page);
            page.push_str("</details>");
        }
        push_more(self.duplicate_count, self.duplicates.len(), page);
        page.push_str("</section>\n");
    }
}

fn push_broken_page(broken: &BrokenPage, page: &mut String) {
    page.push_str("<tr><td>");
    push_link(&broken.url, page);
    page.push_str("<td><span class=\"bad\">");
    match broken.status {
        Some(status) => push_text(&status.to_string(), page),
        None => push_text(&broken.outcome, page),
    }
    page.push_str("</span>");
    if let Some(error) = &broken.error {
        page.push_str("<br><small>");
        push_text(error, page);
        page.push_str("</small>");
    }
    page.push_str("<td>");
    if broken.links == 0 {
        page.push_str("<span class=\"quiet\">no page: a seed, or a redirect's target</span>");
    } else {
        page.push_str("<ul>");
        for (from, text) in &broken.linked_from {
            page.push_str("<li>");
            push_link(from, page);
            if !text.is_empty() {
                page.push_str(" <small>“");
                push_text(text, page);
                page.push_str("”</small>");
            }
        }
        page.push_str("</ul>");
    }
    push_more(broken.links, broken.linked_from.len(), page);
}

fn push_counts(
    heading: &str,
    counts: impl Iterator<Item = (String, u64)>,
    all: u64,
    page: &mut String,
) {
    let _ = write!(
        page,
        "<table><thead><tr><th>{heading}<th class=\"n\">Pages<th></thead><tbody>"
    );
    for (name, count) in counts {
        page.push_str("<tr><td>");
        push_text(&name, page);
        let figure = grouped(count);
        let _ = write!(
            page,
            "<td class=\"n\">{figure}<td><meter max=\"{all}\" value=\"{count}\"></meter>"
        );
    }
    page.push_str("</tbody></table>");
}

fn push_ranking(
    anchor: &str,
    heading: &str,
    unit: &str,
    pages: &[(u64, String)],
    page: &mut String,
) {
    let _ = write!(
        page,
        "<section id=\"{anchor}\"><h2>{heading}</h2><table><thead><tr><th class=\"n\">{unit}\
         <th>Page</thead><tbody>"
    );
    for (figure, url) in pages {
        let _ = write!(page, "<tr><td class=\"n\">{}<td>", grouped(*figure));
        push_link(url, page);
    }
    page.push_str("</tbody></table></section>\n");
}

/// Says how many there are that are not shown.
fn push_more(count: u64, shown: usize, page: &mut String) {
    let more = count.saturating_sub(shown as u64);
    if more > 0 {
        let _ = write!(page, "<p class=\"quiet\">and {} more</p>", grouped(more));
    }
}

/// A number with its thousands set apart by thin spaces.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push('\u{2009}');
        }
        shown.push(digit);
    }
    shown
}
