//! Points of two figures against each other.

use super::{Area, LETTER, Look, SERIES, drawing, range};
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const PLOT: (u32, u32) = (520, 420);
const LINE_HEIGHT: u32 = 20;
const MARGIN: u32 = 10;

/// Points of one colour.
pub struct Series {
    /// Beside the plot.
    pub label: String,
    /// In any order.
    pub points: Vec<(f64, f64)>,
    /// Drawn through, from left to right; empty where there is no line.
    pub line: Vec<(f64, f64)>,
}

impl Series {
    /// With a line through the mean of the points above each `x`.
    pub fn with_means(label: &str, mut points: Vec<(f64, f64)>) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mean = |of: &[(f64, f64)]| {
            (of[0].0, of.iter().map(|point| point.1).sum::<f64>() / of.len() as f64)
        };
        let line = points.chunk_by(|a, b| a.0 == b.0).map(mean).collect();
        Self { label: label.to_owned(), points, line }
    }
}

/// What an axis has on it.
#[derive(Clone, Copy)]
pub enum Axis {
    /// The values.
    Plain(&'static str),
    /// Decimal logarithms of what is written beside it.
    Log10(&'static str),
}

impl Axis {
    fn title(self) -> &'static str {
        let (Self::Plain(title) | Self::Log10(title)) = self;
        title
    }

    fn label(self, at: f64) -> String {
        match self {
            Self::Plain(_) => format!("{}", (1e6 * at).round() / 1e6),
            Self::Log10(_) if at.abs() < 4.0 => format!("{:.0}", 10_f64.powf(at)),
            Self::Log10(_) => format!("1e{at:.1}"),
        }
    }
}

fn legend_width(series: &[Series]) -> u32 {
    let longest = series.iter().map(|series| series.label.chars().count()).max().unwrap_or(0);
    (LETTER * longest) as u32 + 4 * MARGIN
}

pub fn size(series: &[Series]) -> (u32, u32) {
    let lines = series.len() as u32 * LINE_HEIGHT + 2 * MARGIN;
    (PLOT.0 + legend_width(series), PLOT.1.max(lines))
}

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    series: &[Series],
    [x, y]: [Axis; 2],
    look: Look,
) -> Result<()> {
    let values = series.iter().flat_map(|series| series.points.iter());
    let [low_x, high_x] = range(values.clone().map(|point| point.0))?;
    let [low_y, high_y] = range(values.map(|point| point.1))?;
    let inner = area.margin(0, 0, 0, look.px(legend_width(series)));
    let mut plot = look.plot(&inner, low_x..high_x, low_y..high_y)?;
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.x_labels(7)
        .x_label_formatter(&|at| x.label(*at))
        .y_label_formatter(&|at| y.label(*at))
        .x_desc(x.title())
        .y_desc(y.title())
        .draw()
        .map_err(drawing)?;
    for (at, Series { label, points, line }) in series.iter().enumerate() {
        let colour = SERIES[at % SERIES.len()];
        if !line.is_empty() {
            let line = PathElement::new(line.clone(), look.line(colour, 2));
            plot.draw_series([line]).map_err(drawing)?;
        }
        let radius = if line.is_empty() { 4 } else { 2 };
        let points = points.iter().map(|point| look.point(*point, radius, colour));
        plot.draw_series(points).map_err(drawing)?;
        let place = |dx: u32| {
            let y = MARGIN + LINE_HEIGHT / 2 + at as u32 * LINE_HEIGHT;
            (look.px(PLOT.0 + dx) as i32, look.px(y) as i32)
        };
        area.draw(&look.point(place(MARGIN), 4, colour)).map_err(drawing)?;
        let style = look.text(12).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(label.clone(), place(2 * MARGIN), style)).map_err(drawing)?;
    }
    Ok(())
}
