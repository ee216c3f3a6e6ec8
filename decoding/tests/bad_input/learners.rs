//! What is fitted to vectors of features: classifiers, selection, adaptation; and tests of
//! maps.

use super::{Calls, all_nan, is_posterior, labels, noise};
use acquisition::marker::ClassIdx;
use decoding::adaptation::governor::{Governor, GovernorParams};
use decoding::adaptation::lda::{AdaptiveLdaParams, AdaptiveLdaState, Covariance};
use decoding::adaptation::shift::{ShiftDetector, ShiftParams, Verdict};
use decoding::adaptation::{Rate, Step};
use decoding::classifier::elastic_net::ElasticNetParams;
use decoding::classifier::lda::LdaModel;
use decoding::classifier::logistic::LogisticParams;
use decoding::classifier::svm::{Gamma, Kernel, SvmParams};
use decoding::decoder::FitError;
use decoding::selection::false_discovery::{Correction, corrected};
use decoding::selection::max_t::MaxT;
use decoding::selection::mutual_information::mutual_information;
use decoding::selection::rank_sum::{RankSumP, rank_sum};
use decoding::selection::{Keep, Select, signed_r2};
use decoding::spatial_filter::filter_bank_csp::information_bits;
use decoding::stats::{Summary, mean, median, percentile, std};

type Vectors = Vec<Vec<f64>>;
/// A fit, and what it makes of a vector: a posterior, or the values that are kept.
type Learner =
    (&'static str, fn(&Vectors, &[ClassIdx], usize, &[f64]) -> Result<Vec<f64>, FitError>);

const RBF: SvmParams =
    SvmParams { kernel: Kernel::Rbf { gamma: Gamma::Scale }, c: 1.0, tolerance: 1e-3 };
const LINEAR: SvmParams = SvmParams { kernel: Kernel::Linear, ..RBF };

fn svm(
    params: SvmParams,
    x: &Vectors,
    l: &[ClassIdx],
    n: usize,
    at: &[f64],
) -> Result<Vec<f64>, FitError> {
    let mut posterior = vec![0.0; n];
    params.fit(x, l, n)?.plan().posterior_into(at, &mut posterior);
    Ok(posterior)
}

const CLASSIFIERS: [Learner; 6] = [
    ("lda", |x, l, n, at| {
        let mut posterior = vec![0.0; n];
        LdaModel::fit(x, l, n)?.posterior_into(at, &mut posterior);
        Ok(posterior)
    }),
    ("logistic regression", |x, l, n, at| {
        let mut posterior = vec![0.0; n];
        LogisticParams::default().fit(x, l, n)?.posterior_into(at, &mut posterior);
        Ok(posterior)
    }),
    ("elastic net", |x, l, n, at| {
        let mut posterior = vec![0.0; n];
        ElasticNetParams::default().fit(x, l, n)?.posterior_into(at, &mut posterior);
        Ok(posterior)
    }),
    ("linear machine", |x, l, n, at| svm(LINEAR, x, l, n, at)),
    ("gaussian machine", |x, l, n, at| svm(RBF, x, l, n, at)),
    ("adaptive lda", |x, l, n, at| {
        let mut posterior = vec![0.0; n];
        AdaptiveLdaParams::default().fit(x, l, n)?.plan().posterior_into(at, &mut posterior);
        Ok(posterior)
    }),
];

fn kept(
    select: Select,
    x: &Vectors,
    l: &[ClassIdx],
    n: usize,
    at: &[f64],
) -> Result<Vec<f64>, FitError> {
    let selected = select.fit(x, l, n)?;
    let mut out = vec![0.0; selected.indices.len()];
    selected.select_into(at, &mut out);
    Ok(out)
}

const BEST: Keep = Keep::Best(2);
const SELECTORS: [Learner; 5] = [
    ("signed r2", |x, l, n, at| kept(Select::SignedR2 { keep: BEST }, x, l, n, at)),
    ("wilcoxon", |x, l, n, at| {
        kept(Select::Wilcoxon { keep: BEST, p: RankSumP::Auto }, x, l, n, at)
    }),
    ("false discovery", |x, l, n, at| {
        let correction = Correction::BenjaminiHochberg;
        let keep = Keep::FalseDiscovery { rate: 0.05, correction };
        kept(Select::SignedR2 { keep }, x, l, n, at)
    }),
    ("mutual information", |x, l, n, at| {
        kept(Select::MutualInformation { n_kept: 2, n_neighbors: 3 }, x, l, n, at)
    }),
    ("recursive elimination", |x, l, n, at| {
        kept(Select::RecursiveElimination { n_kept: 2, n_removed: 1, c: 1.0 }, x, l, n, at)
    }),
];

const N: usize = 12;

/// Twelve examples of three features.
fn examples() -> Vectors {
    noise(2, 3 * N).chunks(3).map(<[f64]>::to_vec).collect()
}

/// What is wrong with the examples, and what is said of it.
fn bad_examples() -> Vec<(&'static str, Vectors, Vec<ClassIdx>, [&'static str; 2])> {
    let (x, two) = (examples(), labels(N, 2));
    let few = "calibrate longer or leave the class out";
    let alike = "make all examples with one plan";
    let with = |value: f64| {
        let mut x = x.clone();
        x[3][1] = value;
        x
    };
    let relabelled = |class: u8| {
        let mut l = two.clone();
        l[5] = ClassIdx(class);
        l
    };
    let mut single = vec![ClassIdx(0); N];
    single[4] = ClassIdx(1);
    let mut ragged = x.clone();
    ragged[7].push(1.0);
    let not_finite = ["is not finite", "look for NaN or infinite samples"];
    vec![
        ("one class only", x.clone(), vec![ClassIdx(0); N], ["class 1 has 0 examples", few]),
        ("one example of a class", x.clone(), single, ["class 1 has 1 examples", few]),
        ("no example", vec![], vec![], ["class 0 has 0 examples", few]),
        ("NaN", with(f64::NAN), two.clone(), not_finite),
        ("infinity", with(f64::INFINITY), two.clone(), not_finite),
        ("a label too few", x.clone(), labels(N - 1, 2), ["has size 11, 12 was expected", alike]),
        ("a label too many", x.clone(), labels(N + 1, 2), ["has size 13, 12 was expected", alike]),
        ("a class too many", x.clone(), relabelled(2), ["class 2", "label examples with classes"]),
        ("a far class", x.clone(), relabelled(200), ["class 200", "label examples with classes"]),
        ("one vector longer", ragged, two, ["has size 4, 3 was expected", alike]),
    ]
}

#[test]
fn examples_that_can_not_be_learned_from() {
    let mut calls = Calls::default();
    for (name, fit) in CLASSIFIERS.into_iter().chain(SELECTORS) {
        for (what, x, l, wanted) in bad_examples() {
            calls.refused(format!("{name}, {what}"), wanted, || fit(&x, &l, 2, &[0.0; 3]));
        }
        let none = ["class 0 has 0 examples", "calibrate longer"];
        calls.refused(format!("{name}, no class"), none, || fit(&vec![], &[], 0, &[]));
        let one = ["class 1 has 0 examples", "calibrate longer"];
        calls.refused(format!("{name}, a configuration of one class"), one, || {
            fit(&examples(), &labels(N, 1), 1, &[0.0; 3])
        });
        let feature = ["number of features is 0", "at least 1"];
        calls.refused(format!("{name}, no feature"), feature, || {
            fit(&vec![vec![]; N], &labels(N, 2), 2, &[])
        });
    }
    calls.finish(130);
}

/// Examples that are poor, but have an answer.
fn poor_examples() -> Vec<(&'static str, Vectors)> {
    let x = examples();
    let of = |f: &dyn Fn(&[f64]) -> Vec<f64>| x.iter().map(|x| f(x)).collect::<Vectors>();
    vec![
        ("a constant feature", of(&|x| vec![x[0], 5.0, x[2]])),
        ("nothing but constants", of(&|_| vec![1.0, 2.0, 3.0])),
        ("zeros", of(&|_| vec![0.0; 3])),
        ("a duplicated feature", of(&|x| vec![x[0], x[0], x[2]])),
        ("more features than examples", {
            noise(4, 40 * N).chunks(40).map(<[f64]>::to_vec).collect()
        }),
        ("one feature", of(&|x| vec![x[0]])),
        ("two examples of a class", x[..4].to_vec()),
        ("tiny values", of(&|x| x.iter().map(|v| v * 1e-150).collect())),
    ]
}

#[test]
fn poor_examples_have_an_answer() {
    let mut calls = Calls::default();
    for (what, x) in poor_examples() {
        let l = labels(x.len(), 2);
        for (name, fit) in CLASSIFIERS {
            let at = x[0].clone();
            calls.given(format!("{name}, {what}"), || {
                fit(&x, &l, 2, &at).is_ok_and(|posterior| is_posterior(&posterior))
            });
        }
        for (name, fit) in SELECTORS {
            let at = x[0].clone();
            calls.given(format!("{name}, {what}"), || {
                fit(&x, &l, 2, &at).is_ok_and(|kept| kept.len() <= 2.max(at.len()))
            });
        }
    }
    for (name, fit) in CLASSIFIERS {
        for bad in [f64::NAN, f64::INFINITY] {
            calls.given(format!("{name} decides nothing on {bad}"), || {
                let found = fit(&examples(), &labels(N, 2), 2, &[0.1, bad, 0.2]);
                found.is_ok_and(|posterior| all_nan(&posterior))
            });
        }
    }
    calls.finish(100);
}

#[test]
fn values_that_are_too_large() {
    let mut calls = Calls::default();
    let huge: Vectors = examples().iter().map(|x| x.iter().map(|v| v * 1e200).collect()).collect();
    for (name, fit) in CLASSIFIERS {
        calls.refused(format!("{name}, squares overflow"), ["", ": "], || {
            fit(&huge, &labels(N, 2), 2, &[0.0; 3])
        });
        let apart: Vectors =
            examples().iter().map(|x| vec![x[0] * 1e8, x[1], x[2] * 1e-8]).collect();
        calls.given(format!("{name}, values far apart: an answer, or what to do"), || {
            match fit(&apart, &labels(N, 2), 2, &apart[0]) {
                Ok(posterior) => is_posterior(&posterior),
                Err(error) => error.to_string().contains("did not converge in"),
            }
        });
    }
    calls.finish(12);
}

#[test]
fn parameters_that_are_none() {
    let mut calls = Calls::default();
    let (x, l) = (examples(), labels(N, 2));
    for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let wanted = ["C is", "allowed is"];
        calls.refused(c, wanted, || LogisticParams { c }.fit(&x, &l, 2));
        let net = ElasticNetParams { c, ..ElasticNetParams::default() };
        calls.refused(c, wanted, || net.fit(&x, &l, 2));
        calls.refused(c, wanted, || SvmParams { c, ..RBF }.fit(&x, &l, 2));
        let eliminate = Select::RecursiveElimination { n_kept: 1, n_removed: 1, c };
        calls.refused(c, wanted, || eliminate.fit(&x, &l, 2));
        let tolerance = ["the tolerance is", "allowed is"];
        calls.refused(c, tolerance, || SvmParams { tolerance: c, ..RBF }.fit(&x, &l, 2));
        let kernel = Kernel::Rbf { gamma: Gamma::Value(c) };
        calls.refused(c, ["gamma is", "allowed is"], || SvmParams { kernel, ..RBF }.fit(&x, &l, 2));
    }
    for l1_ratio in [-0.1, 1.1, f64::NAN] {
        let net = ElasticNetParams { c: 1.0, l1_ratio };
        calls.refused(l1_ratio, ["l1_ratio is", "allowed is"], || net.fit(&x, &l, 2));
    }
    for select in [
        Select::SignedR2 { keep: Keep::Best(0) },
        Select::Wilcoxon { keep: Keep::Best(0), p: RankSumP::Auto },
        Select::MutualInformation { n_kept: 0, n_neighbors: 3 },
        Select::MutualInformation { n_kept: 1, n_neighbors: 0 },
        Select::RecursiveElimination { n_kept: 0, n_removed: 1, c: 1.0 },
        Select::RecursiveElimination { n_kept: 1, n_removed: 0, c: 1.0 },
    ] {
        calls.refused(format!("{select:?}"), ["is 0, allowed is", "at least 1"], || {
            select.fit(&x, &l, 2)
        });
    }
    for rate in [0.0, 1.0, -0.1, f64::NAN] {
        let params = AdaptiveLdaParams {
            covariance: Covariance::Running(rate),
            ..AdaptiveLdaParams::default()
        };
        calls.refused(rate, ["covariance is no rate", "above 0 and below 1"], || {
            params.fit(&x, &l, 2)
        });
    }
    for rate in [0.0, 1.1, -0.1, f64::NAN] {
        let params = AdaptiveLdaParams { mean_rate: Rate::Fixed(rate), ..Default::default() };
        calls.refused(rate, ["mean_rate is no rate", "above 0 and at most 1"], || {
            params.fit(&x, &l, 2)
        });
    }
    calls.finish(40);
}

#[test]
fn rates_that_are_none() {
    let mut calls = Calls::default();
    for rate in [0.0, 1.5, -1.0, f64::NAN] {
        let wanted = ["a fixed rate", "above 0 and at most 1"];
        calls.refused(rate, wanted, || Rate::Fixed(rate).check());
    }
    let usual = GovernorParams::default();
    let governed = [
        (GovernorParams { initial_rate: 0.0, ..usual }, "above 0"),
        (GovernorParams { initial_rate: f64::NAN, ..usual }, "above 0"),
        (GovernorParams { largest_rate: 0.01, ..usual }, "not below it"),
        (GovernorParams { largest_rate: f64::NAN, ..usual }, "not below it"),
        (GovernorParams { initial_rate: 1e-12, largest_rate: 1e-12, ..usual }, "1e-8 or more"),
        (GovernorParams { largest_rate: 2.0, ..usual }, "at most 1"),
        (GovernorParams { n_memory: 0, ..usual }, "is 1 to 1000"),
        (GovernorParams { n_memory: usize::MAX, ..usual }, "is 1 to 1000"),
    ];
    for (params, remedy) in governed {
        calls.refused(format!("{params:?}"), ["", remedy], || Rate::Governed(params).check());
    }
    let usual = ShiftParams::default();
    for (params, remedy) in [
        (ShiftParams { n_reference: 1, ..usual }, "2 values at least"),
        (ShiftParams { allowance: 0.0, ..usual }, "are above 0"),
        (ShiftParams { threshold: f64::NAN, ..usual }, "are above 0"),
    ] {
        calls.refused(format!("{params:?}"), ["", remedy], || params.check());
    }
    let state = AdaptiveLdaParams::default().fit(&examples(), &labels(N, 2), 2).expect("a fit");
    let sound = serde_json::to_value(&state).expect("plain numbers");
    for part in ["mean", "class_means", "log_priors", "gain", "precision"] {
        let mut damaged = sound.clone();
        let matrix = serde_json::json!({"n_rows": 1, "n_cols": 1, "data": [1.0]});
        damaged[part] = if sound[part].is_array() { serde_json::json!([1.0]) } else { matrix };
        calls.given(format!("a damaged {part} is seen"), || {
            let state = serde_json::from_value::<AdaptiveLdaState>(damaged);
            state.is_ok_and(|state| !state.is_possible())
        });
    }
    calls.given("a sound one", || {
        serde_json::from_value::<AdaptiveLdaState>(sound).is_ok_and(|read| read == state)
    });
    calls.finish(20);
}

#[test]
fn adaptation_refuses_what_is_no_number() {
    let mut calls = Calls::default();
    for rate in [Rate::Cumulative, Rate::Fixed(0.1), Rate::Governed(GovernorParams::default())] {
        let params = AdaptiveLdaParams { mean_rate: rate, covariance: Covariance::Running(0.05) };
        let state = params.fit(&examples(), &labels(N, 2), 2).expect("a fit");
        for bad in [f64::NAN, f64::INFINITY, 1e200] {
            calls.given(format!("{rate:?}, {bad}"), || {
                let mut runtime = state.plan();
                let refused = runtime.adapt(&[0.1, bad, 0.2], None) == Step::Refused;
                let mut posterior = [0.0; 2];
                runtime.posterior_into(&[0.1; 3], &mut posterior);
                refused && runtime.state() == state && is_posterior(&posterior)
            });
        }
    }
    calls.given("a detector leaves it out", || {
        let mut detector = ShiftDetector::new(ShiftParams::default());
        let before = detector.clone();
        detector.push(f64::NAN) == Verdict::Learning && detector == before
    });
    calls.given("a governor keeps its rate where no candidate has a score", || {
        let mut governor = Governor::new(GovernorParams::default());
        let push = decoding::adaptation::governor::Push::Excite;
        governor.choose(push, push, |_| f64::NAN) == GovernorParams::default().initial_rate
    });
    calls.finish(11);
}

#[test]
fn tests_of_groups_and_maps() {
    let mut calls = Calls::default();
    let maps = |n: usize, points: usize| -> Vectors {
        noise(1, n * points).chunks(points).map(<[f64]>::to_vec).collect()
    };
    let test = MaxT { n_permutations: 20, ..MaxT::default() };
    let few = ["in a group, 2 are needed", "record more or join groups"];
    for n in [0, 1] {
        let groups = maps(n, 4);
        calls.refused(n, few, || test.one_sample(&groups));
        calls.refused(n, few, || test.two_samples(&groups, &maps(5, 4)));
    }
    let mixed = [maps(3, 4), maps(3, 5)].concat();
    let other = ["a map of 5 points beside one of 4", "compute both alike"];
    calls.refused("points", other, || test.one_sample(&mixed));
    calls.refused("points", other, || test.two_samples(&maps(3, 4), &maps(3, 5)));
    let mut nan = maps(4, 4);
    nan[2][1] = f64::NAN;
    let finite = ["point 1 of map 2 is not finite", "look for flat channels or NaN"];
    calls.refused("NaN", finite, || test.one_sample(&nan));
    calls.refused("NaN", finite, || test.two_samples(&nan, &maps(3, 4)));
    calls.given("maps that do not vary have no statistic", || {
        let same = vec![vec![1.0, 0.0]; 4];
        let one = test.one_sample(&same).expect("sound maps").statistic;
        let two = test.two_samples(&same, &same).expect("sound maps").statistic;
        one == [0.0; 2] && two == [0.0; 2]
    });
    calls.given("no permutation is the observed one alone", || {
        let none = MaxT { n_permutations: 0, ..test };
        none.one_sample(&maps(4, 3)).is_ok_and(|found| found.p == [1.0; 3])
    });
    let groups = [vec![], vec![1.0], vec![f64::NAN, 1.0], vec![3.0; 4], vec![f64::INFINITY, 0.0]];
    for (a, b) in groups.iter().flat_map(|a| groups.iter().map(move |b| (a, b))) {
        calls.given(format!("{a:?} against {b:?} has a p within 0 and 1"), || {
            let p = rank_sum(a, b, RankSumP::Auto).p;
            let _ = signed_r2(a, b);
            (0.0..=1.0).contains(&p)
        });
    }
    calls.given("p values that are none do not become small", || {
        corrected(&[f64::NAN, 0.01], Correction::BenjaminiYekutieli)[0] == 1.0
            && corrected(&[], Correction::BenjaminiHochberg).is_empty()
    });
    calls.given("no information of nothing", || {
        mutual_information(&[], &[], 3) == 0.0
            && mutual_information(&[1.0; 4], &labels(4, 2), 3) < 1e-9
    });
    let one = vec![ClassIdx(0); 4];
    calls.refused("one class", ["class 1 has 0 examples", "calibrate longer"], || {
        information_bits(&[1.0, 2.0, 3.0, 4.0], &one, 2)
    });
    calls.refused("NaN", ["a feature is not finite", "look for NaN"], || {
        information_bits(&[1.0, f64::NAN, 3.0, 4.0], &labels(4, 2), 2)
    });
    calls.finish(35);
}

#[test]
fn statistics_of_nothing() {
    let mut calls = Calls::default();
    calls.given("none", || {
        let none: [f64; 0] = [];
        mean(&none).is_none()
            && median(&none).is_none()
            && std(&none, 0).is_none()
            && percentile(&none, 50.0).is_none()
            && Summary::of(&none).is_none()
    });
    calls.given("one value has no deviation and no interval", || {
        let found = Summary::of(&[2.0]);
        found.is_some_and(|s| s.mean == 2.0 && s.std.is_none() && s.interval.is_none())
    });
    for percent in [-5.0, 105.0, f64::NAN] {
        calls.given(percent, || percentile(&[1.0, 2.0], percent).is_some());
    }
    calls.finish(5);
}
