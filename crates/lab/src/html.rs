//! The report as one page that explains itself.

use nephila_charts::{Axis, Base, Colour, Page, Plot, Series, Table};

use crate::crossover::Crossover;
use crate::python::{Interpreter, Python};
use crate::report::{Figure, Report, Unit};
use crate::round::Means;
use crate::text::{
    WORK_MEANING, cores, free_threaded, held_back_sentences, place_words, python_worker, signed,
    with_range,
};
use crate::work::Work;

impl Report {
    /// One self-contained page: it opens offline, and nothing in it can run but its own script.
    pub fn to_html(&self) -> String {
        let mut page = Page::new("Threads, processes or async: this machine, measured");
        let machine = &self.machine;
        let processor = machine
            .processor
            .as_deref()
            .unwrap_or(&machine.architecture);
        page.text(&format!(
            "{} of {processor}, {}.",
            cores(machine.cores),
            self.system()
        ));
        page.text(&self.method());
        page.section("What to choose", "");
        for choice in self.choices() {
            page.text(&choice);
        }
        self.add_work(&mut page);
        self.add_costs(&mut page);
        self.add_sharing(&mut page);
        add_python(&self.python, &mut page);
        if let Some(crossover) = &self.crossover {
            add_crossover(crossover, &mut page);
        }
        page.to_html()
    }

    fn add_work(&self, page: &mut Page) {
        page.section("Waiting and computing", WORK_MEANING);
        for sentence in self.work_sentences() {
            page.text(&sentence);
        }
        page.plot(&self.speed_up_plot(
            Work::Waiting,
            "Waiting work: how many times faster than one after the other",
            "Each job waits 10 ms for a timer, as a fetch waits for a server. Async tasks and threads wait for \
             many at once, and one core is enough: a second core changes nothing.",
        ));
        page.plot(&self.speed_up_plot(
            Work::Computing,
            "Computing work: how many times faster than one after the other",
            "Each job computes about 8 ms. On one core nothing makes it faster: tasks, threads and processes \
             only take turns. On all cores threads and processes gain what the cores give.",
        ));
        let amounts = &self.amounts;
        page.heading(&format!(
            "{} jobs, {} at once",
            amounts.jobs, amounts.workers
        ));
        let mut table = Table::new("Both kinds of work in every way")
            .column("work")
            .column("done")
            .numbers("cores")
            .numbers("speed-up")
            .numbers("jobs/s")
            .numbers("lowest");
        for figure in &self.work {
            let rate = &figure.jobs_per_second;
            table.row([
                figure.work.name().to_owned(),
                figure.means.title().to_owned(),
                figure.cores.to_string(),
                format!("{:.2} x", figure.speed_up),
                format!("{:.0}", rate.highest),
                format!("{:.0}", rate.lowest),
            ]);
        }
        page.table(&table);
    }

    fn speed_up_plot(&self, work: Work, title: &str, caption: &str) -> Plot {
        let means = Means::ALL;
        let series = |on_all_cores| {
            means.map(|means| {
                self.work_figure(work, on_all_cores, means)
                    .map(|figure| figure.speed_up)
            })
        };
        let id = format!("speed-up-{}", work.name());
        Plot::bars(&id, title, caption, means.map(Means::title))
            .x_label("done by")
            .y(Axis::linear("times faster"))
            .series(Series::new("one core", Colour::Blue, series(false)))
            .series(Series::new(
                cores(self.machine.cores),
                Colour::Orange,
                series(true),
            ))
    }

    fn add_costs(&self, page: &mut Page) {
        page.section(
            "Starting, switching, memory",
            "What one more thing in flight costs. A program that waits for ten thousand servers can have ten \
             thousand tasks, and seldom ten thousand threads or processes.",
        );
        add_figures(page, "Starting and switching", &self.costs);
        add_figures(page, "Memory of one that waits", &self.memory);
        let of = |end: &str, figures: &[Figure]| {
            let figures: Vec<Figure> = figures
                .iter()
                .filter(|figure| figure.name.ends_with(end))
                .cloned()
                .collect();
            (
                figures
                    .iter()
                    .map(|figure| short(&figure.name))
                    .collect::<Vec<_>>(),
                figures
                    .iter()
                    .map(|figure| Some(figure.value.median))
                    .collect::<Vec<_>>(),
            )
        };
        let (labels, starts) = of("_start", &self.costs);
        let micros = starts
            .into_iter()
            .map(|seconds| seconds.map(|seconds| seconds * 1e6));
        page.plot(
            &Plot::bars(
                "starts",
                "Time to start one and wait for its end",
                "The axis counts in factors of ten. What is started for each job must cost far less than the job.",
                labels,
            )
            .x_label("one more")
            .y(Axis::log("microseconds", Base::Ten))
            .series(Series::new("median", Colour::Blue, micros)),
        );
        let (labels, sizes) = of("_share", &self.memory);
        let kibibytes = sizes
            .into_iter()
            .map(|bytes| bytes.map(|bytes| bytes / 1024.0));
        page.plot(
            &Plot::bars(
                "memory",
                "Memory of one that waits",
                "In factors of ten as well. What each takes decides how many can wait at once.",
                labels,
            )
            .x_label("one more")
            .y(Axis::log("KiB", Base::Ten))
            .series(Series::new("median", Colour::Green, kibibytes)),
        );
    }

    fn add_sharing(&self, page: &mut Page) {
        page.section(
            "Sharing memory",
            "Threads share memory for nothing until two want the same piece of it; processes copy, or share \
             what they were given to share.",
        );
        add_figures(page, "Locks, atomics and copies", &self.sharing);
    }
}

/// `thread` of `thread_start`.
fn short(name: &str) -> String {
    name.split('_').next().unwrap_or(name).to_owned()
}

fn add_figures(page: &mut Page, caption: &str, figures: &[Figure]) {
    page.heading(caption);
    if figures.is_empty() {
        page.text("This system does not tell.");
        return;
    }
    let mut table = Table::new(caption)
        .column("")
        .numbers("median")
        .numbers("lowest to highest")
        .column("what it means");
    for figure in figures {
        let (unit, value) = (figure.unit, &figure.value);
        table.row([
            figure.title.clone(),
            unit.shown(value.median),
            format!(
                "{} to {}",
                unit.shown(value.lowest),
                unit.shown(value.highest)
            ),
            figure.meaning.clone(),
        ]);
    }
    page.table(&table);
}

fn add_python(python: &Python, page: &mut Page) {
    page.section(
        "Python",
        "Python with an interpreter lock runs one thread at a time: threads overlap waiting and never \
         computing. Processes compute at once, and each is a whole interpreter.",
    );
    if python.interpreters.is_empty() {
        page.text(&format!(
            "No Python was found: looked for {}.",
            python.looked_for.join(", ")
        ));
    }
    for failed in &python.failed {
        page.text(failed);
    }
    for (place, interpreter) in python.interpreters.iter().enumerate() {
        add_interpreter(interpreter, place, page);
    }
    page.text(&free_threaded(python));
}

fn add_interpreter(interpreter: &Interpreter, place: usize, page: &mut Page) {
    let lock = if interpreter.has_lock {
        "with"
    } else {
        "without"
    };
    page.heading(&format!(
        "{} {} ({}), {lock} the interpreter lock",
        interpreter.implementation, interpreter.version, interpreter.name
    ));
    for sentence in held_back_sentences(interpreter) {
        page.text(&sentence);
    }
    let ways = ["one_after_the_other", "asyncio", "threads", "fork", "spawn"];
    let series = |work: Work| {
        ways.map(|means| {
            let found = interpreter
                .work
                .iter()
                .find(|cell| cell.work == work && cell.means == means);
            found.map(|cell| cell.speed_up)
        })
    };
    page.plot(
        &Plot::bars(
            &format!("python-{place}"),
            "How many times faster than one after the other",
            format!(
                "{} jobs of each kind, {} at once. Where threads stay at 1 for computing work and processes \
                 do not, the interpreter lock is the limit. Fork and spawn are processes; those that are \
                 spawned start an interpreter each, which is in their time.",
                interpreter.jobs, interpreter.workers
            ),
            // Short names: there are five of them side by side, on a phone too.
            ["one by one", "asyncio", "threads", "fork", "spawn"],
        )
        .x_label("done by")
        .y(Axis::linear("times faster"))
        .series(Series::new("waiting", Colour::Blue, series(Work::Waiting)))
        .series(Series::new("computing", Colour::Vermillion, series(Work::Computing))),
    );
    let mut table = Table::new("What a worker of Python costs")
        .column("worker")
        .numbers("start")
        .numbers("memory");
    for cost in &interpreter.start_seconds {
        let memory = interpreter
            .memory_bytes
            .iter()
            .find(|memory| memory.means == cost.means);
        table.row([
            python_worker(&cost.means).to_owned(),
            with_range(Unit::Seconds, &cost.value),
            memory.map_or_else(String::new, |memory| with_range(Unit::Bytes, &memory.value)),
        ]);
    }
    page.table(&table);
}

fn add_crossover(crossover: &Crossover, page: &mut Page) {
    page.section("The crossover of a crawl", &crossover.description);
    for sentence in crossover.sentences() {
        page.text(&sentence);
    }
    let ios = crossover.ios();
    let mut plot = Plot::lines(
        "crossover",
        "Pages a second while I/O and analysis are made faster",
        "Each colour is one speed of the analysis. While a line rises with I/O, waiting is the limit and a faster \
         analysis gains nothing; where it bends flat, the processors are the limit and only a faster analysis, \
         or more cores, help. Points are measured; dashed lines are what the ledger predicted from the first \
         point of the first line.",
    )
    .x(Axis::log("I/O, times faster", Base::Two), ios)
    .y(Axis::log("pages/s", Base::Two));
    for (analysis, colour) in crossover.analyses().into_iter().zip(Colour::ALL) {
        let points = || ios.map(|io| crossover.point(analysis, io));
        let measured = points().map(|point| Some(point?.pages_per_second.highest));
        let predicted = points().map(|point| Some(point?.predicted_pages_per_second));
        let name = format!("analysis {analysis} x");
        plot = plot
            .series(Series::new(name, colour, measured).with_points())
            .series(Series::new(format!("{analysis} x, predicted"), colour, predicted).dashed());
    }
    page.plot(&plot);
    page.heading("Measured and predicted");
    page.text(
        "Of several repetitions the highest counts. It was held up for the share of its computing time in which \
         other programs had the processors, which the prediction takes into account.",
    );
    page.table(&crossover_table(crossover));
    page.heading("Where the processors become the limit");
    let mut table = Table::new("Where the processors become the limit")
        .column("analysis")
        .column("measured")
        .column("predicted");
    for place in &crossover.crossovers {
        let (measured, predicted) = place_words(place);
        let analysis = match place.analysis_times_faster {
            1.0 => "as it was".to_owned(),
            times => format!("{times} times faster"),
        };
        table.row([analysis, measured, predicted]);
    }
    page.table(&table);
}

fn crossover_table(crossover: &Crossover) -> Table {
    let mut table = Table::new("Pages a second, measured and predicted")
        .numbers("analysis")
        .numbers("I/O")
        .numbers("pages/s")
        .numbers("predicted")
        .numbers("error")
        .numbers("held up")
        .numbers("lowest");
    for point in &crossover.points {
        let measured = &point.pages_per_second;
        table.row([
            format!("{} x", point.analysis_times_faster),
            format!("{} x", point.io_times_faster),
            format!("{:.0}", measured.highest),
            format!("{:.0}", point.predicted_pages_per_second),
            format!("{} %", signed(point.error_percent)),
            format!("{:.0} %", point.held_up * 100.0),
            format!("{:.0}", measured.lowest),
        ]);
    }
    table
}
