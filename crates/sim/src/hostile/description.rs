//! The page docs/hostile.md, made from the tables.

use std::fmt::Write as _;

use super::behaviour::{Behaviour, FAMILIES};
use super::tls_faults::{TLS_FAULTS, TlsFault};

const INTRODUCTION: &str = "\
# The hostile web

What a crawl makes of servers that misbehave. This page is made from the tables in
`crates/sim/src/hostile` by `nephila-sim hostile --page`, and the tests crawl every row of it
(`crates/cli/tests/hostile`). `nephila-sim hostile` serves all of it on loopback.

Each row is a seed with the options at their defaults. *Requests* are those for the path itself, with
the two retries of `--retries`. *Whole* says whether the row has the digest of a body: what did not come
whole never has one, and its links are not followed. *Error* is a part of the row's error text.

In all of them: no more memory than the limits allow, no request that nobody asked for, and the next
page of the same host is fetched as if nothing had been.
";

const TLS: &str = "\
## TLS

Each on a port of its own, with `--ca` naming the server's authority. A certificate that does not
verify is asked for once: it stays as it is. `--insecure` fetches all the same, for one's own test
servers.

| fault | what is wrong | outcome | error | asked again | with `--insecure` |
|---|---|---|---|---|---|
";

/// The page, in Markdown.
pub fn hostile_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for family in FAMILIES {
        // Writing to memory cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n| path | what the server does | outcome | status | requests | whole | error, remarks |\n\
             |---|---|---|---|---|---|---|\n",
            family.name
        );
        for behaviour in family.behaviours {
            push_behaviour(&mut page, behaviour);
        }
    }
    page.push('\n');
    page.push_str(TLS);
    for fault in TLS_FAULTS {
        push_fault(&mut page, fault);
    }
    page
}

fn push_behaviour(page: &mut String, behaviour: &Behaviour) {
    let outcome = match behaviour.outcome {
        "" => "not asked for".to_owned(),
        outcome => format!("`{outcome}`"),
    };
    let status = behaviour.status.filter(|_| behaviour.requests > 0);
    let status = status.map_or_else(String::new, |status| status.to_string());
    let mut remarks = Vec::new();
    if !behaviour.says.is_empty() {
        remarks.push(format!("\"{}\"", behaviour.says));
    }
    if !behaviour.leads_to.is_empty() {
        remarks.push(format!("leads to {}", behaviour.leads_to.join(", ")));
    }
    if behaviour.is_endless {
        remarks.push("leads on without end".to_owned());
    }
    if !behaviour.note.is_empty() {
        remarks.push(behaviour.note.to_owned());
    }
    let whole = if behaviour.is_whole && behaviour.requests > 0 {
        "yes"
    } else {
        "no"
    };
    let _ = writeln!(
        page,
        "| {} | {} | {outcome} | {status} | {} | {whole} | {} |",
        behaviour.path,
        behaviour.what,
        behaviour.requests,
        remarks.join("; ")
    );
}

fn push_fault(page: &mut String, fault: &TlsFault) {
    let yes_no = |is: bool| if is { "yes" } else { "no" };
    let says = match fault.says {
        "" => String::new(),
        says => format!("\"{says}\""),
    };
    let _ = writeln!(
        page,
        "| {} | {} | `{}` | {says} | {} | {} |",
        fault.name,
        fault.what,
        fault.outcome,
        yes_no(fault.is_passing),
        if fault.is_fetched_insecurely {
            "fetched"
        } else {
            "the same"
        },
    );
}
