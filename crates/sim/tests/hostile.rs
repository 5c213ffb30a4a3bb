//! The hostile server as a client sees it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use nephila_sim::{Ended, HostileOptions, HostileServer, TLS_FAULTS, behaviours};

fn start() -> HostileServer {
    let options = HostileOptions {
        drip: Duration::from_millis(1),
        hang: Duration::from_millis(10),
        endless_bytes: 1 << 20,
        tls: true,
        ..HostileOptions::default()
    };
    HostileServer::start_in_thread(options).unwrap()
}

fn ask(server: &HostileServer, target: &str) -> (Vec<u8>, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    (answer, ended)
}

#[test]
fn every_behaviour_ends_and_is_noted() {
    let server = start();
    for behaviour in behaviours().filter(|behaviour| behaviour.path != "/rst") {
        // How each ends is in the log.
        let _ = ask(&server, behaviour.path);
    }
    let log = server.log();
    assert_eq!(log.len(), behaviours().count() - 1);
    for entry in &log {
        assert_eq!(entry.host, "a.test");
        assert!(
            !matches!(entry.ended, Ended::UnderWay | Ended::ClientLeft),
            "{entry:?}"
        );
    }
    let hang = log.iter().find(|entry| entry.target == "/hang").unwrap();
    assert_eq!(hang.bytes_sent, 0);
}

#[test]
fn a_reset_is_a_reset() {
    let server = start();
    let (_, ended) = ask(&server, "/rst");
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn answers_change_with_how_often_they_were_asked_for() {
    let server = start();
    let status = |path: &str| {
        let (answer, _) = ask(&server, path);
        String::from_utf8_lossy(&answer[9..12]).into_owned()
    };
    assert_eq!(
        [status("/429"), status("/429"), status("/429")],
        ["429", "429", "200"]
    );
    assert_eq!([status("/503"), status("/503")], ["503", "200"]);
    assert_eq!(status("/redir-inf?n=7"), "302");
    assert_eq!(status("/nothing-of-the-kind"), "404");
}

#[test]
fn each_fault_of_tls_has_a_port() {
    let server = start();
    assert_eq!(server.tls_addrs().len(), TLS_FAULTS.len());
    assert!(
        server
            .ca_pem()
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE")
    );
    let place = TLS_FAULTS
        .iter()
        .position(|fault| fault.name == "old-protocol")
        .unwrap();
    let mut stream = TcpStream::connect(server.tls_addrs()[place]).unwrap();
    stream.write_all(b"hello").unwrap();
    let mut alert = [0; 7];
    stream.read_exact(&mut alert).unwrap();
    assert_eq!(alert, [21, 3, 2, 0, 2, 2, 70]);
}
