//! What html5ever's tree says, and where the conformance suites are.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use nephila_parse::{LinkKind, ParseOptions, parse_html};

/// A file or directory of the conformance suites; `None`, and a word to the reader, when it is missing.
pub(crate) fn corpus(path: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let root = std::env::var_os("NEPHILA_CORPORA").map_or(default, PathBuf::from);
    let path = root.join(path);
    if !path.exists() {
        eprintln!("skipped: {} is missing", path.display());
        return None;
    }
    Some(path)
}

/// The files of a directory with this extension, sorted by name.
pub(crate) fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// The set of `href` of HTML `a` and `area` that parsing finds, as `kind href`.
pub(crate) fn found_hrefs(html: &str) -> BTreeSet<String> {
    let options = ParseOptions {
        max_links: usize::MAX,
        ..ParseOptions::default()
    };
    let document = parse_html(html.as_bytes(), Some("text/html; charset=utf-8"), &options);
    let links = document.outlinks.into_iter();
    let anchors = links.filter(|link| matches!(link.kind, LinkKind::Anchor | LinkKind::Area));
    anchors.map(|link| link.href).collect()
}

/// The same set by html5ever's tree, scripting off.
pub(crate) fn tree_hrefs(html: &str) -> BTreeSet<String> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    let dom = parse_document(RcDom::default(), options).one(html);
    let mut hrefs = BTreeSet::new();
    let mut waiting: Vec<Handle> = vec![dom.document.clone()];
    while let Some(node) = waiting.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            let is_html = &*name.ns == "http://www.w3.org/1999/xhtml";
            if is_html && matches!(&*name.local, "a" | "area") {
                let attributes = attrs.borrow();
                let href = attributes
                    .iter()
                    .find(|attribute| &*attribute.name.local == "href");
                hrefs.extend(href.map(|href| clean(&href.value)));
            }
        }
        waiting.extend(node.children.borrow().iter().cloned());
    }
    hrefs
}

/// A URL as [`nephila_parse::Outlink::href`] gives it.
pub(crate) fn clean(url: &str) -> String {
    url.trim_matches(|c: char| c.is_ascii_whitespace())
        .replace(['\t', '\n', '\r'], "")
}
