use super::*;
use crate::decoder::Fit as _;
use crate::pipeline::tests::examples;

/// A choice of C, given as TOML.
fn pipeline(choose: &str) -> Result<Pipeline, String> {
    let text = format!(
        "name = \"chosen\"\n[[steps]]\nstep = \"log_variance\"\n\
         [[steps]]\nstep = \"logistic_regression\"\n{choose}"
    );
    Pipeline::from_toml(&text).map_err(|e| e.to_string())
}

const BY_C: &str = "[choose]\nsplits = 2\n[[choose.parameters]]\n\
                    step = \"logistic_regression\"\nparameter = \"c\"\nvalues = [1e-9, 0.1, 10]\n";

#[test]
fn a_choice_is_read_as_it_was_written() {
    let pipeline = pipeline(BY_C).unwrap();
    assert_eq!(pipeline.candidates().unwrap().len(), 3);
    assert_eq!(Pipeline::from_toml(&pipeline.to_toml()), Ok(pipeline));
}

#[test]
fn the_best_candidate_is_fitted_to_all_examples() {
    let pipeline = pipeline(BY_C).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), 2, 40);
    let fitted = pipeline.fit(&examples).unwrap();
    let scores: Vec<_> = fitted.candidates().iter().map(|c| c.nmcc.unwrap()).collect();
    // A regression that may hardly use its features is worse than one that may.
    assert!(scores[0] < 0.9 && scores[1] > 0.9, "{scores:?}");
    let best = if scores[2] > scores[1] { 2 } else { 1 };
    let plain = pipeline.candidates().unwrap().swap_remove(best).pipeline;
    assert_eq!(fitted.pipeline(), &plain);
    let mut alone = plain.fit(&examples).unwrap();
    alone.candidates = fitted.candidates.clone();
    assert_eq!(alone, fitted);
}

#[test]
fn no_inner_split_fits_to_what_it_scores_or_to_the_future() {
    let pipeline = pipeline(BY_C).unwrap();
    let examples = examples(std::slice::from_ref(&pipeline), 2, 40);
    let training = Training::of(&pipeline, &examples);
    let splits = inner_splits(&training, 3);
    assert_eq!(splits.len(), 3);
    for split in splits {
        assert!(!split.fit.is_empty() && !split.score.is_empty());
        for j in split.fit {
            let before = &training.spans[j].samples;
            for k in split.score.clone() {
                assert!(before.end <= training.spans[k].samples.start, "{j} {k}");
            }
        }
    }
}

#[test]
fn what_can_not_be_chosen_is_said_with_the_nearest() {
    let choice = |step: &str, parameter: &str, values: &str| {
        let text = format!(
            "[choose]\n[[choose.parameters]]\nstep = \"{step}\"\nparameter = \"{parameter}\"\nvalues = [{values}]\n"
        );
        pipeline(&text).unwrap_err()
    };
    let error = choice("logistic_regresion", "c", "1");
    assert!(
        error.starts_with("line 6: choice 1: ")
            && error.contains("did you mean `logistic_regression`?"),
        "{error}"
    );
    let error = choice("logistic_regression", "cc", "1");
    assert!(error.contains("has no parameter \"cc\": did you mean `c`?"), "{error}");
    assert!(choice("logistic_regression", "c", "").contains("at least one value"));
    assert!(choice("logistic_regression", "c", "0").contains("not a positive number"));
    assert!(choice("logistic_regression", "c", "\"much\"").contains("invalid type"));
}

#[test]
fn a_calibration_too_short_for_a_split_is_refused() {
    let pipeline = pipeline(BY_C).unwrap();
    let mut examples = examples(std::slice::from_ref(&pipeline), 2, 40);
    // Class after class: no split in time has both on both sides.
    examples.labels.sort_by_key(|label| label.index());
    let error = pipeline.fit(&examples).unwrap_err();
    assert_eq!(error, FitError::NoInnerSplit { n_splits: 2 });
}

/// Two lists that vote, and what is chosen of them.
fn vote(choose: &str) -> Result<Pipeline, String> {
    let list = |feature: &str| {
        format!(
            "[[vote]]\n[[vote.steps]]\nstep = \"{feature}\"\n\
             [[vote.steps]]\nstep = \"logistic_regression\"\n"
        )
    };
    let text = format!("name = \"v\"\n{}{}{choose}", list("log_variance"), list("time_domain"));
    Pipeline::from_toml(&text).map_err(|e| e.to_string())
}

#[test]
fn what_is_chosen_in_a_vote_is_the_same_in_every_list() {
    let pipeline = vote(BY_C).unwrap();
    assert_eq!(Pipeline::from_toml(&pipeline.to_toml()), Ok(pipeline.clone()));
    let candidates = pipeline.candidates().unwrap();
    let expected = [1e-9, 0.1, 10.0];
    for (candidate, c) in candidates.iter().zip(expected) {
        for member in candidate.pipeline.members() {
            let table = toml::Table::try_from(&member.steps[1]).unwrap();
            assert_eq!(table["c"].as_float(), Some(c));
        }
    }
    let examples = examples(std::slice::from_ref(&pipeline), 2, 40);
    let fitted = pipeline.fit(&examples).unwrap();
    assert_eq!((fitted.members.len(), fitted.candidates().len()), (2, 3));
    assert!(fitted.pipeline().choose.is_none() && fitted.pipeline() != &candidates[0].pipeline);
    let error = vote(&BY_C.replace("\"logistic_regression\"", "\"logvariance\"")).unwrap_err();
    assert!(error.contains("no step \"logvariance\": did you mean `log_variance`?"), "{error}");
}

#[test]
fn the_weight_of_idle_that_scores_best_is_kept() {
    let weights = "[choose]\nidle_weights = [1e-9, 1.0, 1e9]\n";
    for pipeline in [vote(weights).unwrap(), pipeline(weights).unwrap()] {
        let examples = examples(std::slice::from_ref(&pipeline), 2, 40);
        let fitted = pipeline.fit(&examples).unwrap();
        // Always the same class is chance.
        let scores: Vec<_> = fitted.candidates().iter().map(|c| c.nmcc.unwrap()).collect();
        assert!(scores[0] < 0.6 && scores[1] > 0.9 && scores[2] < 0.6, "{scores:?}");
        assert_eq!(fitted.candidates()[2].values, [toml::Value::Float(1e9)]);
        let plain = Pipeline { idle_weight: Some(1.0), choose: None, ..pipeline };
        assert_eq!(fitted.pipeline(), &plain);
        assert_eq!(fitted.members, plain.fit(&examples).unwrap().members);
    }
}

#[test]
fn a_weight_of_idle_is_a_positive_number() {
    let error = pipeline("[choose]\nidle_weights = [0.5, 0]\n").unwrap_err();
    assert!(error.contains("an idle_weight of 0 is not a positive number"), "{error}");
    assert!(pipeline("[choose]\n").unwrap_err().contains("a parameter or idle_weights"));
    let of = |value: &str| {
        Pipeline::from_toml(&format!("idle_weight = {value}\n{}", vote("").unwrap().to_toml()))
    };
    assert_eq!(of("0.5").unwrap().idle_weight, Some(0.5));
    assert!(of("\"much\"").unwrap_err().to_string().contains("a number: idle_weight = 0.7"));
    assert!(of("-1").unwrap_err().to_string().contains("-1 is not a positive number"));
}

#[test]
fn a_weight_moves_the_posterior_and_keeps_its_sum() {
    let mut posterior = [0.5, 0.3, 0.2];
    weigh_idle(1.0, &mut posterior);
    assert_eq!(posterior, [0.5, 0.3, 0.2]);
    weigh_idle(0.5, &mut posterior);
    for (p, expected) in posterior.iter().zip([1.0 / 3.0, 0.4, 0.8 / 3.0]) {
        assert!((p - expected).abs() < 1e-15, "{posterior:?}");
    }
}
