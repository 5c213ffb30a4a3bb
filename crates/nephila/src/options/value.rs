//! The kinds of value that an option can have: how each is written, read and shown.

use std::path::PathBuf;
use std::time::Duration;

use nephila_fetch::ResolveRule;
use nephila_frontier::{Order, QueryPolicy, ScopeRule};
use regex::Regex;

/// A value that an option can have. Written and shown in the same form on the command line, in
/// `crawl.toml` and in the environment.
pub trait OptionValue: Sized {
    /// What stands for the value in the help text, such as `DURATION`.
    const PLACEHOLDER: &'static str;
    /// Whether the option may be given several times.
    const IS_LIST: bool = false;
    /// Whether the option is a switch: given without a value it means `true`.
    const IS_SWITCH: bool = false;
    /// What the option means where its flag is given without a value; empty where it needs one.
    const WITHOUT_VALUE: &'static str = "";

    /// Reads what the user wrote; a list has any number of items, every other value one.
    ///
    /// # Errors
    /// In words that finish "invalid value: ".
    fn parse(written: &[String]) -> Result<Self, String>;

    /// Shows the value in the form that [`OptionValue::parse`] reads.
    fn show(&self) -> Vec<String>;

    /// The value as a number, for the option's bounds; `None` where bounds do not apply.
    fn magnitude(&self) -> Option<u64> {
        None
    }
}

pub(super) fn single(written: &[String]) -> Result<&str, String> {
    match written {
        [one] => Ok(one.trim()),
        [] => Err("a value is missing".to_owned()),
        many => Err(format!("one value is wanted, not {}", many.len())),
    }
}

/// A number of bytes, written as `65536`, `64KiB`, `10MiB` or `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

const SIZE_UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl OptionValue for Size {
    const PLACEHOLDER: &'static str = "SIZE";

    fn parse(written: &[String]) -> Result<Size, String> {
        let text = single(written)?;
        let wrong = || format!("{text:?} is no size: write bytes or 64KiB, 10MiB, 2GiB");
        let unit = SIZE_UNITS.iter().find(|(unit, _)| text.ends_with(unit));
        let (number, scale) = match unit {
            Some((unit, scale)) => (text.strip_suffix(unit).unwrap_or(text).trim_end(), *scale),
            None => (text, 1),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(scale).map(Size).ok_or_else(wrong)
    }

    fn show(&self) -> Vec<String> {
        let unit = SIZE_UNITS
            .iter()
            .find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale));
        vec![match unit {
            Some((unit, scale)) => format!("{}{unit}", self.0 / scale),
            None => self.0.to_string(),
        }]
    }

    fn magnitude(&self) -> Option<u64> {
        Some(self.0)
    }
}

const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl OptionValue for Duration {
    const PLACEHOLDER: &'static str = "DURATION";

    fn parse(written: &[String]) -> Result<Duration, String> {
        let text = single(written)?;
        let wrong = || format!("{text:?} is no duration: write 250ms, 10s, 5m, 2h or 1d");
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.strip_prefix(digits).unwrap_or("");
        let (_, scale) = DURATION_UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
        let millis = number * *scale as f64;
        if !(0.0..=1e15).contains(&millis) {
            return Err(wrong());
        }
        Ok(Duration::from_millis(millis.round() as u64))
    }

    fn show(&self) -> Vec<String> {
        let millis = self.as_millis() as u64;
        let unit = DURATION_UNITS
            .iter()
            .rev()
            .find(|(_, scale)| millis.is_multiple_of(*scale));
        vec![match unit {
            _ if millis == 0 => "0s".to_owned(),
            Some((unit, scale)) => format!("{}{unit}", millis / scale),
            None => format!("{millis}ms"),
        }]
    }

    fn magnitude(&self) -> Option<u64> {
        Some(self.as_millis() as u64)
    }
}

/// The least time between two fetches of a host: a duration, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(pub Option<Duration>);

impl OptionValue for Delay {
    const PLACEHOLDER: &'static str = "DURATION|auto";

    fn parse(written: &[String]) -> Result<Delay, String> {
        match single(written)? {
            "auto" => Ok(Delay(None)),
            _ => Duration::parse(written).map(|delay| Delay(Some(delay))),
        }
    }

    fn show(&self) -> Vec<String> {
        self.0
            .map_or_else(|| vec!["auto".to_owned()], |delay| delay.show())
    }

    fn magnitude(&self) -> Option<u64> {
        self.0.as_ref().and_then(OptionValue::magnitude)
    }
}

/// A number, or what follows from other options or is found out while the crawl runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountOrAuto(pub Option<usize>);

impl OptionValue for CountOrAuto {
    const PLACEHOLDER: &'static str = "N|auto";

    fn parse(written: &[String]) -> Result<CountOrAuto, String> {
        match single(written)? {
            "auto" => Ok(CountOrAuto(None)),
            _ => usize::parse(written)
                .map(|count| CountOrAuto(Some(count)))
                .map_err(|error| format!("{error}, nor `auto`")),
        }
    }

    fn show(&self) -> Vec<String> {
        self.0
            .map_or_else(|| vec!["auto".to_owned()], |count| count.show())
    }

    fn magnitude(&self) -> Option<u64> {
        self.0.as_ref().and_then(OptionValue::magnitude)
    }
}

impl OptionValue for bool {
    const PLACEHOLDER: &'static str = "true|false";
    const IS_SWITCH: bool = true;

    fn parse(written: &[String]) -> Result<bool, String> {
        match single(written)? {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            other => Err(format!("{other:?} is neither true nor false")),
        }
    }

    fn show(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

macro_rules! count {
    ($($type:ty),*) => {$(
        impl OptionValue for $type {
            const PLACEHOLDER: &'static str = "N";

            fn parse(written: &[String]) -> Result<$type, String> {
                let text = single(written)?;
                let plain: String = text.chars().filter(|c| *c != '_' && *c != ',').collect();
                plain.parse().map_err(|_| format!("{text:?} is no whole number that fits here"))
            }

            fn show(&self) -> Vec<String> {
                vec![self.to_string()]
            }

            fn magnitude(&self) -> Option<u64> {
                Some(*self as u64)
            }
        }
    )*};
}
count!(u64, u32, u16, u8, usize);

/// `none`, or a value.
impl<T: OptionValue> OptionValue for Option<T> {
    const PLACEHOLDER: &'static str = T::PLACEHOLDER;
    const WITHOUT_VALUE: &'static str = T::WITHOUT_VALUE;

    fn parse(written: &[String]) -> Result<Option<T>, String> {
        match single(written)? {
            "none" | "" => Ok(None),
            _ => T::parse(written).map(Some),
        }
    }

    fn show(&self) -> Vec<String> {
        self.as_ref()
            .map_or_else(|| vec!["none".to_owned()], OptionValue::show)
    }

    fn magnitude(&self) -> Option<u64> {
        self.as_ref().and_then(OptionValue::magnitude)
    }
}

impl OptionValue for String {
    const PLACEHOLDER: &'static str = "TEXT";

    fn parse(written: &[String]) -> Result<String, String> {
        let text = single(written)?;
        match text.bytes().find(|byte| byte.is_ascii_control()) {
            Some(_) => Err("control characters cannot stand here".to_owned()),
            None => Ok(text.to_owned()),
        }
    }

    fn show(&self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl OptionValue for PathBuf {
    const PLACEHOLDER: &'static str = "FILE";

    fn parse(written: &[String]) -> Result<PathBuf, String> {
        single(written).map(PathBuf::from)
    }

    fn show(&self) -> Vec<String> {
        vec![self.display().to_string()]
    }
}

/// A list is given by repeating the option.
impl<T: OptionValue> OptionValue for Vec<T> {
    const PLACEHOLDER: &'static str = T::PLACEHOLDER;
    const IS_LIST: bool = true;

    fn parse(written: &[String]) -> Result<Vec<T>, String> {
        const MOST_ITEMS: usize = 10_000;
        if written.len() > MOST_ITEMS {
            return Err(format!("{} items are over {MOST_ITEMS}", written.len()));
        }
        written
            .iter()
            .map(|item| T::parse(std::slice::from_ref(item)))
            .collect()
    }

    fn show(&self) -> Vec<String> {
        self.iter().flat_map(OptionValue::show).collect()
    }
}

/// A regular expression on the canonical URL.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl OptionValue for Pattern {
    const PLACEHOLDER: &'static str = "REGEX";

    fn parse(written: &[String]) -> Result<Pattern, String> {
        let text = single(written)?;
        Regex::new(text)
            .map(Pattern)
            .map_err(|error| error.to_string())
    }

    fn show(&self) -> Vec<String> {
        vec![self.0.as_str().to_owned()]
    }
}

/// A value out of a closed list of names.
macro_rules! choice {
    ($type:ty, $($name:literal => $value:path),+ $(,)?) => {
        impl OptionValue for $type {
            const PLACEHOLDER: &'static str = choice!(@join $($name),+);

            fn parse(written: &[String]) -> Result<$type, String> {
                match single(written)? {
                    $($name => Ok($value),)+
                    other => Err(format!("{other:?} is none of {}", Self::PLACEHOLDER)),
                }
            }

            fn show(&self) -> Vec<String> {
                vec![match self { $($value => $name,)+ }.to_owned()]
            }
        }
    };
    (@join $first:literal $(, $rest:literal)*) => { concat!($first $(, "|", $rest)*) };
}

choice!(ScopeRule, "host" => ScopeRule::Host, "domain" => ScopeRule::Domain,
    "prefix" => ScopeRule::Prefix, "any" => ScopeRule::Any);
choice!(QueryPolicy, "keep" => QueryPolicy::Keep, "sort" => QueryPolicy::Sort,
    "drop" => QueryPolicy::Drop);
choice!(Order, "breadth-first" => Order::BreadthFirst, "priority" => Order::Priority);

/// Which kinds of link lead on; the others stand in the rows only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// `a`.
    Anchor,
    /// `area` of an image map.
    Area,
    /// `frame` and `iframe`.
    Frame,
    /// meta refresh.
    Refresh,
    /// `link rel=next` and `rel=prev`.
    Pagination,
    /// `link rel=canonical`.
    Canonical,
    /// `link rel=alternate`, feeds apart.
    Alternate,
}

choice!(Follow, "a" => Follow::Anchor, "area" => Follow::Area, "frame" => Follow::Frame,
    "refresh" => Follow::Refresh, "next" => Follow::Pagination,
    "canonical" => Follow::Canonical, "alternate" => Follow::Alternate);

/// Which pages count as duplicates of one that was fetched before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipDuplicates {
    /// None.
    Off,
    /// Those with the same body.
    Exact,
    /// Those with the same body, or with nearly the same text.
    Near,
}

choice!(SkipDuplicates, "off" => SkipDuplicates::Off, "exact" => SkipDuplicates::Exact,
    "near" => SkipDuplicates::Near);

/// Whether nofollow is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nofollow {
    /// Obeyed, but for `rel=nofollow` within a host on a private or loopback address; ignored
    /// where robots.txt is ignored.
    Auto,
    /// Always obeyed.
    Obey,
    /// Never obeyed.
    Ignore,
}

choice!(Nofollow, "auto" => Nofollow::Auto, "obey" => Nofollow::Obey,
    "ignore" => Nofollow::Ignore);

/// `NAME: VALUE`, sent with every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The field's name.
    pub name: http::HeaderName,
    /// The field's value.
    pub value: http::HeaderValue,
}

impl OptionValue for Header {
    const PLACEHOLDER: &'static str = "NAME: VALUE";

    fn parse(written: &[String]) -> Result<Header, String> {
        const OURS: [&str; 5] = [
            "host",
            "connection",
            "content-length",
            "transfer-encoding",
            "accept-encoding",
        ];
        let text = single(written)?;
        let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
        let name: http::HeaderName = name
            .trim()
            .parse()
            .map_err(|_| format!("{name:?} is no header name"))?;
        if OURS.contains(&name.as_str()) {
            return Err(format!("the header {name} is the crawler's own"));
        }
        let value = value
            .trim()
            .parse()
            .map_err(|_| format!("{value:?} is no header value"))?;
        Ok(Header { name, value })
    }

    fn show(&self) -> Vec<String> {
        let value = String::from_utf8_lossy(self.value.as_bytes());
        vec![format!("{}: {value}", self.name)]
    }
}

/// `HOST=USER:PASSWORD`, sent to that host and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The host (and port, where it is not the default) that gets them.
    pub host: String,
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl OptionValue for Auth {
    const PLACEHOLDER: &'static str = "HOST=USER:PASSWORD";

    fn parse(written: &[String]) -> Result<Auth, String> {
        let text = single(written)?;
        let parts = text.split_once('=').and_then(|(host, rest)| {
            let (user, password) = rest.split_once(':')?;
            (!host.is_empty()).then_some((host, user, password))
        });
        let (host, user, password) = parts.ok_or("write HOST=USER:PASSWORD")?;
        let (user, password) = (user.to_owned(), password.to_owned());
        Ok(Auth {
            host: host.to_ascii_lowercase(),
            user,
            password,
        })
    }

    fn show(&self) -> Vec<String> {
        vec![format!("{}={}:{}", self.host, self.user, self.password)]
    }
}

/// curl's `--resolve`.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// The rule.
    pub rule: ResolveRule,
    written: String,
}

impl OptionValue for Resolve {
    const PLACEHOLDER: &'static str = "HOST:PORT:ADDR[:PORT]";

    fn parse(written: &[String]) -> Result<Resolve, String> {
        let text = single(written)?;
        let rule = text
            .parse::<ResolveRule>()
            .map_err(|error| error.to_string())?;
        Ok(Resolve {
            rule,
            written: text.to_owned(),
        })
    }

    fn show(&self) -> Vec<String> {
        vec![self.written.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: OptionValue>(text: &str) -> Result<T, String> {
        T::parse(&[text.to_owned()])
    }

    #[test]
    fn durations_are_written_with_their_unit() {
        for (text, millis) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("1.5s", 1_500),
            ("2h", 7_200_000),
            ("0", 0),
        ] {
            assert_eq!(
                read::<Duration>(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for wrong in ["10", "s", "-1s", "1 fortnight", "", "NaNs", "infs", "1e30s"] {
            assert!(read::<Duration>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Duration::from_secs(90).show(), ["90s"]);
        assert_eq!(Duration::from_secs(7_200).show(), ["2h"]);
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!(read("64KiB"), Ok(Size(65_536)));
        assert_eq!(read("10MiB"), Ok(Size(10 << 20)));
        assert_eq!(read("7"), Ok(Size(7)));
        assert!(read::<Size>("64KB").is_err());
        assert!(read::<Size>("99999999999GiB").is_err());
        assert_eq!(Size(65_536).show(), ["64KiB"]);
        assert_eq!(Size(65_537).show(), ["65537B"]);
    }

    #[test]
    fn names_of_a_choice_are_told_when_one_is_wrong() {
        assert_eq!(read("domain"), Ok(ScopeRule::Domain));
        let wrong = read::<ScopeRule>("site").unwrap_err();
        assert_eq!(wrong, "\"site\" is none of host|domain|prefix|any");
    }

    #[test]
    fn headers_and_credentials_have_their_form() {
        let header: Header = read("X-Token: a:b").unwrap();
        assert_eq!(
            (header.name.as_str(), header.value.as_bytes()),
            ("x-token", &b"a:b"[..])
        );
        assert!(read::<Header>("Host: x").is_err());
        assert!(read::<Header>("no colon").is_err());
        let auth: Auth = read("A.test:8080=me:p:w=d").unwrap();
        assert_eq!(
            (auth.host.as_str(), auth.password.as_str()),
            ("a.test:8080", "p:w=d")
        );
    }
}
