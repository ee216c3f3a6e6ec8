//! Downloads of catalogued datasets: resumed where they broke off, checked against
//! SHA-256 sums, and put in place only when they are whole.
//!
//! Nothing is printed: a caller's callback gets the [`Progress`]. A file is written as
//! `NAME.part` and renamed when its sum is right, so that a file without that ending
//! is always complete. A partial file needs no record of the server's version of it:
//! pieces of two versions have a wrong sum, and are fetched again from the start.

mod transfer;

use crate::catalog::{Access, CatalogError, Dataset, Sums, checksum_in, checksum_text};
use crate::reader::ShownPath;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use transfer::{Client, Transfer};

/// Name of the list of checksums at a dataset's root.
const SUMS_NAME: &str = "SHA256SUMS.txt";

/// No recording of any dataset here is larger.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// Largest list of checksums, which is read into memory: 16 MiB are 150 000 files.
const MAX_SUMS_BYTES: u64 = 16 << 20;

/// Why a download stopped. Files that were completed before stay, and so do partial
/// ones but where the variant says otherwise: the same call goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The catalogue has no such file: correct the request.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The URL is none: correct the base URL.
    #[error("not a usable URL ({cause}): {url}")]
    BadUrl {
        /// What is wrong with it.
        cause: String,
        /// The URL.
        url: String,
    },
    /// The server does not have the file: check the base URL (`--base-url`), which has to
    /// be the dataset's root, and whether the dataset moved.
    #[error(
        "the server has no such file (404); check that the base URL is the dataset's root: {url}"
    )]
    NotFound {
        /// The URL.
        url: String,
    },
    /// The server refuses: check access rights and proxies.
    #[error("the server answered with status {status}: {url}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The URL.
        url: String,
    },
    /// The server sends more than such a file can have (it was cut off, and nothing of it
    /// kept): use another server.
    #[error("the server sends more than {max_bytes} bytes, which no such file has: {url}")]
    TooLarge {
        /// The most that is taken.
        max_bytes: u64,
        /// The URL.
        url: String,
    },
    /// The connection failed time and again: check the network, then call again.
    #[error("failed {n_tries} times, the last time because {cause}: {url}")]
    Unreachable {
        /// Attempts made.
        n_tries: u32,
        /// Why the last one failed.
        cause: String,
        /// The URL.
        url: String,
    },
    /// What the server sends is not the published file, twice over (it was removed): use
    /// another server, or report it to the publisher.
    #[error("checksum is {found}, it should be {expected}; the file was removed: {url}")]
    Checksum {
        /// SHA-256 of what came.
        found: String,
        /// SHA-256 as published.
        expected: String,
        /// The URL.
        url: String,
    },
    /// No published checksum is known, so that nothing could be trusted: report it.
    #[error("no checksum is published for {file}, neither in the catalogue nor in: {url}")]
    NoChecksum {
        /// The file.
        file: String,
        /// The list that lacks it.
        url: String,
    },
    /// The disk is full: free some space, or choose another folder, then call again.
    #[error("no space is left on the disk: {path}")]
    DiskFull {
        /// The file being written.
        path: ShownPath,
    },
    /// A file or folder can't be read or written: check its rights, then call again.
    #[error("can't write or read: {cause}: {path}")]
    Io {
        /// What the system said.
        cause: io::Error,
        /// The file or folder.
        path: ShownPath,
    },
    /// Neither `XDG_CACHE_HOME` nor `HOME` is set: name a folder.
    #[error("no cache folder is known, as neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCacheDir,
}

impl DownloadError {
    fn from_io(cause: io::Error, path: &Path) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.into() }
            }
            _ => Self::Io { cause, path: path.into() },
        }
    }
}

/// How often broken transfers are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts per file, at least one.
    pub max_tries: u32,
    /// Pause before the second attempt; it doubles with each further one.
    pub first_pause: Duration,
}

impl Default for Retry {
    /// Five attempts, with pauses of 1, 2, 4 and 8 seconds between them.
    fn default() -> Self {
        Self { max_tries: 5, first_pause: Duration::from_secs(1) }
    }
}

/// What to download, from where, to where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The dataset.
    pub dataset: &'static Dataset,
    /// The dataset's root on the server; its own unless overridden.
    pub base_url: String,
    /// The dataset's root here, made where it does not exist.
    pub dir: PathBuf,
    /// Paths below the root.
    pub files: Vec<String>,
    /// When to give up.
    pub retry: Retry,
}

impl Plan {
    /// All of `runs` (by number, in every session; all runs where there is no list) of all
    /// of `subjects`, from the dataset's own server into `dir`.
    pub fn new(
        dataset: &'static Dataset,
        dir: PathBuf,
        subjects: &[u32],
        runs: Option<&[u32]>,
    ) -> Result<Self, CatalogError> {
        let base_url = dataset.files_url()?.to_owned();
        let mut files: Vec<String> = Vec::new();
        for &subject in subjects {
            for &run in runs.unwrap_or_default() {
                dataset.file(subject, run)?;
            }
            for file in dataset.files(subject)? {
                if runs.is_some_and(|runs| !runs.contains(&file.run)) {
                    continue;
                }
                for path in std::iter::once(file.path).chain(file.beside) {
                    if !files.contains(&path) {
                        files.push(path);
                    }
                }
            }
        }
        Ok(Self { dataset, base_url, dir, files, retry: Retry::default() })
    }
}

/// How a download stands; told several times a second while bytes arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The file's position among [`Plan::files`].
    pub file_idx: usize,
    /// Number of files.
    pub n_files: usize,
    /// The file's path in the dataset.
    pub name: &'a str,
    /// What is being done.
    pub step: Step<'a>,
}

/// What is being done with a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// It is here already, and its checksum is right.
    AlreadyHere,
    /// Bytes arrive.
    Receiving {
        /// Bytes here, those of earlier attempts included.
        n_bytes: u64,
        /// Bytes it will have, if the server says so.
        n_total_bytes: Option<u64>,
    },
    /// The transfer broke; it is tried again after a pause.
    Retrying {
        /// Attempts that failed.
        n_failed: u32,
        /// Why the last one did.
        cause: &'a str,
    },
    /// Its checksum was wrong: it is fetched again from the start.
    Refetching,
    /// It is complete, and its checksum is right.
    Done,
}

/// What a download did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files fetched.
    pub n_fetched: usize,
    /// Files that were here already.
    pub n_already_here: usize,
    /// Of both, those for which no checksum is published, so that only their length was
    /// checked, on arrival.
    pub n_unchecked: usize,
}

/// The folder where a dataset's files are kept: `$XDG_CACHE_HOME/mindloop/NAME`, or
/// `~/.cache/mindloop/NAME`.
pub fn cache_dir(dataset: &Dataset) -> Result<PathBuf, DownloadError> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    cache_dir_from(var("XDG_CACHE_HOME"), var("HOME"), dataset)
}

/// The cache folder from the two variables; a relative path counts as none, as the
/// XDG base directory specification demands.
fn cache_dir_from(
    xdg_cache_home: Option<PathBuf>,
    home: Option<PathBuf>,
    dataset: &Dataset,
) -> Result<PathBuf, DownloadError> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let root = xdg_cache_home
        .filter(absolute)
        .or_else(|| home.filter(absolute).map(|home| home.join(".cache")))
        .ok_or(DownloadError::NoCacheDir)?;
    Ok(root.join("mindloop").join(dataset.name))
}

/// Fetches the files of `plan` that are not here yet, one after the other, and checks
/// all of them. Blocks until done; `progress` is called on this thread.
pub fn download(plan: &Plan, mut progress: impl FnMut(Progress)) -> Result<Report, DownloadError> {
    let mut job = Job { plan, client: Client::new(), server_sums: None };
    let mut report = Report::default();
    let n_files = plan.files.len();
    for (file_idx, name) in plan.files.iter().enumerate() {
        let mut tell = |step: Step| progress(Progress { file_idx, n_files, name, step });
        let is_summed = job.is_summed();
        let is_new = if is_summed {
            job.obtain(name, &mut tell)
        } else {
            job.obtain_unsummed(name, &mut tell)
        };
        report.n_unchecked += usize::from(!is_summed);
        if is_new? {
            report.n_fetched += 1;
        } else {
            report.n_already_here += 1;
        }
    }
    Ok(report)
}

/// Tells the caller how a file stands.
type Tell<'a> = &'a mut dyn FnMut(Step);

/// A download under way.
struct Job<'a> {
    plan: &'a Plan,
    client: Client,
    /// The server's list of checksums, once it was needed.
    server_sums: Option<String>,
}

impl Job<'_> {
    /// Whether checksums of the dataset are published.
    fn is_summed(&self) -> bool {
        matches!(self.plan.dataset.access, Access::Files { sums: Sums::Published(_), .. })
    }

    /// Makes sure that a file without a published checksum is here; whether it had to be
    /// fetched. It has its name only once as many bytes came as the server announced. Like
    /// others it goes on where an earlier call ended: nothing would tell if the server's
    /// version had changed since.
    fn obtain_unsummed(&self, name: &str, tell: Tell) -> Result<bool, DownloadError> {
        let path = self.plan.dir.join(name);
        if path.is_file() {
            tell(Step::AlreadyHere);
            return Ok(false);
        }
        let part = part_of(&path);
        self.fetch(&self.url(name), &part, MAX_FILE_BYTES, tell)?;
        fs::rename(&part, &path).map_err(|cause| DownloadError::from_io(cause, &path))?;
        tell(Step::Done);
        Ok(true)
    }

    /// Makes sure that a file is here; whether it had to be fetched.
    fn obtain(&mut self, name: &str, tell: Tell) -> Result<bool, DownloadError> {
        let path = self.plan.dir.join(name);
        let expected = self.expected_sum(name)?;
        if path.is_file() && sum_of(&path)? == expected {
            tell(Step::AlreadyHere);
            return Ok(false);
        }
        let url = self.url(name);
        let part = part_of(&path);
        // A partial file may be whole: the rename alone was missing.
        if !part.is_file() || sum_of(&part)? != expected {
            self.fetch(&url, &part, MAX_FILE_BYTES, tell)?;
        }
        let mut found = sum_of(&part)?;
        if found != expected {
            remove(&part)?;
            tell(Step::Refetching);
            self.fetch(&url, &part, MAX_FILE_BYTES, tell)?;
            found = sum_of(&part)?;
        }
        if found != expected {
            remove(&part)?;
            return Err(DownloadError::Checksum { found, expected, url });
        }
        fs::rename(&part, &path).map_err(|cause| DownloadError::from_io(cause, &path))?;
        tell(Step::Done);
        Ok(true)
    }

    /// Fetches a file of at most `max_bytes` into `part`, going on where an earlier
    /// attempt ended.
    fn fetch(
        &self,
        url: &str,
        part: &Path,
        max_bytes: u64,
        tell: Tell,
    ) -> Result<(), DownloadError> {
        if let Some(parent) = part.parent() {
            let io = |cause| DownloadError::from_io(cause, parent);
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut pause = self.plan.retry.first_pause;
        let mut n_tries = 0;
        loop {
            let cause = match self.client.transfer(url, part, max_bytes, tell)? {
                Transfer::Complete => return Ok(()),
                Transfer::Broken(cause) => cause,
            };
            n_tries += 1;
            if n_tries >= self.plan.retry.max_tries {
                return Err(DownloadError::Unreachable { n_tries, cause, url: url.to_owned() });
            }
            tell(Step::Retrying { n_failed: n_tries, cause: &cause });
            thread::sleep(pause);
            pause = pause.saturating_mul(2);
        }
    }

    /// The published SHA-256 of a file: the catalogue's, else the server's.
    fn expected_sum(&mut self, name: &str) -> Result<String, DownloadError> {
        if let Some(sum) = self.plan.dataset.checksum(name) {
            return Ok(sum.to_owned());
        }
        let url = self.url(SUMS_NAME);
        let sums = match self.server_sums.take() {
            Some(sums) => sums,
            None => self.fetch_sums(&url)?,
        };
        let sum = checksum_in(&sums, name).map(str::to_ascii_lowercase);
        self.server_sums = Some(sums);
        sum.ok_or_else(|| DownloadError::NoChecksum { file: name.to_owned(), url })
    }

    /// The server's list of checksums. It is fetched anew each time: it is small, and
    /// a stale one would condemn sound files.
    fn fetch_sums(&self, url: &str) -> Result<String, DownloadError> {
        let part = part_of(&self.plan.dir.join(SUMS_NAME));
        if part.exists() {
            remove(&part)?;
        }
        self.fetch(url, &part, MAX_SUMS_BYTES, &mut |_| ())?;
        let bytes = fs::read(&part).map_err(|cause| DownloadError::from_io(cause, &part))?;
        remove(&part)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{}", self.plan.base_url.trim_end_matches('/'), percent_encoded(name))
    }
}

/// A path as part of a URL: every byte that is not allowed there as it is, escaped.
fn percent_encoded(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push_str(&checksum_text(&[byte]).to_ascii_uppercase());
        }
    }
    url
}

/// The name of a file while it is incomplete.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), DownloadError> {
    fs::remove_file(path).map_err(|cause| DownloadError::from_io(cause, path))
}

/// The SHA-256 of a file, in lower-case hexadecimal.
fn sum_of(path: &Path) -> Result<String, DownloadError> {
    let io = |cause| DownloadError::from_io(cause, path);
    let mut file = File::open(path).map_err(io)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(io)? {
            0 => break,
            n => digest.update(&block[..n]),
        }
    }
    Ok(checksum_text(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_xdg() {
        let dataset = Dataset::find("physionet-mi").unwrap();
        let dir = |xdg: Option<&str>, home: Option<&str>| {
            cache_dir_from(xdg.map(PathBuf::from), home.map(PathBuf::from), dataset).ok()
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(dir(Some("/c"), Some("/h")), path("/c/mindloop/physionet-mi"));
        assert_eq!(dir(Some("relative"), Some("/h")), path("/h/.cache/mindloop/physionet-mi"));
        assert_eq!(dir(None, Some("/h")), path("/h/.cache/mindloop/physionet-mi"));
        assert_eq!(dir(None, Some("")), None);
    }

    #[test]
    fn urls_are_escaped() {
        assert_eq!(percent_encoded("s01/S001R01.edf"), "s01/S001R01.edf");
        assert_eq!(percent_encoded("a-[1.2] ä"), "a-%5B1.2%5D%20%C3%A4");
    }

    #[test]
    fn a_full_disk_is_called_that() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = DownloadError::from_io(full, Path::new("/data/S001R04.edf.part"));
        assert!(matches!(error, DownloadError::DiskFull { .. }));
        assert_eq!(error.to_string(), "no space is left on the disk: /data/S001R04.edf.part");
    }
}
