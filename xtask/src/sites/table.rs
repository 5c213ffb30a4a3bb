//! The ten sites, and which of them and which ports a caller wants.

use crate::failure;

/// A site: a Debian package with a tree of pages in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) package: &'static str,
    /// Its port is the port base plus this, 1 to 10.
    pub(crate) offset: u16,
    /// The directory that is served, inside the package.
    pub(crate) root: &'static str,
    /// The path of the page where a crawl begins.
    pub(crate) start: &'static str,
    /// Whether it is served when nobody says which.
    usual: bool,
}

const fn site(
    offset: u16,
    package: &'static str,
    root: &'static str,
    start: &'static str,
    usual: bool,
) -> Site {
    Site {
        package,
        offset,
        root,
        start,
        usual,
    }
}

/// As in ../shared/corpora/sites/SOURCE.md, whose truth is made from these roots and start pages.
pub(crate) const SITES: &[Site] = &[
    site(
        1,
        "python3.11-doc",
        "usr/share/doc/python3.11/html",
        "/index.html",
        true,
    ),
    site(
        2,
        "postgresql-doc-15",
        "usr/share/doc/postgresql-doc-15/html",
        "/index.html",
        true,
    ),
    site(
        3,
        "sqlite3-doc",
        "usr/share/doc/sqlite3",
        "/index.html",
        true,
    ),
    site(
        4,
        "libboost1.81-doc",
        "usr/share/doc/libboost1.81-doc",
        "/doc/html/index.html",
        false,
    ),
    site(
        5,
        "openjdk-17-doc",
        "usr/share/doc/openjdk-17-jre-headless/api",
        "/index.html",
        false,
    ),
    site(
        6,
        "rust-doc",
        "usr/share/doc/rust-doc/html",
        "/index.html",
        false,
    ),
    site(
        7,
        "qtbase5-doc-html",
        "usr/share/qt5/doc",
        "/qtcore/qtcore-index.html",
        false,
    ),
    site(
        8,
        "apache2-doc",
        "usr/share/doc/apache2-doc/manual",
        "/en/index.html",
        false,
    ),
    site(
        9,
        "debian-handbook",
        "usr/share/doc/debian-handbook/html",
        "/en-US/index.html",
        false,
    ),
    site(
        10,
        "debian-policy",
        "usr/share/doc/debian-policy",
        "/policy.html/index.html",
        true,
    ),
];

/// Which sites a caller wants.
pub(crate) enum Wanted {
    Usual,
    All,
    Named(Vec<String>),
}

impl Wanted {
    /// From `NAME,NAME`. A name that is no site is a usage error.
    pub(crate) fn named(list: &str) -> anyhow::Result<Self> {
        let names: Vec<String> = list
            .split(',')
            .map(|name| name.trim().to_string())
            .collect();
        let known: Vec<&str> = SITES.iter().map(|site| site.package).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(failure::usage(format!(
                "there is no site `{name}`: there are {}",
                known.join(", ")
            ))),
            None => Ok(Self::Named(names)),
        }
    }

    /// The sites in the order of the table, each once.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &'static Site> {
        SITES.iter().filter(move |site| match self {
            Self::Usual => site.usual,
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == site.package),
        })
    }
}

/// Where the ports begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortBase {
    Fixed(u16),
    /// The first base whose ports are free.
    Free,
}

impl PortBase {
    pub(crate) fn usual() -> Self {
        Self::Fixed(18_000)
    }

    /// `auto`, or a number that leaves every port between 1,024 and 65,535.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if text == "auto" {
            return Ok(Self::Free);
        }
        let number = text
            .parse::<u16>()
            .ok()
            .filter(|base| (1_024..=65_500).contains(base));
        number.map(Self::Fixed).ok_or_else(|| {
            failure::usage(format!(
                "`--port-base {text}`: a number from 1024 to 65500, or `auto`"
            ))
        })
    }

    pub(crate) fn fixed(self) -> Option<u16> {
        match self {
            Self::Fixed(base) => Some(base),
            Self::Free => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_a_port_of_its_own_and_a_path_to_start_from() {
        let mut offsets: Vec<u16> = SITES.iter().map(|site| site.offset).collect();
        offsets.dedup();
        assert_eq!(offsets, (1..=10).collect::<Vec<u16>>());
        assert!(
            SITES
                .iter()
                .all(|site| site.start.starts_with('/') && !site.root.starts_with('/'))
        );
    }

    #[test]
    fn a_site_asked_for_twice_is_there_once() {
        let wanted = Wanted::named("debian-policy, debian-policy").unwrap();
        assert_eq!(wanted.sites().count(), 1);
    }
}
