//! The page of a running crawl, in a browser: what it shows, and what its buttons do.

use crate::chromium::Chromium;
use crate::crawl::Shown;

const PAGES: &str = "Number((document.querySelector('#facts dd') || { textContent: '0' }).textContent.replace(/,/g, ''))";

fn is(standing: &str) -> String {
    format!("document.querySelector('#standing').textContent === '{standing}'")
}

#[test]
fn a_running_crawl_is_shown_and_its_buttons_act() {
    let Some(mut browser) = Chromium::start() else {
        return;
    };
    let mut shown = Shown::start(100_000, None);
    browser.open(&shown.server().url());
    browser.wait(&is("running"));
    browser.wait(&format!("{PAGES} > 20"));
    let before = browser.value(PAGES);
    browser.wait(&format!("{PAGES} > {before}"));
    // The ledger's first visits are there, and the plots have their lines.
    browser.wait("document.querySelectorAll('#typical .track').length > 1");
    browser.wait("document.querySelectorAll('#rate canvas, #plot-rate canvas').length === 1");
    browser.wait("document.querySelectorAll('#hosts tbody tr').length > 1");
    browser.wait("document.querySelectorAll('#problems tbody tr').length > 0");

    browser.click("#pause");
    browser.wait(&is("paused"));
    assert!(shown.control.is_paused());
    browser.wait("document.querySelector('#pause').textContent === 'Resume'");
    browser.click("#pause");
    browser.wait(&is("running"));
    assert!(!shown.control.is_paused());

    browser.write("#slots", "3");
    browser.click("#concurrency button");
    browser.wait("document.querySelector('#done').textContent.startsWith('3 fetches')");
    assert_eq!(shown.control.concurrency(), 3);
    browser.click(".choice[data-by=slowest]");
    browser.wait("document.querySelector('.choice[data-by=slowest]').getAttribute('aria-pressed') === 'true'");
    ask_why(&mut browser);
    browser.look("live");

    browser.click("#stop");
    browser.wait("document.querySelector('#stop').textContent === 'Really stop?'");
    assert!(!shown.control.is_stopping(), "once is not enough");
    browser.click("#stop");
    assert!(shown.ended().is_interrupted());
    browser.wait(&is("ended"));
    browser.wait("document.querySelector('#actions').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Asks what became of the page that is shown as typical, and of what is no URL.
fn ask_why(browser: &mut Chromium) {
    let url = browser.value("document.querySelector('#typical-of a').href");
    browser.write("#url", url.as_str().unwrap());
    browser.enter();
    browser.wait("document.querySelectorAll('#answer dl dt').length > 3");
    browser.wait("document.querySelector('#answer p').textContent.length > 5");
    browser.write("#url", "no url at all");
    browser.enter();
    browser.wait("document.querySelector('#answer p').textContent.includes('no URL')");
    browser.write("#url", url.as_str().unwrap());
    browser.enter();
    browser.wait("document.querySelectorAll('#answer dl dt').length > 3");
}

#[test]
fn the_page_outlives_the_crawl_and_its_server() {
    let Some(mut browser) = Chromium::start() else {
        return;
    };
    let mut shown = Shown::start(100_000, None);
    browser.open(&shown.server().url());
    browser.wait(&format!("{PAGES} > 0"));
    shown.control.stop();
    let pages = shown.ended().pages;
    browser.wait(&is("ended"));
    shown.finish_server();
    browser.value("new Promise(function (done) { requestAnimationFrame(done); })");
    assert_eq!(
        browser.value("document.querySelector('#standing').textContent"),
        "ended"
    );
    assert_eq!(browser.value(PAGES), pages);
    browser.click(".choice[data-by=slowest]");
    browser.wait("document.querySelectorAll('#hosts tbody tr').length > 0");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_token_is_typed_once_and_kept_out_of_urls() {
    const TOKEN: &str = "a-token-of-the-test";
    let Some(mut browser) = Chromium::start() else {
        return;
    };
    let shown = Shown::start(100_000, Some(TOKEN));
    browser.open(&shown.server().url());
    browser.wait("!document.querySelector('#token').hidden");
    assert_eq!(
        browser.value("document.querySelector('#content').hidden"),
        true
    );
    browser.look("token");
    browser.write("#token-text", TOKEN);
    browser.enter();
    browser.wait(&is("running"));
    browser.click("#pause");
    browser.wait(&is("paused"));
    assert_eq!(browser.value("location.href"), shown.server().url());
    assert_eq!(browser.value("document.cookie + localStorage.length"), "0");
    browser.open(&shown.server().url());
    browser.wait(&is("paused"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// What a page of another site can do: it runs in the same browser, and asks for this server.
#[test]
fn a_page_of_another_site_reads_nothing_and_changes_nothing() {
    let Some(mut browser) = Chromium::start() else {
        return;
    };
    let shown = Shown::start(100_000, None);
    // Another port is another origin.
    let other = Shown::start(100_000, None);
    browser.open(&other.server().url());
    let target = shown.server().url();
    // Without the other page's own policy, which would forbid it to ask at all.
    browser.call("Page.setBypassCSP", serde_json::json!({ "enabled": true }));
    browser.open(&other.server().url());
    for (path, options) in [
        ("api/state", "{}"),
        ("api/state", "{ mode: 'no-cors' }"),
        (
            "api/stop",
            "{ method: 'POST', mode: 'no-cors', body: '{}' }",
        ),
        (
            "api/stop",
            "{ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }",
        ),
    ] {
        let read = browser.value(&format!(
            "fetch('{target}{path}', {options}).then(function (answer) {{ return answer.text(); }})
               .then(function (text) {{ return text; }}, function () {{ return ''; }})"
        ));
        assert_eq!(read, "", "{path} {options}");
    }
    assert!(!shown.control.is_stopping() && !shown.control.is_paused());
}
