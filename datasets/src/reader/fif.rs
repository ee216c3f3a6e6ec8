//! FIF files (Elekta Neuromag, MEGIN, MNE): raw MEG and EEG, with the events of a
//! `-eve.fif` file beside it.
//!
//! A file is a chain of tags in nested blocks ([`mod@tag`]): channels and rate in one
//! block, buffers of samples in another, each buffer frame after frame, big-endian, in
//! the device's scale. Buffers that were not written are gaps. Projections and
//! compensation are not applied: a reader reads.
//!
//! It is *not* for epochs, averages or sources, which the format also knows.
//!
//! Memory: one entry per buffer, the markers, and one block of [`BLOCK_SAMPLES`] samples.

mod channel;
mod events;
pub mod tag;

use self::channel::FifChannel;
use self::tag::{Tag, Tags, block, float, int, kind};
use super::stream::{self, Markers, is_bearable};
use super::{AnnotationCount, ReadError, Reader, RecordingSummary, StreamSummary};
use acquisition::marker::Marker;
use acquisition::signal::{Chunk, Finding, Gap, MAX_CHANNELS, StreamInfo};
use acquisition::source::{Feed, SourceError};
use acquisition::time::{MIN_RATE_HZ, SampleIndex, SampleRate};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Samples decoded at once, at most (one frame at least).
const BLOCK_SAMPLES: usize = 1 << 16;

/// Whether a file that begins like this is FIF: its first tag is the file's identity.
pub fn begins_like_fif(begins: &[u8]) -> bool {
    begins.len() >= 8 && int(begins) == Some(kind::FILE_ID) && int(&begins[4..]) == Some(31)
}

/// How stored samples are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    I16,
    I32,
    F32,
    F64,
}

impl Encoding {
    /// By the format's number; `None` for those that are no real samples.
    fn of(number: i32) -> Option<Self> {
        match number {
            // 16 is the packed form of the first acquisition systems, the same bits.
            2 | 16 => Some(Self::I16),
            3 => Some(Self::I32),
            4 => Some(Self::F32),
            5 => Some(Self::F64),
            _ => None,
        }
    }

    fn n_bytes(self) -> usize {
        match self {
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn decode(self, bytes: &[u8]) -> f64 {
        match (self, bytes) {
            (Self::I16, [a, b]) => f64::from(i16::from_be_bytes([*a, *b])),
            (Self::I32, [a, b, c, d]) => f64::from(i32::from_be_bytes([*a, *b, *c, *d])),
            (Self::F32, [a, b, c, d]) => f64::from(f32::from_be_bytes([*a, *b, *c, *d])),
            (Self::F64, eight) => eight.first_chunk().map_or(f64::NAN, |b| f64::from_be_bytes(*b)),
            _ => f64::NAN,
        }
    }
}

/// A buffer of consecutive frames.
#[derive(Clone, Copy, Debug)]
struct Buffer {
    data_at: u64,
    encoding: Encoding,
    n_frames: u64,
    /// Index of its first frame.
    first: u64,
}

/// A FIF recording.
#[derive(Debug)]
pub struct FifReader {
    path: PathBuf,
    file: BufReader<File>,
    info: StreamInfo,
    summary: RecordingSummary,
    scales: Vec<f64>,
    buffers: Vec<Buffer>,
    markers: Markers,
    /// Position of the next frame: its buffer, and its place there.
    buffer: usize,
    frame: u64,
    /// Decoded frames; those before `block_at` were handed out.
    block: Vec<f32>,
    block_at: usize,
    bytes: Vec<u8>,
}

impl FifReader {
    /// Opens a raw recording, and its events where `NAME-eve.fif` stands beside it.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Contents::read(path)?.reader(path))
    }

    /// Index of the next frame.
    fn next_index(&self) -> SampleIndex {
        let end = || self.buffers.last().map_or(0, |b| b.first + b.n_frames);
        SampleIndex(self.buffers.get(self.buffer).map_or_else(end, |b| b.first + self.frame))
    }

    /// Decodes the next frames of the current buffer.
    fn load_block(&mut self) -> std::io::Result<()> {
        let buffer = self.buffers[self.buffer];
        let n_channels = self.scales.len();
        let most = (BLOCK_SAMPLES / n_channels).max(1) as u64;
        let n_frames = (buffer.n_frames - self.frame).min(most) as usize;
        let frame_bytes = n_channels * buffer.encoding.n_bytes();
        self.block.clear();
        self.block_at = 0;
        self.file.seek(SeekFrom::Start(buffer.data_at + self.frame * frame_bytes as u64))?;
        self.bytes.resize(n_frames * frame_bytes, 0);
        self.file.read_exact(&mut self.bytes)?;
        let values = self.bytes.chunks_exact(buffer.encoding.n_bytes());
        let scaled = values.zip(self.scales.iter().cycle());
        self.block.extend(scaled.map(|(b, scale)| (buffer.encoding.decode(b) * scale) as f32));
        Ok(())
    }

    /// Moves on by `n` frames that were handed out.
    fn advance(&mut self, n: usize) {
        self.block_at += n * self.scales.len();
        self.frame += n as u64;
        if self.frame == self.buffers[self.buffer].n_frames {
            self.buffer += 1;
            self.frame = 0;
        }
    }
}

impl Feed for FifReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Allocation: none once the first block was read, but for what `markers` needs.
    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        chunk.restart(self.next_index());
        while chunk.room() > 0
            && self.buffer < self.buffers.len()
            && self.next_index() == chunk.end()
        {
            if self.block_at == self.block.len() {
                self.load_block().map_err(|cause| stream::failed(cause, &self.path))?;
            }
            let n_channels = self.scales.len();
            let n = chunk.room().min((self.block.len() - self.block_at) / n_channels);
            chunk.extend(&self.block[self.block_at..self.block_at + n * n_channels]);
            self.advance(n);
        }
        self.markers.give(&self.info, chunk, markers);
        Ok(!chunk.is_empty())
    }
}

impl Reader for FifReader {
    fn summary(&self) -> &RecordingSummary {
        &self.summary
    }

    fn n_samples(&self) -> u64 {
        self.summary.streams[0].n_samples
    }

    fn gaps(&self) -> &[Gap] {
        &self.summary.streams[0].gaps
    }
}

/// What is in a FIF recording.
pub fn summarize(path: &Path) -> Result<RecordingSummary, ReadError> {
    Ok(Contents::read(path)?.summary)
}

/// A file's contents but for its samples.
struct Contents {
    file: BufReader<File>,
    scales: Vec<f64>,
    buffers: Vec<Buffer>,
    markers: Vec<Marker>,
    summary: RecordingSummary,
}

/// What the walk along the tags has found.
#[derive(Default)]
struct Found {
    n_channels: Option<i32>,
    rate_hz: Option<f32>,
    start_secs: Option<i32>,
    channels: Vec<FifChannel>,
    /// Blocks the walk is in.
    blocks: Vec<i32>,
    is_raw: bool,
    first_sample: i64,
    /// Gaps by sample index, and what was skipped but not yet turned into frames.
    gaps: Vec<Gap>,
    n_missing: u64,
    skipped_buffers: u64,
    skipped_samples: u64,
    buffers: Vec<Buffer>,
    end: u64,
    findings: Vec<Finding>,
}

impl Contents {
    fn read(path: &Path) -> Result<Self, ReadError> {
        let io = |cause| ReadError::Io { cause, path: path.into() };
        let mut tags = Tags::open(path)?;
        let mut found = Found::default();
        while let Some(tag) = tags.advance().map_err(io)? {
            found.take(&mut tags, &tag, path)?;
        }
        if let Some(why) = tags.broken() {
            let what = format!("{why}; what stands before it is kept");
            found.findings.push(Finding { place: "chain of tags".to_owned(), what });
        }
        found.check(path)?;
        let rate = found.rate(path)?;
        let mut markers = Vec::new();
        if let Some(beside) = events::path_beside(path).filter(|beside| beside.is_file()) {
            let first = found.first_sample;
            markers = events::read(&beside, first, rate.hz(), &mut found.findings)?;
        }
        let scales = found.channels.iter().map(|c| c.scale).collect();
        let summary = found.summary(rate, &markers);
        Ok(Self { file: tags.into_file(), scales, buffers: found.buffers, markers, summary })
    }

    fn reader(self, path: &Path) -> FifReader {
        let info = stream::info(path, &self.summary.streams[0]);
        FifReader {
            path: path.to_owned(),
            file: self.file,
            info,
            summary: self.summary,
            scales: self.scales,
            buffers: self.buffers,
            markers: Markers::new(self.markers),
            buffer: 0,
            frame: 0,
            block: Vec::new(),
            block_at: 0,
            bytes: Vec::new(),
        }
    }
}

impl Found {
    /// Takes the next tag of the chain.
    fn take(&mut self, tags: &mut Tags, tag: &Tag, path: &Path) -> Result<(), ReadError> {
        let io = |cause| ReadError::Io { cause, path: path.into() };
        match tag.kind {
            kind::BLOCK_START => {
                let block = int(&tags.data(tag).map_err(io)?).unwrap_or_default();
                self.enter(block);
            }
            kind::BLOCK_END => {
                self.blocks.pop();
            }
            kind::DATA_BUFFER if self.is_raw => self.take_buffer(tag, path)?,
            kind::FIRST_SAMPLE
            | kind::DATA_SKIP
            | kind::DATA_SKIP_SAMPLES
            | kind::REF_FILE_NAME
                if self.is_raw =>
            {
                let data = tags.data(tag).map_err(io)?;
                self.take_note(tag.kind, &data);
            }
            kind::N_CHANNELS | kind::SFREQ | kind::MEAS_DATE | kind::CH_INFO
                if self.blocks.last() == Some(&block::MEAS_INFO) =>
            {
                let data = tags.data(tag).map_err(io)?;
                self.take_info(tag.kind, &data, path)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, block: i32) {
        self.blocks.push(block);
        if block == block::SHIELDED_RAW_DATA {
            let what = "recorded with active shielding and not compensated since".to_owned();
            self.findings.push(Finding { place: "raw data".to_owned(), what });
        }
        self.is_raw |= block::RAW_DATA.contains(&block) || block == block::SHIELDED_RAW_DATA;
    }

    /// A field of the block that describes the measurement.
    fn take_info(&mut self, kind: i32, data: &[u8], path: &Path) -> Result<(), ReadError> {
        match kind {
            kind::N_CHANNELS => self.n_channels = int(data),
            kind::SFREQ => self.rate_hz = float(data),
            kind::MEAS_DATE => self.start_secs = int(data),
            _ => {
                if !self.buffers.is_empty() {
                    let problem = "stand behind the data".to_owned();
                    return Err(bad("channels".to_owned(), problem, path));
                }
                let channel = FifChannel::decode(data);
                if self.channels.len() == MAX_CHANNELS || channel.is_none() {
                    let problem = match channel {
                        None => format!("has {} bytes, 96 are needed", data.len()),
                        Some(_) => format!("is one of more than {MAX_CHANNELS}"),
                    };
                    return Err(bad(format!("channel {}", self.channels.len()), problem, path));
                }
                self.channels.extend(channel);
            }
        }
        Ok(())
    }

    /// Something said between the buffers.
    fn take_note(&mut self, kind: i32, data: &[u8]) {
        let count = int(data).unwrap_or_default();
        let skipped = u64::try_from(count).unwrap_or_default();
        match kind {
            kind::FIRST_SAMPLE => self.first_sample = i64::from(count),
            kind::DATA_SKIP => self.skipped_buffers += skipped,
            kind::DATA_SKIP_SAMPLES => self.skipped_samples += skipped,
            _ => {
                let name = super::text_from(data);
                let what = format!("the recording goes on in {name}, which is read by itself");
                self.findings.push(Finding { place: "raw data".to_owned(), what });
            }
        }
    }

    fn take_buffer(&mut self, tag: &Tag, path: &Path) -> Result<(), ReadError> {
        let n_channels = self.channels.len() as u64;
        let Some(encoding) = Encoding::of(tag.encoding) else {
            let problem =
                format!("has samples of type {}, which are not real numbers", tag.encoding);
            return Err(bad(format!("data buffer at byte {}", tag.data_at), problem, path));
        };
        let frame_bytes = n_channels * encoding.n_bytes() as u64;
        if frame_bytes == 0 {
            return Err(bad("channels".to_owned(), "stand behind the data".to_owned(), path));
        }
        let n_frames = tag.n_bytes / frame_bytes;
        if !tag.n_bytes.is_multiple_of(frame_bytes) {
            let place = format!("data buffer at byte {}", tag.data_at);
            let what = "ends inside a frame; its whole frames are kept".to_owned();
            self.findings.push(Finding { place, what });
        }
        self.close_skip(n_frames);
        if n_frames > 0 {
            let data_at = tag.data_at;
            self.buffers.push(Buffer { data_at, encoding, n_frames, first: self.end });
            self.end += n_frames;
        }
        Ok(())
    }

    /// Turns what was skipped before a buffer of `n_frames` into a gap, or, before the
    /// first buffer, into a later start.
    fn close_skip(&mut self, n_frames: u64) {
        let buffers = std::mem::take(&mut self.skipped_buffers).saturating_mul(n_frames);
        let n_missing = buffers.saturating_add(std::mem::take(&mut self.skipped_samples));
        if n_missing == 0 {
            return;
        }
        if self.buffers.is_empty() {
            self.first_sample = self.first_sample.saturating_add_unsigned(n_missing);
            return;
        }
        let so_far = self.n_missing.saturating_add(n_missing);
        if !is_bearable(so_far, self.rate_hz.map_or(1.0, f64::from)) {
            let place = format!("frame {}", self.end);
            let what = format!("{n_missing} frames are said to be missing; they are not counted");
            self.findings.push(Finding { place, what });
            return;
        }
        self.n_missing = so_far;
        self.gaps.push(Gap { at: SampleIndex(self.end), n_missing });
        self.end += n_missing;
    }

    fn rate(&self, path: &Path) -> Result<SampleRate, ReadError> {
        let rate_hz = f64::from(self.rate_hz.unwrap_or_default());
        let rate = SampleRate::new(rate_hz).ok().filter(|rate| rate.hz() >= MIN_RATE_HZ);
        let field = || "sampling rate".to_owned();
        rate.ok_or_else(|| bad(field(), format!("is {rate_hz} Hz"), path))
    }

    /// Whether there is anything to read.
    fn check(&mut self, path: &Path) -> Result<(), ReadError> {
        if self.channels.is_empty() {
            return Err(ReadError::NoSignals { path: path.into() });
        }
        if self.buffers.is_empty() {
            return Err(ReadError::NoData { path: path.into() });
        }
        let declared = self.n_channels.unwrap_or_default();
        if declared != self.channels.len() as i32 {
            let what = format!("{declared} are declared, {} described", self.channels.len());
            self.findings.push(Finding { place: "channels".to_owned(), what });
        }
        Ok(())
    }

    fn summary(&mut self, rate: SampleRate, markers: &[Marker]) -> RecordingSummary {
        let channels: Vec<_> = self.channels.iter().map(|c| c.info.clone()).collect();
        let n_samples = self.buffers.iter().map(|b| b.n_frames).sum();
        let gaps = std::mem::take(&mut self.gaps);
        let stream = StreamSummary { rate_hz: rate, n_samples, channels, gaps };
        RecordingSummary {
            format: "FIF".to_owned(),
            start: self.start_secs.map_or_else(String::new, |s| format!("{s} s after 1970")),
            duration_secs: self.end as f64 / rate.hz(),
            streams: vec![stream],
            main_stream_idx: Some(0),
            n_annotations: markers.len(),
            annotations: AnnotationCount::of(markers),
            findings: std::mem::take(&mut self.findings),
        }
    }
}

fn bad(field: String, problem: String, path: &Path) -> ReadError {
    ReadError::BadHeader { field, problem, path: path.into() }
}
