//! Filters without delay, for recordings that are complete: they look into the future.
//!
//! Nothing here takes a frame: the input is a whole signal or [`Epochs`], so no live path can
//! use it, and `tests/tests/tidy.rs` proves that none names it. A decoder trained on such
//! signals and run on causally filtered ones sees other signals than it was trained on: use
//! them for looking at data, for evoked responses and for spectra, not for calibration.
//!
//! - [`sos_signal`], [`sos_epochs`]: forward and backward through second-order sections. The
//!   magnitude is squared (-6 dB at a Butterworth edge), the phase cancels; SciPy's
//!   `sosfiltfilt` with its default padding length.
//! - [`fir_signal`], [`fir_epochs`]: a linear-phase response, its delay taken back; MNE's
//!   `filter_data(..., phase="zero")`.
//!
//! # Reference
//! F. Gustafsson, *Determining the initial states in forward-backward filtering*, IEEE
//! Trans. Signal Process. 44, 1996, doi:10.1109/78.492552 (SciPy's and this padding is the
//! simpler of those it compares).

pub mod confounds;
pub mod cross_validation;
pub mod trials;

use crate::filter::FilterError;
use crate::filter::fir::FirFilter;
use crate::filter::sos::{Section, SosFilter};
use datasets::epoch::Epochs;
use ndarray::{Array2, Array3, ArrayView2, Axis};

/// How a signal is continued beyond its ends while it is filtered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Turned about its end point: `2 x[0] - x[k]`. Value and slope go on.
    #[default]
    Odd,
    /// Mirrored: `x[k]`. The value goes on, the slope is reversed.
    Even,
    /// The last value, held.
    Constant,
    /// Nothing: the filter starts in the steady state of the first sample all the same.
    None,
}

/// Why a signal can't be filtered without delay.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OfflineError {
    /// Take longer epochs, a lower order, or another padding.
    #[error(
        "{n_samples} samples are too few to continue by {n_pad}: take longer pieces, or filter before cutting"
    )]
    TooShort {
        /// Samples there are.
        n_samples: usize,
        /// Samples the padding copies.
        n_pad: usize,
    },
    /// Cut the bad stretch out, or repair it, before filtering: it would spread over all.
    #[error("sample {sample} of channel {channel} is not finite: cut it out or repair it first")]
    NotFinite {
        /// Its channel.
        channel: usize,
        /// The first bad sample.
        sample: usize,
    },
    /// Give a symmetric response with an odd number of taps: only its delay is a whole
    /// number of samples, the same at all frequencies.
    #[error("the response of {n_taps} taps is not symmetric and odd in length: design another")]
    NotLinearPhase {
        /// Its taps.
        n_taps: usize,
    },
    /// Give other taps.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

/// Forward and backward over each channel of a whole recording `(n_channels, n_samples)`.
///
/// The signal is continued at both ends by [`pad_samples`] of the sections. Memory: two
/// copies of the signal. Allocation: those; thread: any.
pub fn sos_signal(
    sections: &[Section],
    padding: Padding,
    signal: &ArrayView2<'_, f64>,
) -> Result<Array2<f64>, OfflineError> {
    sos_signal_padded(sections, (padding, pad_samples(sections)), signal)
}

/// [`sos_signal`], continued at both ends by `n_pad` samples.
pub fn sos_signal_padded(
    sections: &[Section],
    (padding, n_pad): (Padding, usize),
    signal: &ArrayView2<'_, f64>,
) -> Result<Array2<f64>, OfflineError> {
    let n_pad = if padding == Padding::None { 0 } else { n_pad };
    let (n_channels, n_samples) = signal.dim();
    if n_samples <= n_pad {
        return Err(OfflineError::TooShort { n_samples, n_pad });
    }
    check_finite(signal)?;
    let mut frames = continued(signal, n_pad, |end, inner| match padding {
        Padding::Odd => 2.0 * end - inner,
        Padding::Even => inner,
        Padding::Constant | Padding::None => end,
    });
    if n_channels > 0 {
        let mut filter = SosFilter::new(sections.to_vec(), n_channels);
        for _ in 0..2 {
            filter.start_at(&frames[..n_channels]);
            filter.process_frames(&mut frames);
            reverse(&mut frames, n_channels);
        }
    }
    Ok(Array2::from_shape_fn((n_channels, n_samples), |(c, n)| {
        frames[(n + n_pad) * n_channels + c]
    }))
}

/// [`sos_signal`] over each epoch by itself.
pub fn sos_epochs(
    sections: &[Section],
    padding: Padding,
    epochs: &Epochs,
) -> Result<Epochs, OfflineError> {
    each(epochs, |signal| sos_signal(sections, padding, signal))
}

/// How far SciPy's `sosfiltfilt` continues a signal: three times the number of
/// coefficients, roots at 0 not counted.
pub fn pad_samples(sections: &[Section]) -> usize {
    let zeros = sections.iter().filter(|s| s.b[2] == 0.0).count();
    let poles = sections.iter().filter(|s| s.a[1] == 0.0).count();
    3 * (2 * sections.len() + 1 - zeros.min(poles))
}

/// How long the sections ring: up to the last sample of their impulse response above a
/// thousandth of its largest, searched in chunks of 1,000 samples until one has none above;
/// 100,000 where none is found. How far MNE continues a signal
/// (`estimate_ringing_samples`): further than SciPy where a band is narrow.
pub fn ringing_samples(sections: &[Section]) -> usize {
    const CHUNK: usize = 1000;
    const CHUNKS: usize = 100;
    let mut filter = SosFilter::new(sections.to_vec(), 1);
    let (mut least, mut last) = (0.0_f64, CHUNK);
    for chunk in 0..CHUNKS {
        let mut response = vec![0.0; CHUNK];
        response[0] = if chunk == 0 { 1.0 } else { 0.0 };
        filter.process_frames(&mut response);
        least = response.iter().fold(least, |least, h| least.max(1e-3 * h.abs()));
        match response.iter().rposition(|h| h.abs() > least) {
            Some(at) => last = at,
            None => return (chunk.max(1) - 1) * CHUNK + last,
        }
    }
    CHUNKS * CHUNK
}

/// A linear-phase response over each channel of a whole recording `(n_channels, n_samples)`,
/// its delay taken back.
///
/// Each end is continued by odd reflection ([`Padding::Odd`]), by zeros where the reflected
/// signal is over. Memory: two copies of the signal; thread: any.
pub fn fir_signal(taps: &[f64], signal: &ArrayView2<'_, f64>) -> Result<Array2<f64>, OfflineError> {
    let n_taps = taps.len();
    let largest = taps.iter().fold(0.0_f64, |most, h| most.max(h.abs()));
    let mirrored = taps.iter().zip(taps.iter().rev());
    let is_symmetric = mirrored.into_iter().all(|(h, g)| (h - g).abs() <= 1e-9 * largest);
    if n_taps.is_multiple_of(2) || !is_symmetric {
        return Err(OfflineError::NotLinearPhase { n_taps });
    }
    let (n_channels, n_samples) = signal.dim();
    if n_samples == 0 {
        return Err(OfflineError::TooShort { n_samples, n_pad: n_taps / 2 });
    }
    check_finite(signal)?;
    let n_pad = (n_taps / 2).min(n_samples - 1);
    let mut frames = continued(signal, n_pad, |end, inner| 2.0 * end - inner);
    let mut filter = FirFilter::new(taps, n_channels)?;
    // The sample that an output belongs to came half the taps before.
    let late = n_taps / 2 - n_pad;
    frames.resize(frames.len() + late * n_channels, 0.0);
    filter.process_frames(&mut frames);
    let first = n_taps / 2 + n_pad;
    Ok(Array2::from_shape_fn((n_channels, n_samples), |(c, n)| {
        frames[(n + first) * n_channels + c]
    }))
}

/// [`fir_signal`] over each epoch by itself.
pub fn fir_epochs(taps: &[f64], epochs: &Epochs) -> Result<Epochs, OfflineError> {
    each(epochs, |signal| fir_signal(taps, signal))
}

/// The same to each epoch.
fn each(
    epochs: &Epochs,
    mut filter: impl FnMut(&ArrayView2<'_, f64>) -> Result<Array2<f64>, OfflineError>,
) -> Result<Epochs, OfflineError> {
    let mut samples = Array3::zeros(epochs.samples().dim());
    for (mut to, from) in samples.axis_iter_mut(Axis(0)).zip(epochs.samples().outer_iter()) {
        to.assign(&filter(&from)?);
    }
    let (labels, times_secs) = (epochs.labels().to_vec(), epochs.times_secs().to_vec());
    Ok(Epochs::new(samples, labels, times_secs).expect("labels and times are those of epochs"))
}

fn check_finite(signal: &ArrayView2<'_, f64>) -> Result<(), OfflineError> {
    match signal.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((channel, sample), _)) => Err(OfflineError::NotFinite { channel, sample }),
        None => Ok(()),
    }
}

/// Frame after frame, with `n_pad` frames more at each end: `beyond(end, inner)` of the
/// channel's end and of the sample as far inside.
fn continued(
    signal: &ArrayView2<'_, f64>,
    n_pad: usize,
    beyond: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    let (n_channels, n_samples) = signal.dim();
    let mut frames = Vec::with_capacity((n_samples + 2 * n_pad) * n_channels);
    for k in (1..=n_pad).rev() {
        frames.extend(signal.rows().into_iter().map(|x| beyond(x[0], x[k])));
    }
    for n in 0..n_samples {
        frames.extend(signal.column(n));
    }
    let last = n_samples.saturating_sub(1);
    for k in 1..=n_pad {
        frames.extend(signal.rows().into_iter().map(|x| beyond(x[last], x[last - k])));
    }
    frames
}

/// Turns the order of frames around.
fn reverse(frames: &mut [f64], n_channels: usize) {
    frames.reverse();
    for frame in frames.chunks_exact_mut(n_channels) {
        frame.reverse();
    }
}

#[cfg(test)]
mod tests;
