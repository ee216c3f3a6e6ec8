use super::*;
use crate::decoder::{Examples, Fit as _};
use crate::pipeline::Pipeline;
use crate::pipeline::runtime::Panel;
use crate::pipeline::tests::examples;
use acquisition::montage::TEN_TEN;

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

#[test]
fn every_electrode_has_a_twin_on_the_other_side() {
    let labels = owned(&TEN_TEN);
    let exchange = exchange(&labels).unwrap();
    for (k, twin) in exchange.iter().enumerate() {
        assert_eq!(exchange[*twin], k, "{}", labels[k]);
        assert_eq!(labels[k].ends_with('z'), *twin == k, "{}", labels[k]);
    }
    let of = |label: &str| {
        let at = TEN_TEN.iter().position(|known| *known == label).unwrap();
        TEN_TEN[exchange[at]]
    };
    assert_eq!(
        ["C3", "FC6", "Fp1", "O2", "T9", "PO7"].map(of),
        ["C4", "FC5", "Fp2", "O1", "T10", "PO8"]
    );
}

#[test]
fn a_channel_without_a_twin_is_named() {
    assert_eq!(exchange(&owned(&["C3", "Cz"])), Err("C3"));
    assert_eq!(exchange(&owned(&["C3", "C4", "MEG0111"])), Err("MEG0111"));
}

#[test]
fn the_blocks_of_delayed_channels_are_mirrored_each() {
    // (C3, C4), and the same delayed.
    let matrix = Mat::from_fn(4, 4, |i, j| (10 * i.min(j) + i.max(j)) as f64);
    let twin = exchanged(&matrix, &[1, 0]);
    assert_eq!(twin[(0, 3)], matrix[(1, 2)]);
    assert_eq!(twin[(2, 2)], matrix[(3, 3)]);
    assert_eq!(exchanged(&twin, &[1, 0]), matrix);
}

fn pipeline(mirror: &str) -> Pipeline {
    let text = format!(
        "name = \"m\"\n[[steps]]\nstep = \"covariance\"\n{mirror}\
         [[steps]]\nstep = \"tangent_space\"\n[[steps]]\nstep = \"logistic_regression\"\n"
    );
    Pipeline::from_toml(&text).unwrap()
}

/// Examples of four channels (C3, C4, Cz, Fz): idle is loud on the first, the tasks on the
/// second and the third.
fn labelled(pipeline: &Pipeline) -> Examples {
    let mut examples = examples(std::slice::from_ref(pipeline), 3, 30);
    examples.channels = vec![owned(&["C3", "C4", "Cz", "Fz"])];
    examples
}

#[test]
fn a_decoder_fitted_with_twins_decides_on_a_twin_as_on_its_own() {
    let pipeline = pipeline("[[steps]]\nstep = \"mirror\"\n");
    let examples = labelled(&pipeline);
    let fitted = pipeline.fit(&examples).unwrap();
    let training = Training::of(&pipeline, &examples);
    let twins = Mirror::default().twins(&training).unwrap();
    assert_eq!(twins.values.len(), training.views.len());
    let shape = [training.views[0].shape()];
    let mut panel = Panel::plan(&fitted.members, &shape, None, 3).unwrap();
    let mut decide = |view| {
        let mut posterior = vec![0.0; 3];
        panel.posterior_into(|_| Some(view), &mut posterior);
        posterior
    };
    for (j, twin) in twins.values.iter().enumerate() {
        let (own, mirrored) = (decide(training.views[j]), decide(twin.view()));
        let expected = [mirrored[0], mirrored[2], mirrored[1]];
        for (a, b) in own.iter().zip(expected) {
            // As far as the regression converges.
            assert!((a - b).abs() < 1e-6, "{own:?} {mirrored:?}");
        }
    }
}

#[test]
fn where_there_are_no_twins_nothing_changes_or_it_is_said() {
    let lenient = pipeline("[[steps]]\nstep = \"mirror\"\nabsent = \"leave_out\"\n");
    let mut examples = labelled(&lenient);
    examples.channels = vec![owned(&["C3", "C4", "Cz", "P3"])];
    let (with, without) = (lenient.fit(&examples).unwrap(), pipeline("").fit(&examples).unwrap());
    assert_eq!(with.members, without.members);
    let strict = pipeline("[[steps]]\nstep = \"mirror\"\n");
    let error = strict.fit(&examples).unwrap_err();
    assert_eq!(error, FitError::NoTwin { label: "P3".into() });
    examples.channels.clear();
    assert_eq!(strict.fit(&examples).unwrap_err(), FitError::NoTwin { label: String::new() });
}

#[test]
fn a_class_whose_partner_is_absent_has_no_twins() {
    let pipeline = pipeline("[[steps]]\nstep = \"mirror\"\nclasses = [[2, 3]]\n");
    let examples = labelled(&pipeline);
    let training = Training::of(&pipeline, &examples);
    let mirror = Mirror { classes: vec![[2, 3]], ..Mirror::default() };
    let labels = mirror.twins(&training).unwrap().labels;
    let expected: Vec<_> =
        training.labels.iter().copied().filter(|label| label.index() < 2).collect();
    assert_eq!(labels, expected);
}

#[test]
fn it_stands_right_after_the_feature() {
    let text = "name = \"m\"\n[[steps]]\nstep = \"covariance\"\n[[steps]]\nstep = \"recenter\"\n\
                [[steps]]\nstep = \"mirror\"\n[[steps]]\nstep = \"mdm\"\n";
    let error = Pipeline::from_toml(text).unwrap_err().to_string();
    assert!(
        error.contains("step 3 `mirror`") && error.contains("needs the channels as they are"),
        "{error}"
    );
    let twice = "name = \"m\"\n[[steps]]\nstep = \"covariance\"\n[[steps]]\nstep = \"mirror\"\n\
                 classes = [[1, 2], [2, 3]]\n[[steps]]\nstep = \"mdm\"\n";
    let error = Pipeline::from_toml(twice).unwrap_err().to_string();
    assert!(error.contains("class 2 is named twice"), "{error}");
}

#[test]
fn every_third_example_is_kept() {
    let thinned = pipeline("[[steps]]\nstep = \"thin\"\n[[steps]]\nstep = \"mirror\"\n");
    let mut examples = labelled(&thinned);
    let fitted = thinned.fit(&examples).unwrap();
    let mut n = 0;
    examples.features.retain(|_| {
        n += 1;
        n % 3 == 1
    });
    examples.labels = examples.labels.iter().step_by(3).copied().collect();
    examples.spans = examples.spans.iter().step_by(3).cloned().collect();
    let all = pipeline("[[steps]]\nstep = \"mirror\"\n");
    assert_eq!(all.fit(&examples).unwrap().members, fitted.members);
    let none = "name = \"m\"\n[[steps]]\nstep = \"covariance\"\n[[steps]]\nstep = \"thin\"\n\
                every = 0\n[[steps]]\nstep = \"mdm\"\n";
    let error = Pipeline::from_toml(none).unwrap_err().to_string();
    assert!(error.contains("every: at least every 1st is kept"), "{error}");
}
