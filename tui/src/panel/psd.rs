//! The spectrum of the chosen channel, with the usual bands.

use super::heading;
use crate::app::spectrum::{BANDS, Band, MAX_HZ, SPECTRUM_SECS, Spectrum};
use crate::app::{App, Freshness};
use crate::theme::Role;
use crate::update::SURVEY_SECS;
use crate::widget::{Pane, bars, columns, cut};
use acquisition::signal::Unit;

/// Columns for the decibel axis.
const AXIS_COLUMNS: u16 = 5;

/// Decibels from the lower to the upper edge.
const RANGE_DB: f64 = 40.0;

/// Draws the panel.
pub fn draw(pane: &mut Pane, app: &App) {
    let spectrum = app.picture().spectrum.as_ref();
    let channel = app.session.info.channels.get(app.channel);
    let unit = pane.theme.unit(channel.map_or(Unit::Unknown, |c| c.unit));
    let squared = pane.theme.pick("²", "^2");
    let label = cut(channel.map_or("", |c| &c.label), 12);
    let note = format!("dB re 1 {unit}{squared}/Hz, {SPECTRUM_SECS:.0} s");
    heading(pane, &format!("Spectrum {label}"), &note, freshness(app));
    let (width, height) = (pane.width(), pane.height());
    match spectrum {
        Some(spectrum) if !spectrum.value.density_db.is_empty() => {
            // The means of the bands stand beside the curve where both have room.
            let table = if width >= 70 && height >= 8 { 22 } else { 0 };
            curve(&mut pane.part(0, 1, width - table, height), &spectrum.value);
            if table > 0 {
                means(&mut pane.part(width - table + 3, 2, table, height), &spectrum.value);
            }
        }
        _ => {
            pane.text(1, 1, "-  (needs a second of finite samples)", Role::Dim);
        }
    }
}

/// A spectrum is made once per second, so it may be that much older than a number.
fn freshness(app: &App) -> Freshness {
    let made = app.picture().spectrum.as_ref().map(|s| s.at_secs);
    match made.map_or(Freshness::Fresh, |at| app.freshness(at)) {
        Freshness::Old { age_secs } if age_secs <= SURVEY_SECS + 0.2 => Freshness::Fresh,
        freshness => freshness,
    }
}

/// Decibels of the upper edge: a multiple of ten that nothing exceeds.
fn top_db(spectrum: &Spectrum) -> f64 {
    let highest = spectrum.density_db.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (highest / 10.0).ceil() * 10.0
}

/// The frequency, in whole hertz from 1, that a column stands for.
fn column_hz(x: u16, width: u16) -> usize {
    1 + usize::from(x) * MAX_HZ / usize::from(width.max(1))
}

fn band_of(hz: usize) -> Option<usize> {
    BANDS.iter().position(|band| (band.low_hz..band.high_hz).contains(&hz))
}

/// Bands alternate between two styles, so that neighbours are told apart.
fn band_role(band: Option<usize>) -> Role {
    Role::Class(1 + band.unwrap_or(0) % 2)
}

fn curve(pane: &mut Pane, spectrum: &Spectrum) {
    let (width, height) = (pane.width(), pane.height());
    let top = top_db(spectrum);
    pane.text_until(0, AXIS_COLUMNS - 1, 0, &format!("{top:.0}"), Role::Dim);
    let rows = height.saturating_sub(2);
    if rows > 1 {
        let bottom = format!("{:.0}", top - RANGE_DB);
        pane.text_until(0, AXIS_COLUMNS - 1, rows - 1, &bottom, Role::Dim);
    }
    let mut plot = pane.part(AXIS_COLUMNS, 0, width, rows);
    let n_columns = plot.width();
    let share = |x| {
        let db = spectrum.density_db.get(column_hz(x, n_columns) - 1)?;
        Some((db - top + RANGE_DB) / RANGE_DB)
    };
    bars::standing(&mut plot, share, |x| band_role(band_of(column_hz(x, n_columns))));
    names(&mut pane.part(AXIS_COLUMNS, rows, width, 2));
}

/// Below the curve: each band's name over its stretch, and where it begins in hertz.
fn names(pane: &mut Pane) {
    let width = pane.width();
    let begins =
        |band: &Band| (0..width).find(|x| column_hz(*x, width) >= band.low_hz).unwrap_or(width);
    for (k, band) in BANDS.iter().enumerate() {
        let from = begins(band);
        let room = BANDS.get(k + 1).map_or(width, &begins).saturating_sub(from);
        let letter = pane.theme.pick(band.letter, &band.name[..1]);
        let name = if columns(band.name) < room { band.name } else { letter };
        pane.text(from, 0, name, band_role(Some(k)));
        let hz = band.low_hz.to_string();
        if columns(&hz) < room {
            pane.text(from, 1, &hz, Role::Dim);
        }
    }
    pane.text_until(0, width, 1, &format!(" {MAX_HZ} Hz"), Role::Dim);
}

fn means(pane: &mut Pane, spectrum: &Spectrum) {
    for (k, band) in BANDS.iter().enumerate() {
        let y = k as u16;
        pane.text(0, y, band.name, band_role(Some(k)));
        let db = spectrum.band_db(*band).map_or("-".into(), |db| format!("{db:.1}"));
        pane.text_until(0, 13, y, &db, Role::Strong);
        pane.text(14, y, "dB", Role::Dim);
    }
}
