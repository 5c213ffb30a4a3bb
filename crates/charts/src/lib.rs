//! One self-contained HTML page with plots, tables and bars, made from data.
//!
//! The page is one file: it opens offline and loads nothing from anywhere. Its plots are drawn by
//! uPlot (MIT, in `assets/`). It follows the reader's choice of light or dark, fits a phone and prints.
//!
//! Nothing that is put into a page can run. Text is escaped, data is JSON in which no character can end
//! its block, and a Content Security Policy allows the page's own scripts by their SHA-256 and nothing
//! else: no other script, no request, no frame, no form.
//!
//! Every plot is a figure with a caption that explains it, and has its figures in a table below it, for
//! those who cannot see it and for those who want the numbers.
//!
//! ```
//! use nephila_charts::{Axis, Colour, Page, Plot, Series};
//!
//! let mut page = Page::new("A crawl");
//! page.section("Speed", "How many pages it fetched.");
//! let rate = Series::new("pages/s", Colour::Blue, [10.0, 40.0, 80.0]).with_points();
//! page.plot(
//!     &Plot::lines("rate", "Rate", "It grows while more fetches are in flight.")
//!         .x(Axis::log("in flight", nephila_charts::Base::Two), [1.0, 2.0, 4.0])
//!         .y(Axis::linear("pages/s"))
//!         .series(rate),
//! );
//! assert!(page.to_html().starts_with("<!doctype html>"));
//! ```

pub mod assets;
mod bars;
mod colour;
mod escape;
mod figure;
mod number;
mod page;
mod plot;
mod policy;
mod table;

pub use bars::{BarRow, Bars};
pub use colour::Colour;
pub use escape::{json_block, text};
pub use number::shown;
pub use page::Page;
pub use plot::{Axis, Base, Plot, Series};
pub use policy::{content_security_policy, source_hash};
pub use table::{Cell, Table};
