use super::*;
use proptest::prelude::*;
use serde::Deserialize;

/// Written by `tests/reference/golden.py` with scikit-learn 1.9.1.
const RIEMANN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/riemann.json"));
const LEDOIT_WOLF: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/ledoit_wolf.json"));

/// Written by `tests/reference/golden_geometry.py` with pyRiemann 0.12.
const COVARIANCES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/covariances.json"));

type Rows = Vec<Vec<f64>>;

#[derive(Deserialize)]
struct Real {
    windows: Vec<Rows>,
    scm: Vec<Rows>,
    oas: Vec<Rows>,
    oas_shrinkage: Vec<f64>,
}

#[derive(Deserialize)]
struct LedoitWolf {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Covariances {
    windows: Vec<Rows>,
    ledoit_wolf: Vec<Rows>,
    schaefer_strimmer: Vec<Rows>,
    shrinkage: f64,
    shrunk: Vec<Rows>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Rows,
    shrinkage: f64,
    covariance: Rows,
}

fn mat(rows: &Rows) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// `‖a - b‖ / ‖b‖`.
fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_l2() / b.norm_l2()
}

/// The estimator's covariance of one window, by its plan.
fn planned(estimator: Estimator, window: &Mat<f64>) -> Mat<f64> {
    let (n_channels, n_samples) = window.shape();
    let mut runtime = estimator.plan(n_channels, n_samples).unwrap();
    let mut out = Mat::full(n_channels, n_channels, f64::NAN);
    // Dirty scratch: another window was there before.
    runtime.covariance_into((1e3 * window).as_ref(), out.as_mut());
    runtime.covariance_into(window.as_ref(), out.as_mut());
    out
}

#[test]
fn estimators_are_pyriemanns() {
    let golden: Covariances = serde_json::from_str(COVARIANCES).unwrap();
    let shrunk = Estimator::Shrunk { shrinkage: golden.shrinkage };
    let cases = [
        (Estimator::LedoitWolf, &golden.ledoit_wolf),
        (Estimator::SchaeferStrimmer, &golden.schaefer_strimmer),
        (shrunk, &golden.shrunk),
    ];
    for (estimator, expected) in cases {
        for (window, expected) in golden.windows.iter().zip(expected) {
            let window = mat(window);
            let found = planned(estimator, &window);
            let error = difference(found.as_ref(), mat(expected).as_ref());
            assert!(error < 1e-12, "{estimator:?} {error:.1e}");
            assert_eq!(found.transpose(), found.as_ref());
            if !estimator.slides() {
                continue;
            }
            let mut sliding = SlidingCovariance::of(estimator, 8, 320, 40);
            window
                .col_iter()
                .for_each(|x| sliding.push_frame(&x.iter().copied().collect::<Vec<_>>()));
            let mut found = Mat::full(8, 8, f64::NAN);
            sliding.estimate_into(found.as_mut());
            let error = difference(found.as_ref(), mat(expected).as_ref());
            // The offsets of some twenty microvolts cost a digit or two in the fourth power.
            assert!(error < 1e-10, "{estimator:?} {error:.1e}");
        }
    }
}

#[test]
fn plans_are_the_functions() {
    let golden: Covariances = serde_json::from_str(COVARIANCES).unwrap();
    let window = mat(&golden.windows[0]);
    let mut oas = scm(window.as_ref());
    let plain = planned(Estimator::Scm, &window);
    assert!(difference(plain.as_ref(), oas.as_ref()) < 1e-14);
    oas_shrink(oas.as_mut(), 320);
    let found = planned(Estimator::Oas, &window);
    assert!(difference(found.as_ref(), oas.as_ref()) < 1e-14);
    let (shrunk, _) = ledoit_wolf(window.transpose());
    let found = planned(Estimator::LedoitWolf, &window);
    assert!(difference(found.as_ref(), shrunk.as_ref()) < 1e-14);
}

#[test]
fn impossible_estimates_are_refused() {
    let shrunk = |shrinkage| Estimator::Shrunk { shrinkage };
    for shrinkage in [-0.1, 1.5, f64::NAN] {
        let found = shrunk(shrinkage).check(8, 100);
        assert!(matches!(found, Err(CovarianceError::BadShrinkage { .. })), "{shrinkage}");
    }
    for estimator in [Estimator::Scm, shrunk(0.0)] {
        let singular = CovarianceError::Singular { n_channels: 64, n_samples: 64 };
        assert_eq!(estimator.check(64, 64), Err(singular));
    }
    for estimator in [Estimator::Oas, Estimator::LedoitWolf, Estimator::SchaeferStrimmer] {
        assert_eq!(estimator.check(64, 32), Ok(()));
        let few = CovarianceError::TooFewSamples { n_samples: 1 };
        assert_eq!(estimator.plan(8, 1).unwrap_err(), few);
    }
}

#[test]
fn covariance_and_shrinkage_are_scikit_learns() {
    let golden: Real = serde_json::from_str(RIEMANN).unwrap();
    for (window, expected) in golden.windows.iter().zip(&golden.scm) {
        // Sums of 320 products: a few dozen roundings.
        let cov = scm(mat(window).as_ref());
        assert!(difference(cov.as_ref(), mat(expected).as_ref()) < 1e-13);
    }
    for ((cov, expected), rho) in golden.scm.iter().zip(&golden.oas).zip(golden.oas_shrinkage) {
        let mut cov = mat(cov);
        let shrinkage = oas_shrink(cov.as_mut(), 320);
        assert!((shrinkage - rho).abs() < 1e-13 * rho, "{shrinkage} is not {rho}");
        assert!(difference(cov.as_ref(), mat(expected).as_ref()) < 1e-13);
    }
}

#[test]
fn ledoit_wolf_is_scikit_learns() {
    let golden: LedoitWolf = serde_json::from_str(LEDOIT_WOLF).unwrap();
    for case in golden.cases {
        let (cov, shrinkage) = ledoit_wolf(mat(&case.input).as_ref());
        // The shrinkage is a quotient of differences: it loses a digit or two.
        assert!((shrinkage - case.shrinkage).abs() < 1e-12, "{}: {shrinkage}", case.name);
        assert!(difference(cov.as_ref(), mat(&case.covariance).as_ref()) < 1e-12, "{}", case.name);
    }
}

#[test]
fn nothing_to_shrink_is_no_division_by_zero() {
    let mut flat = Mat::zeros(3, 3);
    assert_eq!(oas_shrink(flat.as_mut(), 10), 1.0);
    assert_eq!(flat, Mat::<f64>::zeros(3, 3));
    let mut isotropic = Mat::identity(3, 3);
    assert_eq!(oas_shrink(isotropic.as_mut(), 10), 1.0);
    assert_eq!(isotropic, Mat::<f64>::identity(3, 3));
    let (cov, shrinkage) = ledoit_wolf(Mat::full(4, 3, 2.5).as_ref());
    assert_eq!((cov, shrinkage), (Mat::zeros(3, 3), 0.0));
}

/// Frames without a pattern, one after the other, around `offset`.
fn frames(n_channels: usize, n_frames: usize, seed: u64, offset: f64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * 20.0 + offset
    };
    (0..n_channels * n_frames).map(|_| next()).collect()
}

fn window_of(frames: &[f64], n_channels: usize, start: usize, n: usize) -> Mat<f64> {
    Mat::from_fn(n_channels, n, |i, t| frames[(start + t) * n_channels + i])
}

/// Every window's covariance, and the number of frames pushed when it came.
fn slide(sliding: &mut SlidingCovariance, frames: &[f64], n: usize) -> Vec<(usize, Mat<f64>)> {
    let mut out = vec![];
    for (t, frame) in frames.chunks_exact(n).enumerate() {
        sliding.push_frame(frame);
        if sliding.is_window_end() {
            // Dirty on purpose: every element must be written.
            let mut cov = Mat::full(n, n, f64::NAN);
            sliding.covariance_into(cov.as_mut());
            out.push((t + 1, cov));
        }
    }
    out
}

proptest! {
    #[test]
    fn sliding_is_the_covariance_of_each_window(
        n_channels in 1_usize..8,
        window in 2_usize..40,
        step in 1_usize..40,
        seed in 0_u64..1000,
    ) {
        let (step, n_frames) = (step.min(window), 130);
        let frames = frames(n_channels, n_frames, seed, 0.0);
        let mut sliding = SlidingCovariance::new(n_channels, window, step);
        let covs = slide(&mut sliding, &frames, n_channels);
        let ends: Vec<usize> = covs.iter().map(|(end, _)| *end).collect();
        let expected: Vec<usize> = (window..=n_frames).step_by(step).collect();
        prop_assert_eq!(ends, expected, "windows end at W, W + S, ...");
        for (end, cov) in &covs {
            let naive = scm(window_of(&frames, n_channels, end - window, window).as_ref());
            // `G/W - m mᵀ` against the centred sum: roundings of the raw moments.
            prop_assert!((cov - &naive).norm_l2() < 1e-11);
            prop_assert_eq!(cov.transpose(), cov.as_ref());
        }
    }

    #[test]
    fn any_start_at_a_hop_gives_the_same_bits(
        window in 2_usize..40,
        step in 1_usize..40,
        hops in 0_usize..6,
        seed in 0_u64..1000,
    ) {
        let step = step.min(window);
        let frames = frames(3, 300, seed, 1.0);
        let mut sliding = SlidingCovariance::new(3, window, step);
        let whole = slide(&mut sliding, &frames, 3);
        // The same machine, restarted in mid-block: dirty state and another start.
        sliding.restart();
        let late = slide(&mut sliding, &frames[hops * step * 3..], 3);
        prop_assert_eq!(late.len(), whole.len() - hops);
        for ((_, a), (_, b)) in whole[hops..].iter().zip(&late) {
            prop_assert_eq!(a, b);
        }
    }
}

/// More channels than a tile has rows, and no whole tiles of columns.
#[test]
fn a_wide_window_is_its_covariance() {
    let (n, window, step) = (203, 25, 10);
    let frames = frames(n, 45, 3, 0.5);
    let covs = slide(&mut SlidingCovariance::new(n, window, step), &frames, n);
    assert_eq!(covs.len(), 3);
    for (end, cov) in &covs {
        let naive = scm(window_of(&frames, n, end - window, window).as_ref());
        assert!((cov - &naive).norm_max() < 1e-12 * naive.norm_max());
    }
}

#[test]
fn a_hundred_thousand_hops_do_not_drift() {
    let (n, window, step) = (2, 32, 5);
    let period = frames(n, 320, 7, 0.0);
    let mut sliding = SlidingCovariance::new(n, window, step);
    let covs = slide(&mut sliding, &period, n);
    let (_, first) = &covs[0];
    // A burst a million times larger passes through, and nothing of it may remain.
    let burst: Vec<f64> = period.iter().map(|x| 1e6 * x).collect();
    slide(&mut sliding, &burst, n);
    let mut last = Mat::zeros(n, n);
    for _ in 0..100_000 * step / 320 {
        for (t, frame) in period.chunks_exact(n).enumerate() {
            sliding.push_frame(frame);
            if t + 1 == window {
                assert!(sliding.is_window_end(), "320 frames are a multiple of the step");
                sliding.covariance_into(last.as_mut());
            }
        }
    }
    assert_eq!(&last, first, "bit for bit");
}

#[test]
fn a_mean_as_large_as_the_deviation_costs_no_digits() {
    let frames = frames(4, 320, 3, 5.0);
    let covs = slide(&mut SlidingCovariance::new(4, 320, 16), &frames, 4);
    let naive = scm(window_of(&frames, 4, 0, 320).as_ref());
    assert!(difference(covs[0].1.as_ref(), naive.as_ref()) < 1e-13);
}
