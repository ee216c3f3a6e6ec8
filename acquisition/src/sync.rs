//! From a sender's raw time stamps to sample indices and offsets between clocks.
//! Pure arithmetic: every instant is an argument, nothing here reads a clock, and
//! nothing here is LSL's own post-processing, which hides gaps.
//!
//! - [`OffsetFilter`]: the offset between the sender's clock and ours, from probes
//!   whose round trips differ in quality.
//! - [`Dejitter`]: which frame is which, when stamps jitter and frames get lost.
//! - [`monotonize`]: stamps that never go back.
//!
//! Terms: the *residual* of a frame is its stamp minus the instant at which the
//! frames before it let expect it. Lateness gives a residual that goes away with the
//! frames that follow; lost frames give one that stays.

mod dejitter;
mod offset;

pub use dejitter::{Accepted, Dejitter, MIN_GAP_FRAMES};
pub use offset::{OffsetFilter, Probe};

/// Raises stamps so that none lies before its predecessor; `last` is the stamp before
/// the first one. Stamps in order are untouched.
///
/// Allocation: none.
pub fn monotonize(stamps_secs: &mut [f64], last: f64) {
    let mut floor = last;
    for stamp in stamps_secs {
        // `max` would also replace a NaN by the floor, which is what a stamp that is
        // no number deserves.
        *stamp = stamp.max(floor);
        floor = *stamp;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stamps_never_go_back(mut stamps in prop::collection::vec(-1e3_f64..1e3, 0..50), last in -1e3_f64..1e3) {
            let before = stamps.clone();
            monotonize(&mut stamps, last);
            let mut floor = last;
            for (after, before) in stamps.iter().zip(&before) {
                prop_assert!(*after >= floor && *after >= *before);
                prop_assert!(after == before || *after == floor);
                floor = *after;
            }
        }
    }
}
