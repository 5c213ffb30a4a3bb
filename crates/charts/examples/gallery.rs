//! Every kind of plot on one page: `cargo run -p nephila-charts --example gallery > gallery.html`.

use std::io::Write;

use nephila_charts::{Axis, BarRow, Bars, Base, Colour, Page, Plot, Series, Table};

fn main() -> std::io::Result<()> {
    let mut page = Page::new("Every kind of plot");
    page.text("All figures are made up.");
    add_time(&mut page);
    add_pages(&mut page);
    add_changes(&mut page);
    std::io::stdout().write_all(page.to_html().as_bytes())
}

/// Lines and bands over time.
fn add_time(page: &mut Page) {
    page.section(
        "A crawl over time",
        "What was the limit, and how fast it went.",
    );
    let seconds: Vec<f64> = (0..120).map(f64::from).collect();
    let rate = seconds
        .iter()
        .map(|second| 400.0 + 300.0 * (second / 9.0).sin() + second * 2.0);
    page.plot(
        &Plot::lines("rate", "Rate", "Pages fetched in each second.")
            .x(Axis::linear("seconds"), seconds.clone())
            .y(Axis::linear("pages/s"))
            .series(Series::new("pages/s", Colour::Blue, rate)),
    );
    let share = |shift: f64| {
        let share = move |second: &f64| 0.3 + 0.2 * ((second + shift) / 20.0).sin();
        seconds.iter().map(share).collect::<Vec<f64>>()
    };
    page.plot(
        &Plot::bands(
            "limits",
            "Limits",
            "The share of each second under each limit.",
        )
        .x(Axis::linear("seconds"), seconds.clone())
        .y(Axis::linear("share"))
        .series(Series::new("remote latency", Colour::Blue, share(0.0)))
        .series(Series::new(
            "own processors",
            Colour::Vermillion,
            share(60.0),
        ))
        .series(Series::new("politeness", Colour::Green, share(100.0))),
    );
}

/// A histogram, and bars of states.
fn add_pages(page: &mut Page) {
    page.section("Pages", "");
    let sizes = [
        "1 kB", "4 kB", "16 kB", "64 kB", "256 kB", "1 MB", "4 MB", "larger",
    ];
    page.plot(
        &Plot::bars(
            "sizes",
            "Sizes",
            "Pages by their size after decompression.",
            sizes,
        )
        .x_label("at most")
        .y(Axis::linear("pages"))
        .series(Series::new(
            "pages",
            Colour::Green,
            [12.0, 80.0, 310.0, 420.0, 96.0, 31.0, 4.0, 1.0],
        )),
    );
    page.bars(
        &Bars::new(
            "Where the time went",
            "A typical page and a slow one, state by state.",
            "ms",
        )
        .state("DNS", Colour::Sky)
        .state("connect", Colour::Orange)
        .state("first byte", Colour::Blue)
        .state("body", Colour::Green)
        .state("computing", Colour::Vermillion)
        .row(
            BarRow::new("typical")
                .part(0, 4.0)
                .part(1, 20.0)
                .part(2, 60.0)
                .part(3, 12.0)
                .part(4, 1.0),
        )
        .row(
            BarRow::new("slow")
                .part(0, 30.0)
                .part(1, 80.0)
                .part(2, 310.0)
                .part(3, 95.0)
                .part(4, 4.0),
        )
        .row(
            BarRow::new("began later")
                .starting_at(200.0)
                .part(2, 150.0)
                .part(3, 40.0),
        ),
    );
}

/// Lines on logarithmic axes, and a table.
fn add_changes(page: &mut Page) {
    page.section("What a change would bring", "");
    let slots = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    page.plot(
        &Plot::lines(
            "crossover",
            "Crossover",
            "Measured as points, predicted as dashes.",
        )
        .x(Axis::log("in flight", Base::Two), slots)
        .y(Axis::log("pages/s", Base::Ten))
        .series(
            Series::new(
                "measured",
                Colour::Blue,
                slots.map(|n| (n * 11.0).min(240.0)),
            )
            .with_points(),
        )
        .series(
            Series::new(
                "predicted",
                Colour::Blue,
                slots.map(|n| (n * 11.5).min(250.0)),
            )
            .dashed(),
        ),
    );
    let mut table = Table::new("Predictions")
        .column("change")
        .numbers("pages/s")
        .numbers("range");
    table.row(["processors twice as fast", "480", "450 to 500"]);
    table.row(["twice the slots", "251", "240 to 260"]);
    page.table(&table);
}
