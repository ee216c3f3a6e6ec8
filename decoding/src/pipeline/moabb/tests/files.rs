//! The step lists of all of MOABB's own pipeline files that are no neural networks, as they
//! stand in its repository.

use super::*;

type Line = (&'static str, &'static str, &'static str);

const COV: Line = ("Covariances", "pyriemann.estimation", "estimator: oas");
const CSP: Line = ("CSP", "pyriemann.spatialfilters", "nfilter: 6");
const TANGENT: Line = ("TangentSpace", "pyriemann.tangentspace", "metric: \"riemann\"");
const MDM: Line = ("MDM", "pyriemann.classification", "metric: \"riemann\"");
const LINEAR: Line = ("SVC", "sklearn.svm", "kernel: \"linear\"");
const LOGVAR: Line = ("LogVariance", "moabb.pipelines.features", "");
const EXTENDED: Line = ("ExtendedSSVEPSignal", "moabb.pipelines", "");
const LDA: &str = "sklearn.discriminant_analysis";
const XDAWN: Line =
    ("XdawnCovariances", "pyriemann.estimation", "estimator: oas; xdawn_estimator: scm");
const GRID: &str = "param_grid:\n  svc__C:\n    - 0.5\n    - 1\n    - 1.5\n  svc__kernel:\n    - \"rbf\"\n    - \"linear\"\n";

/// What becomes of a file: lines of ours with the number of candidates, or what is said.
enum Becomes {
    Ours(&'static [&'static str], usize),
    Refused(&'static str),
}

use Becomes::{Ours, Refused};

/// A file's name, its steps, its grid, and what becomes of it.
type File = (&'static str, &'static [Line], &'static str, Becomes);

const AUGMENTED: &str = "param_grid:\n  augmenteddataset__order: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  augmenteddataset__lag: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  svc__C: [0.5, 1, 1.5]\n  svc__kernel: [\"rbf\", \"linear\"]\n";

const IMAGERY: [File; 12] = [
    (
        "AUG_TANG_SVM_grid",
        &[
            ("AugmentedDataset", "moabb.pipelines.features", ""),
            ("Covariances", "pyriemann.estimation", "estimator: \"cov\""),
            TANGENT,
            ("SVC", "sklearn.svm", "kernel: \"rbf\""),
        ],
        AUGMENTED,
        Ours(&["step = \"augmented_covariance\"", "estimator = \"scm\""], 600),
    ),
    (
        "CSP",
        &[COV, CSP, ("LinearDiscriminantAnalysis", LDA, "solver: svd")],
        "",
        Ours(
            &[
                "estimator = \"oas\"",
                "filters.farthest_or_joint]\nn_filters = 6",
                "shrinkage = \"none\"",
            ],
            1,
        ),
    ),
    (
        "CSP_SVM_grid",
        &[COV, CSP, LINEAR],
        "param_grid:\n  csp__nfilter: [2, 3, 4, 5, 6, 7, 8]\n  svc__C: [0.5, 1, 1.5]\n  svc__kernel: [\"rbf\", \"linear\"]\n",
        Ours(&["step = \"csp\"", "kernel = \"linear\""], 42),
    ),
    (
        "EN_grid",
        &[
            COV,
            TANGENT,
            (
                "LogisticRegression",
                "sklearn.linear_model",
                "penalty: \"elasticnet\"; l1_ratio: 0.70; intercept_scaling: 1000.0; solver: \"saga\"; max_iter: 1000",
            ),
        ],
        "param_grid:\n  logisticregression__l1_ratio: [0.20, 0.30, 0.45, 0.65, 0.75]\n",
        Ours(&["penalty = \"elastic_net\"", "l1_ratio = 0.7"], 5),
    ),
    (
        "FgMDM",
        &[COV, ("FgMDM", "pyriemann.classification", "metric: \"riemann\"")],
        "",
        Ours(&["step = \"fgmdm\"\nmetric = \"affine_invariant\""], 1),
    ),
    (
        "LogVar",
        &[LOGVAR, ("LinearDiscriminantAnalysis", LDA, "solver: svd")],
        "",
        Ours(&["step = \"log_variance\"", "shrinkage = \"none\""], 1),
    ),
    (
        "LogVar_grid",
        &[LOGVAR, LINEAR],
        "param_grid:\n  svc__C: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100]\n",
        Ours(&["step = \"svm\"\nkernel = \"linear\""], 9),
    ),
    ("MDM", &[COV, MDM], "", Ours(&["step = \"mdm\"\nmetric = \"affine_invariant\""], 1)),
    (
        "TSLR",
        &[COV, TANGENT, ("LogisticRegression", "sklearn.linear_model", "C: 1.0")],
        "",
        Ours(&["step = \"logistic_regression\"\npenalty = \"l2\"\nc = 1.0"], 1),
    ),
    ("TSSVM_grid", &[COV, TANGENT, LINEAR], GRID, Ours(&["step = \"tangent_space\""], 6)),
    (
        "regCSP+shLDA",
        &[COV, CSP, ("LinearDiscriminantAnalysis", LDA, "solver: lsqr; shrinkage: auto")],
        "",
        Ours(&["n_filters = 6", "shrinkage = \"auto\""], 1),
    ),
    // No file, but what `WTRCSP.py` is made of.
    (
        "WTRCSP",
        &[
            COV,
            ("TRCSP", "moabb.pipelines.csp", "nfilter: 6; alpha: 0.5"),
            ("LinearDiscriminantAnalysis", LDA, ""),
        ],
        "",
        Ours(&["filters.tikhonov]\nn_per_end = 3\nalpha = 0.5"], 1),
    ),
];

const PLAIN_SVM: Line = ("SVC", "sklearn.svm", "");

const RESPONSES: [File; 10] = [
    (
        "ERPCov_MDM",
        &[
            ("ERPCovariances", "pyriemann.estimation", "estimator: oas"),
            ("MDM", "pyriemann.classification", ""),
        ],
        "",
        Ours(&["step = \"samples\"", "prototypes = \"means\"", "estimator = \"oas\""], 1),
    ),
    (
        "XdawnCov_MDM",
        &[XDAWN, ("MDM", "pyriemann.classification", "")],
        "",
        Ours(&["prototypes = \"xdawn\"", "n_filters = 4", "filter_estimator = \"scm\""], 1),
    ),
    (
        "XdawnCov_TS_SVM",
        &[XDAWN, ("TangentSpace", "pyriemann.tangentspace", ""), PLAIN_SVM],
        "param_grid:\n  svc__C: [0.1, 1.0, 10]\n  svc__kernel: [\"rbf\", \"linear\"]\n",
        Ours(&["step = \"svm\"\nkernel = \"rbf\""], 6),
    ),
    (
        "xDAWN_LDA",
        &[
            ("Xdawn", "pyriemann.spatialfilters", "estimator: oas"),
            ("Vectorizer", "mne.decoding", ""),
            ("LinearDiscriminantAnalysis", LDA, ""),
        ],
        "",
        Ours(
            &[
                "step = \"xdawn\"\nn_filters = 4\nestimator = \"oas\"",
                "step = \"vectorise\"",
                "shrinkage = \"none\"",
            ],
            1,
        ),
    ),
    (
        "CCA-SSVEP",
        &[(
            "SSVEP_CCA",
            "moabb.pipelines.classification",
            "n_harmonics: 3; interval: [2, 4]; freqs: {\"13\": 2, \"17\": 3, \"21\": 4}",
        )],
        "",
        Refused(
            "step 1, SSVEP_CCA of moabb.pipelines.classification, is no step here: the frequencies are the data set",
        ),
    ),
    (
        "MsetCCA-SSVEP",
        &[("SSVEP_MsetCCA", "moabb.pipelines.classification", "freqs: {\"13\": 2}")],
        "",
        Refused("step 1, SSVEP_MsetCCA"),
    ),
    (
        "TRCA-SSVEP",
        &[(
            "SSVEP_TRCA",
            "moabb.pipelines.classification",
            "interval: [2, 4]; freqs: {\"13\": 2, \"17\": 3, \"21\": 4}",
        )],
        "",
        Refused("its filter bank runs backwards in time as well"),
    ),
    (
        "MDM-SSVEP",
        &[EXTENDED, COV, MDM],
        "",
        Refused(
            "step 1, ExtendedSSVEPSignal of moabb.pipelines, is no step here: its bands are the paradigm's",
        ),
    ),
    (
        "TSLR-SSVEP",
        &[EXTENDED, COV, TANGENT, ("LogisticRegression", "sklearn.linear_model", "C: 1.0")],
        "",
        Refused("bands = \"stacked\""),
    ),
    ("TSSVM-SSVEP", &[EXTENDED, COV, TANGENT, LINEAR], "", Refused("step 1, ExtendedSSVEPSignal")),
];

fn read(steps: &[Line], grid: &str) -> Result<Pipeline, MoabbError> {
    let steps: String = steps.iter().map(|(name, from, p)| step(name, from, p)).collect();
    Pipeline::from_moabb(&file(&steps, grid))
}

fn check(name: &str, steps: &[Line], grid: &str, becomes: &Becomes) {
    match (read(steps, grid), becomes) {
        (Ok(pipeline), Ours(lines, n_candidates)) => {
            let text = pipeline.to_toml();
            for line in *lines {
                assert!(text.contains(line), "{name}: {line}\n{text}");
            }
            assert_eq!(pipeline.candidates().unwrap().len(), *n_candidates, "{name}");
            // The filter is the paradigm's; nothing else is added but the samples.
            let n_added = 1 + usize::from(text.contains("step = \"samples\""));
            let n_joined = usize::from(text.contains("augmented"));
            assert_eq!(pipeline.steps.len(), n_added + steps.len() - n_joined, "{name}");
            assert_eq!(Pipeline::from_toml(&text), Ok(pipeline), "{name}");
        }
        (Err(error), Refused(said)) => {
            assert!(error.to_string().contains(said), "{name}: {error}");
        }
        (Ok(pipeline), Refused(_)) => panic!("{name} was read:\n{}", pipeline.to_toml()),
        (Err(error), Ours(..)) => panic!("{name}: {error}"),
    }
}

#[test]
fn files_of_imagery() {
    for (name, steps, grid, becomes) in &IMAGERY {
        check(name, steps, grid, becomes);
    }
}

#[test]
fn files_of_responses() {
    for (name, steps, grid, becomes) in &RESPONSES {
        check(name, steps, grid, becomes);
    }
}
