//! A homeostatic governor of step sizes: candidates are judged on a short memory before
//! one is taken.
//!
//! It knows nothing of what is being learned: the caller simulates a step of each size
//! and says how well it would have done.

use acquisition::marker::ClassIdx;
use serde::{Deserialize, Serialize};

/// No rate falls below this.
pub const LEAST_RATE: f64 = 1e-8;

/// Most values that candidates are judged on: each of them is looked at twice per step.
pub const MAX_MEMORY: usize = 1000;

/// Where a governor starts and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GovernorParams {
    /// Rate at the start; it changes by tenths of it.
    pub initial_rate: f64,
    /// No rate rises above this: 1 for a share of a mean.
    pub largest_rate: f64,
    /// Number of latest values that candidates are judged on, each of them twice a step:
    /// hundreds of covariances take longer than a hop.
    pub n_memory: usize,
}

impl Default for GovernorParams {
    /// Starts at 0.05, at most 1, and judges on the last 20 values.
    fn default() -> Self {
        Self { initial_rate: 0.05, largest_rate: 1.0, n_memory: 20 }
    }
}

impl GovernorParams {
    /// Whether a governor can begin so.
    ///
    /// # Errors
    /// What they have to be, in words.
    pub fn check(self) -> Result<(), &'static str> {
        let Self { initial_rate, largest_rate, n_memory } = self;
        if !(initial_rate > 0.0 && initial_rate <= largest_rate && largest_rate.is_finite()) {
            return Err("the initial rate is above 0, and the largest not below it");
        }
        if largest_rate < LEAST_RATE {
            return Err("the largest rate is 1e-8 or more: no rate falls below that");
        }
        if !(1..=MAX_MEMORY).contains(&n_memory) {
            return Err("n_memory is 1 to 1000");
        }
        Ok(())
    }
}

/// Which way a value pushes the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Push {
    /// Up.
    Excite,
    /// Down.
    Inhibit,
}

impl Push {
    /// The upper half of the classes excites, the lower half inhibits.
    pub fn of_class(class: ClassIdx, n_classes: usize) -> Self {
        if 2 * class.index() >= n_classes { Self::Excite } else { Self::Inhibit }
    }
}

/// A rate that regulates itself.
///
/// At each step a candidate `rate ± initial/10`, up or down as what was *predicted*
/// pushes, is compared with the present rate on the memory. Only where it does better is
/// the rate changed, and then as the *truth* pushes: a wrong prediction moves it the
/// wrong way, and harm done that way is what keeps the learner alert. Where no truth is
/// known, the prediction stands for it.
///
/// # Reference
/// K. Man, A. Damasio, H. Neven: Need is all you need: homeostatic neural networks adapt
/// to concept shift (2022), arXiv 2205.08645.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governor {
    params: GovernorParams,
    rate: f64,
}

impl Governor {
    /// A governor at its initial rate.
    ///
    /// # Panics
    /// Where [`GovernorParams::check`] refuses them.
    pub fn new(params: GovernorParams) -> Self {
        assert!(params.check().is_ok(), "a governor of {params:?}");
        Self { params, rate: params.initial_rate }
    }

    /// What it was made of.
    pub fn params(&self) -> GovernorParams {
        self.params
    }

    /// The present rate.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Chooses the rate of the next step; `score` says how well the learner does on the
    /// memory after a simulated step of a given rate, larger is better.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn choose(
        &mut self,
        predicted: Push,
        truth: Push,
        mut score: impl FnMut(f64) -> f64,
    ) -> f64 {
        let present = score(self.rate);
        if score(self.pushed(predicted)) > present {
            self.rate = self.pushed(truth);
        }
        self.rate
    }

    fn pushed(&self, push: Push) -> f64 {
        let step = self.params.initial_rate / 10.0;
        let rate = match push {
            Push::Excite => self.rate + step,
            Push::Inhibit => self.rate - step,
        };
        rate.clamp(LEAST_RATE, self.params.largest_rate)
    }
}
