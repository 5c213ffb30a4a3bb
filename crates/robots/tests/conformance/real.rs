//! The robots.txt files of real sites, with questions that Google's matcher and four others answered.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use nephila_robots::{Robots, RuleMatch};
use serde_json::Value;

use crate::corpora;
use crate::path::path_of;

/// Why an answer is not Google's, by the paragraph of RFC 9309 that decides, and how often in the shared
/// part: 11,875 questions about 851 files. The counts may only shrink.
const DEVIATIONS: [(Deviation, usize); 2] = [(Deviation::Encoded, 8), (Deviation::RobotsTxt, 1)];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deviation {
    /// 2.2.2: what cannot stand in a URI is percent-encoded before comparison, so that
    /// `Disallow: /Media Library/` holds for `/Media%20Library/`. Google compares octets as written.
    Encoded,
    /// 2.2.2: `/robots.txt` is implicitly allowed. Google's matcher leaves that to its crawler.
    RobotsTxt,
    /// No reason known.
    Unexplained,
}

impl Deviation {
    fn of(path: &str, rule: Option<&RuleMatch>) -> Deviation {
        match rule {
            None if path == "/robots.txt" => Deviation::RobotsTxt,
            Some(rule) if rule.pattern.contains('%') => Deviation::Encoded,
            _ => Deviation::Unexplained,
        }
    }
}

fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn records(path: &Path) -> Vec<Value> {
    unzipped(path)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn files(folder: &Path, part: &str) -> HashMap<String, Robots> {
    let records = records(&folder.join(format!("{part}.robots.jsonl.gz")));
    let host = |record: &Value| record["host"].as_str().unwrap().to_owned();
    records
        .iter()
        .map(|it| (host(it), Robots::parse(&corpora::bytes(it, "body"))))
        .collect()
}

/// Answers all questions of a part; those answered otherwise than by Google are counted, and none may be
/// among them on which all four other engines agree with Google.
fn answer(folder: &Path, part: &str) -> (BTreeMap<Deviation, usize>, usize) {
    let files = files(folder, part);
    let questions = unzipped(&folder.join(format!("{part}.cases.tsv.gz")));
    let mut deviations = BTreeMap::new();
    let mut unanimous = 0;
    for question in questions.lines().skip(1) {
        let fields: Vec<&str> = question.split('\t').collect();
        let [host, agent, url, google, peers] = fields[..] else {
            panic!("{question}")
        };
        let path = path_of(url);
        let rules = files[host].group_for(agent);
        let decision = rules.decide(&path);
        assert_eq!(decision.allowed, rules.allows(&path));
        unanimous += usize::from(peers == "4");
        if decision.allowed != (google == "1") {
            assert_ne!(peers, "4", "all engines agree: {question}: {decision:?}");
            *deviations
                .entry(Deviation::of(&path, decision.rule.as_ref()))
                .or_default() += 1;
        }
    }
    (deviations, unanimous)
}

#[test]
fn questions_are_answered_as_all_engines_agree() {
    let Some(folder) = corpora::folder("real") else {
        return;
    };
    let (deviations, unanimous) = answer(&folder, "shared");
    assert_eq!(deviations, BTreeMap::from(DEVIATIONS));
    assert_eq!(unanimous, 11_302);
}

/// Another sample of the same kind, where one has it.
#[test]
fn questions_kept_back_are_answered_as_all_engines_agree() {
    let Some(folder) = corpora::folder("real") else {
        return;
    };
    if !folder.join("heldout.cases.tsv.gz").exists() {
        eprintln!("skipped: heldout.cases.tsv.gz");
        return;
    }
    let (deviations, unanimous) = answer(&folder, "heldout");
    eprintln!("{unanimous} answered as all engines agree; otherwise than Google: {deviations:?}");
    assert!(unanimous > 0);
}

#[test]
fn sitemaps_are_those_that_google_reads() {
    let Some(folder) = corpora::folder("real") else {
        return;
    };
    let files = files(&folder, "shared");
    let hosts = records(&folder.join("shared.meta.jsonl.gz"));
    assert_eq!(hosts.len(), 851);
    for host in &hosts {
        let name = host["host"].as_str().unwrap();
        let sitemaps: Vec<Value> = files[name]
            .sitemaps()
            .iter()
            .map(|it| it.as_str().into())
            .collect();
        assert_eq!(Some(&sitemaps), host["sitemaps"].as_array(), "{name}");
    }
}
