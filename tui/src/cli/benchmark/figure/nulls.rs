//! Histograms of what pipelines score by chance, beside what they score.

use super::{Area, Look, SERIES, drawing, range};
use anyhow::Result;
use plotters::prelude::*;

/// Side by side.
const N_ACROSS: usize = 3;

/// Of the whole scale.
const N_BINS: usize = 30;

/// A pipeline's null.
pub struct Null {
    /// Above it.
    pub label: String,
    /// What was drawn.
    pub scores: Vec<f64>,
    /// What the pipeline scores.
    pub observed: f64,
}

pub fn size(nulls: &[Null]) -> (u32, u32) {
    let [across, down] = grid(nulls.len()).map(|n| n as u32);
    (320 * across, 210 * down)
}

fn grid(n: usize) -> [usize; 2] {
    [n.clamp(1, N_ACROSS), n.div_ceil(N_ACROSS).max(1)]
}

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    nulls: &[Null],
    scale: &str,
    look: Look,
) -> Result<()> {
    let values = nulls.iter().flat_map(|null| null.scores.iter().copied().chain([null.observed]));
    let ends = range(values)?;
    let [across, down] = grid(nulls.len());
    for (cell, null) in area.split_evenly((down, across)).iter().zip(nulls) {
        draw_one(cell, null, (ends, scale), look)?;
    }
    Ok(())
}

fn draw_one<B: DrawingBackend>(
    area: &Area<B>,
    null: &Null,
    (ends, scale): ([f64; 2], &str),
    look: Look,
) -> Result<()> {
    let [low, high] = ends;
    let counts = histogram(&null.scores, ends, N_BINS);
    let top = 1.1 * counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let title = format!("{}: {} draws", null.label, null.scores.len());
    let area = area.margin(look.px(8), 0, 0, 0);
    let area = area.titled(&title, look.text(14)).map_err(drawing)?;
    let mut plot = look.plot(&area, low..high, 0.0..top)?;
    let whole = |y: &f64| if y.fract() == 0.0 { y.to_string() } else { String::new() };
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.disable_x_mesh()
        .x_labels(5)
        .y_labels(4)
        .y_label_formatter(&whole)
        .x_desc(scale)
        .draw()
        .map_err(drawing)?;
    let edge = |bin: usize| low + (high - low) * bin as f64 / N_BINS as f64;
    let bar = |(bin, n): (usize, &usize)| {
        Rectangle::new([(edge(bin), 0.0), (edge(bin + 1), *n as f64)], look.faint.filled())
    };
    plot.draw_series(counts.iter().enumerate().filter(|(_, n)| **n > 0).map(bar))
        .map_err(drawing)?;
    let line = [(null.observed, 0.0), (null.observed, top)];
    let line = PathElement::new(line, look.line(SERIES[0], 2));
    plot.draw_series([line]).map_err(drawing)?;
    Ok(())
}

/// How many values are in each of `n_bins` bins from `low` to `high`; what is outside counts
/// to the outermost.
pub fn histogram(values: &[f64], [low, high]: [f64; 2], n_bins: usize) -> Vec<usize> {
    let mut counts = vec![0; n_bins];
    for value in values {
        let bin = ((value - low) / (high - low) * n_bins as f64) as usize;
        counts[bin.min(n_bins - 1)] += 1;
    }
    counts
}
