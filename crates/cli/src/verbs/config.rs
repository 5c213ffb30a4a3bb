//! stub
use clap::ArgMatches;
use crate::Exit;
/// stub
pub(crate) fn run(_m: &ArgMatches) -> anyhow::Result<Exit> { anyhow::bail!("stub") }
