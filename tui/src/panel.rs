//! The panels: each draws one part of [`crate::app::App`] on the pane it is given,
//! borrows everything and computes nothing heavier than scaling.

pub mod decoder;
pub mod events;
pub mod health;
pub mod help;
pub mod metrics;
pub mod psd;
pub mod signals;

use crate::app::{App, Freshness};
use crate::theme::Role;
use crate::widget::{Pane, cut};

/// Draws a panel's name over a rule, and on the right, where there is room, `note`;
/// what is no longer fresh says so instead, wherever there is any room.
fn heading(pane: &mut Pane, name: &str, note: &str, freshness: Freshness) {
    let width = pane.width();
    pane.fill(0, width, 0, pane.theme.pick("─", "-"), Role::Dim);
    let (note, role) = match freshness {
        Freshness::Fresh => (note.to_owned(), Role::Dim),
        Freshness::Final => (spaced(note, "final"), Role::Strong),
        Freshness::Old { age_secs } => (format!("{} OLD", age(age_secs)), Role::Warn),
    };
    let after = pane.text(0, 0, &format!("{} ", cut(name, width.saturating_sub(1))), Role::Title);
    if !note.is_empty() {
        pane.text_until(after + 1, width, 0, &format!(" {note}"), role);
    }
}

fn spaced(left: &str, right: &str) -> String {
    if left.is_empty() { right.to_owned() } else { format!("{left}  {right}") }
}

/// An age or wait in at most seven columns, rounded down; a sum of ticks that misses
/// a whole second by its rounding errors counts as that second.
pub fn age(secs: f64) -> String {
    let secs = secs + 1e-6;
    if secs < 100.0 {
        format!("{:.0} s", secs.floor())
    } else {
        format!("{:.0} min", (secs / 60.0).floor())
    }
}

/// The style of a number, by its freshness: only a fresh or final one is strong.
fn number_role(freshness: Freshness) -> Role {
    match freshness {
        Freshness::Fresh | Freshness::Final => Role::Strong,
        Freshness::Old { .. } => Role::Dim,
    }
}

/// Freshness of something that may not have come yet.
fn freshness_of(app: &App, at_secs: Option<f64>) -> Freshness {
    at_secs.map_or(Freshness::Fresh, |at| app.freshness(at))
}

/// A duration of computing with three digits, in microseconds or milliseconds.
fn duration(secs: f64, micro: &str) -> String {
    let millis = secs * 1e3;
    if !secs.is_finite() {
        "-".into()
    } else if millis < 1.0 {
        format!("{:.0} {micro}s", secs * 1e6)
    } else if millis < 10.0 {
        format!("{millis:.2} ms")
    } else if millis < 1000.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{secs:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits() {
        let shown = [0.000_087, 0.001_234, 0.045, 2.5, f64::NAN].map(|s| duration(s, "u"));
        assert_eq!(shown, ["87 us", "1.23 ms", "45 ms", "2.5 s", "-"]);
    }

    #[test]
    fn ages_are_rounded_down() {
        assert_eq!([1.9, 99.9, 185.0].map(age), ["1 s", "99 s", "3 min"]);
    }
}
