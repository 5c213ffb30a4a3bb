//! `cargo xtask sites`: ten real sites from Debian's documentation packages, served on loopback.

use super::Verb;
use crate::failure;
use crate::sites::{self, PortBase, Wanted};

pub(super) const VERB: Verb = Verb {
    name: "sites",
    summary: "fetch Debian's documentation packages and serve them with nginx on loopback",
    help:
        "cargo xtask sites [--only NAME,... | --all] [--serve | --stop | --verify] [--port-base N]

Ten real sites with a known set of reachable URLs, each a Debian package (../shared/corpora/sites).
Packages are downloaded by apt-get and unpacked by dpkg -x into .site-data (NEPHILA_SITES_ROOT says
otherwise); nothing is installed. Where there is no nginx, Debian's is unpacked there too.
Safe to run twice and from several processes at once. Without an action, prints of each site its
package, version, start page and directory.

  --only NAME,...  these sites; by default python3.11-doc, postgresql-doc-15, sqlite3-doc and
                   debian-policy
  --all            all ten (1.2 GB unpacked)
  --serve          start nginx in the background on 127.0.0.1 and print a table: site, URL, start
                   page, access log. Every start page has answered when this returns. Served again
                   with other sites, the server of this port base is replaced
  --stop           end the server of this port base, by its own pid file
  --verify         fetch nothing; tell whether each unpacked version is the one that the truth was
                   made from. Exit code 1 when one is not: its truth may have drifted
  --port-base N    sites are at N+1 to N+10, default 18000; `auto` takes ports that are free

The access log has a line a request, fields parted by tabs: host, request line, status, referer,
user agent, seconds since 1970, connection number, bytes of the body.
Exit code 3: this machine cannot give the sites (no apt-get, no network): tests skip.
",
    run,
};

enum Action {
    Fetch,
    Serve,
    Stop,
    Verify,
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let request = parse(arguments)?;
    match request.action {
        Action::Fetch => sites::provide(&request.sites),
        Action::Serve => sites::serve(&request.sites, request.base),
        Action::Verify => sites::verify(&request.sites),
        Action::Stop => {
            let base = request.base.fixed().ok_or_else(|| {
                failure::usage("`--stop` needs the number that `--serve` printed, not `auto`")
            })?;
            let stopped = sites::stop(base)?;
            let end = if stopped {
                "stopped"
            } else {
                "nothing was served"
            };
            println!("port base {base}: {end}");
            Ok(())
        }
    }
}

struct Request {
    sites: Wanted,
    action: Action,
    base: PortBase,
}

fn parse(arguments: &[String]) -> anyhow::Result<Request> {
    let mut request = Request {
        sites: Wanted::Usual,
        action: Action::Fetch,
        base: PortBase::usual(),
    };
    let mut rest = arguments.iter();
    let mut actions = 0;
    while let Some(argument) = rest.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_string())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            let given = inline.clone().or_else(|| rest.next().cloned());
            given.ok_or_else(|| failure::usage(format!("`{flag}` needs a value")))
        };
        match flag {
            "--only" => request.sites = Wanted::named(&value()?)?,
            "--all" => request.sites = Wanted::All,
            "--port-base" => request.base = PortBase::parse(&value()?)?,
            "--serve" | "--stop" | "--verify" => {
                request.action = action(flag);
                actions += 1;
            }
            _ => return Err(unknown(argument)),
        }
    }
    if actions > 1 {
        return Err(failure::usage(
            "choose one of `--serve`, `--stop` and `--verify`",
        ));
    }
    Ok(request)
}

fn action(flag: &str) -> Action {
    match flag {
        "--serve" => Action::Serve,
        "--stop" => Action::Stop,
        _ => Action::Verify,
    }
}

fn unknown(argument: &str) -> anyhow::Error {
    failure::usage(format!(
        "`cargo xtask sites` has no `{argument}`: see `cargo xtask help sites`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<Request> {
        parse(
            &text
                .split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn flags_are_read_in_both_forms() {
        let request = parsed("--only=debian-policy,sqlite3-doc --serve --port-base 19000").unwrap();
        assert!(matches!(request.action, Action::Serve));
        assert_eq!(request.base.fixed(), Some(19000));
        let names: Vec<_> = request.sites.sites().map(|site| site.package).collect();
        assert_eq!(names, ["sqlite3-doc", "debian-policy"]);
        assert_eq!(parsed("").unwrap().sites.sites().count(), 4);
        assert_eq!(parsed("--all").unwrap().sites.sites().count(), 10);
    }

    #[test]
    fn wrong_arguments_are_usage_errors() {
        let wrong = [
            "--only",
            "--only nowhere-doc",
            "--port-base x",
            "--port-base 65530",
            "serve",
        ];
        for text in wrong
            .into_iter()
            .chain(["--serve --stop", "--port-base 80"])
        {
            let error = parsed(text).err().unwrap();
            assert_eq!(failure::exit_code(&error), 2, "{text}");
        }
    }
}
