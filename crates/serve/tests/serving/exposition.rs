//! A strict reader of the text format of Prometheus, version 0.0.4.

use std::collections::BTreeMap;

/// A family of samples.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    /// Labels, as written, and the value.
    pub(crate) samples: Vec<(BTreeMap<String, String>, f64)>,
}

impl Family {
    /// The value of the one sample that has this label.
    pub(crate) fn labelled(&self, label: &str, value: &str) -> f64 {
        let mut found = self
            .samples
            .iter()
            .filter(|(labels, _)| labels.get(label).is_some_and(|of| of == value));
        let (_, sample) = found
            .next()
            .unwrap_or_else(|| panic!("no {label}={value} in {self:?}"));
        *sample
    }
}

/// Reads a whole exposition.
///
/// # Panics
/// For whatever is not as the format, and the rules on names, have it: HELP and TYPE before the samples and
/// once a family, no family twice, no sample twice, names of the alphabet, counters that end in `_total`.
pub(crate) fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty(), "{line}");
            let family = Family {
                help: help.to_owned(),
                ..Family::default()
            };
            assert!(
                families.insert(name.to_owned(), family).is_none(),
                "{name} twice"
            );
            name.clone_into(&mut current);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current, "TYPE follows HELP");
            let family = families.get_mut(name).unwrap();
            assert!(
                family.kind.is_empty() && family.samples.is_empty(),
                "{line}"
            );
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            kind.clone_into(&mut family.kind);
        } else {
            let (name, labels, value) = sample(line);
            assert_eq!(name, current, "samples stand with their family");
            let family = families.get_mut(&current).unwrap();
            assert!(!family.kind.is_empty(), "{line}");
            let is_new = family.samples.iter().all(|(other, _)| *other != labels);
            assert!(is_new, "{line} twice");
            assert!(value.is_finite() && value >= 0.0, "{line}");
            family.samples.push((labels, value));
        }
    }
    families
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (front, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match front.split_once('{') {
        None => (front, BTreeMap::new()),
        Some((name, rest)) => (name, labels(rest.strip_suffix('}').unwrap())),
    };
    assert!(is_name(name), "{line}");
    (name.to_owned(), labels, value.parse().unwrap())
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').unwrap();
        assert!(is_name(name) && !name.contains(':'), "{text}");
        let value = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap();
        assert!(!value.contains(['"', '\\', '\n']), "{text}");
        assert!(
            labels.insert(name.to_owned(), value.to_owned()).is_none(),
            "{text}"
        );
    }
    labels
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.chars().all(fits) && name.starts_with(|c: char| !c.is_ascii_digit())
}
