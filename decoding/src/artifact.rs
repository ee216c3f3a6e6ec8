//! What is not brain: channels that are bad, artefacts that are cleaned, windows that are
//! refused.
//!
//! | what | where | live |
//! |---|---|---|
//! | flat, noisy, lonely and unpredictable channels | [`bad_channels`] | no: a whole recording |
//! | bursts replaced by what the other directions say | [`asr`] | frame by frame, late by its lookahead |
//! | eye movements regressed out | [`eog_regression`] | frame by frame, no delay |
//! | a gate on a window's covariance | [`potato`] | window by window |
//!
//! Everything is fitted on a calibration and has another type when it is: an unfitted
//! method can't clean.

pub mod asr;
pub mod bad_channels;
pub mod eog_regression;
pub mod potato;
mod special;
