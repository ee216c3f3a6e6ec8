//! The whole decision: one hop of frames through filter, window, features and decoder.
//! Ids carry pipeline, channels, rate and window: `cargo bench -p tests --bench decision`.
//! After the means comes the distribution of [`N_HOPS`] hops on one thread, because a
//! session cares for its slowest decisions, and a mean hides them.

use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::signal::{Chunk, Recording};
use acquisition::source::synthetic::{CALIBRATION_SECS, Simulator, SimulatorConfig};
use acquisition::time::SampleIndex;
use criterion::Criterion;
use datasets::split::{RunSpan, calibrate_wholly};
use decoding::evaluate::labels::{LabelRule, TaskInterval};
use decoding::evaluate::pseudo_online::{Protocol, Run, TrainOn};
use decoding::front_end::{FrontEnd, FrontEndSpec};
use decoding::pipeline::{Pipeline, built_in, demands};
use decoding::session::engine::Engine;
use decoding::session::event::Event;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// Hops of the distribution: 33 minutes of stream.
const N_HOPS: usize = 20_000;
/// What is not in the distribution: caches and branch predictors get warm.
const N_WARM_HOPS: usize = 200;
const N_CLASSES: usize = 3;

/// 64 electrodes at 160 Hz, as EEGMMIDB has them.
fn config(run_seed: u64) -> SimulatorConfig {
    SimulatorConfig { run_seed, n_channels: 64, rate_hz: 160.0, ..SimulatorConfig::default() }
}

/// An engine that decodes with `pipeline`, fitted on a simulated calibration run.
fn engine(pipeline: &Pipeline) -> Engine {
    let config = config(1);
    let recording = Simulator::record(&config, CALIBRATION_SECS).expect("a valid configuration");
    let classes = [("left_hand".to_owned(), ClassIdx(1)), ("right_hand".to_owned(), ClassIdx(2))];
    let cues = MarkerMap::new(classes).cues(&recording.markers);
    let protocol = Protocol {
        front_end: FrontEndSpec::default(),
        interval: TaskInterval { tmin_secs: 0.0, tmax_secs: config.cues.task_secs },
        label_rule: LabelRule::default(),
        train_on: TrainOn::default(),
        n_classes: N_CLASSES,
    };
    let info = recording.info.clone();
    let span = RunSpan {
        subject: 1,
        session: 0,
        n_samples: recording.n_samples() as u64,
        cue_onsets: cues.iter().map(|cue| info.rate.samples(cue.onset_secs) as u64).collect(),
    };
    let runs = [Run { recording: Arc::new(recording), cues }];
    let pipelines = std::slice::from_ref(pipeline);
    let fits = protocol.fit(&runs, &calibrate_wholly(&[span]), pipelines).expect("runs that match");
    let model = fits.into_iter().next().expect("one pipeline").expect("enough of each class");
    let demands = demands([model.pipeline()]);
    let front_end = FrontEnd::plan(&protocol.front_end, &info, info.brain_channels(), demands);
    let front_end = front_end.expect("a valid plan");
    let decoder = model.plan(&front_end, N_CLASSES).expect("a model just fitted");
    Engine::new(front_end, info.n_channels(), vec![decoder]).expect("three classes")
}

/// An endless stream, handed over hop by hop: a minute of another run, over and over,
/// with an index that goes on.
struct Hops {
    recording: Recording,
    chunk: Chunk,
    next: usize,
}

impl Hops {
    fn new(hop_samples: usize) -> Self {
        let recording = Simulator::record(&config(2), 60.0).expect("a valid configuration");
        let chunk = Chunk::new(recording.info.n_channels(), hop_samples);
        Self { recording, chunk, next: 0 }
    }

    /// The next hop.
    fn next(&mut self) -> &Chunk {
        self.chunk.restart(SampleIndex(self.next as u64));
        for _ in 0..self.chunk.capacity() {
            let column = self.recording.samples.column(self.next % self.recording.n_samples());
            self.chunk.push_frame(column.iter().copied());
            self.next += 1;
        }
        &self.chunk
    }
}

/// A warm engine and its stream.
fn session(pipeline: &Pipeline) -> (Engine, Hops) {
    let mut engine = engine(pipeline);
    let mut hops = Hops::new(16);
    for _ in 0..N_WARM_HOPS {
        engine.push(hops.next(), || 0, |_| ());
    }
    (engine, hops)
}

fn name(pipeline: &Pipeline) -> String {
    format!("decision/{}/64ch-160hz-2s", pipeline.name)
}

fn means(c: &mut Criterion) {
    for pipeline in &built_in::all() {
        let (mut engine, mut hops) = session(pipeline);
        c.bench_function(&name(pipeline), |b| {
            b.iter(|| engine.push(hops.next(), || 0, |output| _ = black_box(output)));
        });
    }
}

/// Prints how long [`N_HOPS`] pushes of one hop took, each of which decides once.
fn distributions() {
    for pipeline in &built_in::all() {
        let (mut engine, mut hops) = session(pipeline);
        let mut n_decisions = 0;
        let mut took_nanos: Vec<u128> = (0..N_HOPS)
            .map(|_| {
                let chunk = hops.next();
                let started = Instant::now();
                engine.push(
                    chunk,
                    || 0,
                    |output| {
                        n_decisions += usize::from(matches!(output.event, Event::Decision(_)));
                    },
                );
                started.elapsed().as_nanos()
            })
            .collect();
        assert_eq!(n_decisions, N_HOPS, "every hop decides once");
        took_nanos.sort_unstable();
        let micros = |rank: usize| took_nanos[rank - 1] as f64 * 1e-3;
        println!(
            "{:<34} {N_HOPS} hops: p50 {:.0} us, p99 {:.0} us, max {:.0} us",
            name(pipeline),
            micros(N_HOPS / 2),
            micros(N_HOPS * 99 / 100),
            micros(N_HOPS),
        );
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    means(&mut criterion);
    criterion.final_summary();
    // A run as a test, or one that only lists, is not for timing.
    if std::env::args().any(|arg| arg == "--bench") {
        distributions();
    }
}
