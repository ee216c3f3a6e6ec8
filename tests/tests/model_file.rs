//! Models on disk: what was saved decides the same when loaded, and what was not
//! written by this version, or not wholly, is refused with a reason.

use acquisition::signal::{ChannelKind, Recording, StreamInfo};
use acquisition::source::synthetic::{CLASSES, SimulatorConfig};
use acquisition::time::SampleRate;
use decoding::evaluate::pseudo_online::Run;
use decoding::session::engine::Output;
use models::checkpoint::{CheckpointError, FORMAT_VERSION, Model, TrainingData};
use models::session::SessionError;
use ndarray::{Array2, Axis};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use tests::{examples, world};

/// A short run to decode, and a model of every pipeline.
fn fixture() -> &'static (Run, Vec<Model>) {
    static FIXTURE: OnceLock<(Run, Vec<Model>)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let config =
            SimulatorConfig { n_channels: 8, rate_hz: 128.0, ..SimulatorConfig::default() };
        let calibration = world::simulate(&config, 60.0);
        let protocol = world::protocol();
        let pipelines = examples::with_built_in(calibration.recording.info.rate);
        let fits = world::fit(&protocol, &calibration, &pipelines).into_iter();
        let info = &calibration.recording.info;
        let mut classes = vec!["idle".to_owned()];
        classes.extend(CLASSES.map(str::to_owned));
        let model = |decoder| Model {
            classes: classes.clone(),
            cue_texts: CLASSES.map(str::to_owned).to_vec(),
            interval: protocol.interval,
            channels: info.channels.iter().map(|c| c.label.clone()).collect(),
            rate_hz: info.rate.hz(),
            front_end: protocol.front_end,
            decoder,
            trained_on: vec![TrainingData { name: info.name.clone(), sha256: "0".repeat(64) }],
            simulated: true,
        };
        let models = fits.map(model).collect();
        let session = SimulatorConfig { run_seed: 2, ..config };
        (world::simulate(&session, 5.0), models)
    })
}

fn outputs(model: &Model, recording: &Arc<Recording>) -> Vec<Output> {
    let mut engine = model.plan(&recording.info).expect("a stream that fits");
    world::outputs(&mut engine, &world::cut(recording, &[50]))
}

/// A saved model: its folder, path and text.
fn saved() -> (TempDir, PathBuf, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("model.json");
    fixture().1[1].save(&path).expect("a writable folder");
    let text = fs::read_to_string(&path).expect("JSON");
    (folder, path, text)
}

/// What loading says of a file with this content; its path stands last.
fn refusal(path: &Path, content: &[u8]) -> CheckpointError {
    fs::write(path, content).expect("a writable folder");
    let error = Model::load(path).expect_err("not a sound model");
    let text = error.to_string();
    assert!(text.ends_with(&path.display().to_string()), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    error
}

#[test]
fn a_loaded_model_decides_bit_for_bit_as_the_saved_one() {
    let (run, models) = fixture();
    let folder = TempDir::new().unwrap();
    for (k, model) in models.iter().enumerate() {
        let path = folder.path().join(format!("{k}.json"));
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert_eq!((&loaded, loaded.digest()), (model, model.digest()));
        let expected = outputs(model, &run.recording);
        assert!(expected.len() > 20);
        assert_eq!(outputs(&loaded, &run.recording), expected);
    }
}

#[test]
fn another_version_is_named() {
    let (_folder, path, text) = saved();
    let other = text.replace(&format!("\"version\":{FORMAT_VERSION}"), "\"version\":4711");
    let error = refusal(&path, other.as_bytes());
    assert!(matches!(error, CheckpointError::Version { found: 4711, .. }), "{error}");
}

#[test]
fn a_changed_number_is_damage() {
    let (_folder, path, text) = saved();
    let at = text.find("\"rate_hz\":128").expect("the rate") + "\"rate_hz\":12".len();
    let mut other = text.into_bytes();
    other[at] = b'7';
    let error = refusal(&path, &other);
    assert!(matches!(error, CheckpointError::Damaged { .. }), "{error}");
}

#[test]
fn what_is_no_model_is_refused() {
    let (_folder, path, text) = saved();
    let escape = b"\x1b[2J\"\x1b";
    let other_format = text.replacen("mindloop-model", "mindloop-other", 1);
    let no_weights = text.replacen("\"decoder\"", "\"encoder\"", 1);
    let brackets = "[".repeat(100_000);
    let contents: [&[u8]; 8] = [
        b"",
        b"{}",
        b"null",
        escape,
        &[0xff; 100],
        brackets.as_bytes(),
        other_format.as_bytes(),
        no_weights.as_bytes(),
    ];
    for content in contents {
        let error = refusal(&path, content);
        assert!(matches!(error, CheckpointError::NotAModel { .. }), "{error}");
    }
}

#[test]
fn half_a_model_is_refused() {
    let (_folder, path, text) = saved();
    for share in [0.01, 0.5, 0.999] {
        let n_bytes = (text.len() as f64 * share) as usize;
        let error = refusal(&path, &text.as_bytes()[..n_bytes]);
        assert!(matches!(error, CheckpointError::NotAModel { .. }), "{error}");
    }
}

#[test]
fn a_huge_file_is_not_read_into_memory() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("huge");
    // Sparse: it occupies no disk.
    fs::File::create(&path).unwrap().set_len(300 << 20).unwrap();
    let error = Model::load(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::NotAModel { .. }), "{error}");
    assert!(error.to_string().contains("larger"), "{error}");
}

#[test]
fn what_is_not_there_is_said_so() {
    let folder = TempDir::new().unwrap();
    let error = Model::load(&folder.path().join("none")).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { action: "read", .. }), "{error}");
    let error = fixture().1[0].save(&folder.path().join("no/such/folder")).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { action: "written", .. }), "{error}");
}

fn refused(model: &Model, info: &StreamInfo) -> SessionError {
    model.plan(info).err().expect("a stream that does not fit")
}

#[test]
fn missing_channels_are_named() {
    let (run, models) = fixture();
    let mut info = run.recording.info.clone();
    let (first, last) = (info.channels[0].label.clone(), info.channels[7].label.clone());
    info.channels[0].label = "X1".into();
    info.channels.pop();
    let error = refused(&models[0], &info);
    let SessionError::MissingChannels { n_missing: 2, n_channels: 8, labels } = &error else {
        panic!("{error}")
    };
    assert_eq!(*labels, format!("{first}, {last}"));
    info.channels[1].label = info.channels[2].label.clone();
    let error = refused(&models[0], &info);
    assert!(matches!(error, SessionError::AmbiguousChannel { n_times: 2, .. }), "{error}");
}

#[test]
fn another_rate_is_refused_with_both() {
    let (run, models) = fixture();
    let mut info = run.recording.info.clone();
    info.rate = SampleRate::new(256.0).unwrap();
    let text = refused(&models[0], &info).to_string();
    assert!(text.contains("128") && text.contains("256"), "{text}");
    // As headers round it.
    info.rate = SampleRate::new(128.001).unwrap();
    assert!(models[0].plan(&info).is_ok());
}

#[test]
fn names_from_outside_are_escaped() {
    let (run, models) = fixture();
    let mut model = models[0].clone();
    model.channels[3] = "C3\u{1b}[2J\u{202e}".into();
    let text = refused(&model, &run.recording.info).to_string();
    assert!(text.contains("C3\\u{1b}[2J\\u{202e}"), "{text}");
    let mut info = run.recording.info.clone();
    for channel in &mut info.channels {
        channel.label = model.channels[3].clone();
    }
    let text = refused(&model, &info).to_string();
    assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
}

#[test]
fn channels_are_found_wherever_they_are() {
    let (run, models) = fixture();
    let recording = &run.recording;
    // Backwards, in capitals, and with a channel in front that is none of the model's.
    let order: Vec<usize> = (0..8).rev().collect();
    let mut samples = Array2::from_elem((9, recording.n_samples()), 1e4);
    let mut info = recording.info.clone();
    let mut extra = info.channels[0].clone();
    (extra.label, extra.kind) = ("EOG".into(), ChannelKind::Eog);
    info.channels = vec![extra];
    for (to, from) in (1..).zip(&order) {
        samples.index_axis_mut(Axis(0), to).assign(&recording.samples.row(*from));
        let mut channel = recording.info.channels[*from].clone();
        channel.label = channel.label.to_uppercase();
        info.channels.push(channel);
    }
    let other = Arc::new(Recording { info, samples, ..(**recording).clone() });
    for model in models {
        assert_eq!(outputs(model, &other), outputs(model, recording));
    }
}
