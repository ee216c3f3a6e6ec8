use super::*;
use serde::Deserialize;

/// Written by `tests/reference/golden_confounds.py` with scikit-learn.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/confounds.json"));

#[derive(Deserialize)]
struct Golden {
    regression: Regression,
}

#[derive(Deserialize)]
struct Regression {
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    new_x: Vec<Vec<f64>>,
    new_y: Vec<Vec<f64>>,
    left: Vec<Vec<f64>>,
    r_squared: Vec<f64>,
    p_of_20000: Vec<f64>,
}

fn golden() -> Regression {
    serde_json::from_str::<Golden>(GOLDEN).unwrap().regression
}

/// One regressor repeats two others, as scikit-learn's least norm allows.
#[test]
fn what_is_left_is_what_scikit_learn_leaves() {
    let golden = golden();
    let model = LinearModel::fit(&golden.x, &golden.y).unwrap();
    for ((x, y), left) in golden.new_x.iter().zip(&golden.new_y).zip(&golden.left) {
        let mut outputs = y.clone();
        model.take_out(x, &mut outputs);
        // Regressors of a scale of 1e-2 to 1e2: rounding is that of a 4 x 4 system.
        for (ours, theirs) in outputs.iter().zip(left) {
            assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
        }
    }
}

#[test]
fn the_share_explained_is_scikit_learns_and_its_p_that_of_permutations() {
    let golden = golden();
    for j in 0..2 {
        let y: Vec<f64> = golden.y.iter().map(|row| row[j]).collect();
        let Explained { r_squared, p } = explained(&golden.x, &y, &[0; 30], 4999, 7).unwrap();
        assert!((r_squared - golden.r_squared[j]).abs() < 1e-10);
        // Both are draws: three standard errors of the smaller number of them.
        let expected = golden.p_of_20000[j];
        let error = (expected * (1.0 - expected) / 4999.0).sqrt();
        assert!((p - expected).abs() < 3.0 * error + 1e-3, "{p} {expected}");
        assert_eq!(explained(&golden.x, &y, &[0; 30], 4999, 7).unwrap().p, p, "the seed decides");
    }
}

#[test]
fn what_can_t_be_told_is_not_told() {
    let x: Vec<Vec<f64>> = (0..6).map(|k| vec![f64::from(k), 1.0]).collect();
    let y: Vec<f64> = (0..6).map(f64::from).collect();
    // A constant regressor explains nothing and harms nothing.
    let all = explained(&x, &y, &[0; 6], 99, 0).unwrap();
    assert!((all.r_squared - 1.0).abs() < 1e-12);
    assert!(explained(&x, &[2.0; 6], &[0; 6], 99, 0).is_none(), "nothing varies");
    assert!(explained(&x[..3], &y[..3], &[0; 3], 99, 0).is_none(), "as many as coefficients");
    assert!(explained(&x, &[f64::NAN; 6], &[0; 6], 99, 0).is_none());
    assert!(explained(&x, &y[..5], &[0; 5], 99, 0).is_none());
    let ragged = [vec![1.0, 2.0], vec![1.0], vec![2.0, 1.0], vec![3.0, 1.0]];
    assert!(explained(&ragged, &y[..4], &[0; 4], 99, 0).is_none());
    let none: [Vec<f64>; 4] = Default::default();
    assert!(explained(&none, &y[..4], &[0; 4], 99, 0).is_none());
    assert!(LinearModel::fit(&[], &[]).is_none());
}

/// What differs between groups alone explains nothing within them, and the other way round.
#[test]
fn groups_are_held_apart() {
    let groups = [0, 1, 2, 0, 1, 2, 0, 1, 2];
    let session = |at: usize| (at / 3) as f64;
    let x: Vec<Vec<f64>> = (0..9).map(|at| vec![session(at)]).collect();
    let between: Vec<f64> = groups.iter().map(|g| 10.0 * *g as f64).collect();
    assert!(explained(&x, &between, &groups, 99, 0).is_none(), "no variance within");
    let within: Vec<f64> = (0..9).map(|at| between[at] + session(at)).collect();
    let Explained { r_squared, p } = explained(&x, &within, &groups, 9999, 0).unwrap();
    assert!((r_squared - 1.0).abs() < 1e-12);
    // Of the 6^3 orders within the groups, the one observed and its reverse reach it.
    assert!((p - 2.0 / 216.0).abs() < 3e-3, "{p}");
    let blind = explained(&x, &within, &[0; 9], 999, 0).unwrap();
    assert!(blind.r_squared < 0.1 && blind.p > 0.1, "{blind:?}");
}
