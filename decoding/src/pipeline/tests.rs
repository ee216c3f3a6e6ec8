mod responses;
mod spatial;
mod ssvep;

use super::check::{Form, PipelineError};
use super::{Pipeline, built_in, demands};
use crate::decoder::{ExampleSpan, Examples, Fit as _, FitError};
use crate::front_end::{FrontEnd, FrontEndSpec, PlanError};
use acquisition::marker::ClassIdx;
use acquisition::signal::{ChannelInfo, StreamInfo};
use acquisition::time::SampleRate;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Samples of a second in these tests.
const RATE_HZ: usize = 125;

/// A pipeline of steps by name, everything at its default.
fn described(steps: &[&str]) -> Result<Pipeline, String> {
    let steps: Vec<_> = steps.iter().map(|s| format!("[[steps]]\nstep = \"{s}\"\n")).collect();
    Pipeline::from_toml(&format!("name = \"tested\"\n{}", steps.concat()))
        .map_err(|e| e.to_string())
}

pub(super) fn stream(n_channels: usize) -> StreamInfo {
    let channels = (0..n_channels).map(|c| ChannelInfo::eeg(format!("E{c}"))).collect();
    StreamInfo {
        name: "noise".into(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: SampleRate::new(RATE_HZ as f64).unwrap(),
        channels,
        simulated: true,
    }
}

/// Half-second windows of noise, every tenth of a second; each second belongs to the
/// next class, which is loud on a channel of its own.
pub(super) fn examples(pipelines: &[Pipeline], n_classes: usize, n_secs: usize) -> Examples {
    let info = stream(4);
    let spec = FrontEndSpec { window_secs: 0.5, step_secs: 0.1, ..FrontEndSpec::default() };
    let demands = demands(pipelines);
    let picks = (0..4).collect();
    let mut front_end = FrontEnd::plan(&spec, &info, picks, demands.clone()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut examples = Examples { demands, n_classes, ..Examples::default() };
    let n_samples = front_end.spec().window_samples;
    for n in 0..n_secs * RATE_HZ {
        let class = n / RATE_HZ % n_classes;
        let loud = |c: usize| if c == class { 3.0 } else { 1.0 };
        let frame: Vec<f32> = (0..4).map(|c| rng.random_range(-1.0..1.0) * loud(c)).collect();
        let end = front_end.next();
        let is_inside = n % RATE_HZ + 1 >= n_samples;
        if front_end.push_frame(&frame) == crate::front_end::Completed::Window && is_inside {
            let window = front_end.window().unwrap();
            examples.labels.push(ClassIdx(class as u8));
            examples.features.push(window.features.clone());
            let samples = end.0 + 1 - n_samples as u64..end.0 + 1;
            examples.spans.push(ExampleSpan { run: 0, samples });
        }
    }
    examples
}

#[test]
fn a_wrong_order_names_both_steps_and_the_remedy() {
    let cases: [(&[&str], &str); 8] = [
        (
            &["covariance", "lda"],
            "step 2 `lda` takes a vector, but step 1 `covariance` gives matrices: put `tangent_space` or `csp` between them",
        ),
        (
            &["log_variance", "mdm"],
            "step 2 `mdm` takes matrices, but step 1 `log_variance` gives a vector: begin with `covariance`",
        ),
        (
            &["mdm"],
            "step 1 `mdm` takes matrices, but the stream gives a signal: put `covariance` between them",
        ),
        (
            &["covariance", "band_pass", "mdm"],
            "step 2 `band_pass` takes a signal, but step 1 `covariance` gives matrices: signal steps and the feature come first",
        ),
        (
            &["covariance", "mdm", "lda"],
            "step 3 `lda` takes a vector, but step 2 `mdm` gives a posterior: a classifier is the last step",
        ),
        (
            &["covariance", "tangent_space"],
            "the last step `tangent_space` gives a vector: end with `lda`",
        ),
        (
            &["samples", "lda"],
            "step 2 `lda` takes a vector, but step 1 `samples` gives samples of a window: put `erp_covariance`, `trca` or `vectorise` between them",
        ),
        (
            &["filter_bank", "covariance", "mdm"],
            "step 3 `mdm` takes one matrix per window, but there are several bands",
        ),
    ];
    for (steps, expected) in cases {
        let error = described(steps).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let empty = Pipeline { name: "a".into(), ..Pipeline::default() };
    assert_eq!(empty.check(), Err(PipelineError::NoSteps));
}

#[test]
fn forms_follow_from_each_other_in_every_built_in_pipeline() {
    for pipeline in built_in::all() {
        assert_eq!(pipeline.check(), Ok(()), "{}", pipeline.name);
        assert!(pipeline.members().iter().all(|member| member.steps[0].takes() == Form::Signal));
        assert_eq!(built_in::find(&pipeline.name), Some(pipeline));
    }
    let names: Vec<_> = built_in::all().into_iter().map(|p| p.name).collect();
    assert_eq!(names[..5], built_in::REFERENCE);
}

#[test]
fn a_demand_of_several_pipelines_is_computed_once() {
    let shared = [built_in::mdm(), built_in::ts_lr(), built_in::csp_lda()];
    assert_eq!(demands(&shared).as_slice().len(), 1);
    assert_eq!(demands(&built_in::reference()).as_slice().len(), 3);
}

#[test]
fn every_order_of_steps_that_checks_can_be_fitted() {
    let cases: [&[&str]; 13] = [
        &["reference", "band_pass", "covariance", "knn"],
        &["covariance", "mirror", "tangent_space", "lda"],
        &["band_pass", "covariance", "mean_field"],
        &["filter_bank", "covariance", "csp", "select", "lda"],
        &["notch", "band_pass", "covariance", "recenter", "tangent_space", "standardise", "lda"],
        &["filter_bank", "covariance", "csp", "lda"],
        &["filter_bank", "log_variance", "svm"],
        &["covariance", "fgda", "mdm"],
        &["covariance", "fgda", "tangent_space", "logistic_regression"],
        &["band_pass", "samples", "erp_covariance", "tangent_space", "lda"],
        &["augmented_covariance", "tangent_space", "svm"],
        &["band_pass", "connectivity", "lda"],
        &["filter_bank", "covariance", "recenter", "tangent_space", "lda"],
    ];
    for steps in cases {
        let mut pipeline = described(steps).unwrap();
        // The rate of these examples has room for three bands.
        if let super::step::Step::Signal(crate::front_end::step::SignalStep::FilterBank(bank)) =
            &mut pipeline.steps[0]
        {
            bank.bands_hz = vec![[4.0, 12.0], [12.0, 24.0], [24.0, 40.0]];
        }
        if let super::step::Step::Feature(crate::front_end::step::Feature::AugmentedCovariance(
            step,
        )) = &mut pipeline.steps[0]
        {
            (step.order, step.lag) = (2, 3);
        }
        if let super::step::Step::Transform(super::step::Transform::Mirror(step)) =
            &mut pipeline.steps[1]
        {
            step.absent = crate::front_end::step::Absent::LeaveOut;
        }
        let examples = examples(std::slice::from_ref(&pipeline), 2, 24);
        let fitted = pipeline.fit(&examples).unwrap_or_else(|e| panic!("{steps:?}: {e}"));
        assert_eq!(fitted.pipeline(), &pipeline);
        let json = serde_json::to_string(&fitted).unwrap();
        let back: super::FittedPipeline = serde_json::from_str(&json).unwrap();
        assert_eq!(back, fitted, "{steps:?}");
    }
}

#[test]
fn calibrations_without_a_class_are_refused() {
    let pipeline = built_in::logvar_lda();
    let mut examples = examples(std::slice::from_ref(&pipeline), 3, 12);
    examples.labels.iter_mut().for_each(|label| *label = ClassIdx(1));
    let error = pipeline.fit(&examples).unwrap_err();
    assert!(matches!(error, FitError::TooFewExamples { class: 0, .. }), "{error}");
}

#[test]
fn pipelines_fitted_together_are_those_fitted_alone() {
    let named = |name: &str| built_in::find(name).unwrap();
    let names = ["mdm", "ts+lr", "fgmdm", "ts+svm", "csp+lda", "logvar+lda", "ts+el"];
    let mut pipelines: Vec<_> = names.into_iter().map(named).collect();
    pipelines.extend(voters());
    // One that chooses goes its own way.
    let steps = "[[steps]]\nstep = \"covariance\"\n[[steps]]\nstep = \"tangent_space\"";
    let machine = "[[steps]]\nstep = \"svm\"";
    let choose =
        "[choose]\n[[choose.parameters]]\nstep = \"svm\"\nparameter = \"c\"\nvalues = [0.5, 1.0]";
    let choosing = Pipeline::from_toml(&format!("name = \"c\"\n{steps}\n{machine}\n{choose}"));
    pipelines.push(choosing.unwrap());
    let mut examples = examples(&pipelines, 3, 30);
    let check = |examples: &Examples| {
        let alone: Vec<_> = pipelines.iter().map(|pipeline| pipeline.fit(examples)).collect();
        assert!(super::fit::fit_together(&pipelines, examples) == alone);
        alone.iter().filter(|fitted| fitted.is_ok()).count()
    };
    assert_eq!(check(&examples), pipelines.len());
    examples.labels.iter_mut().for_each(|label| *label = ClassIdx(label.0.min(1)));
    assert_eq!(check(&examples), 0, "a class is gone");
    examples.labels.pop();
    assert_eq!(check(&examples), 0, "a label is gone");
}

#[test]
fn channels_are_picked_by_label() {
    let pipeline = |labels: &str| {
        let text = format!(
            "name = \"a\"\n[[steps]]\nstep = \"pick\"\nchannels = [{labels}]\n[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\""
        );
        Pipeline::from_toml(&text).unwrap()
    };
    let plan = |p: &Pipeline| {
        FrontEnd::plan(&FrontEndSpec::default(), &stream(4), vec![0, 1, 2, 3], demands([p]))
    };
    let front_end = plan(&pipeline("\"e2\", \"E0\"")).unwrap();
    assert_eq!(front_end.shape(0), crate::window::Shape::Vector(2));
    let error = plan(&pipeline("\"E2\", \"Cz\"")).err().unwrap();
    assert!(matches!(&error, PlanError::NoSuchChannel { label, .. } if label == "Cz"), "{error}");
}

/// Two lists of steps that vote, and each of them by itself.
fn voters() -> [Pipeline; 3] {
    let alone = [built_in::logvar_lda(), built_in::mdm()];
    let vote = alone.iter().map(|p| super::Voter { steps: p.steps.clone() }).collect();
    let [a, b] = alone;
    [Pipeline { name: "both".into(), vote, ..Pipeline::default() }, a, b]
}

#[test]
fn parts_are_the_covariances_of_the_newest_samples_cut_in_equal_pieces() {
    use crate::riemann::covariance::{oas_shrink, scm};
    let pipeline = Pipeline::from_toml(
        "name = \"p\"\n[[steps]]\nstep = \"covariance\"\nparts = 3\n\
         [[steps]]\nstep = \"tangent_space\"\n[[steps]]\nstep = \"lda\"\n",
    );
    let spec = FrontEndSpec { window_secs: 0.5, step_secs: 0.1, ..FrontEndSpec::default() };
    let demands = demands([&pipeline.unwrap()]);
    let mut front_end = FrontEnd::plan(&spec, &stream(4), vec![0, 1, 2, 3], demands).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // 62 samples of a window: three parts of 20, the two oldest samples in none.
    let frames: Vec<[f32; 4]> =
        (0..110).map(|_| std::array::from_fn(|_| rng.random_range(-1.0..1.0))).collect();
    let mut n_windows = 0;
    for (n, frame) in frames.iter().enumerate() {
        if front_end.push_frame(frame) != crate::front_end::Completed::Window {
            continue;
        }
        let window = front_end.window().unwrap();
        let Some(crate::window::View::Matrices(parts)) = window.features.get(0) else {
            panic!("three matrices")
        };
        assert_eq!(parts.len(), 3);
        for (k, part) in parts.iter().enumerate() {
            let first = n + 1 - 60 + 20 * k;
            let samples = faer::Mat::from_fn(4, 20, |c, t| f64::from(frames[first + t][c]));
            let mut expected = scm(samples.as_ref());
            oas_shrink(expected.as_mut(), 20);
            // The same sums, in another order.
            assert!((part - &expected).norm_max() < 1e-14, "{n} {k}");
        }
        n_windows += 1;
    }
    assert!(n_windows > 3);
}

#[test]
fn parts_count_as_bands() {
    let text = |parts: &str, rest: &str| {
        format!("name = \"p\"\n[[steps]]\nstep = \"covariance\"\nparts = {parts}\n{rest}")
    };
    let mdm = "[[steps]]\nstep = \"mdm\"\n";
    let error = |text: &str| Pipeline::from_toml(text).unwrap_err().to_string();
    assert!(error(&text("2", mdm)).contains("there are several bands or parts"));
    assert!(error(&text("0", mdm)).contains("0 is not between 1 and 64"));
    let part = Pipeline::from_toml(&text("1", mdm)).unwrap();
    assert_eq!(part.steps, built_in::mdm().steps[1..]);
    let long =
        Pipeline::from_toml(&text("60", "[[steps]]\nstep = \"csp\"\n[[steps]]\nstep = \"lda\"\n"));
    let spec = FrontEndSpec { window_secs: 0.5, step_secs: 0.1, ..FrontEndSpec::default() };
    let plan = FrontEnd::plan(&spec, &stream(4), vec![0, 1], demands([&long.unwrap()]));
    assert!(plan.err().unwrap().to_string().contains("1 samples have no covariance"));
}

#[test]
fn a_vote_is_the_geometric_mean_of_its_members() {
    let pipelines = voters();
    let examples = examples(&pipelines, 2, 24);
    let spec = FrontEndSpec { window_secs: 0.5, step_secs: 0.1, ..FrontEndSpec::default() };
    let picks = (0..4).collect();
    let mut front_end = FrontEnd::plan(&spec, &stream(4), picks, demands(&pipelines)).unwrap();
    let fits = pipelines.each_ref().map(|p| p.fit(&examples).unwrap());
    let mut decoders = fits.each_ref().map(|fitted| fitted.plan(&front_end, 2).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut n_decided = 0;
    for _ in 0..200 {
        let frame: Vec<f32> = (0..4).map(|_| rng.random_range(-1.0..1.0)).collect();
        if front_end.push_frame(&frame) != crate::front_end::Completed::Window {
            continue;
        }
        let window = front_end.window().unwrap();
        let mut posteriors = [[0.0; 2]; 3];
        for (decoder, posterior) in decoders.iter_mut().zip(&mut posteriors) {
            decoder.decide(&window, posterior);
        }
        let [vote, a, b] = posteriors;
        let mean = [0, 1].map(|k| (a[k] * b[k]).sqrt());
        let expected = mean[0] / (mean[0] + mean[1]);
        // Logarithms and exponentials of values near 1: rounding alone.
        assert!((vote[0] - expected).abs() < 1e-12, "{vote:?} {a:?} {b:?}");
        n_decided += 1;
    }
    assert!(n_decided > 10);
}

#[test]
fn a_vote_says_what_is_wrong_with_it() {
    let [vote, ..] = voters();
    let one = Pipeline { vote: vote.vote[..1].to_vec(), ..vote.clone() };
    assert_eq!(one.check(), Err(PipelineError::Vote));
    let beside = Pipeline { steps: built_in::mdm().steps, ..vote.clone() };
    assert_eq!(beside.check(), Err(PipelineError::Vote));
    let mut broken = vote.clone();
    broken.vote[1].steps.pop();
    let error = Pipeline::from_toml(&broken.to_toml()).unwrap_err().to_string();
    assert!(error.starts_with("line ") && error.contains("vote 2: the last step"), "{error}");
    assert_eq!(Pipeline::from_toml(&vote.to_toml()), Ok(vote));
}

#[test]
fn what_would_never_end_is_refused() {
    let bank = "[[steps]]\nstep = \"filter_bank\"\n";
    let rest = "[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\"\n";
    let error = |text: &str| Pipeline::from_toml(text).unwrap_err().to_string();
    let banks = format!("name = \"a\"\n{bank}{bank}{rest}");
    assert!(error(&banks).contains("makes 81 bands, at most 64"), "{}", error(&banks));
    let choose = "[choose]\nsplits = 9000000000000000000\n[[choose.parameters]]\nstep = \"lda\"\nparameter = \"x\"\nvalues = [1]\n";
    let splits = format!("name = \"a\"\n{rest}{choose}");
    assert!(error(&splits).contains("more than 64 inner splits"), "{}", error(&splits));
}

#[test]
fn a_notch_of_endless_harmonics_stops_at_half_the_rate() {
    let text = "name = \"a\"\n[[steps]]\nstep = \"notch\"\nline_hz = 10\nn_harmonics = 9223372036854775807\n[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\"";
    let pipeline = Pipeline::from_toml(text).unwrap();
    let spec = FrontEndSpec::default();
    assert!(FrontEnd::plan(&spec, &stream(4), vec![0, 1, 2, 3], demands([&pipeline])).is_ok());
}
