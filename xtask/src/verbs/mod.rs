//! The verbs, one file each.

mod bench;
mod check;
pub(crate) mod commands;
mod crash;
mod docs;
mod fuzz;
mod python;
mod simulate;
mod sites;
mod test;
mod tidy;

/// A verb: what it is called, what it says of itself, what it does.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// One line for the overview.
    pub(crate) summary: &'static str,
    /// The whole help text, ending with a line end.
    pub(crate) help: &'static str,
    pub(crate) run: fn(&[String]) -> anyhow::Result<()>,
}

pub(crate) const VERBS: &[Verb] = &[
    test::VERB,
    check::VERB,
    tidy::VERB,
    commands::VERB,
    docs::VERB,
    sites::VERB,
    python::VERB,
    simulate::VERB,
    bench::VERB,
    fuzz::VERB,
    crash::VERB,
];

/// For verbs that take no argument.
fn no_arguments(verb: &str, arguments: &[String]) -> anyhow::Result<()> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => Err(crate::failure::usage(format!(
            "`cargo xtask {verb}` takes no argument `{argument}`: see `cargo xtask help {verb}`"
        ))),
    }
}
