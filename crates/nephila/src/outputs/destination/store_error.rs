//! What went wrong with an object store: what, where and what to do, and no secrets.

use std::error::Error as StdError;
use std::time::Duration;

use super::address::{Bucket, Service};
use crate::error::{Error, ErrorKind};

/// A message of a store is cut here.
const SHOWN_CHARS: usize = 600;

/// A setting that is shorter is no secret worth hiding, and would garble the text.
const SECRET_CHARS_MIN: usize = 6;

/// Where credentials are asked for when none are set: the machine's own metadata service. Parts of
/// its addresses.
const METADATA_SERVICES: [&str; 4] = [
    "169.254.169.254",
    "metadata.google.internal",
    "/latest/api/token",
    "/latest/meta-data",
];

/// Makes messages of what a store answers.
#[derive(Debug)]
pub(super) struct StoreErrors {
    bucket: Bucket,
    endpoint: Option<String>,
    secrets: Secrets,
}

/// Values that no message may hold. Not shown by `Debug` either.
struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}

impl StoreErrors {
    pub(super) fn new(bucket: &Bucket, settings: &[(&str, &str)]) -> StoreErrors {
        let words = ["KEY", "SECRET", "TOKEN", "SAS", "PASSWORD"];
        let is_secret = |name: &str| {
            let is_file = name.ends_with("_FILE");
            !is_file && words.iter().any(|word| name.contains(word))
        };
        let named = settings.iter().filter(|(name, _)| is_secret(name));
        let mut secrets: Vec<String> = named.map(|(_, value)| (*value).to_owned()).collect();
        secrets.extend(settings.iter().filter_map(|(_, value)| password(value)));
        secrets.retain(|secret| secret.chars().count() >= SECRET_CHARS_MIN);
        let endpoint = settings
            .iter()
            .find(|(name, _)| {
                matches!(
                    *name,
                    "AWS_ENDPOINT_URL_S3" | "AWS_ENDPOINT_URL" | "AWS_ENDPOINT"
                )
            })
            .filter(|_| bucket.service == Service::S3);
        StoreErrors {
            bucket: bucket.clone(),
            endpoint: endpoint.map(|(_, value)| without_user(value)),
            secrets: Secrets(secrets),
        }
    }

    /// The error of a request, as `doing` to the object `name`, which may be empty.
    pub(super) fn explain(&self, doing: &str, name: &str, error: &object_store::Error) -> Error {
        let text = chain(error);
        let text = self.clean(&answer(&text).unwrap_or(text));
        let (kind, advice) = self.advice(error, &text);
        Error::new(
            kind,
            format!("cannot {doing} {}: {advice} ({text})", self.place(name)),
        )
    }

    /// The settings of the environment are not enough, or wrong.
    pub(super) fn unusable(&self, error: &object_store::Error) -> Error {
        let text = self.clean(&chain(error));
        let credentials = credentials(self.bucket.service);
        Error::new(
            ErrorKind::Usage,
            format!("cannot use {}: check {credentials} ({text})", self.bucket),
        )
    }

    /// The error of a request that had no end within its time.
    pub(super) fn late(&self, doing: &str, name: &str, time: Duration) -> Error {
        Error::new(
            ErrorKind::Network,
            format!(
                "cannot {doing} {}: no end within {} s; check the connection{}",
                self.place(name),
                time.as_secs(),
                self.endpoint_hint()
            ),
        )
    }

    fn place(&self, name: &str) -> String {
        if name.is_empty() {
            return self.bucket.to_string();
        }
        format!("{}/{name}", self.bucket)
    }

    fn endpoint_hint(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => format!(" to {endpoint} (AWS_ENDPOINT_URL)"),
            None => String::new(),
        }
    }

    fn advice(&self, error: &object_store::Error, text: &str) -> (ErrorKind, String) {
        use object_store::Error as Store;
        let service = self.bucket.service;
        let bucket = match service {
            Service::Azure => "container",
            _ => "bucket",
        };
        if METADATA_SERVICES
            .iter()
            .any(|address| text.contains(address))
        {
            let what = format!("there are no credentials; set {}", credentials(service));
            return (ErrorKind::Usage, what);
        }
        let is_absent = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]
            .iter()
            .any(|word| text.contains(word));
        if is_absent {
            let what = format!("there is no such {bucket}; make it, or correct its name");
            return (ErrorKind::Usage, what);
        }
        match error {
            Store::NotFound { .. } => (
                ErrorKind::Usage,
                format!("it is not there, or its {bucket} is not; correct the name"),
            ),
            Store::PermissionDenied { .. } => (
                ErrorKind::Usage,
                format!(
                    "the credentials are not allowed to, or wrong; check the rights on the {bucket} and {}",
                    credentials(service)
                ),
            ),
            Store::Unauthenticated { .. } => (
                ErrorKind::Usage,
                format!(
                    "the credentials are refused; check {}",
                    credentials(service)
                ),
            ),
            _ if is_no_connection(error) => (
                ErrorKind::Network,
                format!(
                    "there is no connection{}; is it the right endpoint, and does it run?",
                    self.endpoint_hint()
                ),
            ),
            _ if text.contains("AllowHttp") || text.contains("URL scheme is not allowed") => (
                ErrorKind::Usage,
                "the endpoint is plain http; set AWS_ALLOW_HTTP=true to allow that".to_owned(),
            ),
            _ => (ErrorKind::Network, "the store did not take it".to_owned()),
        }
    }

    /// Text of a server for a message: without secrets, queries (a signature may stand in one) and
    /// control characters, on one line, cut.
    fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets.0 {
            text = text.replace(secret.as_str(), "***");
        }
        let mut shown = String::new();
        let mut is_query = false;
        for character in text.chars() {
            is_query = match character {
                '?' => true,
                ' ' | '"' | '\'' | ')' | '>' | '<' | '\n' => false,
                _ => is_query,
            };
            match character {
                '?' => shown.push_str("?..."),
                _ if is_query => {}
                _ if character.is_control() => shown.push(' '),
                _ => shown.push(character),
            }
        }
        shown.chars().take(SHOWN_CHARS).collect()
    }
}

/// The code and the message of an XML answer, which all three services give.
fn answer(text: &str) -> Option<String> {
    let between = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        rest.split_once(end).map(|(inner, _)| inner)
    };
    let code = between("<Code>", "</Code>")?;
    let message = between("<Message>", "</Message>")?;
    Some(format!("{code}: {message}"))
}

/// The error and what is behind it, as far as that says more.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = inner.source();
    }
    text
}

fn is_no_connection(error: &object_store::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as Io;
            if matches!(
                io.kind(),
                Io::ConnectionRefused | Io::TimedOut | Io::HostUnreachable | Io::NetworkUnreachable
            ) {
                return true;
            }
        }
        let said = inner.to_string();
        if said.contains("tcp connect error") || said.contains("dns error") {
            return true;
        }
        source = inner.source();
    }
    false
}

fn credentials(service: Service) -> &'static str {
    match service {
        Service::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        Service::Google => "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT",
        Service::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    }
}

/// The password of a setting that is a URL with one, as for a proxy.
fn password(setting: &str) -> Option<String> {
    url::Url::parse(setting).ok()?.password().map(str::to_owned)
}

/// An endpoint without the user and password that it may hold.
fn without_user(endpoint: &str) -> String {
    let Ok(mut url) = url::Url::parse(endpoint) else {
        return "the endpoint that is set".to_owned();
    };
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    match cleared {
        Ok(()) => url.to_string(),
        Err(()) => "the endpoint that is set".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: &[(&str, &str)]) -> StoreErrors {
        let bucket = Bucket {
            service: Service::S3,
            name: "bucket".to_owned(),
            prefix: "a".to_owned(),
        };
        StoreErrors::new(&bucket, settings)
    }

    #[test]
    fn no_secret_is_in_a_message() {
        let errors = errors(&[
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "s3cr3t"),
            (
                "AWS_ENDPOINT_URL",
                "http://user:passw0rd@127.0.0.1:9/?q=hunter2",
            ),
        ]);
        let answer =
            "<Key>hunter2</Key>\u{1b}[31m http://user:passw0rd@h/p?sig=ABC&x=1 s3cr3t\nend";
        let error = object_store::Error::Generic {
            store: "S3",
            source: answer.into(),
        };
        let text = errors.explain("store", "part", &error).to_string();
        let late = errors
            .late("store", "part", Duration::from_secs(5))
            .to_string();
        for secret in ["hunter2", "s3cr3t", "passw0rd", "sig=", "\u{1b}"] {
            assert!(
                !text.contains(secret) && !late.contains(secret),
                "{text}\n{late}"
            );
            assert!(!format!("{errors:?}").contains(secret));
        }
        assert!(
            text.starts_with("cannot store s3://bucket/a/part: "),
            "{text}"
        );
        assert!(text.contains("@h/p?... *** end"), "{text}");
        assert!(late.contains("within 5 s"), "{late}");
        assert!(
            late.contains("http://127.0.0.1:9/ (AWS_ENDPOINT_URL)"),
            "{late}"
        );
    }
}
