//! The running score against the true cues, and how long decisions take.

use super::{duration, freshness_of, heading, number_role};
use crate::app::{App, Truth};
use crate::theme::Role;
use crate::widget::Pane;
use crate::widget::matrix::Matrix;
use decoding::evaluate::running::ScoreSummary;

/// nMCC of guessing, at any balance of the classes.
const CHANCE_NMCC: f64 = 0.5;

/// Draws the score: nMCC with its 95 % interval, ITR, what may be claimed, and the
/// confusion matrix.
pub fn draw_score(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let stamped = app.picture().score.as_ref();
    let score = stamped.map(|s| &s.value);
    let freshness = freshness_of(app, stamped.map(|s| s.at_secs));
    let note = score.map_or(String::new(), |s| format!("{} windows", s.n_windows));
    heading(pane, "Score", &note, freshness);
    if app.session.truth == Truth::Unknown {
        pane.text(1, 1, "no true cues: nothing to score", Role::Dim);
        return;
    }
    let role = number_role(freshness);
    let interval = score.and_then(|s| s.interval);
    let interval = interval.map(|i| format!("[{:.3}, {:.3}]  95 %", i.lower, i.upper));
    let nmcc = score.and_then(|s| s.nmcc).map(|v| format!("{v:.3}"));
    value(pane, 1, "nMCC", (nmcc, role), &interval.unwrap_or_default());
    let itr = score.and_then(|s| s.itr_bits_per_min).map(|v| format!("{v:.1}"));
    let itr_interval = score.and_then(|s| s.itr_interval);
    let itr_interval = itr_interval.map(|i| format!("  [{:.1}, {:.1}]", i.lower, i.upper));
    value(pane, 2, "ITR", (itr, role), &format!("bit/min{}", itr_interval.unwrap_or_default()));
    let mut y = 3;
    if height >= 6 {
        pane.text(1, y, verdict(score), Role::Dim);
        y += 1;
    }
    if height >= 10 {
        pane.text(1, y + 1, "rows true, columns decided", Role::Dim);
        y += 2;
    }
    confusion(&mut pane.part(1, y, width, height), app, score);
}

/// A name, a number that ends in the same column in every row, and what belongs to it.
fn value(pane: &mut Pane, y: u16, name: &str, number: (Option<String>, Role), after: &str) {
    pane.text(1, y, name, Role::Text);
    let (text, role) = number;
    match text {
        Some(text) => {
            pane.text_until(0, 12, y, &text, role);
            pane.text(13, y, after, Role::Text);
        }
        None => {
            pane.text_until(0, 12, y, "-", Role::Dim);
        }
    }
}

/// In words, what the interval allows to be claimed.
fn verdict(score: Option<&ScoreSummary>) -> &'static str {
    match score.map(|s| (s.nmcc, s.interval)) {
        None | Some((None, _)) => "no score before two true classes",
        Some((Some(_), None)) => "too little yet for a 95 % interval",
        Some((Some(_), Some(interval))) => {
            if interval.lower > CHANCE_NMCC {
                "interval above 0.5 (chance)"
            } else if interval.upper < CHANCE_NMCC {
                "interval below 0.5 (chance)"
            } else {
                "interval holds 0.5 (chance)"
            }
        }
    }
}

/// The counts, of the task classes alone where idle is not scored.
fn confusion(pane: &mut Pane, app: &App, score: Option<&ScoreSummary>) {
    let n_classes = score.map_or(app.symbols.len(), |s| s.confusion.n_classes());
    let none = vec![0; n_classes * n_classes];
    let counts = score.map_or(none.as_slice(), |s| s.confusion.as_slice());
    let first_class = app.symbols.len().saturating_sub(n_classes);
    Matrix { counts, symbols: &app.symbols[first_class..], first_class }.draw(pane);
}

/// Draws how long decisions take.
pub fn draw_latency(pane: &mut Pane, app: &App) {
    let stamped = app.picture().latency.as_ref();
    let freshness = freshness_of(app, stamped.map(|s| s.at_secs));
    let note = stamped.map_or(String::new(), |s| format!("{} decisions", s.value.n));
    heading(pane, "Latency", &note, freshness);
    let micro = pane.theme.pick("µ", "u");
    let latency = stamped.map(|s| s.value).filter(|latency| latency.n > 0);
    let values = [
        ("p50", latency.map(|l| l.p50_nanos)),
        ("p99", latency.map(|l| l.p99_nanos)),
        ("max", latency.map(|l| l.max_nanos)),
    ];
    let mut x = 1;
    for (name, nanos) in values {
        let text = nanos.map_or("-".into(), |nanos| duration(nanos as f64 * 1e-9, micro));
        x = pane.text(x, 1, name, Role::Dim) + 1;
        x = pane.text(x, 1, &text, number_role(freshness)) + 2;
    }
}
