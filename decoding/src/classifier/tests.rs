//! What all classifiers share; and what the tests of each share.

use super::*;
use faer::Mat;
use proptest::prelude::*;

/// Class indices of a golden file's labels.
pub(crate) fn classes(labels: &[u8]) -> Vec<ClassIdx> {
    labels.iter().copied().map(ClassIdx).collect()
}

/// A golden file's matrix.
pub(crate) fn matrix(rows: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// Examples of a golden file.
#[derive(serde::Deserialize)]
pub(crate) struct GoldenSet {
    #[serde(default)]
    pub(crate) name: String,
    features: Vec<Vec<f64>>,
    labels: Vec<u8>,
    pub(crate) held_out: Vec<Vec<f64>>,
}

impl GoldenSet {
    /// The examples of some classes, and their labels.
    pub(crate) fn of(&self, used: &[u8]) -> (Vec<Vec<f64>>, Vec<ClassIdx>) {
        let examples = self.labels.iter().zip(&self.features);
        let kept = examples.filter(|(label, _)| used.contains(label));
        kept.map(|(label, x)| (x.clone(), ClassIdx(*label))).unzip()
    }
}

/// Asserts that each value is within `tolerance` times the larger of 1 and its expected
/// magnitude.
#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance, "value {i}: {found} is not {expected}, off by {error:.1e}");
    }
}

/// Uncorrelated normal numbers from a fixed sequence.
pub(crate) struct Normal(u64);

impl Normal {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn uniform(&mut self) -> f64 {
        // Steele, Lea, Flood: SplitMix64, doi 10.1145/2714064.2660195.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next number: a sum of twelve uniform ones is normal enough for a test.
    pub(crate) fn draw(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// `n` vectors of `n_features` whose class, in turn, shifts one feature by `shift`.
    pub(crate) fn examples(
        &mut self,
        n: usize,
        n_features: usize,
        n_classes: usize,
        shift: f64,
    ) -> (Vec<Vec<f64>>, Vec<ClassIdx>) {
        let labels: Vec<_> = (0..n).map(|i| ClassIdx((i % n_classes) as u8)).collect();
        let example = |label: &ClassIdx| {
            let mut x: Vec<f64> = (0..n_features).map(|_| self.draw()).collect();
            x[label.index() % n_features] += shift;
            x
        };
        (labels.iter().map(example).collect(), labels)
    }

    /// A covariance of `n_samples` in which channel `label` is stronger.
    pub(crate) fn covariance(&mut self, p: usize, n_samples: usize, label: ClassIdx) -> Mat<f64> {
        let gain = |i: usize| if i == label.index() { 1.6 } else { 1.0 };
        let x = Mat::from_fn(p, n_samples, |i, _| gain(i) * self.draw());
        &x * x.transpose() * faer::Scale(1.0 / n_samples as f64)
    }
}

#[test]
fn softmax_of_extreme_scores() {
    let mut p = [1e300, -1e300, 1e300];
    softmax_in_place(&mut p);
    assert_eq!(p, [0.5, 0.0, 0.5]);
    let mut p = [f64::NAN, 0.0];
    softmax_in_place(&mut p);
    assert!(p.iter().all(|p| p.is_nan()));
    softmax_in_place(&mut []);
}

#[test]
fn a_class_without_two_examples_is_named() {
    let too_few = |class, n_examples| {
        Err(FitError::TooFewExamples { class, n_examples, n_needed: N_EXAMPLES_NEEDED })
    };
    assert_eq!(count_examples(4, &classes(&[0, 1, 1, 0]), 3), too_few(2, 0));
    assert_eq!(count_examples(3, &classes(&[0, 1, 1]), 2), too_few(0, 1));
    assert_eq!(count_examples(4, &classes(&[0, 1, 1, 0]), 2), Ok(vec![2, 2]));
}

proptest! {
    #[test]
    fn softmax_sums_to_one_and_ignores_a_shift(
        scores in prop::collection::vec(-50.0..50.0, 1..6),
        shift in -1e3..1e3,
    ) {
        let (mut p, mut q) = (scores.clone(), scores);
        softmax_in_place(&mut p);
        prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        for score in &mut q {
            *score += shift;
        }
        softmax_in_place(&mut q);
        // Adding the shift rounds a score by up to 1e3 * 2^-53, and exp carries that over.
        prop_assert!(p.iter().zip(&q).all(|(p, q)| (p - q).abs() < 1e-12));
    }

    #[test]
    fn dot_is_the_sum_of_products(pairs in prop::collection::vec((-1.0..1.0, -1.0..1.0), 0..40)) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let naive: f64 = pairs.iter().map(|(a, b)| a * b).sum();
        prop_assert!((dot(&a, &b) - naive).abs() < 1e-14 * 40.0);
    }
}
