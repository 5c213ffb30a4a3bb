//! The page: the same for every crawl. Its script asks for what it shows, and puts it in as text.

use nephila_charts::assets;

use crate::state::empty_plots;

const HEAD: &str = include_str!("../assets/page.html");
const STYLE: &str = include_str!("../assets/live.css");
const SCRIPT: &str = include_str!("../assets/live.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// What a page may do, for each answer: run the scripts of this server, ask it, and nothing else.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files of the page, made once.
pub(crate) struct Files {
    files: [(&'static str, &'static str, String); 6],
}

impl Files {
    /// With a token the page asks for it before it asks for anything else.
    pub(crate) fn new(wants_token: bool) -> Files {
        let mut page = HEAD.replace("{token}", if wants_token { "wanted" } else { "none" });
        for (id, plot) in empty_plots() {
            page = page.replace(&format!("{{plot {id}}}"), &plot.to_html());
        }
        let script = "text/javascript; charset=utf-8";
        let licence = assets::UPLOT_LICENSE;
        let drawing = format!("/*! uPlot 1.6.32\n{licence}*/\n{}", assets::UPLOT_SCRIPT);
        let style = [assets::UPLOT_STYLE, assets::STYLE, STYLE].join("\n");
        Files {
            files: [
                ("/", "text/html; charset=utf-8", page),
                ("/uplot.js", script, drawing),
                ("/charts.js", script, assets::SCRIPT.to_owned()),
                ("/live.js", script, SCRIPT.to_owned()),
                ("/style.css", "text/css; charset=utf-8", style),
                ("/icon.svg", "image/svg+xml", ICON.to_owned()),
            ],
        }
    }

    /// Its type and its text.
    pub(crate) fn get(&self, path: &str) -> Option<(&'static str, &str)> {
        let found = self.files.iter().find(|(name, _, _)| *name == path);
        found.map(|(_, kind, text)| (*kind, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_page_is_filled_and_nothing_in_it_needs_leave() {
        let files = Files::new(true);
        let (_, page) = files.get("/").unwrap();
        assert!(
            !page.contains("{plot") && !page.contains("{token}"),
            "{page}"
        );
        assert_eq!(page.matches("class=\"plot\"").count(), empty_plots().len());
        for forbidden in [
            " style=",
            " onclick=",
            "<style",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        // Scripts that run are files; blocks of data are none.
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" src=\"/") || script.starts_with(" type=\"application/json\"")
            );
        }
        for (path, _, _) in &files.files {
            assert!(files.get(path).is_some());
        }
    }

    #[test]
    fn the_script_makes_no_markup_of_text() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }
}
