//! A square matrix of counts with a symbol per row and column.

use super::Pane;
use crate::theme::Role;

/// Counts, row true, column decided.
pub struct Matrix<'a> {
    /// `(n, n)`, row after row.
    pub counts: &'a [u64],
    /// One symbol per row and column; its length is `n`.
    pub symbols: &'a [char],
    /// Class of the first row, for its style.
    pub first_class: usize,
}

impl Matrix<'_> {
    /// Rows it takes: a header and one per class.
    pub fn height(&self) -> u16 {
        self.symbols.len() as u16 + 1
    }

    /// Draws the header and the rows; where there is room, each row ends with the
    /// share of it that lies on the diagonal. Cells that do not fit are left out whole
    /// and a mark says so, for a part must not be read as the matrix.
    pub fn draw(&self, pane: &mut Pane) {
        let n = self.symbols.len();
        if n == 0 || self.counts.len() != n * n {
            return;
        }
        let widest = self.counts.iter().max().map_or(1, |c| c.to_string().len());
        let cell = (widest.max(3) + 2) as u16;
        let end = 2 + n as u16 * cell;
        let fits = end <= pane.width();
        for (k, symbol) in self.symbols.iter().enumerate() {
            let right = 2 + (k as u16 + 1) * cell;
            if right <= pane.width() {
                pane.glyph(right - 1, 0, *symbol, Role::Class(self.first_class + k));
            }
        }
        for (row, counts) in self.counts.chunks(n).enumerate() {
            let y = row as u16 + 1;
            pane.glyph(0, y, self.symbols[row], Role::Class(self.first_class + row));
            for (column, count) in counts.iter().enumerate() {
                let right = 2 + (column as u16 + 1) * cell;
                if right <= pane.width() {
                    let role = if row == column { Role::Strong } else { Role::Text };
                    pane.text_until(0, right, y, &count.to_string(), role);
                }
            }
            let total: u64 = counts.iter().sum();
            if fits && total > 0 {
                let percent = (100.0 * counts[row] as f64 / total as f64).round();
                pane.text_until(end, end + 6, y, &format!("{percent:.0} %"), Role::Dim);
            }
        }
        if !fits {
            pane.text(pane.width().saturating_sub(1), 0, "~", Role::Warn);
        }
        if self.height() > pane.height() {
            pane.text(0, pane.height().saturating_sub(1), "~", Role::Warn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{FULL, text};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    fn drawn(width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let matrix = Matrix { counts: &[8, 2, 0, 12345], symbols: &['-', 'L'], first_class: 0 };
        matrix.draw(&mut Pane::new(&mut buffer, area, FULL));
        text(&buffer)
    }

    #[test]
    fn columns_are_as_wide_as_the_largest_count() {
        assert_eq!(
            drawn(22, 3),
            "        -      L\n-       8      2  80 %\nL       0  12345 100 %"
        );
    }

    #[test]
    fn a_part_is_marked_as_one() {
        assert_eq!(drawn(12, 2), "        -  ~\n~       8");
    }
}
