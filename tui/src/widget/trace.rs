//! One trace: many samples on few columns, none of their peaks lost.

use super::Pane;
use crate::theme::{GlyphMode, Role};

/// A stretch of samples to draw over the whole width of a pane.
pub struct Trace<'a> {
    /// The newest samples, oldest first; not finite ones are missing.
    pub samples: &'a [f32],
    /// Index of the sample after the last.
    pub end: u64,
    /// Samples the width stands for.
    pub span_samples: f64,
    /// What reaches from the middle to the edge.
    pub amplitude: f64,
    /// Its style.
    pub role: Role,
}

/// Smallest and largest value of a column of dots.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    /// No sample reaches the column yet.
    Nothing,
    /// There are samples, none finite.
    Missing,
    /// From, to.
    Values(f32, f32),
}

impl Trace<'_> {
    /// Draws it, centred on the mean of what is seen. Columns are aligned to the
    /// sample index, so a scrolling trace keeps its shape. Cost: one pass over the
    /// samples.
    pub fn draw(&self, pane: &mut Pane) {
        let (width, height) = (usize::from(pane.width()), usize::from(pane.height()));
        if width == 0 || height == 0 {
            return;
        }
        let grid = Grid::of(pane.theme.glyphs);
        let extents = self.extents(width * grid.dots_x);
        let n_dots_y = height * grid.dots_y;
        let mean = mean(self.samples);
        let row = |value: f32| {
            let up = (f64::from(value) - mean) / self.amplitude;
            let at = (0.5 - 0.5 * up) * (n_dots_y - 1) as f64;
            at.round().clamp(0.0, (n_dots_y - 1) as f64) as usize
        };
        let mut cells = vec![0_u8; width * height];
        for (i, extent) in extents.iter().enumerate() {
            if let Extent::Values(low, high) = extent {
                for y in row(*high)..=row(*low) {
                    cells[y / grid.dots_y * width + i / grid.dots_x] |= grid.bit(i, y);
                }
            }
        }
        for (at, bits) in cells.iter().enumerate().filter(|(_, bits)| **bits != 0) {
            pane.glyph((at % width) as u16, (at / width) as u16, grid.glyph(*bits), self.role);
        }
        for (x, column) in extents.chunks(grid.dots_x).enumerate() {
            if column.iter().all(|extent| *extent == Extent::Missing) {
                let mark = pane.theme.pick("×", "x");
                pane.text(x as u16, (height / 2) as u16, mark, Role::Warn);
            }
        }
    }

    /// The extent of each of `n_columns` columns of dots. A column reaches back to the
    /// last value before it, so that the trace is connected.
    fn extents(&self, n_columns: usize) -> Vec<Extent> {
        let per_column = (self.span_samples / n_columns as f64).max(f64::MIN_POSITIVE);
        let first_held = self.end.saturating_sub(self.samples.len() as u64);
        let last_column = (self.end as f64 / per_column).ceil() as i64;
        let column = |i: usize| {
            let k = last_column - n_columns as i64 + i as i64;
            let from = (k as f64 * per_column).floor().max(0.0) as u64;
            let to = ((k + 1) as f64 * per_column).ceil().max(0.0) as u64;
            let clip = |at: u64| at.clamp(first_held, self.end) - first_held;
            // One sample more on the left connects the column to the one before.
            let range = clip(from.saturating_sub(1)) as usize..clip(to) as usize;
            if k < 0 { Extent::Nothing } else { extent(&self.samples[range]) }
        };
        (0..n_columns).map(column).collect()
    }
}

fn extent(samples: &[f32]) -> Extent {
    let mut extent = if samples.is_empty() { Extent::Nothing } else { Extent::Missing };
    for x in samples.iter().copied().filter(|x| x.is_finite()) {
        extent = match extent {
            Extent::Values(low, high) => Extent::Values(low.min(x), high.max(x)),
            _ => Extent::Values(x, x),
        };
    }
    extent
}

fn mean(samples: &[f32]) -> f64 {
    let (mut sum, mut n) = (0.0, 0_u32);
    for x in samples.iter().filter(|x| x.is_finite()) {
        sum += f64::from(*x);
        n += 1;
    }
    sum / f64::from(n.max(1))
}

/// How a cell is divided into dots.
#[derive(Clone, Copy)]
struct Grid {
    dots_x: usize,
    dots_y: usize,
    glyphs: GlyphMode,
}

impl Grid {
    fn of(glyphs: GlyphMode) -> Self {
        match glyphs {
            GlyphMode::Unicode => Self { dots_x: 2, dots_y: 4, glyphs },
            GlyphMode::Ascii => Self { dots_x: 1, dots_y: 3, glyphs },
        }
    }

    /// The bit of dot `(x, y)` within its cell: Braille's order, or the row.
    fn bit(self, x: usize, y: usize) -> u8 {
        const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        match self.glyphs {
            GlyphMode::Unicode => BRAILLE[x % 2][y % 4],
            GlyphMode::Ascii => 1 << (y % 3),
        }
    }

    fn glyph(self, bits: u8) -> char {
        match (self.glyphs, bits) {
            (GlyphMode::Unicode, _) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
            (GlyphMode::Ascii, 0b001) => '\'',
            (GlyphMode::Ascii, 0b010) => '-',
            (GlyphMode::Ascii, 0b100) => '.',
            (GlyphMode::Ascii, _) => '|',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(samples: &[f32], end: u64, span_samples: f64) -> Trace<'_> {
        Trace { samples, end, span_samples, amplitude: 1.0, role: Role::Trace }
    }

    #[test]
    fn every_peak_is_seen() {
        let mut samples = vec![0.0; 1000];
        samples[437] = 9.0;
        let extents = trace(&samples, 1000, 1000.0).extents(10);
        assert_eq!(extents[4], Extent::Values(0.0, 9.0));
        assert_eq!(extents[5], Extent::Values(0.0, 0.0));
    }

    #[test]
    fn missing_samples_and_the_time_before_them_differ() {
        let samples = [f32::NAN, f32::NAN, f32::NAN, 1.0, 1.0];
        let extents = trace(&samples, 5, 10.0).extents(10);
        assert_eq!(extents[..5], [Extent::Nothing; 5]);
        assert_eq!(extents[5..8], [Extent::Missing; 3]);
        assert_eq!(extents[9], Extent::Values(1.0, 1.0));
    }

    #[test]
    fn few_samples_on_many_columns_are_connected() {
        let extents = trace(&[0.0, 1.0], 2, 2.0).extents(8);
        assert!(extents.iter().all(|e| matches!(e, Extent::Values(..))), "{extents:?}");
    }
}
