//! The lab as a whole, with one repetition: everything is measured, and told in three forms.
#![expect(
    clippy::unwrap_used,
    reason = "the functions of a test may fail as tests do"
)]

use std::process::Command;

use nephila_lab::{Crossover, CrossoverPlace, CrossoverPoint, Means, Report, Work};

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

fn crossover() -> Crossover {
    let point = |analysis: f64, io: f64| CrossoverPoint {
        analysis_times_faster: analysis,
        io_times_faster: io,
        pages_per_second: (100.0 * io).min(800.0 * analysis),
        predicted_pages_per_second: Some((101.0 * io).min(790.0 * analysis)),
    };
    let points = [1.0, 10.0]
        .into_iter()
        .flat_map(|analysis| [1.0, 8.0, 64.0].map(|io| point(analysis, io)));
    Crossover {
        description: "A site of 200 pages </script>".to_owned(),
        points: points.collect(),
        crossovers: vec![CrossoverPlace {
            analysis_times_faster: 1.0,
            io_times_faster: Some(8.0),
        }],
    }
}

#[test]
fn everything_is_measured_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut report = report(directory.path());
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
    report.crossover = Some(crossover());
    let text = report.to_text();
    for part in [
        "computing, threads",
        "start a thread",
        "Python",
        "analysis 10 x",
        "Without parallelism",
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
    assert!(!html.contains("pages </script>"));
}
