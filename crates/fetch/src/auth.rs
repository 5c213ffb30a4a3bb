//! Basic authentication (RFC 7617), bound to one origin.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::authority::Authority;
use crate::error::{Error, ErrorKind};
use crate::target::Target;

/// A user's name and password, sent to one host and over one scheme only.
///
/// `host` is `https://HOST[:PORT]`, `http://HOST[:PORT]` or `HOST[:PORT]`, which means https: a
/// password goes unencrypted only where its owner wrote `http://`. Without a port the scheme's own
/// (443, 80) is meant.
#[derive(Clone)]
pub struct BasicAuth {
    /// The host that the credentials are bound to.
    pub host: String,
    /// The user's name; has no colon.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth")
            .field("host", &self.host)
            .field("user", &self.user)
            .finish()
    }
}

/// The checked form: the header's value and the origin it may be sent to.
pub(crate) struct BoundAuth {
    secure: bool,
    host: String,
    port: u16,
    value: HeaderValue,
}

impl BoundAuth {
    pub(crate) fn new(auth: &BasicAuth) -> Result<BoundAuth, Error> {
        let (secure, rest) = match auth.host.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err(unusable(&auth.host, "the scheme must be http or https")),
            None => (true, auth.host.as_str()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority = Authority::parse(rest).map_err(|words| unusable(&auth.host, &words))?;
        if auth.user.contains(':') {
            return Err(unusable(
                &auth.host,
                "the user's name has a colon (RFC 7617)",
            ));
        }
        let port = authority.port.unwrap_or(if secure { 443 } else { 80 });
        let value = basic_value(&auth.user, &auth.password)?;
        Ok(BoundAuth {
            secure,
            host: authority.host,
            port,
            value,
        })
    }

    /// The header's value, if `target` is where it may be sent.
    pub(crate) fn value_for(&self, target: &Target) -> Option<&HeaderValue> {
        let bound =
            self.secure == target.secure && self.port == target.port && self.host == target.host;
        bound.then_some(&self.value)
    }
}

/// `Basic ...`, marked sensitive so that it is never printed nor kept in HTTP/2's header table.
pub(crate) fn basic_value(user: &str, password: &str) -> Result<HeaderValue, Error> {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}"))
        .map_err(|error| unusable("", "cannot be a header").because(error))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(host: &str, words: &str) -> Error {
    let message = format!(
        "basic authentication for `{host}`: {words}; write it as https://HOST[:PORT] or HOST[:PORT]"
    );
    Error::new(ErrorKind::Authority, message)
}
