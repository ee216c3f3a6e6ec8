//! Things that can be drawn and know nothing of brains: a clipped surface
//! ([`Pane`]), and on it traces, bars, a matrix and a timeline.

pub mod bars;
pub mod matrix;
pub mod timeline;
pub mod trace;

use crate::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// A rectangle of the screen to draw on. Coordinates count from its upper left
/// corner; whatever lies outside is cut off, so nothing drawn on it can panic.
pub struct Pane<'a> {
    /// The look.
    pub theme: Theme,
    buffer: &'a mut Buffer,
    area: Rect,
}

impl<'a> Pane<'a> {
    /// A pane on `area`, cut to what the buffer has.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(*buffer.area());
        Self { theme, buffer, area }
    }

    /// Columns.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// A part of the pane as a pane of its own, cut to this one.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Pane<'_> {
        let x = self.area.x.saturating_add(x).min(self.area.right());
        let y = self.area.y.saturating_add(y).min(self.area.bottom());
        let area = Rect {
            x,
            y,
            width: width.min(self.area.right() - x),
            height: height.min(self.area.bottom() - y),
        };
        Pane { theme: self.theme, buffer: &mut *self.buffer, area }
    }

    /// Everything from row `y` on.
    pub fn below(&mut self, y: u16) -> Pane<'_> {
        self.part(0, y, self.area.width, self.area.height)
    }

    /// Writes a text; the column after it.
    pub fn text(&mut self, x: u16, y: u16, text: &str, role: Role) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let room = usize::from(self.area.width - x);
        let (at_x, at_y) = (self.area.x + x, self.area.y + y);
        let style = self.theme.style(role);
        let (end, _) = self.buffer.set_stringn(at_x, at_y, text, room, style);
        end - self.area.x
    }

    /// Writes a text so that it ends at column `right` (exclusive), where it fits
    /// after column `left`; else nothing. Whether it was written.
    pub fn text_until(&mut self, left: u16, right: u16, y: u16, text: &str, role: Role) -> bool {
        let Some(x) = right.min(self.area.width).checked_sub(columns(text)) else { return false };
        if x < left {
            return false;
        }
        self.text(x, y, text, role);
        true
    }

    /// Writes one character.
    pub fn glyph(&mut self, x: u16, y: u16, glyph: char, role: Role) {
        self.text(x, y, glyph.encode_utf8(&mut [0; 4]), role);
    }

    /// Fills a row from `from` to `to` (exclusive) with a text of one column.
    pub fn fill(&mut self, from: u16, to: u16, y: u16, symbol: &str, role: Role) {
        for x in from..to.min(self.area.width) {
            self.text(x, y, symbol, role);
        }
    }

    /// Empties the pane.
    pub fn clear(&mut self) {
        for y in 0..self.area.height {
            for x in 0..self.area.width {
                self.buffer[(self.area.x + x, self.area.y + y)].reset();
            }
        }
    }
}

/// Columns a text takes.
pub fn columns(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}

/// A text cut to `n_columns`, with a mark where something is missing.
pub fn cut(text: &str, n_columns: u16) -> String {
    if columns(text) <= n_columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        let mut next = cut.clone();
        next.push(c);
        if columns(&next) >= n_columns {
            break;
        }
        cut = next;
    }
    if n_columns > 0 {
        cut.push('~');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{ColorMode, GlyphMode};

    #[test]
    fn nothing_is_drawn_outside() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 3));
        let theme = Theme { color: ColorMode::None, glyphs: GlyphMode::Unicode };
        let mut pane = Pane::new(&mut buffer, Rect::new(0, 0, 100, 100), theme);
        let mut part = pane.part(2, 1, 3, 1);
        part.text(1, 0, "abcdef", Role::Text);
        part.text(0, 7, "below", Role::Text);
        assert!(!part.text_until(0, 9, 0, "too long", Role::Text));
        pane.part(90, 90, 5, 5).text(0, 0, "away", Role::Text);
        assert_eq!(buffer, Buffer::with_lines(["      ", "   ab ", "      "]));
    }

    #[test]
    fn a_cut_is_marked() {
        assert_eq!(
            (cut("abc", 3), cut("abcd", 3), cut("abc", 0)),
            ("abc".into(), "ab~".into(), String::new())
        );
        assert_eq!(cut("右右右", 4), "右~");
    }
}
