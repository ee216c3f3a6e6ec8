//! Figures of a report: each is drawn once, inline in the page with the page's colours, so
//! that it is right on a light and on a dark page, and as files that stand alone.

mod columns;
mod confusion;
mod forest;
mod nulls;
mod scatter;

pub use self::columns::Column;
pub use self::confusion::ConfusionMatrix;
pub use self::forest::ForestRow;
pub use self::nulls::Null;
pub use self::scatter::{Axis, Series};

use crate::cli::output::write_file;
use anyhow::{Result, anyhow};
use models::checkpoint::sha256_hex;
use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::Circle;
use plotters::prelude::*;
use plotters::style::{FontStyle, TextStyle, register_font};
use std::ops::Range;
use std::path::Path;

/// Points of one series after the other.
const SERIES: [RGBColor; 6] = [
    RGBColor(0x2a, 0x78, 0xd6),
    RGBColor(0xd9, 0x6b, 0x12),
    RGBColor(0x1b, 0x9a, 0x59),
    RGBColor(0xb0, 0x47, 0xc4),
    RGBColor(0xc4, 0x3c, 0x4c),
    RGBColor(0x7d, 0x80, 0x1f),
];

/// Width of a letter, about: there is room for labels before they are measured.
const LETTER: usize = 7;

/// A figure, by what is drawn. Sizes are in pixels of an SVG.
pub enum Figure {
    /// Columns of points over a scale, with a line at `reference`.
    Columns {
        /// From left to right.
        columns: Vec<Column>,
        /// What is on the scale.
        scale: &'static str,
        /// What the points are held against.
        reference: Option<f64>,
    },
    /// Points of two figures, a colour per series.
    Scatter {
        /// Drawn one over the other.
        series: Vec<Series>,
        /// What is to the right, and what is above.
        axes: [Axis; 2],
    },
    /// Histograms of nulls on one scale, each with a line at what was observed.
    Nulls {
        /// One each.
        nulls: Vec<Null>,
        /// What is on the scale.
        scale: &'static str,
    },
    /// Confusion matrices side by side.
    Confusion {
        /// One each.
        matrices: Vec<ConfusionMatrix>,
    },
    /// Effects and their intervals about 0, and below them what they come to together.
    Forest {
        /// A row each.
        effects: Vec<ForestRow>,
        /// Of all of them.
        combined: ForestRow,
        /// What is on the scale.
        scale: String,
    },
}

impl Figure {
    /// As SVG within a page, whose text's colour and `--faint` it takes.
    pub fn of_the_page(&self) -> Result<String> {
        let svg = self.svg(Look::PAGE)?;
        let svg = svg.replace("#010203", "currentColor").replace("#040506", "var(--faint)");
        let svg = svg.replacen("<svg ", "<svg role=\"img\" ", 1);
        // On a narrow page it is moved sideways, not made unreadably small.
        Ok(format!("<div class=\"figure\">{svg}</div>"))
    }

    /// Writes `NAME.svg` and `NAME.png`: black on white, needing nothing else. Gives the names
    /// of the files and their digests.
    pub fn write(&self, folder: &Path, name: &str) -> Result<[(String, String); 2]> {
        let write = |end: &str, bytes: &[u8]| {
            let file = format!("{name}.{end}");
            write_file(&folder.join(&file), bytes).map(|()| (file, sha256_hex(bytes)))
        };
        Ok([
            write("svg", self.svg(Look::FILE)?.as_bytes())?,
            write("png", &self.png(Look::PIXELS)?)?,
        ])
    }

    fn svg(&self, look: Look) -> Result<String> {
        let mut text = String::new();
        self.draw(SVGBackend::with_string(&mut text, self.size(look)), look)?;
        Ok(text)
    }

    fn png(&self, look: Look) -> Result<Vec<u8>> {
        let (width, height) = self.size(look);
        let mut pixels = vec![0; 3 * width as usize * height as usize];
        self.draw(BitMapBackend::with_buffer(&mut pixels, (width, height)), look)?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Fast);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(bytes)
    }

    fn size(&self, look: Look) -> (u32, u32) {
        let (width, height) = match self {
            Self::Columns { columns, .. } => columns::size(columns),
            Self::Scatter { series, .. } => scatter::size(series),
            Self::Nulls { nulls, .. } => nulls::size(nulls),
            Self::Confusion { matrices } => confusion::size(matrices),
            Self::Forest { effects, combined, .. } => forest::size(effects, combined),
        };
        (look.px(width), look.px(height))
    }

    fn draw<B: DrawingBackend>(&self, backend: B, look: Look) -> Result<()> {
        // The same letters on every machine, whatever fonts it has.
        register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
            .map_err(|_| anyhow!("the figures' font can't be read"))?;
        let area = backend.into_drawing_area();
        if let Some(paper) = look.paper {
            area.fill(&paper).map_err(drawing)?;
        }
        match self {
            Self::Columns { columns, scale, reference } => {
                columns::draw(&area, columns, scale, *reference, look)?;
            }
            Self::Scatter { series, axes } => scatter::draw(&area, series, *axes, look)?,
            Self::Nulls { nulls, scale } => nulls::draw(&area, nulls, scale, look)?,
            Self::Confusion { matrices } => confusion::draw(&area, matrices, look)?,
            Self::Forest { effects, combined, scale } => {
                forest::draw(&area, (effects, combined), scale, look)?;
            }
        }
        area.present().map_err(drawing)
    }
}

/// Colours, and how large it is drawn.
#[derive(Clone, Copy)]
struct Look {
    /// Text and lines.
    ink: RGBColor,
    /// What is in the background.
    faint: RGBColor,
    /// What it is drawn on; the page's where there is none.
    paper: Option<RGBColor>,
    /// Pixels to one of the SVG.
    zoom: u32,
}

impl Look {
    /// Two colours that stand for the page's own.
    const PAGE: Self =
        Self { ink: RGBColor(1, 2, 3), faint: RGBColor(4, 5, 6), paper: None, zoom: 1 };
    const FILE: Self =
        Self { ink: BLACK, faint: RGBColor(0xc9, 0xce, 0xd6), paper: Some(WHITE), zoom: 1 };
    /// Enough for a slide; what is printed is better an SVG.
    const PIXELS: Self = Self { zoom: 3, ..Self::FILE };

    fn px(self, of_svg: u32) -> u32 {
        of_svg * self.zoom
    }

    fn text(self, size: u32) -> TextStyle<'static> {
        ("sans-serif", self.px(size)).into_font().color(&self.ink)
    }

    fn line(self, colour: RGBColor, width: u32) -> ShapeStyle {
        ShapeStyle::from(&colour).stroke_width(self.px(width))
    }

    fn point<C>(self, at: C, radius: u32, colour: RGBColor) -> Circle<C, u32> {
        Circle::new(at, self.px(radius), colour.filled())
    }

    fn dashed(
        self,
        ends: [(f64, f64); 2],
    ) -> DashedLineSeries<std::array::IntoIter<(f64, f64), 2>, u32> {
        DashedLineSeries::new(ends, self.px(5), self.px(4), self.line(self.ink, 1))
    }

    /// A plot over the whole area but for its labels.
    fn plot<B: DrawingBackend>(
        self,
        area: &Area<B>,
        x: Range<f64>,
        y: Range<f64>,
    ) -> Result<Plot<'_, B>> {
        let mut builder = ChartBuilder::on(area);
        builder.margin(self.px(10)).x_label_area_size(self.px(46)).y_label_area_size(self.px(56));
        builder.build_cartesian_2d(x, y).map_err(drawing)
    }

    /// The lines and labels that all plots have.
    fn style<B: DrawingBackend>(self, mesh: &mut Mesh<'_, '_, B>) {
        mesh.light_line_style(TRANSPARENT)
            .bold_line_style(self.line(self.faint, 1))
            .axis_style(self.line(self.ink, 1))
            .label_style(self.text(13))
            .set_all_tick_mark_size(self.px(5));
    }
}

type Area<B> = DrawingArea<B, Shift>;
type Plot<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Mesh<'a, 'b, B> = MeshStyle<'a, 'b, RangedCoordf64, RangedCoordf64, B>;

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

#[cfg(test)]
mod tests;
