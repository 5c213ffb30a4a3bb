//! The command line. Verbs are written here; the options of a crawl come from their one table.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use nephila::options::{Group, OPTIONS, OptionSpec, Settings, Source, option_line};

/// The whole command.
pub(crate) fn command() -> Command {
    Command::new("nephila")
        .about("A web crawler that says what limits it")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(crawl())
        .subcommand(resume())
        .subcommands([status(), why(), explain(), export(), report(), serve()])
        .subcommands([fetch(), robots(), sitemap()])
        .subcommands([config(), completions(), demo(), lab(), reference()])
        .after_help("`nephila demo` shows it at work; it needs no network.")
}

fn crawl() -> Command {
    let verb = Command::new("crawl")
        .about("Crawl from seeds into a new crawl directory")
        .after_help(
            "Exit codes: 0 done, 1 cannot go on, 2 usage, 3 no seed could be fetched, 130 \
             interrupted. Ctrl-C once finishes what is in flight, within 10 s, and tells how to \
             go on; twice leaves at once. Nothing committed is lost either way.",
        )
        .arg(
            Arg::new("seeds")
                .value_name("SEED")
                .num_args(1..)
                .help("A URL, @FILE with one a line, or - for standard input"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .short('o')
                .value_name("DIR|URL")
                .help(
                    "The crawl directory to make [default: named after the first host and the time], \
                     or where the outputs go: s3://BUCKET/PATH, gs://, az:// or file:///PATH",
                ),
        )
        .arg(
            Arg::new("state")
                .long("state")
                .value_name("DIR")
                .requires("out")
                .help(
                    "With a URL as --out: the crawl directory to make, which resume and status \
                     take [default: as without --out]",
                ),
        )
        .arg(config_file())
        .args(display());
    OPTIONS
        .iter()
        .fold(verb, |verb, option| verb.arg(flag(option)))
}

fn resume() -> Command {
    let verb = Command::new("resume")
        .about("Go on with a crawl, also after Ctrl-C or a kill")
        .arg(directory())
        .args(display());
    let changeable = OPTIONS.iter().filter(|option| option.on_resume);
    changeable.fold(verb, |verb, option| verb.arg(flag(option)))
}

fn status() -> Command {
    Command::new("status")
        .about("Counts by outcome and by host, what is queued, and why it runs or stopped")
        .arg(directory())
        .arg(hosts_shown())
        .arg(json())
}

fn why() -> Command {
    Command::new("why")
        .about(
            "What became of a URL: seen, refused by which rule, where it is, and when it is next",
        )
        .arg(
            Arg::new("url")
                .value_name("URL")
                .required(true)
                .help("The URL, as a seed is written"),
        )
        .arg(directory())
        .arg(json())
}

fn explain() -> Command {
    Command::new("explain")
        .about("What limits a crawl, the limit behind it, and what changes would bring")
        .arg(directory())
        .arg(json())
}

fn export() -> Command {
    Command::new("export")
        .about("Rows as CSV or JSON lines, with the columns you name")
        .arg(directory())
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["csv", "jsonl"]))
                .default_value("csv")
                .help("csv or jsonl"),
        )
        .arg(
            Arg::new("columns")
                .long("columns")
                .value_name("NAME,...")
                .help(
                    "Fields of the row format, a part of one with a dot (times.dns) [default: url, \
                 status, outcome, content_type, title, hops for csv; all for jsonl]",
                ),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE")
                .help("Write here instead of standard output; the file must not exist"),
        )
        .arg(switch(
            "all",
            "Rows of robots.txt, sitemap and feed fetches too",
        ))
        .arg(switch(
            "raw-cells",
            "csv: no ' before text that a spreadsheet would run as a formula (=, +, -, @ ...)",
        ))
}

fn report() -> Command {
    Command::new("report")
        .about("One HTML page: what limited the crawl, where its time went, what it found, broken links")
        .arg(directory())
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE")
                .help("Write here instead of standard output; the file must not exist"),
        )
}

fn serve() -> Command {
    let verb = Command::new("serve")
        .about("Show a crawl as a page that updates itself, also one that another process runs")
        .after_help(
            "At http://127.0.0.1:8642/ unless --serve says otherwise; Ctrl-C ends it. Nothing of the crawl is \
             changed: a crawl that is to be paused or stopped from its page is begun with `crawl --serve`.",
        )
        .arg(directory());
    with_groups(verb, &[Group::Watching], &[])
}

fn fetch() -> Command {
    let verb = Command::new("fetch")
        .about("Fetch one URL and show its headers, its timing and what parsing found")
        .after_help(
            "The URL is asked for once, as it is written: robots.txt is not asked, because a \
             person names this one URL, and a redirect is told and not followed. Exit codes: 0 \
             answered, whatever the status; 1 no answer, or one that cannot be read; 2 usage.",
        )
        .arg(one_url())
        .arg(switch(
            "show-body",
            "Print the body, decompressed, after the rest",
        ))
        .arg(switch(
            "json",
            "One JSON object: the fields of a row, headers, failed_in and total",
        ))
        .arg(config_file());
    let more = [
        "agent",
        "contact",
        "accept",
        "text",
        "max-text-size",
        "max-links",
    ];
    with_groups(verb, &[Group::Fetching], &more)
}

fn robots() -> Command {
    let verb = Command::new("robots")
        .about("Whether robots.txt allows a URL, and which rule decides")
        .after_help(
            "By RFC 9309: the longest rule that matches decides; 4xx, and more than five \
             redirects, allow everything; 5xx and no answer forbid everything. Exit codes: 0 \
             allowed; 1 not allowed, or robots.txt is unreachable; 2 usage.",
        )
        .arg(one_url())
        .arg(config_file())
        .arg(json());
    let more = ["agent", "contact", "max-robots-size", "max-crawl-delay"];
    with_groups(verb, &[Group::Fetching], &more)
}

fn sitemap() -> Command {
    let verb = Command::new("sitemap")
        .about("The entries of a sitemap, a sitemap index or a feed")
        .after_help(
            "XML, RSS, Atom or text, as it is or as gzip. A site's root, and a page that is no \
             sitemap, stand for the sitemaps of their host: those that robots.txt names, and \
             /sitemap.xml. An entry is a line of URL, last change, frequency and priority with \
             tabs between them; what was read, and warnings, go to standard error. With \
             --recurse an index gives the entries of its sitemaps in place of its own, at most \
             1000 sitemaps and three levels, with --delay between two fetches of a host. Exit \
             codes: 0 at least one was read; 1 none could be had; 2 usage.",
        )
        .arg(one_url())
        .arg(switch(
            "recurse",
            "Read the sitemaps that an index names too",
        ))
        .arg(config_file())
        .arg(switch(
            "json",
            "One JSON object a line for each entry, with its sitemap and kind",
        ));
    let more = [
        "agent",
        "contact",
        "delay",
        "max-robots-size",
        "max-sitemap-urls",
        "max-sitemap-size",
    ];
    with_groups(verb, &[Group::Fetching], &more)
}

fn config() -> Command {
    let show = Command::new("show")
        .about("Every option, its value and where it came from")
        .arg(
            Arg::new("directory")
                .value_name("DIR")
                .help("Of this crawl instead, as `resume` would go on with it"),
        )
        .arg(config_file())
        .arg(json());
    let show = OPTIONS
        .iter()
        .fold(show, |verb, option| verb.arg(flag(option)));
    Command::new("config")
        .about("The configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(show)
}

fn completions() -> Command {
    Command::new("completions")
        .about("Completions for a shell, on standard output")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(clap::value_parser!(clap_complete::Shell))
                .help("bash, zsh, fish, elvish or powershell"),
        )
}

fn demo() -> Command {
    let verb = Command::new("demo")
        .about("Serve a small simulated web on loopback and crawl it; needs no network")
        .arg(
            Arg::new("out")
                .long("out")
                .short('o')
                .value_name("DIR")
                .help("The crawl directory to make [default: nephila-demo-TIME]"),
        )
        .arg(
            Arg::new("pages")
                .long("pages")
                .value_name("N")
                .default_value("2000")
                .value_parser(clap::value_parser!(u64).range(10..=1_000_000))
                .help("Pages of the simulated web, 10 to 1000000"),
        )
        .args(display());
    with_groups(verb, &[Group::Watching], &[])
}

fn lab() -> Command {
    let classify = Command::new("classify")
        .about("Run a program and tell whether it waits or computes, and what would help it")
        .after_help(
            "The program has this command's input and output and runs as it would without it. The \
             verdict goes to standard error, after the program has ended. Exit codes: those of the \
             program, 128 and the signal where one ended it; 127 when it cannot be started.",
        )
        .arg(json())
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(clap::value_parser!(std::ffi::OsString))
                .help("The program and its arguments"),
        );
    let measure = Command::new("measure")
        .hide(true)
        .about("What the lab starts itself for")
        .arg(Arg::new("task").required(true));
    Command::new("lab")
        .about("Measure threads, processes and async on this machine, in under two minutes")
        .after_help(
            "Waiting work and computing work, one after the other, by async tasks, by threads and by \
             processes, on one core and on all; what it costs to start, to switch and to share memory; \
             the same in Python where python3 is there; and a small crawl with analysis and I/O made \
             faster, beside what the ledger predicts of it. The machine should have nothing else to do \
             meanwhile: the report says what others used.",
        )
        .args_conflicts_with_subcommands(true)
        .arg(
            Arg::new("out")
                .long("out")
                .short('o')
                .value_name("DIR")
                .help("Write lab.json and lab.html into this directory"),
        )
        .arg(
            Arg::new("repetitions")
                .long("repetitions")
                .value_name("N")
                .default_value("5")
                .value_parser(clap::value_parser!(u64).range(1..=100))
                .help("Repetitions of everything, 1 to 100; 1 is a first look in half a minute"),
        )
        .arg(json())
        .subcommands([classify, measure])
}

fn reference() -> Command {
    Command::new("reference")
        .hide(true)
        .about("Reference pages in Markdown, for the docs")
        .arg(
            Arg::new("page")
                .required(true)
                .value_parser(PossibleValuesParser::new(["options", "rows"])),
        )
}

fn directory() -> Arg {
    Arg::new("directory")
        .value_name("DIR")
        .required(true)
        .help("The crawl directory")
}

fn one_url() -> Arg {
    Arg::new("url")
        .value_name("URL")
        .required(true)
        .help("The URL")
}

fn config_file() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .env("NEPHILA_CONFIG")
        .help("Read options from this file, as crawl.toml writes them; flags win")
}

fn hosts_shown() -> Arg {
    Arg::new("hosts")
        .long("hosts")
        .value_name("N")
        .default_value("10")
        .value_parser(clap::value_parser!(usize))
        .help("Hosts to show")
}

fn json() -> Arg {
    switch("json", "As JSON, for programs")
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn display() -> [Arg; 2] {
    [
        switch("quiet", "Print nothing but errors").short('q'),
        Arg::new("log-format")
            .long("log-format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["auto", "text", "json"]))
            .default_value("auto")
            .help("auto: a live display on a terminal, else plain lines; text: plain lines; json: one object a line"),
    ]
}

/// The flag of an option.
fn flag(option: &'static OptionSpec) -> Arg {
    let arg = Arg::new(option.name)
        .long(option.name)
        .value_name(option.placeholder)
        .help(option_line(option))
        .help_heading(option.group.heading())
        .action(if option.is_list {
            ArgAction::Append
        } else {
            ArgAction::Set
        })
        .allow_hyphen_values(true);
    if option.is_switch {
        return arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true");
    }
    if !option.without_value.is_empty() {
        // What begins with a dash is then the next flag, not the value.
        return arg
            .num_args(0..=1)
            .allow_hyphen_values(false)
            .default_missing_value(option.without_value);
    }
    arg
}

/// Options of fetching that say nothing to a verb for one URL.
const OF_CRAWLS: [&str; 4] = ["concurrency", "retries", "retry-wait", "idle-connections"];

/// A verb for one URL with the options of these groups and names.
fn with_groups(verb: Command, groups: &[Group], names: &[&str]) -> Command {
    OPTIONS
        .iter()
        .filter(|option| groups.contains(&option.group) || names.contains(&option.name))
        .filter(|option| !OF_CRAWLS.contains(&option.name))
        .fold(verb, |verb, option| verb.arg(flag(option)))
}

/// The settings that a verb was given: `--config`, the environment, and flags, the later winning.
///
/// # Errors
/// A configuration file that cannot be read, or holds a key that is no option.
pub(crate) fn settings(matches: &ArgMatches) -> anyhow::Result<Settings> {
    let mut settings = Settings::new();
    if let Ok(Some(path)) = matches.try_get_one::<String>("config") {
        settings.add_config_file(std::path::Path::new(path))?;
    }
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    settings
        .add_environment(variables)
        .map_err(nephila::Error::from)?;
    for option in OPTIONS {
        let Ok(Some(values)) = matches.try_get_many::<String>(option.name) else {
            continue;
        };
        let written = values.cloned().collect();
        settings
            .set(option.name, written, Source::Flag)
            .map_err(nephila::Error::from)?;
    }
    Ok(settings)
}

/// Whether a switch of this verb was given.
pub(crate) fn is_given(matches: &ArgMatches, name: &str) -> bool {
    matches
        .try_get_one::<bool>(name)
        .ok()
        .flatten()
        .copied()
        .unwrap_or(false)
}

/// A value of this verb.
pub(crate) fn value<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches
        .try_get_one::<String>(name)
        .ok()
        .flatten()
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_switch_needs_no_value_and_a_list_repeats() {
        let line = "nephila crawl --ignore-robots --include a --include -b http://a.test/";
        let matches = command().try_get_matches_from(line.split(' ')).unwrap();
        let (_, crawl) = matches.subcommand().unwrap();
        let settings = settings(crawl).unwrap().check().unwrap();
        assert!(settings.ignore_robots);
        assert_eq!(settings.include.len(), 2);
    }
}
