//! Bars: lying ones for shares, standing ones for a curve.

use super::Pane;
use crate::theme::{GlyphMode, Role};

/// A lying bar from `from` to `to` (exclusive), filled to `share` of it.
pub fn lying(pane: &mut Pane, from: u16, to: u16, y: u16, share: f64, role: Role) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let width = to.saturating_sub(from);
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * f64::from(width) * 8.0).round() as u16;
    let (full, rest) = match pane.theme.glyphs {
        GlyphMode::Unicode => (eighths / 8, eighths % 8),
        GlyphMode::Ascii => ((eighths + 4) / 8, 0),
    };
    let (block, empty) = (pane.theme.pick("█", "#"), pane.theme.pick("·", "."));
    pane.fill(from, to, y, empty, Role::Dim);
    pane.fill(from, from + full, y, block, role);
    pane.text(from + full, y, EIGHTHS[usize::from(rest)], role);
}

/// Standing bars over the whole pane: column `x` is filled to `share(x)` of the
/// height, with the style `role(x)`. Columns without a share stay empty.
pub fn standing(pane: &mut Pane, share: impl Fn(u16) -> Option<f64>, role: impl Fn(u16) -> Role) {
    const UNICODE: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const ASCII: [&str; 9] = [" ", ".", ".", ":", ":", ":", "|", "|", "#"];
    let steps = match pane.theme.glyphs {
        GlyphMode::Unicode => UNICODE,
        GlyphMode::Ascii => ASCII,
    };
    let height = pane.height();
    for x in 0..pane.width() {
        let Some(share) = share(x).filter(|s| s.is_finite()) else { continue };
        let eighths = (share.clamp(0.0, 1.0) * f64::from(height) * 8.0).round() as u16;
        for y in 0..height {
            let filled = eighths.saturating_sub(8 * (height - 1 - y)).min(8);
            if filled > 0 {
                pane.text(x, y, steps[usize::from(filled)], role(x));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{ColorMode, Theme};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    fn drawn(glyphs: GlyphMode, width: u16, height: u16, draw: impl Fn(&mut Pane)) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        draw(&mut Pane::new(&mut buffer, area, Theme { color: ColorMode::None, glyphs }));
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        (0..height).map(row).collect()
    }

    #[test]
    fn a_lying_bar_has_the_length_of_its_share() {
        let bar = |glyphs, share| {
            drawn(glyphs, 4, 1, |pane| lying(pane, 0, 4, 0, share, Role::Text)).remove(0)
        };
        assert_eq!(bar(GlyphMode::Unicode, 0.625), "██▌·");
        assert_eq!(bar(GlyphMode::Ascii, 0.625), "###.");
        assert_eq!(bar(GlyphMode::Ascii, 7.0), "####");
        assert_eq!(bar(GlyphMode::Ascii, f64::NAN), "....");
    }

    #[test]
    fn standing_bars_rise_from_the_bottom() {
        let share = |x| [Some(0.0), Some(0.5), Some(1.0), None].get(usize::from(x)).copied()?;
        let rows = drawn(GlyphMode::Unicode, 4, 2, |pane| standing(pane, share, |_| Role::Text));
        assert_eq!(rows, ["  █ ", " ██ "]);
    }
}
