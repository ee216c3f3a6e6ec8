//! Recordings in files: one trait, one module per format.
//!
//! [`Reader`] exists because `info`, `replay`, `serve` and `evaluate` ask the same
//! things of every format: what is in the file, its frames in bounded memory, and
//! what was wrong with it. [`open`] is the only place that chooses a format.
//!
//! It is *not* a converter: nothing is filtered, resampled or repaired.

pub mod csv;
pub mod edf;
pub mod fif;
pub mod mat;
mod stream;
mod summary;
mod text_lines;
pub mod ts;

pub use summary::{AnnotationCount, RecordingSummary, StreamSummary};

use acquisition::signal::{Chunk, Finding, Gap, Recording};
use acquisition::source::{Feed, SourceError};
use acquisition::text::printable;
use ndarray::Array2;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Frames moved at once by [`read_recording`].
const BLOCK_FRAMES: usize = 1024;

/// Why a file can't be read. A file that is merely damaged is read, and the damage
/// reported as [`Finding`]s; these are the cases where nothing sound is left.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused: check that the file exists and may be read, then retry.
    #[error("can't read: {cause}: {path}")]
    Io {
        /// What the system said.
        cause: std::io::Error,
        /// The file.
        path: ShownPath,
    },
    /// No known format begins like this: convert the file to EDF, or pick another one.
    #[error(
        "not a recording in a known format (EDF, EDF+, BDF, FIF, CSV with time stamps), it begins with {begins:?}: {path}"
    )]
    UnknownFormat {
        /// The first bytes, escaped.
        begins: String,
        /// The file.
        path: ShownPath,
    },
    /// A header field that everything else depends on makes no sense: get the file again.
    #[error("header field {field} {problem}: {path}")]
    BadHeader {
        /// The field's name in the format's specification.
        field: String,
        /// What is wrong with it.
        problem: String,
        /// The file.
        path: ShownPath,
    },
    /// The file ends before its first complete data record: get the file again.
    #[error("file ends too early, {needed} bytes are needed for {part} and it has {len}: {path}")]
    Truncated {
        /// The part that does not fit.
        part: &'static str,
        /// Bytes up to the end of that part.
        needed: u64,
        /// Bytes in the file.
        len: u64,
        /// The file.
        path: ShownPath,
    },
    /// A transfer in text mode put a carriage return before every line feed, so that
    /// all samples after the first are displaced: copy the original again, in binary.
    #[error(
        "line endings were converted: a carriage return stands before each of {n_line_feeds} line feeds, no sample after byte {first_at} is sound; copy the file again in binary mode: {path}"
    )]
    LineEndings {
        /// Line feeds seen, all of them after a carriage return.
        n_line_feeds: u64,
        /// Offset of the first of them.
        first_at: u64,
        /// The file.
        path: ShownPath,
    },
    /// A header and nothing else, because the recording was never started: use another file.
    #[error("holds no samples (a header without data records): {path}")]
    NoData {
        /// The file.
        path: ShownPath,
    },
    /// Annotations without a signal: open the recording they belong to.
    #[error("holds annotations only, no signal: {path}")]
    NoSignals {
        /// The file.
        path: ShownPath,
    },
    /// The format is known, and not read here: do what `remedy` says.
    #[error("{format} is not read here: {remedy}: {path}")]
    Unsupported {
        /// The format's name.
        format: &'static str,
        /// What can be done.
        remedy: &'static str,
        /// The file.
        path: ShownPath,
    },
    /// The file has fewer streams: ask for one that [`RecordingSummary::streams`] lists.
    #[error("stream {asked} does not exist, there are {n_streams} (counted from 0): {path}")]
    NoSuchStream {
        /// The index asked for.
        asked: usize,
        /// How many there are.
        n_streams: usize,
        /// The file.
        path: ShownPath,
    },
}

/// A path whose `Display` is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPath(pub PathBuf);

impl fmt::Display for ShownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0.to_string_lossy()))
    }
}

impl From<&Path> for ShownPath {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

/// A recording in a file, read frame by frame in bounded memory.
///
/// As a [`Feed`] it hands out one stream, the file's main one unless another was
/// asked for. Chunks never span a gap; markers that lie behind the last frame come
/// with the call that returns `false`.
pub trait Reader: Feed {
    /// What is in the file: all its streams, annotations, gaps and findings.
    fn summary(&self) -> &RecordingSummary;

    /// Frames the stream holds; those missing in gaps are not counted.
    fn n_samples(&self) -> u64;

    /// Stretches of this stream without frames, in order.
    fn gaps(&self) -> &[Gap];

    /// What was wrong with the file, if anything.
    fn findings(&self) -> &[Finding] {
        &self.summary().findings
    }
}

/// Opens the main stream of a recording: the one with most brain channels. The
/// format is told by the file's first bytes, never by its name.
pub fn open(path: &Path) -> Result<Box<dyn Reader>, ReadError> {
    match sniff(path)? {
        Format::Edf => Ok(Box::new(edf::EdfReader::open(path)?)),
        Format::Fif => Ok(Box::new(fif::FifReader::open(path)?)),
        Format::Csv => Ok(Box::new(csv::CsvReader::open(path)?)),
    }
}

/// Opens the stream with index `stream_idx` in [`RecordingSummary::streams`].
pub fn open_stream(path: &Path, stream_idx: usize) -> Result<Box<dyn Reader>, ReadError> {
    match sniff(path)? {
        Format::Edf => Ok(Box::new(edf::EdfReader::open_stream(path, stream_idx)?)),
        Format::Fif if stream_idx == 0 => Ok(Box::new(fif::FifReader::open(path)?)),
        Format::Csv if stream_idx == 0 => Ok(Box::new(csv::CsvReader::open(path)?)),
        Format::Fif | Format::Csv => {
            Err(ReadError::NoSuchStream { asked: stream_idx, n_streams: 1, path: path.into() })
        }
    }
}

/// What is in a file, also where it has no stream that could be opened (annotations
/// alone).
pub fn summarize(path: &Path) -> Result<RecordingSummary, ReadError> {
    match sniff(path)? {
        Format::Edf => edf::summarize(path),
        Format::Fif => fif::summarize(path),
        Format::Csv => csv::summarize(path),
    }
}

/// Reads the main stream of a recording into memory.
///
/// `samples` holds the frames that exist, `(n_channels, n_samples)` in the channels'
/// units; where [`Recording::gaps`] says that frames are missing there are no
/// columns for them. Its size is what a first pass over the file has found; a compressed
/// table may be far larger than its file.
pub fn read_recording(path: &Path) -> Result<Recording, ReadError> {
    let mut reader = open(path)?;
    let info = reader.info().clone();
    let n_samples = reader.n_samples() as usize;
    let mut samples = Array2::zeros((info.n_channels(), n_samples));
    let mut markers = Vec::new();
    let mut chunk = Chunk::new(info.n_channels(), BLOCK_FRAMES);
    let mut n_read = 0;
    while reader.read(&mut chunk, &mut markers).map_err(|e| read_error(e, path))? {
        for frame in chunk.samples().chunks_exact(info.n_channels()) {
            for (to, from) in samples.column_mut(n_read).iter_mut().zip(frame) {
                *to = *from;
            }
            n_read += 1;
        }
    }
    let (gaps, findings) = (reader.gaps().to_vec(), reader.findings().to_vec());
    Ok(Recording { info, samples, markers, gaps, findings })
}

/// The reader's own error out of what a feed has to wrap it in.
fn read_error(error: SourceError, path: &Path) -> ReadError {
    let cause = match error {
        SourceError::Read(inner) => match inner.downcast::<ReadError>() {
            Ok(own) => return *own,
            Err(other) => other.to_string(),
        },
        other => other.to_string(),
    };
    ReadError::Io { cause: std::io::Error::other(cause), path: path.into() }
}

/// The formats known.
enum Format {
    /// EDF, EDF+, BDF and BDF+.
    Edf,
    /// Raw data of Neuromag and MNE.
    Fif,
    /// Text with time stamps, compressed or not.
    Csv,
}

/// Tells the format by the first bytes.
fn sniff(path: &Path) -> Result<Format, ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let mut begins = Vec::new();
    File::open(path).map_err(io)?.take(8).read_to_end(&mut begins).map_err(io)?;
    if edf::begins_like_edf(&begins) {
        return Ok(Format::Edf);
    }
    if fif::begins_like_fif(&begins) {
        return Ok(Format::Fif);
    }
    if mat::begins_like_mat(&begins) {
        let remedy = "what its arrays mean only an entry of the catalogue can know; convert it to EDF, BDF or FIF";
        return Err(ReadError::Unsupported { format: "a MAT file", remedy, path: path.into() });
    }
    // A text says what it is in its first line, which may be compressed.
    let mut lines = text_lines::Lines::open(path).map_err(io)?;
    if lines.advance().is_ok_and(|line| line.is_some_and(|(_, l)| csv::begins_like_table(l))) {
        return Ok(Format::Csv);
    }
    Err(ReadError::UnknownFormat { begins: begins.escape_ascii().to_string(), path: path.into() })
}

/// Bytes of a text field: UTF-8 where they are UTF-8, else Latin-1.
pub(crate) fn text_from(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}
