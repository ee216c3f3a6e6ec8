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
        match rate {
            Rate::Cumulative => Self::Cumulative,
            Rate::Fixed(rate) => {
                assert!(rate > 0.0 && rate <= 1.0, "a rate of {rate}");
                Self::Fixed(rate)
            }
            Rate::Governed(params) => Self::Governed(Governor::new(params)),
        }
    }

    /// Values that the governor judges on.
    fn memory(&self) -> usize {
        if let Self::Governed(governor) = self { governor.params().n_memory } else { 0 }
    }
}
