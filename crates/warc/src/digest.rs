//! Digests of blocks and payloads, and how they are written.

use std::fmt;

use data_encoding::{BASE32, BASE64, BASE64URL, HEXLOWER_PERMISSIVE};
use sha1::{Digest as _, Sha1};

/// A SHA-1 digest, shown as files of records have it: `sha1:` and 32 characters of base32.
///
/// SHA-1 is what the tools of the field compute and compare; it tells content apart, it does not
/// protect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 20]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha1::digest(bytes).into())
    }

    /// The digest of what `hasher` was given.
    pub(crate) fn from_hasher(hasher: Sha1) -> Digest {
        Digest(hasher.finalize().into())
    }

    /// The digest that a header's value names: `sha1:` and the value in base32, hexadecimal or
    /// base64, the forms that are found in files. `None` for any other algorithm or form.
    pub fn parse(value: &str) -> Option<Digest> {
        let (algorithm, value) = value.trim().split_once(':')?;
        if !algorithm.eq_ignore_ascii_case("sha1") && !algorithm.eq_ignore_ascii_case("sha-1") {
            return None;
        }
        let value = value.trim();
        let bytes = match value.len() {
            32 => BASE32.decode(value.to_ascii_uppercase().as_bytes()).ok()?,
            40 => HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok()?,
            _ => {
                let encoding = if value.contains(['-', '_']) {
                    BASE64URL
                } else {
                    BASE64
                };
                encoding.decode(value.as_bytes()).ok()?
            }
        };
        bytes.try_into().ok().map(Digest)
    }

    /// The twenty bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The value without the algorithm's name, as CDXJ files have it.
    pub fn to_base32(&self) -> String {
        BASE32.encode(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha1:{}", self.to_base32())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_digest_is_read() {
        // The digest of no bytes at all, RFC 3174.
        let empty = Digest::of(b"");
        assert_eq!(empty.to_string(), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        for form in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "SHA1: 3i42h3s6nnfq2msvx7xzkyayscx5qbyj ",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "sha-1:2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        ] {
            assert_eq!(Digest::parse(form), Some(empty), "{form}");
        }
        for not in [
            "",
            "sha1:",
            "md5:da39a3ee5e6b4b0d3255bfef95601890",
            "sha1:x",
        ] {
            assert_eq!(Digest::parse(not), None, "{not}");
        }
    }
}
