//! Other LSL programs, here Python's pylsl with its own liblsl, and we understand each
//! other: no frame lost, values exact, labels, units and markers where they were.

use acquisition::health::Health;
use acquisition::lsl::local_clock;
use acquisition::lsl::outlet::{Board, DecisionOutlet, ServeOptions};
use acquisition::lsl::resolve::Query;
use acquisition::lsl::{END_MARKER, START_MARKER};
use acquisition::marker::Marker;
use acquisition::signal::{ChannelInfo, Chunk, Recording, StreamInfo, Unit};
use acquisition::source::lsl::{LslOptions, LslSource, Markers};
use acquisition::source::replay::{RecordingFeed, Repeat};
use acquisition::source::{Pull, Source as _};
use acquisition::text::InlineText;
use acquisition::time::{LslTime, SampleRate};
use ndarray::Array2;
use serde_json::Value;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tests::cli::{Decided, arg, decisions_of_log, succeed};
use tests::{python, world};

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

const N_CHANNELS: usize = 8;
const RATE_HZ: f64 = 250.0;
const N_FRAMES: usize = 500;
const PATIENCE: Duration = Duration::from_secs(30);

/// The sample that `tests/reference/interop_lsl.py` sends and expects.
fn value(frame: usize, channel: usize) -> f32 {
    ((frame * 7 + channel * 13) % 101) as f32 - 50.0
}

fn id(what: &str) -> String {
    format!("mindloop-test-{}-{what}", std::process::id())
}

fn script(mut python: Command, args: &[&str]) -> Child {
    python.arg(python::lsl_script()).args(args);
    python.spawn().expect("the interpreter that MINDLOOP_PYTHON names")
}

/// The JSON lines of a script that succeeded.
fn reports(child: Child) -> Vec<Value> {
    let output = child.wait_with_output().expect("a child to wait for");
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("lines of JSON")).collect()
}

/// Everything that comes in the next `n_frames` frames, and until `n_markers` are there.
fn receive(source: &mut LslSource, n_frames: usize, n_markers: usize) -> (Vec<f32>, Vec<Marker>) {
    let mut chunk = Chunk::new(source.info().n_channels(), 64);
    let (mut samples, mut markers) = (Vec::new(), Vec::new());
    let until = local_clock().0 + PATIENCE.as_secs_f64();
    while samples.len() < n_frames * N_CHANNELS || markers.len() < n_markers {
        assert!(local_clock().0 < until, "{} values, {markers:?}", samples.len());
        let pull = source.pull(&mut chunk, &mut markers, Duration::from_millis(50));
        assert_ne!(pull.expect("a stream that lives"), Pull::Ended);
        // The index counts lost frames, so it shows that none was lost.
        assert_eq!(chunk.first().0 as usize * N_CHANNELS, samples.len());
        samples.extend_from_slice(chunk.samples());
    }
    (samples, markers)
}

/// Receives two seconds from Python in one sample format, with markers of another.
fn receive_format(python: Command, format: &str, marker_format: &str) {
    let id = id(format);
    let args = ["outlet", "--name", &id, "--source-id", &id, "--format", format];
    let args = [&args[..], &["--markers", marker_format, "--seconds", "2"]].concat();
    let outlet = script(python, &args);
    let stream = Query::parse(&format!("source_id={id}")).expect("a plain name");
    let options = LslOptions { stream, markers: Markers::Companion, timeout: PATIENCE };
    let health = Arc::new(Health::default());
    let mut source = LslSource::open(&options, Arc::clone(&health)).expect("a stream to receive");
    assert!(source.has_markers());
    let info = source.info();
    let labels: Vec<_> = info.channels.iter().map(|c| c.label.clone()).collect();
    assert_eq!(labels, (1..=N_CHANNELS).map(|c| format!("Ch{c}")).collect::<Vec<_>>());
    assert!(info.channels.iter().all(|c| c.unit == Unit::Microvolt && c.kind.is_brain()));
    assert_eq!((info.rate.hz(), info.kind.as_str(), &info.name), (RATE_HZ, "EEG", &id));
    let (samples, markers) = receive(&mut source, N_FRAMES, 2);
    for (k, frame) in samples.chunks(N_CHANNELS).enumerate() {
        assert_eq!(frame, (0..N_CHANNELS).map(|c| value(k, c)).collect::<Vec<_>>(), "{format} {k}");
    }
    let texts = if marker_format == "string" { ["left_hand", "right_hand"] } else { ["1", "2"] };
    let placed: Vec<_> =
        markers.iter().map(|m| (m.text.as_str(), info_rate().samples(m.onset_secs))).collect();
    // Frames round(0.5 * 250) and round(1.5 * 250).
    assert_eq!(placed, [(texts[0], 125), (texts[1], 375)], "{format}");
    assert_eq!(health.snapshot().n_lost, 0);
    drop(source);
    let done = reports(outlet).pop().expect("a report");
    assert_eq!((&done["event"], &done["frames"]), (&"done".into(), &N_FRAMES.into()));
}

fn info_rate() -> SampleRate {
    SampleRate::new(RATE_HZ).expect("a rate")
}

#[test]
fn every_format_of_another_program_is_received_exactly() {
    let formats = ["float32", "double64", "int8", "int16", "int32", "int64"];
    thread::scope(|scope| {
        for (k, format) in formats.into_iter().enumerate() {
            let Some(python) = python::command() else { return };
            let markers = if k % 2 == 0 { "string" } else { "int32" };
            scope.spawn(move || receive_format(python, format, markers));
        }
    });
}

fn recording() -> Recording {
    let mut channels: Vec<_> =
        ["Fp1", "Fp2", "C3", "Cz", "C4", "O1", "O2", "POz"].map(ChannelInfo::eeg).to_vec();
    channels[2].position_m = Some([-0.05, 0.0, 0.1]);
    let info = StreamInfo {
        name: String::new(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: info_rate(),
        channels,
        simulated: true,
    };
    let marker =
        |(text, onset_secs)| Marker { onset_secs, duration_secs: 0.0, text: InlineText::new(text) };
    let markers = [("left_hand", 0.5), ("right_hand", 1.252)].map(marker).to_vec();
    let samples = Array2::from_shape_fn((N_CHANNELS, N_FRAMES), |(c, k)| value(k, c));
    Recording { info, samples, markers, gaps: Vec::new(), findings: Vec::new() }
}

#[test]
fn another_program_receives_what_we_serve() {
    let Some(python) = python::command() else { return };
    let id = id("served");
    let recording = Arc::new(recording());
    let inlet = script(python, &["inlet", "--name", &id, "--seconds", "10"]);
    let mut options = ServeOptions::new(&recording.info);
    (options.name, options.source_id) = (id.clone(), id);
    let board = Board::new(RecordingFeed::new(recording, Repeat::Once), options).unwrap();
    let served = board.run(&AtomicBool::new(false)).unwrap();
    assert_eq!((served.n_frames, served.n_markers), (N_FRAMES as u64, 2));
    let report = reports(inlet).pop().unwrap();
    let field = |name: &str| report[name].clone();
    assert_eq!(field("frames"), N_FRAMES);
    assert_eq!((field("lost_frames"), field("wrong_frames")), (0.into(), 0.into()));
    assert_eq!((field("format"), field("rate_hz")), ("float32".into(), RATE_HZ.into()));
    assert_eq!(field("labels").as_array().unwrap()[2], "C3");
    assert!(field("units").as_array().unwrap().iter().all(|unit| unit == "microvolts"));
    assert!(field("types").as_array().unwrap().iter().all(|kind| kind == "EEG"));
    let t0 = field("first_stamps")[0].as_f64().unwrap();
    let markers = field("markers");
    let expected =
        [(START_MARKER, 0.0), ("left_hand", 0.5), ("right_hand", 1.252), (END_MARKER, 2.0)];
    assert_eq!(markers.as_array().unwrap().len(), expected.len(), "{markers}");
    for (marker, (text, onset_secs)) in markers.as_array().unwrap().iter().zip(expected) {
        assert_eq!(marker["value"], text);
        // Two sums with the same origin, which a clock holds to some nanoseconds.
        let onset = marker["stamp"].as_f64().unwrap() - t0;
        assert!((onset - onset_secs).abs() < 1e-6, "{text} at {onset}");
    }
}

#[test]
fn another_program_receives_our_decisions() {
    let Some(python) = python::command() else { return };
    let id = id("decisions");
    let args = ["inlet", "--name", &id, "--seconds", "10", "--marker-wait-secs", "10"];
    let inlet = script(python, &args);
    let classes = ["idle", "left_hand", "right_hand"];
    let mut outlet = DecisionOutlet::new(&id, &id, &classes, false).unwrap();
    let until = local_clock().0 + PATIENCE.as_secs_f64();
    while !outlet.has_consumers() {
        assert!(local_clock().0 < until, "nobody came");
        thread::sleep(Duration::from_millis(5));
    }
    // A consumer counts from its connection on, but is served from its handshake on.
    thread::sleep(Duration::from_millis(300));
    let posteriors = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0, 0.0, 1.0]];
    for (k, posterior) in posteriors.iter().enumerate() {
        let stamp = LslTime(1000.0 + k as f64);
        outlet.push_posterior(posterior, stamp).unwrap();
        outlet.push_decision(classes[k], stamp).unwrap();
    }
    let report = reports(inlet).pop().unwrap();
    assert_eq!(report["labels"], Value::from(classes.to_vec()));
    assert_eq!((&report["format"], &report["frames"]), (&"float32".into(), &3.into()));
    // Powers of two and their sums: exact in an f32.
    assert_eq!(report["first_frames"], serde_json::to_value(posteriors).unwrap());
    assert_eq!(report["first_stamps"], Value::from(vec![1000.0, 1001.0, 1002.0]));
    let decisions: Vec<_> =
        report["markers"].as_array().unwrap().iter().map(|m| &m["value"]).collect();
    assert_eq!(decisions, classes);
}

#[test]
fn another_program_receives_what_a_session_publishes() {
    let Some(python) = python::command() else { return };
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let (id, model) = (id("published"), folder.path().join("model"));
    let train = ["train", "physionet-mi", "--data-dir", arg(&data_dir), "--subject", "1"];
    succeed(EXE, &[&train[..], &["--pipeline", "logvar+lda", "-o", arg(&model)]].concat());
    let args = ["inlet", "--name", &id, "--seconds", "20", "--silence-secs", "2"];
    let inlet = script(python, &args);
    let recording = data_dir.join("S001/S001R08.edf");
    let replay = ["replay", arg(&recording), "--model", arg(&model), "--speed", "8"];
    let ended = succeed(EXE, &[&replay[..], &["--headless", "--publish", &id]].concat());
    let report = reports(inlet).pop().unwrap();
    let n_received = report["frames"].as_u64().unwrap();
    // A session waits for nobody, so the first decisions may be missed, and what was
    // under way when it ended; in between every posterior is there, rounded to an f32.
    let as_sent = |decided: &Decided| -> Vec<f32> {
        decided.posterior.iter().map(|bits| f64::from_bits(*bits) as f32).collect()
    };
    let sent: Vec<_> = decisions_of_log(&ended.stdout).iter().map(as_sent).collect();
    let first: Vec<Vec<f32>> = serde_json::from_value(report["first_frames"].clone()).unwrap();
    assert_eq!(first.len(), 5);
    let from = sent.windows(5).position(|five| five == first).expect("five decisions in a row");
    assert!(n_received > 100 && n_received <= (sent.len() - from) as u64, "{n_received}, {from}");
    assert_eq!(report["labels"], Value::from(vec!["idle", "left_hand", "right_hand"]));
}
