//! Records out of a file, one after the other.

use std::io::{self, Read};

use crate::arc::{self, ArcVersion};
use crate::error::{Error, Problem};
use crate::head::Head;
use crate::members::Members;
use crate::options::ReadOptions;
use crate::parse::{FieldLines, check_version};
use crate::verify::{Check, Verifier};

/// What stands behind a record.
const RECORD_END: &[u8] = b"\r\n\r\n";
/// Line ends that may stand behind a record where the reader is not strict.
const LINE_ENDS_MAX: usize = 64;
/// Room made for content because its header says so; a header may say anything.
const PRESIZE_BYTES_MAX: u64 = 64 * 1024;

/// Reads the records of a WARC or ARC file: plain, gzip or zstd, told apart by their first bytes.
///
/// Holds one header and buffers of fixed size; content is streamed. Bytes behind an error are not
/// looked at: after one, no record comes.
pub struct Reader<R: Read> {
    members: Members<R>,
    options: ReadOptions,
    arc: Option<ArcVersion>,
    open: Option<Open>,
    done: bool,
}

/// The record whose content is being read.
struct Open {
    offset: u64,
    /// Where it begins within the member.
    position: u64,
    left: u64,
    verifier: Option<Verifier>,
    is_arc: bool,
}

/// Where a record lies, and what its end showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The first byte in the file: of its member, where it is compressed.
    pub offset: u64,
    /// Its bytes in the file, the line ends behind the content included. `None` in a member that
    /// holds several records, none of which can then be read by itself.
    pub length: Option<u64>,
    /// The line ends behind the content: `\r\n\r\n` where the writer kept to the standard.
    pub ending: Vec<u8>,
    /// What became of WARC-Block-Digest.
    pub block_digest: Check,
    /// What became of WARC-Payload-Digest. The digest may be that of the payload as it is stored or
    /// of what is left when chunk framing is taken off: writers differ.
    pub payload_digest: Check,
}

/// A record whose header was read. Its content is read from it by [`Read`]; what of it is not read is
/// passed over when the next record is asked for.
///
/// Reading gives an error of [`io::Error::other`]'s kind that holds an [`Error`].
pub struct Record<'r, R: Read> {
    head: Head,
    reader: &'r mut Reader<R>,
}

/// A record held whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeRecord {
    /// Its header.
    pub head: Head,
    /// Its content.
    pub content: Vec<u8>,
    /// Where it lies.
    pub finished: Finished,
}

impl<R: Read> Reader<R> {
    /// A reader with the default [`ReadOptions`]. It buffers what it reads from `source`.
    pub fn new(source: R) -> Reader<R> {
        Reader::with_options(source, ReadOptions::default())
    }

    /// A reader with options.
    pub fn with_options(source: R, options: ReadOptions) -> Reader<R> {
        Reader {
            members: Members::new(source, options.trusts_lengths),
            options,
            arc: None,
            open: None,
            done: false,
        }
    }

    /// The next record; `None` at the end of the file, and after an error.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the header of the next record, or with what was not yet read of the
    /// last one.
    pub fn next_record(&mut self) -> Result<Option<Record<'_, R>>, Error> {
        if self.open.is_some() {
            self.finish()?;
        }
        if self.done {
            return Ok(None);
        }
        match self.begin() {
            Ok(Some(head)) => Ok(Some(Record { head, reader: self })),
            Ok(None) => {
                self.done = true;
                Ok(None)
            }
            Err((offset, problem)) => Err(self.fail(offset, problem)),
        }
    }

    /// The records that are left, each held whole.
    ///
    /// # Errors
    ///
    /// Each item, as [`Reader::next_record`], [`Record::content`] and [`Record::finish`]; the
    /// first error is the last item.
    pub fn whole_records(
        &mut self,
        max_content_bytes: u64,
    ) -> impl Iterator<Item = Result<WholeRecord, Error>> + use<'_, R> {
        std::iter::from_fn(move || {
            let whole = |mut record: Record<'_, R>| {
                let content = record.content(max_content_bytes)?;
                let head = record.head.clone();
                let finished = record.finish()?;
                Ok(WholeRecord {
                    head,
                    content,
                    finished,
                })
            };
            let result = self.next_record().transpose()?.and_then(whole);
            if result.is_err() {
                self.open = None;
                self.done = true;
            }
            Some(result)
        })
    }

    fn fail(&mut self, offset: u64, problem: impl Into<Problem>) -> Error {
        self.done = true;
        self.open = None;
        Error::new(offset, problem)
    }

    /// Reads the next header and opens its record. An error comes with where the record begins.
    fn begin(&mut self) -> Result<Option<Head>, (u64, Problem)> {
        if !self
            .reach_record()
            .map_err(|problem| (self.members.offset(), problem))?
        {
            return Ok(None);
        }
        let (offset, position) = (self.members.offset(), self.members.position());
        let head = self.read_head().map_err(|problem| (offset, problem))?;
        let verifier = if self.options.verify_digests && !head.is_arc() {
            Some(Verifier::of(&head).map_err(|problem| (offset, problem))?)
        } else {
            None
        };
        self.open = Some(Open {
            offset,
            position,
            left: head.content_length(),
            verifier,
            is_arc: head.is_arc(),
        });
        Ok(Some(head))
    }

    /// Goes to the next member that has data, if this one has none left.
    fn reach_record(&mut self) -> Result<bool, Problem> {
        let strict = self.options.strict;
        let mut line_ends = LINE_ENDS_MAX;
        loop {
            let data = self
                .members
                .fill()
                .map_err(member_problem("its first line"))?;
            match data.first() {
                Some(b'\r' | b'\n') if !strict && line_ends > 0 => {
                    line_ends -= 1;
                    self.members.consume(1);
                }
                Some(_) => {
                    let shared = self.members.is_compressed() && self.members.position() > 0;
                    if strict && shared {
                        return Err(Problem::SharedMember);
                    }
                    return Ok(true);
                }
                None => {
                    if !self
                        .members
                        .next_member()
                        .map_err(member_problem("its member"))?
                    {
                        return Ok(false);
                    }
                    let data = self
                        .members
                        .fill()
                        .map_err(member_problem("its first line"))?;
                    if data.is_empty() && strict {
                        return Err(Problem::EmptyMember);
                    }
                }
            }
        }
    }

    fn read_head(&mut self) -> Result<Head, Problem> {
        let strict = self.options.strict;
        let line = self.read_line()?;
        let is_first = self.arc.is_none();
        if is_first && line.starts_with(arc::START) {
            self.arc = Some(ArcVersion::of(&line));
        }
        if let Some(version) = self.arc
            && !line.starts_with(b"WARC/")
        {
            return arc::parse(line, version, strict);
        }
        check_version(&line, strict)?;
        let mut lines = FieldLines::new(line);
        while !{
            let line = self.read_line()?;
            lines.push(&line, &self.options)?
        } {}
        lines.finish(&self.options)
    }

    /// A line with its end.
    fn read_line(&mut self) -> Result<Vec<u8>, Problem> {
        const PART: &str = "the headers";
        let max = self.options.max_line_bytes;
        let mut line = Vec::new();
        loop {
            let data = self.members.fill().map_err(member_problem(PART))?;
            if data.is_empty() {
                return Err(self.ended_within(PART));
            }
            let end = memchr::memchr(b'\n', data).map(|at| at + 1);
            let piece = data.get(..end.unwrap_or(data.len())).unwrap_or(data);
            if line.len() + piece.len() > max {
                return Err(Problem::LongLine(max));
            }
            line.extend_from_slice(piece);
            let taken = piece.len();
            self.members.consume(taken);
            if end.is_some() {
                return Ok(line);
            }
        }
    }

    fn ended_within(&self, part: &'static str) -> Problem {
        if self.members.is_compressed() {
            Problem::MemberEnds(part)
        } else {
            Problem::Truncated(part)
        }
    }

    /// Reads content of the open record: nothing at its end.
    fn read_content(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let Some(open) = &mut self.open else {
            let offset = self.members.offset();
            return Err(Error::new(offset, Problem::Failed));
        };
        if open.left == 0 || out.is_empty() {
            return Ok(0);
        }
        let offset = open.offset;
        let problem = match self.members.fill() {
            Ok([]) => self.ended_within("the content"),
            Err(error) => member_problem("the content")(error),
            Ok(data) => {
                let most = usize::try_from(open.left).unwrap_or(usize::MAX);
                let count = data.len().min(most).min(out.len());
                let (target, data) = (out.get_mut(..count), data.get(..count));
                if let (Some(target), Some(data)) = (target, data) {
                    target.copy_from_slice(data);
                    if let Some(verifier) = &mut open.verifier {
                        verifier.update(data);
                    }
                }
                open.left -= count as u64;
                self.members.consume(count);
                return Ok(count);
            }
        };
        Err(self.fail(offset, problem))
    }

    /// Passes over the rest of the open record and looks at its end.
    fn finish(&mut self) -> Result<Finished, Error> {
        let mut passed = [0; 8 * 1024];
        while self.read_content(&mut passed)? > 0 {}
        let Some(open) = self.open.take() else {
            return Err(Error::new(self.members.offset(), Problem::Failed));
        };
        let offset = open.offset;
        self.close(open)
            .map_err(|problem| self.fail(offset, problem))
    }

    /// Leaves the open record where its member says how long it is; gives where it lies.
    fn leave(&mut self) -> Option<Result<(u64, Option<u64>), Error>> {
        let open = self.open.as_ref()?;
        let trusts = self.options.trusts_lengths && open.verifier.is_none();
        let lengths = self.members.lengths().filter(|_| trusts)?;
        // Only if the record and the line ends behind it are all of the member.
        let end = self.members.position() + RECORD_END.len() as u64;
        if open.position != 0 || lengths.plain.checked_sub(end) != Some(open.left) {
            return None;
        }
        let offset = open.offset;
        let left = self.members.leave_at(lengths.stored);
        Some(match left.map_err(member_problem("the content")) {
            Ok(()) => {
                self.open = None;
                Ok((offset, Some(lengths.stored)))
            }
            Err(problem) => Err(self.fail(offset, problem)),
        })
    }

    fn close(&mut self, open: Open) -> Result<Finished, Problem> {
        let (block_digest, payload_digest) = match open.verifier {
            Some(verifier) => verifier.finish()?,
            None => (Check::NotAsked, Check::NotAsked),
        };
        let ending = self.read_ending()?;
        let well = match ending.as_slice() {
            RECORD_END => true,
            // The format of ARC puts a line end between records.
            b"" => open.is_arc && self.at_end_of_member()?,
            _ => open.is_arc || !self.options.strict,
        };
        if !well {
            return Err(Problem::NoEnd);
        }
        let length = if !self.members.is_compressed() {
            Some(self.members.position() - open.position)
        } else if self.at_end_of_member()? && open.position == 0 {
            Some(self.members.taken() - open.offset)
        } else if self.options.strict {
            return Err(Problem::SharedMember);
        } else {
            None
        };
        Ok(Finished {
            offset: open.offset,
            length,
            ending,
            block_digest,
            payload_digest,
        })
    }

    fn at_end_of_member(&mut self) -> Result<bool, Problem> {
        let data = self.members.fill().map_err(member_problem("its end"))?;
        Ok(data.is_empty())
    }

    /// The line ends behind the content; strictly no more than a record has.
    fn read_ending(&mut self) -> Result<Vec<u8>, Problem> {
        let max = if self.options.strict && self.arc.is_none() {
            4
        } else {
            LINE_ENDS_MAX
        };
        let mut ending = Vec::new();
        while ending.len() < max {
            let data = self.members.fill().map_err(member_problem("its end"))?;
            match data.first() {
                Some(byte @ (b'\r' | b'\n')) => ending.push(*byte),
                _ => break,
            }
            self.members.consume(1);
        }
        Ok(ending)
    }
}

/// What a failure to read decompressed data means, when `part` of a record was to come.
fn member_problem(part: &'static str) -> impl Fn(io::Error) -> Problem {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Problem::Truncated(part),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            Problem::Member(error)
        }
        _ => Problem::Io(error),
    }
}

impl<R: Read> Record<'_, R> {
    /// The header.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where the record begins in the file; see [`Finished::offset`].
    pub fn offset(&self) -> u64 {
        let open = self.reader.open.as_ref();
        open.map_or(self.reader.members.offset(), |open| open.offset)
    }

    /// What is left of the content, which may be at most `max_bytes` long.
    ///
    /// # Errors
    ///
    /// [`Problem::LongContent`] where it is longer, and whatever reading it finds.
    pub fn content(&mut self, max_bytes: u64) -> Result<Vec<u8>, Error> {
        let left = self.reader.open.as_ref().map_or(0, |open| open.left);
        if left > max_bytes {
            let offset = self.offset();
            return Err(self.reader.fail(offset, Problem::LongContent(max_bytes)));
        }
        let room = usize::try_from(left.min(PRESIZE_BYTES_MAX)).unwrap_or(0);
        let mut content = Vec::with_capacity(room);
        self.each_piece(|piece| content.extend_from_slice(piece))?;
        Ok(content)
    }

    /// The next bytes of the content, until they are enough, or `max` of them.
    pub(crate) fn content_start(
        &mut self,
        max: usize,
        is_enough: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>, Error> {
        let mut start = Vec::new();
        let mut buffer = [0; 4 * 1024];
        while start.len() < max && !is_enough(&start) {
            let room = buffer.len().min(max - start.len());
            let count = self
                .reader
                .read_content(buffer.get_mut(..room).unwrap_or_default())?;
            if count == 0 {
                break;
            }
            start.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        Ok(start)
    }

    /// Gives what is left of the content to `take`, piece by piece.
    pub(crate) fn each_piece(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut buffer = [0; 8 * 1024];
        loop {
            match self.reader.read_content(&mut buffer)? {
                0 => return Ok(()),
                count => take(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Passes over what is left of the content, looks at the end and, if asked, at the digests.
    ///
    /// # Errors
    ///
    /// Whatever is wrong there.
    pub fn finish(self) -> Result<Finished, Error> {
        self.reader.finish()
    }

    /// Passes over what is left of the record, undecompressed where that is possible; gives its offset
    /// and its length as [`Finished`] has them.
    pub(crate) fn pass(self) -> Result<(u64, Option<u64>), Error> {
        if let Some(left) = self.reader.leave() {
            return left;
        }
        let finished = self.finish()?;
        Ok((finished.offset, finished.length))
    }
}

impl<R: Read> Read for Record<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader.read_content(out).map_err(io::Error::other)
    }
}
