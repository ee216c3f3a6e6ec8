//! Confusion matrices as tables of shares, the darker the larger.

use super::{Area, LETTER, Look, SERIES, drawing};
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Widest that some of them side by side are.
const WIDTH: u32 = 1000;
const CELL_HEIGHT: u32 = 30;
const LEAST_CELL_WIDTH: u32 = 56;
/// Of the name above a matrix, and of its heading.
const LINE_HEIGHT: u32 = 26;
const MARGIN: u32 = 14;
/// How dark a cell is that has all of its row.
const DARKEST: f64 = 0.6;

/// A pipeline's confusion matrix.
pub struct ConfusionMatrix {
    /// Above it.
    pub label: String,
    /// Of rows and columns.
    pub classes: Vec<String>,
    /// Row after row, a row per true class.
    pub counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Share of each cell in its row; none of a row without windows.
    fn shares(&self) -> Vec<Option<f64>> {
        let rows = self.counts.chunks_exact(self.classes.len().max(1));
        let of_row = |row: &[u64]| {
            let all = row.iter().sum::<u64>();
            row.iter().map(|n| (all > 0).then(|| *n as f64 / all as f64)).collect::<Vec<_>>()
        };
        rows.flat_map(of_row).collect()
    }
}

/// How they are laid out: all of one size, rows of as many as there is width for.
struct Grid {
    /// Of the longest class, beside a row.
    side: u32,
    cell: u32,
    /// Of one matrix.
    size: (u32, u32),
    n_across: u32,
}

impl Grid {
    fn of(matrices: &[ConfusionMatrix]) -> Self {
        let classes = || matrices.iter().flat_map(|matrix| &matrix.classes);
        let longest = classes().map(|class| class.chars().count()).max().unwrap_or(0);
        let words = (LETTER * longest) as u32 + MARGIN;
        let n_most = matrices.iter().map(|matrix| matrix.classes.len()).max().unwrap_or(0) as u32;
        let label = matrices.iter().map(|matrix| matrix.label.chars().count()).max().unwrap_or(0);
        let cell = words.max(LEAST_CELL_WIDTH);
        let width = (words + n_most * cell).max((LETTER * label) as u32) + 2 * MARGIN;
        let height = 2 * LINE_HEIGHT + n_most * CELL_HEIGHT + MARGIN;
        let n_across = (WIDTH / width).clamp(1, matrices.len().max(1) as u32);
        Self { side: words, cell, size: (width, height), n_across }
    }
}

pub fn size(matrices: &[ConfusionMatrix]) -> (u32, u32) {
    let Grid { size: (width, height), n_across, .. } = Grid::of(matrices);
    (width * n_across, height * (matrices.len() as u32).div_ceil(n_across).max(1))
}

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    matrices: &[ConfusionMatrix],
    look: Look,
) -> Result<()> {
    let grid = Grid::of(matrices);
    for (at, matrix) in (0_u32..).zip(matrices) {
        let corner = [at % grid.n_across * grid.size.0 + MARGIN, at / grid.n_across * grid.size.1];
        draw_one(area, matrix, (&grid, corner), look)?;
    }
    Ok(())
}

fn draw_one<B: DrawingBackend>(
    area: &Area<B>,
    matrix: &ConfusionMatrix,
    (grid, [left, top]): (&Grid, [u32; 2]),
    look: Look,
) -> Result<()> {
    let place = |x: u32, y: u32| (look.px(left + x) as i32, look.px(top + y) as i32);
    let text = |words: &str, at: (i32, i32), side: HPos, size: u32| {
        let style = look.text(size).pos(Pos::new(side, VPos::Center));
        area.draw(&Text::new(words.to_owned(), at, style)).map_err(drawing)
    };
    text(&matrix.label, place(0, LINE_HEIGHT / 2), HPos::Left, 14)?;
    let n = matrix.classes.len();
    let column = |at: usize| grid.side + at as u32 * grid.cell;
    let row = |at: usize| 2 * LINE_HEIGHT + at as u32 * CELL_HEIGHT;
    for (at, class) in matrix.classes.iter().enumerate() {
        let above = place(column(at) + grid.cell / 2, LINE_HEIGHT + LINE_HEIGHT / 2);
        text(class, above, HPos::Center, 12)?;
        let beside = place(grid.side - MARGIN / 2, row(at) + CELL_HEIGHT / 2);
        text(class, beside, HPos::Right, 12)?;
    }
    for (at, share) in matrix.shares().into_iter().enumerate() {
        let (x, y) = (column(at % n), row(at / n));
        let cell = [place(x, y), place(x + grid.cell, y + CELL_HEIGHT)];
        let colour = SERIES[0].mix(DARKEST * share.unwrap_or(0.0));
        area.draw(&Rectangle::new(cell, colour.filled())).map_err(drawing)?;
        area.draw(&Rectangle::new(cell, look.line(look.faint, 1))).map_err(drawing)?;
        let words = share.map_or("-".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        let middle = place(x + grid.cell / 2, y + CELL_HEIGHT / 2);
        text(&words, middle, HPos::Center, 13)?;
    }
    Ok(())
}
