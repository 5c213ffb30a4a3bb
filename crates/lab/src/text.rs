//! The report for a terminal.

use std::fmt::Write as _;

use crate::crossover::{Crossover, CrossoverPlace};
use crate::measure::Measure;
use crate::python::{HeldBack, Interpreter, Python};
use crate::report::{Figure, Report, Unit};
use crate::round::Means;
use crate::work::Work;

/// Cores that others use from which on the figures are told to be disturbed.
const WORTH_A_WARNING: f64 = 0.1;

/// What the table of work shows.
pub(crate) const WORK_MEANING: &str = "Concurrency is waiting for many things at once: one core is \
    enough for it, and it speeds up only what waits. Parallelism is computing many things at once: it \
    takes several cores, and speeds up what computes as often as there are cores.";

impl Report {
    /// The report as lines for a terminal of 80 columns or more.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.push_head(&mut text);
        text.push_str("What to choose\n");
        for choice in self.choices() {
            push_wrapped(&choice, &mut text);
        }
        text.push('\n');
        self.push_work(&mut text);
        push_figures("Starting and switching", &self.costs, &mut text);
        push_figures("Memory of one that waits", &self.memory, &mut text);
        push_figures("Sharing memory", &self.sharing, &mut text);
        push_python(&self.python, &mut text);
        if let Some(crossover) = &self.crossover {
            push_crossover(crossover, &mut text);
        }
        text
    }

    fn push_head(&self, text: &mut String) {
        let machine = &self.machine;
        let processor = machine
            .processor
            .as_deref()
            .unwrap_or(&machine.architecture);
        let _ = writeln!(
            text,
            "{} core(s) of {processor}, {}",
            machine.cores,
            self.system()
        );
        push_wrapped(&self.method(), text);
        text.push('\n');
    }

    fn push_work(&self, text: &mut String) {
        text.push_str("Waiting and computing\n");
        push_wrapped(WORK_MEANING, text);
        let amounts = &self.amounts;
        let _ = writeln!(
            text,
            "\n{} jobs, {} at once; speed-up against one after the other on the same cores",
            amounts.jobs, amounts.workers
        );
        let _ = writeln!(
            text,
            "  {:<34}{:>20}{:>20}",
            "",
            "one core",
            cores(self.machine.cores)
        );
        for work in Work::ALL {
            for means in Means::ALL {
                let cell = |on_all_cores| {
                    let figure = self.work_figure(work, on_all_cores, means);
                    figure.map_or_else(String::new, |figure| {
                        format!(
                            "{:.0} jobs/s {:>5.2} x",
                            figure.jobs_per_second.highest, figure.speed_up
                        )
                    })
                };
                let name = format!("{}, {}", work.name(), means.title());
                let _ = writeln!(text, "  {name:<34}{:>20}{:>20}", cell(false), cell(true));
            }
        }
        for sentence in self.work_sentences() {
            push_wrapped(&sentence, text);
        }
        text.push('\n');
    }

    /// What the figures of work say, a sentence each.
    pub(crate) fn work_sentences(&self) -> Vec<String> {
        let speed_up = |work, all, means| {
            let figure = self.work_figure(work, all, means);
            figure.map_or(f64::NAN, |figure| figure.speed_up)
        };
        vec![
            format!(
                "Without parallelism (one core), async tasks did waiting work {:.1} times as fast as one \
                 after the other, and computing work {:.2} times.",
                speed_up(Work::Waiting, false, Means::AsyncTasks),
                speed_up(Work::Computing, false, Means::AsyncTasks),
            ),
            format!(
                "With parallelism ({}), threads did computing work {:.2} times as fast, and processes \
                 {:.2} times.",
                cores(self.machine.cores),
                speed_up(Work::Computing, true, Means::Threads),
                speed_up(Work::Computing, true, Means::Processes),
            ),
        ]
    }

    /// Cores that others used, where that disturbed.
    pub(crate) fn others_worth_a_warning(&self) -> Option<f64> {
        self.others_cores.filter(|others| *others > WORTH_A_WARNING)
    }

    /// The system in a few words.
    pub(crate) fn system(&self) -> String {
        let kernel = self.machine.kernel.as_deref().unwrap_or_default();
        format!(
            "{} {kernel} ({})",
            self.machine.system, self.machine.architecture
        )
    }

    /// How it was measured, and how far the figures can be trusted.
    pub(crate) fn method(&self) -> String {
        let noise = self.noise.filter(|noise| *noise > 0.0).map_or_else(String::new, |noise| {
            format!(
                " The same computation took up to {:.0} % longer in one repetition than in another: \
                 smaller differences may be noise.",
                noise * 100.0
            )
        });
        let others = self.others_worth_a_warning();
        let others = others.map_or_else(String::new, |others| {
            format!(
                " Other programs used {others:.1} of the {} meanwhile: what needs several cores at once is \
                 faster on a quiet machine.",
                cores(self.machine.cores)
            )
        });
        let repetitions = self
            .work
            .first()
            .map_or(0, |figure| figure.seconds.repetitions);
        let repetitions = match repetitions {
            1 => "everything once".to_owned(),
            more => format!("most of it {more} times"),
        };
        format!(
            "Measured in {:.0} s, {repetitions} in turns. Of work and crawls the fastest counts, since \
             other programs can only slow it down; of all else the median, with the lowest and the highest in \
             brackets.{noise}{others}",
            self.took_seconds
        )
    }
}

fn push_crossover(crossover: &Crossover, text: &mut String) {
    text.push_str("The crossover of a crawl: pages/s measured, predicted, and the error\n");
    push_wrapped(&crossover.description, text);
    let _ = write!(text, "\n  {:<6}", "I/O");
    for analysis in crossover.analyses() {
        let _ = write!(text, "{:>17}", format!("analysis {analysis} x"));
    }
    text.push('\n');
    for io in crossover.ios() {
        let _ = write!(text, "  {:<6}", format!("{io} x"));
        for analysis in crossover.analyses() {
            let cell = crossover
                .point(analysis, io)
                .map_or_else(String::new, |point| {
                    format!(
                        "{:>5.0}{:>6.0}{:>4}%",
                        point.pages_per_second.highest,
                        point.predicted_pages_per_second,
                        signed(point.error_percent)
                    )
                });
            let _ = write!(text, "{cell:>21}");
        }
        text.push('\n');
    }
    text.push_str("  The processors become the limit\n");
    for place in &crossover.crossovers {
        let (measured, predicted) = place_words(place);
        let _ = writeln!(
            text,
            "    analysis {:>2} x: {measured} (predicted: {predicted})",
            place.analysis_times_faster
        );
    }
    for sentence in crossover.sentences() {
        push_wrapped(&sentence, text);
    }
}

/// A whole number with its sign; none for 0.
pub(crate) fn signed(value: f64) -> String {
    match value.round() {
        0.0 => "0".to_owned(),
        rounded => format!("{rounded:+}"),
    }
}

/// Where the crossover was measured, and where predicted.
pub(crate) fn place_words(place: &CrossoverPlace) -> (String, String) {
    let words = |io: f64| format!("with I/O {io:.1} times faster");
    let measured = place
        .io_times_faster
        .map_or_else(|| "beyond what was measured".to_owned(), words);
    (measured, words(place.predicted_io_times_faster))
}

/// `1 core`, `8 cores`.
pub(crate) fn cores(count: usize) -> String {
    if count == 1 {
        "1 core".to_owned()
    } else {
        format!("{count} cores")
    }
}

/// The median with the lowest and the highest.
pub(crate) fn with_range(unit: Unit, value: &Measure) -> String {
    format!(
        "{} ({} to {})",
        unit.shown(value.median),
        unit.shown(value.lowest),
        unit.shown(value.highest)
    )
}

fn push_figures(heading: &str, figures: &[Figure], text: &mut String) {
    let _ = writeln!(text, "{heading}");
    if figures.is_empty() {
        text.push_str("  this system does not tell\n");
    }
    for figure in figures {
        let value = with_range(figure.unit, &figure.value);
        let _ = writeln!(text, "  {:<46} {value}", figure.title);
    }
    text.push('\n');
}

fn push_python(python: &Python, text: &mut String) {
    text.push_str("Python\n");
    if python.interpreters.is_empty() {
        let _ = writeln!(
            text,
            "  none was found: looked for {}",
            python.looked_for.join(", ")
        );
    }
    for failed in &python.failed {
        let _ = writeln!(text, "  {failed}");
    }
    for interpreter in &python.interpreters {
        push_interpreter(interpreter, text);
    }
    let _ = writeln!(text, "  {}\n", free_threaded(python));
}

/// Whether there is a build without the lock.
pub(crate) fn free_threaded(python: &Python) -> String {
    let free = python
        .interpreters
        .iter()
        .find(|interpreter| !interpreter.has_lock);
    match free {
        Some(free) => format!("{} ({}) has no interpreter lock.", free.name, free.version),
        None => "No build without the interpreter lock (python3.13t or later) is on this machine."
            .to_owned(),
    }
}

fn push_interpreter(interpreter: &Interpreter, text: &mut String) {
    let lock = if interpreter.has_lock {
        "with"
    } else {
        "without"
    };
    let _ = writeln!(
        text,
        "  {} {} ({}), {lock} the interpreter lock; {} jobs, {} at once",
        interpreter.implementation,
        interpreter.version,
        interpreter.name,
        interpreter.jobs,
        interpreter.workers
    );
    for cell in &interpreter.work {
        let name = format!("{}, {}", cell.work.name(), python_means(&cell.means));
        let seconds = Unit::Seconds.shown(cell.seconds.lowest);
        let _ = writeln!(text, "    {name:<40} {seconds:>9} {:>6.2} x", cell.speed_up);
    }
    for (heading, unit, costs) in [
        ("start", Unit::Seconds, &interpreter.start_seconds),
        ("memory", Unit::Bytes, &interpreter.memory_bytes),
    ] {
        for cost in costs {
            let name = format!("{heading} of {}", python_worker(&cost.means));
            let _ = writeln!(text, "    {name:<40} {}", with_range(unit, &cost.value));
        }
    }
    for sentence in held_back_sentences(interpreter) {
        let _ = writeln!(text, "    {sentence}");
    }
}

/// What the interpreter lock held back, a sentence for each kind of work.
pub(crate) fn held_back_sentences(interpreter: &Interpreter) -> Vec<String> {
    let sentence = |held: &HeldBack| {
        let kind = held.work.name();
        let Some(share) = held.share else {
            return format!(
                "{kind} work: processes were only {:.2} times as fast: nothing shows what the lock holds back.",
                held.processes
            );
        };
        format!(
            "{} work: threads {:.2} times as fast, processes {:.2} times: {:.0} % of the gain was held back.",
            kind,
            held.threads,
            held.processes,
            share * 100.0
        )
    };
    interpreter.held_back.iter().map(sentence).collect()
}

/// A way of Python's as a person says it.
pub(crate) fn python_means(means: &str) -> &str {
    match means {
        "one_after_the_other" => "one after the other",
        "fork" => "processes (fork)",
        "spawn" => "processes (spawn)",
        other => other,
    }
}

pub(crate) fn python_worker(means: &str) -> &str {
    match means {
        "thread" => "a thread",
        "asyncio" => "an asyncio task",
        "fork" => "a process (fork)",
        "spawn" => "a process (spawn)",
        other => other,
    }
}

/// Lines of at most 78 characters, two to the right.
fn push_wrapped(paragraph: &str, text: &mut String) {
    const WIDTH: usize = 78;
    let mut length = WIDTH;
    for word in paragraph.split_whitespace() {
        let characters = word.chars().count();
        if length + 1 + characters > WIDTH {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str("  ");
            length = 2;
        } else {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += characters;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(name: &str, has_lock: bool) -> Interpreter {
        let held = HeldBack {
            work: Work::Computing,
            threads: 1.9,
            processes: 2.0,
            share: Some(0.1),
        };
        Interpreter {
            name: name.to_owned(),
            version: "3.13.1".to_owned(),
            implementation: "cpython".to_owned(),
            has_lock,
            jobs: 24,
            workers: 4,
            work: Vec::new(),
            start_seconds: Vec::new(),
            memory_bytes: Vec::new(),
            held_back: vec![held],
        }
    }

    #[test]
    fn a_python_without_a_lock_is_told_of() {
        let mut python = Python {
            interpreters: vec![interpreter("python3", true)],
            ..Python::default()
        };
        assert!(free_threaded(&python).starts_with("No build without"));
        python.interpreters.push(interpreter("python3.13t", false));
        assert_eq!(
            free_threaded(&python),
            "python3.13t (3.13.1) has no interpreter lock."
        );
        let mut text = String::new();
        push_python(&python, &mut text);
        assert!(text.contains("(python3.13t), without the interpreter lock"));
        assert!(text.contains(
            "computing work: threads 1.90 times as fast, processes 2.00 times: 10 % of the gain was held back."
        ));
    }

    #[test]
    fn errors_have_a_sign_and_none_is_none() {
        let shown = [-0.4, 0.4, 7.6, -12.0].map(signed);
        assert_eq!(shown, ["0", "0", "+8", "-12"]);
    }
}
