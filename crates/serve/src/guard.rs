//! Who may ask for what.
//!
//! A page of another site, open in the same browser, must neither act nor read here. It cannot read what
//! has another origin, and cannot send `application/json` there without being asked first, which is never
//! granted here. What is left is a name of its own that it lets lead to this machine (DNS rebinding), for
//! then the origins are equal: so the name that was asked for has to be one of this server's.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use http::{HeaderMap, Method, StatusCode, Uri};
use subtle::ConstantTimeEq;

/// What the browser says of where a request comes from (Fetch Metadata, W3C).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rules of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Names beside its address under which it may be asked, in small letters.
    pub(crate) names: Vec<String>,
    /// What whoever asks for data or acts has to know.
    pub(crate) token: Option<String>,
}

/// A request that is not answered, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) why: &'static str,
}

/// What the guard looks at.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// The address of this machine that the connection came to.
    pub(crate) local: IpAddr,
    /// Whether the answer tells of the crawl, or changes it.
    pub(crate) is_guarded: bool,
}

fn refuse<T>(status: StatusCode, why: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, why })
}

impl Guard {
    /// Whether a request may be answered.
    pub(crate) fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let host = self.check_host(asked)?;
        check_origin(asked.headers, host)?;
        if asked.is_guarded {
            check_site(asked.headers)?;
            self.check_token(asked.headers)?;
        }
        if *asked.method == Method::POST {
            check_type(asked.headers)?;
        }
        Ok(())
    }

    /// The authority that was asked for, where it is one of this server's. Its port is not looked at: a
    /// tunnel has another.
    fn check_host<'a>(&self, asked: &Asked<'a>) -> Result<&'a str, Refusal> {
        if asked.uri.authority().is_some() {
            return refuse(StatusCode::BAD_REQUEST, "this is no proxy");
        }
        let Some(authority) = single(asked.headers, HOST) else {
            return refuse(StatusCode::BAD_REQUEST, "one Host header is wanted");
        };
        let name = host_of(authority).to_ascii_lowercase();
        let local = asked.local.to_canonical();
        let is_own = match name.parse::<IpAddr>() {
            Ok(address) => address.to_canonical() == local,
            Err(_) => name == "localhost" && local.is_loopback(),
        };
        if is_own || self.names.contains(&name) {
            return Ok(authority);
        }
        refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "this server does not go by that name (--serve-host NAME allows one)",
        )
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let given = single(headers, AUTHORIZATION)
            .and_then(bearer)
            .unwrap_or("");
        if bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
            return Ok(());
        }
        refuse(
            StatusCode::UNAUTHORIZED,
            "the token is missing, or is another",
        )
    }
}

/// RFC 6750 section 2.1; the scheme's letters may be large or small (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where the request comes from a page, that page is this server's (RFC 6454 section 7).
fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = single(headers, ORIGIN).unwrap_or("");
    let is_own = ["http://", "https://"].iter().any(|scheme| {
        let rest = origin.strip_prefix(scheme);
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    });
    if is_own {
        return Ok(());
    }
    refuse(StatusCode::FORBIDDEN, "asked for by a page of another site")
}

fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes()) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => refuse(StatusCode::FORBIDDEN, "asked for by a page of another site"),
    }
}

/// A form of another site cannot send this type.
fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = single(headers, CONTENT_TYPE).unwrap_or("");
    let kind = given.split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    refuse(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Content-Type: application/json is wanted",
    )
}

/// A header that is there once, as text.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        None => value.to_str().ok(),
        Some(_) => None,
    }
}

/// The host of an authority, without its port and brackets.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or("");
    }
    authority.split(':').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn ask(method: &str, target: &str, local: &str, headers: &[(&str, &str)]) -> Result<(), u16> {
        asked(&Guard::default(), method, target, local, headers)
    }

    fn asked(
        guard: &Guard,
        method: &str,
        target: &str,
        local: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let checked = guard.check(&Asked {
            method: &method.parse().unwrap(),
            uri: &target.parse().unwrap(),
            headers: &map,
            local: local.parse().unwrap(),
            is_guarded: target.starts_with("/api"),
        });
        checked.map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn it_goes_by_its_own_address_and_names_only() {
        for (local, host, answer) in [
            ("127.0.0.1", "127.0.0.1:8642", Ok(())),
            ("127.0.0.1", "localhost:9000", Ok(())),
            ("127.0.0.1", "LOCALHOST", Ok(())),
            ("::1", "[::1]:8642", Ok(())),
            ("::ffff:10.0.0.1", "10.0.0.1", Ok(())),
            ("10.0.0.1", "localhost", Err(421)),
            ("127.0.0.1", "10.0.0.1", Err(421)),
            ("127.0.0.1", "evil.test", Err(421)),
            ("127.0.0.1", "localhost.evil.test", Err(421)),
            ("127.0.0.1", "127.0.0.1.evil.test", Err(421)),
            ("127.0.0.1", "evil.test:8642", Err(421)),
            ("127.0.0.1", "", Err(421)),
        ] {
            assert_eq!(ask("GET", "/", local, &[("host", host)]), answer, "{host}");
        }
        assert_eq!(ask("GET", "/", "127.0.0.1", &[]), Err(400));
        let twice = [("host", "localhost"), ("host", "evil.test")];
        assert_eq!(ask("GET", "/", "127.0.0.1", &twice), Err(400));
        let proxied = ask(
            "GET",
            "http://localhost/",
            "127.0.0.1",
            &[("host", "localhost")],
        );
        assert_eq!(proxied, Err(400));
        let named = Guard {
            names: vec!["crawl.example".to_owned()],
            token: None,
        };
        let headers = [
            ("host", "Crawl.example:443"),
            ("origin", "https://crawl.example:443"),
        ];
        assert_eq!(asked(&named, "GET", "/", "10.0.0.1", &headers), Ok(()));
    }

    #[test]
    fn a_page_of_another_site_is_refused_whatever_it_asks() {
        for origin in [
            "http://evil.test",
            "null",
            "http://localhost:3000",
            "http://localhost",
            "ftp://localhost:1",
            "",
        ] {
            for target in ["/", "/api/state", "/healthz"] {
                let headers = [("host", "localhost:1"), ("origin", origin)];
                assert_eq!(
                    ask("GET", target, "127.0.0.1", &headers),
                    Err(403),
                    "{origin}"
                );
            }
        }
        let own = [("host", "localhost:1"), ("origin", "http://localhost:1")];
        assert_eq!(ask("GET", "/api/state", "127.0.0.1", &own), Ok(()));
        for site in ["cross-site", "same-site"] {
            let headers = [("host", "localhost:1"), ("sec-fetch-site", site)];
            assert_eq!(ask("GET", "/api/state", "127.0.0.1", &headers), Err(403));
            assert_eq!(
                ask("GET", "/", "127.0.0.1", &headers),
                Ok(()),
                "a link to the page"
            );
        }
    }

    #[test]
    fn an_action_is_json() {
        for (kind, answer) in [
            ("application/json", Ok(())),
            ("Application/JSON; charset=utf-8", Ok(())),
            ("text/plain", Err(415)),
            ("application/x-www-form-urlencoded", Err(415)),
            ("text/plain; application/json", Err(415)),
        ] {
            let headers = [("host", "localhost"), ("content-type", kind)];
            assert_eq!(
                ask("POST", "/api/stop", "127.0.0.1", &headers),
                answer,
                "{kind}"
            );
        }
        let bare = ask("POST", "/api/stop", "127.0.0.1", &[("host", "localhost")]);
        assert_eq!(bare, Err(415));
    }

    #[test]
    fn with_a_token_nothing_is_told_without_it() {
        let guard = Guard {
            names: Vec::new(),
            token: Some(TOKEN.to_owned()),
        };
        for (given, answer) in [
            ("Bearer 0123456789abcdef", Ok(())),
            ("bearer 0123456789abcdef", Ok(())),
            ("Bearer 0123456789abcdeF", Err(401)),
            ("Bearer 0123456789abcde", Err(401)),
            ("Bearer", Err(401)),
            ("Basic 0123456789abcdef", Err(401)),
            ("0123456789abcdef", Err(401)),
        ] {
            let headers = [("host", "localhost"), ("authorization", given)];
            let got = asked(&guard, "GET", "/api/state", "127.0.0.1", &headers);
            assert_eq!(got, answer, "{given}");
        }
        let bare = [("host", "localhost")];
        assert_eq!(
            asked(&guard, "GET", "/api/state", "127.0.0.1", &bare),
            Err(401)
        );
        assert_eq!(
            asked(&guard, "GET", "/", "127.0.0.1", &bare),
            Ok(()),
            "holds nothing"
        );
    }
}
