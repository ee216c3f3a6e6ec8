//! The store of results: one line of JSON per item, only ever appended to.
//!
//! Each line begins with the SHA-256 of the rest, so that a line that was cut by a crash or
//! changed by anything else is known for what it is: it counts as not there. An item's key
//! says everything its result depends on; the result of another key is never taken for it.

use super::item::Row;
use crate::cli::text::note;
use anyhow::{Context as _, Result, bail, ensure};
use models::checkpoint::sha256_hex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The store's name in its folder.
const NAME: &str = "store.jsonl";

/// Length of a digest in hexadecimal.
const DIGEST_LEN: usize = 64;

/// What an item came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The item's key.
    pub key: String,
    /// One row per session.
    pub rows: Vec<Row>,
}

/// The store, open for appending.
pub struct Store {
    path: PathBuf,
    file: Mutex<File>,
    known: HashMap<String, Stored>,
    /// Lines that were not sound.
    pub n_damaged: usize,
}

impl Store {
    /// Opens the store in a folder, made where it is not there.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("can't make the folder {}", folder.display()))?;
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).open(&path);
        let mut file = file.with_context(|| format!("can't open {}", path.display()))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                bail!("another run is writing to it, wait for its end: {}", path.display())
            }
            Err(TryLockError::Error(error)) => note(format!(
                "mindloop: no lock can be had here ({error}), see that no other run writes to {}",
                path.display()
            )),
            Ok(()) => {}
        }
        let bytes = fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        let (known, n_damaged) = read(&bytes);
        // What is appended must not join a line that was cut.
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").with_context(|| format!("can't write {}", path.display()))?;
        }
        Ok(Self { path, file: Mutex::new(file), known, n_damaged })
    }

    /// What the store in a folder holds, and its number of lines that are not sound.
    pub fn read_folder(folder: &Path) -> Result<(HashMap<String, Stored>, usize)> {
        let path = folder.join(NAME);
        let bytes = fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        Ok(read(&bytes))
    }

    /// The result of a key, from a run before.
    pub fn get(&self, key: &str) -> Option<&Stored> {
        self.known.get(key)
    }

    /// Appends a result; when this returns, it is on the disk.
    pub fn append(&self, stored: &Stored) -> Result<()> {
        let text = serde_json::to_string(stored)?;
        let line = format!("{} {text}\n", sha256_hex(text.as_bytes()));
        let file = self.file.lock().ok();
        ensure!(file.is_some(), "the store is closed");
        let write = |mut file: &File| -> std::io::Result<()> {
            let n_before = file.metadata()?.len();
            let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
            // Half a line would swallow the next one.
            if written.is_err() {
                let _ = file.set_len(n_before);
            }
            written
        };
        let written = file.as_deref().map_or(Ok(()), write);
        written.with_context(|| format!("can't write {}", self.path.display()))
    }
}

/// The results of sound lines, the newest of each key, and the number of other lines.
fn read(bytes: &[u8]) -> (HashMap<String, Stored>, usize) {
    let (mut known, mut n_damaged) = (HashMap::new(), 0);
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match parse(line) {
            Some(stored) => {
                known.insert(stored.key.clone(), stored);
            }
            None => n_damaged += 1,
        }
    }
    (known, n_damaged)
}

fn parse(line: &[u8]) -> Option<Stored> {
    let (digest, rest) = line.split_at_checked(DIGEST_LEN)?;
    let text = rest.strip_prefix(b" ")?;
    (sha256_hex(text).as_bytes() == digest).then(|| serde_json::from_slice(text).ok())?
}
