//! The help: keys, words, and what this software is not.

use super::heading;
use crate::app::Freshness;
use crate::keymap;
use crate::theme::Role;
use crate::widget::Pane;

/// Words that need explaining, and what they mean.
const WORDS: [(&str, &str); 6] = [
    ("flat", "channel without signal: electrode off?"),
    ("railed", "channel at the amplifier's limits"),
    ("large", "more than 500 uV, 20 pT or 20 pT/cm"),
    ("50 Hz", "channel full of mains hum (or 60 Hz)"),
    ("dropped", "frames that came and found no room"),
    ("lost", "frames that never came"),
];

/// Said wherever help is asked for.
pub const DISCLAIMER: &str = "Research software, not a medical device.";

/// Columns of the first word of a row.
const KEY_COLUMNS: u16 = 15;

/// Draws the help over whatever is there.
pub fn draw(pane: &mut Pane) {
    pane.clear();
    let (width, height) = (pane.width(), pane.height());
    let framed = width >= 40 && height >= 10;
    if framed {
        frame(pane);
        text(&mut pane.part(2, 0, width - 4, height - 1));
    } else {
        text(pane);
    }
}

/// Lines left, right and below, so that it stands out from what lies under it.
fn frame(pane: &mut Pane) {
    let (width, height) = (pane.width(), pane.height());
    let (upright, level) = (pane.theme.pick("│", "|"), pane.theme.pick("─", "-"));
    for y in 0..height {
        pane.text(0, y, upright, Role::Dim);
        pane.text(width - 1, y, upright, Role::Dim);
    }
    pane.fill(1, width - 1, height - 1, level, Role::Dim);
}

fn text(pane: &mut Pane) {
    heading(pane, "Help", "? or Esc closes", Freshness::Fresh);
    pane.text(0, 1, DISCLAIMER, Role::Warn);
    let mut y = 3;
    for (key, meaning) in keymap::HELP {
        pane.text(0, y, key, Role::Strong);
        pane.text(KEY_COLUMNS, y, meaning, Role::Text);
        y += 1;
    }
    y += 1;
    for (word, meaning) in WORDS {
        pane.text(0, y, word, Role::Strong);
        pane.text(KEY_COLUMNS, y, meaning, Role::Text);
        y += 1;
    }
}
