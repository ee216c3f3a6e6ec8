//! Effects one below the other, about the line of none.

use super::{Area, LETTER, Look, SERIES, drawing, range};
use anyhow::Result;
use decoding::stats::Interval;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Of the plot, between its labels.
const PLOT_WIDTH: u32 = 380;
const ROW_HEIGHT: u32 = 28;
const MARGIN: u32 = 10;
const SCALE_HEIGHT: u32 = 46;

/// A row.
pub struct ForestRow {
    /// To its left.
    pub label: String,
    /// The effect and its interval; none where too little is known.
    pub effect: Option<(f64, Interval)>,
    /// To its right.
    pub beside: String,
}

/// What is needed left and right of the plot.
fn sides(effects: &[ForestRow], combined: &ForestRow) -> [u32; 2] {
    let rows = || effects.iter().chain([combined]);
    let longest = |of: fn(&ForestRow) -> &String| rows().map(|row| of(row).chars().count()).max();
    [longest(|row| &row.label), longest(|row| &row.beside)]
        .map(|n| (LETTER * n.unwrap_or(0)) as u32 + 2 * MARGIN)
}

pub fn size(effects: &[ForestRow], combined: &ForestRow) -> (u32, u32) {
    let [left, right] = sides(effects, combined);
    let n_rows = effects.len() as u32 + 1;
    (left + PLOT_WIDTH + right, n_rows * ROW_HEIGHT + 2 * MARGIN + SCALE_HEIGHT)
}

pub fn draw<B: DrawingBackend>(
    area: &Area<B>,
    (effects, combined): (&[ForestRow], &ForestRow),
    scale: &str,
    look: Look,
) -> Result<()> {
    let rows: Vec<&ForestRow> = effects.iter().chain([combined]).collect();
    let [left, right] = sides(effects, combined).map(|side| look.px(side));
    draw_text(area, &rows, left, look)?;
    let ends = rows.iter().filter_map(|row| row.effect);
    let ends = ends.flat_map(|(effect, i)| [effect, i.lower, i.upper]);
    let [low, high] = range(ends.chain([0.0]))?;
    let n = rows.len() as f64;
    let inner = area.margin(0, 0, left, right);
    let mut plot = ChartBuilder::on(&inner)
        .margin_top(look.px(MARGIN))
        .margin_bottom(look.px(MARGIN))
        .x_label_area_size(look.px(SCALE_HEIGHT))
        .build_cartesian_2d(low..high, 0.0..n)
        .map_err(drawing)?;
    let mut mesh = plot.configure_mesh();
    look.style(&mut mesh);
    mesh.disable_y_mesh().disable_y_axis().x_desc(scale).draw().map_err(drawing)?;
    plot.draw_series(look.dashed([(0.0, 0.0), (0.0, n)])).map_err(drawing)?;
    let above_combined = PathElement::new([(low, 1.0), (high, 1.0)], look.line(look.faint, 1));
    plot.draw_series([above_combined]).map_err(drawing)?;
    for (at, row) in rows.iter().enumerate() {
        let Some((effect, Interval { lower, upper })) = row.effect else { continue };
        let y = n - at as f64 - 0.5;
        if at + 1 == rows.len() {
            let diamond = [(lower, y), (effect, y + 0.3), (upper, y), (effect, y - 0.3)];
            plot.draw_series([Polygon::new(diamond, SERIES[0].filled())]).map_err(drawing)?;
        } else {
            let line = PathElement::new([(lower, y), (upper, y)], look.line(look.ink, 2));
            plot.draw_series([line]).map_err(drawing)?;
            plot.draw_series([look.point((effect, y), 5, SERIES[0])]).map_err(drawing)?;
        }
    }
    Ok(())
}

fn draw_text<B: DrawingBackend>(
    area: &Area<B>,
    rows: &[&ForestRow],
    left: u32,
    look: Look,
) -> Result<()> {
    let style = |side| look.text(13).pos(Pos::new(side, VPos::Center));
    for (at, row) in (0_u32..).zip(rows) {
        let y = (look.px(MARGIN) + look.px(ROW_HEIGHT) * at + look.px(ROW_HEIGHT) / 2) as i32;
        let (to_left, to_right) = (left - look.px(MARGIN), left + look.px(PLOT_WIDTH + MARGIN));
        let label = Text::new(row.label.clone(), (to_left as i32, y), style(HPos::Right));
        let beside = Text::new(row.beside.clone(), (to_right as i32, y), style(HPos::Left));
        area.draw(&label).map_err(drawing)?;
        area.draw(&beside).map_err(drawing)?;
    }
    Ok(())
}
