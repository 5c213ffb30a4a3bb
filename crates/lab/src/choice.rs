//! What follows from the figures for someone who has to choose.

use crate::report::{Figure, Report, Unit};
use crate::round::Means;
use crate::text::cores;
use crate::work::Work;

/// Things in flight that the memory is told for.
const MANY: f64 = 10_000.0;

impl Report {
    /// Which of async tasks, threads and processes for which work, a sentence or two each.
    pub(crate) fn choices(&self) -> Vec<String> {
        let mut choices = vec![
            self.for_waiting(),
            self.for_computing(),
            self.for_processes(),
        ];
        choices.push(
            "To see which of them a program does, run it as: nephila lab classify -- COMMAND"
                .to_owned(),
        );
        choices
    }

    fn for_waiting(&self) -> String {
        let gain = |means| self.gain(Work::Waiting, false, means);
        let memory = |name| {
            let bytes = median(&self.memory, name)?;
            Some(Unit::Bytes.shown(bytes * MANY))
        };
        let held = match (
            memory("task_share"),
            memory("thread_share"),
            memory("process_share"),
        ) {
            (Some(tasks), Some(threads), Some(processes)) => format!(
                " Ten thousand that wait hold {tasks} as tasks, {threads} as threads and {processes} as processes."
            ),
            _ => String::new(),
        };
        format!(
            "Work that waits: async tasks, or threads while there are few. On one core tasks did it {:.1} times as \
             fast as one after the other, and threads {:.1} times.{held}",
            gain(Means::AsyncTasks),
            gain(Means::Threads),
        )
    }

    fn for_computing(&self) -> String {
        let gain = |all, means| self.gain(Work::Computing, all, means);
        if self.machine.cores == 1 {
            return "Work that computes: on this one core nothing makes it faster but computing less."
                .to_owned();
        }
        let others = self.others_worth_a_warning().map_or_else(String::new, |others| {
            format!(" Other programs had {others:.1} of them meanwhile: on a quiet machine it is more.")
        });
        format!(
            "Work that computes: a thread for each core. On {} threads did it {:.2} times as fast; \
             async tasks on one core {:.2} times, since there is no waiting to use.{others}",
            cores(self.machine.cores),
            gain(true, Means::Threads),
            gain(false, Means::AsyncTasks),
        )
    }

    fn for_processes(&self) -> String {
        let start = |name| median(&self.costs, name).map_or_else(String::new, shown_seconds);
        let with_lock = self
            .python
            .interpreters
            .iter()
            .find(|python| python.has_lock);
        let held = with_lock.and_then(|python| {
            let of = python.held_back.iter().find(|held| held.work == Work::Computing)?;
            Some(format!(
                " In {}, threads did work that computes {:.2} times as fast, and processes {:.2} times.",
                python.name, of.threads, of.processes
            ))
        });
        format!(
            "Processes: where memory has to be kept apart, or an interpreter lets one thread run at a time. One \
             takes {} to start and a thread {}, and what processes tell one another is copied.{}",
            start("process_start"),
            start("thread_start"),
            held.unwrap_or_default()
        )
    }

    fn gain(&self, work: Work, on_all_cores: bool, means: Means) -> f64 {
        let figure = self.work_figure(work, on_all_cores, means);
        figure.map_or(f64::NAN, |figure| figure.speed_up)
    }
}

fn shown_seconds(seconds: f64) -> String {
    Unit::Seconds.shown(seconds)
}

fn median(figures: &[Figure], name: &str) -> Option<f64> {
    let figure = figures.iter().find(|figure| figure.name == name)?;
    Some(figure.value.median)
}
