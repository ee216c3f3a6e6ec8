//! Since when a signal is whole: neither missing nor unsound samples.

/// Takes the samples of a frame over into `values`: what is not finite leaves the channel's
/// last value, or 0 in a fresh start. Whether the first `n_picked` were finite, and the
/// others.
pub(crate) fn hold(
    values: &mut [f64],
    samples: impl Iterator<Item = f32>,
    n_picked: usize,
    is_fresh: bool,
) -> [bool; 2] {
    let mut are_finite = [true; 2];
    for (k, (value, sample)) in values.iter_mut().zip(samples).enumerate() {
        if sample.is_finite() {
            *value = f64::from(sample);
        } else {
            are_finite[usize::from(k >= n_picked)] = false;
            if is_fresh {
                *value = 0.0;
            }
        }
    }
    are_finite
}

/// Sample indices from which on everything is there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sound {
    /// The first frame after a start or a gap.
    started: u64,
    /// The one after the last that held a sample which is not finite, of the channels
    /// decoded from and of those beside them.
    picked: u64,
    beside: u64,
}

impl Sound {
    /// Frames begin anew at `at`.
    pub fn restart(&mut self, at: u64) {
        *self = Self { started: at, picked: at, beside: at };
    }

    /// Takes note of the frame at `at`.
    pub fn frame(&mut self, at: u64, is_picked_finite: bool, is_beside_finite: bool) {
        if !is_picked_finite {
            self.picked = at + 1;
        }
        if !is_beside_finite {
            self.beside = at + 1;
        }
    }

    /// Whether the channels decoded from are whole from `first` to the newest frame.
    pub fn holds_from(&self, first: u64) -> bool {
        first >= self.picked
    }

    /// The same of a signal that is late by `delay` frames, and may depend on the channels
    /// beside.
    pub fn holds_late(&self, first: u64, delay: u64, reads_beside: bool) -> bool {
        first.checked_sub(delay).is_some_and(|first| {
            first >= self.started && first >= self.picked && (!reads_beside || first >= self.beside)
        })
    }
}
