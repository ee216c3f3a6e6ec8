//! Spatial filters as steps against the library that they name.

use super::{RATE_HZ, examples};
use crate::decoder::{Examples, Fit as _, FitError};
use crate::pipeline::Pipeline;
use crate::pipeline::fit::Training;
use crate::pipeline::fitted::FittedTransform;
use crate::spatial_filter::csp::{CspFilters, CspParams, CspRegularisation};
use crate::spatial_filter::filter_bank_csp::FilterBankCspParams;
use crate::spatial_filter::spoc::SpocParams;
use crate::window::{Value, View};

/// A pipeline of these steps, each with its parameters as TOML.
pub(super) fn pipeline(steps: &[(&str, &str)]) -> Result<Pipeline, String> {
    let step =
        |(step, parameters): &(&str, &str)| format!("[[steps]]\nstep = \"{step}\"\n{parameters}\n");
    let steps: String = steps.iter().map(step).collect();
    Pipeline::from_toml(&format!("name = \"a\"\n{steps}")).map_err(|e| e.to_string())
}

/// The first transform of a pipeline, fitted.
pub(super) fn first_transform(pipeline: &Pipeline, examples: &Examples) -> FittedTransform {
    let fitted = pipeline.fit(examples).unwrap_or_else(|e| panic!("{}: {e}", pipeline.to_toml()));
    let json = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<crate::pipeline::FittedPipeline>(&json).unwrap(), fitted);
    fitted.members[0].transforms[0].clone()
}

/// What it makes of each example.
pub(super) fn outputs(fitted: &FittedTransform, training: &Training<'_>) -> Vec<Value> {
    let (mut runtime, shape) = fitted.plan(training.views[0].shape()).unwrap();
    let mut value = |view: &View<'_>| {
        let value = runtime.apply(*view).to_value();
        assert_eq!(value.view().shape(), shape);
        value
    };
    training.views.iter().map(&mut value).collect()
}

const BANK: (&str, &str) = ("filter_bank", "bands_hz = [[4, 12], [12, 24], [24, 40]]");

#[test]
fn a_bank_of_patterns_is_the_librarys() {
    assert_eq!(RATE_HZ, 125, "there is room for the bands");
    let cases = [
        ("", FilterBankCspParams::default()),
        (
            "n_per_end = 1\nn_selected = 1\nregularisation = { shrunk = { shrinkage = 0.1 } }",
            FilterBankCspParams {
                n_per_end: 1,
                n_selected: 1,
                regularisation: CspRegularisation::Shrunk { shrinkage: 0.1 },
            },
        ),
    ];
    for (parameters, params) in cases {
        let pipeline = pipeline(&[BANK, ("covariance", ""), ("fbcsp", parameters), ("lda", "")]);
        let pipeline = pipeline.unwrap();
        let examples = examples(std::slice::from_ref(&pipeline), 3, 24);
        let training = Training::of(&pipeline, &examples);
        let matrices: Vec<_> = (0..3).map(|band| training.matrices(band)).collect();
        let bands: Vec<_> = matrices.iter().map(Vec::as_slice).collect();
        let expected = params.fit(&bands, &training.labels, 3).unwrap();
        let mut runtime = expected.plan();
        let mut features = vec![0.0; expected.n_filters()];
        let fitted = first_transform(&pipeline, &examples);
        for (j, found) in outputs(&fitted, &training).into_iter().enumerate() {
            let of_window: Vec<_> = matrices.iter().map(|band| band[j].as_ref()).collect();
            runtime.features_into(&of_window, &mut features);
            assert_eq!(found, Value::Vector(features.clone()), "{parameters}");
        }
    }
}

#[test]
fn patterns_that_nothing_is_kept_of_are_refused() {
    let refused = |parameters| pipeline(&[("covariance", ""), ("fbcsp", parameters), ("lda", "")]);
    let error = refused("n_selected = 0").unwrap_err();
    assert!(error.contains("`fbcsp`: n_selected: at least one is kept"), "{error}");
    let error = refused("n_per_end = 0").unwrap_err();
    assert!(error.contains("`fbcsp`: n_per_end: at least one is fitted"), "{error}");
    let error = refused("n_select = 3").unwrap_err();
    assert!(error.contains("did you mean `n_selected`?"), "{error}");
    let error = pipeline(&[("covariance", ""), ("fbscp", ""), ("lda", "")]).unwrap_err();
    assert!(error.contains("did you mean `fbcsp`?"), "{error}");
    let shrunk = "regularisation = { shrunk = { shrinkage = 2.0 } }";
    let pipeline = refused(shrunk).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), 2, 12);
    let error = pipeline.fit(&examples).unwrap_err();
    assert!(matches!(error, FitError::BadParameter { name: "shrinkage", .. }), "{error}");
}

/// The filters of both bands of a fitted step.
fn filters_of(step: (&str, &str), n_classes: usize) -> (Vec<crate::matrix::Matrix>, Examples) {
    let bank = ("filter_bank", "bands_hz = [[4, 12], [12, 24]]");
    let pipeline = pipeline(&[bank, ("covariance", ""), step, ("lda", "")]).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), n_classes, 24);
    let FittedTransform::Csp { bands } = first_transform(&pipeline, &examples) else {
        panic!("spatial filters")
    };
    (bands.into_iter().map(|band| band.filters).collect(), examples)
}

/// The examples of a pipeline with two bands of covariances, as they were made for it.
fn training(examples: &Examples) -> Training<'_> {
    let bank = ("filter_bank", "bands_hz = [[4, 12], [12, 24]]");
    let pipeline = pipeline(&[bank, ("covariance", ""), ("csp", ""), ("lda", "")]).unwrap();
    Training::of(&pipeline, examples)
}

#[test]
fn comodulated_sources_are_the_librarys() {
    let (found, examples) = filters_of(("spoc", "targets = [0, 1, 3]\nn_filters = 2"), 3);
    let training = training(&examples);
    let targets: Vec<_> = training.labels.iter().map(|l| [0.0, 1.0, 3.0][l.index()]).collect();
    let params = SpocParams { n_filters: 2 };
    let expected = |band| params.fit(&training.matrices(band), &targets).unwrap().filters;
    assert_eq!(found, [expected(0), expected(1)]);
}

#[test]
fn regularised_patterns_are_the_librarys() {
    let tikhonov = "filters = { tikhonov = { n_per_end = 2, alpha = 0.5 } }";
    let loaded =
        "filters = { ends = { n_per_end = 1 } }\nregularisation = { oas = { n_samples = 62 } }";
    let cases = [
        (tikhonov, CspFilters::Tikhonov { n_per_end: 2, alpha: 0.5 }, CspRegularisation::None),
        (loaded, CspFilters::Ends { n_per_end: 1 }, CspRegularisation::Oas { n_samples: 62 }),
    ];
    for (parameters, filters, regularisation) in cases {
        let (found, examples) = filters_of(("csp", parameters), 2);
        let training = training(&examples);
        let params = CspParams { filters, regularisation };
        let fit = |band| params.fit(&training.matrices(band), &training.labels, 2);
        assert_eq!(found, [0, 1].map(|band| fit(band).unwrap().filters), "{parameters}");
    }
}

#[test]
fn targets_that_say_nothing_are_refused() {
    let read = |parameters| pipeline(&[("covariance", ""), ("spoc", parameters), ("lda", "")]);
    for (parameters, expected) in [
        ("", "missing field `targets`"),
        ("targets = [1, 1]", "two of them different"),
        ("targets = []", "two of them different"),
        ("targets = [0, inf]", "name a finite number for each class"),
        ("targets = [0, 1]\nn_filters = 0", "n_filters: at least one is needed"),
        ("target = [0, 1]", "did you mean `targets`?"),
    ] {
        let error = read(parameters).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let pipeline = read("targets = [0, 1]").unwrap();
    let error = pipeline.fit(&examples(std::slice::from_ref(&pipeline), 3, 24)).unwrap_err();
    assert!(matches!(error, FitError::Shape { expected: 3, found: 2, .. }), "{error}");
}
