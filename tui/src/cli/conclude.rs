//! What is asked before a session begins, and what is said when it is over.

use super::text::note;
use crate::runtime::screen::NO_TERMINAL;
use crate::runtime::{Audience, Outcome, Outputs};
use crate::terminal;
use anyhow::{Context as _, Result, bail};
use std::process::ExitCode;

/// Refuses a dashboard without a terminal, before anything is waited for.
pub fn check(outputs: &Outputs) -> Result<()> {
    if outputs.headless { Ok(()) } else { terminal::check().context(NO_TERMINAL) }
}

/// Prints the session's account on standard error; fails where the session did, or
/// where its log is incomplete.
pub fn conclude(outcome: &Outcome) -> Result<ExitCode> {
    account(outcome);
    match (&outcome.failure, &outcome.summary.log_failure) {
        (Some(failure), Some(log_failure)) => bail!("{failure}; {log_failure}"),
        (Some(failure), None) | (None, Some(failure)) => bail!("{failure}"),
        (None, None) => Ok(ExitCode::SUCCESS),
    }
}

fn account(outcome: &Outcome) {
    let (summary, health) = (&outcome.summary, &outcome.health);
    let simulated = if summary.simulated { "simulated: " } else { "" };
    let score = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    note(format!(
        "{simulated}{} decisions ({} windows not usable), nMCC {}, ITR {} bits/min; frames: {} received, {} lost, {} dropped",
        summary.n_decisions,
        summary.n_unusable,
        score(summary.score.nmcc),
        score(summary.score.itr_bits_per_min),
        health.n_received,
        health.n_lost,
        health.n_dropped,
    ));
    for (audience, n_missed) in Audience::ALL.iter().zip(outcome.n_missed_events) {
        if n_missed > 0 {
            note(format!("{n_missed} events did not reach {} in time", audience.name()));
        }
    }
    if health.n_late_markers > 0 {
        note(format!(
            "{} cues came when windows under their task had been scored without them",
            health.n_late_markers
        ));
    }
}
