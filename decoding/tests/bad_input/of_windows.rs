//! What is fitted to, or planned for, windows of samples.

use super::{Calls, all_nan, is_posterior, labels, planar, window};
use acquisition::marker::ClassIdx;
use decoding::decoder::FitError;
use decoding::riemann::covariance::Estimator;
use decoding::spatial_filter::augmented::AugmentedParams;
use decoding::spatial_filter::cca::{CcaParams, FilterBankCcaParams};
use decoding::spatial_filter::erp_covariance::{ErpCovarianceParams, Prototypes};
use decoding::spatial_filter::filter_bank::BandWeights;
use decoding::spatial_filter::trca::{TrcaParams, TrcaScoring};
use decoding::spatial_filter::xdawn::XdawnParams;
use decoding::window::Planar;
use faer::Mat;

type Windows<'a> = &'a [Planar<'a>];
/// A fit, and numbers that it makes of a window.
type Learner =
    (&'static str, fn(Windows<'_>, &[ClassIdx], usize, &Planar<'_>) -> Result<Vec<f64>, FitError>);

fn erp(
    prototypes: Prototypes,
    windows: Windows<'_>,
    l: &[ClassIdx],
    n: usize,
    at: &Planar<'_>,
) -> Result<Vec<f64>, FitError> {
    let params = ErpCovarianceParams { prototypes, ..ErpCovarianceParams::default() };
    let model = params.fit(windows, l, n)?;
    let mut runtime = model.plan().expect("a fit");
    let mut out = Mat::zeros(model.n_rows(), model.n_rows());
    runtime.covariance_into(at, out.as_mut());
    Ok(out.diagonal().column_vector().iter().copied().collect())
}

fn trca(
    scoring: TrcaScoring,
    windows: Windows<'_>,
    l: &[ClassIdx],
    n: usize,
    at: &Planar<'_>,
) -> Result<Vec<f64>, FitError> {
    let params = TrcaParams { scoring, ..TrcaParams::default() };
    let mut posterior = vec![0.0; n];
    params.fit(&[windows], l, n)?.plan().posterior_into(&[*at], &mut posterior);
    Ok(posterior)
}

const LEARNERS: [Learner; 7] = [
    ("xdawn", |w, l, n, at| {
        let model = XdawnParams::default().fit(w, l, n)?;
        let mut out = vec![0.0; model.n_filters() * at.n_samples()];
        model.filter_into(at, &mut out);
        Ok(out)
    }),
    ("means", |w, l, n, at| erp(Prototypes::Means, w, l, n, at)),
    ("svd", |w, l, n, at| erp(Prototypes::Svd { n_components: 2 }, w, l, n, at)),
    ("xdawn prototypes", |w, l, n, at| {
        erp(Prototypes::Xdawn { n_filters: 2, estimator: Estimator::Scm }, w, l, n, at)
    }),
    ("xdawn above", |w, l, n, at| {
        erp(Prototypes::XdawnAbove { n_filters: 2, estimator: Estimator::Oas }, w, l, n, at)
    }),
    ("trca, each", |w, l, n, at| trca(TrcaScoring::Each, w, l, n, at)),
    ("trca, ensemble", |w, l, n, at| trca(TrcaScoring::Ensemble, w, l, n, at)),
];

const N: usize = 8;

/// Eight windows of three channels and 64 samples.
fn data() -> Vec<Vec<f64>> {
    (0..N as u64).map(|seed| window(seed + 1, 3, 64)).collect()
}

fn planars(data: &[Vec<f64>]) -> Vec<Planar<'_>> {
    data.iter().map(|data| planar(data, 3)).collect()
}

#[test]
fn windows_that_can_not_be_learned_from() {
    let mut calls = Calls::default();
    let data = data();
    let windows = planars(&data);
    let few = "calibrate longer or leave the class out";
    let alike = "make all examples with one plan";
    let mut far = labels(N, 2);
    far[3] = ClassIdx(9);
    let cases = [
        ("one class only", vec![ClassIdx(0); N], ["class 1 has 0 examples", few]),
        ("a label too few", labels(N - 1, 2), ["has size 7, 8 was expected", alike]),
        ("a far class", far, ["class 9", "label examples with classes"]),
    ];
    let with = |f: &dyn Fn(&mut Vec<f64>)| {
        let mut data = data.clone();
        f(&mut data[5]);
        data
    };
    let other = with(&|w| w.truncate(3 * 60));
    let mut fewer = windows.clone();
    let short = window(3, 2, 64);
    fewer[5] = planar(&short, 2);
    for (name, fit) in LEARNERS {
        for (what, l, wanted) in &cases {
            calls.refused(format!("{name}, {what}"), *wanted, || fit(&windows, l, 2, &windows[0]));
        }
        calls.refused(format!("{name}, nothing"), ["class 0 has 0 examples", few], || {
            fit(&[], &[], 2, &windows[0])
        });
        calls.refused(format!("{name}, other length"), ["has size 60, 64", alike], || {
            fit(&planars(&other), &labels(N, 2), 2, &windows[0])
        });
        calls.refused(format!("{name}, other channels"), ["has size 2, 3", alike], || {
            fit(&fewer, &labels(N, 2), 2, &windows[0])
        });
        for bad in [f64::NAN, f64::INFINITY] {
            let bad_data = with(&|w| w[70] = bad);
            let wanted = ["channel 1 of example 5 is not finite", "look for NaN"];
            calls.refused(format!("{name}, {bad}"), wanted, || {
                fit(&planars(&bad_data), &labels(N, 2), 2, &windows[0])
            });
        }
        calls.given(format!("{name}: NaN at a decision is seen"), || {
            let mut bad = data[0].clone();
            bad[70] = f64::NAN;
            let found = fit(&windows, &labels(N, 2), 2, &planar(&bad, 3));
            found.is_ok_and(|out| out.iter().any(|x| x.is_nan()))
        });
    }
    calls.finish(60);
}

#[test]
fn singular_windows() {
    let mut calls = Calls::default();
    let same = |f: &dyn Fn(&mut Vec<f64>)| {
        let mut data = data();
        data.iter_mut().for_each(f);
        data
    };
    let sets = [
        ("a duplicated channel", same(&|w| w.copy_within(0..64, 128))),
        ("a constant channel", same(&|w| w[64..128].fill(3.0))),
        ("nothing but constants", same(&|w| w.fill(1.0))),
    ];
    for (what, data) in &sets {
        let windows = planars(data);
        // Those that invert the samples' covariance without shrinking it.
        for name in ["xdawn", "xdawn prototypes", "trca, each", "trca, ensemble"] {
            let (_, fit) = LEARNERS.into_iter().find(|(n, _)| *n == name).expect("a learner");
            let wanted = ["is not positive definite", "flat, duplicated"];
            calls.refused(format!("{name}, {what}"), wanted, || {
                fit(&windows, &labels(N, 2), 2, &windows[0])
            });
        }
        for (name, fit) in [LEARNERS[1], LEARNERS[2]] {
            calls.given(format!("{name}, {what}"), || {
                fit(&windows, &labels(N, 2), 2, &windows[0]).is_ok()
            });
        }
    }
    calls.finish(18);
}

#[test]
fn parameters_that_are_none() {
    let mut calls = Calls::default();
    let data = data();
    let (windows, l) = (planars(&data), labels(N, 2));
    let count = ["is 0, allowed is", "at least 1"];
    calls.refused("no filter", count, || {
        XdawnParams { n_filters: 0, ..XdawnParams::default() }.fit(&windows, &l, 2)
    });
    for classes in [vec![], vec![ClassIdx(7)]] {
        let params = XdawnParams { classes: Some(classes.clone()), ..XdawnParams::default() };
        calls.refused("classes", ["class", "allowed is"], || params.fit(&windows, &l, 2));
        let params = ErpCovarianceParams { classes: Some(classes), ..Default::default() };
        calls.refused("classes", ["class", "allowed is"], || params.fit(&windows, &l, 2));
    }
    for prototypes in [
        Prototypes::Svd { n_components: 0 },
        Prototypes::Xdawn { n_filters: 0, estimator: Estimator::Scm },
        Prototypes::XdawnAbove { n_filters: 0, estimator: Estimator::Scm },
    ] {
        let params = ErpCovarianceParams { prototypes, ..Default::default() };
        calls.refused(format!("{prototypes:?}"), count, || params.fit(&windows, &l, 2));
    }
    for shrinkage in [-0.1, 1.1, f64::NAN] {
        let estimator = Estimator::Shrunk { shrinkage };
        let wanted = ["shrinkage is", "allowed is from 0 to 1"];
        let params = XdawnParams { estimator, ..XdawnParams::default() };
        calls.refused(shrinkage, wanted, || params.fit(&windows, &l, 2));
        let params = ErpCovarianceParams { estimator, ..Default::default() };
        calls.refused(shrinkage, wanted, || params.fit(&windows, &l, 2));
    }
    calls.refused("rows as many as samples", ["too short", "lengthen them"], || {
        let short: Vec<_> = (0..N as u64).map(|seed| window(seed + 1, 3, 8)).collect();
        let params = ErpCovarianceParams { estimator: Estimator::Scm, ..Default::default() };
        params.fit(&planars(&short), &l, 2)
    });
    calls.refused("no band", count, || TrcaParams::default().fit(&[], &l, 2));
    calls.refused("bands of two lengths", ["has size 60, 64", "one plan"], || {
        let mut cut = data.clone();
        for w in &mut cut {
            w.truncate(3 * 60);
        }
        TrcaParams::default().fit(&[&windows, &planars(&cut)], &l, 2)
    });
    calls.finish(17);
}

#[test]
fn flickers() {
    let mut calls = Calls::default();
    let of = |frequencies_hz: Vec<f64>, n_harmonics| CcaParams { frequencies_hz, n_harmonics };
    let none = ["no frequency, harmonic or band", "name at least one"];
    calls.refused("no frequency", none, || of(vec![], 2).plan(128.0, 4, 256));
    calls.refused("no harmonic", none, || of(vec![10.0], 0).plan(128.0, 4, 256));
    let bank = |n_bands| FilterBankCcaParams {
        cca: of(vec![10.0, 12.0], 2),
        n_bands,
        weights: BandWeights::default(),
    };
    calls.refused("no band", none, || bank(0).plan(128.0, 4, 256));
    let nyquist = ["is not between 0 and the Nyquist frequency of 64 Hz", "take fewer harmonics"];
    for hz in [0.0, -5.0, 70.0, 33.0, f64::NAN, f64::INFINITY] {
        calls.refused(hz, nyquist, || of(vec![10.0, hz], 2).plan(128.0, 4, 256));
    }
    for rate_hz in [0.0, f64::NAN, -128.0] {
        let wanted = ["is not between 0 and the Nyquist frequency", "take fewer harmonics"];
        calls.refused(rate_hz, wanted, || of(vec![10.0], 2).plan(rate_hz, 4, 256));
    }
    let short = ["too short", "lengthen them or take fewer channels or harmonics"];
    for n_samples in [0, 9] {
        calls.refused(n_samples, short, || of(vec![10.0], 2).plan(128.0, 4, n_samples));
    }
    let mut plan = bank(1).plan(128.0, 3, 64).expect("a plan");
    let mut sound = window(1, 3, 64);
    let mut posterior = [0.0; 2];
    calls.given("a constant and a copy", || {
        sound[64..128].fill(3.0);
        sound.copy_within(0..64, 128);
        plan.posterior_into(&[planar(&sound, 3)], &mut posterior);
        is_posterior(&posterior)
    });
    calls.given("nothing but constants", || {
        plan.posterior_into(&[planar(&[2.0; 192], 3)], &mut posterior);
        is_posterior(&posterior)
    });
    for bad in [f64::NAN, f64::INFINITY] {
        calls.given(format!("{bad} decides nothing, and is forgotten"), || {
            let mut samples = window(1, 3, 64);
            samples[70] = bad;
            plan.posterior_into(&[planar(&samples, 3)], &mut posterior);
            let is_nan = all_nan(&posterior);
            plan.posterior_into(&[planar(&window(1, 3, 64), 3)], &mut posterior);
            is_nan && is_posterior(&posterior)
        });
    }
    calls.finish(16);
}

#[test]
fn delayed_copies() {
    let mut calls = Calls::default();
    let of = |order, lag| AugmentedParams { order, lag, estimator: Estimator::Oas };
    for (order, lag) in [(0, 8), (4, 0)] {
        calls.refused(
            format!("{order} {lag}"),
            ["must both be at least 1", "choose larger"],
            || of(order, lag).plan(4, 256),
        );
    }
    let short = ["samples of", "lengthen the window or lower the order or the lag"];
    for (order, lag) in [(4, 64), (usize::MAX, 2), (2, usize::MAX)] {
        calls.refused(format!("{order} {lag}"), short, || of(order, lag).plan(4, 256));
    }
    calls.refused("no sample", short, || of(1, 1).plan(4, 1));
    let estimator = Estimator::Scm;
    calls.refused(
        "more rows than samples",
        ["singular covariance", "an estimator that shrinks"],
        || AugmentedParams { order: 8, lag: 1, estimator }.plan(8, 40),
    );
    calls.finish(7);
}
