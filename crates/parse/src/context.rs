//! Where in the tree a tag stands, as far as that decides what it is.
//!
//! Nearly all of a page needs no tree: an `a` with a `href` is a link wherever it stands. Three things
//! do: content of `template` is inert, SVG and MathML have elements of their own (no raw text, CDATA
//! sections, another `a`), and HTML can stand inside those again. So a stack is kept only inside of
//! these; outside it is empty and costs nothing. Inside, the rules of WHATWG HTML 13.2.6.5 are followed,
//! and those of 13.2.6.4.7 as far as HTML elements within SVG and MathML are concerned.
//!
//! What is outside of the stack is not known. One decision needs it: an end tag in foreign content that
//! closes nothing there. It is taken to close an HTML element outside, and the foreign content with it,
//! when it names an HTML element that can be open.

use crate::attributes::Attributes;
use crate::elements::{
    Edge, Inside, breaks_out, can_be_open, edge, hides_foreign_text, inside_of, is_special,
    is_void, stays_fresh,
};
use crate::names::{self, Name};
use crate::work;

/// Open elements kept. Deeper ones are counted, not kept.
const DEPTH_MAX: usize = 256;

/// What a start tag turned out to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// An HTML element in the document.
    Html,
    /// An HTML element inside a template: inert.
    Inert,
    /// An SVG element in the document.
    Svg,
    /// An element of no interest: MathML, or foreign content in a template.
    Other,
    /// No element: the tag is ignored.
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    /// `in_columns`: the first tag was `col`, so that only `col` and `template` are taken.
    Template {
        is_fresh: bool,
        in_columns: bool,
    },
    Foreign {
        is_svg: bool,
        inside: Inside,
        hides_text: bool,
    },
}

#[derive(Debug, Clone, Copy)]
struct Open {
    name: Name,
    kind: Kind,
}

/// The open elements from the outermost template, `svg` or `math` on.
#[derive(Debug, Default)]
pub(crate) struct Context {
    open: Vec<Open>,
    templates: usize,
    too_deep: usize,
}

impl Context {
    /// Whether the stack is empty, so that tags are plain HTML.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether what follows is inside a template.
    pub(crate) fn in_template(&self) -> bool {
        self.templates > 0
    }

    /// Whether the current node is foreign, so that CDATA sections are taken.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Foreign { .. },
                ..
            })
        )
    }

    /// Whether text here is not visible: in a template, or in a title, description or script of SVG.
    pub(crate) fn hides_text(&self) -> bool {
        let hides = |open: &Open| {
            matches!(
                open.kind,
                Kind::Foreign {
                    hides_text: true,
                    ..
                }
            )
        };
        self.in_template() || self.open.last().is_some_and(hides)
    }

    /// Forgets everything, as a frameset does that replaces the body.
    pub(crate) fn clear(&mut self) {
        *self = Context::default();
    }

    /// Takes a start tag.
    pub(crate) fn start(&mut self, name: Name, closes: bool, attributes: &Attributes) -> Placement {
        if self.is_foreign_start(name) {
            if !breaks_out(name, attributes) {
                return self.start_foreign(name, closes, attributes);
            }
            self.leave_foreign();
        }
        if self.columns_ignore(name) {
            return Placement::Ignored;
        }
        match name {
            names::SVG | names::MATH => return self.start_root(name, closes),
            names::TEMPLATE => {
                let kind = Kind::Template {
                    is_fresh: true,
                    in_columns: false,
                };
                self.push(Open { name, kind });
                return Placement::Inert;
            }
            _ if self.in_foreign_html() => {
                self.close_implied(name);
                if !is_void(name) {
                    self.push(Open {
                        name,
                        kind: Kind::Html,
                    });
                }
            }
            _ => {}
        }
        if self.in_template() {
            Placement::Inert
        } else {
            Placement::Html
        }
    }

    /// Whether the rules for foreign content take a start tag of this name.
    fn is_foreign_start(&self, name: Name) -> bool {
        match self.open.last() {
            Some(Open {
                kind: Kind::Foreign { inside, .. },
                ..
            }) => match inside {
                Inside::Foreign => true,
                Inside::MathText => matches!(name, names::MGLYPH | names::MALIGNMARK),
                Inside::Html => false,
                Inside::Annotation => name != names::SVG,
            },
            _ => false,
        }
    }

    fn start_foreign(&mut self, name: Name, closes: bool, attributes: &Attributes) -> Placement {
        let Some(Open {
            kind: Kind::Foreign {
                is_svg, hides_text, ..
            },
            ..
        }) = self.open.last()
        else {
            return Placement::Other;
        };
        let (is_svg, hidden) = (*is_svg, *hides_text || hides_foreign_text(name));
        if !closes {
            let inside = inside_of(name, is_svg, attributes);
            self.push(Open {
                name,
                kind: Kind::Foreign {
                    is_svg,
                    inside,
                    hides_text: hidden,
                },
            });
        }
        self.foreign_placement(is_svg)
    }

    fn start_root(&mut self, name: Name, closes: bool) -> Placement {
        let is_svg = name == names::SVG;
        if !closes {
            let kind = Kind::Foreign {
                is_svg,
                inside: Inside::Foreign,
                hides_text: self.hides_text(),
            };
            self.push(Open { name, kind });
        }
        self.foreign_placement(is_svg)
    }

    fn foreign_placement(&self, is_svg: bool) -> Placement {
        if is_svg && !self.in_template() {
            Placement::Svg
        } else {
            Placement::Other
        }
    }

    /// Takes an end tag.
    pub(crate) fn end(&mut self, name: Name) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if self.is_foreign() {
            if matches!(name, names::BR | names::P) {
                self.leave_foreign();
            } else if self.end_foreign(name) {
                return;
            }
        }
        self.end_html(name);
    }

    /// Closes a foreign element above the nearest HTML one; whether there was one of that name.
    fn end_foreign(&mut self, name: Name) -> bool {
        let mut found = None;
        for (at, open) in self.open.iter().enumerate().rev() {
            work::note(1);
            match open.kind {
                Kind::Foreign { .. } if open.name == name => found = Some(at),
                Kind::Foreign { .. } => continue,
                _ => {}
            }
            break;
        }
        if let Some(at) = found {
            self.open.truncate(at);
        }
        found.is_some()
    }

    /// Takes an end tag by the rules for HTML.
    fn end_html(&mut self, name: Name) {
        if name == names::TEMPLATE {
            return self.end_template();
        }
        let mut at = self.open.len();
        for open in self.open.iter().rev() {
            work::note(1);
            at -= 1;
            match open.kind {
                Kind::Html if open.name == name => {
                    self.truncate(at);
                    return;
                }
                Kind::Html if is_special(open.name) && !is_special(name) => return,
                Kind::Foreign {
                    inside: Inside::Foreign,
                    ..
                }
                | Kind::Html => {}
                Kind::Foreign { .. } => return, // an integration point bounds every scope
                Kind::Template { .. } => {
                    at += 1;
                    break;
                }
            }
        }
        if can_be_open(name) {
            self.truncate(at);
        }
    }

    fn end_template(&mut self) {
        if self.templates == 0 {
            return;
        }
        let is_template = |open: &Open| matches!(open.kind, Kind::Template { .. });
        if let Some(at) = self.open.iter().rposition(is_template) {
            work::note(self.open.len() - at);
            self.truncate(at);
        }
    }

    /// Pops to the nearest HTML element or integration point.
    fn leave_foreign(&mut self) {
        self.too_deep = 0;
        while let Some(Open {
            kind: Kind::Foreign { inside, .. },
            ..
        }) = self.open.last()
        {
            if matches!(inside, Inside::MathText | Inside::Html) {
                break;
            }
            work::note(1);
            self.open.pop();
        }
    }

    /// Whether HTML here stands inside SVG or MathML, where its elements are kept on the stack.
    fn in_foreign_html(&self) -> bool {
        match self.open.last() {
            Some(Open {
                kind: Kind::Template { .. },
                ..
            })
            | None => false,
            Some(_) => true,
        }
    }

    /// Closes what this start tag closes without an end tag: `p` before blocks, `li` before `li`.
    fn close_implied(&mut self, name: Name) {
        let closed = match name {
            names::LI => names::LI,
            _ if edge(name) == Edge::Line && is_special(name) => names::P,
            _ => return,
        };
        for (at, open) in self.open.iter().enumerate().rev() {
            work::note(1);
            match open.kind {
                Kind::Html if open.name == closed => {
                    self.truncate(at);
                    return;
                }
                Kind::Html if !matches!(open.name, names::BUTTON | names::TABLE | names::TD) => {}
                _ => return,
            }
        }
    }

    /// Whether a template in whose columns we are ignores this tag; notes the first tag of a template.
    fn columns_ignore(&mut self, name: Name) -> bool {
        let Some(Open {
            kind:
                Kind::Template {
                    is_fresh,
                    in_columns,
                },
            ..
        }) = self.open.last_mut()
        else {
            return false;
        };
        if *in_columns {
            return !matches!(name, names::COL | names::TEMPLATE | names::HTML);
        }
        if *is_fresh && !stays_fresh(name) {
            *is_fresh = false;
            *in_columns = name == names::COL;
        }
        false
    }

    fn push(&mut self, open: Open) {
        if self.open.len() >= DEPTH_MAX {
            self.too_deep += 1;
            return;
        }
        if matches!(open.kind, Kind::Template { .. }) {
            self.templates += 1;
        }
        self.open.push(open);
    }

    fn truncate(&mut self, length: usize) {
        self.too_deep = 0;
        for open in self.open.drain(length..) {
            if matches!(open.kind, Kind::Template { .. }) {
                self.templates -= 1;
            }
        }
    }
}
