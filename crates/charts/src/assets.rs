//! What a page is drawn with, for a server that sends it as files of its own.

/// uPlot 1.6.32 (MIT): defines `uPlot`.
pub const UPLOT_SCRIPT: &str = include_str!("../assets/uPlot.iife.min.js");
/// The licence of uPlot, which goes wherever its files go.
pub const UPLOT_LICENSE: &str = include_str!("../assets/uPlot.LICENSE");
/// The style sheet of uPlot 1.6.32.
pub const UPLOT_STYLE: &str = include_str!("../assets/uPlot.min.css");
/// Draws the plots of a page with uPlot, which must be there before it: defines `nephilaCharts`, whose
/// `update(id, data)` replaces a plot's data by `[xs, values of the first series, ...]`.
pub const SCRIPT: &str = include_str!("../assets/charts.js");
/// The style sheet of a page: all colours are variables in it, once for light and once for dark.
pub const STYLE: &str = include_str!("../assets/charts.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_asset_can_end_its_own_element_or_be_rewritten_by_a_parser() {
        for script in [UPLOT_SCRIPT, SCRIPT] {
            let lower = script.to_ascii_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("<!--"));
        }
        for asset in [UPLOT_SCRIPT, UPLOT_STYLE, SCRIPT, STYLE] {
            assert!(!asset.contains('\r') && !asset.contains('\0'));
            assert!(!asset.to_ascii_lowercase().contains("</style"));
        }
    }

    #[test]
    fn the_licence_can_stand_in_a_comment() {
        assert!(UPLOT_LICENSE.starts_with("The MIT License") && !UPLOT_LICENSE.contains("--"));
        assert!(UPLOT_SCRIPT.contains("uPlot (v1.6.32)"));
    }

    #[test]
    fn no_asset_loads_anything() {
        for asset in [UPLOT_SCRIPT, UPLOT_STYLE, SCRIPT, STYLE] {
            for loads in ["@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
                assert!(!asset.contains(loads), "{loads}");
            }
        }
    }
}
