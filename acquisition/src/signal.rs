//! What a stream is made of: channels, units, chunks of frames, and finite
//! recordings. *Not* how any of it arrives ([`crate::source`]).

use crate::marker::Marker;
use crate::time::{SampleIndex, SampleRate};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Most channels a stream may declare. A header that claims more is refused before
/// anything is allocated for it.
pub const MAX_CHANNELS: usize = 4096;

/// The unit of a channel's samples inside mindloop; sources convert into it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microvolts: EEG, EOG, EMG, ECG.
    Microvolt,
    /// Femtotesla: magnetometers.
    Femtotesla,
    /// Femtotesla per centimetre: planar gradiometers.
    FemtoteslaPerCm,
    /// As the device sent it: not converted, because it said nothing we know.
    Unknown,
}

impl Unit {
    /// The unit as shown to people, in ASCII.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Microvolt => "uV",
            Self::Femtotesla => "fT",
            Self::FemtoteslaPerCm => "fT/cm",
            Self::Unknown => "?",
        }
    }
}

/// What a channel measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Scalp potential.
    Eeg,
    /// Eye movement.
    Eog,
    /// Muscle.
    Emg,
    /// Heart.
    Ecg,
    /// Magnetometer.
    MegMag,
    /// Planar gradiometer.
    MegGrad,
    /// Trigger or status bits.
    Status,
    /// Anything else.
    Misc,
}

impl ChannelKind {
    /// Whether the channel carries brain activity that decoders may use.
    pub fn is_brain(self) -> bool {
        matches!(self, Self::Eeg | Self::MegMag | Self::MegGrad)
    }
}

/// One channel: label, kind, unit, and position where it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelInfo {
    /// Name as the device gave it, trimmed; control characters are kept here and
    /// escaped where they would be shown ([`crate::text`]).
    pub label: String,
    /// What it measures.
    pub kind: ChannelKind,
    /// Unit of its samples inside mindloop.
    pub unit: Unit,
    /// Position in metres in the head frame (x right, y front, z up), if known.
    pub position_m: Option<[f64; 3]>,
}

impl ChannelInfo {
    /// An EEG channel in microvolts without a position.
    pub fn eeg(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            kind: ChannelKind::Eeg,
            unit: Unit::Microvolt,
            position_m: None,
        }
    }
}

/// A stream's description: everything a plan is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// Stream name, or the file's name for recordings.
    pub name: String,
    /// LSL content type, `EEG` or `MEG` mostly.
    pub kind: String,
    /// Identity that survives a restart of the sender; empty if it has none.
    pub source_id: String,
    /// Machine the stream comes from; empty for files.
    pub host: String,
    /// Nominal rate.
    pub rate: SampleRate,
    /// Channels in the order of a frame.
    pub channels: Vec<ChannelInfo>,
    /// Whether a simulator made it: shown wherever its data is shown.
    pub simulated: bool,
}

impl StreamInfo {
    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.channels.len()
    }

    /// Indices of the channels that carry brain activity, in frame order.
    pub fn brain_channels(&self) -> Vec<usize> {
        (0..self.channels.len()).filter(|&c| self.channels[c].kind.is_brain()).collect()
    }
}

/// A run of consecutive frames, whole frames one after the other: the unit of
/// transport. Its capacity is fixed when it is made; filling it never allocates.
#[derive(Clone, Debug)]
pub struct Chunk {
    n_channels: usize,
    capacity: usize,
    first: SampleIndex,
    samples: Vec<f32>,
}

impl Chunk {
    /// An empty chunk for at most `capacity` frames of `n_channels`.
    ///
    /// # Panics
    /// If either is zero.
    pub fn new(n_channels: usize, capacity: usize) -> Self {
        assert!(n_channels > 0 && capacity > 0, "a chunk holds frames of channels");
        let samples = Vec::with_capacity(n_channels * capacity);
        Self { n_channels, capacity, first: SampleIndex(0), samples }
    }

    /// Values per frame.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Frames it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Frames it holds.
    pub fn n_frames(&self) -> usize {
        self.samples.len() / self.n_channels
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Frames that still fit.
    pub fn room(&self) -> usize {
        self.capacity - self.n_frames()
    }

    /// Index of its first frame.
    pub fn first(&self) -> SampleIndex {
        self.first
    }

    /// Index of the frame after its last.
    pub fn end(&self) -> SampleIndex {
        SampleIndex(self.first.0 + self.n_frames() as u64)
    }

    /// Empties it; the next frame pushed has index `first`.
    pub fn restart(&mut self, first: SampleIndex) {
        self.samples.clear();
        self.first = first;
    }

    /// Appends whole frames, frame after frame. Any thread; no allocation.
    ///
    /// # Panics
    /// If `frames` is not whole frames or does not fit: ask [`Chunk::room`] first.
    pub fn extend(&mut self, frames: &[f32]) {
        assert!(frames.len().is_multiple_of(self.n_channels), "whole frames only");
        assert!(frames.len() / self.n_channels <= self.room(), "chunk overflow");
        self.samples.extend_from_slice(frames);
    }

    /// Appends one frame from an iterator over its channels. Any thread; no allocation.
    ///
    /// # Panics
    /// If the frame is not `n_channels` long or does not fit.
    pub fn push_frame(&mut self, frame: impl ExactSizeIterator<Item = f32>) {
        assert_eq!(frame.len(), self.n_channels, "whole frames only");
        assert!(self.room() > 0, "chunk overflow");
        self.samples.extend(frame);
    }

    /// All samples, frame after frame: `n_frames * n_channels` values.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }
}

/// A stretch where a recording has no samples. Frames are counted through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Index of the first missing frame.
    pub at: SampleIndex,
    /// Number of missing frames.
    pub n_missing: u64,
}

/// One thing that was wrong with a recording, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where: a byte offset, a record number, a header field.
    pub place: String,
    /// What was wrong and what was done, in words.
    pub what: String,
}

/// A finite stream held in memory.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Description of the stream.
    pub info: StreamInfo,
    /// Samples in the channels' units, `(n_channels, n_samples)`.
    pub samples: Array2<f32>,
    /// Markers in time order, seconds from sample 0.
    pub markers: Vec<Marker>,
    /// Stretches without samples, in order.
    pub gaps: Vec<Gap>,
    /// What was wrong with the file, if anything.
    pub findings: Vec<Finding>,
}

impl Recording {
    /// Number of frames held.
    pub fn n_samples(&self) -> usize {
        self.samples.ncols()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_counts_its_frames() {
        let mut chunk = Chunk::new(2, 3);
        chunk.restart(SampleIndex(10));
        chunk.extend(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((chunk.n_frames(), chunk.room(), chunk.end()), (2, 1, SampleIndex(12)));
    }

    #[test]
    #[should_panic(expected = "chunk overflow")]
    fn a_chunk_never_grows() {
        Chunk::new(1, 1).extend(&[1.0, 2.0]);
    }
}
