use super::*;
use crate::stats::curve::LogLinear;
use proptest::prelude::*;
use serde::Deserialize;

/// Made by `tests/reference/golden_benchmark.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/compare.json"));

#[derive(Deserialize)]
struct Golden {
    counted: Vec<Case>,
    ranked: Vec<Case>,
    effects: Vec<f64>,
    p_values: Vec<f64>,
    n_subjects: Vec<f64>,
    stouffer: f64,
    holm: Vec<f64>,
    quantiles: Vec<[f64; 2]>,
    curve: Curve,
}

#[derive(Deserialize)]
struct Case {
    differences: Vec<f64>,
    p: f64,
}

#[derive(Deserialize)]
struct Curve {
    amounts: Vec<f64>,
    scores: Vec<Vec<f64>>,
    slope: f64,
    intercept: f64,
}

fn near(found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected.abs();
    assert!(error <= tolerance, "{found} is not {expected}");
}

#[test]
fn comparisons_are_those_of_scipy_and_statsmodels() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for (Case { differences, p }, expected) in golden.counted.iter().zip(&golden.effects) {
        // Shares of a power of two: no rounding at all.
        assert_eq!(paired_p(differences), Some(*p));
        near(effect(differences).unwrap(), *expected, 1e-13);
    }
    for Case { differences, p } in &golden.ranked {
        near(paired_p(differences).unwrap(), *p, 1e-12);
    }
    for [p, z] in golden.quantiles {
        if z == 0.0 {
            assert!(normal_quantile_above(p).abs() < 1e-15);
        } else {
            near(normal_quantile_above(p), z, 1e-13);
        }
    }
    let weights: Vec<f64> = golden.n_subjects.iter().map(|n| n.sqrt()).collect();
    near(stouffer(&golden.p_values, &weights).unwrap(), golden.stouffer, 1e-11);
    let corrected = holm(&golden.p_values);
    corrected.iter().zip(&golden.holm).for_each(|(ours, theirs)| near(*ours, *theirs, 1e-14));
    let Curve { amounts, scores, slope, intercept } = golden.curve;
    let pair = |of: &Vec<f64>| amounts.iter().copied().zip(of.iter().copied()).collect();
    let subjects: Vec<Vec<(f64, f64)>> = scores.iter().map(pair).collect();
    let line = LogLinear::fit(&subjects, 0).unwrap();
    near(line.per_tenfold, slope, 1e-11);
    near(line.at_one, intercept, 1e-11);
    let interval = line.per_tenfold_interval.unwrap();
    assert!(interval.contains(slope) && interval.contains(0.1), "{interval:?}");
}

#[test]
fn what_says_nothing_gives_nothing() {
    assert_eq!((paired_p(&[]), paired_p(&[f64::NAN]), effect(&[0.1])), (None, None, None));
    assert_eq!((paired_p(&[0.0; 5]), paired_p(&[0.0; 30])), (Some(1.0), Some(1.0)));
    assert_eq!(effect(&[0.0; 5]), Some(0.0));
    assert_eq!((stouffer(&[], &[]), stouffer(&[0.1], &[])), (None, None));
    assert_eq!(holm(&[]), [0.0; 0]);
    assert_eq!(LogLinear::fit(&[], 0), None);
    assert_eq!(LogLinear::fit(&[vec![(5.0, 0.6)], vec![(5.0, 0.7)]], 0), None);
    let one = LogLinear::fit(&[vec![(1.0, 0.5), (10.0, 0.7)]], 0).unwrap();
    assert!((one.per_tenfold - 0.2).abs() < 1e-15 && one.per_tenfold_interval.is_none());
}

#[test]
fn a_sure_loss_in_one_dataset_does_not_make_the_others_nothing() {
    let combined = stouffer(&[1.0, 1e-40], &[1.0, 1.0]).unwrap();
    assert!(combined > 0.0 && combined < 1e-3, "{combined}");
}

proptest! {
    #[test]
    fn the_other_direction_has_the_other_probability(
        differences in prop::collection::vec(-2.0_f64..2.0, 1..30),
    ) {
        let turned: Vec<f64> = differences.iter().map(|d| -d).collect();
        let (p, q) = (paired_p(&differences).unwrap(), paired_p(&turned).unwrap());
        prop_assert!(p > 0.0 && p <= 1.0 && q > 0.0 && q <= 1.0);
        // What was observed is counted in both.
        prop_assert!(p + q >= 1.0 - 1e-12);
        if differences.len() > MOST_COUNTED {
            let n = differences.iter().filter(|d| **d != 0.0).count();
            prop_assert!(n <= MOST_COUNTED || (p + q - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn corrected_values_keep_their_order(p in prop::collection::vec(0.0_f64..1.0, 1..20)) {
        let corrected = holm(&p);
        for i in 0..p.len() {
            prop_assert!(corrected[i] >= p[i] && corrected[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || corrected[i] <= corrected[j]);
            }
        }
    }
}
