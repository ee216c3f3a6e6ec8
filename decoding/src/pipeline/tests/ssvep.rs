//! Responses to flicker: what the steps make of them, and how sure a classifier may be.

use super::spatial::{first_transform, outputs, pipeline};
use super::{RATE_HZ, stream};
use crate::classifier::logistic::{LogisticModel, LogisticParams};
use crate::decoder::{ExampleSpan, Examples, Fit as _, FitError, decide_class};
use crate::front_end::{Completed, FrontEnd, FrontEndSpec};
use crate::pipeline::fit::Training;
use crate::pipeline::runtime::Chain;
use crate::pipeline::step::{Step, Transform};
use crate::pipeline::{Pipeline, demands};
use crate::spatial_filter::trca::TrcaParams;
use crate::window::{Planar, Value};
use acquisition::marker::ClassIdx;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Windows of a second that begin with the stimulus: noise, 10 Hz and 15 Hz by turns, the
/// flicker as strong as `amplitude` where the noise is within 1.
fn flicker(pipeline: &Pipeline, seed: u64, n_windows: usize, amplitude: f64) -> Examples {
    let spec = FrontEndSpec { window_secs: 1.0, step_secs: 1.0, ..FrontEndSpec::default() };
    let demands = demands([pipeline]);
    let picks = (0..4).collect();
    let mut front_end = FrontEnd::plan(&spec, &stream(4), picks, demands.clone()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut examples = Examples { demands, n_classes: 3, ..Examples::default() };
    for n in 0..n_windows * RATE_HZ {
        let class = n / RATE_HZ % 3;
        let phase = TAU * [0.0, 10.0, 15.0][class] * n as f64 / RATE_HZ as f64;
        let wave = |c: usize| amplitude * phase.sin() * [1.0, 0.5, -0.5, 0.2][c];
        let mut value = |c: usize| (rng.random_range(-1.0..1.0) + wave(c)) as f32;
        let frame: [f32; 4] = std::array::from_fn(&mut value);
        let end = front_end.next().0 + 1;
        if front_end.push_frame(&frame) == Completed::Window {
            examples.labels.push(ClassIdx(class as u8));
            examples.features.push(front_end.window().unwrap().features.clone());
            examples.spans.push(ExampleSpan { run: 0, samples: end - RATE_HZ as u64..end });
        }
    }
    examples
}

/// Posteriors of the windows of `test` by a pipeline fitted to `calibration`.
fn posteriors(pipeline: &Pipeline, calibration: &Examples, test: &Examples) -> Vec<[f64; 3]> {
    let fitted = pipeline.fit(calibration).unwrap();
    let training = Training::of(pipeline, test);
    let mut chain = Chain::plan(&fitted.members[0], training.views[0].shape(), 3).unwrap();
    let decide = |view: &crate::window::View<'_>| {
        let mut posterior = [0.0; 3];
        chain.posterior_into(*view, &mut posterior);
        posterior
    };
    training.views.iter().map(decide).collect()
}

/// Mean logarithm of the true class's posterior.
fn log_likelihood<'a>(posteriors: impl Iterator<Item = &'a [f64; 3]>, labels: &[ClassIdx]) -> f64 {
    let logs = posteriors.zip(labels).map(|(posterior, label)| posterior[label.index()].ln());
    logs.sum::<f64>() / labels.len() as f64
}

fn trca(parameters: &str) -> Pipeline {
    let steps = [("samples", ""), ("trca", parameters), ("logistic_regression", "c = 100")];
    pipeline(&steps).unwrap()
}

#[test]
fn flicker_and_idle_are_told_apart() {
    let cca =
        [("cca", "frequencies_hz = [10, 15]\nn_harmonics = 2"), ("logistic_regression", "c = 100")];
    for pipeline in [pipeline(&cca).unwrap(), trca(""), trca("scoring = \"each\"")] {
        let calibration = flicker(&pipeline, 1, 60, 0.5);
        let test = flicker(&pipeline, 2, 60, 0.5);
        let decided = posteriors(&pipeline, &calibration, &test);
        let is_right = |(p, label): (&[f64; 3], &ClassIdx)| decide_class(p) == *label;
        let n_right = decided.iter().zip(&test.labels).filter(|pair| is_right(*pair)).count();
        // Noise and two sines at -6 dB over four channels: nearly all of sixty.
        assert!(n_right >= 54, "{n_right} of 60: {}", pipeline.to_toml());
    }
}

#[test]
fn where_there_is_no_response_nothing_is_sure() {
    let pipeline = trca("");
    let calibration = flicker(&pipeline, 3, 36, 0.0);
    let test = flicker(&pipeline, 4, 300, 0.0);
    let honest = posteriors(&pipeline, &calibration, &test);
    let honest = log_likelihood(honest.iter(), &test.labels);
    // A regression on the scores of the very windows that the components were fitted to.
    let training = Training::of(&pipeline, &calibration);
    let components = first_transform(&pipeline, &calibration);
    let vectors = |training: &Training<'_>| -> Vec<Vec<f64>> {
        let vector = |value: Value| match value {
            Value::Vector(vector) => vector,
            other => panic!("a vector: {other:?}"),
        };
        outputs(&components, training).into_iter().map(vector).collect()
    };
    let params = LogisticParams { c: 100.0 };
    let model: LogisticModel = params.fit(&vectors(&training), &training.labels, 3).unwrap();
    let too_sure: Vec<_> = vectors(&Training::of(&pipeline, &test))
        .iter()
        .map(|x| {
            let mut posterior = [0.0; 3];
            model.posterior_into(x, &mut posterior);
            posterior
        })
        .collect();
    let too_sure = log_likelihood(too_sure.iter(), &test.labels);
    let chance = (1.0_f64 / 3.0).ln();
    // Of 36 windows a regression on two scores that say nothing loses some tenths of a nat;
    // one that was misled loses more than a nat.
    assert!(honest > chance - 0.3, "{honest} {chance}");
    assert!(too_sure < chance - 1.0, "{too_sure} {chance}");
}

#[test]
fn components_are_the_librarys_and_the_scores_are_of_windows_left_out() {
    let steps = [
        ("filter_bank", "bands_hz = [[6, 40], [12, 40]]"),
        ("samples", ""),
        ("trca", "splits = 3"),
        ("logistic_regression", ""),
    ];
    let pipeline = pipeline(&steps).unwrap();
    let examples = flicker(&pipeline, 5, 36, 0.5);
    let training = Training::of(&pipeline, &examples);
    // By the library: the scores of the windows at `scored`, fitted to those at `used`.
    let scores_of = |used: &[usize], scored: &[usize]| -> Vec<Vec<f64>> {
        let used: Vec<_> = used.iter().copied().filter(|j| training.labels[*j].0 > 0).collect();
        let labels: Vec<_> = used.iter().map(|j| ClassIdx(training.labels[*j].0 - 1)).collect();
        let windows = [0, 1].map(|band| training.samples(band));
        let of = |band: &Vec<_>| -> Vec<Planar<'_>> { used.iter().map(|j| band[*j]).collect() };
        let fitted_to = windows.each_ref().map(of);
        let bands = fitted_to.each_ref().map(Vec::as_slice);
        let mut runtime = TrcaParams::default().fit(&bands, &labels, 2).unwrap().plan();
        let score = |j: &usize| {
            let mut scores = vec![0.0; 2];
            runtime.scores_into(&windows.each_ref().map(|band| band[*j]), &mut scores);
            scores
        };
        scored.iter().map(score).collect()
    };
    let all: Vec<_> = (0..training.labels.len()).collect();
    let values =
        |vectors: Vec<Vec<f64>>| vectors.into_iter().map(Value::Vector).collect::<Vec<_>>();
    let fitted = first_transform(&pipeline, &examples);
    assert_eq!(outputs(&fitted, &training), values(scores_of(&all, &all)));
    // The classes take turns, so a third of each class is a third of all, and no windows
    // overlap.
    let Some(Step::Transform(Transform::Trca(step))) = pipeline.steps.get(2) else {
        panic!("another step")
    };
    let left_out = step.left_out(&training).unwrap();
    for block in 0..3 {
        let is_inside = |j: &usize| j / 12 == block;
        let inside: Vec<_> = all.iter().copied().filter(is_inside).collect();
        let outside: Vec<_> = all.iter().copied().filter(|j| !is_inside(j)).collect();
        assert_eq!(left_out[inside[0]..=inside[11]], values(scores_of(&outside, &inside)));
    }
}

#[test]
fn windows_that_overlap_a_block_do_not_vouch_for_it() {
    let pipeline = trca("splits = 2");
    let mut examples = flicker(&pipeline, 6, 36, 0.5);
    let Some(Step::Transform(Transform::Trca(step))) = pipeline.steps.get(1) else {
        panic!("another step")
    };
    let apart = step.left_out(&Training::of(&pipeline, &examples)).unwrap();
    // The last window before the second half reaches into it: it is fitted to no more for the
    // second half, nor is the first one after for the first.
    examples.spans[17].samples.end += 10;
    let overlapping = step.left_out(&Training::of(&pipeline, &examples)).unwrap();
    assert_ne!(apart[20..], overlapping[20..]);
}

#[test]
fn responses_that_cannot_be_fitted_are_refused() {
    let read = |parameters: &str| {
        pipeline(&[("samples", ""), ("trca", parameters), ("lda", "")]).unwrap_err()
    };
    for (parameters, expected) in [
        ("splits = 1", "splits: two blocks are needed to leave one out"),
        ("classes = []", "classes: name at least one, or leave it out"),
        ("classes = [1, 1]", "classes: 1 stands twice"),
        ("weights = { exponent = nan }", "exponent and offset are finite numbers"),
        ("scoring = \"all\"", "unknown variant `all`"),
        ("split = 3", "did you mean `splits`?"),
    ] {
        let error = read(parameters);
        assert!(error.contains(expected), "{error}");
    }
    let fit = |pipeline: &Pipeline, n| pipeline.fit(&flicker(pipeline, 7, n, 0.5)).unwrap_err();
    let error = fit(&trca("classes = [3]"), 36);
    assert!(matches!(error, FitError::BadParameter { name: "class", .. }), "{error}");
    // Two windows of a class: one is left when the other is left out.
    let error = fit(&trca(""), 6);
    assert_eq!(error, FitError::NoBlocksApart { n_blocks: 2 });
    let order = pipeline(&[("covariance", ""), ("trca", ""), ("lda", "")]).unwrap_err();
    assert!(order.contains("`trca` takes samples of a window"), "{order}");
}
