//! Steps on samples, and matrices of several bands, against the library that they name.

use super::examples;
use super::spatial::{first_transform, outputs, pipeline};
use crate::decoder::Fit as _;
use crate::pipeline::Pipeline;
use crate::pipeline::check::PipelineError;
use crate::pipeline::fit::Training;
use crate::riemann::covariance::{Estimator, oas_shrink, scm};
use crate::spatial_filter::xdawn::XdawnParams;
use crate::window::{Planar, Samples, Shape, Value, View};

const BANK: (&str, &str) = ("filter_bank", "bands_hz = [[4, 12], [12, 24]]");

#[test]
fn filters_of_responses_are_the_librarys() {
    let step = ("xdawn", "n_filters = 2\nestimator = \"oas\"\nclasses = [1, 0]");
    let few = ("select", "k = 5");
    let steps = [BANK, ("samples", ""), step, ("vectorise", ""), few, ("lda", "")];
    let pipeline = pipeline(&steps).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), 2, 12);
    let training = Training::of(&pipeline, &examples);
    let params = XdawnParams {
        n_filters: 2,
        classes: Some(vec![acquisition::marker::ClassIdx(1), acquisition::marker::ClassIdx(0)]),
        estimator: Estimator::Oas,
    };
    let models =
        [0, 1].map(|band| params.fit(&training.samples(band), &training.labels, 2).unwrap());
    let found = outputs(&first_transform(&pipeline, &examples), &training);
    for (j, value) in found.into_iter().enumerate() {
        let Value::Samples(found) = value else { panic!("samples") };
        for (band, (model, found)) in models.iter().zip(&found).enumerate() {
            let window: Planar<'_> = training.samples(band)[j];
            let mut expected = vec![0.0; 4 * window.n_samples()];
            model.filter_into(&window, &mut expected);
            let found = found.as_planar();
            let rows: Vec<f64> = (0..4).flat_map(|f| found.channel(f).to_vec()).collect();
            assert_eq!(rows, expected, "window {j}, band {band}");
        }
    }
    // The values of all filters one after the other are what is decided on.
    let fitted = pipeline.fit(&examples).unwrap();
    let (first, shape) = fitted.members[0].transforms[0].plan(training.views[0].shape()).unwrap();
    drop(first);
    let n_samples = training.samples(0)[0].n_samples();
    assert_eq!(shape, Shape::Samples { n_bands: 2, n_channels: 4, n_samples });
    let (_, shape) = fitted.members[0].transforms[1].plan(shape).unwrap();
    assert_eq!(shape, Shape::Vector(2 * 4 * n_samples));
}

#[test]
fn samples_as_a_vector_are_band_by_band_and_channel_by_channel() {
    let few = ("select", "k = 5");
    let steps = [BANK, ("samples", ""), ("vectorise", ""), few, ("lda", "")];
    let pipeline = pipeline(&steps).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), 2, 12);
    let training = Training::of(&pipeline, &examples);
    let found = outputs(&first_transform(&pipeline, &examples), &training);
    for (view, found) in training.views.iter().zip(found) {
        let View::Samples(bands) = *view else { panic!("samples") };
        let channels = |band: &Samples| -> Vec<f64> {
            let samples = band.as_planar();
            (0..4).flat_map(|c| samples.channel(c).to_vec()).collect()
        };
        assert_eq!(found, Value::Vector(bands.iter().flat_map(channels).collect()));
    }
}

/// The covariances of each example of a pipeline that begins with two bands.
fn matrices(pipeline: &Pipeline) -> Vec<Value> {
    let examples = examples(std::slice::from_ref(pipeline), 2, 12);
    Training::of(pipeline, &examples).views.iter().map(|view| view.to_value()).collect()
}

#[test]
fn stacked_bands_make_one_matrix() {
    let raw = pipeline(&[BANK, ("samples", ""), ("vectorise", ""), ("lda", "")]).unwrap();
    let samples = matrices(&raw);
    for (name, is_shrunk) in [("scm", false), ("oas", true)] {
        let parameters = format!("bands = \"stacked\"\nestimator = \"{name}\"");
        let stacked = pipeline(&[BANK, ("covariance", &parameters), ("mdm", "")]).unwrap();
        for (found, samples) in matrices(&stacked).iter().zip(&samples) {
            let (Value::Matrices(found), Value::Samples(bands)) = (found, samples) else {
                panic!("matrices of samples")
            };
            let rows = bands.iter().flat_map(|band| {
                let band = band.as_planar();
                (0..4).flat_map(move |c| band.channel(c).to_vec())
            });
            let rows: Vec<f64> = rows.collect();
            let n_samples = rows.len() / 8;
            let all = Planar::new(&rows, 8, n_samples, n_samples);
            let mut expected = scm(all.as_mat());
            if is_shrunk {
                oas_shrink(expected.as_mut(), n_samples);
            }
            assert_eq!(found.len(), 1);
            let error = (&found[0] - &expected).norm_max() / expected.norm_max();
            // Sums of the same products in another order.
            assert!(error < 1e-12, "{error}");
        }
    }
    // One matrix of all bands is what a classifier of matrices takes; one of each is not.
    let each = pipeline(&[BANK, ("covariance", ""), ("mdm", "")]).unwrap_err();
    assert!(each.contains("there are several bands"), "{each}");
    let error = pipeline(&[BANK, ("covariance", "bands = \"stack\""), ("mdm", "")]).unwrap_err();
    assert!(error.contains("unknown variant `stack`"), "{error}");
}

#[test]
fn what_makes_no_samples_is_said() {
    let error = pipeline(&[("covariance", ""), ("vectorise", ""), ("lda", "")]).unwrap_err();
    assert!(error.contains("`vectorise` takes samples of a window"), "{error}");
    let error = pipeline(&[("samples", ""), ("xdawn", "n_filters = 0"), ("lda", "")]).unwrap_err();
    assert!(error.contains("n_filters: at least one is needed"), "{error}");
    let ends = Pipeline::from_toml(
        "name = \"a\"\n[[steps]]\nstep = \"samples\"\n[[steps]]\nstep = \"xdawn\"\n",
    );
    let error = ends.unwrap_err().to_string();
    assert!(error.contains("the last step `xdawn` gives samples of a window"), "{error}");
    let steps = [("samples", ""), ("xdawn", ""), ("vectorise", "")];
    let gives = pipeline(&[&steps[..], &[("lda", "")]].concat()).unwrap();
    assert_eq!(gives.check(), Ok::<(), PipelineError>(()));
}
