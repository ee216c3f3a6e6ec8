//! The newest decision, its posterior, and what was decided against what was true.

use super::{freshness_of, heading, number_role};
use crate::app::picture::TIMELINE_SECS;
use crate::app::{App, Freshness, Truth};
use crate::theme::Role;
use crate::widget::timeline::{self, Slot};
use crate::widget::{Pane, bars, columns, cut};
use acquisition::marker::ClassIdx;

/// Rows from which the newest decision is written large.
const ROOMY: u16 = 15;

/// Columns for the names of the timeline's rows.
const NAME_COLUMNS: u16 = 9;

/// Draws the panel.
pub fn draw(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let decided = app.picture().decision.as_ref();
    let freshness = freshness_of(app, decided.map(|d| d.at_secs));
    let note = decided
        .map_or(String::new(), |d| format!("t = {:.1} s", app.session.info.rate.secs(d.value.end)));
    heading(pane, "Decision", &note, freshness);
    let mut y = 1;
    if height >= ROOMY {
        badge_large(&mut pane.part(0, 2, width, 3), app, freshness);
        y = 6;
    } else {
        badge(&mut pane.part(0, 1, width, 1), app, freshness);
        y += 1;
    }
    let timeline_rows = if height >= ROOMY { 5 } else { 3 };
    let left = height.saturating_sub(y + timeline_rows);
    posterior(&mut pane.part(0, y, width, left), app, freshness);
    let n_classes = app.session.class_names.len() as u16;
    y += n_classes.min(left) + u16::from(height >= ROOMY);
    history(&mut pane.below(y), app);
}

/// What the newest window decided, and the role of its badge.
pub fn word(app: &App, freshness: Freshness) -> (String, Role) {
    let picture = app.picture();
    if picture.verdicts.back().is_some_and(|verdict| verdict.class.is_none()) {
        return ("NO DECISION".into(), Role::Alarm);
    }
    match &picture.decision {
        None => ("-".into(), Role::Dim),
        Some(decision) => {
            let class = decision.value.class();
            let role = match freshness {
                Freshness::Old { .. } => Role::Dim,
                _ if class == ClassIdx::IDLE => Role::Strong,
                _ => Role::Badge(class.index()),
            };
            (app.class_name(class).replace('_', " ").to_uppercase(), role)
        }
    }
}

fn badge(pane: &mut Pane, app: &App, freshness: Freshness) {
    let (word, role) = word(app, freshness);
    let width = pane.width();
    pane.text(1, 0, &format!(" {} ", cut(&word, width.saturating_sub(4))), role);
}

/// Three rows high and letter-spaced, to be read from across the room.
fn badge_large(pane: &mut Pane, app: &App, freshness: Freshness) {
    let (word, role) = word(app, freshness);
    let wide: String = word.chars().flat_map(|c| [c, ' ']).collect();
    let room = pane.width().saturating_sub(8);
    let wide = if columns(&wide) <= room { wide.trim_end().to_owned() } else { cut(&word, room) };
    let n_columns = (columns(&wide) + 6).min(pane.width().saturating_sub(1));
    for y in 0..3 {
        pane.fill(1, 1 + n_columns, y, " ", role);
    }
    pane.text(4, 1, &wide, role);
}

/// One bar per class; where not all fit, of the most probable ones.
fn posterior(pane: &mut Pane, app: &App, freshness: Freshness) {
    let width = pane.width();
    let values = app.picture().decision.as_ref().map(|d| d.value.posterior);
    let names = &app.session.class_names;
    let longest = names.iter().map(|name| columns(name)).max().unwrap_or(0);
    let bar_from = 3 + longest.min(width / 3) + 1;
    let value_of = |k: usize| values.as_ref().and_then(|p| p.as_slice().get(k)).copied();
    let mut shown: Vec<usize> = (0..names.len()).collect();
    if shown.len() > usize::from(pane.height()) {
        shown.sort_by(|a, b| value_of(*b).unwrap_or(0.0).total_cmp(&value_of(*a).unwrap_or(0.0)));
        shown.truncate(usize::from(pane.height()));
        shown.sort_unstable();
    }
    for (y, k) in shown.into_iter().enumerate() {
        let (y, name) = (y as u16, &names[k]);
        let role = Role::Class(k);
        pane.glyph(1, y, app.symbols[k], role);
        pane.text(3, y, &cut(name, bar_from - 4), Role::Text);
        let value = value_of(k);
        let bar_role = if number_role(freshness) == Role::Dim { Role::Dim } else { role };
        bars::lying(pane, bar_from, width.saturating_sub(6), y, value.unwrap_or(0.0), bar_role);
        let text = value.map_or("-".into(), |p| format!("{p:.2}"));
        pane.text_until(0, width.saturating_sub(1), y, &text, number_role(freshness));
    }
}

/// The timeline: truth above decisions, the newest on the right.
fn history(pane: &mut Pane, app: &App) {
    let width = pane.width();
    if width <= NAME_COLUMNS + 1 {
        return;
    }
    let columns = Columns::new(app, width - NAME_COLUMNS - 1);
    pane.text(1, 0, "true", Role::Dim);
    match app.session.truth {
        Truth::Cues { task_secs } => {
            timeline::draw(pane, NAME_COLUMNS, 0, &columns.truth(app, task_secs));
        }
        Truth::Unknown => {
            pane.text(NAME_COLUMNS, 0, "no cues in this session", Role::Dim);
        }
    }
    pane.text(1, 1, "decided", Role::Dim);
    timeline::draw(pane, NAME_COLUMNS, 1, &columns.decided(app));
    let after = pane.text(NAME_COLUMNS, 2, &format!("-{TIMELINE_SECS:.0} s"), Role::Dim);
    pane.text_until(after, width - 1, 2, "0 s", Role::Dim);
}

/// The stretches of time that the timeline's columns stand for, aligned to multiples
/// of their length, so that a block keeps its length while it scrolls.
struct Columns {
    first: i64,
    n: usize,
    each_secs: f64,
    end_secs: f64,
}

impl Columns {
    fn new(app: &App, n: u16) -> Self {
        let each_secs = TIMELINE_SECS / f64::from(n);
        let end_secs = app.picture().end_secs(app.session.info.rate);
        let first = (end_secs / each_secs).ceil() as i64 - i64::from(n);
        Self { first, n: usize::from(n), each_secs, end_secs }
    }

    fn truth(&self, app: &App, task_secs: [f64; 2]) -> Vec<Slot> {
        let slot = |i: usize| {
            let middle_secs = ((self.first + i as i64) as f64 + 0.5) * self.each_secs;
            if middle_secs < 0.0 || middle_secs > self.end_secs {
                return Slot::Nothing;
            }
            let class = app.picture().true_class(middle_secs, task_secs);
            Slot::Class(class.index(), app.symbol(class))
        };
        (0..self.n).map(slot).collect()
    }

    /// The last verdict in each column; where windows end more seldom than columns
    /// do, a verdict holds until the next, for at most two steps.
    fn decided(&self, app: &App) -> Vec<Slot> {
        let mut slots = vec![Slot::Nothing; self.n];
        let rate = app.session.info.rate;
        let step_secs = app.session.window.step_samples as f64 / rate.hz();
        let n_held = (step_secs / self.each_secs).ceil() as i64;
        for verdict in &app.picture().verdicts {
            let slot = match verdict.class {
                Some(class) => Slot::Class(class.index(), app.symbol(class)),
                None => Slot::Unusable,
            };
            let from = (rate.secs(verdict.end) / self.each_secs).floor() as i64 - self.first;
            for at in from..from + n_held.max(1) {
                if let Some(held) = usize::try_from(at).ok().and_then(|at| slots.get_mut(at)) {
                    *held = slot;
                }
            }
        }
        slots
    }
}
