mod files;

use super::*;
use crate::pipeline::built_in;

/// A file in the manner of MOABB's.
fn file(steps: &str, more: &str) -> String {
    format!("name: Tested + Pipeline\nparadigms:\n  - LeftRightImagery\npipeline:\n{steps}{more}")
}

/// One step of a file.
fn step(name: &str, from: &str, parameters: &str) -> String {
    let parameters = match parameters {
        "" => String::new(),
        some => format!("    parameters:\n      {}\n", some.replace("; ", "\n      ")),
    };
    format!("  - name: {name}\n    from: {from}\n{parameters}\n")
}

fn covariances(estimator: &str) -> String {
    step("Covariances", "pyriemann.estimation", &format!("estimator: {estimator}"))
}

#[test]
fn a_reference_pipeline_is_read_as_the_built_in_one() {
    let steps = covariances("oas")
        + &step("TangentSpace", "pyriemann.tangentspace", "metric: 'riemann'")
        + &step("LogisticRegression", "sklearn.linear_model", "C: 1.0");
    let read = Pipeline::from_moabb(&file(&steps, "")).unwrap();
    assert_eq!(read.name, "Tested+Pipeline");
    assert_eq!(read.steps, built_in::ts_lr().steps);
    let steps = covariances("oas") + &step("FgMDM", "pyriemann.classification", "metric: riemann");
    assert_eq!(Pipeline::from_moabb(&file(&steps, "")).unwrap().steps, built_in::fgmdm().steps);
}

#[test]
fn a_grid_becomes_a_choice() {
    let steps = step("AugmentedDataset", "moabb.pipelines.features", "")
        + &covariances("\"cov\"")
        + &step("TangentSpace", "pyriemann.tangentspace", "metric: \"riemann\"")
        + &step("SVC", "sklearn.svm", "kernel: \"rbf\"");
    let grid = "param_grid:\n  augmenteddataset__order:\n    - 1\n    - 2\n  svc__C:\n    - 0.5\n    - 1\n  svc__kernel:\n    - \"rbf\"\n    - \"linear\"\n";
    let read = Pipeline::from_moabb(&file(&steps, grid)).unwrap();
    assert_eq!(read.steps.len(), 4);
    assert_eq!(read.candidates().unwrap().len(), 8);
    let text = read.to_toml();
    assert!(text.contains("step = \"augmented_covariance\"\nparameter = \"order\""), "{text}");
    assert_eq!(Pipeline::from_toml(&text), Ok(read));
    let steps = covariances("oas")
        + &step("CSP", "pyriemann.spatialfilters", "nfilter: 6")
        + &step("SVC", "sklearn.svm", "kernel: linear");
    let grid = "param_grid:\n  csp__nfilter:\n    - 2\n    - 4\n";
    let read = Pipeline::from_moabb(&file(&steps, grid)).unwrap();
    assert_eq!(read.candidates().unwrap().len(), 2);
}

#[test]
fn responses_are_taken_from_samples() {
    let steps =
        step("XdawnCovariances", "pyriemann.estimation", "nfilter: 2; xdawn_estimator: lwf")
            + &step("MDM", "pyriemann.classification", "metric: riemann");
    let text = Pipeline::from_moabb(&file(&steps, "")).unwrap().to_toml();
    for line in [
        "step = \"samples\"",
        "n_filters = 2",
        "filter_estimator = \"ledoit_wolf\"",
        "estimator = \"scm\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_does_not_map_is_named() {
    let refusal =
        |steps: &str, more: &str| Pipeline::from_moabb(&file(steps, more)).unwrap_err().to_string();
    let deep = covariances("oas") + &step("EEGNet", "braindecode.models", "");
    assert_eq!(
        refusal(&deep, ""),
        "step 2, EEGNet of braindecode.models, is no step here: write the pipeline as TOML, of steps that there are"
    );
    assert!(
        refusal(&covariances("mcd"), "")
            .starts_with("step 1, Covariances: estimator: \"mcd\" is none of")
    );
    let plain = covariances("oas")
        + &step("CSP", "pyriemann.spatialfilters", "nfilter: 6")
        + &step("LinearDiscriminantAnalysis", "sklearn.discriminant_analysis", "solver: lsqr");
    let said = refusal(&plain, "");
    assert!(said.contains("solver: without shrinkage only the solver svd"), "{said}");
    let svc = covariances("oas")
        + &step("TangentSpace", "pyriemann.tangentspace", "")
        + &step("SVC", "sklearn.svm", "");
    assert!(refusal(&svc, "param_grid:\n  svc__degree:\n    - 2\n").contains("svc__degree"));
    assert!(refusal(&covariances("oas"), "").contains("the last step `covariance` gives matrices"));
    for text in ["", "name: a", "- 1", "name: [", "pipeline: 3\nname: b", "{"] {
        assert!(Pipeline::from_moabb(text).is_err(), "{text}");
    }
}

#[test]
fn what_a_file_leaves_out_is_as_python_has_it() {
    let augmented = step("AugmentedDataset", "moabb.pipelines.features", "")
        + &covariances("oas")
        + &step("MDM", "pyriemann.classification", "");
    let text = Pipeline::from_moabb(&file(&augmented, "")).unwrap().to_toml();
    assert!(text.contains("order = 1\n") && text.contains("lag = 1\n"), "{text}");
    let csp = covariances("oas")
        + &step("CSP", "pyriemann.spatialfilters", "")
        + &step("SVC", "sklearn.svm", "");
    let text = Pipeline::from_moabb(&file(&csp, "")).unwrap().to_toml();
    assert!(text.contains("n_filters = 4\n"), "{text}");
}

#[test]
fn what_would_change_the_features_is_not_passed_over() {
    let refusal = |classifier: &str| {
        let steps = covariances("oas") + classifier;
        Pipeline::from_moabb(&file(&steps, "")).unwrap_err().to_string()
    };
    let two = step("MDM", "pyriemann.classification", "metric: {mean: logeuclid}");
    assert!(refusal(&two).contains("metric"), "{}", refusal(&two));
    let updated = step("TangentSpace", "pyriemann.tangentspace", "tsupdate: true");
    let updated = updated + &step("SVC", "sklearn.svm", "");
    assert!(refusal(&updated).contains("tsupdate"), "{}", refusal(&updated));
}
