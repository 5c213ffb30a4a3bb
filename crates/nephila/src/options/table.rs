//! The table of options: each once, with its default, its bounds and the reason for the default.
//!
//! Command-line flags, the help text, the reference page, `crawl.toml` and the environment's
//! variables all come from here.

use std::path::PathBuf;
use std::time::Duration;

use nephila_frontier::{Order, QueryPolicy, ScopeRule};

use super::format::Formats;
use super::serve::ServeAddress;
use super::value::{
    Auth, CountOrAuto, Delay, Follow, Header, Nofollow, OptionValue, Pattern, Resolve, Size,
    SkipDuplicates,
};

/// The section of the help text that an option stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Which URLs belong to the crawl.
    Scope,
    /// How hosts are treated.
    Politeness,
    /// How pages are fetched.
    Fetching,
    /// How URLs are found.
    Discovery,
    /// What stands in the rows.
    Output,
    /// How the machine is used.
    Machine,
    /// How a crawl is looked at while it runs.
    Watching,
}

impl Group {
    /// The section's heading.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Scope => "Scope",
            Group::Politeness => "Politeness",
            Group::Fetching => "Fetching",
            Group::Discovery => "Discovery",
            Group::Output => "Output",
            Group::Machine => "Machine",
            Group::Watching => "Watching",
        }
    }
}

/// One option, as data.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name: the flag without its dashes and the key in `crawl.toml`.
    pub name: &'static str,
    /// Its section.
    pub group: Group,
    /// What stands for its value in the help text.
    pub placeholder: &'static str,
    /// Whether it may be given several times.
    pub is_list: bool,
    /// Whether it may be given without a value.
    pub is_switch: bool,
    /// What it means where it is given without a value; empty where it needs one.
    pub without_value: &'static str,
    /// Its default, as the user would write it; empty for an empty list.
    pub default: &'static str,
    /// Its least and greatest value, as the user would write them; empty where there is none.
    pub bounds: (&'static str, &'static str),
    /// Whether `resume` may change it: what was decided by it before stays as it was.
    pub on_resume: bool,
    /// What it does.
    pub help: &'static str,
    /// Why its default is what it is.
    pub reason: &'static str,
    pub(super) set: fn(&mut CrawlConfig, &[String]) -> Result<(), String>,
    pub(super) show: fn(&CrawlConfig) -> Vec<String>,
}

impl OptionSpec {
    /// The default as items: none for an empty list.
    pub fn default_items(&self) -> Vec<String> {
        match self.default {
            "" => Vec::new(),
            text if self.is_list => text.split(',').map(str::to_owned).collect(),
            text => vec![text.to_owned()],
        }
    }

    /// The name of its environment variable.
    pub fn variable(&self) -> String {
        format!(
            "NEPHILA_{}",
            self.name.replace('-', "_").to_ascii_uppercase()
        )
    }

    /// Its value in this configuration, as the user would write it.
    pub fn value(&self, config: &CrawlConfig) -> Vec<String> {
        (self.show)(config)
    }
}

fn within<T: OptionValue>(value: &T, bounds: (&str, &str)) -> Result<(), String> {
    let bound = |text: &str| match text {
        "" => None,
        text => T::parse(&[text.to_owned()])
            .ok()
            .and_then(|bound| bound.magnitude()),
    };
    let Some(magnitude) = value.magnitude() else {
        return Ok(());
    };
    let shown = value.show().join(", ");
    match (bound(bounds.0), bound(bounds.1)) {
        (Some(least), _) if magnitude < least => {
            Err(format!("{shown} is under the least value, {}", bounds.0))
        }
        (_, Some(most)) if magnitude > most => {
            Err(format!("{shown} is over the greatest value, {}", bounds.1))
        }
        _ => Ok(()),
    }
}

macro_rules! options {
    (@when any_time) => { true };
    (@when once) => { false };
    ($(
        $field:ident : $type:ty = $name:literal, $group:ident, $default:literal,
        $least:literal ..= $most:literal, $when:ident, $help:literal, $reason:literal;
    )*) => {
        /// A checked configuration: every value was read and is within its bounds.
        #[derive(Clone, Debug)]
        pub struct CrawlConfig {
            $(#[doc = $help] pub $field: $type,)*
        }

        impl CrawlConfig {
            /// Every option at its default.
            ///
            /// # Errors
            /// Never for the table as it stands: a test reads every default.
            pub(super) fn defaults() -> Result<CrawlConfig, String> {
                Ok(CrawlConfig {
                    $($field: {
                        let is_list = <$type as OptionValue>::IS_LIST;
                        let items: Vec<String> = match $default {
                            "" => Vec::new(),
                            text if is_list => text.split(',').map(str::to_owned).collect(),
                            text => vec![text.to_owned()],
                        };
                        <$type as OptionValue>::parse(&items)
                            .map_err(|why| format!("{}: {why}", $name))?
                    },)*
                })
            }
        }

        /// Every option, in the order of the help text.
        pub static OPTIONS: &[OptionSpec] = &[$(
            OptionSpec {
                name: $name,
                group: Group::$group,
                placeholder: <$type as OptionValue>::PLACEHOLDER,
                is_list: <$type as OptionValue>::IS_LIST,
                is_switch: <$type as OptionValue>::IS_SWITCH,
                without_value: <$type as OptionValue>::WITHOUT_VALUE,
                default: $default,
                bounds: ($least, $most),
                on_resume: options!(@when $when),
                help: $help,
                reason: $reason,
                set: |config, written| {
                    let value = <$type as OptionValue>::parse(written)?;
                    within(&value, ($least, $most))?;
                    config.$field = value;
                    Ok(())
                },
                show: |config| config.$field.show(),
            },
        )*];
    };
}

// field: type = name, group, default, bounds, when it may change (any_time, or once: at the
// start of a crawl only), help, reason.
options! {
    scope: ScopeRule = "scope", Scope, "host", ""..="", once,
        "How far from its seeds a crawl goes: the seeds' hosts (name and port), their registrable domains by the public suffix list, the directories of the seeds, or everywhere",
        "a person who names a site means that site";
    include: Vec<Pattern> = "include", Scope, "", ""..="", once,
        "Take only URLs that match one of these expressions (on the whole canonical URL; seeds too)",
        "nothing is left out unasked";
    exclude: Vec<Pattern> = "exclude", Scope, "", ""..="", once,
        "Leave out URLs that match one of these expressions (on the whole canonical URL)",
        "nothing is left out unasked";
    max_pages: Option<u64> = "max-pages", Scope, "none", "1"..="", any_time,
        "Stop after this many pages; the others stay queued",
        "a site is crawled whole";
    max_pages_per_host: Option<u64> = "max-pages-per-host", Scope, "none", "1"..="", once,
        "Fetch at most this many pages of each host; the others stay queued",
        "a site is crawled whole";
    max_hops: Option<u16> = "max-hops", Scope, "none", "0"..="65534", once,
        "Follow links up to this distance from a seed; 0 fetches the seeds only",
        "a site is crawled whole";
    max_duration: Option<Duration> = "max-duration", Scope, "none", "1s"..="3650d", any_time,
        "Stop after this time; the others stay queued",
        "a site is crawled whole";
    accept: Vec<String> = "accept", Scope,
        "text/html,application/xhtml+xml,text/plain,application/xml,text/xml", ""..="", once,
        "Content types to read (type/subtype, type/* or */*); an answer of another type is cut off after its headers",
        "pages that a person reads, and what stands beside them as text";
    query: QueryPolicy = "query", Scope, "keep", ""..="", once,
        "What becomes of a URL's query: kept as written, sorted by parameter, or dropped",
        "only the server knows which queries mean the same page";
    query_drop: Vec<String> = "query-drop", Scope, "", ""..="", once,
        "Remove query parameters of this name; a trailing * matches any ending (utm_*)",
        "only the server knows which parameters matter";
    max_url_length: Size = "max-url-length", Scope, "2KiB", "16B"..="64KiB", once,
        "Refuse longer URLs",
        "real pages are below; longer ones are nearly always made by a trap";
    max_repeated_segments: usize = "max-repeated-segments", Scope, "3", "0"..="100", once,
        "Refuse URLs whose path has a segment, or a run of up to three, more than this often in a row; 0 switches the rule off",
        "a relative link on a soft 404 makes such paths without end; real ones repeat twice at most";
    max_query_variants: u32 = "max-query-variants", Scope, "5000", "0"..="1000000000", once,
        "Refuse more than this many URLs that differ only in their query; 0 switches the rule off",
        "calendars and filters make them without end; forums have some thousands";
    strip_sessions: bool = "strip-sessions", Scope, "true", ""..="", once,
        "Remove known session identifiers from URLs: ;jsessionid=, (S(...)), PHPSESSID, and sid and the like where their value looks drawn",
        "such an identifier names the visitor, not the page; each answer would name all pages anew";
    max_path_depth: usize = "max-path-depth", Scope, "32", "0"..="1000", once,
        "Refuse URLs whose path has more segments; 0 switches the rule off",
        "real paths have 15 at most; a relative link that deepens its own path has no end";
    max_date_ahead: Option<Duration> = "max-date-ahead", Scope, "730d", "0s"..="3650d", once,
        "Refuse URLs that name a month (/2026/11/, 2026-11-30, ?year=2026&month=11) further ahead than this; none switches the rule off",
        "calendars lead to the next month for ever; what is announced lies within two years";
    max_shape_repeats: u32 = "max-shape-repeats", Scope, "50", "0"..="1000000", once,
        "When this many pages in a row whose URLs differ in numbers and parameters only say nearly the same, refuse further URLs like theirs; 0 switches the rule off",
        "fifty pages in a row without anything new come of a template that answers every number";
    max_copies: u32 = "max-copies", Scope, "50", "0"..="1000000", once,
        "Do not follow the links of a page when this many of its host had the very same body; 0 switches the rule off",
        "a host that answers every address with one page, and links relative to it, has no end";

    ignore_robots: bool = "ignore-robots", Politeness, "false", ""..="", any_time,
        "Do not ask for robots.txt: for one's own sites; the summary says so",
        "robots.txt is the operator's word (RFC 9309)";
    nofollow: Nofollow = "nofollow", Politeness, "auto", ""..="", any_time,
        "Whether nofollow is obeyed: obey (rel=nofollow, meta robots and X-Robots-Tag), ignore, or auto, which obeys all but rel=nofollow within a host on a private or loopback address, and ignores it with --ignore-robots",
        "nofollow is the operator's word, and on one's own machine one is the operator";
    agent: String = "agent", Politeness, "nephila", ""..="", once,
        "The one token of the user agent: sent, and looked for in robots.txt (letters, - and _)",
        "the project's name, so that operators can look it up";
    contact: Option<String> = "contact", Politeness, "none", ""..="", any_time,
        "A URL or address at which operators can reach you; sent in the user agent",
        "only you know it; crawls of other people's sites should have one";
    delay: Delay = "delay", Politeness, "auto", "0s"..="1d", any_time,
        "Least time from the end of one fetch of a host to the start of the next; auto is 1s, and none on private and loopback addresses",
        "at a page a second a small site is not noticeably loaded; one's own machine needs no mercy";
    max_crawl_delay: Duration = "max-crawl-delay", Politeness, "30s", "0s"..="1d", any_time,
        "Obey the crawl-delay of robots.txt up to this",
        "longer ones are mostly mistakes, and would take days for a hundred pages";
    per_host: u16 = "per-host", Politeness, "1", "1"..="1024", any_time,
        "Fetches of one host at once",
        "one is what a person's browser does between pages";
    per_address: u16 = "per-address", Politeness, "8", "1"..="1024", any_time,
        "Fetches of one public IP address at once, over all hosts that live there",
        "thousands of hosts can share one server";
    max_retry_after: Duration = "max-retry-after", Politeness, "5m", "0s"..="1d", any_time,
        "Obey Retry-After, and back off after failures, up to this",
        "a longer wait would hold the end of the crawl";
    backoff: Duration = "backoff", Politeness, "1s", "1ms"..="1h", any_time,
        "First wait after a host failed; doubles with each failure in a row",
        "short faults pass within seconds";
    max_host_failures: u32 = "max-host-failures", Politeness, "20", "0"..="1000000", any_time,
        "Give up a host after this many failures in a row; 0 never does",
        "with doubling waits these take over half an hour";
    robots_lifetime: Duration = "robots-lifetime", Politeness, "24h", "1m"..="24h", any_time,
        "Ask for robots.txt again after this time",
        "the most that RFC 9309 allows";
    robots_attempts: u32 = "robots-attempts", Politeness, "3", "1"..="20", any_time,
        "Ask this often for a robots.txt that is unreachable or answers 5xx, before its host's URLs are given up",
        "with waits of 2 and 4 seconds an outage of a moment is bridged";
    robots_wait: Duration = "robots-wait", Politeness, "2s", "1ms"..="1h", any_time,
        "First wait before an unreachable robots.txt is asked for again; doubles each time",
        "short faults pass within seconds";
    max_robots_size: Size = "max-robots-size", Politeness, "1MiB", "500KiB"..="64MiB", any_time,
        "Read this much of a robots.txt",
        "RFC 9309 asks for 500 KiB at least; 0.1 % of the web's are larger";

    concurrency: CountOrAuto = "concurrency", Fetching, "auto", "1"..="100000", any_time,
        "Fetches in flight at once, over all hosts; auto begins with 64 and finds out how many bring more, up to 10,000 and what open files bear",
        "how many are enough depends on the servers' latency and this machine's processors: `nephila explain` says why it is as many as it is";
    dns_timeout: Duration = "dns-timeout", Fetching, "10s", "1ms"..="10m", any_time,
        "Time limit for resolving a name",
        "resolvers themselves give up after five to ten seconds";
    connect_timeout: Duration = "connect-timeout", Fetching, "10s", "1ms"..="10m", any_time,
        "Time limit for a connection, over all addresses of a host",
        "three lost packets on a slow way";
    tls_timeout: Duration = "tls-timeout", Fetching, "10s", "1ms"..="10m", any_time,
        "Time limit for the TLS handshake",
        "two round trips and the server's computing";
    first_byte_timeout: Duration = "first-byte-timeout", Fetching, "30s", "1ms"..="1h", any_time,
        "Time limit from the request to the first byte of the answer",
        "12 % of the web's pages take over 1.8 s, few over 20";
    idle_timeout: Duration = "idle-timeout", Fetching, "20s", "1ms"..="1h", any_time,
        "Time limit between two pieces of a body",
        "a server that is silent for longer has gone";
    total_timeout: Duration = "total-timeout", Fetching, "2m", "1ms"..="1d", any_time,
        "Time limit for one fetch as a whole",
        "holds what the others cannot: a body that drips for ever";
    max_header_size: Size = "max-header-size", Fetching, "64KiB", "1KiB"..="1MiB", any_time,
        "Largest headers of an answer",
        "browsers take up to 256 KiB; real ones are below 16";
    max_wire_size: Size = "max-wire-size", Fetching, "10MiB", "1KiB"..="4GiB", any_time,
        "Largest body as it comes over the wire",
        "99.9 % of pages are far below";
    max_body_size: Size = "max-body-size", Fetching, "32MiB", "1KiB"..="4GiB", any_time,
        "Largest body after decompression",
        "a bomb is cut here; pages are far below";
    max_redirects: u8 = "max-redirects", Fetching, "10", "0"..="50", any_time,
        "Redirects in a row; each target goes through admission like a link",
        "browsers follow 20, the longest honest chains are below 10";
    retries: u8 = "retries", Fetching, "2", "0"..="20", any_time,
        "Times a fetch is tried again after a passing fault (no connection, time limit, 429, 5xx)",
        "two bridge a fault of seconds";
    retry_wait: Duration = "retry-wait", Fetching, "1s", "1ms"..="1h", any_time,
        "First wait before a retry; doubles each time, with up to half of it at random on top",
        "short faults pass within seconds";
    http2: bool = "http2", Fetching, "true", ""..="", any_time,
        "Offer HTTP/2 where the connection is TLS",
        "77 % of the web speaks it";
    insecure: bool = "insecure", Fetching, "false", ""..="", any_time,
        "Accept certificates that do not verify: for one's own test servers",
        "an answer from an impostor is worth nothing";
    ca: Option<PathBuf> = "ca", Fetching, "none", ""..="", any_time,
        "Trust the certificates in this PEM file too",
        "the public roots (Mozilla's) are built in";
    header: Vec<Header> = "header", Fetching, "", ""..="", any_time,
        "Send this header with every request",
        "none are needed";
    auth: Vec<Auth> = "auth", Fetching, "", ""..="", any_time,
        "Basic authentication, sent to this host only, by the scheme that its seed has or that is written before it (http://HOST=...), else by https",
        "credentials belong to one host";
    cookies: bool = "cookies", Fetching, "false", ""..="", any_time,
        "Keep cookies and send them back to their own site",
        "without cookies each page is what any visitor sees, whatever was fetched before";
    proxy: Option<String> = "proxy", Fetching, "none", ""..="", any_time,
        "Send requests through this proxy (http://[USER:PASSWORD@]HOST:PORT); the usual environment variables hold where this is none",
        "most machines have a way of their own";
    no_proxy: Vec<String> = "no-proxy", Fetching, "", ""..="", any_time,
        "Hosts that are asked without the proxy: names, .domains, addresses or *",
        "none unless named";
    resolve: Vec<Resolve> = "resolve", Fetching, "", ""..="", any_time,
        "Connect to this address for that host and port; * stands for any host",
        "names are resolved by the system's servers";
    allow_private: bool = "allow-private", Fetching, "false", ""..="", any_time,
        "Fetch from private, loopback and link-local addresses even when no seed names them",
        "a stranger's page must not make the crawler ask its owner's machines";
    idle_connections: CountOrAuto = "idle-connections", Fetching, "auto", "0"..="100000", any_time,
        "Connections that each thread keeps open for the next fetch of their host, as far as files may be open; auto is a sixteenth of --concurrency, and 1024 at least",
        "each takes some 25 KiB; a new one costs a round trip, and with TLS as much CPU as a page";

    follow: Vec<Follow> = "follow", Discovery, "a,area", ""..="", once,
        "Kinds of link that lead on; the others stand in the rows",
        "what a person can click; on most sites the other kinds name no further pages";
    sitemaps: bool = "sitemaps", Discovery, "false", ""..="", once,
        "Take the URLs of the sitemaps that robots.txt names, and of /sitemap.xml",
        "what is linked is what is meant to be found; sitemaps add what is not";
    feeds: bool = "feeds", Discovery, "false", ""..="", once,
        "Take the URLs of the RSS and Atom feeds that pages name",
        "feeds repeat what is linked";
    order: Order = "order", Discovery, "breadth-first", ""..="", once,
        "Order of a host's URLs: by hops, or by hops and sitemap priority together",
        "near pages matter most, and hops are then shortest distances";
    max_links: usize = "max-links", Discovery, "100000", "1"..="10000000", any_time,
        "Links of a page that are read",
        "the largest index pages of Java's documentation have 28,000";
    max_sitemap_urls: usize = "max-sitemap-urls", Discovery, "50000", "1"..="10000000", any_time,
        "URLs of one sitemap that are read",
        "the protocol's own limit";
    max_sitemap_size: Size = "max-sitemap-size", Discovery, "50MiB", "1KiB"..="4GiB", any_time,
        "Largest sitemap after decompression",
        "the protocol's own limit";
    skip_duplicates: SkipDuplicates = "skip-duplicates", Discovery, "off", ""..="", once,
        "Mark pages whose content was fetched before under another URL, and do not follow their links: exact takes equal bodies, near also texts whose SimHashes differ in 3 bits at most",
        "two pages that look alike may still lead to different ones";

    format: Formats = "format", Output, "jsonl", ""..="", once,
        "What is written, several with commas: rows as jsonl, jsonl.gz, jsonl.zst, csv or parquet; exchanges as warc (gzip) or warc.zst",
        "every tool reads JSON lines, and they can be read while the crawl runs";
    output: Option<String> = "output", Output, "none", ""..="", once,
        "Put the outputs there instead of in the crawl directory: s3://BUCKET/PATH, gs://, az:// or file:///PATH (what --out does with a URL)",
        "on one machine they belong beside their crawl";
    text: bool = "text", Output, "false", ""..="", once,
        "Put each page's visible text in its row",
        "makes rows several times longer";
    body: bool = "body", Output, "false", ""..="", once,
        "Put each page's body in its row, decompressed and as UTF-8",
        "makes rows many times longer";
    max_text_size: Size = "max-text-size", Output, "1MiB", "1KiB"..="1GiB", any_time,
        "Cut a page's text to this",
        "a long novel";
    max_anchor_length: usize = "max-anchor-length", Output, "200", "0"..="100000", any_time,
        "Cut the text of a link to this many characters",
        "longer ones are whole paragraphs";
    part_size: Size = "part-size", Output, "256MiB", "64KiB"..="64GiB", any_time,
        "Begin a new file of rows after this size, counted as JSON lines",
        "fits in memory where it is read, and makes few files";
    warc_size: Size = "warc-size", Output, "1GiB", "1MiB"..="64GiB", any_time,
        "Begin a new WARC file after this size",
        "what the WARC guidelines of the IIPC recommend";

    threads: usize = "threads", Machine, "0", "0"..="256", any_time,
        "Threads that fetch and analyse, each with the hosts of its shards; 0 is one for each processor",
        "one for each processor keeps all of them busy";
    offload_size: Size = "offload-size", Machine, "256KiB", "0B"..="4GiB", any_time,
        "Analyse bodies from this size on beside the fetching threads",
        "smaller ones take less than a millisecond, which no other fetch notices";
    body_memory: Size = "body-memory", Machine, "64MiB", "1MiB"..="1024GiB", any_time,
        "Memory for pages under way, over all hosts: half for bodies that are being read, half for what is being decompressed and analysed; a page for which there is none waits, and one that is slow while others wait times out",
        "a thousand ordinary pages need less, and no server can make them take more";
    seen_memory: Size = "seen-memory", Machine, "128MiB", "1MiB"..="1024GiB", any_time,
        "Memory for the set of URLs seen; what is over goes to disk",
        "holds some 8 million URLs in memory, some 75 million with their filters";
    queue_memory: Size = "queue-memory", Machine, "64MiB", "1MiB"..="1024GiB", any_time,
        "Memory for queued URLs; what is over goes to disk",
        "some 300,000 URLs";
    duplicates_memory: Size = "duplicates-memory", Machine, "64MiB", "2MiB"..="1024GiB", any_time,
        "Memory for what --skip-duplicates knows; when it is full, later content is not noted, and its duplicates are followed",
        "some 250,000 pages";
    checkpoint_size: Size = "checkpoint-size", Machine, "64MiB", "0B"..="1024GiB", any_time,
        "Save the queues and the set of URLs seen whenever the commit log has grown by this: resume then replays only what is behind it; 0 is never",
        "replayed in a second, and a checkpoint takes less than that";
    commit_interval: Duration = "commit-interval", Machine, "500ms", "10ms"..="1s", any_time,
        "Longest time between two commits; one is made after a thousand pages in any case",
        "what a crash can cost is the fetching of this time";

    serve: Option<ServeAddress> = "serve", Watching, "none", ""..="", any_time,
        "Show the crawl while it runs, as a page at this address, with its figures for Prometheus; without an address 127.0.0.1:8642. An address that other machines reach takes --serve-token",
        "nothing listens unasked";
    serve_token: Option<String> = "serve-token", Watching, "none", ""..="", any_time,
        "What whoever asks for anything of the page has to know: at least 16 characters; better given as NEPHILA_SERVE_TOKEN, for other users of the machine see a command line",
        "on loopback only users of this machine can ask";
    serve_host: Vec<String> = "serve-host", Watching, "", ""..="", any_time,
        "Another name or address, without port, under which the page may be asked for: that of a proxy before it",
        "a name that is not known may be another site's that leads here (DNS rebinding)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_reads_and_is_within_its_bounds() {
        let mut config = CrawlConfig::defaults().unwrap();
        for option in OPTIONS {
            let items = option.default_items();
            (option.set)(&mut config, &items)
                .unwrap_or_else(|why| panic!("{}: {why}", option.name));
        }
    }

    #[test]
    fn every_bound_reads_and_refuses() {
        let defaults = CrawlConfig::defaults().unwrap();
        for option in OPTIONS {
            for bound in [option.bounds.0, option.bounds.1] {
                if bound.is_empty() {
                    continue;
                }
                let mut config = defaults.clone();
                (option.set)(&mut config, &[bound.to_owned()])
                    .unwrap_or_else(|why| panic!("{} {bound}: {why}", option.name));
            }
        }
        let mut config = defaults;
        let per_host = OPTIONS
            .iter()
            .find(|option| option.name == "per-host")
            .unwrap();
        let refused = (per_host.set)(&mut config, &["0".to_owned()]).unwrap_err();
        assert_eq!(refused, "0 is under the least value, 1");
        assert_eq!(config.per_host, 1);
    }

    #[test]
    fn names_are_unique_and_every_option_says_why() {
        let mut names: Vec<_> = OPTIONS.iter().map(|option| option.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPTIONS.len());
        for option in OPTIONS {
            assert!(
                !option.help.is_empty() && !option.reason.is_empty(),
                "{}",
                option.name
            );
            assert!(!option.help.ends_with('.'), "{}", option.name);
        }
    }
}
