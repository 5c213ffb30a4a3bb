//! Addresses that are not public are never connected to, whatever leads there.

use super::run::{crawl, page, rows, server};

#[test]
fn a_redirect_to_the_metadata_service_is_blocked() {
    let server = server(false);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let seed = format!("http://{}/redir-private", server.addr());
    crawl(&[seed], &out, &[]);
    let rows = rows(&out);
    let target = page(&rows, "http://169.254.169.254/latest/meta-data/").unwrap();
    assert_eq!(target["outcome"], "blocked_address");
    assert!(target["address"].is_null() && target["status"].is_null());
    let robots = rows
        .iter()
        .find(|row| row["url"] == "http://169.254.169.254/robots.txt");
    assert!(robots.is_none_or(|row| row["outcome"] == "blocked_address"));
}

#[test]
fn spellings_of_loopback_are_blocked_where_no_seed_names_them() {
    let server = server(false);
    let port = server.addr().port();
    let folder = tempfile::tempdir().unwrap();
    // The host of the seed is named by its rule; whatever else is on loopback is not.
    let spellings = [
        "2130706433",
        "0177.1",
        "0x7f.1",
        "127.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "0",
        "[::]",
        "0x7f000001",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ];
    let list: String = spellings
        .iter()
        .map(|host| format!("http://{host}:{port}/ok2\n"))
        .collect();
    let listed = super::secrets::Scripted::serve(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{}",
        list.lines()
            .map(|url| format!("<a href='{url}'>x</a>"))
            .collect::<String>()
    ));
    let out = folder.path().join("c");
    let seed = format!("http://listing.test:{}/", listed.port);
    let rule = format!("listing.test:{0}:127.0.0.1:{0}", listed.port);
    crawl(&[seed], &out, &["--resolve", &rule]);
    let rows = rows(&out);
    let others: Vec<_> = rows
        .iter()
        .filter(|row| {
            row["kind"] == "page"
                && row["host"]
                    .as_str()
                    .is_some_and(|host| !host.starts_with("listing"))
        })
        .collect();
    assert!(others.len() >= 7, "{others:?}");
    for row in others {
        assert_eq!(row["outcome"], "blocked_address", "{row}");
    }
    assert_eq!(server.connections(), 0);
}
