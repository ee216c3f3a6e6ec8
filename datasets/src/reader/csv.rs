//! Tables of samples: text with a header line, a column of time stamps in seconds, one
//! column per channel, and at most one of markers; plain or compressed by gzip. So
//! `muselsl` and similar recorders of headbands write them.
//!
//! ```text
//! timestamps,TP9,AF7,AF8,TP10,Right AUX,Marker
//! 1486223115.483,-44.922,27.832,32.715,58.105,82.031,0
//! ```
//!
//! The rate is not in the file: it is what the stamps say, taken to the nearest whole
//! hertz where that is within [`WHOLE_HERTZ`]. A row that comes later than half a sample
//! and [`STAMP_SECS`] allow is behind a gap. Values are taken as microvolts; a field that
//! is no number is NaN. A marker is any entry of the marker column but `0` and nothing.
//!
//! Memory: the markers, the gaps and one row.

use super::stream::{self, MAX_BREAKS, MAX_MARKERS, Markers, is_bearable};
use super::text_lines::Lines;
use super::{AnnotationCount, ReadError, Reader, RecordingSummary, StreamSummary, text_from};
use acquisition::marker::Marker;
use acquisition::signal::{
    ChannelInfo, ChannelKind, Chunk, Finding, Gap, MAX_CHANNELS, StreamInfo, Unit,
};
use acquisition::source::{Feed, SourceError};
use acquisition::text::InlineText;
use acquisition::time::{MIN_RATE_HZ, SampleIndex, SampleRate};
use std::io;
use std::path::{Path, PathBuf};

/// Relative distance to a whole number of hertz within which that is meant.
const WHOLE_HERTZ: f64 = 1e-3;
/// Resolution of written stamps.
const STAMP_SECS: f64 = 1e-3;
/// Names of a time column: it is the first.
const TIME_NAMES: [&str; 4] = ["timestamps", "timestamp", "time", "lsl_timestamp"];
/// Names of a marker column.
const MARKER_NAMES: [&str; 5] = ["marker", "markers", "marker0", "stim", "event"];

/// Whether a text begins like such a table.
pub fn begins_like_table(begins: &[u8]) -> bool {
    let text = text_from(begins);
    let name = text.split(',').next().unwrap_or_default().trim();
    text.contains(',') && TIME_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The columns by their names.
#[derive(Clone, Debug)]
struct Columns {
    channels: Vec<ChannelInfo>,
    /// Field number of the markers.
    marker: Option<usize>,
}

impl Columns {
    fn of(header: &str, path: &Path) -> Result<Self, ReadError> {
        let mut columns = Self { channels: Vec::new(), marker: None };
        for (k, name) in header.split(',').map(str::trim).enumerate().skip(1) {
            let is_marker = MARKER_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
            if is_marker && columns.marker.is_none() {
                columns.marker = Some(k);
            } else {
                columns.channels.push(channel(name));
            }
        }
        if columns.channels.is_empty() || columns.channels.len() > MAX_CHANNELS {
            let problem = format!("has {} channels", columns.channels.len());
            return Err(ReadError::BadHeader {
                field: "line 1".into(),
                problem,
                path: path.into(),
            });
        }
        Ok(columns)
    }

    fn n_fields(&self) -> usize {
        1 + self.channels.len() + usize::from(self.marker.is_some())
    }
}

/// A channel by its name: auxiliary inputs carry what was plugged in.
fn channel(name: &str) -> ChannelInfo {
    let mut channel = ChannelInfo::eeg(name);
    if name.to_ascii_lowercase().contains("aux") {
        (channel.kind, channel.unit) = (ChannelKind::Misc, Unit::Microvolt);
    }
    channel
}

/// One row, taken apart.
struct Row<'a> {
    secs: f64,
    marker: Option<&'a str>,
}

/// Takes a row apart and puts its samples into `frame`; `None` where it is no row.
fn parse<'a>(line: &'a str, columns: &Columns, frame: &mut Vec<f32>) -> Option<Row<'a>> {
    frame.clear();
    let mut row = Row { secs: f64::NAN, marker: None };
    let mut n_fields = 0;
    for (k, field) in line.split(',').map(str::trim).enumerate() {
        n_fields += 1;
        if k == 0 {
            row.secs = field.parse().ok().filter(|secs: &f64| secs.is_finite())?;
        } else if columns.marker == Some(k) {
            let is_none = field.is_empty() || field.parse::<f64>().is_ok_and(|value| value == 0.0);
            row.marker = (!is_none).then_some(field);
        } else {
            frame.push(field.parse().unwrap_or(f32::NAN));
        }
    }
    (n_fields == columns.n_fields()).then_some(row)
}

/// A table of samples.
#[derive(Debug)]
pub struct CsvReader {
    path: PathBuf,
    lines: Lines,
    columns: Columns,
    info: StreamInfo,
    summary: RecordingSummary,
    markers: Markers,
    frame: Vec<f32>,
    next: SampleIndex,
    n_read: u64,
    /// How many gaps lie behind the next frame.
    n_gaps_passed: usize,
}

impl CsvReader {
    /// Opens a table. It is read once here, for its rate, markers and gaps, and once more
    /// for its samples.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let (columns, summary, markers) = scan(path)?;
        let info = stream::info(path, &summary.streams[0]);
        let io = |cause| ReadError::Io { cause, path: path.into() };
        let mut lines = Lines::open(path).map_err(io)?;
        lines.advance().map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            lines,
            columns,
            info,
            summary,
            markers: Markers::new(markers),
            frame: Vec::new(),
            next: SampleIndex(0),
            n_read: 0,
            n_gaps_passed: 0,
        })
    }

    /// Reads rows until one is sound; whether there was one. No more are read than the
    /// first pass has seen, so that a file that grows or is cut ends where it did.
    fn read_frame(&mut self) -> io::Result<bool> {
        while self.n_read < self.summary.streams[0].n_samples {
            let Some((_, line)) = self.lines.advance()? else { return Ok(false) };
            if parse(&text_from(line), &self.columns, &mut self.frame).is_some() {
                self.n_read += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where the next frame lies, once a gap before it is passed.
    fn pass_gap(&mut self) {
        let gaps = &self.summary.streams[0].gaps;
        if let Some(gap) = gaps.get(self.n_gaps_passed).filter(|gap| gap.at == self.next) {
            self.next.0 += gap.n_missing;
            self.n_gaps_passed += 1;
        }
    }

    /// Whether a gap begins at the next frame.
    fn is_at_gap(&self) -> bool {
        let gaps = &self.summary.streams[0].gaps;
        gaps.get(self.n_gaps_passed).is_some_and(|gap| gap.at == self.next)
    }
}

impl Feed for CsvReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Allocation: none once the longest row was read, but for what `markers` needs.
    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        self.pass_gap();
        chunk.restart(self.next);
        while chunk.room() > 0 && !self.is_at_gap() {
            let is_there = self.read_frame().map_err(|cause| stream::failed(cause, &self.path))?;
            if !is_there {
                break;
            }
            chunk.extend(&self.frame);
            self.next.0 += 1;
        }
        self.markers.give(&self.info, chunk, markers);
        Ok(!chunk.is_empty())
    }
}

impl Reader for CsvReader {
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

/// What is in a table.
pub fn summarize(path: &Path) -> Result<RecordingSummary, ReadError> {
    Ok(scan(path)?.1)
}

/// A row's place in the first pass.
struct Seen {
    /// Row number and marker, from 0.
    marked: Vec<(u64, InlineText)>,
    /// Row before which stamps jump, and by how many seconds.
    jumps: Vec<(u64, f64)>,
    n_rows: u64,
    first_secs: f64,
    last_secs: f64,
    /// Markers, and jumps of the stamps, that are not kept.
    n_markers_lost: u64,
    n_jumps_lost: u64,
    findings: Vec<Finding>,
}

/// Reads the header and all rows; the samples are not kept.
fn scan(path: &Path) -> Result<(Columns, RecordingSummary, Vec<Marker>), ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let mut lines = Lines::open(path).map_err(io)?;
    let Some((_, header)) = lines.advance().map_err(io)? else {
        return Err(ReadError::NoData { path: path.into() });
    };
    let columns = Columns::of(&text_from(header), path)?;
    let mut seen = see(&mut lines, &columns);
    if seen.n_rows < 2 {
        return Err(ReadError::NoData { path: path.into() });
    }
    let rate = seen.rate(path)?;
    let (gaps, n_indices) = seen.gaps(rate);
    let markers = seen.markers(rate, &gaps);
    seen.report();
    let channels = columns.channels.clone();
    let summary = RecordingSummary {
        format: "CSV".to_owned(),
        start: format!("{} s", seen.first_secs),
        duration_secs: n_indices as f64 / rate.hz(),
        streams: vec![StreamSummary { rate_hz: rate, n_samples: seen.n_rows, channels, gaps }],
        main_stream_idx: Some(0),
        n_annotations: markers.len(),
        annotations: AnnotationCount::of(&markers),
        findings: seen.findings,
    };
    Ok((columns, summary, markers))
}

/// The first pass. A file that breaks off is read up to there.
fn see(lines: &mut Lines, columns: &Columns) -> Seen {
    let mut seen = Seen {
        marked: Vec::new(),
        jumps: Vec::new(),
        n_rows: 0,
        first_secs: 0.0,
        last_secs: 0.0,
        n_markers_lost: 0,
        n_jumps_lost: 0,
        findings: Vec::new(),
    };
    let (mut frame, mut n_bad, mut first_bad) = (Vec::new(), 0_u64, 0);
    loop {
        let (number, line) = match lines.advance() {
            Ok(Some((number, line))) => (number, text_from(line)),
            Ok(None) => break,
            Err(error) => {
                let place = format!("behind row {}", seen.n_rows);
                let what = format!("can't be read further ({error}); the rows before are kept");
                seen.findings.push(Finding { place, what });
                break;
            }
        };
        match parse(&line, columns, &mut frame) {
            Some(row) => seen.take(&row),
            None if n_bad == 0 => (n_bad, first_bad) = (1, number),
            None => n_bad += 1,
        }
    }
    if n_bad > 0 {
        let what = format!("{n_bad} lines are no rows of {} fields; left out", columns.n_fields());
        seen.findings.push(Finding { place: format!("line {first_bad}"), what });
    }
    seen
}

impl Seen {
    fn take(&mut self, row: &Row<'_>) {
        if self.n_rows == 0 {
            self.first_secs = row.secs;
        } else if (row.secs - self.last_secs).abs() > STAMP_SECS {
            // Kept until the rate is known; a jump is much longer than a sample.
            let usual = (self.last_secs - self.first_secs) / (self.n_rows as f64);
            let ahead = row.secs - self.last_secs;
            if !(0.0..=3.0 * usual + 2.0 * STAMP_SECS).contains(&ahead) || self.n_rows == 1 {
                if self.jumps.len() < MAX_BREAKS {
                    self.jumps.push((self.n_rows, ahead));
                } else {
                    self.n_jumps_lost += 1;
                }
            }
        }
        match row.marker {
            Some(text) if self.marked.len() < MAX_MARKERS => {
                self.marked.push((self.n_rows, InlineText::new(text)));
            }
            Some(_) => self.n_markers_lost += 1,
            None => {}
        }
        self.last_secs = row.secs;
        self.n_rows += 1;
    }

    /// Rows per second where the stamps run on.
    fn rate(&self, path: &Path) -> Result<SampleRate, ReadError> {
        let jumped: f64 = self.jumps.iter().filter(|j| j.0 > 1).map(|j| j.1).sum();
        let n_jumps = self.jumps.iter().filter(|j| j.0 > 1).count() as f64;
        let n_steps = self.n_rows as f64 - 1.0 - n_jumps;
        let measured = n_steps / (self.last_secs - self.first_secs - jumped);
        let whole = measured.round();
        let rate_hz =
            if (measured - whole).abs() <= WHOLE_HERTZ * whole { whole } else { measured };
        let rate = SampleRate::new(rate_hz).ok().filter(|rate| rate.hz() >= MIN_RATE_HZ);
        rate.ok_or_else(|| {
            let problem = format!("say {rate_hz} rows a second");
            ReadError::BadHeader { field: "time stamps".into(), problem, path: path.into() }
        })
    }

    /// Gaps where stamps jump ahead, and the number of indices up to the end. Stamps that
    /// jump back, or further than a recording may, are counted.
    fn gaps(&mut self, rate: SampleRate) -> (Vec<Gap>, u64) {
        let (mut gaps, mut so_far) = (Vec::new(), 0_u64);
        for &(row, ahead_secs) in &self.jumps {
            let late_secs = ahead_secs - 1.0 / rate.hz();
            let n_missing = rate.samples(late_secs).max(0) as u64;
            let is_possible = is_bearable(so_far.saturating_add(n_missing), rate.hz());
            if ahead_secs < 0.0 || !is_possible {
                self.n_jumps_lost += 1;
            } else if late_secs > 0.5 / rate.hz() + STAMP_SECS && n_missing > 0 {
                gaps.push(Gap { at: SampleIndex(row + so_far), n_missing });
                so_far += n_missing;
            }
        }
        (gaps, self.n_rows + so_far)
    }

    /// The markers, on the axis that counts missing frames.
    fn markers(&self, rate: SampleRate, gaps: &[Gap]) -> Vec<Marker> {
        let (mut gaps, mut missing) = (gaps.iter().peekable(), 0);
        let marker = |(row, text): &(u64, InlineText)| {
            while let Some(gap) = gaps.next_if(|gap| gap.at.0 <= row + missing) {
                missing += gap.n_missing;
            }
            let onset_secs = rate.secs(SampleIndex(row + missing));
            Marker { onset_secs, duration_secs: 0.0, text: *text }
        };
        self.marked.iter().map(marker).collect()
    }

    /// Says what was counted and not kept.
    fn report(&mut self) {
        for (n, what) in [
            (self.n_markers_lost, "markers beyond the most that are kept; left out"),
            (
                self.n_jumps_lost,
                "jumps of the time stamps are no gaps; rows follow each other there",
            ),
        ] {
            if n > 0 {
                self.findings
                    .push(Finding { place: "rows".to_owned(), what: format!("{n} {what}") });
            }
        }
    }
}
