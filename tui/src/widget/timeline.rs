//! Classes over time, one row of cells.

use super::Pane;
use crate::theme::{GlyphMode, Role};

/// What held during one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Nothing is known.
    Nothing,
    /// Something was there and could not be used.
    Unusable,
    /// A class, by its index, with its symbol.
    Class(usize, char),
}

/// Draws slots in row `y` from column `x` on: idle as a low line, tasks as blocks of
/// their class with the symbol where the block begins, so it reads without colour.
pub fn draw(pane: &mut Pane, x: u16, y: u16, slots: &[Slot]) {
    let mut before = Slot::Nothing;
    for (i, slot) in slots.iter().enumerate() {
        let at = x + i as u16;
        match *slot {
            Slot::Nothing => {}
            Slot::Unusable => {
                pane.text(at, y, pane.theme.pick("×", "x"), Role::Warn);
            }
            Slot::Class(0, _) => {
                pane.text(at, y, pane.theme.pick("·", "."), Role::Dim);
            }
            Slot::Class(k, symbol) => {
                let goes_on = before == *slot && pane.theme.glyphs == GlyphMode::Unicode;
                if goes_on {
                    pane.text(at, y, "▄", Role::Class(k));
                } else {
                    pane.glyph(at, y, symbol, Role::Class(k));
                }
            }
        }
        before = *slot;
    }
}
