//! From the URLs of the suites, which may lack scheme and host, to paths.

use crate::corpora;

/// The path and query of a URL as Google's parser takes it apart.
pub(crate) fn path_of(url: &str) -> String {
    let after = url.strip_prefix("//").unwrap_or(url);
    let early = after.find(['/', '?', ';']).unwrap_or(after.len());
    let start = match after.find("://") {
        Some(scheme) if scheme <= early => scheme + 3,
        _ => 0,
    };
    let rest = &after[start..];
    let rest = &rest[..rest.find('#').unwrap_or(rest.len())];
    let path = rest.find(['/', '?', ';']).map_or("", |at| &rest[at..]);
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

#[test]
fn paths_are_taken_from_urls_as_google_does() {
    let Some(folder) = corpora::folder("google-robots_test") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("paths.json")).unwrap();
    let suite: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = suite["path_params_query"].as_array().unwrap();
    assert_eq!(cases.len(), 19);
    for case in cases {
        let url = case["url"].as_str().unwrap();
        assert_eq!(
            path_of(url),
            case["path_params_query"].as_str().unwrap(),
            "{url}"
        );
    }
}
