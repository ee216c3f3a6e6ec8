//! Columns of points, each with its mean.

use super::{Area, LETTER, Look, Plot, SERIES, drawing, range};
use anyhow::Result;
use decoding::stats::Interval;
use plotters::prelude::*;

/// A column of points.
pub struct Column {
    /// Below it.
    pub label: String,
    /// One each, drawn side by side in their order.
    pub values: Vec<f64>,
    /// Small and faint, behind them.
    pub behind: Vec<f64>,
    /// Mean and interval.
    pub mean: Option<(f64, Option<Interval>)>,
}

/// Labels are drawn side by side.
pub fn size(columns: &[Column]) -> (u32, u32) {
    let longest = columns.iter().map(|column| column.label.chars().count()).max().unwrap_or(0);
    let width = columns.len() * (LETTER * longest + 12).max(90);
    (width.clamp(360, 3000) as u32, 360)
}

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    columns: &[Column],
    scale: &str,
    reference: Option<f64>,
    look: Look,
) -> Result<()> {
    let values = columns.iter().flat_map(|column| {
        let ends = column.mean.and_then(|(_, i)| i).map(|i| [i.lower, i.upper]);
        column.values.iter().chain(&column.behind).copied().chain(ends.into_iter().flatten())
    });
    let [low, high] = range(values.chain(reference))?;
    let n = columns.len() as f64;
    let mut plot = look.plot(area, -0.5..n - 0.5, low..high)?;
    let label = |x: &f64| {
        let at = x.round();
        let is_whole = (x - at).abs() < 1e-6 && at >= 0.0;
        let column = if is_whole { columns.get(at as usize) } else { None };
        column.map_or(String::new(), |column| column.label.clone())
    };
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.disable_x_mesh()
        .x_labels(2 * columns.len() + 1)
        .x_label_formatter(&label)
        .y_desc(scale)
        .draw()
        .map_err(drawing)?;
    draw_points(&mut plot, columns, look)?;
    if let Some(reference) = reference {
        let line = look.dashed([(-0.5, reference), (n - 0.5, reference)]);
        plot.draw_series(line).map_err(drawing)?;
    }
    Ok(())
}

fn draw_points<B: DrawingBackend>(
    plot: &mut Plot<'_, B>,
    columns: &[Column],
    look: Look,
) -> Result<()> {
    for (at, column) in (0_u32..).map(f64::from).zip(columns) {
        let place =
            |k: usize, n: usize, width: f64| at + width * ((k as f64 + 0.5) / n as f64 - 0.5);
        let n = column.behind.len();
        let points = column.behind.iter().enumerate();
        let points = points.map(|(k, y)| look.point((place(k, n, 0.8), *y), 2, look.faint));
        plot.draw_series(points).map_err(drawing)?;
        let colour = SERIES[at as usize % SERIES.len()];
        let n = column.values.len();
        let points = column.values.iter().enumerate();
        let points = points.map(|(k, y)| look.point((place(k, n, 0.6), *y), 4, colour));
        plot.draw_series(points).map_err(drawing)?;
        let Some((mean, interval)) = column.mean else { continue };
        let style = look.line(look.ink, 2);
        let bar = PathElement::new([(at - 0.35, mean), (at + 0.35, mean)], style);
        let interval = interval.map(|i| PathElement::new([(at, i.lower), (at, i.upper)], style));
        plot.draw_series([bar].into_iter().chain(interval)).map_err(drawing)?;
    }
    Ok(())
}
