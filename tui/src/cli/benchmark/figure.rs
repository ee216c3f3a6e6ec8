//! Figures of a report as inline SVG. Lines and text take the page's colour, so that one
//! drawing is right on a light and on a dark page.

use anyhow::{Result, anyhow};
use decoding::stats::Interval;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Stands for the page's own colour of text while a figure is drawn.
const INK: RGBColor = RGBColor(1, 2, 3);
/// For what is in the background.
const FAINT: RGBColor = RGBColor(4, 5, 6);
/// Points of one series after the other.
const SERIES: [RGBColor; 6] = [
    RGBColor(0x2a, 0x78, 0xd6),
    RGBColor(0xd9, 0x6b, 0x12),
    RGBColor(0x1b, 0x9a, 0x59),
    RGBColor(0xb0, 0x47, 0xc4),
    RGBColor(0xc4, 0x3c, 0x4c),
    RGBColor(0x7d, 0x80, 0x1f),
];

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

/// Columns of points over a scale, with a line at `reference`.
pub fn columns(columns: &[Column], scale: &str, reference: Option<f64>) -> Result<String> {
    let values = columns.iter().flat_map(|column| {
        let ends = column.mean.and_then(|(_, i)| i).map(|i| [i.lower, i.upper]);
        column.values.iter().chain(&column.behind).copied().chain(ends.into_iter().flatten())
    });
    let [low, high] = range(values.chain(reference))?;
    // Labels are drawn side by side: about seven pixels a letter.
    let longest = columns.iter().map(|column| column.label.chars().count()).max().unwrap_or(0);
    let width = columns.len() * (7 * longest + 12).max(90);
    let size = (width.clamp(360, 3000) as u32, 360);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let n = columns.len() as f64;
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(46)
            .y_label_area_size(56)
            .build_cartesian_2d(-0.5..n - 0.5, low..high)
            .map_err(drawing)?;
        let label = |x: &f64| {
            let at = x.round();
            let is_whole = (x - at).abs() < 1e-6 && at >= 0.0;
            let column = if is_whole { columns.get(at as usize) } else { None };
            column.map_or(String::new(), |column| column.label.clone())
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .x_labels(2 * columns.len() + 1)
            .x_label_formatter(&label)
            .y_desc(scale)
            .draw()
            .map_err(drawing)?;
        draw_columns(&mut chart, columns)?;
        if let Some(reference) = reference {
            let line = [(-0.5, reference), (n - 0.5, reference)];
            let style = ShapeStyle::from(&INK).stroke_width(1);
            chart.draw_series(DashedLineSeries::new(line, 5, 4, style)).map_err(drawing)?;
        }
        root.present().map_err(drawing)?;
    }
    Ok(of_the_page(&text))
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn draw_columns(chart: &mut Chart<'_, '_>, columns: &[Column]) -> Result<()> {
    for (at, column) in (0_u32..).map(f64::from).zip(columns) {
        let place =
            |k: usize, n: usize, width: f64| at + width * ((k as f64 + 0.5) / n as f64 - 0.5);
        let n = column.behind.len();
        let points = column.behind.iter().enumerate();
        let points = points.map(|(k, y)| Circle::new((place(k, n, 0.8), *y), 2, FAINT.filled()));
        chart.draw_series(points).map_err(drawing)?;
        let colour = SERIES[at as usize % SERIES.len()];
        let n = column.values.len();
        let points = column.values.iter().enumerate();
        let points = points.map(|(k, y)| Circle::new((place(k, n, 0.6), *y), 4, colour.filled()));
        chart.draw_series(points).map_err(drawing)?;
        let Some((mean, interval)) = column.mean else { continue };
        let style = ShapeStyle::from(&INK).stroke_width(2);
        let bar = PathElement::new([(at - 0.35, mean), (at + 0.35, mean)], style);
        let interval = interval.map(|i| PathElement::new([(at, i.lower), (at, i.upper)], style));
        chart.draw_series([bar].into_iter().chain(interval)).map_err(drawing)?;
    }
    Ok(())
}

/// Points of two scores, a colour per series, with the line of equal ones.
pub fn scatter(series: &[(String, Vec<(f64, f64)>)], [x, y]: [&str; 2]) -> Result<String> {
    let values = series.iter().flat_map(|(_, points)| points.iter());
    let [low_x, high_x] = range(values.clone().map(|point| point.0))?;
    let [low_y, high_y] = range(values.map(|point| point.1))?;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (520, 420)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(46)
            .y_label_area_size(56)
            .build_cartesian_2d(low_x..high_x, low_y..high_y)
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .x_desc(x)
            .y_desc(y)
            .draw()
            .map_err(drawing)?;
        for (at, (name, points)) in series.iter().enumerate() {
            let colour = SERIES[at % SERIES.len()];
            let drawn = points.iter().map(|point| Circle::new(*point, 4, colour.filled()));
            let drawn = chart.draw_series(drawn).map_err(drawing)?;
            drawn.label(name).legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .label_font(("sans-serif", 12).into_font().color(&INK))
            .border_style(FAINT)
            .draw()
            .map_err(drawing)?;
        root.present().map_err(drawing)?;
    }
    Ok(of_the_page(&text))
}

/// From below the least to above the largest of some values.
fn range(values: impl Iterator<Item = f64>) -> Result<[f64; 2]> {
    let [low, high] = values
        .filter(|v| v.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
    if low > high {
        return Err(anyhow!("a figure without a value"));
    }
    let room = 0.06 * (high - low).max(0.1);
    Ok([low - room, high + room])
}

fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a figure can't be drawn: {error}")
}

/// The page's colours, and a size that follows the page.
fn of_the_page(svg: &str) -> String {
    svg.replace("#010203", "currentColor").replace("#040506", "var(--faint)").replacen(
        "<svg ",
        "<svg class=\"figure\" role=\"img\" ",
        1,
    )
}
