//! A directory is shown: of a crawl that ended, and of one that another process runs.

use nephila_serve::{ServeError, ServeOptions, Server, Watched};

use crate::asking::{Answer, ask};
use crate::crawl::Shown;

fn options() -> ServeOptions {
    ServeOptions {
        address: "127.0.0.1:0".parse().unwrap(),
        token: None,
        hosts: Vec::new(),
    }
}

/// Asks for the state until its log has been read.
fn state(server: &Server) -> serde_json::Value {
    loop {
        let answer: Answer = ask(server.address(), "GET", "/api/state", &[], "");
        let state = answer.json();
        if state["standing"] != "reading" {
            return state;
        }
    }
}

#[test]
fn a_crawl_that_ended_is_shown_and_not_changed() {
    let mut shown = Shown::start(50, None);
    let summary = shown.ended();
    let root = shown.directory.root().to_owned();
    let server = Server::start(Watched::Stored(root), &options()).unwrap();
    let state = state(&server);
    assert_eq!(
        (&state["standing"], &state["stopped"]),
        (&"ended".into(), &"done".into())
    );
    assert_eq!(state["counts"]["pages"], summary.pages);
    assert_eq!(state["queued"], 0);
    assert_eq!(state["has_actions"], false);
    assert!(state["plots"]["rate"]["data"][0].as_array().unwrap().len() > 1);
    let json = ["Content-Type: application/json"];
    for action in ["pause", "resume", "stop", "concurrency"] {
        let target = format!("/api/{action}");
        assert_eq!(
            ask(server.address(), "POST", &target, &json, "{}").status,
            409,
            "{action}"
        );
    }
    let hosts = ask(server.address(), "GET", "/api/hosts?by=largest", &[], "").json();
    assert_eq!(
        hosts["lines"].as_array().unwrap().len() as u64,
        summary.hosts
    );
}

#[test]
fn a_crawl_that_runs_is_followed() {
    let mut shown = Shown::start(100_000, None);
    let root = shown.directory.root().to_owned();
    let server = Server::start(Watched::Stored(root), &options()).unwrap();
    let pages = |state: &serde_json::Value| state["counts"]["pages"].as_u64().unwrap();
    let first = state(&server);
    assert_eq!(first["standing"], "running");
    loop {
        let later = state(&server);
        if pages(&later) > pages(&first) {
            assert_eq!(later["standing"], "running");
            break;
        }
        shown.pause_looking();
    }
    shown.control.stop();
    let summary = shown.ended();
    loop {
        let last = state(&server);
        if last["standing"] == "ended" {
            assert_eq!(
                (pages(&last), &last["stopped"]),
                (summary.pages, &"interrupted".into())
            );
            break;
        }
    }
}

#[test]
fn what_cannot_be_served_says_why() {
    let none = std::env::temp_dir().join("nephila-no-crawl-is-here");
    let failed = Server::start(Watched::Stored(none.clone()), &options()).unwrap_err();
    assert!(
        failed.to_string().contains("there is no crawl directory"),
        "{failed}"
    );
    let open = ServeOptions {
        address: "0.0.0.0:0".parse().unwrap(),
        ..options()
    };
    let failed = Server::start(Watched::Stored(none.clone()), &open).unwrap_err();
    assert!(matches!(failed, ServeError::Open(_)), "{failed}");
    let shown = Shown::start(100_000, None);
    let taken = ServeOptions {
        address: shown.server().address(),
        ..options()
    };
    let failed = Server::start(Watched::Stored(none), &taken).unwrap_err();
    assert!(
        failed.to_string().contains("is taken") && failed.to_string().contains("--serve"),
        "{failed}"
    );
}
