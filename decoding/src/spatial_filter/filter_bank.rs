//! What methods on a filter bank share: where its bands lie and what each counts.
//!
//! The filters themselves are in [`filter`](crate::filter); a method here takes one
//! window per band, all of the same time.

use serde::{Deserialize, Serialize};

/// How much the band `n`, counted from 1, counts: `n^-exponent + offset`. Harmonics
/// carry less of a response the higher they are.
///
/// # Reference
/// X. Chen, Y. Wang, S. Gao, T.-P. Jung, X. Gao: Filter bank canonical correlation
/// analysis for implementing a high-speed SSVEP-based brain-computer interface (2015),
/// doi 10.1088/1741-2560/12/4/046008.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandWeights {
    /// How fast the weight falls.
    pub exponent: f64,
    /// What it falls to.
    pub offset: f64,
}

impl Default for BandWeights {
    /// The values found best by the reference: 1.25 and 0.25.
    fn default() -> Self {
        Self { exponent: 1.25, offset: 0.25 }
    }
}

impl BandWeights {
    /// The weights of the first `n_bands`.
    pub fn weights(self, n_bands: usize) -> Vec<f64> {
        (1..=n_bands).map(|n| (n as f64).powf(-self.exponent) + self.offset).collect()
    }
}

/// Bands for responses with harmonics, `[low, high]` each: the band `n`, counted from 1,
/// passes everything from `n * first_hz` to `top_hz`. None that would begin at `top_hz`
/// or above.
///
/// The reference of [`BandWeights`] found 8 Hz to 88 Hz best for stimuli of 8 to 16 Hz.
pub fn harmonic_bands_hz(first_hz: f64, top_hz: f64, n_bands: usize) -> Vec<[f64; 2]> {
    let bands = (1..=n_bands).map(|n| [n as f64 * first_hz, top_hz]);
    bands.filter(|[low, high]| low < high).collect()
}

/// Scores as shares: `(s_k - min s + 1e-12) / sum`, NaN where a score is.
///
/// It says which class is ahead, not with what probability: for that, fit
/// [`logistic`](crate::classifier::logistic) or [`lda`](crate::classifier::lda) to the
/// scores. As MOABB's `predict_proba` of its frequency-coded classifiers.
pub(crate) fn shares_in_place(scores: &mut [f64]) {
    const FLOOR: f64 = 1e-12;
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    for score in scores.iter_mut() {
        *score = *score - least + FLOOR;
    }
    let sum: f64 = scores.iter().sum();
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_as_published() {
        let weights = BandWeights::default().weights(3);
        assert_eq!(weights[0], 1.25);
        // 2^-1.25 = 0.4204482076268573, 3^-1.25 = 0.2532785618838642.
        assert!((weights[1] - 0.6704482076268573).abs() < 1e-15);
        assert!((weights[2] - 0.5032785618838642).abs() < 1e-15);
    }

    #[test]
    fn bands_end_below_the_top() {
        assert_eq!(harmonic_bands_hz(8.0, 20.0, 5), [[8.0, 20.0], [16.0, 20.0]]);
        assert!(harmonic_bands_hz(8.0, 8.0, 5).is_empty());
    }

    #[test]
    fn shares_are_positive_and_sum_to_one() {
        let mut scores = [0.3, -0.2, 0.9];
        shares_in_place(&mut scores);
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(scores.iter().all(|share| *share > 0.0));
        assert!(scores[2] > scores[0] && scores[0] > scores[1]);
        let mut equal = [0.5; 4];
        shares_in_place(&mut equal);
        assert_eq!(equal, [0.25; 4]);
        let mut nan = [0.5, f64::NAN];
        shares_in_place(&mut nan);
        assert!(nan.iter().all(|share| share.is_nan()));
    }
}
