//! Files that commands write.

use super::args::OutputArgs;
use crate::runtime::Outputs;
use anyhow::{Context as _, Result};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes a result file whole or not at all: to a neighbouring file, then renamed.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("can't write {}", path.display()))
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
