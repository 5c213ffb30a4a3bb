//! Several runs as one figure.

/// The median of some figures, with the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    least: f64,
    pub(crate) median: f64,
    greatest: f64,
}

impl Spread {
    /// None of no figures. Of an even number of them the median is between the middle two.
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (least, greatest) = (*figures.first()?, *figures.last()?);
        let upper = figures.get(figures.len() / 2)?;
        let lower = figures.get((figures.len() - 1) / 2)?;
        Some(Self {
            least,
            median: f64::midpoint(*lower, *upper),
            greatest,
        })
    }

    /// As it stands in a table.
    pub(crate) fn shown(self) -> String {
        self.shown_with(0)
    }

    /// With so many digits after the point.
    pub(crate) fn shown_with(self, digits: usize) -> String {
        format!(
            "{:.digits$} ({:.digits$}-{:.digits$})",
            self.median, self.least, self.greatest
        )
    }
}
