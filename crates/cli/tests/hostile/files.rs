//! Names from the web are never names of files.

use std::path::{Path, PathBuf};

use super::run::{crawl, rows};
use super::secrets::Scripted;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        }
        found.push(path);
    }
}

#[test]
fn nothing_is_written_under_a_name_from_the_web() {
    let marker = "webname";
    let long = format!("{}.{marker}", "a".repeat(60));
    let labels = [
        long.as_str(),
        &format!("..%2f..%2f{marker}"),
        &format!("con.{marker}"),
        &format!("-rf.{marker}"),
    ]
    .map(|host| format!("http://{host}"));
    let links: String = labels
        .iter()
        .map(|origin| format!("<a href='{origin}:PORT/..%2f..%2f..%2fetc%2f{marker}/%00{marker}?../../{marker}'>x</a>"))
        .collect();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let links = links.replace("PORT", &port.to_string());
    drop(listener);
    let page = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{links}<a href='/{marker}/../../{marker}'>y</a>"
    );
    let site = Scripted::serve(&page);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/er/c");
    std::fs::create_dir_all(out.parent().unwrap()).unwrap();
    let seed = format!("http://{marker}.test:{}/", site.port);
    let rules = [
        format!("*:{0}:127.0.0.1:{0}", site.port),
        format!("*:{port}:127.0.0.1:{}", site.port),
    ];
    crawl(
        &[seed],
        &out,
        &["--resolve", &rules[0], "--resolve", &rules[1]],
    );
    let rows = rows(&out);
    assert!(
        rows.iter()
            .filter(|row| row["outcome"] == "fetched")
            .count()
            >= 4,
        "{rows:#?}"
    );
    let mut found = Vec::new();
    files(folder.path(), &mut found);
    assert!(found.len() > 3);
    for path in &found {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(!name.contains(marker), "{}", path.display());
        assert!(
            path.starts_with(&out) || out.starts_with(path),
            "{}",
            path.display()
        );
    }
}
