//! The scope: which URLs belong to the crawl, and the rule that refuses one that does not.

use std::fmt;
use std::time::Duration;

use regex::RegexSet;

use crate::canonical::CanonicalUrl;
use crate::dates::months_ahead;
use crate::moment::Moment;

/// How far from its seeds a crawl goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScopeRule {
    /// The hosts of the seeds (name and port).
    #[default]
    Host,
    /// The registrable domains of the seeds, by the public suffix list.
    Domain,
    /// The directories of the seeds: `http://a/b/c.html` gives all below `http://a/b/`.
    Prefix,
    /// Everywhere.
    Any,
}

/// The bounds that a URL is held against before it is admitted.
#[derive(Clone, Debug)]
pub struct ScopeLimits {
    /// Longest canonical URL, in bytes.
    pub max_url_bytes: usize,
    /// Highest link distance from a seed.
    pub max_hops: Option<u16>,
    /// How often a path segment, or a run of up to three, may stand in a row; 0 is no limit.
    pub max_repeated_segments: usize,
    /// How many URLs of one path that differ only in their query; 0 is no limit.
    pub max_query_variants: u32,
    /// Most segments of a path; 0 is no limit.
    pub max_path_depth: usize,
    /// How far ahead of the present a date in a URL may lie.
    pub max_date_ahead: Option<Duration>,
}

/// Which rule refused a URL, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The scope rule; the text names it and what it holds.
    Scope(String),
    /// No `--include` expression matches.
    NotIncluded,
    /// This `--exclude` expression matches.
    Excluded(String),
    /// Longer than `--max-url-length`; the length in bytes.
    TooLong(usize),
    /// Further from a seed than `--max-hops`.
    TooManyHops(u16),
    /// A repeating path, by `--max-repeated-segments`; the segments that repeat.
    RepeatedSegments(String),
    /// Too many query variants of one path, by `--max-query-variants`.
    QueryVariants,
    /// More path segments than `--max-path-depth`; how many.
    TooDeep(usize),
    /// A date beyond `--max-date-ahead`; by how many months it lies ahead.
    FarDate(u32),
    /// URLs that differ from it in numbers only lead to the same content, by
    /// `--max-shape-repeats`; how many did in a row.
    BarrenShape(u32),
}

impl Refusal {
    /// The option that decides, as written on the command line.
    pub fn option(&self) -> &'static str {
        match self {
            Refusal::Scope(_) => "scope",
            Refusal::NotIncluded => "include",
            Refusal::Excluded(_) => "exclude",
            Refusal::TooLong(_) => "max-url-length",
            Refusal::TooManyHops(_) => "max-hops",
            Refusal::RepeatedSegments(_) => "max-repeated-segments",
            Refusal::QueryVariants => "max-query-variants",
            Refusal::TooDeep(_) => "max-path-depth",
            Refusal::FarDate(_) => "max-date-ahead",
            Refusal::BarrenShape(_) => "max-shape-repeats",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Scope(rule) => write!(formatter, "out of scope: {rule}"),
            Refusal::NotIncluded => write!(formatter, "matches no --include expression"),
            Refusal::Excluded(pattern) => write!(formatter, "matches --exclude {pattern}"),
            Refusal::TooLong(bytes) => {
                write!(formatter, "{bytes} bytes are over --max-url-length")
            }
            Refusal::TooManyHops(hops) => write!(formatter, "{hops} hops are over --max-hops"),
            Refusal::RepeatedSegments(run) => {
                write!(
                    formatter,
                    "its path repeats {run} (--max-repeated-segments)"
                )
            }
            Refusal::QueryVariants => {
                write!(
                    formatter,
                    "too many query variants of its path (--max-query-variants)"
                )
            }
            Refusal::TooDeep(depth) => {
                write!(formatter, "{depth} path segments are over --max-path-depth")
            }
            Refusal::FarDate(months) => write!(
                formatter,
                "its date is {months} months ahead, over --max-date-ahead"
            ),
            Refusal::BarrenShape(pages) => write!(
                formatter,
                "{pages} pages in a row, whose URLs differ from it in numbers only, said the same \
                 (--max-shape-repeats)"
            ),
        }
    }
}

/// The scope of one crawl: checked once a link, so it allocates only where it refuses.
#[derive(Clone, Debug)]
pub struct Scope {
    rule: ScopeRule,
    /// Hosts, registrable domains or prefixes of the seeds, by the rule; sorted.
    allowed: Vec<String>,
    include: RegexSet,
    exclude: RegexSet,
    limits: ScopeLimits,
}

impl Scope {
    /// The scope that these seeds span under `rule`, narrowed by `include` and `exclude`
    /// (expressions on the canonical URL).
    pub fn new(
        rule: ScopeRule,
        seeds: &[CanonicalUrl],
        include: RegexSet,
        exclude: RegexSet,
        limits: ScopeLimits,
    ) -> Scope {
        let mut allowed: Vec<String> = seeds
            .iter()
            .filter_map(|seed| match rule {
                ScopeRule::Host => Some(seed.host().to_owned()),
                ScopeRule::Domain => Some(registrable_domain(seed.host_name()).to_owned()),
                ScopeRule::Prefix => Some(directory(seed)),
                ScopeRule::Any => None,
            })
            .collect();
        allowed.sort();
        allowed.dedup();
        Scope {
            rule,
            allowed,
            include,
            exclude,
            limits,
        }
    }

    /// The bounds of this scope.
    pub fn limits(&self) -> &ScopeLimits {
        &self.limits
    }

    /// Whether the URL belongs to the crawl; the refusal names the rule that decides.
    ///
    /// # Errors
    /// The [`Refusal`], which is an answer and not a failure.
    pub fn check(&self, url: &CanonicalUrl, hops: u16) -> Result<(), Refusal> {
        if url.as_str().len() > self.limits.max_url_bytes {
            return Err(Refusal::TooLong(url.as_str().len()));
        }
        self.check_host(url)?;
        if !self.allows_hops(hops) {
            return Err(Refusal::TooManyHops(hops));
        }
        if !self.include.is_empty() && !self.include.is_match(url.as_str()) {
            return Err(Refusal::NotIncluded);
        }
        self.check_beside(url)
    }

    /// Whether a URL so far from a seed belongs to the crawl, as far as that decides.
    pub fn allows_hops(&self, hops: u16) -> bool {
        self.limits.max_hops.is_none_or(|most| hops <= most)
    }

    /// Whether a URL is on a host of the scope.
    ///
    /// # Errors
    /// [`Refusal::Scope`], which is an answer and not a failure.
    pub fn check_host(&self, url: &CanonicalUrl) -> Result<(), Refusal> {
        match self.rule_allows(url) {
            true => Ok(()),
            false => Err(Refusal::Scope(self.describe())),
        }
    }

    /// Whether a URL may be fetched beside the pages, on whatever host: a sitemap, or what a
    /// robots.txt redirects to. Its length, `--exclude` and the rules on paths hold.
    ///
    /// # Errors
    /// The rule that refuses it, which is an answer and not a failure.
    pub fn check_beside(&self, url: &CanonicalUrl) -> Result<(), Refusal> {
        if url.as_str().len() > self.limits.max_url_bytes {
            return Err(Refusal::TooLong(url.as_str().len()));
        }
        if !self.exclude.is_empty()
            && let Some(index) = self.exclude.matches(url.as_str()).iter().next()
        {
            let pattern = self
                .exclude
                .patterns()
                .get(index)
                .cloned()
                .unwrap_or_default();
            return Err(Refusal::Excluded(pattern));
        }
        let depth = depth(url.path());
        if self.limits.max_path_depth > 0 && depth > self.limits.max_path_depth {
            return Err(Refusal::TooDeep(depth));
        }
        match repeated_run(url.path(), self.limits.max_repeated_segments) {
            Some(run) => Err(Refusal::RepeatedSegments(run)),
            None => Ok(()),
        }
    }

    /// Whether the date in a URL, where it has one, is not too far ahead of `now`.
    ///
    /// # Errors
    /// [`Refusal::FarDate`], which is an answer and not a failure.
    pub fn check_date(&self, url: &CanonicalUrl, now: Moment) -> Result<(), Refusal> {
        const SECONDS_A_DAY: u64 = 86_400;
        let Some(ahead) = self.limits.max_date_ahead else {
            return Ok(());
        };
        match months_ahead(url, now, ahead.as_secs() / SECONDS_A_DAY) {
            Some(months) => Err(Refusal::FarDate(months)),
            None => Ok(()),
        }
    }

    fn rule_allows(&self, url: &CanonicalUrl) -> bool {
        match self.rule {
            ScopeRule::Any => true,
            ScopeRule::Host => self.holds(url.host()),
            ScopeRule::Domain => self.holds(registrable_domain(url.host_name())),
            ScopeRule::Prefix => self
                .allowed
                .iter()
                .any(|p| url.as_str().starts_with(p.as_str())),
        }
    }

    fn holds(&self, key: &str) -> bool {
        self.allowed
            .binary_search_by(|held| held.as_str().cmp(key))
            .is_ok()
    }

    fn describe(&self) -> String {
        const SHOWN: usize = 3;
        let name = match self.rule {
            ScopeRule::Host => "host",
            ScopeRule::Domain => "domain",
            ScopeRule::Prefix => "prefix",
            ScopeRule::Any => "any",
        };
        let first: Vec<&str> = self
            .allowed
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        let more = self.allowed.len().saturating_sub(SHOWN);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("--scope {name} holds {}{rest}", first.join(", "))
    }
}

/// The registrable domain (public suffix and one label) of a host's name; the name itself where
/// there is none, as for an IP address or `localhost`.
pub fn registrable_domain(host_name: &str) -> &str {
    if host_name.starts_with('[') || host_name.parse::<std::net::Ipv4Addr>().is_ok() {
        return host_name;
    }
    let name = host_name.strip_suffix('.').unwrap_or(host_name);
    psl::domain_str(name).unwrap_or(name)
}

/// The URL up to and with the last `/` of its path.
fn directory(seed: &CanonicalUrl) -> String {
    let path = seed.path();
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    let head = seed.as_str().len() - seed.path_and_query().len();
    seed.as_str()
        .get(..head + end)
        .unwrap_or(seed.as_str())
        .to_owned()
}

/// Segments of a path that are not empty.
fn depth(path: &str) -> usize {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .count()
}

/// The first run of one to three path segments that stands more than `most` times in a row.
fn repeated_run(path: &str, most: usize) -> Option<String> {
    const LONGEST_RUN: usize = 3;
    if most == 0 || path.bytes().filter(|byte| *byte == b'/').count() <= most {
        return None;
    }
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    for length in 1..=LONGEST_RUN {
        let mut equal = 0;
        for (index, (earlier, later)) in segments
            .iter()
            .zip(segments.iter().skip(length))
            .enumerate()
        {
            equal = if earlier == later { equal + 1 } else { 0 };
            if equal >= length * most {
                let run = segments.iter().skip(index + 1 - equal).take(length);
                return Some(run.copied().collect::<Vec<_>>().join("/"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::parse(text, &crate::CanonicalPolicy::default()).unwrap()
    }

    fn limits() -> ScopeLimits {
        ScopeLimits {
            max_url_bytes: 100,
            max_hops: Some(3),
            max_repeated_segments: 3,
            max_query_variants: 0,
            max_path_depth: 12,
            max_date_ahead: Some(Duration::from_secs(730 * 86_400)),
        }
    }

    fn scope(rule: ScopeRule, seeds: &[&str]) -> Scope {
        let seeds: Vec<_> = seeds.iter().map(|seed| url(seed)).collect();
        Scope::new(rule, &seeds, RegexSet::empty(), RegexSet::empty(), limits())
    }

    #[test]
    fn host_is_name_and_port_whatever_the_scheme() {
        let scope = scope(ScopeRule::Host, &["http://a.test/x"]);
        assert!(scope.check(&url("https://a.test/y"), 0).is_ok());
        assert!(scope.check(&url("http://a.test:8080/"), 0).is_err());
        assert!(scope.check(&url("http://b.a.test/"), 0).is_err());
    }

    #[test]
    fn domain_is_by_the_public_suffix_list() {
        let scope = scope(ScopeRule::Domain, &["http://www.example.co.uk/"]);
        assert!(
            scope
                .check(&url("http://shop.example.co.uk:81/"), 0)
                .is_ok()
        );
        assert!(scope.check(&url("http://other.co.uk/"), 0).is_err());
        assert_eq!(registrable_domain("127.0.0.1"), "127.0.0.1");
        assert_eq!(registrable_domain("user.github.io"), "user.github.io");
    }

    #[test]
    fn prefix_is_the_directory_of_the_seed() {
        let scope = scope(ScopeRule::Prefix, &["http://a.test/docs/index.html?x=/y/"]);
        assert!(scope.check(&url("http://a.test/docs/more/1"), 0).is_ok());
        assert!(scope.check(&url("http://a.test/doc"), 0).is_err());
    }

    #[test]
    fn include_and_exclude_look_at_the_whole_url() {
        let scope = Scope::new(
            ScopeRule::Any,
            &[],
            RegexSet::new([r"/keep/"]).unwrap(),
            RegexSet::new([r"\.pdf$"]).unwrap(),
            limits(),
        );
        assert!(scope.check(&url("http://a.test/keep/1"), 0).is_ok());
        assert_eq!(
            scope.check(&url("http://a.test/other"), 0),
            Err(Refusal::NotIncluded)
        );
        assert_eq!(
            scope.check(&url("http://a.test/keep/1.pdf"), 0),
            Err(Refusal::Excluded(r"\.pdf$".to_owned()))
        );
    }

    #[test]
    fn length_hops_and_repeats_are_bounded() {
        let scope = scope(ScopeRule::Any, &[]);
        let long = format!("http://a.test/{}", "x".repeat(100));
        assert_eq!(scope.check(&url(&long), 0), Err(Refusal::TooLong(114)));
        assert_eq!(
            scope.check(&url("http://a.test/"), 4),
            Err(Refusal::TooManyHops(4))
        );
        assert!(scope.check(&url("http://a.test/a/a/a/b"), 0).is_ok());
        let four = scope.check(&url("http://a.test/a/a/a/a/b"), 0);
        assert_eq!(four, Err(Refusal::RepeatedSegments("a".to_owned())));
        let pairs = scope.check(&url("http://a.test/x/a/b/a/b/a/b/a/b"), 0);
        assert_eq!(pairs, Err(Refusal::RepeatedSegments("a/b".to_owned())));
        assert!(
            scope
                .check(&url("http://a.test/x/a/b/a/b/a/b/c"), 0)
                .is_ok()
        );
        let deep = scope.check(&url("http://a.test/1/2/3/4/5/6/7/8/9//10/11/12/13/"), 0);
        assert_eq!(deep, Err(Refusal::TooDeep(13)));
        let calendar = url("http://a.test/cal?y=2031&m=1");
        let now = Moment::from_micros(1_795_391_999_000_000);
        assert_eq!(scope.check_date(&calendar, now), Err(Refusal::FarDate(50)));
        assert_eq!(
            scope.check_date(&url("http://a.test/2026/12/"), now),
            Ok(())
        );
    }
}
