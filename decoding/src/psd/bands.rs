//! Frequency bands of a one-sided spectrum.

use super::PsdError;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Frequencies `low_hz <= f < high_hz`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Lower edge, included.
    pub low_hz: f64,
    /// Upper edge, excluded.
    pub high_hz: f64,
}

/// The bands of the reference pipeline `psd+lda`: mu, and beta in three parts.
pub const BANDS: [Band; 4] = [
    Band { low_hz: 8.0, high_hz: 12.0 },
    Band { low_hz: 12.0, high_hz: 16.0 },
    Band { low_hz: 16.0, high_hz: 24.0 },
    Band { low_hz: 24.0, high_hz: 30.0 },
];

impl Band {
    /// The bins of ascending `freqs_hz` that lie in the band: plan it once, use it for
    /// every spectrum.
    pub fn bins(self, freqs_hz: &[f64]) -> Result<Range<usize>, PsdError> {
        let start = freqs_hz.partition_point(|f| *f < self.low_hz);
        let end = freqs_hz.partition_point(|f| *f < self.high_hz);
        if start < end {
            Ok(start..end)
        } else {
            Err(PsdError::EmptyBand { low_hz: self.low_hz, high_hz: self.high_hz })
        }
    }
}

/// Mean power density over `bins` (of [`Band::bins`]), in the unit of `psd`.
///
/// Thread: any. Allocation: none.
///
/// # Panics
/// If `bins` reach beyond the spectrum.
pub fn mean_power(psd: &[f64], bins: Range<usize>) -> f64 {
    let n_bins = bins.len();
    psd[bins].iter().sum::<f64>() / n_bins as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_half_open() {
        let freqs: Vec<f64> = (0..81).map(f64::from).collect();
        assert_eq!(BANDS.map(|b| b.bins(&freqs).unwrap()), [8..12, 12..16, 16..24, 24..30]);
        assert_eq!(mean_power(&freqs, 8..12), 9.5);
    }

    #[test]
    fn a_band_without_bins_is_refused() {
        let freqs = [0.0, 4.0, 8.0];
        for (low_hz, high_hz) in [(5.0, 7.0), (9.0, 20.0), (6.0, 3.0), (f64::NAN, f64::NAN)] {
            assert!(Band { low_hz, high_hz }.bins(&freqs).is_err(), "{low_hz} {high_hz}");
        }
    }
}
