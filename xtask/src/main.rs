//! The project's own tasks, run as `cargo xtask VERB`.
//!
//! One verb a file in `verbs/`. Headings and messages go to standard error; standard output carries
//! what a caller may want to read: the test runner's own lines, tables, lists of commands.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command talks to its user"
)]

mod crash;
mod failure;
mod markdown;
mod process;
mod repository;
mod sites;
mod steps;
mod tidy;
mod valgrind;
mod verbs;

use std::process::ExitCode;

use verbs::VERBS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

/// Runs the verb named by the first argument with the others.
fn dispatch(arguments: &[String]) -> anyhow::Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", overview());
        return Err(failure::usage("no verb was given: choose one of the above"));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        match rest.first() {
            Some(wanted) => print!("{}", verb(wanted)?.help),
            None => print!("{}", overview()),
        }
        return Ok(());
    }
    let verb = verb(name)?;
    if rest
        .first()
        .is_some_and(|first| first == "--help" || first == "-h")
    {
        print!("{}", verb.help);
        return Ok(());
    }
    (verb.run)(rest)
}

fn verb(name: &str) -> anyhow::Result<&'static verbs::Verb> {
    VERBS.iter().find(|verb| verb.name == name).ok_or_else(|| {
        let names: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        failure::usage(format!(
            "there is no verb `{name}`: choose one of {}",
            names.join(", ")
        ))
    })
}

fn overview() -> String {
    let mut text = String::from("cargo xtask VERB [ARGUMENTS]\n\n");
    for verb in VERBS {
        text.push_str(&format!("  {:<10}{}\n", verb.name, verb.summary));
    }
    text.push_str("\n`cargo xtask help VERB` tells more.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn an_unknown_verb_is_a_usage_error_that_names_the_verbs() {
        let error = dispatch(&words("frobnicate")).unwrap_err();
        assert_eq!(failure::exit_code(&error), 2);
        assert!(error.to_string().contains("sites"), "{error}");
    }

    #[test]
    fn every_verb_has_a_help_text_that_begins_with_its_own_name() {
        for verb in VERBS {
            let start = format!("cargo xtask {}", verb.name);
            assert!(verb.help.starts_with(&start), "{}", verb.name);
            assert!(verb.help.ends_with('\n'), "{}", verb.name);
        }
    }

    #[test]
    fn help_is_answered_without_running_the_verb() {
        dispatch(&words("test --help")).unwrap();
        dispatch(&words("help sites")).unwrap();
    }
}
