//! What happened, newest first.

use super::heading;
use crate::app::notices::Level;
use crate::app::{App, Freshness};
use crate::theme::Role;
use crate::widget::{Pane, cut};

/// Draws the list without its newest `n_skipped` entries.
pub fn draw(pane: &mut Pane, app: &App, n_skipped: usize) {
    let (width, height) = (pane.width(), pane.height());
    let note = match app.notices.n_forgotten() {
        0 => format!("{}", app.notices.len()),
        n => format!("{}, {n} older forgotten", app.notices.len()),
    };
    heading(pane, "Events", &note, Freshness::Fresh);
    if app.notices.is_empty() {
        pane.text(1, 1, "none", Role::Dim);
    }
    let rows = usize::from(height.saturating_sub(1));
    for (i, notice) in app.notices.newest_first().skip(n_skipped).take(rows).enumerate() {
        let y = 1 + i as u16;
        let (mark, role) = match notice.level {
            Level::Info => (" ", Role::Text),
            Level::Warning => ("!", Role::Warn),
        };
        let ago = app.now_secs - notice.at_secs;
        pane.text_until(0, 8, y, &format!("-{}", super::age(ago)), Role::Dim);
        pane.text(9, y, mark, role);
        pane.text(11, y, &cut(&notice.text, width.saturating_sub(11)), role);
    }
}
