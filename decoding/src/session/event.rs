//! What a session says. Screen, log, outlet and scorer are equal listeners to these
//! events, and none of them can reach back into the engine.

use crate::decoder::decide_class;
use acquisition::marker::{ClassIdx, Marker};
use acquisition::time::SampleIndex;
use serde::{Deserialize, Serialize};

/// Most classes a configuration may have, idle included.
pub const MAX_CLASSES: usize = 16;

/// Posterior probabilities stored in place: `Copy`, so that an event never allocates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Posterior {
    n_classes: u8,
    values: [f64; MAX_CLASSES],
}

/// More classes than a posterior can hold: configure fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} classes, at most {MAX_CLASSES} (idle included) are possible: name fewer")]
pub struct TooManyClasses(pub usize);

impl Posterior {
    /// All zero, for `n_classes`, to be filled through [`Posterior::as_mut_slice`].
    pub fn zeros(n_classes: usize) -> Result<Self, TooManyClasses> {
        if n_classes > MAX_CLASSES {
            return Err(TooManyClasses(n_classes));
        }
        Ok(Self { n_classes: n_classes as u8, values: [0.0; MAX_CLASSES] })
    }

    /// The values, one per class, idle first.
    pub fn as_slice(&self) -> &[f64] {
        &self.values[..usize::from(self.n_classes)]
    }

    /// The values, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.values[..usize::from(self.n_classes)]
    }
}

impl TryFrom<Vec<f64>> for Posterior {
    type Error = TooManyClasses;
    fn try_from(values: Vec<f64>) -> Result<Self, TooManyClasses> {
        let mut posterior = Self::zeros(values.len())?;
        posterior.as_mut_slice().copy_from_slice(&values);
        Ok(posterior)
    }
}

impl From<Posterior> for Vec<f64> {
    fn from(posterior: Posterior) -> Self {
        posterior.as_slice().to_vec()
    }
}

/// The decision on one window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Index of the window's last sample.
    pub end: SampleIndex,
    /// Posterior per class, idle first.
    pub posterior: Posterior,
}

impl Decision {
    /// The class decided: the largest posterior, ties to the lowest index.
    pub fn class(&self) -> ClassIdx {
        decide_class(self.posterior.as_slice())
    }
}

/// One thing that happened in a session, in the order in which it happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A window was decided.
    Decision(Decision),
    /// A window was complete but held samples that are not finite; nothing was decided.
    Unusable {
        /// Index of the window's last sample.
        end: SampleIndex,
    },
    /// Frames are missing before `at`: the filter restarts there, as at a recording's
    /// first sample, and no window spans the gap.
    Discontinuity {
        /// Index of the first frame after the gap.
        at: SampleIndex,
        /// Number of missing frames.
        n_missing: u64,
    },
    /// A marker arrived.
    Marker(Marker),
}
