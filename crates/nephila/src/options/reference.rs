//! The reference page of the options, made from their table.

use super::table::{OPTIONS, OptionSpec};

/// What the help text says of an option after its name: what it does, its default and its bounds.
pub fn option_line(option: &OptionSpec) -> String {
    let mut text = option.help.to_owned();
    let default = if option.default.is_empty() {
        "none"
    } else {
        option.default
    };
    if !option.is_switch {
        text.push_str(&format!(" [default: {default}]"));
    }
    if let Some(bounds) = bounds(option) {
        text.push_str(&format!(" [{bounds}]"));
    }
    if option.is_list {
        text.push_str(" [repeatable]");
    }
    text
}

/// `docs/options.md`, whole.
pub fn options_page() -> String {
    let mut page = String::from(
        "# Options\n\n\
         This page is made from the one table in `crates/nephila/src/options/table.rs` by\n\
         `cargo xtask docs`. The same names are the flags of `nephila crawl`, the keys of\n\
         `crawl.toml` and of a `--config` file, and, in capitals with `NEPHILA_` before them, the\n\
         environment's variables. A flag wins over the environment, the environment over the\n\
         file.\n\n\
         Durations are written `250ms`, `10s`, `5m`, `2h`, `1d`; sizes `64KiB`, `10MiB`, `2GiB`.\n\
         Options marked *start* are fixed when a crawl begins; `resume` may change the others.\n",
    );
    let mut heading = "";
    for option in OPTIONS {
        if option.group.heading() != heading {
            heading = option.group.heading();
            page.push_str(&format!(
                "\n## {heading}\n\n| option | default | bounds | what it does | why this default |\n\
                 |---|---|---|---|---|\n"
            ));
        }
        page.push_str(&row(option));
    }
    page
}

fn row(option: &OptionSpec) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let value = match (option.is_switch, option.without_value) {
        (true, _) => String::new(),
        (false, "") => format!(" {}", option.placeholder),
        (false, _) => format!(" [{}]", option.placeholder),
    };
    let repeats = if option.is_list { " (repeatable)" } else { "" };
    let start = if option.on_resume { "" } else { " *start*" };
    let default = if option.default.is_empty() {
        "none"
    } else {
        option.default
    };
    format!(
        "| `--{}{}`{repeats}{start} | `{}` | {} | {}. | {}. |\n",
        option.name,
        cell(&value),
        cell(default),
        bounds(option).unwrap_or_default(),
        cell(option.help),
        cell(option.reason),
    )
}

fn bounds(option: &OptionSpec) -> Option<String> {
    match option.bounds {
        ("", "") => None,
        (least, "") => Some(format!("at least {least}")),
        ("", most) => Some(format!("at most {most}")),
        (least, most) => Some(format!("{least} to {most}")),
    }
}
