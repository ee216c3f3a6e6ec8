//! Pipelines that, beside the built-in ones, use every step there is: what must hold for
//! any pipeline is tested with these.

use acquisition::time::SampleRate;
use decoding::front_end::FrontEndSpec;
use decoding::pipeline::policy::DecisionPolicy;
use decoding::pipeline::step::Step;
use decoding::pipeline::{Pipeline, built_in};
use std::collections::BTreeSet;

/// A pipeline's name, and its steps, each with its parameters as TOML.
type Example = (&'static str, &'static [(&'static str, &'static str)]);

const BANDS: &str = "bands_hz = [[8, 12], [12, 20], [20, 30]]";

/// For streams whose channels are called by the 10-10 system, C3, Cz, C4 and FC3 among
/// them.
const EXAMPLES: [Example; 21] = [
    ("cca+largest", &[("band_pass", ""), ("cca", "frequencies_hz = [10, 12.5]"), ("largest", "")]),
    (
        "notch+reference+knn",
        &[
            ("notch", "line_hz = 30"),
            ("reference", "channels = [\"C3\", \"Cz\"]"),
            ("band_pass", "family = \"chebyshev2\""),
            ("covariance", ""),
            ("knn", ""),
        ],
    ),
    (
        "laplacian+pick+mean_field",
        &[
            ("laplacian", ""),
            ("pick", "channels = [\"C3\", \"C4\", \"Fz\"]\nabsent = \"leave_out\""),
            ("band_pass", ""),
            ("covariance", "estimator = \"ledoit_wolf\""),
            ("mean_field", ""),
        ],
    ),
    ("erp+ts+lr", &[("samples", ""), ("erp_covariance", "n_filters = 2"), TANGENT, REGRESSION]),
    (
        "recenter+fgda+select",
        &[
            ("band_pass", ""),
            ("covariance", ""),
            ("recenter", ""),
            ("fgda", ""),
            TANGENT,
            ("standardise", ""),
            ("select", "k = 5"),
            LDA,
        ],
    ),
    (
        "pli+lda",
        &[
            ("band_pass", ""),
            ("connectivity", "measure = \"phase_lag\"\nsummary = \"pairs\""),
            ("select", "k = 9"),
            LDA,
        ],
    ),
    ("dpli+lda", &[("connectivity", "measure = \"directed_phase_lag\""), LDA]),
    (
        "edges+lda",
        &[
            ("high_pass", "edge_hz = 2"),
            ("low_pass", "edge_hz = 35\nfamily = \"chebyshev2\""),
            ("band_stop", "low_hz = 24\nhigh_hz = 28"),
            ("log_variance", ""),
            LDA,
        ],
    ),
    (
        "fir+comb+spoc",
        &[
            ("comb", "line_hz = 4"),
            ("fir", "low_hz = 8\nhigh_hz = 30\nphase = \"minimum\""),
            ("covariance", ""),
            ("spoc", "targets = [0, 1, 2]"),
            LDA,
        ],
    ),
    (
        "interpolate+csd+csp",
        &[
            ("interpolate", "channels = [\"Cz\"]"),
            ("current_source_density", ""),
            ("fir", "high_hz = 30\nn_taps = 31\ntaper = \"blackman\""),
            ("covariance", ""),
            ("csp", "filters = { tikhonov = { n_per_end = 2, alpha = 0.1 } }"),
            LDA,
        ],
    ),
    (
        "rest+bipolar+lda",
        &[
            ("pick", "channels = [\"C3\", \"Cz\", \"C4\", \"FC3\"]"),
            (
                "rest",
                "channels = [\"C3\", \"Cz\", \"C4\", \"FC3\"]\n\
                 lead_field = [[3, 1, 1], [1, 2, 1], [1, 1, 3], [2, 1, 0]]",
            ),
            ("bipolar", "pairs = [[\"C3\", \"Cz\"], [\"C4\", \"Cz\"]]"),
            ("band_pass", ""),
            ("log_variance", ""),
            LDA,
        ],
    ),
    (
        "xdawn+lda",
        &[
            ("samples", ""),
            ("xdawn", "n_filters = 1"),
            ("vectorise", ""),
            ("select", "k = 20"),
            ("lda", "shrinkage = \"none\""),
        ],
    ),
    ("stacked+mdm", &[("filter_bank", BANDS), ("covariance", "bands = \"stacked\""), ("mdm", "")]),
    (
        "time+lda",
        &[
            ("filter_bank", BANDS),
            (
                "time_domain",
                "measures = [\"log_variance\", \"activity\", \"mobility\", \"complexity\", \"line_length\"]",
            ),
            LDA,
        ],
    ),
    ("entropy+lda", &[("spectral_entropy", "bands_hz = [[4, 30], [8, 16]]"), LDA]),
    ("burg+lda", &[("band_pass", ""), ("band_power", "method = \"burg\""), LDA]),
    (
        "multitaper+lda",
        &[("band_power", "method = \"multitaper\"\nbandwidth_hz = 3\nscale = \"linear\""), LDA],
    ),
    (
        "fbcca+lr",
        &[
            ("filter_bank", "bands_hz = [[6, 40], [12, 40]]"),
            ("cca", "frequencies_hz = [8, 10, 12]"),
            REGRESSION,
        ],
    ),
    ("cca+lda", &[("band_pass", ""), ("cca", "frequencies_hz = [10, 15]\nn_harmonics = 2"), LDA]),
    ("trca+lr", &[("filter_bank", BANDS), ("samples", ""), ("trca", "splits = 3"), REGRESSION]),
    ("share+lda", &[("band_power", "relative_to_hz = [4, 40]"), LDA]),
];

const TANGENT: (&str, &str) = ("tangent_space", "");
const REGRESSION: (&str, &str) = ("logistic_regression", "");
const LDA: (&str, &str) = ("lda", "");

/// All of them, for streams at `rate` and windows of the default length and step.
///
/// # Panics
/// Where one is no pipeline.
pub fn all(rate: SampleRate) -> Vec<Pipeline> {
    let plain = EXAMPLES.iter().map(|(name, steps)| described(name, steps));
    plain.chain([resampled(rate), deliberate()]).collect()
}

/// With a policy of every kind.
fn deliberate() -> Pipeline {
    let policy = DecisionPolicy { smooth_secs: 0.5, dwell_windows: 2, refractory_secs: 0.7 };
    described("deliberate", &[("log_variance", ""), LDA]).with_decision(Some(policy))
}

/// To half the rate where steps of windows come to whole samples there, to twice elsewhere.
fn resampled(rate: SampleRate) -> Pipeline {
    let step = rate.samples(FrontEndSpec::default().step_secs);
    let rate_hz = if step % 2 == 0 { rate.hz() / 2.0 } else { rate.hz() * 2.0 };
    let rate_hz = format!("rate_hz = {rate_hz:?}");
    let steps = [
        ("low_pass", "edge_hz = 18"),
        ("resample", rate_hz.as_str()),
        ("high_pass", "edge_hz = 6"),
        ("connectivity", "bands_hz = [[6, 12], [12, 18]]"),
        LDA,
    ];
    described("resample+conn", &steps)
}

fn described(name: &str, steps: &[(&str, &str)]) -> Pipeline {
    let step =
        |(step, parameters): &(&str, &str)| format!("[[steps]]\nstep = \"{step}\"\n{parameters}\n");
    let steps: String = steps.iter().map(step).collect();
    Pipeline::from_toml(&format!("name = \"{name}\"\n{steps}"))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The built-in pipelines and these.
pub fn with_built_in(rate: SampleRate) -> Vec<Pipeline> {
    built_in::all().into_iter().chain(all(rate)).collect()
}

/// Steps that learn from the signal or refuse windows, which other things must hold for:
/// `tests/tests/adaptive.rs` says which.
const ELSEWHERE: [&str; 3] = ["asr", "eog_regression", "potato"];

/// The steps that none of `pipelines` has, those aside that are tested elsewhere.
pub fn missing_steps(pipelines: &[Pipeline]) -> BTreeSet<&'static str> {
    let of_pipeline = |pipeline: &Pipeline| {
        let voters = pipeline.vote.iter().flat_map(|voter| &voter.steps);
        pipeline.steps.iter().chain(voters).map(Step::name).collect::<Vec<_>>()
    };
    let used: BTreeSet<_> = pipelines.iter().flat_map(of_pipeline).collect();
    let is_missing = |name: &&str| !used.contains(name) && !ELSEWHERE.contains(name);
    Step::names().filter(is_missing).collect()
}
