//! No allocation after warm-up on the way from the source to the decision. How fast
//! that way is, the benches say.

use acquisition::health::Health;
use acquisition::marker::Marker;
use acquisition::ring::{Overflow, ring};
use acquisition::signal::Chunk;
use acquisition::source::replay::{Paced, RecordingFeed, Repeat, Speed, WallClock};
use acquisition::source::synthetic::{Simulator, SimulatorConfig};
use acquisition::source::{Feed, Pull, Source};
use acquisition::time::SampleRate;
use decoding::evaluate::pseudo_online::{Protocol, Run};
use decoding::front_end::FrontEndSpec;
use decoding::metric::latency::LatencyRecorder;
use decoding::pipeline::network::Networks;
use decoding::pipeline::{FittedPipeline, Pipeline, built_in};
use decoding::session::event::Event;
use models::decoder::Neural;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tests::alloc::{Counting, n_bytes_kept, n_calls};
use tests::{examples, world};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Frames of a chunk: a fifth of a second.
const CHUNK_FRAMES: usize = 32;
/// Long enough for every buffer to be full and each window to have been decided often.
const WARM_UP_SECS: f64 = 4.0;

/// The size of the promise: 64 channels at 160 Hz.
fn config() -> SimulatorConfig {
    SimulatorConfig { n_channels: 64, rate_hz: 160.0, ..SimulatorConfig::default() }
}

/// A run, and models of windows of it.
type Fixture = (Run, Vec<FittedPipeline>);

/// A simulated run and the reference pipelines fitted to it.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| fitted(&config(), &built_in::reference()))
}

/// Pipelines that use every step there is.
fn every_step() -> Vec<Pipeline> {
    examples::with_built_in(SampleRate::new(config().rate_hz).expect("a positive rate"))
}

/// The other pipelines on 16 channels: what is fitted to covariances of delayed copies or
/// of many bands takes minutes with 64.
fn smaller_fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let is_other = |p: &Pipeline| !built_in::REFERENCE.contains(&p.name.as_str());
        let others: Vec<_> = every_step().into_iter().filter(is_other).collect();
        fitted(&SimulatorConfig { n_channels: 16, ..config() }, &others)
    })
}

/// A simulated run and the pipelines fitted to windows two to a second of it.
fn fitted(config: &SimulatorConfig, pipelines: &[Pipeline]) -> Fixture {
    let run = world::simulate(config, 40.0);
    let front_end = FrontEndSpec { step_secs: 0.5, ..FrontEndSpec::default() };
    let sparse = Protocol { front_end, ..world::protocol() };
    let models = world::fit(&sparse, &run, pipelines);
    (run, models)
}

/// How often the allocator is called while `model` decides, after warm-up.
fn calls_while_deciding(run: &Run, model: &FittedPipeline) -> u64 {
    let models = std::slice::from_ref(model);
    let mut engine = world::engine(&world::protocol(), &run.recording.info, models);
    let chunks = world::cut(&run.recording, &[CHUNK_FRAMES, 1, 7]);
    let rate_hz = run.recording.info.rate.hz();
    let is_early = |chunk: &&Chunk| chunk.end().0 as f64 <= WARM_UP_SECS * rate_hz;
    let n_early = chunks.iter().take_while(is_early).count();
    let (mut latency, mut n_decisions) = (LatencyRecorder::new(), 0);
    let mut push = |chunk: &Chunk| {
        engine.push(
            chunk,
            || 0,
            |output| {
                n_decisions += u32::from(matches!(output.event, Event::Decision(_)));
                latency.record(output.took_nanos);
            },
        );
    };
    chunks[..n_early].iter().for_each(&mut push);
    let n_calls = n_calls(|| chunks[n_early..].iter().for_each(&mut push));
    // 40 s, a window every 0.1 s from 2 s on.
    assert_eq!(n_decisions, 381, "every window was decided");
    n_calls
}

#[test]
fn the_allocator_counts() {
    assert!(n_calls(|| drop(std::hint::black_box(vec![0_u8; 100]))) >= 2);
    assert_eq!(n_calls(|| {}), 0);
    let mut kept = Vec::new();
    assert_eq!(n_bytes_kept(|| kept = vec![0_u8; 100]), 100);
    assert_eq!(n_bytes_kept(|| drop(std::hint::black_box(vec![0_u8; 100]))), 0);
    drop(kept);
}

#[test]
fn deciding_allocates_nothing() {
    let mut n_pipelines = 0;
    for (run, models) in [fixture(), smaller_fixture()] {
        for model in models {
            assert_eq!(calls_while_deciding(run, model), 0, "{}", model.pipeline().name);
            n_pipelines += 1;
        }
    }
    assert_eq!(n_pipelines, every_step().len());
    // Layers of a network are new at every window: see the next test.
    assert_eq!(examples::missing_steps(&every_step()), BTreeSet::from(["network"]));
}

/// What a network's layers take for a window, they give back before the next.
#[test]
fn a_network_keeps_nothing_of_a_window() {
    let text = "name = \"small\"\n[[steps]]\nstep = \"band_pass\"\n[[steps]]\nstep = \
                \"samples\"\n[[steps]]\nstep = \"network\"\nkind = \"eegnet\"\ntraining = { \
                n_epochs = 1 }\n";
    let networks: Arc<dyn Networks> = Arc::new(Neural::default());
    let pipeline = Pipeline::from_toml(text).unwrap().with_networks(&networks).unwrap();
    let (run, models) = fitted(&SimulatorConfig { n_channels: 16, ..config() }, &[pipeline]);
    let mut engine = world::engine(&world::protocol(), &run.recording.info, &models);
    let chunks = world::cut(&run.recording, &[CHUNK_FRAMES]);
    let mut n_decisions = 0;
    let mut push = |chunk: &Chunk| {
        let mut count = |event| n_decisions += u32::from(matches!(event, Event::Decision(_)));
        engine.push(chunk, || 0, |output| count(output.event));
    };
    let (early, late) = chunks.split_at(chunks.len() / 2);
    early.iter().for_each(&mut push);
    assert_eq!(n_bytes_kept(|| late.iter().for_each(&mut push)), 0);
    assert_eq!(n_decisions, 381, "every window was decided");
}

#[test]
fn handing_over_allocates_nothing() {
    let (run, _) = fixture();
    let n_channels = run.recording.info.n_channels();
    let mut feed = RecordingFeed::new(Arc::clone(&run.recording), Repeat::Forever);
    let (mut writer, mut reader) = ring(n_channels, 4 * CHUNK_FRAMES, 64, Overflow::DropNewest);
    let (mut chunk, mut popped) = (Chunk::new(n_channels, CHUNK_FRAMES), Chunk::new(n_channels, 7));
    let (mut markers, mut heard) = (Vec::with_capacity(64), Vec::with_capacity(64));
    let (health, mut n_frames, mut n_markers) = (Health::default(), 0, 0);
    let mut hand_over = || {
        markers.clear();
        heard.clear();
        feed.read(&mut chunk, &mut markers).expect("a recording in memory");
        health.arrived(&chunk, 1);
        health.pushed(&writer.push(&chunk, &markers));
        while reader.pop(&mut popped, &mut heard) > 0 {
            n_frames += popped.n_frames();
        }
        n_markers += heard.len();
        let _ = health.snapshot();
    };
    hand_over();
    let n_calls = n_calls(|| (0..2000).for_each(|_| hand_over()));
    assert_eq!(n_calls, 0);
    assert_eq!(health.snapshot().n_received, n_frames as u64);
    assert!(n_markers > 10, "{n_markers} markers passed");
}

/// How often the allocator is called by 500 pulls after the first 20.
fn calls_while_pulling(source: &mut dyn Source) -> u64 {
    let mut chunk = Chunk::new(source.info().n_channels(), CHUNK_FRAMES);
    let mut markers: Vec<Marker> = Vec::with_capacity(1024);
    let mut pull = || {
        let pull = source.pull(&mut chunk, &mut markers, Duration::from_millis(50));
        assert!(matches!(pull, Ok(Pull::Data | Pull::Idle)));
    };
    (0..20).for_each(|_| pull());
    n_calls(|| (0..500).for_each(|_| pull()))
}

#[test]
fn pulling_allocates_nothing() {
    let (run, _) = fixture();
    // Faster than any machine can play it, so that no pull waits for long.
    for speed in [Speed::Max, Speed::RealTime(1e4)] {
        let recording = RecordingFeed::new(Arc::clone(&run.recording), Repeat::Forever);
        let simulator = Simulator::new(&config()).unwrap();
        let feeds: [Box<dyn Feed>; 2] = [Box::new(recording), Box::new(simulator)];
        for feed in feeds {
            let mut source = Paced::new(feed, speed, CHUNK_FRAMES, Box::<WallClock>::default());
            assert_eq!(calls_while_pulling(&mut source), 0, "{speed:?}");
        }
    }
}
