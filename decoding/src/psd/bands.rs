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
        // An edge that is not a number is in no order with the other.
        if self.low_hz <= self.high_hz && start < end {
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

/// Power in the band, `Σ P Δf` over `bins` (of [`Band::bins`]): the unit of the samples
/// squared. `resolution_hz` is the distance of bins.
///
/// Thread: any. Allocation: none.
///
/// # Panics
/// If `bins` reach beyond the spectrum.
pub fn absolute_power(psd: &[f64], bins: Range<usize>, resolution_hz: f64) -> f64 {
    psd[bins].iter().sum::<f64>() * resolution_hz
}

/// The part of the power over `total` that lies in `bins`, 0 where there is none.
///
/// Thread: any. Allocation: none.
///
/// # Panics
/// If either reaches beyond the spectrum.
pub fn relative_power(psd: &[f64], bins: Range<usize>, total: Range<usize>) -> f64 {
    let total: f64 = psd[total].iter().sum();
    if total == 0.0 { 0.0 } else { psd[bins].iter().sum::<f64>() / total }
}

/// Shannon's entropy of the spectrum over `bins` as a distribution, over that of a flat
/// one: `-Σ p ln p / ln n`, `p = P / Σ P`, `0 ln 0 = 0`. From 0 (all in one bin) to 1;
/// 0 where there is one bin or no power.
///
/// Thread: any. Allocation: none.
///
/// # Panics
/// If `bins` reach beyond the spectrum.
///
/// # Reference
/// T. Inouye et al. (1991), Electroencephalography and Clinical Neurophysiology 79(3),
/// doi:10.1016/0013-4694(91)90138-T.
pub fn spectral_entropy(psd: &[f64], bins: Range<usize>) -> f64 {
    let psd = &psd[bins];
    let total: f64 = psd.iter().sum();
    if psd.len() < 2 || total == 0.0 {
        return 0.0;
    }
    let term = |p: &f64| if *p == 0.0 { 0.0 } else { -(p / total) * (p / total).ln() };
    psd.iter().map(term).sum::<f64>() / (psd.len() as f64).ln()
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

    #[test]
    fn entropy_is_one_where_flat_and_zero_in_one_bin() {
        assert!((spectral_entropy(&[3.0; 8], 1..7) - 1.0).abs() < 1e-15);
        assert_eq!(spectral_entropy(&[0.0, 5.0, 0.0], 0..3), 0.0);
        assert_eq!(spectral_entropy(&[0.0; 3], 0..3), 0.0);
        assert_eq!(spectral_entropy(&[1.0; 3], 1..2), 0.0);
    }

    #[test]
    fn powers_are_sums() {
        let psd = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(absolute_power(&psd, 1..3, 0.5), 2.5);
        assert_eq!(relative_power(&psd, 1..3, 0..4), 0.5);
        assert_eq!(relative_power(&[0.0; 4], 1..3, 0..4), 0.0);
    }
}
