//! The header of EDF and BDF files: a fixed part of 256 bytes, then 256 bytes per
//! signal, all of it text. Nothing is allocated before its size was checked against
//! the file's.

use super::channel;
use crate::reader::{ReadError, ShownPath, text_from};
use acquisition::signal::{ChannelInfo, Finding, MAX_CHANNELS, Unit};
use acquisition::text::printable;
use acquisition::time::MAX_RATE_HZ;
use std::io::Read;
use std::path::Path;

/// Bytes of the fixed part, and of each signal's part.
pub const BLOCK_BYTES: u64 = 256;

/// Widths of a signal's fields, in the order in which they are stored: all labels,
/// then all transducers, and so on.
const WIDTHS: [usize; 10] = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32];

/// How the samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 16 bits, EDF.
    Two,
    /// 24 bits, BDF.
    Three,
}

impl Width {
    /// Bytes per sample.
    pub fn n_bytes(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// The format's name.
    fn name(self) -> &'static str {
        match self {
            Self::Two => "EDF",
            Self::Three => "BDF",
        }
    }
}

/// Whether data records follow each other without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuity {
    /// Plain EDF or BDF: nothing is said, so they do.
    Plain,
    /// `EDF+C`: they do.
    Continuous,
    /// `EDF+D`: each record says when it begins.
    Discontinuous,
}

/// From digital to physical values in the channel's unit:
/// `((d - digital_min) * gain + physical_min) * unit_factor`, in f64, where
/// `gain = (physical_max - physical_min) / (digital_max - digital_min)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    digital_min: f64,
    gain: f64,
    physical_min: f64,
    unit_factor: f64,
}

impl Scale {
    /// Digital values as they are.
    const NONE: Self = Self { digital_min: 0.0, gain: 1.0, physical_min: 0.0, unit_factor: 1.0 };

    /// The physical value of a digital one; rounded to `f32` once, at the end.
    pub fn physical(&self, digital: i32) -> f32 {
        let physical = (f64::from(digital) - self.digital_min) * self.gain + self.physical_min;
        (physical * self.unit_factor) as f32
    }
}

/// One signal of the file that carries samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// What it is.
    pub channel: ChannelInfo,
    /// Its scaling.
    pub scale: Scale,
    /// Samples in a data record.
    pub n_per_record: usize,
    /// Offset of its samples in a data record, in bytes.
    pub offset_bytes: u64,
}

/// Where annotations stand in a data record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnotationSignal {
    /// Offset in a data record, in bytes.
    pub offset_bytes: u64,
    /// Bytes in a data record.
    pub n_bytes: usize,
}

/// A header, checked against the size of its file.
#[derive(Clone, Debug)]
pub struct Header {
    /// How samples are written.
    pub width: Width,
    /// Whether there may be gaps.
    pub continuity: Continuity,
    /// Start date and time as written.
    pub start: String,
    /// Duration of a data record; zero only where there are annotations alone.
    pub record_secs: f64,
    /// Data records that the file holds completely.
    pub n_records: u64,
    /// Bytes of a data record.
    pub record_bytes: u64,
    /// Bytes before the first data record.
    pub data_start: u64,
    /// The signals with samples.
    pub signals: Vec<Signal>,
    /// The signals with annotations.
    pub annotations: Vec<AnnotationSignal>,
    /// Whether the file's size is not what the header says.
    pub size_is_off: bool,
}

impl Header {
    /// The name of the format.
    pub fn format(&self) -> String {
        let suffix = match self.continuity {
            Continuity::Plain => "",
            Continuity::Continuous => "+C",
            Continuity::Discontinuous => "+D",
        };
        format!("{}{suffix}", self.width.name())
    }

    /// Reads a header from the beginning of a file of `len` bytes. What can be put
    /// right is put right and added to `findings`.
    pub fn read(
        file: &mut impl Read,
        len: u64,
        path: &Path,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, ReadError> {
        Parser { len, path, findings }.header(file)
    }
}

/// What every step of parsing needs.
struct Parser<'a> {
    len: u64,
    path: &'a Path,
    findings: &'a mut Vec<Finding>,
}

impl Parser<'_> {
    fn header(&mut self, file: &mut impl Read) -> Result<Header, ReadError> {
        let fixed = self.bytes(file, BLOCK_BYTES as usize, 0, "the header")?;
        let width = if fixed[0] == 0xff { Width::Three } else { Width::Two };
        let n_signals = self.count(&fixed[252..256], "number of signals")?;
        if n_signals == 0 || n_signals > MAX_CHANNELS as u64 {
            let problem = format!("is {n_signals}, it may be 1 to {MAX_CHANNELS}");
            return Err(self.bad("number of signals", problem));
        }
        let data_start = BLOCK_BYTES * (n_signals + 1);
        self.check_header_bytes(&fixed[184..192], data_start)?;
        let per_signal = (BLOCK_BYTES * n_signals) as usize;
        let rest = self.bytes(file, per_signal, BLOCK_BYTES, "the signals' headers")?;
        let fields = SignalFields { bytes: &rest, n_signals: n_signals as usize };

        let (signals, annotations, record_bytes) = self.signals(&fields, width)?;
        let stated = trimmed(&fixed[236..244]).into_owned();
        let (n_records, size_is_off) = self.n_records(&stated, data_start, record_bytes)?;
        let record_secs = self.record_secs(&fixed[244..252], &signals)?;
        Ok(Header {
            width,
            continuity: continuity(&fixed[192..197]),
            start: self.start(&fixed[168..184]),
            record_secs,
            n_records,
            record_bytes,
            data_start,
            signals,
            annotations,
            size_is_off,
        })
    }

    /// Reads `n` bytes that begin at offset `at`, if the file has them.
    fn bytes(
        &self,
        file: &mut impl Read,
        n: usize,
        at: u64,
        part: &'static str,
    ) -> Result<Vec<u8>, ReadError> {
        let needed = at + n as u64;
        if self.len < needed {
            return Err(self.truncated(part, needed));
        }
        let mut bytes = vec![0; n];
        let io = |cause| ReadError::Io { cause, path: self.path.into() };
        file.read_exact(&mut bytes).map_err(io)?;
        Ok(bytes)
    }

    /// The header's own length follows from the number of signals; a number that
    /// contradicts it is reported, text in its place is not a header.
    fn check_header_bytes(&mut self, field: &[u8], expected: u64) -> Result<(), ReadError> {
        let stated = self.count(field, "number of bytes in header")?;
        if stated != expected {
            self.found("header field number of bytes in header", format!("is {stated}, but the number of signals makes it {expected}: the latter was used"));
        }
        Ok(())
    }

    /// All signals with samples, all with annotations, and the bytes of a data record.
    fn signals(
        &mut self,
        fields: &SignalFields,
        width: Width,
    ) -> Result<(Vec<Signal>, Vec<AnnotationSignal>, u64), ReadError> {
        let (mut signals, mut annotations, mut offset_bytes) = (Vec::new(), Vec::new(), 0);
        for s in 0..fields.n_signals {
            let n_per_record = self.count(fields.get(8, s), "number of samples")? as usize;
            let n_bytes = n_per_record * width.n_bytes();
            let label = trimmed(fields.get(0, s));
            if matches!(&*label, "EDF Annotations" | "BDF Annotations") {
                annotations.push(AnnotationSignal { offset_bytes, n_bytes });
            } else if n_per_record == 0 {
                self.found(&signal_place(s, &label), "has no samples: it was left out".into());
            } else {
                let (channel, scale) = self.scaling(fields, s, &label);
                signals.push(Signal { channel, scale, n_per_record, offset_bytes });
            }
            offset_bytes += n_bytes as u64;
        }
        if offset_bytes == 0 {
            return Err(self.bad("number of samples", "is zero for every signal".into()));
        }
        Ok((signals, annotations, offset_bytes))
    }

    /// A signal's description and scaling. Limits from which no scaling follows
    /// leave the digital values as they are, in an unknown unit.
    fn scaling(&mut self, fields: &SignalFields, s: usize, label: &str) -> (ChannelInfo, Scale) {
        let (mut channel, unit_factor) = channel::describe(label, &trimmed(fields.get(2, s)));
        let limits: Vec<Option<f64>> = (3..7).map(|field| decimal(fields.get(field, s))).collect();
        if let [Some(physical_min), Some(physical_max), Some(digital_min), Some(digital_max)] =
            limits[..]
            && physical_min != physical_max
            && digital_min != digital_max
        {
            if digital_min > digital_max {
                self.found(
                    &signal_place(s, label),
                    "has its digital minimum above its maximum: used as written".into(),
                );
            }
            let gain = (physical_max - physical_min) / (digital_max - digital_min);
            return (channel, Scale { digital_min, gain, physical_min, unit_factor });
        }
        self.found(
            &signal_place(s, label),
            "has physical or digital limits that are equal or no numbers: its digital values were left unscaled".into(),
        );
        channel.unit = Unit::Unknown;
        (channel, Scale::NONE)
    }

    /// Seconds of a data record; they may be zero only where there is no signal, and
    /// are long enough for no rate to be above [`MAX_RATE_HZ`].
    fn record_secs(&self, field: &[u8], signals: &[Signal]) -> Result<f64, ReadError> {
        const NAME: &str = "duration of a data record";
        let fits = |secs: &f64| *secs > 0.0 || (*secs == 0.0 && signals.is_empty());
        let secs = decimal(field).filter(fits).ok_or_else(|| {
            let shown = printable(&trimmed(field)).into_owned();
            self.bad(NAME, format!("is {shown:?}, no positive number"))
        })?;
        let most = signals.iter().map(|s| s.n_per_record).max().unwrap_or(0);
        if most as f64 > MAX_RATE_HZ * secs {
            let problem = format!(
                "is {secs} s: {most} samples in it make more than {MAX_RATE_HZ} Hz, which is no recording's rate"
            );
            return Err(self.bad(NAME, problem));
        }
        Ok(secs)
    }

    /// Complete data records by the file's size, which outranks what the header
    /// states; and whether the two differ.
    fn n_records(
        &mut self,
        stated: &str,
        data_start: u64,
        record_bytes: u64,
    ) -> Result<(u64, bool), ReadError> {
        let data_bytes = self.len - data_start;
        let (held, left_over) = (data_bytes / record_bytes, data_bytes % record_bytes);
        if held == 0 && (data_bytes == 0 || stated == "0") {
            return Err(ReadError::NoData { path: self.path.into() });
        }
        if held == 0 {
            return Err(self.truncated("the first data record", data_start + record_bytes));
        }
        let agrees = stated.parse() == Ok(held);
        if !agrees {
            let what = match stated.parse::<i64>() {
                Ok(-1) => format!("was left open while recording: the file's size gives {held}"),
                Ok(n) if n > held as i64 => {
                    format!("is {n}, but the file holds {held} complete ones: those were read")
                }
                Ok(n) => format!("is {n}, but the file holds {held}: all were read"),
                Err(_) => {
                    format!("is {:?}, no number: the file's size gives {held}", printable(stated))
                }
            };
            self.found("header field number of data records", what);
        }
        if left_over > 0 {
            let place = format!("byte {}", data_start + held * record_bytes);
            self.found(
                &place,
                format!("{left_over} bytes after the last complete data record were left out"),
            );
        }
        Ok((held, !agrees || left_over > 0))
    }

    /// Start date and time as written, reported where they can't be any.
    fn start(&mut self, field: &[u8]) -> String {
        let start = format!("{} {}", trimmed(&field[..8]), trimmed(&field[8..]));
        if !is_date_and_time(&start) {
            let shown = printable(&start).into_owned();
            self.found(
                "header field start date and time",
                format!("is {shown:?}, no date and time dd.mm.yy hh.mm.ss"),
            );
        }
        start
    }

    /// A field that has to be a whole number that is not negative.
    fn count(&self, field: &[u8], name: &str) -> Result<u64, ReadError> {
        let text = trimmed(field);
        // At most eight digits fit into a field, so products of two can't overflow.
        text.parse()
            .map_err(|_| self.bad(name, format!("is {:?}, no whole number", printable(&text))))
    }

    fn found(&mut self, place: &str, what: String) {
        self.findings.push(Finding { place: place.to_owned(), what });
    }

    fn bad(&self, field: &str, problem: String) -> ReadError {
        ReadError::BadHeader { field: field.to_owned(), problem, path: self.path.into() }
    }

    fn truncated(&self, part: &'static str, needed: u64) -> ReadError {
        let path = ShownPath::from(self.path);
        ReadError::Truncated { part, needed, len: self.len, path }
    }
}

/// The signals' part of a header.
struct SignalFields<'a> {
    bytes: &'a [u8],
    n_signals: usize,
}

impl SignalFields<'_> {
    /// Field `field` (an index into [`WIDTHS`]) of signal `s`.
    fn get(&self, field: usize, s: usize) -> &[u8] {
        let before: usize = WIDTHS[..field].iter().sum();
        let at = before * self.n_signals + s * WIDTHS[field];
        &self.bytes[at..at + WIDTHS[field]]
    }
}

/// How a finding names a signal.
fn signal_place(s: usize, label: &str) -> String {
    format!("signal {s} ({})", printable(label))
}

/// A field without its padding of blanks, or of the zeros that some recorders write.
fn trimmed(field: &[u8]) -> std::borrow::Cow<'_, str> {
    let is_padding = |b: &u8| b.is_ascii_whitespace() || *b == 0;
    let start = field.iter().position(|b| !is_padding(b)).unwrap_or(field.len());
    let end = field.iter().rposition(|b| !is_padding(b)).map_or(start, |last| last + 1);
    text_from(&field[start..end])
}

/// A finite decimal number; the decimal comma of some recorders is accepted.
fn decimal(field: &[u8]) -> Option<f64> {
    let value: f64 = trimmed(field).replace(',', ".").parse().ok()?;
    value.is_finite().then_some(value)
}

/// What the reserved field says about gaps.
fn continuity(reserved: &[u8]) -> Continuity {
    match reserved {
        b"EDF+C" | b"BDF+C" => Continuity::Continuous,
        b"EDF+D" | b"BDF+D" => Continuity::Discontinuous,
        _ => Continuity::Plain,
    }
}

/// Whether a text reads `dd.mm.yy hh.mm.ss` with numbers in their ranges.
fn is_date_and_time(text: &str) -> bool {
    let numbers: Vec<Option<u32>> =
        text.split(['.', ' ']).map(|n| n.parse().ok().filter(|_| n.len() == 2)).collect();
    match numbers[..] {
        [Some(day), Some(month), Some(_), Some(hour), Some(minute), Some(second)] => {
            (1..=31).contains(&day)
                && (1..=12).contains(&month)
                && hour < 24
                && minute < 60
                && second < 60
        }
        _ => false,
    }
}
