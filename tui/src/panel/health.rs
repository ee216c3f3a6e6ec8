//! The line that is always there: rate, backlog, loss; and the same as a table.

use super::{age, freshness_of, heading};
use crate::app::{App, Freshness, Liveness};
use crate::theme::Role;
use crate::widget::{Pane, columns};
use acquisition::health::HealthSnapshot;

/// Share by which the effective rate may differ from the nominal one.
const RATE_TOLERANCE: f64 = 0.05;

/// Age of the backlog from which it is marked.
const BACKLOG_SECS: f64 = 0.5;

/// One fact: name, value, whether it needs attention.
struct Fact {
    long: String,
    short: String,
    role: Role,
}

/// Draws the line. The wording is the longest that fits; where even the shortest is
/// too long, `n_skipped` lets a caller put the rest on further lines.
pub fn line(pane: &mut Pane, app: &App) {
    let facts = facts(app);
    let total = |text: fn(&Fact) -> &String| {
        facts.iter().map(|f| columns(text(f)) + 2).sum::<u16>().saturating_sub(1)
    };
    let text: fn(&Fact) -> &String =
        if total(|f| &f.long) <= pane.width() { |f| &f.long } else { |f| &f.short };
    let mut x = 1;
    for fact in &facts {
        x = pane.text(x, 0, text(fact), fact.role) + 2;
    }
}

/// Draws the facts one below the other, as many as fit: for very small terminals.
pub fn stacked(pane: &mut Pane, app: &App) {
    for (y, fact) in facts(app).iter().enumerate() {
        pane.text(0, y as u16, &fact.short, fact.role);
    }
}

/// Draws all counters.
pub fn table(pane: &mut Pane, app: &App) {
    let health = app.health.as_ref();
    let freshness = freshness_of(app, health.map(|h| h.at_secs));
    heading(pane, "Stream", state(app).0.as_str(), freshness);
    let info = &app.session.info;
    let count = |n: fn(&HealthSnapshot) -> u64| {
        health.map_or("-".into(), |h| n(&h.value.counters).to_string())
    };
    let rows = [
        ("name", info.name.clone()),
        ("source", info.source_id.clone()),
        ("host", info.host.clone()),
        ("nominal", format!("{} Hz", info.rate.hz())),
        ("effective", effective(app)),
        ("received", count(|c| c.n_received)),
        ("dropped", count(|c| c.n_dropped)),
        ("lost", count(|c| c.n_lost)),
        ("NaN samples", count(|c| c.n_nan_samples)),
        ("recoveries", count(|c| c.n_recoveries)),
        ("clock steps", count(|c| c.n_clock_resets)),
        ("lost probes", count(|c| c.n_failed_probes)),
        ("markers", markers(app)),
    ];
    for (y, (name, value)) in rows.iter().enumerate() {
        pane.text(1, 1 + y as u16, name, Role::Dim);
        let value = if value.is_empty() { "-" } else { value };
        pane.text(13, 1 + y as u16, value, Role::Text);
    }
}

fn markers(app: &App) -> String {
    app.health.as_ref().map_or("-".into(), |h| {
        let HealthSnapshot { n_dropped_markers, n_late_markers, .. } = h.value.counters;
        format!("{n_dropped_markers} dropped, {n_late_markers} late")
    })
}

fn effective(app: &App) -> String {
    let hz = app.health.as_ref().and_then(|h| h.value.effective_hz);
    hz.map_or("-".into(), |hz| format!("{hz:.1} Hz"))
}

fn facts(app: &App) -> Vec<Fact> {
    let nominal_hz = app.session.info.rate.hz();
    let stamped = app.health.as_ref();
    let health = stamped.map(|h| h.value);
    let freshness = freshness_of(app, stamped.map(|h| h.at_secs));
    let role = |attention: bool| match (freshness, attention) {
        (_, true) => Role::Warn,
        (Freshness::Old { .. }, false) => Role::Dim,
        (_, false) => Role::Text,
    };
    let fact = |long: String, short: String, attention| Fact { long, short, role: role(attention) };
    let hz = health.and_then(|h| h.effective_hz);
    let hz_text = hz.map_or("-".into(), |hz| format!("{hz:.1}"));
    let off = hz.is_some_and(|hz| (hz / nominal_hz - 1.0).abs() > RATE_TOLERANCE);
    let backlog = health.map_or("-".into(), |h| format!("{:.2} s", h.backlog_secs));
    let late = health.is_some_and(|h| h.backlog_secs > BACKLOG_SECS);
    let mut facts = Vec::with_capacity(5);
    if let Freshness::Old { age_secs } = freshness {
        let text = format!("{} OLD:", age(age_secs));
        facts.push(Fact { long: text.clone(), short: text, role: Role::Warn });
    }
    facts.push(fact(
        format!("rate {hz_text} of {nominal_hz} Hz"),
        format!("{hz_text}/{nominal_hz} Hz"),
        off,
    ));
    facts.push(fact(format!("backlog {backlog}"), format!("lag {backlog}"), late));
    let counters: [(&str, fn(&HealthSnapshot) -> u64); 3] =
        [("dropped", |c| c.n_dropped), ("lost", |c| c.n_lost), ("NaN", |c| c.n_nan_samples)];
    for (name, n) in counters {
        let value = health.map(|h| n(&h.counters));
        let text = value.map_or("-".into(), |n| n.to_string());
        let attention = value.is_some_and(|n| n > 0);
        facts.push(fact(format!("{name} {text}"), format!("{} {text}", short(name)), attention));
    }
    facts
}

fn short(name: &str) -> &str {
    if name == "dropped" { "drop" } else { name }
}

/// The state of the stream in big words, and its role.
pub fn state(app: &App) -> (String, Role) {
    match app.liveness {
        Liveness::Waiting { since_secs } => {
            (format!("WAITING {}", age(app.now_secs - since_secs)), Role::Warn)
        }
        Liveness::Live { .. } => ("LIVE".into(), Role::Good),
        Liveness::Stale { newest_secs } => {
            (format!("STALE for {}", age(app.now_secs - newest_secs)), Role::Alarm)
        }
        Liveness::Ended => ("ENDED".into(), Role::Strong),
    }
}
