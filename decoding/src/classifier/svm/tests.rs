//! Support-vector machines against scikit-learn, against their own conditions of
//! optimality, under changes of the data, and on bad data.

use super::*;
use crate::classifier::tests::{GoldenSet, Normal, assert_close};
use proptest::prelude::*;
use serde::Deserialize;

/// Made by `tests/reference/golden_classify.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/svm.json"));

#[derive(Deserialize)]
struct Golden {
    sets: Vec<GoldenSet>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    set: usize,
    classes: Vec<u8>,
    kernel: String,
    gamma: serde_json::Value,
    c: f64,
    sklearn_decisions: Vec<Vec<f64>>,
    decisions: Vec<Vec<f64>>,
    sigmoids: Vec<[f64; 2]>,
    posteriors: Vec<Vec<f64>>,
}

impl Case {
    fn params(&self) -> SvmParams {
        let gamma = match (self.gamma.as_str(), self.gamma.as_f64()) {
            (Some("scale"), _) => Gamma::Scale,
            (Some("auto"), _) => Gamma::Auto,
            (_, Some(gamma)) => Gamma::Value(gamma),
            _ => panic!("gamma {}", self.gamma),
        };
        let kernel = if self.kernel == "rbf" { Kernel::Rbf { gamma } } else { Kernel::Linear };
        SvmParams { kernel, c: self.c, tolerance: 1e-12 }
    }
}

const KERNELS: [Kernel; 2] = [Kernel::Linear, Kernel::Rbf { gamma: Gamma::Scale }];

fn exact(kernel: Kernel) -> SvmParams {
    SvmParams { kernel, c: 1.0, tolerance: 1e-11 }
}

fn posterior(model: &SvmModel, x: &[f64]) -> Vec<f64> {
    let mut posterior = vec![f64::NAN; model.n_classes];
    model.plan().posterior_into(x, &mut posterior);
    posterior
}

#[test]
fn as_scikit_learn() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.cases {
        let set = &golden.sets[case.set];
        let (x, labels) = set.of(&case.classes);
        println!("{}, {:?}, {} classes", set.name, case.params(), case.classes.len());
        let model = case.params().fit(&x, &labels, case.classes.len()).unwrap();
        let mut runtime = model.plan();
        for (sigmoid, expected) in model.sigmoids.iter().zip(&case.sigmoids) {
            assert_close(&[sigmoid.slope, sigmoid.offset], expected, 1e-9);
        }
        for (i, x) in set.held_out.iter().enumerate() {
            assert_close(runtime.decisions(x), &case.decisions[i], 1e-9);
            // libsvm keeps kernel values in single precision.
            assert_close(runtime.decisions(x), &case.sklearn_decisions[i], 1e-5);
            let mut posterior = vec![f64::NAN; case.classes.len()];
            runtime.posterior_into(x, &mut posterior);
            assert_close(&posterior, &case.posteriors[i], 1e-9);
        }
    }
}

#[test]
fn the_margin_is_kept_by_all_but_support_vectors_at_the_bound() {
    let (x, labels) = Normal::new(41).examples(80, 5, 2, 2.0);
    for kernel in KERNELS {
        let params = SvmParams { c: 0.7, ..exact(kernel) };
        let (kernel, _) = kernel_values(&x, &centre(&x, 5).0, kernel).unwrap();
        let of = |class: u8| (0..80).filter(|i| labels[*i].0 == class).collect::<Vec<_>>();
        let (firsts, seconds) = (of(0), of(1));
        let examples = Separation { kernel: &kernel, firsts: &firsts, seconds: &seconds };
        let machine = smo::separate(&examples, params.c, params.tolerance).unwrap();
        let mut balance = 0.0;
        for (i, label) in labels.iter().enumerate() {
            let y = 1.0 - 2.0 * f64::from(label.0);
            let margin = y * machine.decision(&kernel, i) - 1.0;
            let found = machine.coef.iter().find(|(k, _)| *k == i).map_or(0.0, |(_, a)| *a);
            balance += found;
            let alpha = y * found;
            // Eleven digits of decision values of order 1.
            match alpha {
                0.0 => assert!(margin > -1e-10, "{margin}"),
                0.7 => assert!(margin < 1e-10, "{margin}"),
                _ => assert!((0.0..0.7).contains(&alpha) && margin.abs() < 1e-10, "{margin}"),
            }
        }
        assert!(balance.abs() < 1e-12);
    }
}

#[test]
fn names_of_classes_and_offsets_of_features_do_not_matter() {
    let (x, labels) = Normal::new(42).examples(60, 4, 3, 2.0);
    for kernel in KERNELS {
        let model = exact(kernel).fit(&x, &labels, 3).unwrap();
        let probe = [0.4, -0.2, 1.0, 0.3];
        let expected = posterior(&model, &probe);
        let renamed: Vec<_> = labels.iter().map(|l| ClassIdx((l.0 + 1) % 3)).collect();
        let found = posterior(&exact(kernel).fit(&x, &renamed, 3).unwrap(), &probe);
        // Eleven digits of decisions, and what the sigmoids make of them.
        assert_close(&[found[1], found[2], found[0]], &expected, 1e-8);

        let gamma = match &model.expansion {
            Expansion::Rbf { gamma, .. } => Gamma::Value(*gamma),
            Expansion::Linear { .. } => Gamma::Auto,
        };
        let kernel = if kernel == Kernel::Linear { kernel } else { Kernel::Rbf { gamma } };
        let offset = |x: &[f64]| x.iter().map(|v| v + 1e3).collect::<Vec<_>>();
        let moved: Vec<_> = x.iter().map(|x| offset(x)).collect();
        let model = exact(kernel).fit(&moved, &labels, 3).unwrap();
        assert_close(&posterior(&model, &offset(&probe)), &expected, 1e-8);
    }
}

#[test]
fn a_circle_needs_the_gaussian_kernel() {
    let mut normal = Normal::new(43);
    let mut x = Vec::new();
    for _ in 0..120 {
        x.push(vec![normal.draw(), normal.draw()]);
    }
    let labels: Vec<_> =
        x.iter().map(|x| ClassIdx(u8::from(x[0] * x[0] + x[1] * x[1] > 1.4))).collect();
    let n_right = |kernel: Kernel| {
        let model = SvmParams { kernel, ..SvmParams::default() }.fit(&x, &labels, 2).unwrap();
        let decided = |x: &Vec<f64>| crate::decoder::decide_class(&posterior(&model, x));
        x.iter().zip(&labels).filter(|(x, label)| decided(x) == **label).count()
    };
    assert!(n_right(KERNELS[1]) >= 110);
    assert!(n_right(KERNELS[0]) < 90);
}

#[test]
fn posteriors_are_frequencies() {
    // Classes a distance of 1 apart in one of three features: the true posterior is
    // known. Averaged over probes the calibrated one must come near to it.
    let (x, labels) = Normal::new(44).examples(400, 3, 2, 1.0);
    let (probes, of_probes) = Normal::new(45).examples(1000, 3, 2, 1.0);
    for kernel in KERNELS {
        let model = SvmParams { kernel, ..SvmParams::default() }.fit(&x, &labels, 2).unwrap();
        let mut bins = [[0.0; 3]; 5];
        for (probe, label) in probes.iter().zip(&of_probes) {
            let p = posterior(&model, probe)[1];
            let bin = &mut bins[((p * 5.0) as usize).min(4)];
            *bin = [bin[0] + 1.0, bin[1] + p, bin[2] + f64::from(label.0)];
        }
        for [n, p, frequency] in bins {
            // Three standard errors of a share of n, and 0.05 for what 400 examples
            // leave open of the sigmoid.
            let bound = 0.05 + 3.0 * (0.25 / n).sqrt();
            assert!(n < 20.0 || (p - frequency).abs() / n < bound, "{p} of {n}: {frequency}");
        }
    }
}

#[test]
fn a_file_keeps_every_bit_and_bad_values_decide_nothing() {
    let (x, labels) = Normal::new(46).examples(40, 6, 3, 1.0);
    for kernel in KERNELS {
        let model = exact(kernel).fit(&x, &labels, 3).unwrap();
        assert_eq!(exact(kernel).fit(&x, &labels, 3).unwrap(), model);
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<SvmModel>(&json).unwrap(), model);
        let mut runtime = model.plan();
        let (mut used, mut clean) = ([0.0; 3], [0.0; 3]);
        runtime.posterior_into(&[f64::NAN; 6], &mut used);
        assert!(used.iter().all(|p| p.is_nan()));
        runtime.posterior_into(&x[3], &mut used);
        model.plan().posterior_into(&x[3], &mut clean);
        assert_eq!(used, clean);
    }
}

#[test]
fn bad_data_is_refused() {
    let (mut x, labels) = Normal::new(47).examples(20, 3, 2, 1.0);
    let error = SvmModel::fit(&x, &[ClassIdx(0); 20], 2).unwrap_err();
    assert_eq!(error, FitError::TooFewExamples { class: 1, n_examples: 0, n_needed: 2 });
    // Features that say nothing leave the priors' odds, not a failure.
    let model = SvmModel::fit(&vec![vec![2.0; 3]; 20], &labels, 2).unwrap();
    assert!((posterior(&model, &[2.0; 3])[0] - 0.5).abs() < 1e-6);
    for bad in [f64::NAN, f64::NEG_INFINITY, 1e200] {
        x[7][1] = bad;
        let error = SvmModel::fit(&x, &labels, 2).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn coupling_finds_the_posterior_that_pairs_agree_on(
        weights in prop::collection::vec(0.01..1.0_f64, 2..7),
    ) {
        let n = weights.len();
        let sum: f64 = weights.iter().sum();
        let of_pairs: Vec<f64> =
            pairs(n).map(|(i, j)| weights[i] / (weights[i] + weights[j])).collect();
        let mut posterior = vec![f64::NAN; n];
        Coupling::new(n).posterior_into(&of_pairs, &mut posterior);
        for (p, w) in posterior.iter().zip(&weights) {
            prop_assert!((p - w / sum).abs() < 1e-12);
        }
    }

    #[test]
    fn coupling_gives_a_posterior_of_any_pairs(
        n in 2..7_usize,
        of_pairs in prop::collection::vec(0.0..=1.0_f64, 15),
    ) {
        let mut posterior = vec![f64::NAN; n];
        Coupling::new(n).posterior_into(&of_pairs[..n * (n - 1) / 2], &mut posterior);
        prop_assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(posterior.iter().all(|p| *p >= 0.0), "{posterior:?}");
    }
}

#[test]
fn what_lies_where_a_held_out_example_does_takes_no_part_in_its_posterior() {
    // Labels that say nothing, and every example twice: only whoever is judged by a machine
    // that has learned its twin by heart looks as if they did.
    let mut normal = Normal::new(5);
    let once: Vec<Vec<f64>> = (0..60).map(|_| (0..6).map(|_| normal.draw()).collect()).collect();
    let x = [&once[..], &once[..]].concat();
    let labels: Vec<_> = (0..120).map(|i| ClassIdx(i as u8 % 2)).collect();
    let span = |i: u64| ExampleSpan { run: 0, samples: 10 * (i % 60)..10 * (i % 60) + 10 };
    let spans: Vec<_> = (0..120).map(span).collect();
    let params = SvmParams { c: 100.0, ..SvmParams::default() };
    let slope = |model: SvmModel| model.sigmoids[0].slope;
    let blind = slope(params.fit(&x, &labels, 2).unwrap());
    let apart = slope(params.fit_spans(&x, &labels, &spans, 2).unwrap());
    assert!(blind < -1.0, "{blind}");
    assert!(apart > -0.5, "{apart}");
}

#[test]
fn examples_that_all_share_samples_are_refused() {
    let x: Vec<Vec<f64>> = (0..8).map(|i| vec![f64::from(i)]).collect();
    let labels: Vec<_> = (0..8).map(|i| ClassIdx(i / 4)).collect();
    let spans = vec![ExampleSpan { run: 0, samples: 0..100 }; 8];
    let found = SvmParams::default().fit_spans(&x, &labels, &spans, 2);
    assert_eq!(found.unwrap_err(), FitError::NoHeldOut { first: 0, second: 1 });
}
