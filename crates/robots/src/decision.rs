//! What is said about one path, and why.

/// Whether a path may be fetched, and the rule that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the path may be fetched.
    pub allowed: bool,
    /// The rule that decided; `None` when no rule of the group matches the path, when the path is
    /// `/robots.txt` (always allowed, RFC 9309 2.2.2), and for [`Rules::deny_all`].
    ///
    /// [`Rules::deny_all`]: crate::Rules::deny_all
    pub rule: Option<RuleMatch>,
}

/// The rule that decided about a path: the longest that matches it (RFC 9309 2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMatch {
    /// Line of the rule in the file, from 1.
    pub line: u32,
    /// Whether it is an `Allow` line.
    pub allow: bool,
    /// Its path pattern in the form in which it is compared: octets percent-encoded as far as RFC 9309
    /// 2.2.2 asks for, so that it may differ from the file's spelling. Always ASCII.
    pub pattern: String,
}
