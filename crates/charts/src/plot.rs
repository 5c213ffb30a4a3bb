//! Plots as data: what is on the axes, which series, and how they are drawn.

use serde::Serialize;

use crate::colour::Colour;
use crate::figure::figure;

/// A plot over an x axis. `id` names it in the page: letters, digits and dashes, each id once a page.
#[derive(Clone, Debug)]
pub struct Plot {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) caption: String,
    pub(crate) kind: Kind,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) xs: Vec<f64>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) series: Vec<Series>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Lines,
    Bands,
    Stack,
    Bars,
}

/// The base of an axis' logarithm: where its marks stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// 1, 2, 4, 8 ...
    Two,
    /// 1, 10, 100 ...
    Ten,
}

/// An axis with its name, unit last.
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    pub(crate) label: String,
    /// The base of the logarithm; none: linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<u8>,
}

/// A series: a name, a colour, and a value (or none) for each x.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    pub(crate) name: String,
    colour: Colour,
    dashed: bool,
    points: bool,
    #[serde(skip)]
    pub(crate) values: Vec<Option<f64>>,
}

impl Axis {
    /// Equal steps are equally far apart. The y axis of lines begins at 0.
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            log: None,
        }
    }

    /// Equal factors are equally far apart. Values that are not above 0 are not drawn.
    pub fn log(label: impl Into<String>, base: Base) -> Self {
        let base = match base {
            Base::Two => 2,
            Base::Ten => 10,
        };
        Self {
            label: label.into(),
            log: Some(base),
        }
    }
}

impl Series {
    /// A series with these values. Shorter ones than the axis have none at its end.
    pub fn new<T: Into<Option<f64>>>(
        name: impl Into<String>,
        colour: Colour,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            name: name.into(),
            colour,
            dashed: false,
            points: false,
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// Dashed, as predictions are.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// With a point at each value, as measurements are.
    #[must_use]
    pub fn with_points(mut self) -> Self {
        self.points = true;
        self
    }
}

impl Plot {
    /// Lines over x. The caption explains in a sentence or two what is seen and what follows from it.
    pub fn lines(id: &str, title: impl Into<String>, caption: impl Into<String>) -> Self {
        Self::new(id, title.into(), caption.into(), Kind::Lines)
    }

    /// Bands on top of one another: shares of a whole over x, from 0 to 1, each holding from its x to
    /// the next. What they lack of 1 stays empty.
    pub fn bands(id: &str, title: impl Into<String>, caption: impl Into<String>) -> Self {
        Self::new(id, title.into(), caption.into(), Kind::Bands)
    }

    /// Areas on top of one another, each holding from its x to the next: the parts of a sum over x, whose
    /// upper edge is the sum.
    pub fn stack(id: &str, title: impl Into<String>, caption: impl Into<String>) -> Self {
        Self::new(id, title.into(), caption.into(), Kind::Stack)
    }

    /// Bars side by side, one for each series at each label: histograms, comparisons.
    pub fn bars<T: Into<String>>(
        id: &str,
        title: impl Into<String>,
        caption: impl Into<String>,
        labels: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut plot = Self::new(id, title.into(), caption.into(), Kind::Bars);
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        plot.xs = (0..labels.len()).map(|place| place as f64).collect();
        plot.labels = Some(labels);
        plot
    }

    fn new(id: &str, title: String, caption: String, kind: Kind) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        Self {
            id: id.chars().map(|c| if plain(c) { c } else { '-' }).collect(),
            title,
            caption,
            kind,
            x: Axis::linear(""),
            y: Axis::linear(""),
            xs: Vec::new(),
            labels: None,
            series: Vec::new(),
        }
    }

    /// The x axis and its values, which must rise.
    #[must_use]
    pub fn x(mut self, axis: Axis, values: impl IntoIterator<Item = f64>) -> Self {
        self.x = axis;
        self.xs = values.into_iter().collect();
        self
    }

    /// The name of the x axis where the values are labels.
    #[must_use]
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// The y axis.
    #[must_use]
    pub fn y(mut self, axis: Axis) -> Self {
        self.y = axis;
        self
    }

    /// The figure as it stands in a page, for a server that makes pages of its own: it takes
    /// [`crate::assets::SCRIPT`] to be drawn.
    pub fn to_html(&self) -> String {
        figure(self)
    }

    /// What the script draws, and what its `update` takes: the xs, then the values of each series.
    pub fn data(&self) -> Vec<Vec<Option<f64>>> {
        let xs = self.xs.iter().copied().map(Some).collect();
        let values = self.series.iter().map(|series| series.values.clone());
        std::iter::once(xs).chain(values).collect()
    }

    /// The name of the x axis.
    pub fn x_name(&self) -> &str {
        &self.x.label
    }

    /// The labels of the xs, where they have some.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// One more series; bands are given from below.
    #[must_use]
    pub fn series(mut self, mut series: Series) -> Self {
        series.values.resize(self.xs.len(), None);
        self.series.push(series);
        self
    }
}
