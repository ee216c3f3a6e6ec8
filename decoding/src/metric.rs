//! Scores of decisions: from a confusion matrix, from ranks, and from events.
//!
//! Maths on counts only: which windows are counted, and against which truth, is
//! [`crate::evaluate`]'s business.

pub mod auc;
pub mod confusion;
pub mod event_based;
pub mod itr;
pub mod latency;
pub mod nmcc;

pub use auc::roc_auc;
pub use confusion::Confusion;
pub use itr::{ItrOptions, ItrP, ItrT, itr_bits_per_min};
pub use latency::{LatencyRecorder, LatencySummary};
pub use nmcc::{mcc, nmcc};

#[cfg(test)]
mod tests;
