use super::*;
use proptest::prelude::*;

/// Written by `tests/reference/golden_artifact.py` with pyRiemann 0.12.
#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Vec<Vec<f64>>>,
    mean: Vec<Vec<f64>>,
    log_mean: f64,
    log_std: f64,
    z_scores: Vec<f64>,
    posteriors: Vec<f64>,
    z_scores_after_updates: Vec<f64>,
}

const PARAMS: PotatoParams = PotatoParams { threshold: 2.0, max_rounds: 100 };

fn golden() -> Golden {
    let golden =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/potato.json"));
    serde_json::from_str(golden).expect("the golden file is whole")
}

fn mat(rows: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn covariances() -> Vec<Mat<f64>> {
    golden().covariances.iter().map(|rows| mat(rows)).collect()
}

fn assert_close(ours: f64, golden: f64, tolerance: f64) {
    assert!((ours - golden).abs() <= tolerance * golden.abs().max(1.0), "{ours} is not {golden}");
}

#[test]
fn scores_and_posteriors_are_pyriemanns() {
    let (golden, covs) = (golden(), covariances());
    let potato = Potato::fit(PARAMS, &covs[..60]).unwrap();
    let mean = mat(&golden.mean);
    assert!((potato.mean().to_faer() - &mean).norm_l2() < 1e-9 * mean.norm_l2());
    assert_close(potato.log_mean, golden.log_mean, 1e-9);
    assert_close(potato.log_std, golden.log_std, 1e-9);
    let mut gate = potato.gate().unwrap();
    let cases = golden.z_scores.iter().zip(&golden.posteriors);
    let mut verdicts = Vec::new();
    for (cov, (z, posterior)) in covs[60..].iter().zip(cases) {
        let quality = gate.judge(cov.as_ref());
        assert_close(quality.z_score, *z, 1e-9);
        assert_close(quality.posterior, *posterior, 1e-9);
        assert_eq!(quality.verdict == Verdict::Clean, *z < 2.0);
        verdicts.push(quality.verdict);
    }
    assert!(verdicts.contains(&Verdict::Clean) && verdicts.contains(&Verdict::Artefact));
}

#[test]
fn updates_are_those_of_partial_fit() {
    let (golden, covs) = (golden(), covariances());
    let mut gate = Potato::fit(PARAMS, &covs[..60]).unwrap().gate().unwrap();
    gate.update(covs[60].as_ref(), 0.1).unwrap();
    gate.update(covs[61].as_ref(), 0.3).unwrap();
    let mut again = gate.potato().unwrap().gate().unwrap();
    for (cov, z) in covs[60..].iter().zip(&golden.z_scores_after_updates) {
        let quality = gate.judge(cov.as_ref());
        assert_close(quality.z_score, *z, 1e-9);
        assert_eq!(again.judge(cov.as_ref()), quality, "a stored potato judges alike");
    }
}

#[test]
fn a_potato_is_stored_whole() {
    let potato = Potato::fit(PARAMS, &covariances()[..60]).unwrap();
    let json = serde_json::to_string(&potato).unwrap();
    assert_eq!(serde_json::from_str::<Potato>(&json).unwrap(), potato);
}

#[test]
fn what_is_no_covariance_is_an_artefact_and_teaches_nothing() {
    let covs = covariances();
    let mut gate = Potato::fit(PARAMS, &covs[..60]).unwrap().gate().unwrap();
    let before = gate.judge(covs[0].as_ref());
    let mut nan = covs[0].clone();
    nan[(3, 2)] = f64::NAN;
    for bad in [nan, Mat::zeros(6, 6), -1.0 * &covs[1]] {
        let quality = gate.judge(bad.as_ref());
        assert_eq!((quality.verdict, quality.posterior), (Verdict::Artefact, 0.0));
        assert!(gate.update(bad.as_ref(), 0.1).is_err());
    }
    for rate in [0.0, 1.0, f64::NAN] {
        let refused = gate.update(covs[0].as_ref(), rate);
        assert!(matches!(refused, Err(PotatoError::BadRate { .. })));
    }
    assert_eq!(gate.judge(covs[0].as_ref()), before);
}

#[test]
fn calibrations_without_spread_are_refused() {
    let covs = covariances();
    assert_eq!(Potato::fit(PARAMS, &covs[..1]), Err(PotatoError::NoSpread));
    assert_eq!(Potato::fit(PARAMS, &[]), Err(PotatoError::Covariance(RiemannError::Empty)));
    let flat = [covs[0].clone(), Mat::zeros(6, 6)];
    assert!(matches!(Potato::fit(PARAMS, &flat), Err(PotatoError::Covariance(_))));
    let strict = PotatoParams { threshold: 1e-9, max_rounds: 100 };
    assert!(matches!(
        Potato::fit(strict, &covs),
        Err(PotatoError::NothingLeft | PotatoError::NoSpread)
    ));
    for (threshold, max_rounds) in [(0.0, 3), (f64::NAN, 3), (2.0, 0)] {
        let refused = Potato::fit(PotatoParams { threshold, max_rounds }, &covs);
        assert!(matches!(refused, Err(PotatoError::BadParams { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn mixing_the_channels_changes_no_verdict(mix in prop::collection::vec(-1.0_f64..1.0, 36)) {
        let covs = covariances();
        let w = Mat::from_fn(6, 6, |i, j| mix[6 * i + j] + if i == j { 4.0 } else { 0.0 });
        let moved: Vec<_> = covs.iter().map(|c| &w * c * w.transpose()).collect();
        let mut gate = Potato::fit(PARAMS, &covs[..60]).unwrap().gate().unwrap();
        let mut there = Potato::fit(PARAMS, &moved[..60]).unwrap().gate().unwrap();
        for (cov, moved) in covs.iter().zip(&moved) {
            let (a, b) = (gate.judge(cov.as_ref()), there.judge(moved.as_ref()));
            prop_assert!((a.z_score - b.z_score).abs() < 1e-7, "{:?} {:?}", a, b);
        }
    }
}
