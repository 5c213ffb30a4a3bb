//! A directory whose power can be cut.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{ASKED, Act};

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

static DISKS: Mutex<Vec<Arc<Mutex<Model>>>> = Mutex::new(Vec::new());

/// A watched directory: a disk on which crashes are tried out. For tests; memory as the directory
/// holds, several times.
///
/// All changes below the directory have to go through this crate. Directories themselves last at once.
/// Dropping it ends the watch.
#[derive(Debug)]
pub struct Disk {
    model: Arc<Mutex<Model>>,
}

impl Disk {
    /// Watches a directory. What it holds now lasts.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn watch(root: &Path) -> io::Result<Disk> {
        let model = Arc::new(Mutex::new(Model::load(root)?));
        lock(&DISKS).push(model.clone());
        ASKED.fetch_add(1, Ordering::Relaxed);
        Ok(Disk { model })
    }

    /// Operations that changed the disk, or made changes last, so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        lock(&self.model).operations
    }

    /// After so many further operations every one fails: the machine is going down. A write that is
    /// the first to fail is written to its half.
    pub fn fail_after(&self, operations: u64) {
        let mut model = lock(&self.model);
        model.fails_from = Some(model.operations + operations);
    }

    /// Ends the process but not the machine: all that was written stays. The next operation works
    /// again.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn keep_power(&self) -> io::Result<()> {
        let mut model = lock(&self.model);
        let operations = model.operations;
        *model = Model::load(&model.root.clone())?;
        model.operations = operations;
        Ok(())
    }

    /// Cuts the power: the directory then holds what a disk could hold after it, drawn by `seed`.
    /// Nothing may have it open. The next operation works again.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn lose_power(&self, seed: u64) -> io::Result<()> {
        let mut model = lock(&self.model);
        let root = model.root.clone();
        model.survive(&mut Dice(seed));
        remove_files(&root)?;
        for (path, contents) in model.surviving() {
            std::fs::write(path, contents)?;
        }
        let operations = model.operations;
        *model = Model::load(&root)?;
        model.operations = operations;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        lock(&DISKS).retain(|model| !Arc::ptr_eq(model, &self.model));
        ASKED.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn before(act: Act<'_>) -> io::Result<()> {
    let Some(model) = watching(act.path()) else {
        return Ok(());
    };
    let mut model = lock(&model);
    model.operations += 1;
    let is_down = model.fails_from.is_some_and(|from| model.operations > from);
    if is_down {
        return Err(io::Error::other("the machine is going down"));
    }
    Ok(())
}

pub(super) fn is_watched(act: Act<'_>) -> bool {
    watching(act.path()).is_some()
}

pub(super) fn after(act: Act<'_>) {
    if let Some(model) = watching(act.path()) {
        lock(&model).note(act);
    }
}

fn watching(path: &Path) -> Option<Arc<Mutex<Model>>> {
    let disks = lock(&DISKS);
    disks
        .iter()
        .find(|model| path.starts_with(&lock(model).root))
        .cloned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A change of a directory's names that was not synced.
#[derive(Debug)]
enum NameChange {
    Made(PathBuf, u64),
    Moved(PathBuf, PathBuf, u64),
    Gone(PathBuf),
}

/// A change of a file that was not synced.
#[derive(Debug)]
enum Change {
    Written(u64, Vec<u8>),
    Length(u64),
}

/// What lasts of a file, and what does not yet.
#[derive(Debug, Default)]
struct Contents {
    lasting: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Model {
    root: PathBuf,
    /// The names as programs see them now, and those that last.
    names: BTreeMap<PathBuf, u64>,
    lasting_names: BTreeMap<PathBuf, u64>,
    /// By directory, in their order.
    name_changes: BTreeMap<PathBuf, Vec<NameChange>>,
    files: HashMap<u64, Contents>,
    next: u64,
    operations: u64,
    fails_from: Option<u64>,
}

impl Model {
    fn load(root: &Path) -> io::Result<Model> {
        let mut model = Model {
            root: root.to_owned(),
            names: BTreeMap::new(),
            lasting_names: BTreeMap::new(),
            name_changes: BTreeMap::new(),
            files: HashMap::new(),
            next: 0,
            operations: 0,
            fails_from: None,
        };
        for path in files_below(root)? {
            let lasting = std::fs::read(&path)?;
            let file = model.new_file(lasting);
            model.names.insert(path.clone(), file);
            model.lasting_names.insert(path, file);
        }
        Ok(model)
    }

    fn new_file(&mut self, lasting: Vec<u8>) -> u64 {
        self.next += 1;
        let contents = Contents {
            lasting,
            changes: Vec::new(),
        };
        self.files.insert(self.next, contents);
        self.next
    }

    fn note(&mut self, act: Act<'_>) {
        match act {
            Act::Create(path) => {
                if !self.names.contains_key(path) {
                    let file = self.new_file(Vec::new());
                    self.names.insert(path.to_owned(), file);
                    self.change_name(path, NameChange::Made(path.to_owned(), file));
                }
            }
            Act::Write(path, offset, bytes) => {
                self.change(path, Change::Written(offset, bytes.to_owned()));
            }
            Act::Truncate(path, length) => self.change(path, Change::Length(length)),
            Act::Sync(path) => {
                if let Some(contents) = self.contents(path) {
                    for change in std::mem::take(&mut contents.changes) {
                        apply(&change, &mut contents.lasting);
                    }
                }
            }
            Act::SyncDir(path) => {
                for change in self.name_changes.remove(path).unwrap_or_default() {
                    self.make_last(change);
                }
            }
            Act::Rename(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.to_owned(), file);
                    let change = NameChange::Moved(from.to_owned(), to.to_owned(), file);
                    self.change_name(to, change);
                }
            }
            Act::Remove(path) => {
                self.names.remove(path);
                self.change_name(path, NameChange::Gone(path.to_owned()));
            }
        }
    }

    fn contents(&mut self, path: &Path) -> Option<&mut Contents> {
        self.files.get_mut(self.names.get(path)?)
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(contents) = self.contents(path) {
            contents.changes.push(change);
        }
    }

    fn change_name(&mut self, path: &Path, change: NameChange) {
        let dir = path.parent().unwrap_or(path).to_owned();
        self.name_changes.entry(dir).or_default().push(change);
    }

    fn make_last(&mut self, change: NameChange) {
        match change {
            NameChange::Made(path, file) => {
                self.lasting_names.insert(path, file);
            }
            NameChange::Moved(from, to, file) => {
                self.lasting_names.remove(&from);
                self.lasting_names.insert(to, file);
            }
            NameChange::Gone(path) => {
                self.lasting_names.remove(&path);
            }
        }
    }

    /// Draws what survives of what was not synced, and makes it last.
    fn survive(&mut self, dice: &mut Dice) {
        for (_, mut changes) in std::mem::take(&mut self.name_changes) {
            let kept = dice.below(changes.len() as u64 + 1) as usize;
            for change in changes.drain(..kept) {
                self.make_last(change);
            }
        }
        // In a fixed order, so that a seed draws the same again.
        let mut files: Vec<_> = self.files.iter_mut().collect();
        files.sort_unstable_by_key(|(file, _)| **file);
        for (_, contents) in files {
            for change in std::mem::take(&mut contents.changes) {
                match dice.below(3) {
                    0 => {}
                    1 => apply(&change, &mut contents.lasting),
                    _ => apply_torn(&change, &mut contents.lasting, dice),
                }
            }
        }
    }

    fn surviving(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.lasting_names.iter().filter_map(|(path, file)| {
            let contents = self.files.get(file)?;
            Some((path.as_path(), contents.lasting.as_slice()))
        })
    }
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    match change {
        Change::Length(length) => bytes.resize(*length as usize, 0),
        Change::Written(offset, written) => {
            let start = *offset as usize;
            let end = start + written.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            if let Some(place) = bytes.get_mut(start..end) {
                place.copy_from_slice(written);
            }
        }
    }
}

/// Some sectors of a write, and of those beyond the old end perhaps only the length.
fn apply_torn(change: &Change, bytes: &mut Vec<u8>, dice: &mut Dice) {
    let Change::Written(offset, written) = change else {
        return;
    };
    let mut offset = *offset;
    let mut rest = written.as_slice();
    while !rest.is_empty() {
        let to_border = SECTOR_BYTES - offset as usize % SECTOR_BYTES;
        let (sector, after) = rest.split_at(to_border.min(rest.len()));
        if dice.below(2) == 0 {
            apply(&Change::Written(offset, sector.to_owned()), bytes);
        }
        offset += sector.len() as u64;
        rest = after;
    }
}

fn files_below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn remove_files(root: &Path) -> io::Result<()> {
    files_below(root)?
        .into_iter()
        .try_for_each(std::fs::remove_file)
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}
