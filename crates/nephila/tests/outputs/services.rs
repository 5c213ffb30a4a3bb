//! Every service of object storage, against a server that is busy at first.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use nephila::{Destination, ErrorKind};

/// What a request was: its line, and its body.
type Asked = (String, Vec<u8>);

/// A server that answers so many requests with 503 and then one with 200, and says what was asked.
struct Busy {
    endpoint: String,
    served: JoinHandle<Vec<Asked>>,
}

impl Busy {
    fn start(refusals: usize) -> Busy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let mut asked = Vec::new();
            while asked.len() <= refusals {
                let (stream, _) = listener.accept().unwrap();
                let is_refused = asked.len() < refusals;
                asked.push(answer(stream, is_refused));
            }
            asked
        });
        Busy { endpoint, served }
    }
}

fn answer(mut stream: TcpStream, is_refused: bool) -> Asked {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = if is_refused {
        "503 Slow Down"
    } else {
        "200 OK\r\netag: \"1\""
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    (first, body)
}

fn assert_stored(url: &str, settings: &[(&str, &str)], endpoint: &str, path: &str) {
    let server = Busy::start(2);
    let mut settings = settings.to_vec();
    settings.push((endpoint, &server.endpoint));
    let destination = Destination::with_settings(url, settings).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a,b\n").unwrap();
    destination.put("part-00000.csv", file.path()).unwrap();
    let asked = server.served.join().unwrap();
    assert_eq!(asked.len(), 3, "two refusals and one that took it");
    for (line, body) in asked {
        assert!(line.starts_with(&format!("PUT {path} ")), "{line}");
        assert_eq!(body, b"a,b\n");
    }
}

#[test]
fn what_fails_in_passing_is_tried_again() {
    let settings = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_BUCKET", "another"),
    ];
    let path = "/bucket/a/part-00000.csv";
    assert_stored("s3://bucket/a", &settings, "AWS_ENDPOINT_URL", path);
}

#[test]
fn google_and_azure_are_spoken_to_as_well() {
    let settings = [
        ("GOOGLE_BEARER_TOKEN", "token"),
        ("GOOGLE_ALLOW_HTTP", "true"),
    ];
    // Escaped more than it has to be, which changes nothing.
    let path = "/bucket/a%2Fpart%2D00000%2Ecsv";
    assert_stored("gs://bucket/a", &settings, "GOOGLE_BASE_URL", path);
    let settings = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0"),
        ("AZURE_ALLOW_HTTP", "true"),
    ];
    let path = "/bucket/a/part-00000.csv";
    assert_stored("az://bucket/a", &settings, "AZURE_STORAGE_ENDPOINT", path);
}

#[test]
fn an_account_that_is_not_named_is_told() {
    let error = Destination::with_settings("az://container", []).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let text = error.to_string();
    assert!(
        text.starts_with("cannot use az://container: check AZURE_STORAGE_ACCOUNT_NAME"),
        "{text}"
    );
}
