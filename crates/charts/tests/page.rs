//! A whole page: that it is one file, that nothing foreign runs in it, and that its parts are there.

use nephila_charts::{Axis, BarRow, Bars, Base, Colour, Page, Plot, Series, Table, source_hash};

const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{2028}\" onload=\"x";

/// Every text that a caller can give is hostile.
fn page(word: &str) -> Page {
    let mut page = Page::new(word);
    page.text(word).section(word, word).heading(word);
    let mut table = Table::new(word).column(word).numbers(word);
    table.row([word, word]);
    page.table(&table);
    page.plot(
        &Plot::lines("rate", word, word)
            .x(Axis::log(word, Base::Two), [1.0, 2.0, 4.0])
            .y(Axis::linear(word))
            .series(Series::new(word, Colour::Blue, [1.0, 2.0, 3.0]).with_points())
            .series(Series::new(word, Colour::Green, [Some(1.0), None]).dashed()),
    );
    page.plot(
        &Plot::bands("limits", word, word)
            .x(Axis::linear(word), [0.0, 1.0])
            .series(Series::new(word, Colour::Grey, [0.5, 0.2])),
    );
    page.plot(
        &Plot::bars("sizes", word, word, [word, "b"]).series(Series::new(
            word,
            Colour::Sky,
            [1.0, 2.0],
        )),
    );
    page.bars(
        &Bars::new(word, word, word)
            .state(word, Colour::Blue)
            .row(BarRow::new(word).part(0, 1.0)),
    );
    page
}

/// The texts between a start tag that begins so and its end tag.
fn between<'a>(html: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let parts = html.split(start).skip(1);
    parts.filter_map(|part| part.split(end).next()).collect()
}

#[test]
fn nothing_of_a_text_becomes_markup() {
    let hostile = page(HOSTILE).to_html();
    let plain = page("word").to_html();
    for markup in [
        "<script",
        "</script",
        "<img",
        "<p",
        "<i ",
        "onload=\"",
        "onerror=\"",
        "<!--",
        "\u{2028}",
    ] {
        let count = |html: &str| html.matches(markup).count();
        assert_eq!(count(&hostile), count(&plain), "{markup}");
    }
    let data = between(&hostile, "id=\"data-rate\">", "</script>");
    let block: serde_json::Value = serde_json::from_str(data[0]).unwrap();
    assert_eq!(block["series"][0]["name"], HOSTILE);
    assert_eq!(
        block["data"],
        serde_json::json!([[1.0, 2.0, 4.0], [1.0, 2.0, 3.0], [1.0, null, null]])
    );
}

#[test]
fn the_policy_names_exactly_what_stands_in_the_page() {
    let html = page(HOSTILE).to_html();
    let policy = between(
        &html,
        "http-equiv=\"Content-Security-Policy\" content=\"",
        "\">",
    )[0];
    let scripts = between(&html, "<script>", "</script>");
    assert_eq!(scripts.len(), 2);
    let styles = between(&html, "<style>", "</style>");
    assert_eq!(styles.len(), 1);
    for source in scripts.iter().chain(&styles) {
        assert!(policy.contains(&source_hash(source)));
    }
    assert_eq!(policy.matches("sha256-").count(), 3);
    assert!(policy.starts_with("default-src 'none'; "));
    assert!(!policy.contains("unsafe") && !policy.contains('*'));
    assert!(!html.contains(" style=\""));
}

#[test]
fn the_parts_of_a_page_stand_in_their_order() {
    let html = page("word").to_html();
    let order = [
        "<!doctype html>",
        "<meta charset",
        "Content-Security-Policy",
        "viewport",
        "<title>word</title>",
        "<style>",
        "<main>",
        "<h1>word</h1>",
        "<section>",
        "<h2>word</h2>",
        "<table>",
        "<figure>",
        "<figcaption><strong>word</strong> word</figcaption>",
        "id=\"plot-rate\" role=\"img\"",
        "id=\"data-rate\"",
        "<details id=\"table-rate\">",
        "id=\"plot-limits\"",
        "id=\"plot-sizes\"",
        "<div class=\"bars\"",
        "</section>",
        "</main>",
        "<script>",
        "</html>",
    ];
    let mut rest = html.as_str();
    for part in order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} is missing or out of its order"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn a_page_loads_nothing_and_without_plots_has_no_script() {
    let html = page("word").to_html();
    for loads in ["src=\"", "href=\"", "url(", "@import"] {
        assert!(!html.contains(loads), "{loads}");
    }
    let mut bare = Page::new("bare");
    bare.text("only text");
    let bare = bare.to_html();
    assert!(!bare.contains("<script"));
    assert!(bare.contains("script-src 'none'"));
}
