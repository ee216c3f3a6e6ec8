//! From a sender's raw time stamps to sample indices and offsets between clocks.
//! Pure arithmetic: every instant is an argument, nothing here reads a clock, and
//! nothing here is LSL's own post-processing, which hides gaps.
//!
//! - [`OffsetFilter`]: the offset between the sender's clock and ours, from probes
//!   whose round trips differ in quality.
//! - [`Dejitter`]: which frame is which, when stamps jitter and frames get lost.
//!
//! Terms: the *residual* of a frame is its stamp minus the instant at which the
//! frames before it let expect it. Lateness gives a residual that goes away with the
//! frames that follow; lost frames give one that stays.

mod dejitter;
mod offset;

pub use dejitter::{Accepted, Dejitter, MIN_GAP_FRAMES};
pub use offset::{OffsetFilter, Probe};
