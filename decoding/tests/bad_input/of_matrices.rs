//! What is fitted to covariances.

use super::geometry::{METRICS, bad_matrices};
use super::{Calls, all_finite, all_nan, covariance, is_posterior, labels};
use acquisition::marker::ClassIdx;
use decoding::adaptation::recenter::{Centre, RecenterState};
use decoding::adaptation::{Rate, Step};
use decoding::artifact::potato::{Potato, PotatoParams, Verdict};
use decoding::classifier::fgmdm::{FgMdmModel, FgdaModel};
use decoding::classifier::knn::{KnnModel, Vote};
use decoding::classifier::mdm::MdmModel;
use decoding::classifier::mean_field::{Combination, MeanFieldModel};
use decoding::decoder::FitError;
use decoding::matrix::Matrix;
use decoding::riemann::Metric;
use decoding::spatial_filter::csp::{CspFilters, CspParams, CspRegularisation};
use decoding::spatial_filter::filter_bank_csp::FilterBankCspParams;
use decoding::spatial_filter::spoc::SpocParams;
use faer::{Mat, MatRef};

type Fitted = Result<Vec<f64>, FitError>;
/// A fit, and what it makes of a matrix.
type Learner = (String, Box<dyn Fn(&[&Mat<f64>], &[ClassIdx], usize, MatRef<'_, f64>) -> Fitted>);

/// Classifiers of covariances: they give a posterior.
fn classifiers(metric: Metric) -> Vec<Learner> {
    let mdm: Learner = (
        format!("mdm, {metric}"),
        Box::new(move |covs, l, n, at| {
            let mut posterior = vec![0.0; n];
            let model = MdmModel::fit_in(metric, covs, l, n)?;
            model.plan().expect("a fit").posterior_into(at, &mut posterior);
            Ok(posterior)
        }),
    );
    let fgmdm: Learner = (
        format!("fgmdm, {metric}"),
        Box::new(move |covs, l, n, at| {
            let mut posterior = vec![0.0; n];
            let model = FgMdmModel::fit(metric, covs, l, n)?;
            model.plan().expect("a fit").posterior_into(at, &mut posterior);
            Ok(posterior)
        }),
    );
    let knn: Learner = (
        format!("knn, {metric}"),
        Box::new(move |covs, l, n, at| {
            let mut posterior = vec![0.0; n];
            let model = KnnModel::fit(metric, 3, Vote::ByDistance, (covs, l), n)?;
            model.plan().expect("a fit").posterior_into(at, &mut posterior);
            Ok(posterior)
        }),
    );
    vec![mdm, fgmdm, knn]
}

fn mean_field() -> Learner {
    (
        "mean field".to_owned(),
        Box::new(|covs, l, n, at| {
            let mut posterior = vec![0.0; n];
            let (metric, powers) = (Metric::AffineInvariant, [-0.5, 0.0, 0.5]);
            let combination = Combination::default();
            let model = MeanFieldModel::fit(metric, combination, &powers, (covs, l), n)?;
            model.plan().expect("a fit").posterior_into(at, &mut posterior);
            Ok(posterior)
        }),
    )
}

/// Spatial filters: they give log-variances.
fn filters() -> Vec<Learner> {
    let kinds = [
        CspFilters::Ends { n_per_end: 1 },
        CspFilters::Farthest { n_filters: 2 },
        CspFilters::Tikhonov { n_per_end: 1, alpha: 0.0 },
        CspFilters::Joint { n_filters: 2 },
    ];
    let csp = |filters: CspFilters| -> Learner {
        let params = CspParams { filters, regularisation: CspRegularisation::None };
        let fit = move |covs: &[&Mat<f64>], l: &[ClassIdx], n: usize, at: MatRef<'_, f64>| {
            let model = params.fit(covs, l, n)?;
            let mut features = vec![0.0; model.n_filters()];
            model.plan().features_into(at, &mut features);
            Ok(features)
        };
        (format!("{filters:?}"), Box::new(fit))
    };
    let bank: Learner = (
        "filter bank".to_owned(),
        Box::new(|covs, l, n, at| {
            let params = FilterBankCspParams { n_per_end: 1, ..FilterBankCspParams::default() };
            let model = params.fit(&[covs, covs], l, n)?;
            let mut features = vec![0.0; model.n_filters()];
            model.plan().features_into(&[at, at], &mut features);
            Ok(features)
        }),
    );
    let fgda: Learner = (
        "fgda".to_owned(),
        Box::new(|covs, l, n, at| {
            let model = FgdaModel::fit(Metric::AffineInvariant, covs, l, n)?;
            let mut out = Mat::zeros(at.nrows(), at.nrows());
            model.plan().expect("a fit").filter_into(at, out.as_mut());
            Ok(out.col(0).iter().copied().collect())
        }),
    );
    kinds.into_iter().map(csp).chain([bank, fgda]).collect()
}

fn all() -> Vec<Learner> {
    let classifiers = METRICS.into_iter().flat_map(classifiers);
    classifiers.chain([mean_field()]).chain(filters()).collect()
}

const N: usize = 8;

fn examples() -> Vec<Mat<f64>> {
    (0..N as u64).map(|seed| covariance(seed + 1, 4)).collect()
}

#[test]
fn labels_that_do_not_fit() {
    let mut calls = Calls::default();
    let covs = examples();
    let covs: Vec<_> = covs.iter().collect();
    let few = "calibrate longer or leave the class out";
    let alike = "make all examples with one plan";
    let mut far = labels(N, 2);
    far[3] = ClassIdx(9);
    let cases = [
        ("one class only", vec![ClassIdx(0); N], ["class 1 has 0 examples", few]),
        ("a label too few", labels(N - 1, 2), ["has size 7, 8 was expected", alike]),
        ("a far class", far, ["class 9", "label examples with classes"]),
    ];
    for (name, fit) in all() {
        for (what, l, wanted) in &cases {
            calls
                .refused(format!("{name}, {what}"), *wanted, || fit(&covs, l, 2, covs[0].as_ref()));
        }
        calls.refused(format!("{name}, nothing"), ["class 0 has 0 examples", few], || {
            fit(&[], &[], 2, covs[0].as_ref())
        });
        calls.refused(format!("{name}, one class"), ["class 1 has 0 examples", few], || {
            fit(&covs, &labels(N, 1), 1, covs[0].as_ref())
        });
    }
    calls.finish(80);
}

#[test]
fn matrices_that_do_not_fit() {
    let mut calls = Calls::default();
    for (name, fit) in all() {
        let (good, small) = (examples(), covariance(9, 3));
        let mut covs: Vec<_> = good.iter().collect();
        covs[5] = &small;
        calls.refused(
            format!("{name}, two sizes"),
            ["has size 3, 4 was expected", "one plan"],
            || fit(&covs, &labels(N, 2), 2, good[0].as_ref()),
        );
        let oblong = Mat::zeros(4, 3);
        covs[5] = &oblong;
        calls.refused(format!("{name}, no square"), ["has size", "one plan"], || {
            fit(&covs, &labels(N, 2), 2, good[0].as_ref())
        });
        for bad in [f64::NAN, f64::INFINITY] {
            let mut nan = good[5].clone();
            nan[(1, 1)] = bad;
            let mut covs = covs.clone();
            covs[5] = &nan;
            let wanted = ["is not finite", "look for NaN"];
            calls.refused(format!("{name}, {bad}"), wanted, || {
                fit(&covs, &labels(N, 2), 2, good[0].as_ref())
            });
        }
    }
    calls.finish(70);
}

#[test]
fn singular_matrices_are_refused_where_they_have_no_place() {
    let mut calls = Calls::default();
    // A duplicated and a constant channel in all windows.
    let of = |map: [Option<usize>; 4]| -> Vec<Mat<f64>> {
        let pick = |c: &Mat<f64>, i: usize, j: usize| match (map[i], map[j]) {
            (Some(i), Some(j)) => c[(i, j)],
            _ => 0.0,
        };
        examples().iter().map(|c| Mat::from_fn(4, 4, |i, j| pick(c, i, j))).collect()
    };
    let sets = [
        ("a duplicated channel", of([Some(0), Some(1), Some(2), Some(0)])),
        ("a constant channel", of([Some(0), None, Some(2), Some(3)])),
        ("nothing but constants", of([None; 4])),
    ];
    for (what, covs) in &sets {
        let covs: Vec<_> = covs.iter().collect();
        for (name, fit) in all().into_iter().filter(|(name, _)| !name.ends_with("euclidean")) {
            // The joint diagonalisation finds no end with copies.
            let wanted = if name.starts_with("Joint") && *what == "a duplicated channel" {
                ["did not converge", "regularise more"]
            } else {
                ["is not positive definite", "flat, duplicated"]
            };
            calls.refused(format!("{name}, {what}"), wanted, || {
                fit(&covs, &labels(N, 2), 2, covs[0].as_ref())
            });
        }
        for (name, fit) in classifiers(Metric::Euclidean) {
            calls.given(format!("{name}, {what}"), || {
                let found = fit(&covs, &labels(N, 2), 2, covs[0].as_ref());
                found.is_ok_and(|posterior| is_posterior(&posterior))
            });
        }
    }
    let indefinite = bad_matrices().into_iter().find(|(name, ..)| *name == "indefinite");
    let indefinite = indefinite.expect("there is one").1;
    let good = examples();
    let covs: Vec<_> = good[..N - 1].iter().chain([&indefinite]).collect();
    for (name, fit) in METRICS[..3].iter().flat_map(|metric| classifiers(*metric)) {
        let wanted = ["is not positive definite", "flat, duplicated"];
        calls.refused(format!("{name}, one indefinite"), wanted, || {
            fit(&covs, &labels(N, 2), 2, good[0].as_ref())
        });
    }
    calls.finish(57);
}

#[test]
fn decisions_on_matrices_without_a_place_are_none() {
    let mut calls = Calls::default();
    let good = examples();
    let covs: Vec<_> = good.iter().collect();
    for (what, bad, [cause, _]) in bad_matrices() {
        for (name, fit) in METRICS[..3].iter().flat_map(|m| classifiers(*m)).chain([mean_field()]) {
            calls.given(format!("{name} on one that is {what}"), || {
                fit(&covs, &labels(N, 2), 2, bad.as_ref()).is_ok_and(|p| all_nan(&p))
            });
        }
        for (name, fit) in filters() {
            calls.given(format!("{name} on one that is {what}"), || {
                let found = fit(&covs, &labels(N, 2), 2, bad.as_ref());
                // Of a singular matrix a log-variance may be finite; of NaN it is not.
                found.is_ok_and(|f| cause != "not finite" || !all_finite(&f))
            });
        }
    }
    calls.given("one channel is enough", || {
        let one: Vec<Mat<f64>> = (0..N as u64).map(|seed| covariance(seed + 1, 1)).collect();
        let one: Vec<_> = one.iter().collect();
        all().iter().all(|(_, fit)| fit(&one, &labels(N, 2), 2, one[0].as_ref()).is_ok())
    });
    calls.finish(100);
}

#[test]
fn parameters_that_are_none() {
    let mut calls = Calls::default();
    let good = examples();
    let covs: Vec<_> = good.iter().collect();
    let (l, none) = (labels(N, 2), CspRegularisation::None);
    let count = ["is 0, allowed is", "at least 1"];
    for filters in [
        CspFilters::Ends { n_per_end: 0 },
        CspFilters::Farthest { n_filters: 0 },
        CspFilters::Tikhonov { n_per_end: 0, alpha: 1.0 },
        CspFilters::Joint { n_filters: 0 },
    ] {
        let params = CspParams { filters, regularisation: none };
        calls.refused(format!("{filters:?}"), count, || params.fit(&covs, &l, 2));
    }
    for value in [-0.5, f64::NAN, f64::INFINITY] {
        let filters = CspFilters::Tikhonov { n_per_end: 1, alpha: value };
        let params = CspParams { filters, regularisation: none };
        calls.refused(value, ["alpha", "allowed is"], || params.fit(&covs, &l, 2));
        let regularisation = CspRegularisation::Shrunk { shrinkage: value };
        let params = CspParams { filters: CspFilters::Ends { n_per_end: 1 }, regularisation };
        calls.refused(value, ["shrinkage", "allowed is"], || params.fit(&covs, &l, 2));
    }
    let bank = FilterBankCspParams::default();
    calls.refused("no band", count, || bank.fit(&[], &l, 2));
    let no_end = FilterBankCspParams { n_per_end: 0, ..bank };
    calls.refused("no filter", count, || no_end.fit(&[&covs], &l, 2));
    let none_kept = FilterBankCspParams { n_selected: 0, ..bank };
    calls.refused("none kept", count, || none_kept.fit(&[&covs], &l, 2));
    let fewer: Vec<_> = covs[1..].to_vec();
    calls.refused("a band with fewer windows", ["has size", "one plan"], || {
        bank.fit(&[&covs, &fewer], &l, 2)
    });
    calls.refused("no neighbour", count, || {
        KnnModel::fit(Metric::Euclidean, 0, Vote::Equal, (&covs, &l), 2)
    });
    for powers in [&[][..], &[1.5], &[f64::NAN]] {
        let combination = Combination::default();
        calls.refused(format!("{powers:?}"), ["exponent", "allowed is"], || {
            MeanFieldModel::fit(Metric::Euclidean, combination, powers, (&covs, &l), 2)
        });
    }
    calls.finish(18);
}

#[test]
fn targets_of_power_comodulation() {
    let mut calls = Calls::default();
    let good = examples();
    let covs: Vec<_> = good.iter().collect();
    let targets: Vec<f64> = (0..N).map(|i| i as f64).collect();
    let spoc = SpocParams::default();
    calls.refused("one", ["class 0 has 1 examples", "calibrate longer"], || {
        spoc.fit(&covs[..1], &targets[..1])
    });
    calls.refused("none", ["class 0 has 0 examples", "calibrate longer"], || spoc.fit(&[], &[]));
    calls.refused("a target too few", ["has size 7, 8 was expected", "one plan"], || {
        spoc.fit(&covs, &targets[1..])
    });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut targets = targets.clone();
        targets[2] = bad;
        calls
            .refused(bad, ["a target is not finite", "look for NaN"], || spoc.fit(&covs, &targets));
    }
    calls.refused("constant targets", ["standard deviation is 0", "allowed is above 0"], || {
        spoc.fit(&covs, &[3.0; N])
    });
    calls.refused("no filter", ["n_filters is 0", "at least 1"], || {
        SpocParams { n_filters: 0 }.fit(&covs, &targets)
    });
    let small = covariance(9, 3);
    let mut mixed = covs.clone();
    mixed[3] = &small;
    calls.refused("two sizes", ["has size 3, 4 was expected", "one plan"], || {
        spoc.fit(&mixed, &targets)
    });
    for (what, bad, _) in bad_matrices() {
        let all = vec![&bad; N];
        calls.refused(what, ["is not", "look for"], || spoc.fit(&all, &targets));
    }
    calls.finish(15);
}

#[test]
fn potatoes() {
    let mut calls = Calls::default();
    let good = examples();
    let fit = |covs: &[Mat<f64>]| Potato::fit(PotatoParams::default(), covs);
    for (threshold, max_rounds) in [(0.0, 9), (-1.0, 9), (f64::NAN, 9), (3.0, 0)] {
        let params = PotatoParams { threshold, max_rounds };
        calls.refused(threshold, ["is not possible", "choose a positive threshold"], || {
            Potato::fit(params, &good)
        });
    }
    calls.refused("none", ["no matrix to work on", "pass at least one"], || fit(&[]));
    let spread = ["no spread", "calibrate on windows that differ"];
    calls.refused("one", spread, || fit(&good[..1]));
    calls.refused("copies", spread, || fit(&vec![good[0].clone(); 5]));
    let mut gate = fit(&good).expect("a fit").gate().expect("a plan");
    for (what, bad, wanted) in bad_matrices() {
        let covs = [&good[..], std::slice::from_ref(&bad)].concat();
        calls.refused(what, wanted, || fit(&covs));
        calls.given(format!("{what} is an artefact"), || {
            let found = gate.judge(bad.as_ref());
            found.verdict == Verdict::Artefact && found.z_score == f64::INFINITY
        });
        let before = gate.potato().expect("finite");
        calls.refused(what, wanted, || gate.update(bad.as_ref(), 0.1));
        calls.given(format!("{what} changes nothing"), || gate.potato() == Ok(before));
    }
    for rate in [0.0, 1.0, -0.1, f64::NAN] {
        let wanted = ["is not between 0 and 1", "choose"];
        calls.refused(rate, wanted, || gate.update(good[0].as_ref(), rate));
    }
    calls.finish(35);
}

#[test]
fn running_centres() {
    let mut calls = Calls::default();
    for centre in [Centre::Euclidean, Centre::Riemannian] {
        for (what, bad, wanted) in bad_matrices() {
            calls.given(format!("{centre:?} refuses one that is {what}"), || {
                let mut runtime = RecenterState::new(4, centre, Rate::Fixed(0.1)).plan().expect("");
                let mut out = Mat::zeros(4, 4);
                runtime.update_into(covariance(1, 4).as_ref(), out.as_mut());
                let before = runtime.state();
                let step = runtime.update_into(bad.as_ref(), out.as_mut());
                step == Step::Refused && out[(0, 0)].is_nan() && runtime.state() == before
            });
            let Ok(bad) = Matrix::from_faer(bad.as_ref()) else { continue };
            let state = RecenterState::starting_at(bad, 5, centre, Rate::Cumulative);
            calls.refused(format!("{centre:?} at one that is {what}"), wanted, || state.plan());
        }
        let oblong = Matrix::new(2, 3, vec![1.0; 6]).expect("finite");
        let state = RecenterState::starting_at(oblong, 5, centre, Rate::Cumulative);
        calls.refused("oblong", ["is needed", "pass square matrices"], || state.plan());
    }
    calls.finish(25);
}
