//! Directives of `meta name=robots` and of the X-Robots-Tag header.

/// What a page asks of crawlers. Everything is allowed by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RobotsDirectives {
    /// Its links are not to be followed.
    pub nofollow: bool,
    /// It is not to be in an index.
    pub noindex: bool,
    /// No copy of it is to be shown.
    pub noarchive: bool,
    /// No part of its text is to be shown.
    pub nosnippet: bool,
    /// Its images are not to be in an index.
    pub noimageindex: bool,
}

impl RobotsDirectives {
    /// What both ask together.
    pub fn union(self, other: Self) -> Self {
        Self {
            nofollow: self.nofollow || other.nofollow,
            noindex: self.noindex || other.noindex,
            noarchive: self.noarchive || other.noarchive,
            nosnippet: self.nosnippet || other.nosnippet,
            noimageindex: self.noimageindex || other.noimageindex,
        }
    }

    fn apply(&mut self, directive: &str) {
        match directive.to_ascii_lowercase().as_str() {
            "nofollow" => self.nofollow = true,
            "noindex" => self.noindex = true,
            "none" => {
                self.nofollow = true;
                self.noindex = true;
            }
            "noarchive" | "nocache" => self.noarchive = true,
            "nosnippet" => self.nosnippet = true,
            "noimageindex" => self.noimageindex = true,
            _ => {}
        }
    }
}

/// Directives that have a value after a colon, so that the word before it names no crawler.
const WITH_VALUE: [&str; 4] = [
    "unavailable_after",
    "max-snippet",
    "max-image-preview",
    "max-video-preview",
];

/// What `value` asks of the crawler called `agent`: the contents of robots metas or the value of an
/// X-Robots-Tag header, several of them joined by commas.
///
/// `otherbot: noindex, nofollow` speaks to that crawler alone, up to the next such prefix; what stands
/// before any prefix speaks to all. Names are compared without regard to case; of directives that
/// contradict each other the stricter holds; unknown ones mean nothing. `unavailable_after` is not
/// obeyed: it needs a clock. Source: Google's robots meta specification, as there is no standard.
pub fn robots_directives(value: &str, agent: &str) -> RobotsDirectives {
    let mut directives = RobotsDirectives::default();
    let mut is_for_us = true;
    for part in value.split(',') {
        let mut part = part.trim();
        if let Some((name, rest)) = part.split_once(':') {
            let name = name.trim();
            if WITH_VALUE
                .iter()
                .any(|directive| directive.eq_ignore_ascii_case(name))
            {
                continue;
            }
            if is_product_token(name) {
                is_for_us = name == "*" || name.eq_ignore_ascii_case(agent);
                part = rest.trim();
            }
        }
        if is_for_us {
            directives.apply(part);
        }
    }
    directives
}

/// Whether this can be the name of a crawler; the hours of a date cannot.
fn is_product_token(name: &str) -> bool {
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte));
    is_word
        && name
            .bytes()
            .any(|byte| byte.is_ascii_alphabetic() || byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(value: &str) -> (bool, bool) {
        let directives = robots_directives(value, "nephila");
        (directives.nofollow, directives.noindex)
    }

    #[test]
    fn directives_are_read() {
        assert_eq!(flags("noindex, NoFollow"), (true, true));
        assert_eq!(flags(" none "), (true, true));
        assert_eq!(flags("index, follow, all"), (false, false));
        assert_eq!(flags("max-snippet: 20, nofollow"), (true, false));
        assert_eq!(flags("nofollows"), (false, false));
        assert_eq!(flags(""), (false, false));
        assert!(robots_directives("noarchive,nosnippet,noimageindex", "x").noarchive);
    }

    #[test]
    fn prefixes_name_crawlers() {
        assert_eq!(flags("otherbot: noindex, nofollow"), (false, false));
        assert_eq!(flags("Nephila: nofollow, otherbot: noindex"), (true, false));
        assert_eq!(flags("noindex, otherbot: nofollow"), (false, true));
        assert_eq!(flags("*: nofollow"), (true, false));
        assert_eq!(
            flags("unavailable_after: 25 Jun 2010 15:00:00 PST, nofollow"),
            (true, false)
        );
    }

    #[test]
    fn a_union_is_the_stricter() {
        let both = robots_directives("nofollow", "").union(robots_directives("noindex", ""));
        assert_eq!(both, robots_directives("none", ""));
    }
}
