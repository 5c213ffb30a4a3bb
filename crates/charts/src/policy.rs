//! The Content Security Policy of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What a policy names a script or a style sheet by: `'sha256-...'` over its text as it stands between
/// the tags (Content Security Policy Level 3, section 6.7.3.3).
pub fn source_hash(source: &str) -> String {
    format!(
        "'sha256-{}'",
        STANDARD.encode(Sha256::digest(source.as_bytes()))
    )
}

/// A policy that allows these scripts and these style sheets, written into the page, and nothing else:
/// no request, no other script, no attribute with script or style, no frame, no form.
pub fn content_security_policy(scripts: &[&str], styles: &[&str]) -> String {
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        sources(scripts),
        sources(styles)
    )
}

fn sources(texts: &[&str]) -> String {
    if texts.is_empty() {
        return "'none'".to_owned();
    }
    let hashes: Vec<String> = texts.iter().map(|text| source_hash(text)).collect();
    hashes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_specification() {
        // The example of the MDN page on script-src and of CSP 2: sha256 of `alert('Hello, world.');`.
        assert_eq!(
            source_hash("alert('Hello, world.');"),
            "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
        );
        assert!(
            content_security_policy(&[], &["a{}"])
                .contains("script-src 'none'; style-src 'sha256-")
        );
    }
}
