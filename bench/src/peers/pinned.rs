//! Which version of a package a file of an adapter pins.

/// The version that stands after the name of the package on a line: `scrapy==2.19.0`,
/// `"@crawlee/cheerio": "3.18.1"`, `kumo = "=0.5.0"`, `github.com/gocolly/colly/v2 v2.3.0`.
pub(super) fn version(text: &str, package: &str) -> Option<String> {
    let rests = text.lines().filter_map(|line| {
        let rest = line.split_once(package)?.1;
        rest.starts_with(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
            .then_some(rest)
    });
    let mut versions = rests.filter_map(|rest| {
        let from = rest.find(|c: char| c.is_ascii_digit())?;
        let version = rest.get(from..)?;
        let end = version.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
        version.get(..end.unwrap_or(version.len()))
    });
    versions
        .find(|version| version.contains('.'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_kind_of_file() {
        for (text, package, expected) in [
            ("w3lib==2.5.0\nscrapy==2.19.0\n", "scrapy", "2.19.0"),
            ("scrapy-extra==1.0\nscrapy==2.19.0", "scrapy", "2.19.0"),
            ("crawlee[parsel]==1.11.0", "crawlee", "1.11.0"),
            (
                "  \"@crawlee/cheerio\": \"3.18.1\"\n",
                "@crawlee/cheerio",
                "3.18.1",
            ),
            ("name = \"peer-kumo\"\nkumo = \"=0.5.0\"", "kumo", "0.5.0"),
            (
                "\tgithub.com/gocolly/colly/v2 v2.3.0",
                "gocolly/colly/v2",
                "2.3.0",
            ),
            ("GNU Wget2 1.99.1 - a downloader", "Wget2", "1.99.1"),
        ] {
            assert_eq!(version(text, package).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(version("scrapy", "scrapy"), None);
    }
}
