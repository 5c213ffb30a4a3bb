//! A plot as HTML: a figure, its caption, the box it is drawn in, its data, and the same in a table.

use serde::Serialize;

use crate::escape::{json_block, text};
use crate::number::shown;
use crate::plot::{Axis, Kind, Plot, Series};
use crate::table::Table;

/// What the script reads.
#[derive(Serialize)]
struct Block<'a> {
    kind: Kind,
    x: &'a Axis,
    y: &'a Axis,
    series: &'a [Series],
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
    data: Vec<Vec<Option<f64>>>,
}

pub(crate) fn figure(plot: &Plot) -> String {
    let id = &plot.id;
    let block = Block {
        kind: plot.kind,
        x: &plot.x,
        y: &plot.y,
        series: &plot.series,
        labels: plot.labels.as_deref(),
        data: plot.data(),
    };
    format!(
        "<figure>\n<figcaption><strong>{title}</strong> {caption}</figcaption>\n\
         <div class=\"plot\" id=\"plot-{id}\" role=\"img\" aria-label=\"{title}. Its figures are in the table below.\"></div>\n\
         <script type=\"application/json\" id=\"data-{id}\">{data}</script>\n\
         <details id=\"table-{id}\"><summary>The figures of this plot</summary>\n{table}</details>\n</figure>\n",
        title = text(&plot.title),
        caption = text(&plot.caption),
        data = json_block(&block),
        table = table(plot).html(),
    )
}

fn table(plot: &Plot) -> Table {
    let x_heading = match plot.x.label.as_str() {
        "" => "x",
        label => label,
    };
    let mut table = Table::new(plot.title.clone());
    table = match plot.labels {
        Some(_) => table.column(x_heading),
        None => table.numbers(x_heading),
    };
    for series in &plot.series {
        table = table.numbers(series.name.clone());
    }
    for (place, x) in plot.xs.iter().enumerate() {
        let label = plot.labels.as_ref().and_then(|labels| labels.get(place));
        let first = label.cloned().unwrap_or_else(|| shown(*x));
        let values = plot.series.iter().map(|series| {
            let value = series.values.get(place).copied().flatten();
            value.map_or_else(String::new, shown)
        });
        table.row(std::iter::once(first).chain(values));
    }
    table
}
