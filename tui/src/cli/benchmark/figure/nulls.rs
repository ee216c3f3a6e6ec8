//! Histograms of what pipelines score by chance, beside what they score.

use super::{Area, Look, SERIES, drawing, range};
use anyhow::Result;
use plotters::prelude::*;

/// Side by side.
const N_ACROSS: usize = 3;

/// Of the whole scale.
const N_BINS: usize = 30;

/// What a pipeline scores by chance.
pub struct Null {
    /// Above it.
    pub label: String,
    /// Fitted to permuted labels: bars.
    pub permuted: Vec<f64>,
    /// Held against rotated labels: an outline.
    pub rotated: Vec<f64>,
    /// What the pipeline scores.
    pub observed: f64,
}

impl Null {
    /// How many draws there are of each.
    fn title(&self) -> String {
        let counted = [(self.permuted.len(), "permutations"), (self.rotated.len(), "rotations")];
        let counted = counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
        format!("{}: {}", self.label, counted.collect::<Vec<_>>().join(", "))
    }
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
    let values = nulls
        .iter()
        .flat_map(|null| null.permuted.iter().chain(&null.rotated).copied().chain([null.observed]));
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
    let [permuted, rotated] =
        [&null.permuted, &null.rotated].map(|draws| shares(draws, ends, N_BINS));
    let top = 1.1 * permuted.iter().chain(&rotated).fold(0.0, |most: f64, share| most.max(*share));
    let area = area.margin(look.px(8), 0, 0, 0);
    let area = area.titled(&null.title(), look.text(14)).map_err(drawing)?;
    let mut plot = look.plot(&area, low..high, 0.0..top)?;
    let percent = |y: &f64| format!("{:.0} %", 100.0 * y);
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.disable_x_mesh()
        .x_labels(5)
        .y_labels(4)
        .y_label_formatter(&percent)
        .x_desc(scale)
        .draw()
        .map_err(drawing)?;
    let edge = |bin: usize| low + (high - low) * bin as f64 / N_BINS as f64;
    let bar = |(bin, share): (usize, &f64)| {
        Rectangle::new([(edge(bin), 0.0), (edge(bin + 1), *share)], look.faint.filled())
    };
    plot.draw_series(permuted.iter().enumerate().filter(|(_, share)| **share > 0.0).map(bar))
        .map_err(drawing)?;
    if !null.rotated.is_empty() {
        let steps = rotated.iter().enumerate();
        let steps = steps.flat_map(|(bin, share)| [(edge(bin), *share), (edge(bin + 1), *share)]);
        let outline = PathElement::new(steps.collect::<Vec<_>>(), look.line(SERIES[1], 1));
        plot.draw_series([outline]).map_err(drawing)?;
    }
    let line = [(null.observed, 0.0), (null.observed, top)];
    let line = PathElement::new(line, look.line(SERIES[0], 2));
    plot.draw_series([line]).map_err(drawing)?;
    Ok(())
}

/// Which share of the values is in each of `n_bins` bins from `low` to `high`; what is outside
/// counts to the outermost.
pub fn shares(values: &[f64], [low, high]: [f64; 2], n_bins: usize) -> Vec<f64> {
    let mut shares = vec![0.0; n_bins];
    for value in values {
        let bin = ((value - low) / (high - low) * n_bins as f64) as usize;
        shares[bin.min(n_bins - 1)] += (values.len() as f64).recip();
    }
    shares
}
