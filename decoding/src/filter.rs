//! Causal filters: designs ([`butterworth`], [`chebyshev`], [`notch`]) that give
//! second-order sections, the machine that runs them ([`sos`]), the [`comb`] against line
//! noise, finite impulse responses ([`fir`]) and rational resampling
//! ([`resample`]).
//!
//! Everything runs forward in time, frame by frame, with carried state: there is no
//! forward-backward filter here, because its output depends on the future.

pub mod butterworth;
pub mod chebyshev;
pub mod comb;
pub mod fir;
mod lanes;
pub mod notch;
pub mod resample;
mod roots;
pub mod sos;

use acquisition::time::SampleRate;
use serde::{Deserialize, Serialize};

/// What a filter lets through, and its edges in hertz. What happens at an edge (-3 dB,
/// -6 dB, the end of the transition) is the design's to say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Band {
    /// Passes below the edge.
    Lowpass {
        /// The edge.
        edge_hz: f64,
    },
    /// Passes above the edge.
    Highpass {
        /// The edge.
        edge_hz: f64,
    },
    /// Passes between the edges.
    Bandpass {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// Stops between the edges.
    Bandstop {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
}

impl Band {
    /// Whether the edges are in order and strictly between 0 Hz and half of `rate`.
    pub fn check(self, rate: SampleRate) -> Result<(), FilterError> {
        match self {
            Self::Lowpass { edge_hz } | Self::Highpass { edge_hz } => check_edge(edge_hz, rate),
            Self::Bandpass { low_hz, high_hz } | Self::Bandstop { low_hz, high_hz } => {
                if low_hz >= high_hz {
                    return Err(FilterError::EmptyBand { low_hz, high_hz });
                }
                check_edge(low_hz, rate)?;
                check_edge(high_hz, rate)
            }
        }
    }
}

/// Why a filter can't be designed. Each message names what to change.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// Choose an order from 1 to 16.
    #[error("a filter of order {order} is not possible: choose 1 to {}", butterworth::MAX_ORDER)]
    BadOrder {
        /// The order asked for.
        order: usize,
    },
    /// Choose an edge above 0 Hz and below half the sampling rate.
    #[error(
        "a filter edge of {edge_hz} Hz is not between 0 and {nyquist_hz} Hz, half the sampling rate: choose a lower edge or record faster"
    )]
    EdgeOutOfRange {
        /// The edge asked for.
        edge_hz: f64,
        /// Half the sampling rate.
        nyquist_hz: f64,
    },
    /// Swap the edges, or choose a wider band.
    #[error("the band {low_hz}-{high_hz} Hz is empty: its lower edge must be below its upper edge")]
    EmptyBand {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// Choose a positive quality factor; 30 is usual.
    #[error("a notch of quality {quality} is not possible: choose a positive number, 30 is usual")]
    BadQuality {
        /// The quality factor asked for.
        quality: f64,
    },
    /// Choose a stopband attenuation above 0 dB; 40 is usual.
    #[error("a stopband {stop_db} dB down is not possible: choose a positive number, 40 is usual")]
    BadAttenuation {
        /// The attenuation asked for.
        stop_db: f64,
    },
    /// Ask for one harmonic at least: the line itself.
    #[error("no harmonic is to be stopped: ask for 1, the line itself, or more")]
    NoHarmonic,
    /// Use notches, which fit any rate, or resample to a multiple.
    #[error(
        "a comb with teeth {spacing_hz} Hz apart needs a rate that is a multiple of that, not {rate_hz} Hz: use notches, or resample"
    )]
    CombRate {
        /// Distance of the teeth.
        spacing_hz: f64,
        /// The stream's rate.
        rate_hz: f64,
    },
    /// Give taps that are finite and as many as the method needs: one at least, an odd
    /// number to pass half the rate, three for a minimum phase, no more than a million.
    #[error(
        "an impulse response of {n_taps} taps is not possible here: give finite taps, an odd number of them for a high-pass or band-stop, or widen the transition"
    )]
    BadTaps {
        /// Number of taps given or asked for.
        n_taps: usize,
    },
    /// Choose a transition above 0 Hz that ends above 0 Hz and below half the rate, and two
    /// that do not overlap.
    #[error(
        "transition bands of {low_hz} and {high_hz} Hz do not fit the band: choose positive widths that stay between 0 Hz, each other and half the sampling rate"
    )]
    BadTransition {
        /// Width at the lower edge.
        low_hz: f64,
        /// Width at the upper edge.
        high_hz: f64,
    },
    /// Choose Hamming, Hann or Blackman, or give the number of taps.
    #[error("a Kaiser taper has no rule for the number of taps: choose another, or give it")]
    NoLengthRule,
    /// Choose a shape from 0 to 500; 5 is usual.
    #[error("a Kaiser taper of shape {beta} is not possible: choose 0 to 500, 5 is usual")]
    BadKaiser {
        /// The shape asked for.
        beta: f64,
    },
    /// Choose factors from 1 to 100,000, or rates whose ratio is such a fraction.
    #[error("resampling by {up}/{down} is not possible: choose factors from 1 to 100000")]
    BadRatio {
        /// Factor of interpolation.
        up: usize,
        /// Factor of decimation.
        down: usize,
    },
    /// Choose rates whose ratio is a fraction of small integers.
    #[error("{from_hz} Hz to {to_hz} Hz is no ratio of integers up to 100000: choose another rate")]
    NoRatio {
        /// Rate of the input.
        from_hz: f64,
        /// Rate wanted.
        to_hz: f64,
    },
    /// The band is too narrow, or its edge too close to 0 Hz, for this order at this rate:
    /// lower the order, or widen the band.
    #[error("the filter is not stable in double precision: lower its order or widen its band")]
    Unstable,
}

/// Whether `edge_hz` lies strictly between 0 Hz and half of `rate`.
fn check_edge(edge_hz: f64, rate: SampleRate) -> Result<(), FilterError> {
    let nyquist_hz = rate.hz() / 2.0;
    if edge_hz > 0.0 && edge_hz < nyquist_hz {
        Ok(())
    } else {
        Err(FilterError::EdgeOutOfRange { edge_hz, nyquist_hz })
    }
}

#[cfg(test)]
mod tests;
