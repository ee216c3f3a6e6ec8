//! Scrolling traces with the quality of each channel.

use super::{freshness_of, heading};
use crate::app::quality::Quality;
use crate::app::{App, Truth};
use crate::theme::Role;
use crate::widget::trace::Trace;
use crate::widget::{Pane, columns, cut};
use acquisition::signal::Unit;

/// Columns for a pointer, the label and a quality mark: enough for the longest label,
/// within bounds, so that channels whose labels begin alike are told apart.
fn label_columns(app: &App) -> u16 {
    let labels = app.session.info.channels.iter().map(|channel| columns(&channel.label));
    labels.max().unwrap_or(0).saturating_add(2).clamp(8, 12)
}

/// Draws the panel.
pub fn draw(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let picture = app.picture();
    let channels = &app.session.info.channels;
    let n_bad = picture.quality.iter().filter(|quality| quality.is_bad()).count();
    let name = if n_bad == 0 { "Signals".into() } else { format!("Signals  {n_bad} bad") };
    heading(pane, &name, &scales(pane, app), freshness_of(app, picture.samples_at_secs));
    if channels.is_empty() {
        pane.text(1, 1, "no channels", Role::Dim);
        return;
    }
    let rows = usize::from(height.saturating_sub(2));
    let each = (rows / channels.len()).clamp(2, 6).min(rows.max(1));
    let n_shown = (rows / each).clamp(1, channels.len());
    let first = app.channel.saturating_sub(n_shown / 2).min(channels.len() - n_shown);
    let label_columns = label_columns(app);
    for (slot, c) in (first..first + n_shown).enumerate() {
        let mut band = pane.part(0, 1 + (slot * each) as u16, width, each as u16);
        if usize::from(height) > 1 + slot * each {
            channel(&mut band, app, c, label_columns);
        }
    }
    axis(pane, app, height.saturating_sub(1), n_shown < channels.len());
}

/// The scales, as text: `±50 µV  5 s`.
fn scales(pane: &Pane, app: &App) -> String {
    let unit = app.session.info.channels.get(app.channel).map_or(Unit::Unknown, |c| c.unit);
    let (sign, symbol) = (pane.theme.pick("±", "+-"), pane.theme.unit(unit));
    format!("{sign}{} {symbol}  {:.0} s", app.scale.amplitude(unit), app.scale.span_secs())
}

fn channel(pane: &mut Pane, app: &App, c: usize, label_columns: u16) {
    let picture = app.picture();
    let info = &app.session.info.channels[c];
    let chosen = c == app.channel;
    let role = if chosen { Role::Chosen } else { Role::Text };
    if chosen {
        pane.text(0, 0, pane.theme.pick("▸", ">"), role);
    }
    pane.text(1, 0, &cut(&info.label, label_columns - 2), role);
    quality(pane, label_columns, picture.quality.get(c).copied().unwrap_or(Quality::Unknown));
    let rate_hz = app.session.info.rate.hz();
    let span_samples = app.scale.span_secs() * rate_hz;
    let samples = picture.history.window(c, span_samples.ceil() as usize + 1);
    let trace = Trace {
        samples,
        end: picture.history.end().0,
        span_samples,
        amplitude: app.scale.amplitude(info.unit),
        role: if chosen { Role::Chosen } else { Role::Trace },
    };
    let (width, height) = (pane.width(), pane.height());
    trace.draw(&mut pane.part(label_columns, 0, width, height));
}

/// The quality below the label, or as one letter beside it where there is one row.
fn quality(pane: &mut Pane, label_columns: u16, quality: Quality) {
    let role = if quality.is_bad() { Role::Warn } else { Role::Dim };
    if pane.height() > 1 {
        pane.text(1, 1, quality.word(), role);
    } else if quality.is_bad() {
        pane.text(label_columns - 1, 0, "!", role);
    }
}

/// The time axis, with the true cues on it.
fn axis(pane: &mut Pane, app: &App, y: u16, more: bool) {
    let (width, label_columns) = (pane.width(), label_columns(app));
    if y == 0 || width <= label_columns {
        return;
    }
    if more {
        let n = app.session.info.n_channels();
        pane.text(0, y, &cut(&format!("{}/{n}", app.channel + 1), label_columns - 1), Role::Dim);
    }
    let span_secs = app.scale.span_secs();
    let after = pane.text(label_columns, y, &format!("-{span_secs:.0} s"), Role::Dim) + 1;
    pane.text_until(after, width, y, "0 s", Role::Dim);
    if app.session.truth == Truth::Unknown {
        return;
    }
    let end_secs = app.session.info.rate.secs(app.picture().history.end());
    let n_columns = f64::from(width - label_columns);
    for cue in &app.picture().cues {
        let share = 1.0 - (end_secs - cue.onset_secs) / span_secs;
        let x = label_columns + (share.max(0.0) * n_columns) as u16;
        // The numbers at both ends stay readable.
        if (0.0..1.0).contains(&share) && x >= after && x + 4 < width {
            pane.glyph(x, y, app.symbol(cue.class), Role::Badge(cue.class.index()));
        }
    }
}
