//! A deep frontier: so many URLs admitted that neither they nor their hosts fit into memory. Each new URL
//! comes with two that were admitted before, as links do. At the end it is saved as a checkpoint saves it,
//! and opened again.

#![expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the real clock"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nephila_frontier::{
    CanonicalUrl, Fingerprinter, Frontier, FrontierConfig, Moment, Overflow, QueuedUrl, Seen,
    StorageError,
};
use nephila_store::{BlockFile, BlockId, ChainFile, PieceWriter, SeenSet, read_pieces, sync_files};

const URLS_A_HOST: u64 = 10;
const SEEN_BYTES: usize = 256 << 20;
/// Of the two known URLs that come with a new one, one is among as many as were admitted last, as links within
/// a site are; the other is any.
const LATELY: u64 = 100_000;
/// The rate is measured over this many URLs, at each depth.
const WINDOW: u64 = 500_000;

struct DiskSeen(SeenSet);

impl Seen for DiskSeen {
    fn insert(&mut self, fingerprint: u64) -> Result<bool, StorageError> {
        Ok(self.0.insert(fingerprint)?)
    }
}

struct DiskOverflow {
    blocks: BlockFile,
    chains: ChainFile,
}

impl Overflow for DiskOverflow {
    fn write(&mut self, block: &[u8]) -> Result<u64, StorageError> {
        Ok(self.blocks.write(block)?.code())
    }

    fn take(&mut self, block: u64) -> Result<Vec<u8>, StorageError> {
        Ok(self.blocks.take(BlockId::from_code(block))?)
    }

    fn append(&mut self, before: Option<u64>, record: &[u8]) -> Result<u64, StorageError> {
        Ok(self.chains.append(before, record)?)
    }

    fn take_chain(&mut self, last: u64) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(self.chains.take(last)?)
    }
}

/// `nephila-bench deep [MILLIONS]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let millions: u64 = match arguments {
        [] => 100,
        [millions] => millions
            .parse()
            .with_context(|| format!("`{millions}` millions"))?,
        _ => bail!("usage: cargo xtask bench deep [MILLIONS]"),
    };
    let folder = tempfile::tempdir()?;
    let urls = millions * 1_000_000;
    let mut frontier = empty(folder.path())?;
    println!("| URLs admitted | hosts | URLs a second there | resident MiB | disk bytes a URL |");
    println!("|---|---|---|---|---|");
    let now = Moment::from_micros(1);
    let depths = [1, 10, 20, 50, 100, 200, 500, 1_000].map(|depth| depth * 1_000_000);
    let mut admitted = 0;
    for depth in depths.into_iter().filter(|depth| *depth <= urls) {
        while admitted < depth - WINDOW {
            admit(&mut frontier, admitted, urls, now)?;
            admitted += 1;
        }
        let began = Instant::now();
        while admitted < depth {
            admit(&mut frontier, admitted, urls, now)?;
            admitted += 1;
        }
        println!(
            "| {admitted} | {} | {:.0} | {} | {:.0} |",
            frontier.hosts(),
            WINDOW as f64 / began.elapsed().as_secs_f64(),
            resident_mib()?,
            bytes_under(folder.path())? as f64 / admitted as f64
        );
    }
    let (pause, lasting, bytes) = save(&mut frontier, folder.path())?;
    let (queued, hosts) = (frontier.queued(), frontier.hosts());
    drop(frontier);
    let began = Instant::now();
    let frontier = restore(folder.path())?;
    println!(
        "\nsaved: {bytes} bytes beside what was on disk, a pause of {:.1} s, durable after {:.1} s more; \
         opened again in {:.1} s with {} MiB resident",
        pause.as_secs_f64(),
        lasting.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        resident_mib()?
    );
    if (frontier.queued(), frontier.hosts()) != (queued, hosts) {
        bail!("what was opened again is not what was saved");
    }
    Ok(())
}

type DeepFrontier = Frontier<DiskSeen, DiskOverflow>;

/// Admits one URL that is new, and meets some that are not.
fn admit(frontier: &mut DeepFrontier, number: u64, urls: u64, now: Moment) -> anyhow::Result<()> {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let any = mixed % (number + 1);
    let lately = number - mixed % LATELY.min(number + 1);
    for number in [any, lately, number] {
        let url = url(number, urls / URLS_A_HOST)?;
        let admission = frontier.admit(QueuedUrl::page(url, 3, None, now), now);
        admission.map_err(failed)?;
    }
    Ok(())
}

/// Saves it; how long a crawl would stand still for that, and how long it then takes to be durable.
fn save(frontier: &mut DeepFrontier, folder: &Path) -> anyhow::Result<(Duration, Duration, u64)> {
    let began = Instant::now();
    let mut writer = PieceWriter::create(&saved_file(folder))?;
    let mut described = Vec::new();
    let (seen, overflow) = frontier.storage();
    let mut files = seen.0.save(&mut described)?;
    files.extend(overflow.blocks.save(&mut described));
    files.extend(overflow.chains.save(&mut described)?);
    writer.add(&described)?;
    frontier
        .save(&mut |piece| Ok(writer.add(piece)?))
        .map_err(failed)?;
    let pause = began.elapsed();
    let bytes = writer.bytes();
    sync_files(&files)?;
    writer.publish()?;
    Ok((pause, began.elapsed() - pause, bytes))
}

fn restore(folder: &Path) -> anyhow::Result<DeepFrontier> {
    let mut frontier = None;
    read_pieces(&saved_file(folder), &mut |piece| {
        if let Some(frontier) = &mut frontier {
            let restored = DeepFrontier::restore(frontier, piece, Moment::from_micros(1));
            let path = saved_file(folder);
            return restored
                .map_err(|error| nephila_store::Error::corrupt(&path, error.to_string()));
        }
        let mut rest = piece;
        let seen = SeenSet::restore(&folder.join("seen"), SEEN_BYTES, &mut rest)?;
        let queues = folder.join("queues");
        let overflow = DiskOverflow {
            blocks: BlockFile::restore(&queues, &mut rest)?,
            chains: ChainFile::restore(&queues, &mut rest)?,
        };
        frontier = Some(over(seen, overflow));
        Ok(())
    })?;
    frontier.context("nothing was saved")
}

fn saved_file(folder: &Path) -> PathBuf {
    folder.join("saved")
}

fn failed(error: StorageError) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

fn empty(folder: &Path) -> anyhow::Result<DeepFrontier> {
    let seen = SeenSet::new(&folder.join("seen"), SEEN_BYTES)?;
    let queues = folder.join("queues");
    let overflow = DiskOverflow {
        blocks: BlockFile::new(&queues)?,
        chains: ChainFile::new(&queues)?,
    };
    Ok(over(seen, overflow))
}

fn over(seen: SeenSet, overflow: DiskOverflow) -> DeepFrontier {
    let config = FrontierConfig::default();
    Frontier::new(config, Fingerprinter::new([1, 2]), DiskSeen(seen), overflow)
}

/// The URL of a number: ten a host, those of one host far from one another.
fn url(number: u64, hosts: u64) -> anyhow::Result<CanonicalUrl> {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let host = number % hosts;
    let text = format!(
        "http://www.site-{host}.test/section/{:x}/page-{number}.html",
        mixed >> 52
    );
    CanonicalUrl::from_serialized(&text).context(text)
}

fn resident_mib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .context("VmRSS")?;
    Ok(kib.parse::<u64>()? / 1024)
}

fn bytes_under(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => bytes_under(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
