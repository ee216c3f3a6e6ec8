//! Decoders that follow a drifting signal: each step uses the past alone, and every step
//! size may be governed.
//!
//! An adaptive step is a state that can be saved and read again (frozen: no steps are
//! taken between), a runtime planned from it, and calls per window: one that takes the
//! step, one that answers by the state as it stands. None looks ahead, allocates, or
//! fails: data that can't be used leaves the state as it was.
//!
//! - [`recenter`]: covariances are whitened by their running mean.
//! - [`lda`]: a linear discriminant whose pooled mean (and covariance) runs along.
//! - [`shift`]: says when a figure has left the range that it had.
//! - [`governor`]: chooses between step sizes on a short memory, before one is taken.

pub mod governor;
pub mod lda;
pub mod recenter;
pub mod shift;

use self::governor::{Governor, GovernorParams};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How much of an adaptive mean each new value takes up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Rate {
    /// `1/k` at value `k`: the mean of all so far.
    Cumulative,
    /// This share, above 0 and at most 1: the past is forgotten exponentially.
    Fixed(f64),
    /// Chosen at each step by a [`Governor`].
    Governed(GovernorParams),
}

impl Rate {
    /// Whether steps of this size can be taken at all.
    ///
    /// # Errors
    /// What the rate has to be, in words.
    pub fn check(self) -> Result<(), &'static str> {
        match self {
            Self::Cumulative => Ok(()),
            Self::Fixed(rate) if rate > 0.0 && rate <= 1.0 => Ok(()),
            Self::Fixed(_) => Err("a fixed rate is above 0 and at most 1"),
            Self::Governed(params) if params.largest_rate > 1.0 => {
                Err("the largest rate of a mean is at most 1")
            }
            Self::Governed(params) => params.check(),
        }
    }
}

/// Most values that a mean counts as: beyond this one more changes nothing.
const MAX_SEEN: u64 = 1 << 53;

/// What an adaptive step did with a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The state has moved by this share.
    Taken(f64),
    /// The value could not be used (not finite, not positive definite): the state is as
    /// it was.
    Refused,
}

/// A rate as it runs along.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Running {
    Cumulative,
    Fixed(f64),
    Governed(Governor),
}

impl Running {
    fn new(rate: Rate) -> Self {
        assert!(rate.check().is_ok(), "a rate of {rate:?}");
        match rate {
            Rate::Cumulative => Self::Cumulative,
            Rate::Fixed(rate) => Self::Fixed(rate),
            Rate::Governed(params) => Self::Governed(Governor::new(params)),
        }
    }

    /// Whether it can have come from [`Running::new`]: a file may say otherwise.
    fn is_possible(&self) -> bool {
        match self {
            Self::Cumulative => true,
            Self::Fixed(rate) => Rate::Fixed(*rate).check().is_ok(),
            Self::Governed(governor) => {
                let params = governor.params();
                let range = governor::LEAST_RATE.min(params.initial_rate)..=params.largest_rate;
                Rate::Governed(params).check().is_ok() && range.contains(&governor.rate())
            }
        }
    }

    /// Values that the governor judges on.
    fn memory(&self) -> usize {
        if let Self::Governed(governor) = self { governor.params().n_memory } else { 0 }
    }
}
