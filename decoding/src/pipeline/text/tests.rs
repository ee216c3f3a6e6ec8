use super::*;
use crate::pipeline::built_in;
use crate::pipeline::step::Classifier;
use proptest::prelude::*;

/// What reading `text` says, with the place.
fn refusal(text: &str) -> String {
    Pipeline::from_toml(text).unwrap_err().to_string()
}

#[test]
fn built_in_pipelines_are_read_as_they_were_written() {
    for pipeline in built_in::all() {
        let text = pipeline.to_toml();
        assert_eq!(Pipeline::from_toml(&text).as_ref(), Ok(&pipeline), "{text}");
        // Reading what was written changes no byte either.
        assert_eq!(Pipeline::from_toml(&text).unwrap().to_toml(), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_bit_of_a_number_is_kept(c in 1e-300..1e300_f64, low in 0.1..20.0_f64, high in 21.0..99.0_f64) {
        let text = format!(
            "name = \"a\"\n[[steps]]\nstep = \"filter_bank\"\nbands_hz = [[{low:e}, {high:e}]]\n\
             [[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"logistic_regression\"\nc = {c:e}\n"
        );
        let pipeline = Pipeline::from_toml(&text).unwrap();
        let back = Pipeline::from_toml(&pipeline.to_toml()).unwrap();
        prop_assert_eq!(&back, &pipeline);
        let Some(Step::Classifier(Classifier::LogisticRegression(step))) = back.steps.last() else {
            return Err(TestCaseError::fail("another last step"));
        };
        prop_assert_eq!(step.c.to_bits(), c.to_bits());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Pipeline::from_toml(&text);
        let _ = Pipeline::from_toml(&format!("name = \"a\"\n[[steps]]\nstep = {text}"));
    }
}

#[test]
fn whole_numbers_stand_for_numbers() {
    let pipeline = Pipeline::from_toml(
        "name = \"a\"\n[[steps]]\nstep = \"band_pass\"\nlow_hz = 4\n[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\"",
    )
    .unwrap();
    assert!(pipeline.to_toml().contains("low_hz = 4.0"), "{}", pipeline.to_toml());
}

const HEAD: &str = "name = \"a\"\n\n[[steps]]\nstep = \"covariance\"\n";

#[test]
fn an_unknown_word_names_the_nearest_and_the_line() {
    let cases = [
        (
            format!("{HEAD}\n[[steps]]\nstep = \"tangentspace\""),
            "line 7: no step is called \"tangentspace\": did you mean `tangent_space`?",
        ),
        (
            format!("{HEAD}estimater = \"oas\""),
            "line 5: `covariance` has no parameter \"estimater\": did you mean `estimator`?",
        ),
        (
            format!("{HEAD}[[steps]]\nstep = \"standardise\"\nscale = 1"),
            "line 7: `standardise` has no parameter \"scale\": it has none",
        ),
        (
            format!("nmae = 1\n{HEAD}"),
            "line 1: \"nmae\" is no key of a description: did you mean `name`?",
        ),
        (
            format!("{HEAD}[[steps]]\nstep = \"mdm\"\n[choose]\nsplit = 2"),
            "line 8: \"split\" is no key of a description: did you mean `splits`?",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&text), expected);
    }
}

#[test]
fn values_of_another_kind_are_named_with_their_line() {
    let error = refusal(&format!("{HEAD}estimator = \"oass\""));
    assert!(
        error.starts_with("line 5: `covariance`: estimator: unknown variant `oass`"),
        "{error}"
    );
    let error = refusal("name = \"a\"\n[[steps]]\nstep = \"band_pass\"\nlow_hz = \"eight\"");
    assert!(error.starts_with("line 4: `band_pass`: low_hz: invalid type"), "{error}");
    let error = refusal("name = \"a\"\n[[steps]]\nstep = \"pick\"");
    assert!(error.contains("missing field `channels`"), "{error}");
    let error = refusal(&format!(
        "{HEAD}[[steps]]\nstep = \"tangent_space\"\n[[steps]]\nstep = \"svm\"\nc = -1"
    ));
    assert_eq!(error, "line 7: step 3 `svm`: c: -1 is not a positive number");
}

#[test]
fn what_is_no_description_says_why() {
    assert!(refusal("name = ").starts_with("line 1: "));
    assert!(refusal("").contains("name is missing"));
    assert!(refusal("name = \"a\"").contains("no steps"));
    assert!(refusal("name = \"a\"\nsteps = 3").starts_with("line 2: steps are a list"));
    assert!(refusal("name = 3").starts_with("line 1: the name is a text"));
    assert!(refusal("name = \"a\"\n[[steps]]\nc = 1").starts_with("line 2: a step needs its name"));
    assert!(
        refusal("name = \"a,b\"\n[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\"")
            .contains("can't name a pipeline")
    );
}
