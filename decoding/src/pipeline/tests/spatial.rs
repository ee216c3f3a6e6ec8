//! Spatial filters as steps against the library that they name.

use super::{RATE_HZ, examples};
use crate::decoder::{Examples, Fit as _, FitError};
use crate::pipeline::Pipeline;
use crate::pipeline::fit::Training;
use crate::pipeline::fitted::FittedTransform;
use crate::spatial_filter::csp::CspRegularisation;
use crate::spatial_filter::filter_bank_csp::FilterBankCspParams;
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
