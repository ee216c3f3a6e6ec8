//! Detection of a concept shift: a figure per window (the distance to a running mean,
//! the log-likelihood, the confidence) has left the range that it had.
//!
//! It says that something has changed, not what.

use serde::{Deserialize, Serialize};

/// Cumulative sums on both sides of a reference.
///
/// The first `n_reference` values give mean `m` and standard deviation `s` (ddof 1).
/// After that, with `z = (value - m) / s`:
/// `up = max(0, up + z - allowance)`, `down = max(0, down - z - allowance)`, and an alarm
/// where either is above `threshold`. Then a new reference is learned.
///
/// For independent normal values and a long reference, false alarms are about
/// `(exp(2 a b) - 2 a b - 1) / (4 a^2)` values apart (Siegmund), `a` the allowance and
/// `b = threshold + 1.166`: 470 at (0.5, 5), 9,700 at (0.5, 8). A short reference, and
/// windows that overlap and so are not independent, alarm more often: pass one value in
/// as many hops as a window is long.
///
/// # Reference
/// E. Page: Continuous inspection schemes (1954), doi 10.1093/biomet/41.1-2.100.
/// D. Siegmund: Sequential Analysis (1985), doi 10.1007/978-1-4757-1862-1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShiftParams {
    /// Values that the reference is learned from, 2 at least.
    pub n_reference: u64,
    /// Half of the smallest shift that matters, in standard deviations.
    pub allowance: f64,
    /// Height of the alarm, in standard deviations.
    pub threshold: f64,
}

impl Default for ShiftParams {
    /// Reference of 100 values, allowance 0.5, threshold 8.
    fn default() -> Self {
        Self { n_reference: 100, allowance: 0.5, threshold: 8.0 }
    }
}

impl ShiftParams {
    /// Whether a detector can begin so.
    ///
    /// # Errors
    /// What they have to be, in words.
    pub fn check(self) -> Result<(), &'static str> {
        if self.n_reference < 2 {
            return Err("the reference is of 2 values at least: one has no spread");
        }
        let is_positive = |x: f64| x > 0.0 && x.is_finite();
        if !is_positive(self.allowance) || !is_positive(self.threshold) {
            return Err("allowance and threshold are above 0: else there is an alarm at once");
        }
        Ok(())
    }
}

/// What a value has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The reference is still being learned.
    Learning,
    /// Nothing has changed that is to be seen yet.
    Steady,
    /// The values have risen, probably from this many values ago on.
    Risen {
        /// Length of the rise.
        n_since: u64,
    },
    /// The values have fallen, probably from this many values ago on.
    Fallen {
        /// Length of the fall.
        n_since: u64,
    },
}

/// A detector with its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShiftDetector {
    params: ShiftParams,
    n_seen: u64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    up: Sum,
    down: Sum,
}

/// A cumulative sum, and how many values ago it was last 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    height: f64,
    n_since: u64,
}

impl Sum {
    fn add(&mut self, excess: f64) {
        self.height += excess;
        self.n_since += 1;
        if self.height <= 0.0 {
            *self = Self::default();
        }
    }
}

impl ShiftDetector {
    /// A detector that has seen nothing.
    ///
    /// # Panics
    /// Where [`ShiftParams::check`] refuses the parameters.
    pub fn new(params: ShiftParams) -> Self {
        assert!(params.check().is_ok(), "a detector of {params:?}");
        let (up, down) = (Sum::default(), Sum::default());
        Self { params, n_seen: 0, mean: 0.0, squares: 0.0, up, down }
    }

    /// Takes up the next value; one that is not finite is left out.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn push(&mut self, value: f64) -> Verdict {
        let is_learning = self.n_seen < self.params.n_reference;
        if value.is_finite() && is_learning {
            self.n_seen += 1;
            let deviation = value - self.mean;
            self.mean += deviation / self.n_seen as f64;
            self.squares += deviation * (value - self.mean);
        }
        if is_learning {
            return Verdict::Learning;
        }
        if !value.is_finite() {
            return Verdict::Steady;
        }
        let std = (self.squares / (self.params.n_reference - 1) as f64).sqrt();
        let deviation = value - self.mean;
        // Beside a reference that did not vary, every change is a large one.
        let z = if deviation == 0.0 { 0.0 } else { deviation / std };
        self.up.add(z - self.params.allowance);
        self.down.add(-z - self.params.allowance);
        let verdict = if self.up.height > self.params.threshold {
            Verdict::Risen { n_since: self.up.n_since }
        } else if self.down.height > self.params.threshold {
            Verdict::Fallen { n_since: self.down.n_since }
        } else {
            return Verdict::Steady;
        };
        *self = Self::new(self.params);
        verdict
    }
}
