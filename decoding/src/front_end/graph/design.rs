//! What the parameters of signal steps come to at a rate and for the channels of a stream.

use super::labels_of;
use crate::filter::fir::design::{Transitions, windowed, with_transitions};
use crate::filter::fir::minimum_phase::{Magnitude, minimum_phase};
use crate::filter::resample::Ratio;
use crate::filter::sos::Section;
use crate::filter::{Band, FilterError, butterworth, chebyshev};
use crate::front_end::PlanError;
use crate::front_end::step::{
    BandStop, Bipolar, CurrentSourceDensity, Family, Fir, HighPass, Interpolate, LowPass, Phase,
    Resample, Rest, STOP_DB,
};
use crate::spatial::{ChannelMap, SpatialError, rest as against_infinity};
use acquisition::montage::{HEAD_RADIUS_M, direction};
use acquisition::time::SampleRate;
use faer::Mat;

type Sections = Result<Vec<Section>, FilterError>;

pub(super) fn high_pass(step: &HighPass, rate: SampleRate) -> Sections {
    let band = Band::Highpass { edge_hz: step.edge_hz };
    sections(step.family, step.stop_db, step.order, band, rate)
}

pub(super) fn low_pass(step: &LowPass, rate: SampleRate) -> Sections {
    let band = Band::Lowpass { edge_hz: step.edge_hz };
    sections(step.family, step.stop_db, step.order, band, rate)
}

pub(super) fn band_stop(step: &BandStop, rate: SampleRate) -> Sections {
    let band = Band::Bandstop { low_hz: step.low_hz, high_hz: step.high_hz };
    sections(step.family, step.stop_db, step.order, band, rate)
}

fn sections(
    family: Family,
    stop_db: Option<f64>,
    order: usize,
    band: Band,
    rate: SampleRate,
) -> Sections {
    match family {
        Family::Butterworth => butterworth::sections(order, band, rate),
        Family::Chebyshev2 => chebyshev::sections(order, stop_db.unwrap_or(STOP_DB), band, rate),
    }
}

/// The impulse response.
pub(super) fn taps(step: &Fir, rate: SampleRate) -> Result<Vec<f64>, FilterError> {
    // Checked with the description: a response has an edge.
    let nyquist_hz = rate.hz() / 2.0;
    let no_edge = FilterError::EdgeOutOfRange { edge_hz: f64::NAN, nyquist_hz };
    let band = step.band().ok_or(no_edge)?;
    let linear = if let Some(n_taps) = step.n_taps {
        windowed(n_taps, band, step.taper, rate)?
    } else {
        let widths = step.transitions_hz.map(|[low_hz, high_hz]| Transitions { low_hz, high_hz });
        let transitions = widths.unwrap_or_else(|| Transitions::auto(band, rate));
        with_transitions(band, transitions, step.taper, rate)?
    };
    match step.phase {
        Phase::Linear => Ok(linear),
        Phase::Minimum => minimum_phase(&linear, Magnitude::Kept),
    }
}

/// The ratio of the rates.
pub(super) fn ratio(step: &Resample, rate: SampleRate) -> Result<Ratio, FilterError> {
    let none = FilterError::NoRatio { from_hz: rate.hz(), to_hz: step.rate_hz };
    Ratio::between(rate, SampleRate::new(step.rate_hz).map_err(|_| none)?)
}

/// Differences of channels, called as the stream calls them.
pub(super) fn bipolar(step: &Bipolar, labels: &[String]) -> Result<ChannelMap, PlanError> {
    let pair = |pair: &[String; 2]| labels_of(pair, labels);
    let pairs = step.pairs.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let pairs: Vec<_> = pairs.iter().map(|p| (p[0].as_str(), p[1].as_str())).collect();
    Ok(ChannelMap::bipolar(labels, &pairs)?)
}

/// Where electrodes stand on the sphere.
fn positions_m(labels: &[String]) -> Result<Vec<[f64; 3]>, SpatialError> {
    let place = |label: &String| match direction(label) {
        Some(unit) => Ok(unit.map(|x| x * HEAD_RADIUS_M)),
        None => Err(SpatialError::UnknownElectrode { label: label.clone() }),
    };
    labels.iter().map(place).collect()
}

pub(super) fn current_source_density(
    step: &CurrentSourceDensity,
    labels: &[String],
) -> Result<ChannelMap, PlanError> {
    let places = positions_m(labels)?;
    Ok(step.spline().current_source_density(labels, &places, [0.0; 3], HEAD_RADIUS_M)?)
}

pub(super) fn interpolation(
    step: &Interpolate,
    labels: &[String],
) -> Result<ChannelMap, PlanError> {
    let bads = labels_of(&step.channels, labels)?;
    let places = positions_m(labels)?;
    Ok(step.spline().interpolation(labels, &places, [0.0; 3], &bads)?)
}

/// The rows of the lead field in the order of the stream's channels.
pub(super) fn rest(step: &Rest, labels: &[String]) -> Result<ChannelMap, PlanError> {
    let row = |label: &String| match super::position(label, &step.channels) {
        Some(row) => Ok(row),
        None => Err(SpatialError::UnknownChannel { label: label.clone() }),
    };
    let rows = labels.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let n_sources = step.lead_field.first().map_or(0, Vec::len);
    let field = Mat::from_fn(rows.len(), n_sources, |i, k| step.lead_field[rows[i]][k]);
    Ok(against_infinity::rest(labels, field.as_ref())?)
}
