//! An object store as a destination, against moto's S3.

use std::net::TcpListener;
use std::path::Path;

use nephila::{Destination, ErrorKind};

use crate::python::{self, Server};

const SECRET: &str = "a-secret-that-no-message-may-hold";

struct Store {
    server: Server,
    endpoint: String,
    root: tempfile::TempDir,
}

impl Store {
    /// A store with the bucket `rows`; none where there is no Python.
    fn start() -> Option<Store> {
        let mut server = Server::start(&python::interpreter()?, "s3_server.py", &["rows"]);
        Some(Store {
            endpoint: server.line(),
            server,
            root: tempfile::tempdir().unwrap(),
        })
    }

    fn destination(&self, url: &str) -> Destination {
        destination(url, &self.endpoint, &[("AWS_ALLOW_HTTP", "true")])
    }

    fn file(&self, bytes: &[u8]) -> std::path::PathBuf {
        let path = self.root.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The object as boto3 sees it.
    fn object(&mut self, key: &str) -> Vec<u8> {
        let path = self.root.path().join("fetched");
        let answer = self
            .server
            .ask(&format!("fetch rows {key} {}", path.display()));
        assert_eq!(answer, "true");
        std::fs::read(path).unwrap()
    }
}

fn destination(url: &str, endpoint: &str, more: &[(&str, &str)]) -> Destination {
    let mut settings = vec![
        ("AWS_ACCESS_KEY_ID", "an-access-key"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    settings.extend(more);
    Destination::with_settings(url, settings).unwrap()
}

fn got(destination: &Destination, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = destination.get(name, &mut bytes).unwrap();
    assert_eq!(length, bytes.len() as u64);
    bytes
}

/// An endpoint where nobody listens.
fn dead_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn files_are_stored_replaced_listed_and_read() {
    let Some(mut store) = Store::start() else {
        return;
    };
    let destination = store.destination("s3://rows/crawl one/now/");
    destination.check().unwrap();
    assert_eq!(destination.list().unwrap(), Vec::<String>::new());
    assert_eq!(store.server.ask("keys rows"), "[]", "no probe is left");
    for text in ["first", "", "third and longer"] {
        let file = store.file(text.as_bytes());
        destination.put("part-00000.csv", &file).unwrap();
        destination.put("deep/er/part+1 é.csv", &file).unwrap();
        assert_eq!(got(&destination, "part-00000.csv"), text.as_bytes());
    }
    assert_eq!(
        destination.list().unwrap(),
        ["deep/er/part+1 é.csv", "part-00000.csv"]
    );
    // Another prefix of the bucket is another place.
    assert!(
        store
            .destination("s3://rows/crawl")
            .list()
            .unwrap()
            .is_empty()
    );
    let root = store.destination("s3://rows");
    assert_eq!(root.list().unwrap().len(), 2);
    root.put("top", &store.file(b"top")).unwrap();
    assert_eq!(store.object("top"), b"top");
}

#[test]
fn a_large_file_goes_in_parts() {
    let Some(mut store) = Store::start() else {
        return;
    };
    let destination = store.destination("s3://rows/large");
    let bytes: Vec<u8> = (0_u32..5 << 20).flat_map(u32::to_le_bytes).collect();
    assert_eq!(bytes.len(), 20 << 20);
    for length in [bytes.len(), 8 << 20, (8 << 20) + 1, (16 << 20) - 1] {
        let file = store.file(&bytes[..length]);
        destination.put("part", &file).unwrap();
        assert!(store.object("large/part") == bytes[..length], "{length}");
        assert!(got(&destination, "part") == bytes[..length], "{length}");
    }
    assert_eq!(store.server.ask("uploads rows"), "[]", "none is unfinished");
}

#[test]
fn what_is_wrong_is_told_without_secrets() {
    let Some(store) = Store::start() else {
        return;
    };
    let told = |destination: &Destination, kind: ErrorKind, words: &[&str]| {
        let error = destination.check().unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        let shown = format!("{text} {error:?} {destination:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        println!("{text}");
    };
    told(
        &store.destination("s3://no-such-bucket/a"),
        ErrorKind::Usage,
        &[
            "write to s3://no-such-bucket/a/",
            "there is no such bucket; make it",
        ],
    );
    let dead = dead_endpoint();
    let lost = destination("s3://rows", &dead, &[("AWS_ALLOW_HTTP", "true")]);
    told(
        &lost,
        ErrorKind::Network,
        &["there is no connection to", &dead, "refused"],
    );
    let plain = destination("s3://rows", &store.endpoint, &[]);
    told(&plain, ErrorKind::Usage, &["set AWS_ALLOW_HTTP=true"]);
    let settings = [
        ("AWS_ENDPOINT_URL", store.endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_METADATA_ENDPOINT", dead.as_str()),
    ];
    let nobody = Destination::with_settings("s3://rows", settings).unwrap();
    told(
        &nobody,
        ErrorKind::Usage,
        &["no credentials", "AWS_ACCESS_KEY_ID"],
    );
}

#[test]
fn what_is_not_there_is_told() {
    let Some(store) = Store::start() else {
        return;
    };
    let destination = store.destination("s3://rows/a");
    let error = destination.get("gone", &mut Vec::new()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("cannot read s3://rows/a/gone: it is not there"),
        "{text}"
    );
    let absent = Path::new("/nowhere/at/all");
    let error = destination.put("b", absent).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    assert_eq!(error.path(), Some(absent));
}
