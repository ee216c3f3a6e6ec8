//! Labelled trials as text (`.ts`, plain or compressed by gzip): the exchange format of
//! time-series classification. A header of `@name value` lines, then one trial a line:
//! channels separated by `:`, samples by `,`, the class last.
//!
//! Trials are no recording: there is no time between them, so they are read as
//! [`Epochs`], numbered in file order, and not as a [`Feed`](acquisition::source::Feed).
//! The unit is the file's own.

use super::text_lines::Lines;
use super::{ReadError, text_from};
use crate::epoch::Epochs;
use acquisition::marker::ClassIdx;
use ndarray::Array3;
use std::path::Path;

/// Trials of a file, and what their classes are called.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledTrials {
    /// `(n_trials, n_channels, n_samples)`; the time of a trial is its number, in trials.
    pub epochs: Epochs,
    /// Names of the classes in the header's order; class `k` of an epoch is `classes[k]`.
    pub classes: Vec<String>,
}

/// Most samples of all trials together: 2 GiB.
const MAX_SAMPLES: usize = 1 << 28;

/// Reads all trials of a file, as far as they fit into 2 GiB.
///
/// # Errors
/// Where the file can't be read, the header names no classes, or a trial differs from
/// the first one in its channels or samples: the message names the line.
pub fn read_trials(path: &Path) -> Result<LabelledTrials, ReadError> {
    let io = |cause| ReadError::Io { cause, path: path.into() };
    let mut lines = Lines::open(path).map_err(io)?;
    let mut trials = Trials::default();
    let mut is_data = false;
    while let Some((number, line)) = lines.advance().map_err(io)? {
        let line = text_from(line);
        let line = line.trim();
        let problem = |problem: String| ReadError::BadHeader {
            field: format!("line {number}"),
            problem,
            path: path.into(),
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if is_data {
            trials.take(line).map_err(problem)?;
        } else if line.eq_ignore_ascii_case("@data") {
            is_data = true;
        } else if let Some(value) = header_value(line, "@classLabel") {
            trials.classes = value.split_whitespace().skip(1).map(str::to_owned).collect();
        }
    }
    trials.finish(path)
}

/// The value of a header line, where it is the one called `name`.
fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(char::is_whitespace)?;
    found.eq_ignore_ascii_case(name).then_some(value.trim())
}

/// Trials read so far.
#[derive(Default)]
struct Trials {
    classes: Vec<String>,
    /// Channels and samples of the first trial, which are those of all.
    shape: Option<(usize, usize)>,
    samples: Vec<f64>,
    labels: Vec<ClassIdx>,
}

impl Trials {
    /// Takes one trial, or says what is wrong with it.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let (channels, class) = line.rsplit_once(':').ok_or("has no class behind a colon")?;
        let class = class.trim();
        let k = self.classes.iter().position(|known| known == class);
        let k = k.ok_or_else(|| format!("has class {class:?}, which the header does not name"))?;
        let mut n_channels = 0;
        for channel in channels.split(':') {
            let before = self.samples.len();
            for field in channel.split(',') {
                let value = field.trim().parse();
                self.samples.push(value.map_err(|_| format!("has {field:?} for a sample"))?);
            }
            if self.samples.len() > MAX_SAMPLES {
                return Err("is beyond what can be kept".to_owned());
            }
            let n_samples = self.samples.len() - before;
            let (_, expected) = *self.shape.get_or_insert((channels.split(':').count(), n_samples));
            if n_samples != expected {
                return Err(format!("has {n_samples} samples in a channel, not {expected}"));
            }
            n_channels += 1;
        }
        let expected = self.shape.map_or(n_channels, |(n, _)| n);
        if n_channels != expected {
            return Err(format!("has {n_channels} channels, not {expected}"));
        }
        self.labels.push(ClassIdx(u8::try_from(k).map_err(|_| "has too high a class")?));
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<LabelledTrials, ReadError> {
        let no_data = || ReadError::NoData { path: path.into() };
        let (n_channels, n_samples) = self.shape.ok_or_else(no_data)?;
        let n_trials = self.labels.len();
        let samples = Array3::from_shape_vec((n_trials, n_channels, n_samples), self.samples);
        let times = (0..n_trials).map(|k| k as f64).collect();
        let epochs = Epochs::new(samples.map_err(|_| no_data())?, self.labels, times);
        Ok(LabelledTrials { epochs: epochs.map_err(|_| no_data())?, classes: self.classes })
    }
}
