//! What a head is held against before its body is read.

use http::header::{self, HeaderMap};

use crate::config::FetchConfig;
use crate::connect::wants_credentials;
use crate::error::FetchErrorKind;
use crate::failure::Failure;
use crate::response::ResponseHead;
use crate::target::Target;

/// Holds a head against the limits, and refuses what nobody asked for.
pub(crate) fn check_head(
    head: &ResponseHead,
    target: &Target<'_>,
    config: &FetchConfig,
) -> Result<(), Failure> {
    let too_large = |message: String| Failure::new(FetchErrorKind::HeadersTooLarge, &message);
    let (max_headers, max_bytes) = (config.max_headers, config.max_header_bytes);
    if head.headers.len() > max_headers {
        let message = format!("response has more headers than the limit of {max_headers}");
        return Err(too_large(message));
    }
    if head.version == "HTTP/2" && header_list_bytes(&head.headers) > max_bytes {
        let message = format!("response headers are larger than the limit of {max_bytes} bytes");
        return Err(too_large(message));
    }
    match (head.status, target.proxy) {
        (407, Some(proxy)) if !target.secure => Err(wants_credentials(proxy)),
        (101, _) => {
            let message = "the server switches protocols, which was not asked for";
            Err(Failure::new(FetchErrorKind::BadResponse, message))
        }
        _ => Ok(()),
    }
}

/// The size of a header list as HTTP/2 counts it (RFC 9113 section 6.5.2). Over HTTP/1 the limit is on
/// the bytes as they came and hyper holds to it.
fn header_list_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

/// Whether the body's end is given in one way only. With both Transfer-Encoding and Content-Length
/// the first one counts, and the connection is not used again: the two ends may disagree about where
/// the next response begins (RFC 9112 section 6.3).
pub(crate) fn is_framed_once(head: &ResponseHead) -> bool {
    !(head.headers.contains_key(header::TRANSFER_ENCODING)
        && head.headers.contains_key(header::CONTENT_LENGTH))
}

pub(crate) fn version_name(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}
