//! One exchange for one URL, and what parsing found in its answer.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use nephila_fetch::{Fetch, FetchError, FetchErrorKind, Request, Response, ResponseHead, Stage};
use nephila_frontier::{CanonicalUrl, Fingerprinter, Outcome};
use nephila_parse::{BodyKind, Document, Warning};

use super::page_report::{Answer, FoundLink, FoundPage, PageReport, PageTimes};
use super::{Client, block_on, parsed};
use crate::analysis::{Analysis, Found, Purpose, Work, analyse};
use crate::answer_headers::{PART, header, is_whole_range, location, robots_header};
use crate::error::Error;
use crate::follow::FollowRules;
use crate::known_links::KnownLinks;
use crate::options::Settings;
use crate::setup;
use crate::visit::{outcome_of, outcome_of_decoding};

/// Makes one exchange for `url`, as a person wrote it, and looks at what came. Blocks.
///
/// Of the settings those of fetching count, `agent` and `contact`, `accept` (a body of another type
/// is not read), and `text` and `body`, which ask for more to be told.
///
/// # Errors
/// [`crate::ErrorKind::Usage`] for settings that do not check and a text that is no URL,
/// [`crate::ErrorKind::Network`] for a proxy or a certificate file that cannot be used. That
/// nothing could be fetched is no error: see [`PageReport::outcome`].
pub fn fetch_page(url: &str, settings: &Settings) -> Result<PageReport, Error> {
    let client = Client::new(url, settings)?;
    block_on(fetch(&client))
}

async fn fetch(client: &Client) -> Result<PageReport, Error> {
    let mut request = Request::get(parsed(&client.url)?);
    request.take = setup::body_filter(&client.config);
    let mut report = PageReport::begun(client.url.clone(), client.clock.now());
    match client.fetcher.fetch(request).await {
        Err(error) => report.note_failure(&error),
        Ok(response) => report.note_answer(client, response)?,
    }
    Ok(report)
}

impl PageReport {
    fn note_failure(&mut self, error: &FetchError) {
        self.outcome = outcome_of(error).0;
        self.error = Some(error.to_string());
        self.times = PageTimes::of(error.times());
        self.failed_in = Some(failed_in(error, &self.times));
        self.address = error.remote();
        self.answer = error.head().cloned().map(|head| answer(head, false));
    }

    fn note_answer(&mut self, client: &Client, response: Response) -> Result<(), Error> {
        self.times = PageTimes::of(response.times);
        self.address = response.remote;
        self.wire_bytes = response.wire_bytes;
        self.body_skipped = response.body_skipped;
        self.robots_header = robots_header(&response.headers);
        self.classify(client, &response)?;
        if !response.body_skipped && self.outcome != Outcome::Truncated {
            self.look_into(client, &response)?;
        }
        let Response {
            status,
            version,
            headers,
            reused,
            ..
        } = response;
        self.answer = Some(answer(
            ResponseHead {
                status,
                version,
                headers,
            },
            reused,
        ));
        Ok(())
    }

    fn classify(&mut self, client: &Client, response: &Response) -> Result<(), Error> {
        match response.status {
            206 if !is_whole_range(&response.headers) => {
                self.outcome = Outcome::Truncated;
                self.error = Some(PART.to_owned());
            }
            200..=299 if response.body_skipped => self.outcome = Outcome::WrongType,
            200..=299 => self.outcome = Outcome::Fetched,
            304 => self.outcome = Outcome::NotModified,
            301 | 302 | 303 | 307 | 308 => {
                let base = parsed(&client.url)?;
                let policy = setup::canonical_policy(&client.config);
                match location(&response.headers) {
                    None => self.error = Some("a redirect without a Location".to_owned()),
                    Some(location) => match CanonicalUrl::join(&base, location.trim(), &policy) {
                        Err(why) => {
                            self.error = Some(format!("redirect to {location:?}: {why}"));
                        }
                        Ok(target) => {
                            self.outcome = Outcome::Redirected;
                            self.redirect_target = Some(target);
                        }
                    },
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Decompresses and parses the body.
    fn look_into(&mut self, client: &Client, response: &Response) -> Result<(), Error> {
        let work = Work {
            body: response.body.clone(),
            content_type: header(&response.headers, CONTENT_TYPE),
            content_encoding: header(&response.headers, CONTENT_ENCODING),
            purpose: Purpose::Page,
        };
        let options = setup::analysis_options(&client.config);
        let most = options.most_bytes(work.purpose);
        let analysis = match analyse(work, most, &options, &client.clock) {
            Ok(analysis) => analysis,
            Err(error) => {
                self.outcome = outcome_of_decoding(&error);
                self.error = Some(error.to_string());
                self.failed_in = Some("parse");
                return Ok(());
            }
        };
        let Analysis {
            body_bytes,
            digest,
            found,
            body_text,
            took,
            kind,
            body: _,
            _room: _,
            is_given_up: _,
        } = analysis;
        // As in a crawl: the header said nothing, and it is no text either.
        let is_untyped = !response.headers.contains_key(CONTENT_TYPE);
        if self.outcome == Outcome::Fetched && is_untyped && kind == BodyKind::Other {
            self.outcome = Outcome::WrongType;
        }
        self.times.parse = took;
        self.body_bytes = body_bytes;
        self.digest = Some(digest);
        self.body = body_text;
        match found {
            Found::Document(document) => {
                let rules = setup::follow_rules(&client.config, &client.seeds)?;
                self.charset = Some(document.charset.name);
                self.page = Some(found_page(
                    *document,
                    body_bytes,
                    &rules,
                    &parsed(&client.url)?,
                ));
            }
            Found::Text(charset) => self.charset = Some(charset),
            Found::Sitemap(_) | Found::Nothing => {}
        }
        Ok(())
    }
}

/// The state in which an exchange failed.
fn failed_in(error: &FetchError, times: &PageTimes) -> &'static str {
    let of_stage = |stage: Stage| match stage {
        Stage::Dns => "dns",
        Stage::Connect => "connect",
        Stage::Tls => "tls",
        Stage::FirstByte => "first_byte",
        Stage::Body => "body",
        // The last state that was entered.
        Stage::Total => {
            let entered = times
                .states()
                .into_iter()
                .rev()
                .find(|(_, spent)| !spent.is_zero());
            entered.map_or("dns", |(name, _)| name)
        }
    };
    match error.kind() {
        FetchErrorKind::DnsFailed => "dns",
        FetchErrorKind::TlsFailed => "tls",
        FetchErrorKind::TimedOut(stage) => of_stage(stage),
        FetchErrorKind::ConnectFailed
        | FetchErrorKind::ProxyFailed
        | FetchErrorKind::BlockedAddress(_)
        | FetchErrorKind::AddressBusy => "connect",
        _ if error.head().is_some() => "body",
        _ => "first_byte",
    }
}

fn answer(head: ResponseHead, reused: bool) -> Answer {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter();
    Answer {
        status: head.status,
        version: head.version,
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        reused,
    }
}

fn found_page(
    document: Document,
    body_bytes: u64,
    rules: &FollowRules,
    url: &url::Url,
) -> FoundPage {
    // One page's links: nobody gains by colliding with them.
    let mut known = KnownLinks::new(Fingerprinter::new([0; 2]));
    let resolved = rules.resolve(&document, url, body_bytes, &mut known);
    let other_links = document.outlinks.len().saturating_sub(resolved.len());
    let links = resolved.iter(&document).filter_map(|(url, outlink)| {
        Some(FoundLink {
            url: CanonicalUrl::from_serialized(url)?,
            text: outlink.text.clone(),
            rel: outlink.rel.clone(),
            kind: outlink.kind.as_str(),
        })
    });
    let links = links.collect();
    let canonical = resolved.canonical.as_deref();
    let canonical = canonical.and_then(CanonicalUrl::from_serialized);
    FoundPage {
        charset_source: document.charset.source.as_str(),
        title: document.title,
        description: document.description,
        language: document.language,
        canonical,
        robots_meta: document.robots_meta,
        links,
        other_links,
        warnings: document.warnings.into_iter().map(Warning::as_str).collect(),
        text: document.text,
        simhash: document.simhash,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nephila_parse::{ParseOptions, parse_html};

    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_failure_names_the_state_it_happened_in() {
        let url = url::Url::parse("http://a.test/").unwrap();
        let spent = nephila_fetch::Times {
            dns: millis(1),
            connect: millis(2),
            ..Default::default()
        };
        for (kind, state) in [
            (FetchErrorKind::DnsFailed, "dns"),
            (FetchErrorKind::ConnectFailed, "connect"),
            (FetchErrorKind::TlsFailed, "tls"),
            (FetchErrorKind::TimedOut(Stage::FirstByte), "first_byte"),
            (FetchErrorKind::TimedOut(Stage::Total), "connect"),
            (FetchErrorKind::ConnectionLost, "first_byte"),
        ] {
            let error = FetchError::simulated(kind, "no", url.clone(), spent);
            assert_eq!(failed_in(&error, &PageTimes::of(spent)), state, "{kind:?}");
        }
        let times = PageTimes {
            parse: millis(4),
            ..PageTimes::of(spent)
        };
        assert_eq!(times.total(), millis(7));
    }

    #[test]
    fn links_are_resolved_and_counted_by_kind() {
        let html = br#"<base href="/dir/"><link rel=canonical href="c"><a href="x">one</a>
            <a href="mailto:m@a.test">m</a><area href="/y"><a href="z#part">two</a>"#;
        let document = parse_html(html, None, &ParseOptions::default());
        let config = Settings::new().check().unwrap();
        let seeds = crate::seeds::parse_seeds(&["http://a.test/".to_owned()], &config).unwrap();
        let rules = setup::follow_rules(&config, &seeds).unwrap();
        let url = url::Url::parse("http://a.test/page").unwrap();
        let page = found_page(document, html.len() as u64, &rules, &url);
        let urls: Vec<_> = page.links.iter().map(|link| link.url.as_str()).collect();
        let expected =
            ["/dir/c", "/dir/x", "/y", "/dir/z"].map(|path| format!("http://a.test{path}"));
        assert_eq!(urls, expected);
        assert_eq!(page.other_links, 1);
        assert_eq!(
            page.canonical.as_ref().unwrap().as_str(),
            "http://a.test/dir/c"
        );
        let counts: Vec<_> = page.links_by_kind().into_iter().collect();
        assert_eq!(counts, [("anchor", 2), ("area", 1), ("canonical", 1)]);
    }
}
