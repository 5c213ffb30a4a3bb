//! The lab as a whole, with one repetition: everything is measured, and told in three forms.
#![expect(
    clippy::unwrap_used,
    reason = "the functions of a test may fail as tests do"
)]

use std::process::Command;

use nephila_lab::{Means, Report, Work};

/// Runs the lab once.
fn report(directory: &std::path::Path) -> Report {
    let output = Command::new(env!("CARGO_BIN_EXE_nephila-lab"))
        .args(["run", "--repetitions", "1", "--json", "--out"])
        .arg(directory)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn everything_is_measured_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let report = report(directory.path());
    let written = std::fs::read_to_string(directory.path().join("lab.json")).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report);
    assert!(directory.path().join("lab.html").exists());
    assert_eq!(report.work.len(), 16);
    let waits = report
        .work_figure(Work::Waiting, false, Means::AsyncTasks)
        .unwrap();
    // Sixteen waits at once: on whatever machine, some of them overlap.
    assert!(waits.speed_up > 1.5, "{waits:?}");
    for name in [
        "task_start",
        "thread_start",
        "process_start",
        "switch_by_futex",
        "switch_by_pipe",
    ] {
        let found = report.costs.iter().find(|figure| figure.name == name);
        assert!(
            found.is_some_and(|figure| figure.value.median > 0.0),
            "{name}"
        );
    }
    assert!(report.sharing.len() >= 7);
    the_crawls_show_a_crossover(&report);
    let text = report.to_text();
    for part in [
        "computing, threads",
        "start a thread",
        "Python",
        "analysis 10 x",
        "Without parallelism",
        "What to choose",
        "The processors become the limit",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let html = report.to_html();
    // To be looked at.
    let shown = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab.html");
    std::fs::write(shown, &html).unwrap();
    for plot in [
        "plot-speed-up-waiting",
        "plot-speed-up-computing",
        "plot-starts",
        "plot-crossover",
    ] {
        assert!(html.contains(plot), "{plot}");
    }
}

fn the_crawls_show_a_crossover(report: &Report) {
    let crossover = report.crossover.as_ref().unwrap();
    assert_eq!(crossover.points.len(), 28);
    assert!(crossover.points.iter().all(|point| {
        point.pages_per_second.highest > 0.0 && point.predicted_pages_per_second > 0.0
    }));
    let rate = |analysis, io| {
        crossover
            .point(analysis, io)
            .unwrap()
            .pages_per_second
            .highest
    };
    // Sixty-four times faster on the one side, and ten times on the other: on whatever machine, that is
    // not the same crawl.
    assert!(rate(10.0, 64.0) > rate(1.0, 1.0) * 2.0);
    assert_eq!(crossover.crossovers.len(), 4);
    let base = &crossover.base;
    // The server holds a page for as long as it was told to, and sleeps are never too short.
    assert!(base.remote_seconds > 0.1, "{base:?}");
    assert!(
        base.analysis_seconds > 0.0 && base.fetch_seconds > 0.0,
        "{base:?}"
    );
}
