//! Streams and files that misbehave, against the command line a user runs: a clear
//! message, no panic, the right exit code, and nothing that steers a terminal.

use acquisition::lsl::local_clock;
use acquisition::lsl::outlet::{Board, SampleOutlet, ServeOptions};
use acquisition::signal::{Chunk, Recording};
use acquisition::source::replay::{Paced, RecordingFeed, Repeat, Speed, WallClock};
use acquisition::source::synthetic::SimulatorConfig;
use acquisition::source::{Pull, Source as _};
use acquisition::time::SampleRate;
use ndarray::s;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;
use tempfile::TempDir;
use tests::cli::{Ended, arg, decisions_of_log, end, lines, run, start};
use tests::{data, world};
use tui::cli::live::calibrate;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// Times real time at which streams are served here.
const SPEED: f64 = 4.0;

fn config() -> SimulatorConfig {
    SimulatorConfig { n_channels: 8, rate_hz: 128.0, ..SimulatorConfig::default() }
}

/// The session of a head and the path of a model calibrated on it.
fn session(folder: &TempDir, secs: f64) -> (Recording, String) {
    let model =
        calibrate(&config(), &decoding::pipeline::built_in::ts_lr()).expect("a calibration");
    let path = folder.path().join("model");
    model.save(&path).expect("a writable folder");
    let run = world::simulate(&SimulatorConfig { run_seed: 2, ..config() }, secs);
    ((*run.recording).clone(), arg(&path).to_owned())
}

/// A headset that can be switched off, and then says nothing of an end.
struct Headset {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Headset {
    /// Sends `recording` under `id` in real time, from the first consumer on.
    fn switch_on(recording: Recording, id: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, id) = (Arc::clone(&stop), id.to_owned());
        Self { stop, thread: spawn(move || send(recording, id, &flag)) }
    }

    fn switch_off(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the headset did not fail");
    }
}

fn send(mut recording: Recording, id: String, stop: &AtomicBool) {
    recording.info.name.clone_from(&id);
    recording.info.source_id = id;
    let mut outlet = SampleOutlet::new(&recording.info).expect("an outlet");
    while !outlet.has_consumers() && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
    outlet.start(local_clock());
    let mut chunk = Chunk::new(recording.info.n_channels(), 8);
    let feed = RecordingFeed::new(Arc::new(recording), Repeat::Once);
    let mut paced = Paced::new(feed, Speed::RealTime(1.0), 8, Box::<WallClock>::default());
    while !stop.load(Ordering::Relaxed) {
        let pull = paced.pull(&mut chunk, &mut Vec::new(), Duration::from_millis(50));
        if pull.expect("a recording in memory") == Pull::Ended {
            break;
        }
        outlet.push(&chunk).expect("an outlet that sends");
    }
}

/// Serves `recording` to its end, faster than it was, as `mindloop serve` does.
fn serve(recording: Recording, id: &str) -> JoinHandle<()> {
    let id = id.to_owned();
    spawn(move || {
        let mut options = ServeOptions::new(&recording.info);
        (options.name, options.source_id, options.speed) = (id.clone(), id, SPEED);
        let feed = RecordingFeed::new(Arc::new(recording), Repeat::Once);
        let board = Board::new(feed, options).expect("an outlet");
        board.run(&AtomicBool::new(false)).expect("an outlet that sends");
    })
}

fn id(what: &str) -> String {
    format!("mindloop-test-{}-{what}", std::process::id())
}

/// `mindloop live` on the stream `id`.
fn live(id: &str, model: &str, log: &Path) -> Child {
    let query = format!("source_id={id}");
    let args = ["live", "--stream", &query, "--model", model, "--timeout", "30", "--headless"];
    start(EXE, &[&args[..], &["--log", arg(log)]].concat())
}

/// Reads the child's JSON lines up to the first one called `line`.
fn wait_for_line(child: &mut Child, line: &str) {
    let stdout = child.stdout.as_mut().expect("standard output");
    let wanted = format!("\"line\":\"{line}\"");
    // Unbuffered enough: what this reader has read ahead, the log file has too.
    let found = BufReader::new(stdout).lines().any(|l| l.is_ok_and(|l| l.contains(&wanted)));
    assert!(found, "no {line}");
}

/// The message of a command that failed in an orderly way.
fn message(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("mindloop: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_harmless(&ended.stderr);
    assert_harmless(&ended.stdout);
    &ended.stderr
}

fn assert_harmless(text: &str) {
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!text.chars().any(steers), "{text:?}");
}

#[test]
fn a_headset_that_comes_back_is_decoded_on() {
    let folder = TempDir::new().unwrap();
    let (recording, model) = session(&folder, 40.0);
    let (id, log) = (id("back"), folder.path().join("log"));
    let headset = Headset::switch_on(recording.clone(), &id);
    let mut session = live(&id, &model, &log);
    wait_for_line(&mut session, "decision");
    headset.switch_off();
    // Whoever comes back has been gone for a while; liblsl looks again by itself.
    std::thread::sleep(Duration::from_secs(1));
    let back = Headset::switch_on(recording, &id);
    wait_for_line(&mut session, "gap");
    wait_for_line(&mut session, "decision");
    back.switch_off();
    session.kill().unwrap();
    end(session);
    let log = fs::read_to_string(&log).unwrap();
    let whole = &log[..=log.rfind('\n').unwrap()];
    let gap = lines(whole, "gap").remove(0);
    let at = gap["at_sample"].as_u64().unwrap();
    let decisions = decisions_of_log(whole);
    assert!(decisions.iter().any(|d| d.sample < at) && decisions.iter().any(|d| d.sample > at));
    // No window spans the gap.
    assert!(!decisions.iter().any(|d| d.sample >= at && d.sample < at + 2 * 128 - 1));
}

/// A headset comes back as `other`; what the session says.
fn said_of(what: &str, other: impl FnOnce(&mut Recording)) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let (mut recording, model) = session(&folder, 40.0);
    let (id, log) = (id(what), folder.path().join("log"));
    let headset = Headset::switch_on(recording.clone(), &id);
    let mut session = live(&id, &model, &log);
    wait_for_line(&mut session, "decision");
    headset.switch_off();
    other(&mut recording);
    let back = Headset::switch_on(recording, &id);
    let ended = end(session);
    back.switch_off();
    let text = message(&ended).to_owned();
    assert!(text.contains("stream changed while it was read"), "{text}");
    text
}

#[test]
fn a_headset_that_comes_back_at_another_rate_is_refused() {
    let text = said_of("rate", |recording| {
        recording.info.rate = SampleRate::new(250.0).expect("a rate");
    });
    assert!(text.contains("128") && text.contains("250"), "{text}");
}

#[test]
fn a_headset_that_comes_back_with_other_channels_is_refused() {
    let text = said_of("channels", |recording| {
        recording.info.channels.pop();
        recording.samples = recording.samples.slice(s![..7, ..]).to_owned();
    });
    assert!(text.contains('8') && text.contains('7'), "{text}");
}

#[test]
fn samples_that_are_no_numbers_cost_their_windows() {
    let folder = TempDir::new().unwrap();
    let (mut recording, model) = session(&folder, 12.0);
    // NaN on one channel for a quarter of a second, infinity at one sample, and every
    // channel constant for five seconds: covariance has no meaning there.
    recording.samples.slice_mut(s![3, 300..332]).fill(f32::NAN);
    recording.samples[(0, 700)] = f32::INFINITY;
    recording.samples.slice_mut(s![5, ..]).fill(12.5);
    let (id, log) = (id("nan"), folder.path().join("log"));
    let n_samples = recording.n_samples();
    let server = serve(recording, &id);
    let ended = end(live(&id, &model, &log));
    server.join().unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let unusable: Vec<_> =
        lines(&ended.stdout, "unusable").iter().map(|l| l["sample"].as_u64().unwrap()).collect();
    let holds = |end: u64, bad: std::ops::Range<u64>| bad.start <= end && bad.end + 255 > end;
    let ends = (255..n_samples as u64).step_by(13);
    let expected: Vec<_> =
        ends.clone().filter(|end| holds(*end, 300..332) || holds(*end, 700..701)).collect();
    assert_eq!(unusable, expected);
    // A constant channel, even a whole session of it, leaves the other windows decided.
    assert_eq!(decisions_of_log(&ended.stdout).len(), ends.count() - expected.len());
}

#[test]
fn a_stream_that_stays_constant_decides_nothing() {
    let folder = TempDir::new().unwrap();
    let (mut recording, model) = session(&folder, 8.0);
    recording.samples.fill(0.0);
    let (id, log) = (id("flat"), folder.path().join("log"));
    let server = serve(recording, &id);
    let ended = end(live(&id, &model, &log));
    server.join().unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(lines(&ended.stdout, "decision").is_empty());
    assert_eq!(lines(&ended.stdout, "unusable").len(), (8 * 128 - 256) / 13 + 1);
}

#[test]
fn names_from_the_network_steer_no_terminal() {
    let folder = TempDir::new().unwrap();
    let (mut recording, model) = session(&folder, 6.0);
    let (id, log) = (id("names"), folder.path().join("log"));
    recording.info.channels[2].label = "C3\u{1b}[2J\u{9b}31m\u{7}".into();
    let headset = Headset::switch_on(recording, &id);
    let ended = end(live(&id, &model, &log));
    let listed = run(EXE, &["streams"]);
    assert!(listed.stdout.contains(&id), "{}", listed.stdout);
    assert_harmless(&listed.stdout);
    headset.switch_off();
    assert!(message(&ended).contains("lacks 1 of the model's 8 channels"), "{}", ended.stderr);
}

/// Says what is wrong and which file it is.
fn assert_refused(path: &Path, fragment: &str) {
    let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let Err(error) = datasets::reader::open(path) else { panic!("{name} was read") };
    let error = error.to_string();
    assert!(error.contains(fragment) && error.contains(name), "{error}");
    let shown = arg(path);
    for args in [vec!["info", shown], vec!["info", "--json", shown], vec!["serve", shown]] {
        let ended = run(EXE, &args);
        assert!(message(&ended).contains(fragment), "{}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    }
}

#[test]
fn files_that_are_no_recordings_are_refused() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let sound = fs::read(data_dir.join("S001/S001R04.edf")).unwrap();
    let mut no_number = sound.clone();
    no_number[252..256].copy_from_slice(b"\x1b[3m");
    let contents: [(&str, &[u8], &str); 6] = [
        ("empty.edf", b"", "begins with"),
        ("text.edf", b"\x1b[2Jthis is no recording\n", "begins with"),
        ("head.edf", &sound[..200], "too early"),
        ("signals.edf", &sound[..1000], "too early"),
        ("no-record.edf", &sound[..17 * 256 + 256 + 100], "too early"),
        ("no-number.edf", &no_number, "header field"),
    ];
    for (name, content, fragment) in contents {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        assert_refused(&path, fragment);
    }
    assert_refused(&folder.path().join("nothing.edf"), "can't read");
    assert_refused(folder.path(), "can't read");
}

#[test]
fn malformed_recordings_are_refused_and_odd_ones_read() {
    let Some(malformed) = data::find("malformed") else { return };
    assert_refused(&malformed.join("eegmmidb_S001R04_crlf_damaged.edf"), "line endings");
    assert_refused(&malformed.join("edfize/zero-data-records.edf"), "no samples");
    assert_refused(&malformed.join("edfize/invalid-date.edf"), "no samples");
    for name in ["header_only_no_samples", "size_196608_unclosed", "zero_bytes"] {
        assert_refused(&malformed.join(format!("xdf/{name}.xdf")), "not a recording");
    }
    let ended = run(EXE, &["info", arg(&malformed.join("edfize/simulated-01.edf"))]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_harmless(&ended.stdout);
    assert!(ended.stdout.contains("EEG(sec)"), "{}", ended.stdout);
}
