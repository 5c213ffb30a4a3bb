//! Canonical URLs, scope and stored URLs: `nephila_frontier`.

use nephila_frontier::{
    CanonicalPolicy, CanonicalUrl, Moment, QueryPolicy, QueuedUrl, Scope, ScopeLimits, ScopeRule,
    registrable_domain,
};
use regex::RegexSet;

use crate::choice;

/// Reads a base and references to it, one a line; the first byte chooses the policy.
///
/// Promises: the canonical form of a canonical URL is itself, under every policy; it parses, and its
/// parts are those of the parse; a seed is in its own scope; what is stored reads back, and other
/// bytes are refused without a panic.
pub fn canonical_url(data: &[u8]) {
    let (variant, rest) = choice(data);
    let policy = policy(variant);
    let text = String::from_utf8_lossy(rest);
    let mut lines = text.split('\n');
    let base = lines.next().unwrap_or_default();
    if let Ok(canonical) = CanonicalUrl::parse(base, &policy) {
        check_canonical(&canonical, &policy);
        check_scope(&canonical);
        check_stored(&canonical);
        if let Ok(url) = canonical.to_url() {
            for reference in lines.take(8) {
                if let Ok(joined) = CanonicalUrl::join(&url, reference, &policy) {
                    check_canonical(&joined, &policy);
                    check_scope(&joined);
                }
            }
        }
    }
    let mut bytes = rest;
    while !bytes.is_empty() && QueuedUrl::decode(&mut bytes).is_some() {}
    if let Some(read) = CanonicalUrl::from_serialized(&text) {
        assert_eq!(read.as_str(), text);
        check_parts(&read);
    }
}

fn policy(variant: u8) -> CanonicalPolicy {
    let query = match variant % 3 {
        0 => QueryPolicy::Keep,
        1 => QueryPolicy::Sort,
        _ => QueryPolicy::Drop,
    };
    let drop_parameters = if variant & 0x80 == 0 {
        Vec::new()
    } else {
        vec!["utm_*".to_owned(), "sid".to_owned(), String::new()]
    };
    CanonicalPolicy {
        query,
        drop_parameters,
        strip_sessions: variant & 0x40 != 0,
    }
}

fn check_canonical(canonical: &CanonicalUrl, policy: &CanonicalPolicy) {
    let again = CanonicalUrl::parse(canonical.as_str(), policy);
    assert_eq!(again.as_ref(), Ok(canonical), "not idempotent");
    let read = CanonicalUrl::from_serialized(canonical.as_str());
    assert_eq!(read.as_ref(), Some(canonical));
    assert!(["http", "https"].contains(&canonical.scheme()));
    assert!(!canonical.host_name().is_empty());
    let plain = |byte: u8| byte.is_ascii_graphic();
    assert!(canonical.as_str().bytes().all(plain), "{canonical}");
    check_parts(canonical);

    let url = canonical.to_url();
    assert_eq!(url.as_ref().map(url::Url::as_str), Ok(canonical.as_str()));
    if let Ok(url) = url {
        assert_eq!(url.host_str(), Some(canonical.host_name()));
        assert_eq!(url.path(), canonical.path());
        assert_eq!(url.query(), canonical.query());
        assert_eq!(url.fragment(), None);
        assert!(url.username().is_empty() && url.password().is_none());
    }
    let robots = canonical.sibling("/robots.txt");
    assert_eq!(
        robots.map(|robots| robots.host().to_owned()).as_deref(),
        Some(canonical.host())
    );
}

/// The parts put together are the whole.
fn check_parts(url: &CanonicalUrl) {
    let whole = format!("{}://{}{}", url.scheme(), url.host(), url.path_and_query());
    assert_eq!(whole, url.as_str());
    assert!(url.host().starts_with(url.host_name()));
    let path = url.path().to_owned();
    let path_and_query = url
        .query()
        .map_or(path.clone(), |query| format!("{path}?{query}"));
    assert_eq!(path_and_query, url.path_and_query());
    assert!(
        url.host_name()
            .contains(registrable_domain(url.host_name()))
    );
}

fn check_scope(url: &CanonicalUrl) {
    let wide = ScopeLimits {
        max_url_bytes: usize::MAX,
        max_hops: None,
        max_repeated_segments: 0,
        max_query_variants: 0,
        max_path_depth: 0,
        max_date_ahead: None,
    };
    let narrow = ScopeLimits {
        max_url_bytes: 40,
        max_hops: Some(1),
        max_repeated_segments: 1,
        max_query_variants: 1,
        max_path_depth: 2,
        max_date_ahead: Some(std::time::Duration::from_secs(86_400)),
    };
    for rule in [
        ScopeRule::Host,
        ScopeRule::Domain,
        ScopeRule::Prefix,
        ScopeRule::Any,
    ] {
        let seeds = std::slice::from_ref(url);
        let scope = |limits: &ScopeLimits| {
            let none = RegexSet::empty();
            Scope::new(rule, seeds, none.clone(), none, limits.clone())
        };
        assert_eq!(scope(&wide).check(url, 0), Ok(()), "{rule:?}");
        if let Err(refusal) = scope(&narrow).check(url, 0) {
            assert!(!refusal.to_string().is_empty() && !refusal.option().is_empty());
        }
    }
}

fn check_stored(url: &CanonicalUrl) {
    let referrer = Some(url.as_str().into());
    let queued = QueuedUrl::page(url.clone(), 3, referrer, Moment::from_micros(7));
    let mut bytes = Vec::new();
    queued.encode(&mut bytes);
    assert_eq!(QueuedUrl::decode(&mut bytes.as_slice()), Some(queued));
}
