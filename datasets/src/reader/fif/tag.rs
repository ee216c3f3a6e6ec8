//! Tags: what a FIF file is a chain of. Each has a kind, a type, a size and the place of
//! the next one, all big-endian, and then its data.

use crate::reader::ReadError;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

/// Bytes before a tag's data.
pub const HEAD_BYTES: u64 = 16;
/// Largest data of a tag that is no data buffer: far above any header field.
const MAX_FIELD_BYTES: usize = 16 << 20;

/// Kinds of tags, as the Neuromag format numbers them.
pub mod kind {
    /// Identity of the file: its first tag.
    pub const FILE_ID: i32 = 100;
    /// A block begins; its kind is the data.
    pub const BLOCK_START: i32 = 104;
    /// A block ends.
    pub const BLOCK_END: i32 = 105;
    /// Name of the file a reference block points to.
    pub const REF_FILE_NAME: i32 = 118;
    /// Number of channels.
    pub const N_CHANNELS: i32 = 200;
    /// Sampling rate.
    pub const SFREQ: i32 = 201;
    /// One channel.
    pub const CH_INFO: i32 = 203;
    /// When it was recorded.
    pub const MEAS_DATE: i32 = 204;
    /// Number of the first sample since the acquisition began.
    pub const FIRST_SAMPLE: i32 = 208;
    /// Samples.
    pub const DATA_BUFFER: i32 = 300;
    /// Buffers that were not written.
    pub const DATA_SKIP: i32 = 301;
    /// Samples that were not written.
    pub const DATA_SKIP_SAMPLES: i32 = 303;
    /// Events: sample, value before, value after, and so on.
    pub const EVENT_LIST: i32 = 3561;
}

/// Kinds of blocks.
pub mod block {
    /// Samples as recorded or processed.
    pub const RAW_DATA: [i32; 2] = [102, 112];
    /// Samples recorded with active shielding and not yet compensated.
    pub const SHIELDED_RAW_DATA: i32 = 119;
    /// Channels and rate.
    pub const MEAS_INFO: i32 = 101;
}

/// A tag, its data not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What it means.
    pub kind: i32,
    /// How its data is encoded.
    pub encoding: i32,
    /// Bytes of data.
    pub n_bytes: u64,
    /// Place of its data in the file.
    pub data_at: u64,
}

/// Walks along the tags of a file, in the order of the chain, forward only: a chain that
/// turns back would have no end.
pub struct Tags {
    file: BufReader<File>,
    len: u64,
    next_at: Option<u64>,
    /// Why the chain broke off, if it did.
    broken: Option<String>,
}

impl Tags {
    /// From the first tag on.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let io = |cause| ReadError::Io { cause, path: path.into() };
        let file = File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(Self { file, len, next_at: Some(0), broken: None })
    }

    /// The next tag; `None` behind the last, and where the chain is broken.
    pub fn advance(&mut self) -> std::io::Result<Option<Tag>> {
        let Some(at) = self.next_at.filter(|at| *at != self.len) else { return Ok(None) };
        if at + HEAD_BYTES > self.len {
            self.broken = Some(format!("the file ends before or inside the tag at byte {at}"));
            return Ok(None);
        }
        self.go_to(at)?;
        let mut head = [0; HEAD_BYTES as usize];
        self.file.read_exact(&mut head)?;
        let [kind, encoding, size, next] = words(&head);
        let data_at = at + HEAD_BYTES;
        let n_bytes = u64::try_from(size).unwrap_or(u64::MAX);
        let there = self.len - data_at;
        if n_bytes > there {
            self.next_at = None;
            self.broken = Some(format!(
                "the tag at byte {at} claims {size} bytes, the file has {there} behind it"
            ));
            // Frames before the cut are sound; half a header field is not.
            let cut = Tag { kind, encoding, n_bytes: there, data_at };
            return Ok((kind == kind::DATA_BUFFER && size > 0).then_some(cut));
        }
        self.next_at = match next {
            0 => Some(data_at + n_bytes),
            -1 => None,
            // A tag inside another one would be read again and again.
            _ => u64::try_from(next).ok().filter(|next| *next >= data_at + n_bytes),
        };
        if self.next_at.is_none() && next != -1 {
            self.broken =
                Some(format!("the tag at byte {at} points back, or into itself, to byte {next}"));
        }
        Ok(Some(Tag { kind, encoding, n_bytes, data_at }))
    }

    /// The data of a header tag.
    pub fn data(&mut self, tag: &Tag) -> std::io::Result<Vec<u8>> {
        let mut data = vec![0; (tag.n_bytes as usize).min(MAX_FIELD_BYTES)];
        self.go_to(tag.data_at)?;
        self.file.read_exact(&mut data)?;
        Ok(data)
    }

    /// Moves on, and keeps what is buffered where it can.
    fn go_to(&mut self, at: u64) -> std::io::Result<()> {
        let here = self.file.stream_position()?;
        self.file.seek_relative(at as i64 - here as i64)
    }

    /// Why the chain broke off before its end, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The file, for reading samples.
    pub fn into_file(self) -> BufReader<File> {
        self.file
    }
}

fn words(head: &[u8; 16]) -> [i32; 4] {
    let (words, _) = head.as_chunks::<4>();
    std::array::from_fn(|k| i32::from_be_bytes(words[k]))
}

/// The first `i32` of `data`.
pub fn int(data: &[u8]) -> Option<i32> {
    data.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes))
}

/// The first `f32` of `data`.
pub fn float(data: &[u8]) -> Option<f32> {
    data.first_chunk::<4>().map(|bytes| f32::from_be_bytes(*bytes))
}
