//! robots.txt: `nephila_robots`.

use nephila_robots::{MAXIMUM_CRAWL_DELAY, MAXIMUM_SITEMAPS, Robots};

/// The longest path asked about, in characters.
const PATH_CHARS_MAX: usize = 256;

/// Lines of the file whose values are asked about as paths.
const LINES_MAX: usize = 16;

/// Reads the bytes as robots.txt and asks for decisions on the file's own patterns.
///
/// Promises: parsing never fails; `allows` and `decide` agree; a decision names a line of the file;
/// `/robots.txt` is always allowed; the case of an agent means nothing; sitemaps, delay and memory are
/// bounded by the file.
pub fn robots(data: &[u8]) {
    let robots = Robots::parse(data);
    assert!(robots.sitemaps().len() <= MAXIMUM_SITEMAPS);
    let lines = data
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count()
        + 1;
    for agent in ["nephila", "", "*", "other-bot/1.0"] {
        let rules = robots.group_for(agent);
        let upper = robots.group_for(&agent.to_ascii_uppercase());
        assert_eq!(
            format!("{rules:?}"),
            format!("{upper:?}"),
            "case of {agent}"
        );
        assert!(
            rules
                .crawl_delay()
                .is_none_or(|delay| delay <= MAXIMUM_CRAWL_DELAY)
        );
        // A rule is 16 bytes and its pattern, in which every octet may be escaped as three; the
        // index has a node of 8 bytes for each.
        assert!(
            rules.heap_bytes() <= 256 + 40 * data.len(),
            "heap of {agent}"
        );
        assert!(rules.allows("/robots.txt"));
        let text = String::from_utf8_lossy(data);
        let values = text.lines().take(LINES_MAX).map(path_of);
        for path in values.chain(["/", "", "/a/b.html?c=d"]) {
            let decision = rules.decide(path);
            assert_eq!(decision.allowed, rules.allows(path), "{path:?}");
            if let Some(rule) = decision.rule {
                assert_eq!(rule.allow, decision.allowed);
                assert!((1..=lines).contains(&(rule.line as usize)));
            }
        }
    }
}

/// The value of a line, or the line where it has none, cut to a path's length.
fn path_of(line: &str) -> &str {
    let value = line.split_once(':').map_or(line, |(_, value)| value).trim();
    let end = value
        .char_indices()
        .nth(PATH_CHARS_MAX)
        .map_or(value.len(), |(at, _)| at);
    value.get(..end).unwrap_or(value)
}
