use super::*;
use crate::fixture::session;
use crate::runtime::sinks::Target;
use acquisition::health::Health;
use acquisition::marker::{ClassIdx, Marker};
use acquisition::text::InlineText;
use acquisition::time::SampleIndex;
use crossbeam_channel::unbounded;
use decoding::session::event::{Decision, Posterior};
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex};

/// A task of 4 s from the cue on, at 250 Hz, in windows of 2 s.
fn facts() -> Facts {
    let session = session();
    Facts {
        rate: session.info.rate,
        info: session.info,
        classes: session.class_names,
        pipeline: "ts+lr".into(),
        window: session.window,
        interval: TaskInterval { tmin_secs: 0.0, tmax_secs: 4.0 },
        markers: MarkerMap::new([("left".to_owned(), ClassIdx(1))]),
        model_sha256: String::new(),
        simulated: true,
        mode: Mode::Demo,
    }
}

fn shared() -> Shared {
    Shared::new(Arc::new(Health::default()))
}

fn decision(end: u64) -> Output {
    let posterior = Posterior::try_from(vec![0.5, 0.3, 0.2]).unwrap();
    let event = Event::Decision(Decision { end: SampleIndex(end), posterior });
    Output { decoder_idx: 0, event, took_nanos: 1 }
}

fn marker(text: &str, onset_secs: f64) -> Output {
    let marker = Marker { onset_secs, duration_secs: 0.0, text: InlineText::new(text) };
    Output { decoder_idx: 0, event: Event::Marker(marker), took_nanos: 0 }
}

/// Runs a recorder on these events, to these sinks.
fn record(events: &[Output], sinks: Sinks, shared: &Shared) -> Summary {
    let (tell, hear) = unbounded();
    for event in events {
        tell.send(*event).unwrap();
    }
    drop(tell);
    run(facts(), &hear, sinks, None, shared)
}

#[test]
fn cues_among_settled_windows_are_late() {
    // Settled is what lies 125 samples (0.5 s) before the latest decision: sample 1000.
    let rate = 250.0;
    for (text, onset, n_late) in [
        ("left", 1000.0, 1),
        ("left", 1001.0, 0),
        ("left", 1200.0, 0),
        ("left", 3.0, 1),
        ("left", f64::NAN, 0),
        ("other", 3.0, 0),
    ] {
        let shared = shared();
        record(&[decision(1125), marker(text, onset / rate)], Sinks::default(), &shared);
        assert_eq!(shared.health.snapshot().n_late_markers, n_late, "{text} at {onset}");
    }
}

#[test]
fn before_windows_are_settled_no_cue_is_late() {
    let shared = shared();
    record(&[marker("left", 0.0), decision(124), marker("left", 0.0)], Sinks::default(), &shared);
    assert_eq!(shared.health.snapshot().n_late_markers, 0);
}

/// Standard output whose reader has left.
struct Abandoned;

impl Write for Abandoned {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Err(ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_reader_that_leaves_ends_the_session_without_failure() {
    let shared = shared();
    let mut sinks = Sinks::default();
    sinks.add(Target::StandardOutput, Abandoned);
    let summary = record(&[decision(499)], sinks, &shared);
    assert!(shared.is_stopping());
    assert_eq!((summary.n_decisions, summary.log_failure), (1, None));
}

/// A log in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_last_line_says_why_the_session_failed() {
    for (failure, said) in [(None, "null"), (Some("the cable"), "\"the cable\"")] {
        let (shared, memory) = (shared(), Memory::default());
        if let Some(failure) = failure {
            shared.failed(&anyhow::anyhow!(failure));
        }
        let mut sinks = Sinks::default();
        sinks.add(Target::Log("log".into()), memory.clone());
        let summary = record(&[decision(499)], sinks, &shared);
        assert!(summary.simulated && !shared.is_stopping());
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((&last["line"], last["failure"].to_string().as_str()), (&"end".into(), said));
    }
}
