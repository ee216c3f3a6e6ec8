//! Points of two figures against each other.

use super::{Area, Look, SERIES, drawing, range};
use anyhow::Result;
use plotters::prelude::*;

pub const SIZE: (u32, u32) = (520, 420);

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    series: &[(String, Vec<(f64, f64)>)],
    [x, y]: [&str; 2],
    look: Look,
) -> Result<()> {
    let values = series.iter().flat_map(|(_, points)| points.iter());
    let [low_x, high_x] = range(values.clone().map(|point| point.0))?;
    let [low_y, high_y] = range(values.map(|point| point.1))?;
    let mut plot = look.plot(area, low_x..high_x, low_y..high_y)?;
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.x_desc(x).y_desc(y).draw().map_err(drawing)?;
    for (at, (name, points)) in series.iter().enumerate() {
        let colour = SERIES[at % SERIES.len()];
        let drawn = points.iter().map(|point| look.point(*point, 4, colour));
        let drawn = plot.draw_series(drawn).map_err(drawing)?;
        let beside = look.px(8) as i32;
        drawn.label(name).legend(move |(x, y)| look.point((x + beside, y), 4, colour));
    }
    plot.configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .legend_area_size(look.px(20))
        .margin(look.px(8))
        .label_font(look.text(12))
        .border_style(look.line(look.faint, 1))
        .draw()
        .map_err(drawing)
}
