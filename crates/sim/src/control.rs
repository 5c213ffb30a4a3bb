//! The control host: what a script asks of a running server.

use serde::Serialize;

use crate::exchange::Shared;
use crate::truth::TruthScope;

/// An answer of the control host.
#[derive(Debug)]
pub(crate) struct ControlReply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Whether the server stops once this is sent.
    pub(crate) stops: bool,
}

/// What `control.{domain}` answers, none where `host` is another:
/// `/truth` (or `/truth?scope=host`) lines of URL, hops and status; `/log` lines as of `Log::to_tsv`;
/// `/stats` and `/web` JSON; `/set?...` changes the conditions; `/ca` the certificate of the authority; `/stop` stops the server.
///
/// `/truth` and `/log` keep the server busy while they are made: they are for the time after a crawl.
pub(crate) fn answer(shared: &Shared, host: &str, target: &str) -> Option<ControlReply> {
    let domain = shared.plan.web.domain.as_str();
    let name = host.split(':').next().unwrap_or_default();
    let below = name.strip_prefix("control.")?;
    if below != domain {
        return None;
    }
    if let Some(query) = target.strip_prefix("/set?") {
        return Some(set(shared, query));
    }
    let text = "text/tab-separated-values; charset=utf-8";
    let truth = |scope| (text, shared.plan.truth(scope).to_tsv().into_bytes());
    let (content_type, body) = match target {
        "/truth" => truth(TruthScope::Any),
        "/truth?scope=host" => truth(TruthScope::Host),
        "/log" => (
            text,
            shared.recorder.log(&shared.plan).to_tsv().into_bytes(),
        ),
        "/stats" => ("application/json", json(&shared.recorder.stats())),
        "/web" => ("application/json", json(&shared.plan.web)),
        "/ca" => {
            let pem = shared.tls.as_ref().map(|tls| tls.ca_pem.clone());
            (
                "application/x-pem-file",
                pem.unwrap_or_default().into_bytes(),
            )
        }
        "/stop" => ("text/plain", b"stopping\n".to_vec()),
        _ => {
            let body = b"truth, truth?scope=host, log, stats, web, set, ca, stop\n".to_vec();
            return Some(ControlReply {
                status: 404,
                content_type: "text/plain",
                body,
                stops: false,
            });
        }
    };
    Some(ControlReply {
        status: 200,
        content_type,
        body,
        stops: target == "/stop",
    })
}

/// Changes the conditions: `latency=TIMES`, with `&host=NUMBER` of one host alone, and `bandwidth=BYTES`, 0 for
/// without a limit.
fn set(shared: &Shared, query: &str) -> ControlReply {
    let reply = |status, body: &str| ControlReply {
        status,
        content_type: "text/plain",
        body: body.as_bytes().to_vec(),
        stops: false,
    };
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.filter(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).next()
    };
    let number = |name: &str| value(name).and_then(|text| text.parse::<f64>().ok());
    match (number("latency"), number("host"), number("bandwidth")) {
        (Some(times), None, _) => shared.conditions.set_latency_times(times),
        (Some(times), Some(host), _) => {
            shared.conditions.set_host_latency_times(host as u32, times);
        }
        (None, _, Some(bytes)) => {
            let bytes = bytes as u64;
            shared
                .conditions
                .set_bandwidth(Some(bytes).filter(|bytes| *bytes > 0));
        }
        _ => {
            return reply(
                400,
                "set?latency=TIMES[&host=NUMBER], set?bandwidth=BYTES\n",
            );
        }
    }
    reply(200, "done\n")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // What is written here has no keys that JSON could not write.
    serde_json::to_vec(value).unwrap_or_default()
}
