//! Where everything goes. Reads the state and draws it; changes nothing.
//!
//! From 60 columns by 16 rows on there is a header, a body and two lines below it;
//! the body shows more the more room it has. Below that, the facts that matter most
//! are stacked, as many as fit.

use crate::app::{App, Display, Freshness, Help, Screen};
use crate::panel::{age, decoder, events, health, help, metrics, psd, signals};
use crate::theme::{GlyphMode, Role, Theme};
use crate::widget::{Pane, columns, cut};
use ratatui::Frame;
use ratatui::buffer::Buffer;

/// Smallest terminal with panels.
const PANELS_FROM: (u16, u16) = (60, 16);

/// Terminal from which everything is shown at once.
const ALL_FROM: (u16, u16) = (120, 36);

/// Seconds that a warning takes the place of the key hints.
const WARNING_SECS: f64 = 10.0;

/// Shown wherever simulated data is.
const SIMULATED: &str = " SIMULATED ";

/// Draws one frame, for any size of terminal.
pub fn view(app: &App, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let mut pane = Pane::new(buffer, area, *theme);
    let (width, height) = (pane.width(), pane.height());
    if width < PANELS_FROM.0 || height < PANELS_FROM.1 {
        match app.help {
            Help::Hidden => tiny(&mut pane, app),
            Help::Shown => help::draw(&mut pane),
        }
    } else {
        header(&mut pane.part(0, 0, width, 1), app);
        screen(&mut pane.part(0, 1, width, height - 3), app);
        if app.help == Help::Shown {
            let (w, h) = (64.min(width), 20.min(height - 3));
            help::draw(&mut pane.part((width - w) / 2, 1 + (height - 3 - h) / 2, w, h));
        }
        health::line(&mut pane.part(0, height - 2, width, 1), app);
        last_line(&mut pane.part(0, height - 1, width, 1), app);
    }
    if theme.glyphs == GlyphMode::Ascii {
        only_ascii(buffer);
    }
}

/// What is badged beside the state of the stream.
fn badges(app: &App) -> Vec<(String, Role)> {
    let (word, role) = health::state(app);
    let mut badges = vec![(format!(" {word} "), role)];
    if let Display::Paused { since_secs, .. } = app.display {
        let paused = format!(" PAUSED {} ", age(app.now_secs - since_secs));
        badges.insert(0, (paused, Role::Alarm));
    }
    badges
}

/// Name and mode on the left, what state things are in on the right; between them
/// what there is room for.
fn header(pane: &mut Pane, app: &App) {
    let info = &app.session.info;
    let mut right = pane.width();
    for (text, role) in badges(app).iter().rev() {
        if pane.text_until(0, right, 0, text, *role) {
            right -= columns(text);
        }
    }
    let mut x = pane.text(1, 0, "mindloop", Role::Title) + 1;
    x = pane.text(x, 0, app.session.mode.name(), Role::Text) + 1;
    if info.simulated {
        x = pane.text(x, 0, SIMULATED, Role::Alarm) + 1;
    }
    let rate = info.rate;
    let window_secs = app.session.window.window_samples as f64 / rate.hz();
    let step_secs = app.session.window.step_samples as f64 / rate.hz();
    let facts = [
        format!("{} ch", info.n_channels()),
        cut(&app.session.pipeline, 24),
        format!("{window_secs:.1} s / {step_secs:.2} s"),
    ];
    let name_room = if pane.width() >= ALL_FROM.0 { 40 } else { 14 };
    let facts = std::iter::once(cut(&info.name, name_room)).chain(facts);
    for fact in facts {
        if x + columns(&fact) + 2 > right {
            break;
        }
        x = pane.text(x + 1, 0, &fact, Role::Text) + 1;
    }
}

fn screen(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    match app.screen {
        Screen::Overview if width >= ALL_FROM.0 && height >= ALL_FROM.1 => everything(pane, app),
        Screen::Overview => overview(pane, app),
        Screen::Signals => signals::draw(pane, app),
        Screen::Spectrum => psd::draw(pane, app),
        Screen::Decoder => {
            let left = width / 2;
            decoder::draw(&mut pane.part(0, 0, left - 1, height), app);
            metrics::draw_score(&mut pane.part(left, 0, width, height - 3), app);
            metrics::draw_latency(&mut pane.part(left, height - 3, width, 3), app);
        }
        Screen::Events { n_skipped } => {
            let below = health::table_rows(width).min(height / 2);
            health::table(&mut pane.part(0, 0, width, below), app);
            events::draw(&mut pane.below(below), app, n_skipped);
        }
    }
}

/// Traces on the left; decision, score and latency on the right.
fn overview(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let right = (width * 19 / 40).clamp(28, 60);
    let left = width - right;
    signals::draw(&mut pane.part(0, 0, left - 1, height), app);
    let n_classes = app.session.class_names.len() as u16;
    let latency = 2;
    let wanted = 5 + n_classes;
    let decoder_rows = wanted.min((height - latency) / 2 + 1);
    decoder::draw(&mut pane.part(left, 0, right, decoder_rows), app);
    let score_rows = height.saturating_sub(decoder_rows + latency);
    metrics::draw_score(&mut pane.part(left, decoder_rows, right, score_rows), app);
    metrics::draw_latency(&mut pane.part(left, height - latency, right, latency), app);
}

/// Every panel at once.
fn everything(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let right = (width * 2 / 5).min(80);
    let left = width - right;
    let spectrum = (height / 3).min(16);
    signals::draw(&mut pane.part(0, 0, left - 1, height - spectrum), app);
    psd::draw(&mut pane.part(0, height - spectrum, left - 1, spectrum), app);
    let n_classes = (app.session.class_names.len() as u16).min(16);
    let decoder_rows = (11 + n_classes).min(height / 2);
    decoder::draw(&mut pane.part(left, 0, right, decoder_rows), app);
    let score_rows = (8 + n_classes).min(height.saturating_sub(decoder_rows + 8));
    metrics::draw_score(&mut pane.part(left, decoder_rows, right, score_rows), app);
    let y = decoder_rows + score_rows;
    metrics::draw_latency(&mut pane.part(left, y, right, 3), app);
    events::draw(&mut pane.part(left, y + 3, right, height), app, 0);
}

/// The newest warning while it is new, else what the keys do.
fn last_line(pane: &mut Pane, app: &App) {
    let width = pane.width();
    let warning = app.notices.newest_warning();
    if let Some(notice) = warning.filter(|n| app.now_secs - n.at_secs < WARNING_SECS) {
        pane.text(1, 0, &cut(&format!("! {}", notice.text), width.saturating_sub(2)), Role::Warn);
        return;
    }
    let hints = [
        ("q", "quit"),
        ("space", "pause"),
        ("?", "help"),
        ("1-5", "screens"),
        ("up/down", "channel"),
        ("+ -", "amplitude"),
        ("[ ]", "time"),
    ];
    let mut x = 1;
    for (key, meaning) in hints {
        if x + columns(key) + columns(meaning) + 1 > width {
            break;
        }
        x = pane.text(x, 0, key, Role::Strong) + 1;
        x = pane.text(x, 0, meaning, Role::Dim) + 2;
    }
}

/// The facts that matter most, one per row: state, decision, health, score.
fn tiny(pane: &mut Pane, app: &App) {
    let (width, height) = (pane.width(), pane.height());
    let mut x = 0;
    for (text, role) in badges(app) {
        x = pane.text(x, 0, text.trim(), role) + 1;
    }
    if app.session.info.simulated {
        let word = if x + columns(SIMULATED) <= width + 2 { SIMULATED.trim() } else { "SIM" };
        pane.text_until(0, width, 0, word, Role::Alarm);
    }
    let decision = app.picture().decision.as_ref();
    let freshness = decision.map(|d| app.freshness(d.at_secs));
    let (word, role) = decoder::word(app, freshness.unwrap_or(Freshness::Fresh));
    pane.text(0, 1, &cut(&aged(&word, freshness), width), role);
    let y = 2 + health::wrapped(&mut pane.part(0, 2, width, height), app);
    let score = app.picture().score.as_ref();
    let nmcc = score.and_then(|s| s.value.nmcc);
    let text = nmcc.map_or("nMCC -".into(), |nmcc| format!("nMCC {nmcc:.3}"));
    let freshness = score.map(|s| app.freshness(s.at_secs));
    pane.text(0, y, &aged(&text, freshness), Role::Text);
}

/// A text with its age, where what it says is not fresh.
fn aged(text: &str, freshness: Option<Freshness>) -> String {
    match freshness {
        Some(Freshness::Old { age_secs }) => format!("{text}  {} OLD", age(age_secs)),
        _ => text.to_owned(),
    }
}

/// Replaces what is not ASCII, whoever drew it.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol("?");
        }
    }
}

#[cfg(test)]
mod tests;
