//! A deep frontier: so many URLs admitted that neither they nor their hosts fit into memory.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use nephila_frontier::{
    CanonicalUrl, Fingerprinter, Frontier, FrontierConfig, Moment, Overflow, QueuedUrl, Seen,
    StorageError,
};
use nephila_store::{BlockFile, BlockId, ChainFile, SeenSet};

const HOSTS_A_URL: u64 = 10;
const SEEN_BYTES: usize = 256 << 20;
/// A link of ten leads to a URL that is new: the others were admitted before.
const STEPS: u64 = 20;

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
    let mut frontier = open(folder.path())?;
    println!(
        "| URLs admitted | hosts | thousand a second in this step | resident MiB | disk bytes a URL |"
    );
    println!("|---|---|---|---|---|");
    let now = Moment::from_micros(1);
    let mut admitted = 0;
    for step in 1..=STEPS {
        let until = urls * step / STEPS;
        let began = Instant::now();
        let before = admitted;
        while admitted < until {
            let url = url(admitted, urls / HOSTS_A_URL)?;
            let queued = QueuedUrl::page(url, 3, None, now);
            frontier
                .admit(queued, now)
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            admitted += 1;
        }
        let rate = (admitted - before) as f64 / began.elapsed().as_secs_f64() / 1_000.0;
        println!(
            "| {admitted} | {} | {rate:.0} | {} | {:.0} |",
            frontier.hosts(),
            resident_mib()?,
            bytes_under(folder.path())? as f64 / admitted as f64
        );
    }
    Ok(())
}

fn open(folder: &Path) -> anyhow::Result<Frontier<DiskSeen, DiskOverflow>> {
    let seen = DiskSeen(SeenSet::new(&folder.join("seen"), SEEN_BYTES)?);
    let queues = folder.join("queues");
    let overflow = DiskOverflow {
        blocks: BlockFile::new(&queues)?,
        chains: ChainFile::new(&queues)?,
    };
    let config = FrontierConfig::default();
    Ok(Frontier::new(
        config,
        Fingerprinter::new([1, 2]),
        seen,
        overflow,
    ))
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
