//! Files that commands write.

use super::args::OutputArgs;
use crate::runtime::Outputs;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Fails where a file can't be put: before the work, not after it.
pub fn check_output(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "this is a folder, not a file to write: {}", path.display());
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    ensure!(folder.is_dir(), "there is no such folder: {}", folder.display());
    Ok(())
}

/// Name of the file that is written first and renamed when it is whole.
pub fn partial(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    PathBuf::from(partial)
}

/// Writes a result file whole or not at all: to a neighbouring file, then renamed.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial(path);
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written.with_context(|| format!("can't write {}", path.display()))
}

impl OutputArgs {
    /// As the runtime wants it.
    pub fn outputs(&self) -> Outputs {
        Outputs {
            headless: self.headless,
            log: self.log.clone(),
            publish: self.publish.clone(),
            no_color: self.no_color,
            ascii: self.ascii,
        }
    }
}
