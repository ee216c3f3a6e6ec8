use super::*;
use proptest::prelude::*;
use serde::Deserialize;

/// Written by `tests/reference/golden.py` with scikit-learn 1.9.1.
const RIEMANN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/riemann.json"));
const LEDOIT_WOLF: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/ledoit_wolf.json"));

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
