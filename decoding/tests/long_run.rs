//! What is updated per hop does not drift: after a million hops it is, to the bit, what a
//! fresh start gives, however long before it was started, and within rounding what the
//! window alone gives. Welch spectra and cross-spectra are asked the same beside their code.

use acquisition::time::SampleIndex;
use decoding::connectivity::mvar::{
    Estimator as MvarEstimator, Intercept, MvarSpec, MvarView, SlidingMvar,
};
use decoding::riemann::covariance::{Estimator, SlidingCovariance};
use decoding::window::{Planar, WindowSpec};
use faer::{Mat, MatRef};
use ndarray::ArrayView3;

/// Hops of a run: two days of one every 0.17 s.
const N_HOPS: u64 = 1_000_000;
const N_CHANNELS: usize = 2;

/// Noise on an offset, which makes rounding show, as a function of the index alone.
fn sample(t: u64, channel: usize) -> f64 {
    let mut x = (2 * t + channel as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let noise = ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    300.0 * channel as f64 + 1000.0 / 7.0 + 20.0 * noise
}

/// The samples of `length` from `start`, channel after channel.
fn fill(data: &mut [f64], start: u64) {
    let length = data.len() / N_CHANNELS;
    for (c, row) in data.chunks_exact_mut(length).enumerate() {
        row.iter_mut().zip(start..).for_each(|(x, t)| *x = sample(t, c));
    }
}

fn planar(data: &[f64]) -> Planar<'_> {
    let length = data.len() / N_CHANNELS;
    Planar::new(data, N_CHANNELS, length, length)
}

/// The hops at which a run is looked at: some early, most late, the last.
fn is_looked_at(hop: u64) -> bool {
    [0, 1, 7, 1000, 65_536, 333_333].contains(&hop) || hop + 5 >= N_HOPS || hop % 100_003 == 17
}

fn assert_same_bits(found: &[f64], expected: &[f64], what: &str) {
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected), "{what}: {found:?} is not {expected:?}");
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * largest, "{what}: {a} is not {b}");
    }
}

fn values(mat: &Mat<f64>) -> Vec<f64> {
    mat.col_iter().flat_map(|col| col.iter().copied().collect::<Vec<_>>()).collect()
}

/// The covariance of the window that starts at `start`, by a run that starts `n_before`
/// frames before it.
fn fresh_covariance(estimator: Estimator, spec: WindowSpec, start: u64, n_before: u64) -> Mat<f64> {
    let WindowSpec { window_samples, step_samples } = spec;
    let mut sliding = SlidingCovariance::of(estimator, N_CHANNELS, window_samples, step_samples);
    for t in start - n_before..start + window_samples as u64 {
        sliding.push_frame(&[sample(t, 0), sample(t, 1)]);
    }
    let mut out = Mat::zeros(N_CHANNELS, N_CHANNELS);
    sliding.estimate_into(out.as_mut());
    out
}

#[test]
fn covariances_do_not_drift() {
    // A step that divides the window, one that does not, one of the window's length.
    for (window_samples, step_samples) in [(8, 2), (7, 3), (4, 4)] {
        let spec = WindowSpec { window_samples, step_samples };
        for estimator in [Estimator::Oas, Estimator::LedoitWolf] {
            let mut sliding =
                SlidingCovariance::of(estimator, N_CHANNELS, window_samples, step_samples);
            let (mut out, mut hop, mut n_looked) = (Mat::zeros(2, 2), 0, 0);
            for t in 0.. {
                sliding.push_frame(&[sample(t, 0), sample(t, 1)]);
                if !sliding.is_window_end() {
                    continue;
                }
                sliding.estimate_into(out.as_mut());
                let start = t + 1 - window_samples as u64;
                assert_eq!(start, hop * step_samples as u64, "a window lies on the grid");
                if is_looked_at(hop) {
                    let what = format!("{estimator:?}, hop {hop}");
                    for n_steps in [0, 1, 5, 64].into_iter().filter(|n| *n <= hop) {
                        let n_before = n_steps * step_samples as u64;
                        let fresh = fresh_covariance(estimator, spec, start, n_before);
                        assert_same_bits(&values(&out), &values(&fresh), &what);
                    }
                    let mut data = vec![0.0; N_CHANNELS * window_samples];
                    fill(&mut data, start);
                    let mut batch = Mat::zeros(2, 2);
                    let samples = MatRef::from_row_major_slice(&data, 2, window_samples);
                    let mut plan = estimator.plan(2, window_samples).expect("a plan");
                    plan.covariance_into(samples, batch.as_mut());
                    // The sums are about 0, 3e5 times the variance: rounding is as much
                    // larger, and the quartic's the square of that.
                    let tolerance = if estimator == Estimator::Oas { 1e-9 } else { 1e-6 };
                    assert_near(&values(&out), &values(&batch), tolerance, &what);
                    n_looked += 1;
                }
                hop += 1;
                if hop == N_HOPS {
                    break;
                }
            }
            assert!(n_looked > 15, "{n_looked} hops were looked at");
        }
    }
}

const WINDOW: WindowSpec = WindowSpec { window_samples: 32, step_samples: 4 };

#[test]
fn autoregressions_do_not_drift() {
    let plan = || SlidingMvar::new(N_CHANNELS, 1, WINDOW).expect("a plan");
    let (mut sliding, mut data) = (plan(), vec![0.0; 64]);
    let usual = MvarSpec {
        order: 1,
        estimator: MvarEstimator::LeastSquares,
        intercept: Intercept::Estimated,
    };
    for hop in 0..N_HOPS {
        fill(&mut data, hop * 4);
        let model = sliding.slide(SampleIndex(hop * 4 + 31), planar(&data)).expect("a model");
        if !is_looked_at(hop) {
            continue;
        }
        let coefficients = |model: MvarView<'_>| -> Vec<f64> {
            (0..4)
                .map(|k| model.coefficient(1, k / 2, k % 2))
                .chain(model.noise().to_vec())
                .collect()
        };
        let found = coefficients(model);
        for n_before in [0, 1, 9].into_iter().filter(|n| *n <= hop) {
            let (mut fresh, mut expected) = (plan(), vec![]);
            for hop in hop - n_before..=hop {
                fill(&mut data, hop * 4);
                let model = fresh.slide(SampleIndex(hop * 4 + 31), planar(&data));
                expected = coefficients(model.expect("a model"));
            }
            assert_same_bits(&found, &expected, &format!("hop {hop}"));
        }
        // What the window predicts: all but its first block, whose past is outside.
        let rows: Vec<f64> = data.chunks_exact(32).flat_map(|row| row[3..].to_vec()).collect();
        let epoch = ArrayView3::from_shape((1, N_CHANNELS, 29), &rows).expect("a shape");
        let batch = usual.fit(&epoch).expect("a fit");
        // Products about 0, 3e5 times the variance, and their inverse: twice the digits.
        assert_near(&found, &coefficients(batch.view()), 1e-6, &format!("hop {hop}"));
    }
}
