//! Adaptive steps against their definitions in Python, against the future, from state to
//! state, and on bad data; the governor by the experiment of its paper.

mod network;

use super::governor::Push;
use super::lda::{AdaptiveLda, AdaptiveLdaParams, AdaptiveLdaState, Covariance};
use super::recenter::{Centre, Recenter, RecenterState};
use super::shift::{ShiftDetector, ShiftParams, Verdict};
use super::*;
use crate::classifier::lda::LdaModel;
use crate::classifier::tests::{Normal, assert_close, classes, matrix};
use crate::decoder::decide_class;
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::Mat;
use serde::Deserialize;

/// Made by `tests/reference/golden_classify.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/adaptation.json"));

type Rows = Vec<Vec<f64>>;

#[derive(Deserialize)]
struct Golden {
    recenter: Recentred,
    lda: Discriminant,
}

#[derive(Deserialize)]
struct Recentred {
    covariances: Vec<Rows>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    centre: Centre,
    rate: Option<f64>,
    n_start: usize,
    aligned: Vec<Rows>,
    mean: Rows,
}

#[derive(Deserialize)]
struct Discriminant {
    features: Rows,
    labels: Vec<u8>,
    stream: Rows,
    fixed: Rows,
    running: Rows,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

fn as_rows(a: &Mat<f64>) -> Vec<f64> {
    Matrix::from_faer(a.as_ref()).unwrap().as_slice().to_vec()
}

/// Aligns one covariance after the other.
fn align(recenter: &mut Recenter, covs: &[Mat<f64>]) -> Vec<Mat<f64>> {
    let align = |cov: &Mat<f64>| {
        let mut out = Mat::zeros(cov.nrows(), cov.nrows());
        recenter.update_into(cov.as_ref(), out.as_mut());
        out
    };
    covs.iter().map(align).collect()
}

fn covariances(seed: u64, n: usize) -> Vec<Mat<f64>> {
    let mut normal = Normal::new(seed);
    (0..n).map(|i| normal.covariance(4, 60, ClassIdx((i % 3) as u8))).collect()
}

const RATES: [Rate; 3] = [
    Rate::Cumulative,
    Rate::Fixed(0.1),
    Rate::Governed(GovernorParams { initial_rate: 0.1, largest_rate: 1.0, n_memory: 5 }),
];

#[test]
fn recentering_is_as_in_python() {
    let golden = golden().recenter;
    let covs: Vec<Mat<f64>> = golden.covariances.iter().map(|rows| matrix(rows)).collect();
    for case in golden.cases {
        let rate = case.rate.map_or(Rate::Cumulative, Rate::Fixed);
        let state = if case.n_start == 0 {
            RecenterState::new(8, case.centre, rate)
        } else {
            let mean = crate::riemann::mean::euclidean_mean(&covs[..case.n_start]).unwrap();
            let mean = Matrix::from_faer(mean.as_ref()).unwrap();
            RecenterState::starting_at(mean, case.n_start as u64, case.centre, rate)
        };
        let mut recenter = state.plan().unwrap();
        let aligned = align(&mut recenter, &covs[10..]);
        for (found, expected) in aligned.iter().skip(4).step_by(5).zip(&case.aligned) {
            // Whitening divides by eigenvalues over a range of 1e3.
            assert_close(&as_rows(found), &expected.concat(), 1e-9);
        }
        assert_close(recenter.state().mean().as_slice(), &case.mean.concat(), 1e-9);
        assert_eq!(recenter.state().n_seen(), (case.n_start + covs.len() - 10) as u64);
    }
}

#[test]
fn recentering_is_causal_and_goes_on_from_its_state() {
    let covs = covariances(61, 40);
    for centre in [Centre::Euclidean, Centre::Riemannian] {
        for rate in RATES {
            let state = RecenterState::new(4, centre, rate);
            let all = align(&mut state.plan().unwrap(), &covs);
            let mut first = state.plan().unwrap();
            assert_eq!(align(&mut first, &covs[..25]), all[..25], "the future has no part");
            let json = serde_json::to_string(&first.state()).unwrap();
            let state: RecenterState = serde_json::from_str(&json).unwrap();
            assert_eq!(state, first.state());
            if !matches!(rate, Rate::Governed(_)) {
                let rest = align(&mut state.plan().unwrap(), &covs[25..]);
                assert_eq!(rest, all[25..], "{centre:?}, {rate:?}");
            }
        }
    }
}

#[test]
fn recentred_covariances_do_not_know_the_mixing() {
    let covs = covariances(62, 30);
    let mixing = Mat::from_fn(4, 4, |i, j| if i == j { 3.0 } else { (i as f64 - j as f64) * 0.4 });
    let mixed: Vec<Mat<f64>> = covs.iter().map(|c| &mixing * c * mixing.transpose()).collect();
    for centre in [Centre::Euclidean, Centre::Riemannian] {
        let state = RecenterState::new(4, centre, Rate::Cumulative);
        let aligned = align(&mut state.plan().unwrap(), &covs);
        let of_mixed = align(&mut state.plan().unwrap(), &mixed);
        for (a, b) in aligned.iter().zip(&of_mixed) {
            // Equal up to a rotation: so are the eigenvalues.
            let values = |a: &Mat<f64>| {
                crate::riemann::spd::EigenScratch::new(4).values(a.as_ref()).unwrap().to_vec()
            };
            assert_close(&values(a), &values(b), 1e-10);
        }
    }
}

#[test]
fn what_is_no_covariance_leaves_the_centre() {
    let covs = covariances(63, 6);
    for centre in [Centre::Euclidean, Centre::Riemannian] {
        for rate in RATES {
            let mut recenter = RecenterState::new(4, centre, rate).plan().unwrap();
            align(&mut recenter, &covs);
            let before = recenter.state();
            let mut nan = covs[0].clone();
            nan[(2, 1)] = f64::NAN;
            for bad in [Mat::zeros(4, 4), nan, -&covs[0]] {
                let mut out = Mat::zeros(4, 4);
                assert_eq!(recenter.update_into(bad.as_ref(), out.as_mut()), Step::Refused);
                assert!(out[(0, 0)].is_nan());
            }
            assert_eq!(recenter.state(), before);
        }
    }
    let singular = Matrix::new(2, 2, vec![1.0; 4]).unwrap();
    let state = RecenterState::starting_at(singular, 5, Centre::Euclidean, Rate::Cumulative);
    assert!(state.plan().is_err());
}

fn posterior(lda: &mut AdaptiveLda, x: &[f64], n_classes: usize) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; n_classes];
    lda.posterior_into(x, &mut posterior);
    posterior
}

#[test]
fn the_adaptive_discriminant_is_as_in_python() {
    let golden = golden().lda;
    let labels = classes(&golden.labels);
    for (covariance, expected) in
        [(Covariance::Fixed, &golden.fixed), (Covariance::Running(0.015), &golden.running)]
    {
        let params = AdaptiveLdaParams { covariance, ..AdaptiveLdaParams::default() };
        let mut lda = params.fit(&golden.features, &labels, 3).unwrap().plan();
        for (x, expected) in golden.stream.iter().zip(expected) {
            assert_eq!(lda.adapt(x, None), Step::Taken(0.05));
            assert_close(&posterior(&mut lda, x, 3), expected, 1e-9);
        }
    }
}

#[test]
fn before_its_first_step_it_is_the_discriminant_and_then_it_follows() {
    let (x, labels) = Normal::new(64).examples(120, 4, 3, 2.0);
    let plain = LdaModel::fit(&x, &labels, 3).unwrap();
    let state = AdaptiveLdaParams::default().fit(&x, &labels, 3).unwrap();
    let mut lda = state.plan();
    let mut expected = [0.0; 3];
    for x in &x {
        plain.posterior_into(x, &mut expected);
        // Two ways to the inverse of one covariance.
        assert_close(&posterior(&mut lda, x, 3), &expected, 1e-10);
    }
    // A feature drifts by five of its standard deviations.
    let (stream, truth) = Normal::new(65).examples(600, 4, 3, 2.0);
    let (mut n_plain, mut n_adaptive) = (0, 0);
    for (i, (x, truth)) in stream.iter().zip(&truth).enumerate() {
        let drift = 5.0 * i as f64 / 600.0;
        let mut x = x.clone();
        x[0] += drift;
        plain.posterior_into(&x, &mut expected);
        n_plain += usize::from(decide_class(&expected) == *truth);
        n_adaptive += usize::from(decide_class(&posterior(&mut lda, &x, 3)) == *truth);
        lda.adapt(&x, None);
    }
    assert!(n_adaptive > n_plain + 60, "{n_adaptive} of 600 and {n_plain}");
}

#[test]
fn the_adaptive_discriminant_is_causal_and_goes_on_from_its_state() {
    let (x, labels) = Normal::new(66).examples(90, 4, 3, 1.5);
    let (stream, truth) = Normal::new(67).examples(40, 4, 3, 1.5);
    for mean_rate in RATES {
        for covariance in [Covariance::Fixed, Covariance::Running(0.02)] {
            let params = AdaptiveLdaParams { mean_rate, covariance };
            let state = params.fit(&x, &labels, 3).unwrap();
            let run = |lda: &mut AdaptiveLda, from: usize, to: usize| -> Rows {
                let step = |i: usize| {
                    lda.adapt(&stream[i], Some(truth[i]));
                    posterior(lda, &stream[i], 3)
                };
                (from..to).map(step).collect()
            };
            let all = run(&mut state.plan(), 0, 40);
            let mut first = state.plan();
            assert_eq!(run(&mut first, 0, 25), all[..25], "the future has no part");
            let before = first.state();
            assert_eq!(first.adapt(&[0.0, f64::NAN, 0.0, 0.0], None), Step::Refused);
            assert_eq!(first.adapt(&[0.0, 1e200, 0.0, 0.0], None), Step::Refused);
            assert_eq!(first.state(), before);
            let json = serde_json::to_string(&before).unwrap();
            let read: AdaptiveLdaState = serde_json::from_str(&json).unwrap();
            assert_eq!(read, before);
            if !matches!(mean_rate, Rate::Governed(_)) {
                // Read again, the weights are computed anew from the same bits.
                assert_eq!(run(&mut read.plan(), 25, 40), all[25..]);
            }
        }
    }
    let params = AdaptiveLdaParams { covariance: Covariance::Running(0.5), ..Default::default() };
    let mut lda = params.fit(&x, &labels, 3).unwrap().plan();
    for _ in 0..5000 {
        lda.adapt(&[0.1; 4], None);
    }
    let found = posterior(&mut lda, &[0.1; 4], 3);
    assert!(found.iter().all(|p| p.is_finite()), "a signal that rests: {found:?}");
    let error = AdaptiveLdaParams::default().fit(&x, &[ClassIdx(0); 90], 2).unwrap_err();
    assert!(matches!(error, crate::decoder::FitError::TooFewExamples { class: 1, .. }));
}

#[test]
fn a_governor_moves_only_where_the_candidate_does_better() {
    let params = GovernorParams { initial_rate: 0.1, largest_rate: 0.12, n_memory: 1 };
    let mut governor = Governor::new(params);
    let (rising, falling) = (|rate: f64| rate, |rate: f64| -rate);
    assert_eq!(governor.choose(Push::Excite, Push::Excite, falling), 0.1);
    assert_eq!(governor.choose(Push::Inhibit, Push::Inhibit, rising), 0.1);
    assert!((governor.choose(Push::Excite, Push::Excite, rising) - 0.11).abs() < 1e-15);
    // A wrong prediction moves it the wrong way.
    assert!((governor.choose(Push::Excite, Push::Inhibit, rising) - 0.1).abs() < 1e-15);
    for _ in 0..5 {
        governor.choose(Push::Excite, Push::Excite, rising);
    }
    assert_eq!(governor.rate(), 0.12);
    for _ in 0..20 {
        governor.choose(Push::Inhibit, Push::Inhibit, falling);
    }
    assert_eq!(governor.rate(), governor::LEAST_RATE);
    assert_eq!(Push::of_class(ClassIdx(4), 10), Push::Inhibit);
    assert_eq!(Push::of_class(ClassIdx(5), 10), Push::Excite);
}

#[test]
fn a_governed_centre_follows_a_jump_faster_than_its_initial_rate() {
    let covs = covariances(68, 120);
    let jumped: Vec<Mat<f64>> = covs.iter().map(|c| c * faer::Scale(9.0)).collect();
    for centre in [Centre::Euclidean, Centre::Riemannian] {
        let after_jump = |rate: Rate| {
            let mut recenter = RecenterState::new(4, centre, rate).plan().unwrap();
            align(&mut recenter, &covs[..60]);
            let aligned = align(&mut recenter, &jumped[60..90]);
            aligned.iter().map(|a| (a.determinant().ln() / 4.0).abs()).sum::<f64>() / 30.0
        };
        let params = GovernorParams { initial_rate: 0.02, largest_rate: 1.0, n_memory: 10 };
        let (fixed, governed) = (after_jump(Rate::Fixed(0.02)), after_jump(Rate::Governed(params)));
        assert!(governed < 0.9 * fixed, "{centre:?}: {governed} and {fixed}");
    }
}

#[test]
fn shifts_are_found_soon_and_false_alarms_are_as_rare_as_said() {
    let mut normal = Normal::new(69);
    let mut detector = ShiftDetector::new(ShiftParams::default());
    for _ in 0..100 {
        assert_eq!(detector.push(3.0 + 2.0 * normal.draw()), Verdict::Learning);
    }
    assert_eq!(detector.push(f64::NAN), Verdict::Steady);
    let json = serde_json::to_string(&detector).unwrap();
    assert_eq!(serde_json::from_str::<ShiftDetector>(&json).unwrap(), detector);
    let found = (1..60).find_map(|n| match detector.push(6.0 + 2.0 * normal.draw()) {
        Verdict::Risen { n_since } => Some((n, n_since)),
        _ => None,
    });
    let (n, n_since) = found.unwrap();
    // The sum rises by one standard deviation less the allowance each time.
    assert!((6..30).contains(&n) && n_since.abs_diff(n) < 8, "{n}, {n_since}");
    assert_eq!(detector.push(0.0), Verdict::Learning, "a new reference");

    // With a reference that is as good as known: one alarm in 470 values.
    let params = ShiftParams { n_reference: 20_000, allowance: 0.5, threshold: 5.0 };
    let mut known = ShiftDetector::new(params);
    for _ in 0..20_000 {
        known.push(normal.draw());
    }
    let (mut detector, mut n_alarms, n_values) = (known.clone(), 0, 200_000);
    for _ in 0..n_values {
        if !matches!(detector.push(normal.draw()), Verdict::Steady) {
            n_alarms += 1;
            detector = known.clone();
        }
    }
    let between = f64::from(n_values) / f64::from(n_alarms);
    // Three standard errors of 425 intervals, and the light tails of a sum of twelve.
    assert!((380.0..620.0).contains(&between), "{between} values between false alarms");
}

#[test]
fn a_fall_is_told_from_a_rise_and_a_constant_reference_alarms_at_any_change() {
    let mut detector = ShiftDetector::new(ShiftParams { n_reference: 10, ..Default::default() });
    for _ in 0..10 {
        detector.push(1.0);
    }
    assert_eq!(detector.push(1.0), Verdict::Steady);
    assert!(matches!(detector.push(0.9), Verdict::Fallen { n_since: 1 }));
}
