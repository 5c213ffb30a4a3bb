//! What the frontier asks of the disk: two traits, so that it does no I/O itself.

use std::error::Error;

/// A failure of the storage below the frontier: the crawl cannot go on.
pub type StorageError = Box<dyn Error + Send + Sync>;

/// The seen set: which fingerprints were admitted before.
pub trait Seen {
    /// Inserts; true when it was not there.
    ///
    /// # Errors
    /// When the storage fails. The fingerprint may then be in the set or not.
    fn insert(&mut self, fingerprint: u64) -> Result<bool, StorageError>;
}

/// Where the parts of host queues go that memory has no room for.
///
/// What is written is derived data: after a crash it is made anew from the commit log.
pub trait Overflow {
    /// Keeps a block and returns the number to take it back with.
    ///
    /// # Errors
    /// When the storage fails; the block is then not kept.
    fn write(&mut self, block: &[u8]) -> Result<u64, StorageError>;

    /// Gives a block back and forgets it.
    ///
    /// # Errors
    /// When the storage fails or the block is not what was written.
    fn take(&mut self, block: u64) -> Result<Vec<u8>, StorageError>;

    /// Appends a small record to the chain whose last record is `before`, or begins a chain with it;
    /// returns what is the chain's last record from then on.
    ///
    /// # Errors
    /// When the storage fails; the chain is then as it was.
    fn append(&mut self, before: Option<u64>, record: &[u8]) -> Result<u64, StorageError>;

    /// Gives back the records of a chain, the first first, and forgets them.
    ///
    /// # Errors
    /// When the storage fails or a record is not what was appended.
    fn take_chain(&mut self, last: u64) -> Result<Vec<Vec<u8>>, StorageError>;
}

/// A seen set and an overflow that live in memory: for tests and for small crawls that keep no
/// state. Not bounded.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    seen: hashbrown::HashSet<u64>,
    blocks: hashbrown::HashMap<u64, Vec<u8>>,
    next_block: u64,
    records: hashbrown::HashMap<u64, (Option<u64>, Vec<u8>)>,
    next_record: u64,
}

impl InMemory {
    /// How many blocks are kept.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }
}

impl Seen for InMemory {
    fn insert(&mut self, fingerprint: u64) -> Result<bool, StorageError> {
        Ok(self.seen.insert(fingerprint))
    }
}

impl Overflow for InMemory {
    fn write(&mut self, block: &[u8]) -> Result<u64, StorageError> {
        self.next_block += 1;
        self.blocks.insert(self.next_block, block.to_vec());
        Ok(self.next_block)
    }

    fn take(&mut self, block: u64) -> Result<Vec<u8>, StorageError> {
        self.blocks
            .remove(&block)
            .ok_or_else(|| format!("block {block} was never written").into())
    }

    fn append(&mut self, before: Option<u64>, record: &[u8]) -> Result<u64, StorageError> {
        self.next_record += 1;
        self.records
            .insert(self.next_record, (before, record.to_vec()));
        Ok(self.next_record)
    }

    fn take_chain(&mut self, last: u64) -> Result<Vec<Vec<u8>>, StorageError> {
        let mut records = Vec::new();
        let mut next = Some(last);
        while let Some(number) = next {
            let (before, record) = self
                .records
                .remove(&number)
                .ok_or_else(|| format!("record {number} was never appended"))?;
            records.push(record);
            next = before;
        }
        records.reverse();
        Ok(records)
    }
}
