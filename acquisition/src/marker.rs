//! Markers, and their meaning as cues of a class.

use crate::text::InlineText;
use serde::{Deserialize, Serialize};

/// A text at an instant of a stream. `Copy`, so that handing it between threads
/// never allocates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Seconds from the stream's sample 0, after clock correction; negative before it.
    pub onset_secs: f64,
    /// Seconds it lasts where the file says so, else 0. Cues ignore it.
    pub duration_secs: f64,
    /// What it says; integers are written in decimal.
    pub text: InlineText,
}

/// A class by its position in the configuration: 0 is idle, tasks follow from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClassIdx(pub u8);

impl ClassIdx {
    /// No task: every sample outside all task intervals.
    pub const IDLE: Self = Self(0);

    /// The position as an index into per-class arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A cue: at `onset_secs` the task of `class` begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cue {
    /// Seconds from sample 0.
    pub onset_secs: f64,
    /// The task's class, never idle.
    pub class: ClassIdx,
}

/// Which marker texts are cues, of which class. Other markers mean nothing to a decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerMap {
    entries: Vec<(String, ClassIdx)>,
}

impl MarkerMap {
    /// A map from marker texts to classes.
    pub fn new(entries: impl IntoIterator<Item = (String, ClassIdx)>) -> Self {
        Self { entries: entries.into_iter().collect() }
    }

    /// The cue a marker stands for, if it stands for one. No allocation.
    pub fn cue(&self, marker: &Marker) -> Option<Cue> {
        let (_, class) = self.entries.iter().find(|(text, _)| text == marker.text.as_str())?;
        Some(Cue { onset_secs: marker.onset_secs, class: *class })
    }

    /// The cues among `markers`, in their order.
    pub fn cues(&self, markers: &[Marker]) -> Vec<Cue> {
        markers.iter().filter_map(|m| self.cue(m)).collect()
    }
}
