//! The line that is always there: rate, backlog, loss; and the same as a table.

use super::{age, freshness_of, heading};
use crate::app::{App, Ending, Freshness, Liveness};
use crate::theme::Role;
use crate::widget::{Pane, columns, cut};
use acquisition::health::HealthSnapshot;

/// Share by which the effective rate may differ from the nominal one.
const RATE_TOLERANCE: f64 = 0.05;

/// Age of the backlog from which it is marked.
const BACKLOG_SECS: f64 = 0.5;

/// One fact in two wordings.
struct Fact {
    long: String,
    short: String,
    role: Role,
}

/// Draws the line, in the longer wording where that fits.
pub fn line(pane: &mut Pane, app: &App) {
    let facts = facts(app);
    let n_columns = facts.iter().map(|fact| columns(&fact.long) + 2).sum::<u16>();
    let is_roomy = n_columns <= pane.width() + 1;
    let mut x = 1;
    for fact in &facts {
        let text = if is_roomy { &fact.long } else { &fact.short };
        x = pane.text(x, 0, text, fact.role) + 2;
    }
}

/// Draws the facts on as many rows as they need, for very small terminals; how many.
pub fn wrapped(pane: &mut Pane, app: &App) -> u16 {
    let (mut x, mut y) = (0, 0);
    for fact in facts(app) {
        if x > 0 && x + columns(&fact.short) > pane.width() {
            (x, y) = (0, y + 1);
        }
        x = pane.text(x, y, &fact.short, fact.role) + 2;
    }
    y + 1
}

/// Width from which the table has two columns.
const TWO_COLUMNS_FROM: u16 = 70;

/// Facts in the table.
const N_FACTS: usize = 14;

/// Rows the table takes at a width, its heading included.
pub fn table_rows(width: u16) -> u16 {
    let rows = if width >= TWO_COLUMNS_FROM { N_FACTS / 2 } else { N_FACTS };
    rows as u16 + 2
}

/// Draws all there is to say of the stream.
pub fn table(pane: &mut Pane, app: &App) {
    let health = app.health.as_ref();
    let freshness = freshness_of(app, health.map(|h| h.at_secs));
    heading(pane, "Stream", state(app).0.as_str(), freshness);
    let width = pane.width();
    let rows = if width >= TWO_COLUMNS_FROM { N_FACTS / 2 } else { N_FACTS };
    for (i, (name, value)) in table_facts(app).iter().enumerate() {
        let x = 1 + (i / rows) as u16 * (width / 2);
        let y = 1 + (i % rows) as u16;
        pane.text(x, y, name, Role::Dim);
        let value = if value.is_empty() { "-" } else { value };
        pane.text(x + 13, y, &cut(value, (width / 2).saturating_sub(15)), Role::Text);
    }
}

fn table_facts(app: &App) -> [(&'static str, String); N_FACTS] {
    let info = &app.session.info;
    let counters = app.health.as_ref().map(|h| h.value.counters);
    let count = |n: fn(&HealthSnapshot) -> u64| {
        counters.map_or("-".into(), |counters| n(&counters).to_string())
    };
    [
        ("name", info.name.clone()),
        ("source", info.source_id.clone()),
        ("host", info.host.clone()),
        ("channels", info.n_channels().to_string()),
        ("nominal", format!("{} Hz", info.rate.hz())),
        ("effective", effective(app)),
        ("markers", markers(app)),
        ("received", count(|c| c.n_received)),
        ("dropped", count(|c| c.n_dropped)),
        ("lost", count(|c| c.n_lost)),
        ("NaN samples", count(|c| c.n_nan_samples)),
        ("recoveries", count(|c| c.n_recoveries)),
        ("clock steps", count(|c| c.n_clock_resets)),
        ("lost probes", count(|c| c.n_failed_probes)),
    ]
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
    // A rate measured before the frames stopped says nothing of the present.
    let is_stale = matches!(app.liveness, Liveness::Stale { .. } | Liveness::Ended(_));
    let hz = health.and_then(|h| h.effective_hz).filter(|_| !is_stale);
    let hz_text = hz.map_or("-".into(), |hz| format!("{hz:.1}"));
    let off = is_stale || hz.is_some_and(|hz| (hz / nominal_hz - 1.0).abs() > RATE_TOLERANCE);
    let backlog = health.map_or("-".into(), |h| format!("{:.2} s", h.backlog_secs));
    let late = health.is_some_and(|h| h.backlog_secs > BACKLOG_SECS);
    let mut facts = Vec::with_capacity(5);
    if let Freshness::Old { age_secs } = freshness {
        let long = format!("{} OLD:", age(age_secs));
        facts.push(Fact { long, short: "OLD".into(), role: Role::Warn });
    }
    facts.push(fact(
        format!("rate {hz_text} of {nominal_hz} Hz"),
        format!("{hz_text}/{nominal_hz} Hz"),
        off,
    ));
    facts.push(fact(format!("backlog {backlog}"), format!("lag {backlog}"), late));
    let counters = health.map(|h| h.counters);
    let counted = [
        ("dropped", "drop", counters.map(|c| c.n_dropped)),
        ("lost", "lost", counters.map(|c| c.n_lost)),
        ("NaN", "NaN", counters.map(|c| c.n_nan_samples)),
    ];
    for (long, short, n) in counted {
        let text = n.map_or("-".into(), |n| n.to_string());
        let attention = n.is_some_and(|n| n > 0);
        facts.push(fact(format!("{long} {text}"), format!("{short} {text}"), attention));
    }
    facts
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
        Liveness::Ended(Ending::Regular) => ("ENDED".into(), Role::Strong),
        Liveness::Ended(Ending::Failure) => ("FAILED".into(), Role::Alarm),
    }
}
