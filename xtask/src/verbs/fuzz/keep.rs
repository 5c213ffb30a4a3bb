//! Taking the few inputs into the repository's corpus that reach most code it does not reach.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::build::Program;
use crate::process;

/// Inputs taken at most at a time: the corpus is run with every test.
const TAKEN_MAX: usize = 12;

/// Longer inputs are not taken.
const INPUT_BYTES_MAX: u64 = 1_024;

/// Files and the edges that each reaches.
type Reached = BTreeMap<PathBuf, HashSet<u64>>;

/// Copies the inputs that add most, each named by the number of edges that it added.
pub(super) fn keep(program: &Program) -> anyhow::Result<()> {
    let control = program.work.join("merge");
    let _ = fs::remove_file(&control);
    let known = copy_of_corpus(program)?;
    let mut merge = Command::new(&program.path);
    merge
        .args(["-merge=1", "-rss_limit_mb=1024", "-timeout=10"])
        .arg(format!("-merge_control_file={}", control.display()))
        .args([&known, &program.found()])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    process::run(&mut merge)?;
    let text =
        fs::read_to_string(&control).with_context(|| format!("reading {}", control.display()))?;
    let mut reached = edges(&text);
    reached.retain(|path, _| !path.starts_with(&known));
    reached.retain(|path, _| {
        path.metadata()
            .is_ok_and(|file| file.len() <= INPUT_BYTES_MAX)
    });
    for (count, path) in chosen(&reached) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let short = name.get(..8).unwrap_or(&name);
        let target = program.corpus().join(format!("found-{short}"));
        fs::copy(&path, &target).with_context(|| format!("copying {}", path.display()))?;
        eprintln!("{}: {count} edges by {}", program.name, target.display());
    }
    Ok(())
}

/// The corpus of the repository, copied to where libFuzzer may add to it.
fn copy_of_corpus(program: &Program) -> anyhow::Result<PathBuf> {
    let copy = program.work.join("known");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).with_context(|| format!("making {}", copy.display()))?;
    for entry in fs::read_dir(program.corpus())? {
        let entry = entry?;
        fs::copy(entry.path(), copy.join(entry.file_name()))?;
    }
    Ok(copy)
}

/// Reads libFuzzer's control file: the number of files, the number of old ones, the files, one a line,
/// and then for each of them lines `COV INDEX EDGE...`.
fn edges(control: &str) -> Reached {
    let mut lines = control.lines();
    let count = lines.next().and_then(|line| line.parse().ok());
    let files: Vec<&str> = lines.by_ref().skip(1).take(count.unwrap_or(0)).collect();
    let mut reached = Reached::new();
    for line in lines {
        let mut words = line.split_whitespace();
        if words.next() != Some("COV") {
            continue;
        }
        let index: Option<usize> = words.next().and_then(|word| word.parse().ok());
        let Some(file) = index.and_then(|index| files.get(index)) else {
            continue;
        };
        let edges = words.filter_map(|word| word.parse::<u64>().ok());
        reached
            .entry(PathBuf::from(file))
            .or_default()
            .extend(edges);
    }
    reached
}

/// The inputs that add most, with how many edges each adds.
///
/// libFuzzer names an edge only at the first file that reaches it, the known ones first, so that the
/// sets do not overlap and the largest are the best.
fn chosen(reached: &Reached) -> Vec<(usize, PathBuf)> {
    let mut ranked: Vec<(usize, PathBuf)> = reached
        .iter()
        .map(|(path, edges)| (edges.len(), path.clone()))
        .filter(|(count, _)| *count > 0)
        .collect();
    ranked.sort_by(|one, other| other.cmp(one));
    ranked.truncate(TAKEN_MAX);
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_that_add_most_are_chosen() {
        let control = "3\n0\n/known/a\n/found/b\n/found/c\nSTARTED 0 5\nFT 0 1 2\nCOV 0 7 8\n\
                       STARTED 1 5\nFT 1 3\nCOV 1 9\nSTARTED 2 6\nFT 2 4\nCOV 2 10 11\n";
        let reached = edges(control);
        let all: Vec<usize> = reached.values().map(HashSet::len).collect();
        assert_eq!(all, [1, 2, 2]);
        let expected = ["/known/a", "/found/c", "/found/b"].map(PathBuf::from);
        let chosen: Vec<PathBuf> = chosen(&reached).into_iter().map(|(_, path)| path).collect();
        assert_eq!(chosen, expected);
    }
}
