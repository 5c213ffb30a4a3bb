//! Reading JSON lines, one at a time.

use std::io::{BufRead, Read};

use super::convert_error::ConvertError;

/// The longest line that is taken. A string column of one batch must stay below 2 GiB (Arrow counts
/// its bytes in 32 bits), and a row is held in memory whole.
pub(crate) const MAX_LINE_BYTES: u64 = 1 << 30;

/// What a line's buffer may keep for the next: a long line must not stay in memory.
const KEPT_BYTES: usize = 1 << 20;

/// Lines of a part, numbered from 1.
pub(crate) struct RowLines<'r> {
    input: &'r mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
}

impl<'r> RowLines<'r> {
    /// The lines of `input`.
    pub(crate) fn new(input: &'r mut dyn BufRead) -> RowLines<'r> {
        RowLines {
            input,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next line with its number, without its line feed; `None` at the end.
    ///
    /// # Errors
    /// [`ConvertError::Read`]; [`ConvertError::Row`] for a line over [`MAX_LINE_BYTES`].
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, ConvertError> {
        self.forget_line();
        let mut limited = (&mut *self.input).take(MAX_LINE_BYTES + 1);
        limited
            .read_until(b'\n', &mut self.line)
            .map_err(ConvertError::Read)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.len() as u64 > MAX_LINE_BYTES {
            return Err(self.wrong(format!("it is longer than {MAX_LINE_BYTES} bytes")));
        }
        Ok(Some((self.number, &self.line)))
    }

    /// Gives back the memory of a long line, before other work needs as much.
    pub(crate) fn forget_line(&mut self) {
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
    }

    /// How many lines were read.
    pub(crate) fn count(&self) -> u64 {
        self.number
    }

    /// The error of the line that was read last.
    pub(crate) fn wrong(&self, problem: String) -> ConvertError {
        ConvertError::Row {
            line: self.number,
            problem,
        }
    }
}
