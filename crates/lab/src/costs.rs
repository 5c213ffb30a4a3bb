//! What it costs to start something, to switch to it, and to share memory with it.

mod sharing;
mod starting;
mod switching;

use crate::error::Error;
use crate::measure::Figures;
use crate::own_program::OwnProgram;

pub(crate) use sharing::measure_sharing;

/// Costs of starting and switching, in seconds each.
pub(crate) fn measure_costs(own: &OwnProgram) -> Result<Figures, Error> {
    let mut figures = Figures::new();
    starting::measure(own, &mut figures)?;
    switching::measure(&mut figures)?;
    Ok(figures)
}
