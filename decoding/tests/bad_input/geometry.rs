//! Covariances, distances, means, tangent spaces and transfer of SPD matrices.

use super::{Calls, all_finite, all_nan, covariance, mat, window};
use decoding::riemann::covariance::{Estimator, SlidingCovariance, ledoit_wolf, scm};
use decoding::riemann::distance::{DistanceTo, DistancesTo};
use decoding::riemann::mean::{
    Weights, euclidean_mean, harmonic_mean, log_euclidean_mean, power_mean, riemannian_mean,
    wasserstein_mean,
};
use decoding::riemann::spd::{self, EigenScratch};
use decoding::riemann::tangent::{TangentSpace, spd_from_tangent, symmetric_from_vector};
use decoding::riemann::transfer::{Recentering, Rescaling, Rotation};
use decoding::riemann::{Metric, RiemannError};
use faer::{Mat, MatRef};

pub const METRICS: [Metric; 4] =
    [Metric::AffineInvariant, Metric::LogEuclidean, Metric::Wasserstein, Metric::Euclidean];
/// Those that ask for positive definite matrices.
const OF_SPD: [Metric; 3] = [Metric::AffineInvariant, Metric::LogEuclidean, Metric::Wasserstein];

const ESTIMATORS: [Estimator; 5] = [
    Estimator::Scm,
    Estimator::Oas,
    Estimator::LedoitWolf,
    Estimator::SchaeferStrimmer,
    Estimator::Shrunk { shrinkage: 0.1 },
];

/// Matrices that no metric but the Euclidean has a place for, and what is said of them.
pub fn bad_matrices() -> Vec<(&'static str, Mat<f64>, [&'static str; 2])> {
    let good = covariance(3, 4);
    let with = |value: f64| {
        let mut bad = good.clone();
        (bad[(2, 1)], bad[(1, 2)]) = (value, value);
        bad
    };
    let copied = |from: usize, to: usize| {
        let pick = |i: usize| if i == to { from } else { i };
        Mat::from_fn(4, 4, |i, j| good[(pick(i), pick(j))])
    };
    let constant = Mat::from_fn(4, 4, |i, j| if i == 1 || j == 1 { 0.0 } else { good[(i, j)] });
    let not_finite = ["not finite", "look for NaN or infinite"];
    let not_spd = ["not positive definite", "constant, duplicated"];
    vec![
        ("NaN", with(f64::NAN), not_finite),
        ("infinite", with(f64::INFINITY), not_finite),
        ("indefinite", with(100.0), not_spd),
        ("of a duplicated channel", copied(0, 3), not_spd),
        ("of a constant channel", constant, not_spd),
        ("of nothing but zeros", Mat::zeros(4, 4), not_spd),
        ("negative", Mat::from_fn(4, 4, |i, j| -good[(i, j)]), not_spd),
    ]
}

const SHAPE: [&str; 2] = ["is needed", "pass square matrices of one size"];

#[test]
fn covariances_of_windows() {
    let mut calls = Calls::default();
    for estimator in ESTIMATORS {
        for n_samples in [0, 1] {
            let wanted = ["have no covariance", "take longer windows"];
            calls.refused(format!("{estimator:?}"), wanted, || estimator.plan(4, n_samples));
        }
        for (name, value) in [("NaN", f64::NAN), ("infinity", f64::INFINITY)] {
            calls.given(format!("{name} to {estimator:?} gives no finite matrix"), || {
                let mut samples = mat(&window(1, 4, 50), 4);
                samples[(2, 17)] = value;
                let mut out = Mat::zeros(4, 4);
                let mut plan = estimator.plan(4, 50).expect("a plan");
                plan.covariance_into(samples.as_ref(), out.as_mut());
                let is_flagged = !out[(2, 2)].is_finite();
                // The next window knows nothing of it.
                let sound = mat(&window(1, 4, 50), 4);
                plan.covariance_into(sound.as_ref(), out.as_mut());
                is_flagged && out.col_iter().all(|c| c.iter().all(|x| x.is_finite()))
            });
        }
    }
    let few = ["give a singular covariance", "take longer windows or an estimator that shrinks"];
    let none = Estimator::Shrunk { shrinkage: 0.0 };
    for estimator in [Estimator::Scm, none] {
        for n_samples in [2, 4] {
            calls.refused(format!("{n_samples}"), few, || estimator.plan(4, n_samples));
        }
    }
    for shrinkage in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let wanted = ["is not between 0 and 1", "choose a share"];
        let estimator = Estimator::Shrunk { shrinkage };
        calls.refused(shrinkage, wanted, || estimator.plan(4, 50));
    }
    calls.given("one channel", || {
        ESTIMATORS.iter().all(|estimator| {
            let mut out = Mat::zeros(1, 1);
            let samples = mat(&window(1, 1, 50), 1);
            estimator.plan(1, 50).expect("a plan").covariance_into(samples.as_ref(), out.as_mut());
            out[(0, 0)] > 0.0
        })
    });
    calls.given("no channels or no samples", || {
        let none: Mat<f64> = Mat::zeros(0, 50);
        scm(none.as_ref()).nrows() == 0
            && scm(Mat::<f64>::zeros(3, 0).as_ref())[(0, 0)].max(0.0) == 0.0
            && ledoit_wolf(none.transpose()).0.nrows() == 0
    });
    calls.finish(30);
}

#[test]
fn shrinkage_makes_singular_covariances_positive_definite() {
    let mut calls = Calls::default();
    let mut samples = window(1, 4, 50);
    samples.copy_within(0..50, 100);
    samples[150..].fill(7.0);
    for estimator in [Estimator::Oas, Estimator::LedoitWolf, ESTIMATORS[4]] {
        calls.given(format!("{estimator:?} of copies and constants"), || {
            let mut out = Mat::zeros(4, 4);
            let mut plan = estimator.plan(4, 50).expect("a plan");
            plan.covariance_into(mat(&samples, 4).as_ref(), out.as_mut());
            spd::log(out.as_ref()).is_ok()
        });
    }
    calls.given("Schäfer and Strimmer's gives no correlation of a constant", || {
        let mut out = Mat::zeros(4, 4);
        let mut plan = Estimator::SchaeferStrimmer.plan(4, 50).expect("a plan");
        plan.covariance_into(mat(&samples, 4).as_ref(), out.as_mut());
        spd::log(out.as_ref()).is_err()
    });
    calls.finish(4);
}

#[test]
fn a_sliding_covariance_forgets_what_is_no_number() {
    let mut calls = Calls::default();
    for estimator in ESTIMATORS.into_iter().filter(|e| e.slides()) {
        calls.given(format!("{estimator:?}"), || {
            let mut sliding = SlidingCovariance::of(estimator, 2, 6, 2);
            let mut out = Mat::zeros(2, 2);
            let (mut n_bad, mut n_good) = (0, 0);
            for (t, frame) in window(5, 2, 40).chunks_exact(2).enumerate() {
                let frame = if t == 10 { [f64::NAN, 1.0] } else { [frame[0], frame[1]] };
                sliding.push_frame(&frame);
                if sliding.is_window_end() {
                    sliding.estimate_into(out.as_mut());
                    let holds = (t.saturating_sub(5)..=t).contains(&10);
                    let is_finite = out.col_iter().all(|c| c.iter().all(|x| x.is_finite()));
                    if is_finite == holds {
                        return false;
                    }
                    *(if holds { &mut n_bad } else { &mut n_good }) += 1;
                }
            }
            n_bad == 3 && n_good > 5
        });
    }
    calls.finish(4);
}

#[test]
fn matrices_without_a_place() {
    let mut calls = Calls::default();
    let good = covariance(7, 4);
    for (name, bad, wanted) in bad_matrices() {
        let bad = bad.as_ref();
        for metric in OF_SPD {
            let what = format!("{name}, {metric}");
            calls.refused(&what, wanted, || metric.distance(good.as_ref(), bad));
            calls.refused(&what, wanted, || metric.distance(bad, good.as_ref()));
            calls.refused(&what, wanted, || metric.geodesic(bad, good.as_ref(), 0.3));
            calls.refused(&what, wanted, || TangentSpace::in_metric(metric, bad));
            calls.refused(&what, wanted, || DistancesTo::in_metric(metric, &[bad]));
            let covs = [good.clone(), bad.to_owned()];
            calls.refused(&what, wanted, || metric.mean(&covs, &Weights::equal(), 1e-9, 50));
            calls.given(format!("{what}: NaN where it is measured from a point"), || {
                let mut space = TangentSpace::in_metric(metric, good.as_ref()).expect("a point");
                let mut vectors = vec![0.0; 3 * space.dim()];
                let covs = [good.clone(), bad.to_owned(), good.clone()];
                space.vectors_into(&covs, &mut vectors);
                let of = |k: usize| &vectors[k * space.dim()..(k + 1) * space.dim()];
                let points = [good.as_ref(), good.as_ref()];
                let mut distances = DistancesTo::in_metric(metric, &points).expect("points");
                let mut squared = [0.0; 2];
                distances.squared_into(bad, &mut squared);
                all_nan(of(1)) && all_finite(of(0)) && all_finite(of(2)) && all_nan(&squared)
            });
        }
        calls.refused(name, wanted, || DistanceTo::new(bad));
        calls.refused(name, wanted, || spd::log(bad));
        calls.refused(name, wanted, || spd::inv_sqrt(bad));
        calls.refused(name, wanted, || spd_from_tangent(bad, &[0.0; 10]));
        calls.refused(name, wanted, || Recentering::at(bad));
        calls.refused(name, wanted, || Rescaling::at(bad, 0.5));
        calls.given(format!("{name}: NaN where it is moved"), || {
            let mut scaling = Rescaling::at(good.as_ref(), 0.5).expect("a point");
            let mut out = Mat::zeros(4, 4);
            scaling.apply_into(bad, out.as_mut());
            let mut distance = DistanceTo::new(good.as_ref()).expect("a point");
            out[(0, 0)].is_nan() && distance.squared(bad).is_nan()
        });
    }
    calls.finish(190);
}

/// All means of matrices.
type Mean = (&'static str, fn(&[Mat<f64>]) -> Result<Mat<f64>, RiemannError>);

const MEANS: [Mean; 8] = [
    ("riemannian", |covs| riemannian_mean(covs, 1e-9, 50).map(|found| found.mean)),
    ("log-euclidean", |covs| log_euclidean_mean(covs)),
    ("wasserstein", |covs| {
        wasserstein_mean(covs, &Weights::equal(), 1e-9, 50).map(|found| found.mean)
    }),
    ("harmonic", |covs| harmonic_mean(covs, &Weights::equal())),
    ("power 0.5", |covs| power_mean(covs, 0.5, &Weights::equal(), 1e-9, 50).map(|m| m.mean)),
    ("power -0.5", |covs| power_mean(covs, -0.5, &Weights::equal(), 1e-9, 50).map(|m| m.mean)),
    ("power 0", |covs| power_mean(covs, 0.0, &Weights::equal(), 1e-9, 50).map(|m| m.mean)),
    ("euclidean", |covs| euclidean_mean(covs)),
];

#[test]
fn means_of_what_has_none() {
    let mut calls = Calls::default();
    let good = covariance(7, 4);
    for (name, mean) in MEANS {
        let empty = ["no matrix to work on", "pass at least one"];
        calls.refused(format!("{name} of nothing"), empty, || mean(&[]));
        let mixed = [good.clone(), covariance(1, 3)];
        calls.refused(format!("{name} of two sizes"), SHAPE, || mean(&mixed));
        let oblong = [Mat::zeros(4, 3)];
        calls.refused(format!("{name} of no square"), SHAPE, || mean(&oblong));
        for (what, bad, wanted) in bad_matrices() {
            let covs = [good.clone(), bad];
            if name != "euclidean" || wanted[0] == "not finite" {
                calls.refused(format!("{name}, {what}"), wanted, || mean(&covs));
            }
        }
        calls.given(format!("{name} of one"), || {
            mean(std::slice::from_ref(&good)).is_ok_and(|m| (m - &good).norm_l2() < 1e-8)
        });
    }
    let covs = [good.clone(), covariance(1, 4)];
    let weights = ["weights must be", "one per matrix"];
    for bad in [&[][..], &[0.0, 0.0], &[-1.0, 2.0], &[f64::NAN, 1.0], &[f64::INFINITY, 1.0]] {
        calls.refused(format!("{bad:?}"), weights, || Weights::new(bad));
    }
    let three = Weights::new(&[1.0; 3]).expect("sound weights");
    for metric in METRICS {
        calls.refused(metric, weights, || metric.mean(&covs, &three, 1e-9, 50));
    }
    for p in [1.1, -2.0, f64::NAN] {
        let wanted = ["exponent", "between -1 and 1"];
        calls.refused(p, wanted, || power_mean(&covs, p, &Weights::equal(), 1e-9, 50));
    }
    let slow = ["no convergence in 0 steps", "allow more steps or a coarser criterion"];
    calls.refused("no step", slow, || riemannian_mean(&covs, 1e-9, 0));
    calls.refused("no step", slow, || wasserstein_mean(&covs, &Weights::equal(), 1e-9, 0));
    calls.refused("no step", slow, || power_mean(&covs, 0.5, &Weights::equal(), 1e-9, 0));
    calls.finish(90);
}

#[test]
fn sizes_that_do_not_agree() {
    let mut calls = Calls::default();
    let (four, three) = (covariance(7, 4), covariance(7, 3));
    let oblong: Mat<f64> = Mat::zeros(4, 3);
    for metric in METRICS {
        let other = || metric.distance(four.as_ref(), three.as_ref());
        calls.refused(format!("{metric}, distance"), SHAPE, other);
        let geodesic = || metric.geodesic(four.as_ref(), three.as_ref(), 0.5);
        calls.refused(format!("{metric}, geodesic"), SHAPE, geodesic);
        let points = [four.as_ref(), three.as_ref()];
        calls.refused(format!("{metric}, points"), SHAPE, || {
            DistancesTo::in_metric(metric, &points)
        });
        let none: [MatRef<'_, f64>; 0] = [];
        let empty = ["no matrix to work on", "pass at least one"];
        calls.refused(format!("{metric}, no point"), empty, || {
            DistancesTo::in_metric(metric, &none)
        });
        calls.refused(format!("{metric}, oblong"), SHAPE, || {
            TangentSpace::in_metric(metric, oblong.as_ref())
        });
    }
    calls.refused("a vector", SHAPE, || symmetric_from_vector(&[1.0; 9], 4));
    calls.refused("a vector", SHAPE, || spd_from_tangent(four.as_ref(), &[1.0; 9]));
    let mut eigen = EigenScratch::new(4);
    calls.refused("a decomposition", SHAPE, || eigen.values(three.as_ref()).map(<[f64]>::to_vec));
    calls.refused("an exponential", SHAPE, || spd::exp(oblong.as_ref()));
    calls.given("matrices of nothing", || {
        let none: Mat<f64> = Mat::zeros(0, 0);
        let mut nothing = EigenScratch::new(0);
        let has_no_values = nothing.values(none.as_ref()).is_ok_and(<[f64]>::is_empty);
        // Every metric either takes it or says why not.
        let texts =
            METRICS.map(|m| m.distance(none.as_ref(), none.as_ref()).map_err(|e| e.to_string()));
        has_no_values && texts.iter().all(|d| d.as_ref().map_or(true, |d| *d == 0.0))
    });
    calls.finish(25);
}

#[test]
fn transfer_between_sets() {
    let mut calls = Calls::default();
    let covs = [covariance(1, 4), covariance(2, 4), covariance(3, 4)];
    let same = [covs[0].clone(), covs[0].clone()];
    let spread = ["no dispersion", "pass matrices that differ"];
    let fit =
        |covs: &[Mat<f64>], wanted| Rescaling::fit(covs, &Weights::equal(), wanted, (1e-9, 50));
    calls.refused("one matrix twice", spread, || fit(&same, 1.0));
    for wanted in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        calls.refused(wanted, spread, || fit(&covs, wanted));
    }
    let none: [Mat<f64>; 0] = [];
    let empty = ["no matrix to work on", "pass at least one"];
    calls.refused("nothing", empty, || fit(&none, 1.0));
    for metric in METRICS {
        let equal = Weights::equal();
        calls.refused("nothing", empty, || Recentering::fit(metric, &none, &equal, 1e-9, 50));
    }
    for metric in [Metric::AffineInvariant, Metric::Wasserstein, Metric::Euclidean] {
        let rotate = |a: &[Mat<f64>], b: &[Mat<f64>]| {
            Rotation::fit(metric, (a, b), &Weights::equal(), (1e-6, 100))
        };
        calls.refused("nothing", empty, || rotate(&none, &none));
        calls.refused("sets of two lengths", ["", "pass"], || rotate(&covs, &covs[..2]));
        let small = [covariance(1, 3), covariance(2, 3), covariance(3, 3)];
        calls.refused("sets of two sizes", SHAPE, || rotate(&covs, &small));
    }
    for (name, bad, _) in bad_matrices() {
        calls.refused(name, ["not", ":"], || {
            let sources = [covs[0].clone(), bad];
            Rotation::fit(
                Metric::AffineInvariant,
                (&sources[..], &covs[..2]),
                &Weights::equal(),
                (1e-6, 100),
            )
        });
    }
    calls.finish(20);
}
