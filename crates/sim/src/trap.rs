//! A web of traps: sites of real pages that also lead to addresses without end.
//!
//! Every site has [`REAL_PAGES`] real pages that a crawler should find, and one trap. What is answered
//! follows from the URL alone; the server counts which real pages were asked for, and how many
//! requests were wasted: those for trap pages, and those for a real page that was had before.

mod pages;
mod server;
mod words;

pub use server::TrapServer;

/// Real pages of each site: the home page and a tree below it.
pub const REAL_PAGES: u32 = 60;

macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident = $name:literal,)+) => {
        /// What a site traps with; each lives on the host of its name below `trap.test`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TrapSite { $($(#[$doc])* $site,)+ }

        impl TrapSite {
            /// Every site.
            pub const ALL: &[TrapSite] = &[$(TrapSite::$site,)+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(TrapSite::$site => $name,)+ }
            }
        }
    };
}

sites! {
    /// No trap: what a crawl of the others is held against.
    Plain = "plain",
    /// A calendar, `/cal?y=2026&m=11`: the next month and the one before, for ever.
    CalendarQuery = "calendar-query",
    /// A calendar of events, `/2026/11/`: other words for every month, and the next one for ever.
    CalendarPath = "calendar-path",
    /// A session in every path, `;jsessionid=`, drawn anew for every answer.
    SessionPath = "session-path",
    /// A session as a directory, `/(S(...))/`, drawn anew for every answer.
    SessionDirectory = "session-directory",
    /// A session in every query, `PHPSESSID` or `sid`, drawn anew for every answer.
    SessionQuery = "session-query",
    /// A relative link that deepens its own path, to a page of other words, without end.
    Deep = "deep",
    /// One site under twenty names; only those of the first are real.
    Mirror = "mirror",
    /// A page with 10,000 links to numbers that all say "no such item".
    Wide = "wide",
    /// Any unknown address answers 200 with the same page and links relative to it.
    Soft404 = "soft-404",
    /// Filters that permute their parameters.
    Facets = "facets",
}

impl TrapSite {
    fn from_label(label: &str) -> Option<TrapSite> {
        let known = TrapSite::ALL.iter().find(|site| site.name() == label);
        known
            .copied()
            .or_else(|| mirror_number(label).map(|_| TrapSite::Mirror))
    }
}

/// Names of the mirrored site: `mirror`, and `mirror-1` to `mirror-19`.
const MIRRORS: u32 = 20;

fn mirror_number(label: &str) -> Option<u32> {
    let number = label.strip_prefix("mirror-")?.parse().ok()?;
    (1..MIRRORS).contains(&number).then_some(number)
}

/// What was asked of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrapCount {
    /// Requests, without those for robots.txt.
    pub requests: u64,
    /// Real pages that were asked for at least once, of [`REAL_PAGES`].
    pub real_pages: u64,
}

impl TrapCount {
    /// Requests that gave nothing new.
    pub fn wasted(self) -> u64 {
        self.requests - self.real_pages
    }
}
