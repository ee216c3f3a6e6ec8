//! Steps that learn from the signal, follow it, or let windows through: as pipelines, from
//! calibration to decisions.

use acquisition::signal::{ChannelInfo, ChannelKind, Recording};
use acquisition::source::synthetic::SimulatorConfig;
use decoding::adaptation::Rate;
use decoding::adaptation::recenter::{Centre, RecenterState};
use decoding::classifier::logistic::LogisticModel;
use decoding::evaluate::pseudo_online::Run;
use decoding::front_end::{Completed, FrontEnd};
use decoding::matrix::Matrix;
use decoding::pipeline::{FittedPipeline, Memory, Pipeline, demands};
use decoding::riemann::mean::Weights;
use decoding::riemann::metric::Metric;
use decoding::riemann::tangent::TangentSpace;
use decoding::session::engine::Output;
use decoding::session::event::Event;
use decoding::window::View;
use std::sync::{Arc, OnceLock};
use tests::world;

const RATE_HZ: usize = 100;
const N_CHANNELS: usize = 8;

/// A pipeline of these steps, each a TOML table without its brackets.
fn pipeline(name: &str, steps: &[&str]) -> Pipeline {
    let steps: Vec<_> = steps.iter().map(|step| format!("[[steps]]\nstep = {step}\n")).collect();
    let text = format!("name = \"{name}\"\n{}", steps.concat());
    Pipeline::from_toml(&text).expect("a description")
}

const BAND: &str = "\"band_pass\"";
const COVARIANCE: &str = "\"covariance\"\nestimator = \"oas\"";
const TANGENT: &str = "\"tangent_space\"";
const REGRESSION: &str = "\"logistic_regression\"";

/// One of each kind, in several ways.
fn pipelines() -> Vec<Pipeline> {
    let recenter = |name: &str, how: &str| {
        let step = format!("\"recenter\"\n{how}");
        pipeline(name, &[BAND, COVARIANCE, &step, TANGENT, REGRESSION])
    };
    let shift = "adapt = { rate = \"cumulative\", start_weight = 40, on_shift = { every = 2, n_reference = 5, threshold = 3.0, n_kept = 4 } }";
    vec![
        recenter("riemannian", "adapt = { rate = \"cumulative\" }"),
        recenter("euclidean", "metric = \"euclidean\"\nadapt = { rate = { fixed = 0.05 } }"),
        recenter("governed", "adapt = { rate = { governed = { n_memory = 5 } } }"),
        recenter("shifting", shift),
        pipeline("gate", &[BAND, COVARIANCE, "\"potato\"\nthreshold = 2.5", TANGENT, REGRESSION]),
        pipeline("learning-gate", &[BAND, COVARIANCE, "\"potato\"\nrate = 0.01", "\"mdm\""]),
        pipeline(
            "alda",
            &[
                BAND,
                "\"log_variance\"",
                "\"adaptive_lda\"\nmean_rate = { fixed = 0.01 }\ncovariance = { running = 0.005 }",
            ],
        ),
        pipeline(
            "asr",
            &[
                "\"band_pass\"\nlow_hz = 1.0",
                "\"asr\"\ncutoff = 5.0",
                BAND,
                COVARIANCE,
                "\"csp\"",
                "\"lda\"",
            ],
        ),
        pipeline(
            "eog",
            &[
                "\"notch\"\nline_hz = 40.0",
                "\"eog_regression\"",
                BAND,
                "\"log_variance\"",
                "\"lda\"",
            ],
        ),
        pipeline(
            "frontal",
            &[
                "\"eog_regression\"\nchannels = [\"FC3\", \"Fc4\"]",
                BAND,
                "\"log_variance\"",
                "\"lda\"",
            ],
        ),
    ]
}

fn config(run_seed: u64) -> SimulatorConfig {
    SimulatorConfig {
        n_channels: N_CHANNELS,
        rate_hz: RATE_HZ as f64,
        run_seed,
        ..SimulatorConfig::default()
    }
}

/// A slow eye movement, the same at every index.
fn eye(sample: usize) -> f32 {
    let t = sample as f32 / RATE_HZ as f32;
    60.0 * (2.0 * std::f32::consts::PI * 0.7 * t).sin() + 25.0 * (19.0 * t).sin()
}

/// The recording with an EOG channel in front, which reaches every other by `share`.
fn with_eog(recording: &Recording, share: f32) -> Recording {
    let mut mixed = recording.clone();
    let eog = ChannelInfo { kind: ChannelKind::Eog, ..ChannelInfo::eeg("HEOG") };
    mixed.info.channels.insert(0, eog);
    let n_samples = recording.n_samples();
    mixed.samples = ndarray::Array2::from_shape_fn((N_CHANNELS + 1, n_samples), |(c, k)| match c {
        0 => eye(k),
        _ => recording.samples[(c - 1, k)] + share * eye(k),
    });
    mixed
}

fn simulate(run_seed: u64, secs: f64, share: f32) -> Run {
    let run = world::simulate(&config(run_seed), secs);
    Run { recording: Arc::new(with_eog(&run.recording, share)), cues: run.cues }
}

struct Fixture {
    models: Vec<FittedPipeline>,
    run: Run,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| Fixture {
        models: world::fit(&world::protocol(), &simulate(1, 60.0, 0.1), &pipelines()),
        run: simulate(2, 12.0, 0.1),
    })
}

fn outputs(models: &[FittedPipeline], recording: &Recording, sizes: &[usize]) -> Vec<Output> {
    let mut engine = world::engine(&world::protocol(), &recording.info, models);
    world::outputs(&mut engine, &world::cut(&Arc::new(recording.clone()), sizes))
}

fn of(name: &str) -> (usize, &'static FittedPipeline) {
    let models = &fixture().models;
    let at = models.iter().position(|model| model.pipeline().name == name).expect("a pipeline");
    (at, &models[at])
}

fn posteriors(outputs: &[Output], decoder_idx: usize) -> Vec<Option<Vec<f64>>> {
    let of_decoder = outputs.iter().filter(|output| output.decoder_idx == decoder_idx);
    let posterior = |output: &Output| match output.event {
        Event::Decision(decision) => Some(Some(decision.posterior.as_slice().to_vec())),
        Event::Unusable { .. } => Some(None),
        _ => None,
    };
    of_decoder.filter_map(posterior).collect()
}

#[test]
fn decisions_do_not_depend_on_the_chunks_or_on_who_decides_beside() {
    let Fixture { models, run } = fixture();
    let whole = outputs(models, &run.recording, &[4096]);
    assert_eq!(outputs(models, &run.recording, &[1, 7, 64, 3]), whole);
    for (at, model) in models.iter().enumerate() {
        let alone = outputs(std::slice::from_ref(model), &run.recording, &[50]);
        assert_eq!(posteriors(&alone, 0), posteriors(&whole, at), "{}", model.pipeline().name);
    }
}

#[test]
fn the_future_changes_nothing() {
    let Fixture { models, run } = fixture();
    let whole = outputs(models, &run.recording, &[50]);
    for n in [450_u64, 700, 1023] {
        let mut other = (*run.recording).clone();
        other.samples.slice_mut(ndarray::s![.., n as usize + 1..]).mapv_inplace(|x| 1e4 - 3.0 * x);
        let is_past = |output: &&Output| match output.event {
            Event::Decision(decision) => decision.end.0 <= n,
            Event::Unusable { end } => end.0 <= n,
            _ => false,
        };
        let found = outputs(models, &other, &[50]);
        let past = whole.iter().filter(is_past);
        assert!(past.clone().count() > models.len());
        assert!(found.iter().filter(is_past).eq(past));
    }
}

#[test]
fn a_model_file_holds_all_that_was_learned() {
    let Fixture { models, run } = fixture();
    for model in models {
        let text = serde_json::to_string(model).expect("plain data");
        let back: FittedPipeline = serde_json::from_str(&text).expect("what was written");
        assert_eq!(&back, model);
        // A description is what to learn, not what was learned.
        let description = model.pipeline().to_toml();
        let read = Pipeline::from_toml(&description).expect("what was written");
        assert_eq!(read.to_toml(), description);
        let both = [model.clone(), back];
        let outputs = outputs(&both, &run.recording, &[100]);
        assert_eq!(posteriors(&outputs, 0), posteriors(&outputs, 1));
    }
}

#[test]
fn what_follows_the_signal_says_so() {
    let stateful = ["riemannian", "euclidean", "governed", "shifting", "learning-gate", "alda"];
    for pipeline in pipelines() {
        let is_stateful = stateful.contains(&pipeline.name.as_str());
        assert_eq!(pipeline.memory() == Memory::Stateful, is_stateful, "{}", pipeline.name);
    }
}

/// What a session's windows are moved to is what the library says of their covariances.
#[test]
fn the_running_recentering_is_the_library_s() {
    let Fixture { run, .. } = fixture();
    let plain = pipeline("plain", &[BAND, COVARIANCE, TANGENT, REGRESSION]);
    let protocol = world::protocol();
    let calibration = simulate(1, 60.0, 0.1);
    let parts = world::calibration(&calibration);
    let runs = std::slice::from_ref(&calibration);
    let examples = protocol.examples(runs, &parts, &demands([&plain])).expect("a plan");
    let matrix = |view: View<'_>| match view {
        View::Matrices(matrices) => matrices[0].clone(),
        _ => panic!("covariances"),
    };
    let training: Vec<_> =
        examples.features.iter().map(|f| matrix(f.get(0).expect("sound"))).collect();
    let mean =
        Metric::AffineInvariant.mean(&training, &Weights::equal(), 1e-8, 50).expect("SPD").mean;
    let mean_of_training = Matrix::from_faer(mean.as_ref()).expect("finite");
    let n_seen = training.len() as u64;
    let start = mean_of_training.clone();
    let state = RecenterState::starting_at(start, n_seen, Centre::Riemannian, Rate::Cumulative);
    let mut recenter = state.plan().expect("SPD");
    // The same examples, moved by their mean, teach the same regression.
    let moved = pipeline("moved", &[BAND, COVARIANCE, "\"recenter\"", TANGENT, REGRESSION]);
    let moved = &world::fit(&protocol, &calibration, &[moved])[0];
    let frozen = serde_json::to_value(moved).expect("plain data");
    let (_, adaptive) = of("riemannian");
    let adapting = serde_json::to_value(adaptive).expect("plain data");
    let learned = |model: &serde_json::Value| model["members"][0]["classifier"].clone();
    assert_eq!(learned(&frozen), learned(&adapting));

    // What comes after the recentering, out of the model.
    let member = &adapting["members"][0];
    let mut classifier = member["classifier"].clone();
    classifier.as_object_mut().expect("a table").remove("fitted");
    let classifier: LogisticModel = serde_json::from_value(classifier).expect("a regression");
    let point: Matrix =
        serde_json::from_value(member["transforms"][1]["points"][0].clone()).expect("a matrix");
    let mut space = TangentSpace::in_metric(Metric::AffineInvariant, point.to_faer().as_ref())
        .expect("positive definite");
    let mut vector = vec![0.0; space.dim()];

    let info = &run.recording.info;
    let picks = info.brain_channels();
    let mut front_end =
        FrontEnd::plan(&protocol.front_end, info, picks, demands([&plain])).expect("a plan");
    let mut out = mean_of_training.to_faer();
    let mut expected = Vec::new();
    for column in run.recording.samples.columns() {
        let frame: Vec<f32> = column.iter().copied().collect();
        if front_end.push_frame(&frame) == Completed::Window {
            let window = front_end.window().expect("a window");
            let covariance = matrix(window.features.get(0).expect("sound"));
            let _ = recenter.update_into(covariance.as_ref(), out.as_mut());
            space.vector_into(out.as_ref(), &mut vector);
            let mut posterior = vec![0.0; protocol.n_classes];
            classifier.posterior_into(&vector, &mut posterior);
            expected.push(Some(posterior));
        }
    }
    assert_eq!(expected.len(), 101);
    assert_eq!(recenter.state().n_seen(), n_seen + 101);
    let (at, _) = of("riemannian");
    let found = posteriors(&outputs(&fixture().models, &run.recording, &[100]), at);
    assert_eq!(found, expected);
}

#[test]
fn a_gate_refuses_what_is_far_from_usual_and_nothing_else() {
    let Fixture { run, .. } = fixture();
    let (_, gate) = of("gate");
    let models = std::slice::from_ref(gate);
    let usual = posteriors(&outputs(models, &run.recording, &[100]), 0);
    let n_refused = usual.iter().filter(|p| p.is_none()).count();
    assert!(n_refused < usual.len() / 4, "{n_refused} of {}", usual.len());
    let mut loud = (*run.recording).clone();
    // An electrode pops between 6 and 6.5 s, 16 Hz.
    for k in 600..650 {
        loud.samples[(3, k)] += 400.0 * (k as f32).sin();
    }
    let found = posteriors(&outputs(models, &loud, &[100]), 0);
    for (k, (found, usual)) in found.iter().zip(&usual).enumerate() {
        let (start, end) = (10 * k, 10 * k + 199);
        if start <= 620 && end >= 640 {
            assert_eq!(found, &None, "window {k}");
        } else if end < 600 {
            assert_eq!(found, usual, "window {k}");
        }
    }
}

#[test]
fn asr_is_late_and_takes_out_bursts() {
    let Fixture { run, .. } = fixture();
    let (_, asr) = of("asr");
    let plan = |model: &FittedPipeline| demands([model.pipeline()]);
    let info = &run.recording.info;
    let mut loud = (*run.recording).clone();
    for k in 700..760 {
        for c in 2..5 {
            loud.samples[(c, k)] += 900.0 * (0.9 * k as f32).sin();
        }
    }
    let bare =
        pipeline("bare", &["\"band_pass\"\nlow_hz = 1.0", BAND, COVARIANCE, "\"csp\"", "\"lda\""]);
    let bare = &world::fit(&world::protocol(), &simulate(1, 60.0, 0.1), &[bare])[0];
    // The largest variance of a channel over windows, with the burst and without.
    let largest = |model: &FittedPipeline, recording: &Recording| {
        let spec = world::protocol().front_end;
        let mut front_end =
            FrontEnd::plan(&spec, info, info.brain_channels(), plan(model)).expect("a plan");
        let (mut largest, mut n_sound) = (0.0_f64, 0);
        for column in recording.samples.columns() {
            let frame: Vec<f32> = column.iter().copied().collect();
            if front_end.push_frame(&frame) == Completed::Window
                && let Some(View::Matrices([cov])) =
                    front_end.window().expect("one").features.get(0)
            {
                n_sound += 1;
                largest = cov.diagonal().column_vector().iter().fold(largest, |m, v| m.max(*v));
            }
        }
        (largest, n_sound)
    };
    let (quiet, n_bare) = largest(bare, &run.recording);
    let (burst, _) = largest(bare, &loud);
    let (cleaned, n_asr) = largest(asr, &loud);
    assert!(burst > 50.0 * quiet, "{burst} {quiet}");
    assert!(cleaned < 5.0 * quiet, "{cleaned} {quiet}");
    // 0.25 s and 32 frames, less one, are 56 frames: six windows more are not whole.
    assert_eq!((n_bare, n_asr), (101, 95));
}

#[test]
fn eye_movements_are_taken_out() {
    let (_, eog) = of("eog");
    let info = fixture().run.recording.info.clone();
    let spec = world::protocol().front_end;
    let features = |recording: &Recording| {
        let demands = demands([eog.pipeline()]);
        let mut front_end =
            FrontEnd::plan(&spec, &info, info.brain_channels(), demands).expect("a plan");
        let mut all = Vec::new();
        for column in recording.samples.columns() {
            let frame: Vec<f32> = column.iter().copied().collect();
            if front_end.push_frame(&frame) == Completed::Window
                && let Some(View::Vector(v)) = front_end.window().expect("one").features.get(0)
            {
                all.extend_from_slice(v);
            }
        }
        all
    };
    let world = world::simulate(&config(2), 12.0);
    // The weights are those of the calibration, a tenth; the eyes move a hundred times as
    // much in f32, whose rounding stays.
    let with = features(&with_eog(&world.recording, 0.1));
    let wild = features(&with_eog(&world.recording, 0.1 + 1e-6));
    assert_eq!(with.len(), 101 * N_CHANNELS);
    let far = with.iter().zip(&wild).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(far < 1e-3, "{far}");
    // An EOG channel that is no number makes windows of this pipeline unusable, no others.
    let mut damaged = with_eog(&world.recording, 0.1);
    damaged.samples[(0, 600)] = f32::NAN;
    let Fixture { models, .. } = fixture();
    let found = outputs(models, &damaged, &[64]);
    let sound = outputs(models, &with_eog(&world.recording, 0.1), &[64]);
    let (at, _) = of("eog");
    for k in 0..models.len() {
        let (found, sound) = (posteriors(&found, k), posteriors(&sound, k));
        if k == at {
            let holds = |w: usize| (10 * w..10 * w + 200).contains(&600);
            assert!((0..101).all(|w| found[w].is_none() == holds(w)));
        } else {
            assert_eq!(found, sound);
        }
    }
}

#[test]
fn channels_that_others_are_cleaned_by_are_not_decoded_from() {
    let (_, frontal) = of("frontal");
    let info = &fixture().run.recording.info;
    let spec = world::protocol().front_end;
    let front_end =
        FrontEnd::plan(&spec, info, info.brain_channels(), demands([frontal.pipeline()]));
    let shape = front_end.expect("a plan").shape(0);
    assert_eq!(shape, decoding::window::Shape::Vector(N_CHANNELS - 2));
}

#[test]
fn a_step_in_the_wrong_place_or_out_of_range_is_refused() {
    let refusal = |steps: &str| {
        let text = format!("name = \"a\"\n{steps}");
        Pipeline::from_toml(&text).expect_err("refused").to_string()
    };
    let rest = "[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"lda\"\n";
    let matrices = "[[steps]]\nstep = \"covariance\"\n";
    let mdm = "[[steps]]\nstep = \"mdm\"\n";
    let cases = [
        (format!("[[steps]]\nstep = \"filter_bank\"\n[[steps]]\nstep = \"asr\"\n{rest}"), "put it before the filter bank"),
        (format!("[[steps]]\nstep = \"reference\"\n[[steps]]\nstep = \"eog_regression\"\n{rest}"), "only filters may stand before it"),
        (format!("[[steps]]\nstep = \"asr\"\nlearned = 1\n{rest}"), "`asr` has no parameter \"learned\""),
        (format!("[[steps]]\nstep = \"asr\"\ncutoff = -1.0\n{rest}"), "a cutoff of -1"),
        (format!("{matrices}[[steps]]\nstep = \"recenter\"\nmetric = \"wasserstein\"\nadapt = {{ rate = \"cumulative\" }}\n{mdm}"), "affine_invariant or euclidean"),
        (format!("{matrices}[[steps]]\nstep = \"recenter\"\nadapt = {{ rate = {{ fixed = 0.0 }} }}\n{mdm}"), "a fixed rate is above 0"),
        (format!("{matrices}[[steps]]\nstep = \"recenter\"\nadapt = {{ rate = {{ fixed = 0.1 }}, on_shift = {{}} }}\n{mdm}"), "write rate = \"cumulative\""),
        (format!("{matrices}[[steps]]\nstep = \"recenter\"\nadapt = {{ rate = {{ governed = {{ n_memory = 0 }} }} }}\n{mdm}"), "n_memory is 1 to 1000"),
        (format!("{matrices}[[steps]]\nstep = \"potato\"\nrate = 1.0\n{mdm}"), "above 0 and below 1"),
        ("[[steps]]\nstep = \"log_variance\"\n[[steps]]\nstep = \"adaptive_lda\"\nmean_rate = { fixed = 2 }\n".to_owned(), "a fixed rate is above 0"),
        (format!("[[steps]]\nstep = \"band_pass\"\n[[steps]]\nstep = \"asr\"\n{rest}[choose]\n[[choose.parameters]]\nstep = \"asr\"\nparameter = \"cutoff\"\nvalues = [5.0, 20.0]\n"), "do so before anything is chosen"),
        (
            format!(
                "{matrices}[[steps]]\nstep = \"recenter\"\nadapt = {{ rate = {{ fixed = 0.1 }}, start_weight = 9 }}\n{mdm}"
            ),
            "start_weight is for a rate that counts",
        ),
        (
            format!(
                "{matrices}[[steps]]\nstep = \"recenter\"\n[[steps]]\nstep = \"thin\"\n[[steps]]\nstep = \"mirror\"\n{mdm}"
            ),
            "put it right after the feature",
        ),

    ];
    for (steps, expected) in cases {
        let found = refusal(&steps);
        assert!(found.contains(expected), "{found}\n{steps}");
    }
}

#[test]
fn a_stream_without_the_channels_says_what_to_do() {
    let (_, eog) = of("eog");
    let run = world::simulate(&config(2), 60.0);
    let info = &run.recording.info;
    let spec = world::protocol().front_end;
    let planned = FrontEnd::plan(&spec, info, info.brain_channels(), demands([eog.pipeline()]));
    let error = planned.err().expect("no HEOG").to_string();
    assert!(error.contains("HEOG") && error.contains("name channels of the recording"), "{error}");
    let fits = world::protocol().fit(
        std::slice::from_ref(&run),
        &world::calibration(&run),
        &[
            pipeline("eog", &["\"eog_regression\"", BAND, "\"log_variance\"", "\"lda\""]),
            pipeline("plain", &[BAND, "\"log_variance\"", "\"lda\""]),
        ],
    );
    let fits = fits.expect("one that can't learn does not stop the others");
    assert!(fits[1].is_ok());
    let error = fits[0].as_ref().expect_err("no EOG").to_string();
    assert!(error.contains("no channel of the kind EOG"), "{error}");
}
