//! A classification for a person.

use std::fmt::Write as _;

use super::advice::{Advice, Remedy, percent};
use super::classification::{Classification, ProcessTimes, ThreadTimes};
use super::program_state::State;
use super::verdict::{Kind, undisturbed};

/// Shares below this are left out of a thread's line.
const WORTH_TELLING: f64 = 0.02;
/// Bytes read and written below which disks are not told of: less than the tables show.
const WORTH_TELLING_BYTES: u64 = 100_000;
/// Processes that were there for less than this share of the time are only counted.
const WORTH_A_LINE: f64 = 0.05;

impl Classification {
    /// The verdict, the figures and the advice as lines. Names of processes stand in it as they are: a
    /// terminal must be given them in a safe form.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n\n", self.sentence());
        let _ = writeln!(
            text,
            "{:.2} s from start to end, {:.2} s of processors (ended with {})",
            self.wall_seconds, self.processor_seconds, self.exit_code
        );
        for (state, share) in &self.shares {
            let _ = writeln!(text, "  {:>5}  {}", percent(*share), state.title());
        }
        if self.disk_read_bytes + self.disk_written_bytes >= WORTH_TELLING_BYTES {
            let megabytes = |bytes: u64| bytes as f64 / 1e6;
            let _ = writeln!(
                text,
                "  disks: {:.1} MB read, {:.1} MB written",
                megabytes(self.disk_read_bytes),
                megabytes(self.disk_written_bytes)
            );
        }
        text.push_str("\nby process and thread, shares of the time that each was there\n");
        let told = |process: &&ProcessTimes| process.seconds >= self.wall_seconds * WORTH_A_LINE;
        for process in self.processes.iter().filter(told) {
            push_process(process, &mut text);
        }
        let left_out = self.process_count - self.processes.iter().filter(told).count();
        if left_out > 0 {
            let _ = writeln!(text, "  and {left_out} more that were there for less time");
        }
        if !self.advice.is_empty() {
            let first = self.remedy().map_or("nothing", Remedy::title);
            let _ = writeln!(text, "\nwhat would help: {first}");
        }
        for advice in &self.advice {
            let _ = writeln!(text, "{}", line(advice));
        }
        text
    }

    /// The verdict in a sentence.
    pub fn sentence(&self) -> String {
        let active = percent(undisturbed(
            self.share(State::Running),
            self.share(State::Runnable),
        ));
        let cores = self.cores;
        let running = self.running;
        match self.kind {
            Kind::ComputesOnOneCore => {
                format!("It computes: {active} of the time, on one core of {cores}.")
            }
            Kind::ComputesInParallel => {
                format!(
                    "It computes in parallel: {active} of the time, with {:.1} threads at once, which got {running:.1} of \
                     {cores} cores.",
                    self.wanting
                )
            }
            Kind::ShortOfCores => format!(
                "It computes, and is short of cores: {:.1} threads could run, {running:.1} did, on {cores} cores.",
                self.wanting
            ),
            Kind::TakesTurns => {
                format!(
                    "Its threads take turns at a lock: they compute {active} of the time, on {running:.1} of {cores} cores."
                )
            }
            Kind::InterpreterLock => format!(
                "The interpreter lock limits it: several Python threads compute, and together they run on {running:.1} of {cores} cores."
            ),
            Kind::WaitsForNetwork => {
                format!("It waits for the network: it computes only {active} of the time.")
            }
            Kind::WaitsForDisk => {
                format!("It waits for the disk: it computes only {active} of the time.")
            }
            Kind::Sleeps => format!("It sleeps: it computes only {active} of the time."),
            Kind::WaitsForOthers => {
                format!("It waits for others: it computes only {active} of the time.")
            }
            Kind::WaitsForThreads => {
                format!("Its threads wait for one another: it computes only {active} of the time.")
            }
            Kind::Mixed => {
                format!("It waits and computes in turn: it computes {active} of the time.")
            }
            Kind::TooShort => format!(
                "It ended after {:.0} ms: too soon to tell.",
                self.wall_seconds * 1e3
            ),
            Kind::NotOnThisSystem => {
                "This system does not tell what a program does with its time: Linux does."
                    .to_owned()
            }
        }
    }
}

fn push_process(process: &ProcessTimes, text: &mut String) {
    let _ = writeln!(
        text,
        "  {} {}, {:.2} s",
        process.id, process.name, process.seconds
    );
    for thread in &process.threads {
        push_thread(thread, text);
    }
    let left_out = process.thread_count.saturating_sub(process.threads.len());
    if left_out > 0 {
        let _ = writeln!(text, "    and {left_out} more threads");
    }
}

fn push_thread(thread: &ThreadTimes, text: &mut String) {
    let sum: f64 = thread.seconds.values().sum();
    let shares = thread
        .seconds
        .iter()
        .map(|(state, seconds)| (state.name(), seconds / sum.max(1e-9)));
    let shares = shares.filter(|(_, share)| *share >= WORTH_TELLING);
    let told: Vec<String> = shares
        .map(|(name, share)| format!("{name} {}", percent(share)))
        .collect();
    let _ = writeln!(
        text,
        "    {} {}: {}",
        thread.id,
        thread.name,
        told.join(", ")
    );
}

fn line(advice: &Advice) -> String {
    let remedy = advice.remedy.title();
    let answer = match (advice.helps, advice.at_most) {
        (false, _) => "no".to_owned(),
        (true, None) => "yes".to_owned(),
        (true, Some(bound)) if bound > 100.0 => "yes, over 100 times".to_owned(),
        (true, Some(bound)) => format!("yes, up to {bound:.1} times"),
    };
    format!("  {remedy:<17} {answer}: {}", advice.why)
}
