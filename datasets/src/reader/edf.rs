//! EDF, EDF+ and BDF files (Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7; Kemp
//! and Olivan 2003, doi:10.1016/S1388-2457(03)00123-8; `BioSemi`'s 24-bit variant).
//!
//! A file is a header and data records of equal duration; a record holds, signal
//! after signal, that duration's samples. Signals of one rate make one stream. In
//! an `EDF+D` file a record may begin later than its predecessor ends: the sample
//! index then jumps, by [`stream::MAX_MISSING_SECS`] in all at most.
//!
//! Memory: the header, the markers ([`stream::MAX_MARKERS`] at most), the gaps, and one
//! block of [`BLOCK_SAMPLES`] samples, however long a record is.

mod annotations;
pub mod channel;
pub mod header;
pub mod scan;

use self::header::{Header, Scale, Signal};
use self::scan::{Break, Scan};
use super::stream::{self, Markers};
use super::{AnnotationCount, ReadError, Reader, RecordingSummary, StreamSummary};
use acquisition::marker::Marker;
use acquisition::signal::{ChannelInfo, Chunk, Finding, Gap, StreamInfo};
use acquisition::source::{Feed, SourceError};
use acquisition::time::{MIN_RATE_HZ, SampleIndex, SampleRate};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Samples decoded at once, at most (one frame at least).
const BLOCK_SAMPLES: usize = 1 << 16;

/// Line feeds without a bare one among them from which on line endings are taken to
/// have been converted: by chance this happens once in 256^16 files.
const MIN_LINE_FEEDS: u64 = 16;

/// Whether a file that begins like this is EDF or BDF.
pub fn begins_like_edf(begins: &[u8]) -> bool {
    matches!(begins, b"\xffBIOSEMI" | b"0       " | b"0\0\0\0\0\0\0\0")
}

/// One stream of an EDF or BDF file.
#[derive(Debug)]
pub struct EdfReader {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    info: StreamInfo,
    summary: RecordingSummary,
    /// The stream's signals, in frame order.
    signals: Vec<Signal>,
    n_per_record: usize,
    segments: Segments,
    markers: Markers,
    /// Position of the next frame: its record, and its place there.
    record: u64,
    frame: usize,
    /// Decoded frames, one after the other; those before `block_at` were handed out.
    block: Vec<f32>,
    block_at: usize,
    bytes: Vec<u8>,
}

impl EdfReader {
    /// Opens the stream with most brain channels. One slower than [`MIN_RATE_HZ`] is
    /// refused: played in its own time, it would look dead.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let contents = Contents::read(path)?;
        let main = contents.summary.main_stream_idx;
        let stream_idx = main.ok_or_else(|| ReadError::NoSignals { path: path.into() })?;
        let rate_hz = contents.summary.streams[stream_idx].rate_hz.hz();
        if rate_hz < MIN_RATE_HZ {
            let problem = format!(
                "is {} s: it makes the main stream's rate {rate_hz:.1e} Hz, at least {MIN_RATE_HZ} Hz can be used",
                contents.header.record_secs
            );
            let field = "duration of a data record".to_owned();
            return Err(ReadError::BadHeader { field, problem, path: path.into() });
        }
        Ok(contents.reader(path, stream_idx))
    }

    /// Opens the stream with index `stream_idx` in [`RecordingSummary::streams`].
    pub fn open_stream(path: &Path, stream_idx: usize) -> Result<Self, ReadError> {
        let contents = Contents::read(path)?;
        let n_streams = contents.summary.streams.len();
        if stream_idx >= n_streams {
            let path = path.into();
            return Err(ReadError::NoSuchStream { asked: stream_idx, n_streams, path });
        }
        Ok(contents.reader(path, stream_idx))
    }

    /// Index of the next frame.
    fn next_index(&self) -> SampleIndex {
        SampleIndex(self.segments.index_of(self.record) + self.frame as u64)
    }

    /// Frames a block may hold.
    fn block_frames(&self) -> usize {
        (BLOCK_SAMPLES / self.signals.len()).max(1)
    }

    /// Decodes the next block: frames of one record, from the next frame on.
    fn load_block(&mut self) -> std::io::Result<()> {
        let n_frames = self.block_frames().min(self.n_per_record - self.frame);
        let n_channels = self.signals.len();
        let width = self.header.width.n_bytes();
        let record_at = self.header.data_start + self.record * self.header.record_bytes;
        // Failing half-way leaves no block, so that a retry begins at the same frame.
        self.block.clear();
        self.block_at = 0;
        let mut at = self.file.stream_position()?;
        self.bytes.resize(n_frames * width, 0);
        let mut block = std::mem::take(&mut self.block);
        block.resize(n_frames * n_channels, 0.0);
        for (c, signal) in self.signals.iter().enumerate() {
            let strip_at = record_at + signal.offset_bytes + (self.frame * width) as u64;
            self.file.seek_relative(strip_at as i64 - at as i64)?;
            self.file.read_exact(&mut self.bytes)?;
            at = strip_at + self.bytes.len() as u64;
            decode(&self.bytes, width, &signal.scale, block[c..].iter_mut().step_by(n_channels));
        }
        self.block = block;
        Ok(())
    }

    /// Moves on by `n` frames that were handed out.
    fn advance(&mut self, n: usize) {
        self.block_at += n * self.signals.len();
        self.frame += n;
        if self.frame == self.n_per_record {
            self.record += 1;
            self.frame = 0;
        }
    }
}

impl Feed for EdfReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Allocation: none once the first block was read, but for what `markers` needs.
    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        chunk.restart(self.next_index());
        while chunk.room() > 0
            && self.record < self.header.n_records
            && self.next_index() == chunk.end()
        {
            if self.block_at == self.block.len() {
                self.load_block().map_err(|cause| stream::failed(cause, &self.path))?;
            }
            let n_channels = self.signals.len();
            let n = chunk.room().min((self.block.len() - self.block_at) / n_channels);
            chunk.extend(&self.block[self.block_at..self.block_at + n * n_channels]);
            self.advance(n);
        }
        self.markers.give(&self.info, chunk, markers);
        Ok(!chunk.is_empty())
    }
}

impl Reader for EdfReader {
    fn summary(&self) -> &RecordingSummary {
        &self.summary
    }

    fn n_samples(&self) -> u64 {
        self.header.n_records * self.n_per_record as u64
    }

    fn gaps(&self) -> &[Gap] {
        &self.segments.gaps
    }
}

/// What is in an EDF or BDF file.
pub fn summarize(path: &Path) -> Result<RecordingSummary, ReadError> {
    Ok(Contents::read(path)?.summary)
}

/// Decodes little-endian two's complement samples of `width` bytes.
fn decode<'a>(bytes: &[u8], width: usize, scale: &Scale, into: impl Iterator<Item = &'a mut f32>) {
    for (sample, value) in bytes.chunks_exact(width).zip(into) {
        let digital = match *sample {
            [low, high] => i32::from(i16::from_le_bytes([low, high])),
            // The sign is carried down from the top byte.
            [low, middle, high] => i32::from_le_bytes([0, low, middle, high]) >> 8,
            _ => unreachable!("samples have two or three bytes"),
        };
        *value = scale.physical(digital);
    }
}

/// Where a stream's records begin, as sample indices.
#[derive(Clone, Debug)]
struct Segments {
    n_per_record: u64,
    /// Records after a gap, and the index of their first frame; begins with (0, 0).
    starts: Vec<(u64, u64)>,
    gaps: Vec<Gap>,
}

impl Segments {
    fn new(breaks: &[Break], rate: SampleRate, n_per_record: usize) -> Self {
        let n_per_record = n_per_record as u64;
        let mut segments = Self { n_per_record, starts: vec![(0, 0)], gaps: Vec::new() };
        for at in breaks {
            let expected = segments.index_of(at.record);
            let index = rate.samples(at.onset_secs).max(0) as u64;
            if index > expected {
                segments.starts.push((at.record, index));
                let n_missing = index - expected;
                segments.gaps.push(Gap { at: SampleIndex(expected), n_missing });
            }
        }
        segments
    }

    /// Index of a record's first frame.
    fn index_of(&self, record: u64) -> u64 {
        let after = self.starts.partition_point(|&(first, _)| first <= record);
        let (first, index) = self.starts[after - 1];
        index + (record - first) * self.n_per_record
    }
}

/// A file's contents but for its samples.
struct Contents {
    file: File,
    header: Header,
    scan: Scan,
    summary: RecordingSummary,
}

impl Contents {
    fn read(path: &Path) -> Result<Self, ReadError> {
        let io = |cause| ReadError::Io { cause, path: path.into() };
        let mut file = File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        let mut findings = Vec::new();
        let header = Header::read(&mut file, len, path, &mut findings)?;
        if header.size_is_off {
            check_line_endings(&mut file, header.data_start, path)?;
        }
        let scan = scan::scan(&mut file, &header, path, &mut findings)?;
        let summary = summary(&header, &scan, findings);
        Ok(Self { file, header, scan, summary })
    }

    fn reader(self, path: &Path, stream_idx: usize) -> EdfReader {
        let Self { file, header, scan, summary } = self;
        let n_per_record = rates(&header.signals)[stream_idx];
        let signals: Vec<Signal> =
            header.signals.iter().filter(|s| s.n_per_record == n_per_record).cloned().collect();
        let rate = summary.streams[stream_idx].rate_hz;
        let segments = Segments::new(&scan.breaks, rate, n_per_record);
        let info = stream::info(path, &summary.streams[stream_idx]);
        EdfReader {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 16, file),
            header,
            info,
            summary,
            signals,
            n_per_record,
            segments,
            markers: Markers::new(scan.markers),
            record: 0,
            frame: 0,
            block: Vec::new(),
            block_at: 0,
            bytes: Vec::new(),
        }
    }
}

/// The numbers of samples per record that occur, in the order in which they do.
fn rates(signals: &[Signal]) -> Vec<usize> {
    let mut rates = Vec::new();
    for signal in signals {
        if !rates.contains(&signal.n_per_record) {
            rates.push(signal.n_per_record);
        }
    }
    rates
}

/// Describes the contents.
fn summary(header: &Header, scan: &Scan, findings: Vec<Finding>) -> RecordingSummary {
    let mut streams = Vec::new();
    for n_per_record in rates(&header.signals) {
        let rate = SampleRate::new(n_per_record as f64 / header.record_secs)
            .expect("the header accepts no duration from which a rate does not follow");
        let of_rate = header.signals.iter().filter(|s| s.n_per_record == n_per_record);
        let channels: Vec<ChannelInfo> = of_rate.map(|s| s.channel.clone()).collect();
        streams.push(StreamSummary {
            rate_hz: rate,
            n_samples: header.n_records * n_per_record as u64,
            channels,
            gaps: Segments::new(&scan.breaks, rate, n_per_record).gaps,
        });
    }
    let n_brain = |s: &StreamSummary| s.channels.iter().filter(|c| c.kind.is_brain()).count();
    let main_stream_idx =
        (0..streams.len()).rev().max_by_key(|&i| (n_brain(&streams[i]), streams[i].channels.len()));
    let last = scan.breaks.last().copied().unwrap_or(Break { record: 0, onset_secs: 0.0 });
    let n_after = (header.n_records - last.record) as f64;
    RecordingSummary {
        format: header.format(),
        start: header.start.clone(),
        duration_secs: last.onset_secs + n_after * header.record_secs,
        streams,
        main_stream_idx,
        n_annotations: scan.markers.len(),
        annotations: AnnotationCount::of(&scan.markers),
        findings,
    }
}

/// Refuses a file whose every line feed comes after a carriage return. Asked only
/// where the size is not what the header says; reads the data once.
fn check_line_endings(file: &mut File, data_start: u64, path: &Path) -> Result<(), ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    file.seek(SeekFrom::Start(data_start)).map_err(io)?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut at, mut last) = (data_start, 0);
    let (mut n_line_feeds, mut first_at) = (0, data_start);
    let mut block = [0; 1 << 12];
    loop {
        let n = reader.read(&mut block).map_err(io)?;
        for &byte in &block[..n] {
            if byte == b'\n' && last != b'\r' {
                return Ok(());
            }
            if byte == b'\n' {
                first_at = if n_line_feeds == 0 { at } else { first_at };
                n_line_feeds += 1;
            }
            (at, last) = (at + 1, byte);
        }
        if n == 0 {
            break;
        }
    }
    if n_line_feeds < MIN_LINE_FEEDS {
        return Ok(());
    }
    Err(ReadError::LineEndings { n_line_feeds, first_at: first_at - 1, path: path.into() })
}
