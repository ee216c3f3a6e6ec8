//! Every built-in pipeline on examples that are wrong, and descriptions with impossible
//! parameters.

use super::{Calls, all_nan, is_posterior, noise, rate};
use acquisition::marker::ClassIdx;
use acquisition::signal::{ChannelInfo, StreamInfo};
use acquisition::time::SampleRate;
use decoding::decoder::{ExampleSpan, Examples, Fit as _};
use decoding::front_end::{Completed, FrontEnd, FrontEndSpec};
use decoding::pipeline::{Pipeline, built_in, demands};

/// A sample by channel and index, from the sound one.
type Sample<'a> = &'a dyn Fn(usize, usize, f32) -> f32;

/// Electrodes over both hands, for pipelines that pick some.
const LABELS: [&str; 5] = ["C3", "C1", "Cz", "C2", "C4"];
const N_SECS: usize = 24;

fn stream(rate: SampleRate, n_channels: usize) -> StreamInfo {
    let channels = LABELS[..n_channels].iter().map(|label| ChannelInfo::eeg(*label)).collect();
    StreamInfo {
        name: "noise".into(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate,
        channels,
        simulated: true,
    }
}

fn spec() -> FrontEndSpec {
    FrontEndSpec { window_secs: 1.0, step_secs: 0.5, ..FrontEndSpec::default() }
}

fn plan(pipeline: &Pipeline, n_channels: usize) -> FrontEnd {
    let demands = demands([pipeline]);
    let info = stream(rate(), n_channels);
    FrontEnd::plan(&spec(), &info, (0..n_channels).collect(), demands).expect("a plan")
}

/// Windows of noise; classes take turns and are loud on one channel each. `sample` may
/// change what a channel holds.
fn examples(pipeline: &Pipeline, sample: &dyn Fn(usize, usize, f32) -> f32) -> Examples {
    let mut front_end = plan(pipeline, LABELS.len());
    let mut examples =
        Examples { demands: demands([pipeline]), n_classes: 2, ..Default::default() };
    let n_samples = front_end.spec().window_samples as u64;
    let rate_hz = rate().hz() as usize;
    let noise = noise(11, N_SECS * rate_hz * LABELS.len());
    for (t, values) in noise.chunks_exact(LABELS.len()).enumerate() {
        let class = t / (2 * rate_hz) % 2;
        let loud = |c: usize| if c == class { 3.0 } else { 1.0 };
        let frame: Vec<f32> =
            values.iter().enumerate().map(|(c, x)| sample(c, t, *x as f32 * loud(c))).collect();
        let end = front_end.next();
        if front_end.push_frame(&frame) == Completed::Window {
            examples.labels.push(ClassIdx(class as u8));
            examples.features.push(front_end.window().expect("a window").features.clone());
            let samples = end.0 + 1 - n_samples..end.0 + 1;
            examples.spans.push(ExampleSpan { run: 0, samples });
        }
    }
    examples
}

fn sound(_: usize, _: usize, x: f32) -> f32 {
    x
}

#[test]
fn built_in_pipelines_refuse_what_can_not_be_learned_from() {
    let mut calls = Calls::default();
    for pipeline in built_in::all() {
        let name = &pipeline.name;
        let good = examples(&pipeline, &sound);
        calls.given(format!("{name} learns from sound ones"), || pipeline.fit(&good).is_ok());
        let few = "calibrate longer or leave the class out";
        let one = Examples { labels: vec![ClassIdx(0); good.labels.len()], ..good.clone() };
        calls.refused(format!("{name}, one class"), ["class 1 has 0 examples", few], || {
            pipeline.fit(&one)
        });
        let none = Examples { demands: good.demands.clone(), n_classes: 2, ..Default::default() };
        calls.refused(format!("{name}, nothing"), ["class 0 has 0 examples", few], || {
            pipeline.fit(&none)
        });
        let idle = Examples { n_classes: 1, ..one.clone() };
        calls.refused(format!("{name}, only idle"), ["class 1 has 0 examples", few], || {
            pipeline.fit(&idle)
        });
        let mut far = good.clone();
        far.labels[3] = ClassIdx(5);
        let wanted = ["class 5 is none of the 2", "label examples with classes"];
        calls.refused(format!("{name}, another class"), wanted, || pipeline.fit(&far));
        let mut cut = good.clone();
        cut.labels.pop();
        calls.refused(format!("{name}, a label too few"), ["has size", "one plan"], || {
            pipeline.fit(&cut)
        });
    }
    calls.finish(70);
}

#[test]
fn built_in_pipelines_live_with_poor_channels() {
    let mut calls = Calls::default();
    let channels: [(&str, Sample<'_>); 3] = [
        ("a constant channel", &|c, _, x| if c == 2 { 7.0 } else { x }),
        ("a channel of zeros", &|c, _, x| if c == 2 { 0.0 } else { x }),
        ("large values", &|_, _, x| x * 1e15),
    ];
    for pipeline in built_in::all() {
        for (what, sample) in channels {
            let examples = examples(&pipeline, sample);
            calls.given(format!("{}, {what}", pipeline.name), || {
                let Ok(fitted) = pipeline.fit(&examples) else { return false };
                let front_end = plan(&pipeline, LABELS.len());
                fitted.plan(&front_end, 2).is_ok()
            });
        }
    }
    calls.finish(36);
}

#[test]
fn built_in_pipelines_flag_windows_that_are_no_signal() {
    let mut calls = Calls::default();
    for pipeline in built_in::all() {
        let fitted = pipeline.fit(&examples(&pipeline, &sound)).expect("sound examples");
        let mut front_end = plan(&pipeline, LABELS.len());
        let mut decoder = fitted.plan(&front_end, 2).expect("a plan");
        calls.given(format!("{}: NaN costs its windows and no others", pipeline.name), || {
            let (mut n_unusable, mut n_after) = (0, 0);
            let values = noise(12, 8 * 128 * LABELS.len());
            for (t, frame) in values.chunks_exact(LABELS.len()).enumerate() {
                let mut frame: Vec<f32> = frame.iter().map(|x| *x as f32).collect();
                if t == 300 {
                    frame[1] = f32::NAN;
                }
                match front_end.push_frame(&frame) {
                    Completed::Nothing => {}
                    Completed::Unusable => n_unusable += 1,
                    Completed::Window => {
                        let window = front_end.window().expect("a window");
                        let mut posterior = [0.0; 2];
                        decoder.decide(&window, &mut posterior);
                        if !is_posterior(&posterior) {
                            return false;
                        }
                        n_after += usize::from(t > 300);
                    }
                }
            }
            n_unusable == 2 && n_after > 5
        });
        calls.given(format!("{}: silence decides nothing or a class", pipeline.name), || {
            let mut front_end = plan(&pipeline, LABELS.len());
            for _ in 0..4 * 128 {
                if front_end.push_frame(&[0.0; 5]) == Completed::Window {
                    let window = front_end.window().expect("a window");
                    let mut posterior = [0.0; 2];
                    decoder.decide(&window, &mut posterior);
                    if !(is_posterior(&posterior) || all_nan(&posterior)) {
                        return false;
                    }
                }
            }
            true
        });
    }
    calls.finish(24);
}

#[test]
fn front_ends_that_do_not_exist() {
    let mut calls = Calls::default();
    let usual = spec();
    let slow = SampleRate::new(40.0).expect("a rate");
    for pipeline in built_in::all() {
        let front_end = |spec: &FrontEndSpec, rate: SampleRate, picks: &[usize]| {
            let info = stream(rate, LABELS.len());
            FrontEnd::plan(spec, &info, picks.to_vec(), demands([&pipeline])).map(drop)
        };
        let name = &pipeline.name;
        calls.refused(format!("{name}, no channel"), ["no channel is selected", "name"], || {
            front_end(&usual, rate(), &[])
        });
        let all = [0, 1, 2, 3, 4];
        calls.refused(format!("{name}, a slow stream"), ["Hz", "choose"], || {
            front_end(&usual, slow, &all)
        });
        for window_secs in [0.0, -1.0, f64::NAN, 1e-9] {
            let spec = FrontEndSpec { window_secs, ..usual };
            let wanted = ["holds fewer than two samples", "choose a longer one"];
            calls.refused(format!("{name}, {window_secs} s"), wanted, || {
                front_end(&spec, rate(), &all)
            });
        }
        for window_secs in [1e12, f64::INFINITY] {
            let spec = FrontEndSpec { window_secs, ..usual };
            let wanted = ["is longer than any recording", "choose a shorter one"];
            calls.refused(format!("{name}, {window_secs} s"), wanted, || {
                front_end(&spec, rate(), &all)
            });
        }
        for step_secs in [0.0, -1.0, f64::NAN, 2.0, f64::INFINITY] {
            let spec = FrontEndSpec { step_secs, ..usual };
            let wanted = ["is not between one sample and the window", "choose one that is"];
            calls.refused(format!("{name}, steps of {step_secs} s"), wanted, || {
                front_end(&spec, rate(), &all)
            });
        }
    }
    calls.finish(160);
}

/// Steps that read as TOML and are none, and what is said of them.
const DESCRIPTIONS: [(&str, [&str; 2]); 26] = [
    (
        "step = \"covariance\"\nestimator = { shrunk = { shrinkage = 2.0 } }",
        ["not between 0 and 1", "choose"],
    ),
    ("step = \"augmented_covariance\"\norder = 0", ["must both be at least 1", "choose"]),
    ("step = \"augmented_covariance\"\nlag = 4000", ["are left at order", "lengthen"]),
    ("step = \"band_power\"\nbands_hz = []", ["bands_hz", "name at least one band"]),
    ("step = \"band_power\"\nbands_hz = [[70.0, 80.0]]", ["no frequency", "choose"]),
    ("step = \"band_power\"\nbands_hz = [[nan, 80.0]]", ["no frequency", "choose"]),
    ("step = \"connectivity\"\nbands_hz = []", ["bands_hz", "name at least one band"]),
    ("step = \"connectivity\"\nbands_hz = [[30.0, 8.0]]", ["no frequency", "choose"]),
    (
        "step = \"connectivity\"\nmeasure = \"phase_slope\"\nsummary = \"pairs\"\nbands_hz = [[8.0, 9.0]]",
        ["phase slope", "widen"],
    ),
    ("step = \"band_pass\"\nlow_hz = 70.0", ["empty", "lower edge must be below"]),
    ("step = \"band_pass\"\nhigh_hz = 90.0", ["not between 0 and 64", "choose"]),
    ("step = \"band_pass\"\norder = 0", ["order 0", "choose"]),
    ("step = \"band_pass\"\norder = 99", ["order 99", "choose"]),
    ("step = \"band_pass\"\nfamily = \"chebyshev2\"\nstop_db = -3.0", ["stopband", "choose"]),
    ("step = \"filter_bank\"\nbands_hz = []", ["bands_hz", "name at least one band"]),
    ("step = \"filter_bank\"\nbands_hz = [[8.0, 80.0]]", ["not between", "choose"]),
    ("step = \"notch\"\nline_hz = 0.0", ["not between 0 and 64", "choose"]),
    ("step = \"notch\"\nquality = nan", ["notch of quality", "choose"]),
    ("step = \"notch\"\nn_harmonics = 0", ["no harmonic", "ask for 1"]),
    ("step = \"pick\"\nchannels = []", ["channels", "name at least one channel"]),
    ("step = \"pick\"\nchannels = [\"X\"]", ["picks channel X", "name channels of the recording"]),
    ("step = \"pick\"\nchannels = [\"C3\", \"c3\"]", ["named twice", ""]),
    (
        "step = \"reference\"\nchannels = [\"X\"]",
        ["picks channel X", "name channels of the recording"],
    ),
    ("step = \"reference\"\nchannels = []", ["are too few", "name more"]),
    ("step = \"laplacian\"\nedge = \"drop\"", ["has its neighbours", "take more channels"]),
    ("step = \"log_variance\"\nextra = 1", ["has no parameter", "it has"]),
];

/// The description with what is lacking around the step, and a plan of it.
fn described(step: &str) -> Result<(), String> {
    let is_feature = ["covariance\"", "power\"", "connectivity\"", "variance\""];
    let is_feature =
        is_feature.iter().any(|end| step.lines().next().is_some_and(|l| l.ends_with(end)));
    let rest = if is_feature { "" } else { "[[steps]]\nstep = \"log_variance\"\n" };
    let last =
        if step.starts_with("step = \"covariance\"") || step.starts_with("step = \"augmented") {
            "mdm"
        } else {
            "lda"
        };
    let text =
        format!("name = \"tested\"\n[[steps]]\n{step}\n{rest}[[steps]]\nstep = \"{last}\"\n");
    let pipeline = Pipeline::from_toml(&text).map_err(|e| e.to_string())?;
    let info = stream(rate(), LABELS.len());
    let planned = FrontEnd::plan(&spec(), &info, (0..5).collect(), demands([&pipeline]));
    planned.map(drop).map_err(|e| e.to_string())
}

#[test]
fn descriptions_of_steps_that_do_not_exist() {
    let mut calls = Calls::default();
    for (step, wanted) in DESCRIPTIONS {
        calls.refused(step, wanted, || described(step));
    }
    calls.finish(26);
}

/// Steps behind the feature that read as TOML and are none.
const LEARNED: [(&str, [&str; 2]); 17] = [
    ("step = \"csp\"\nfilters = { ends = { n_per_end = 0 } }", ["n_per_end is 0", "at least 1"]),
    ("step = \"select\"\nk = 0", ["k", "at least one is kept"]),
    ("step = \"select\"\nfalse_discovery_rate = 1.5", ["false_discovery_rate", "between 0 and 1"]),
    ("step = \"logistic_regression\"\nc = 0.0", ["c", "not a positive number"]),
    ("step = \"logistic_regression\"\nc = nan", ["c", "not a positive number"]),
    (
        "step = \"logistic_regression\"\npenalty = \"elastic_net\"\nl1_ratio = 2.0",
        ["l1_ratio", "between 0 and 1"],
    ),
    ("step = \"svm\"\nc = -1.0", ["c", "not a positive number"]),
    ("step = \"svm\"\ngamma = 0.0", ["gamma", "not a positive number"]),
    ("step = \"svm\"\nkernel = \"linear\"\ngamma = 1.0", ["gamma", "kernel = \"rbf\" alone"]),
    ("step = \"knn\"\nn_neighbours = 0", ["n_neighbours", "at least one votes"]),
    ("step = \"knn\"\nn_neighbours = 100000", ["are needed", "calibrate longer"]),
    ("step = \"mean_field\"\npowers = []", ["powers", "name exponents from -1 to 1"]),
    ("step = \"mean_field\"\npowers = [3.0]", ["powers", "name exponents from -1 to 1"]),
    ("step = \"erp_covariance\"\nn_filters = 0", ["n_filters", "at least one"]),
    ("step = \"erp_covariance\"\nclasses = [9]", ["class is 9", "allowed is a class"]),
    ("step = \"erp_covariance\"\nclasses = []", ["number of classes is 0", "at least 1"]),
    (
        "step = \"erp_covariance\"\nestimator = { shrunk = { shrinkage = nan } }",
        ["shrinkage is NaN", "from 0 to 1"],
    ),
];

/// The description with what is lacking around the step, fitted.
fn fitted(step: &str) -> Result<(), String> {
    let of = |names: &[&str]| names.iter().any(|n| step.starts_with(&format!("step = \"{n}\"")));
    let feature = match step {
        _ if of(&["csp", "knn", "mean_field"]) => "covariance",
        _ if of(&["erp_covariance"]) => "samples",
        _ => "log_variance",
    };
    let last = match step {
        _ if of(&["csp", "select"]) => "[[steps]]\nstep = \"lda\"\n",
        _ if of(&["erp_covariance"]) => "[[steps]]\nstep = \"mdm\"\n",
        _ => "",
    };
    let text =
        format!("name = \"tested\"\n[[steps]]\nstep = \"{feature}\"\n[[steps]]\n{step}\n{last}");
    let pipeline = Pipeline::from_toml(&text).map_err(|e| e.to_string())?;
    pipeline.fit(&examples(&pipeline, &sound)).map(drop).map_err(|e| e.to_string())
}

#[test]
fn descriptions_of_learned_steps_that_do_not_exist() {
    let mut calls = Calls::default();
    for (step, wanted) in LEARNED {
        calls.refused(step, wanted, || fitted(step));
    }
    calls.finish(17);
}

#[test]
fn matrices_that_were_planned_for_others() {
    let mut calls = Calls::default();
    let (mdm, lda) = (built_in::mdm(), built_in::logvar_lda());
    let fitted = mdm.fit(&examples(&mdm, &sound)).expect("sound examples");
    calls.refused(
        "another pipeline's front end",
        ["planned for other", "plan it for this one"],
        || fitted.plan(&plan(&lda, 5), 2).map(drop),
    );
    calls.refused("fewer channels", ["has size", "train again"], || {
        fitted.plan(&plan(&mdm, 4), 2).map(drop)
    });
    calls.refused("more classes", ["has size", "train again"], || {
        fitted.plan(&plan(&mdm, 5), 3).map(drop)
    });
    calls.finish(3);
}
