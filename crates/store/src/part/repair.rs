//! What a crash may have left of the parts, and how it is put in order.

use std::path::{Path, PathBuf};

use super::{ASIDE_SUFFIX, PartNames, PartPosition, Repaired};
use crate::error::Error;
use crate::file::{self, File};

/// The part of the position, as it was found.
enum Last {
    /// It has its name and is as long as the position: it was ended.
    Ended,
    /// It is open, and at least as long as the position.
    Open(u64),
    /// It has its name and is longer: versions before 0.2 gave parts their names at once.
    Named(u64),
    /// It is not there, and need not be: nothing of it was committed.
    Missing,
}

/// The parts that are there.
pub(super) struct Found {
    last: Last,
    whole: Vec<u32>,
    open: Vec<u32>,
}

impl Found {
    /// Looks without changing anything.
    pub(super) fn look(
        names: &PartNames,
        position: PartPosition,
        published: u32,
    ) -> Result<Found, Error> {
        let (whole, open) = (names.whole_parts()?, names.open_parts()?);
        let last = match position.part < published {
            true => Last::Ended,
            false => last(names, position, &whole, &open)?,
        };
        Ok(Found { last, whole, open })
    }

    /// Removes open parts after the position, and sets aside those with a name.
    pub(super) fn clear_after(
        &self,
        names: &PartNames,
        position: PartPosition,
        repaired: &mut Repaired,
    ) -> Result<(), Error> {
        let after = |number: &&u32| **number > position.part;
        // From the last backwards, so that a crash in between leaves no gap.
        for &number in self.open.iter().rev().filter(after) {
            let path = names.open_path(number);
            repaired.cut_bytes += file::length(&path)?;
            repaired.removed_parts += 1;
            file::remove(&path)?;
        }
        for &number in self.whole.iter().rev().filter(after) {
            let path = names.path(number);
            file::rename(&path, &aside(&path))?;
            repaired.set_aside += 1;
        }
        Ok(())
    }

    /// Opens the part of the position, cut to it; none where it was ended.
    pub(super) fn take(
        &self,
        names: &PartNames,
        position: PartPosition,
        repaired: &mut Repaired,
    ) -> Result<Option<File>, Error> {
        let open = names.open_path(position.part);
        let length = match self.last {
            Last::Ended => return Ok(None),
            Last::Missing => return Ok(Some(File::create_new(open)?)),
            Last::Named(length) => {
                file::rename(&names.path(position.part), &open)?;
                length
            }
            Last::Open(length) => length,
        };
        let file = File::open_write(open)?;
        file.truncate(position.bytes)?;
        repaired.cut_bytes += length - position.bytes;
        Ok(Some(file))
    }
}

fn last(
    names: &PartNames,
    position: PartPosition,
    whole: &[u32],
    open: &[u32],
) -> Result<Last, Error> {
    let number = position.part;
    if open.contains(&number) {
        let path = names.open_path(number);
        let length = file::length(&path)?;
        if length < position.bytes {
            return Err(lost(&path, &format!("has {length} bytes"), position));
        }
        return Ok(Last::Open(length));
    }
    let path = names.path(number);
    if !whole.contains(&number) {
        return match position.bytes {
            0 => Ok(Last::Missing),
            _ => Err(lost(&path, "is missing", position)),
        };
    }
    let length = file::length(&path)?;
    match length.cmp(&position.bytes) {
        std::cmp::Ordering::Less => Err(lost(&path, &format!("has {length} bytes"), position)),
        std::cmp::Ordering::Equal if length > 0 => Ok(Last::Ended),
        _ => Ok(Last::Named(length)),
    }
}

/// A name that is not taken yet.
fn aside(path: &Path) -> PathBuf {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut aside = named(ASIDE_SUFFIX);
    let mut count = 1;
    while file::is_file(&aside) {
        count += 1;
        aside = named(&format!("{ASIDE_SUFFIX}{count}"));
    }
    aside
}

fn lost(path: &Path, found: &str, position: PartPosition) -> Error {
    let what = format!(
        "{found}, and {} were committed: rows are lost",
        position.bytes
    );
    Error::corrupt(path, what)
}
