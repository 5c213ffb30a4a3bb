//! Where a body is analysed, and how much memory the large ones may take together.
//!
//! How large a compressed body becomes is known only when it was decompressed, and a bomb becomes a
//! thousand times its size. So it is first allowed what honest pages need, and only then, alone or
//! with few others, all that `--max-body-size` grants: the room is for what is allowed, not for what
//! came out.

use std::sync::Arc;

use nephila_fetch::{DecodeError, DecodeErrorKind};
use tokio::sync::Semaphore;

use crate::analysis::{Analysis, AnalysisOptions, Work, Workers, analyse, or_digest};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::pulse::Pulse;

/// Text shrinks some four and a half times under gzip: what counts is what is parsed.
const TYPICAL_RATIO: u64 = 5;
/// How much larger than on the wire a body may become before it needs the room for the largest.
const HONEST_RATIO: u64 = 16;
/// A body that is analysed on the fetching thread may become this many times `--offload-size`.
const HERE_RATIO: u64 = 4;
/// Room is counted in pieces, in bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// Everything that an analysis needs, in one handle.
#[derive(Clone, Debug)]
pub(crate) struct Analyst {
    pub(crate) options: Arc<AnalysisOptions>,
    pub(crate) workers: Workers,
    pub(crate) offload_bytes: u64,
    pub(crate) clock: Clock,
    pub(crate) room: AnalysisRoom,
    /// Of the shard that this is for.
    pub(crate) pulse: Arc<Pulse>,
}

/// Memory for the large bodies that are being analysed, over all threads.
#[derive(Clone, Debug)]
pub(crate) struct AnalysisRoom {
    pieces: Arc<Semaphore>,
    most: u32,
}

impl AnalysisRoom {
    /// Room for `bytes`, in whole pieces, at least one.
    pub(crate) fn new(bytes: u64) -> AnalysisRoom {
        let most = u32::try_from(bytes / PIECE_BYTES)
            .unwrap_or(u32::MAX)
            .max(1);
        AnalysisRoom {
            pieces: Arc::new(Semaphore::new(most as usize)),
            most,
        }
    }

    /// What a body of `bytes` takes; one that is larger than the room has it alone.
    fn pieces_for(&self, bytes: u64) -> u32 {
        let pieces = bytes.div_ceil(PIECE_BYTES);
        u32::try_from(pieces).unwrap_or(u32::MAX).min(self.most)
    }
}

impl Analyst {
    /// Analyses where that stalls nobody, within the room for it. Waits while there is none.
    pub(crate) async fn analyse(&self, work: Work) -> Result<Result<Analysis, DecodeError>, Error> {
        let most = self.options.most_bytes(work.purpose);
        let is_coded = work.content_encoding.is_some();
        let scale = if is_coded { TYPICAL_RATIO } else { 1 };
        let wire_bytes = work.body.len() as u64;
        if wire_bytes.saturating_mul(scale) < self.offload_bytes {
            let here = self.offload_bytes.saturating_mul(HERE_RATIO).min(most);
            let (options, clock) = (self.options.clone(), self.clock);
            let small = work.clone();
            let analyse = move || or_digest(small, |work| analyse(work, here, &options, &clock));
            let analysed = match self.pulse.lend(self.clock.elapsed()) {
                Some(place) => {
                    let lent = move || {
                        let analysed = analyse();
                        drop(place); // the next one need not wait until this shard has the result
                        analysed
                    };
                    self.workers.run(lent).await?
                }
                None => analyse(),
            };
            match analysed {
                Err(error) if is_cut(&error, here, most) => {}
                done => return Ok(done),
            }
        }
        let honest = match is_coded {
            true => wire_bytes
                .saturating_mul(HONEST_RATIO)
                .max(self.offload_bytes),
            false => wire_bytes,
        };
        let first = honest.min(most);
        match self.analyse_beside(work.clone(), first).await? {
            Err(error) if is_cut(&error, first, most) => self.analyse_beside(work, most).await,
            done => Ok(done),
        }
    }

    /// Runs other work on so many bytes where that stalls nobody: here, or on a worker thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if bytes < self.offload_bytes {
            return Ok(work());
        }
        self.workers.run(work).await
    }

    /// Analyses on a thread for it; up to `most` bytes are decompressed, for which room is taken.
    async fn analyse_beside(
        &self,
        work: Work,
        most: u64,
    ) -> Result<Result<Analysis, DecodeError>, Error> {
        let pieces = self.room.pieces_for(most);
        let room = Arc::clone(&self.room.pieces).acquire_many_owned(pieces);
        let room = room
            .await
            .map_err(|_| Error::new(ErrorKind::Bug, "the room for analyses is closed"))?;
        let (options, clock) = (self.options.clone(), self.clock);
        let done = self
            .workers
            .run(move || or_digest(work, |work| analyse(work, most, &options, &clock)))
            .await?;
        Ok(done.map(|analysis| Analysis {
            _room: Some(room),
            ..analysis
        }))
    }
}

/// Whether a body failed only because it was allowed less than it may have.
fn is_cut(error: &DecodeError, allowed: u64, most: u64) -> bool {
    error.kind() == DecodeErrorKind::TooLarge && allowed < most
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use nephila_parse::{ParseOptions, SitemapLimits};

    use super::*;
    use crate::analysis::Purpose;

    fn analyst(room_bytes: u64) -> Analyst {
        Analyst {
            options: Arc::new(AnalysisOptions {
                parse: ParseOptions::default(),
                sitemap: SitemapLimits::default(),
                max_body_bytes: 8 << 20,
                max_sitemap_bytes: 8 << 20,
                want_body: false,
                keep_body: false,
            }),
            workers: Workers::start(2, Clock::start(), &Arc::default()).unwrap(),
            offload_bytes: 64 * 1024,
            clock: Clock::start(),
            room: AnalysisRoom::new(room_bytes),
            pulse: Arc::new(Pulse::new(Arc::default(), Arc::default())),
        }
    }

    fn zeros(bytes: usize) -> Work {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; bytes]).unwrap();
        Work {
            body: encoder.finish().unwrap().into(),
            content_type: Some("text/html".to_owned()),
            content_encoding: Some("gzip".to_owned()),
            purpose: Purpose::Page,
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn what_shrinks_much_is_read_to_its_limit_and_no_further() {
        let analyst = analyst(32 << 20);
        for bytes in [10_000, 1 << 20, 8 << 20] {
            let done = run(analyst.analyse(zeros(bytes))).unwrap().unwrap();
            assert_eq!(done.body_bytes, bytes as u64);
        }
        let error = run(analyst.analyse(zeros((8 << 20) + 1)))
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::TooLarge);
        assert_eq!(
            analyst.room.pieces.available_permits(),
            512,
            "all is given back"
        );
    }

    #[test]
    fn large_bodies_wait_for_one_another() {
        let analyst = analyst(8 << 20);
        run(async {
            let large = analyst.analyse(zeros(8 << 20)).await.unwrap().unwrap();
            assert_eq!(analyst.room.pieces.available_permits(), 0);
            let mut next = std::pin::pin!(analyst.analyse(zeros(1 << 20)));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(next.as_mut().poll(&mut context).is_pending());
            drop(large);
            assert_eq!(next.await.unwrap().unwrap().body_bytes, 1 << 20);
        });
    }

    #[test]
    fn a_room_that_is_too_small_is_had_alone() {
        let analyst = analyst(1);
        let done = run(analyst.analyse(zeros(8 << 20))).unwrap().unwrap();
        assert_eq!(done.body_bytes, 8 << 20);
    }
}
