//! Prints one exchange: `cargo run -p nephila-fetch --example get -- https://example.com/`.
//!
//! Everything printed that came from the server is escaped, so that it cannot command the terminal.

#![expect(clippy::print_stdout, reason = "printing is what this example does")]

use std::sync::Arc;
use std::time::Duration;

use nephila_fetch::{
    Clock, Fetch, FetchConfig, FetchError, Fetcher, Request, Response, Shared, Times, decode_body,
};
use tokio::task::LocalSet;
use tokio::time::Instant;
use url::Url;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1).ok_or("give a URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let start = Instant::now();
        let clock: Clock = Arc::new(move || start.elapsed());
        let url = Url::parse(&argument)?;
        // The user names the host, so that it may be a private one.
        let allowed = url.host_str().map(str::to_owned);
        let config = FetchConfig {
            allowed_private_hosts: allowed.into_iter().collect(),
            ..FetchConfig::default()
        };
        let shared = Shared::new(config, clock)?;
        match Fetcher::new(Arc::new(shared))
            .fetch(Request::get(url))
            .await
        {
            Ok(response) => print_response(response),
            Err(error) => print_error(&error),
        }
        Ok(())
    })
}

fn print_response(response: Response) {
    println!("{} {}", response.version, response.status);
    for (name, value) in &response.headers {
        println!("{name}: {}", value.as_bytes().escape_ascii());
    }
    if let Some(remote) = response.remote {
        println!("\nfrom {remote}");
    }
    print_times(&response.times);
    println!("{} bytes on the wire", response.wire_bytes);
    let coding = response
        .headers
        .get("content-encoding")
        .and_then(|value| value.to_str().ok());
    match decode_body(coding, response.body, 1 << 26) {
        Ok(body) => println!("{} bytes decoded", body.len()),
        Err(error) => println!("{error}"),
    }
}

fn print_error(error: &FetchError) {
    println!("{error}\n{:?}, {}", error.kind(), error.url());
    print_times(&error.times());
}

fn print_times(times: &Times) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "DNS {:.1} ms, connect {:.1} ms, TLS {:.1} ms, first byte {:.1} ms, body {:.1} ms",
        milliseconds(times.dns),
        milliseconds(times.connect),
        milliseconds(times.tls),
        milliseconds(times.first_byte),
        milliseconds(times.body),
    );
}
