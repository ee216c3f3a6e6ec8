//! What is said when a session is over.

use super::text::note;
use crate::runtime::Outcome;
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Prints the session's account on standard error; fails where the log is incomplete.
pub fn conclude(outcome: &Outcome) -> Result<ExitCode> {
    let (summary, health) = (&outcome.summary, &outcome.health);
    let score = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    note(format!(
        "{} decisions ({} windows not usable), nMCC {}, ITR {} bits/min; frames: {} received, {} lost, {} dropped",
        summary.n_decisions,
        summary.n_unusable,
        score(summary.score.nmcc),
        score(summary.score.itr_bits_per_min),
        health.n_received,
        health.n_lost,
        health.n_dropped,
    ));
    if outcome.n_dropped_events > 0 {
        note(format!("{} events did not reach a listener in time", outcome.n_dropped_events));
    }
    if let Some(failure) = &summary.log_failure {
        bail!("{failure}");
    }
    Ok(ExitCode::SUCCESS)
}
