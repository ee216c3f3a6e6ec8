//! Decisions do not depend on how the stream was cut, nor on anything that comes later:
//! bit for bit, for every pipeline.

use acquisition::marker::Marker;
use acquisition::ring::{Overflow, ring};
use acquisition::signal::{Chunk, Recording};
use acquisition::source::synthetic::SimulatorConfig;
use acquisition::time::SampleIndex;
use decoding::evaluate::pseudo_online::Run;
use decoding::pipeline::{FittedPipeline, Memory};
use decoding::session::engine::{Engine, Output};
use decoding::session::event::Event;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use tests::{examples, world};

const RATE_HZ: usize = 100;
const WINDOW: usize = 2 * RATE_HZ;
const STEP: usize = RATE_HZ / 10;
const N_FRAMES: usize = 8 * RATE_HZ;

/// Pipelines of every step, fitted, eight seconds of another run of the same head, and what a
/// single push of them all gives.
struct Fixture {
    models: Vec<FittedPipeline>,
    run: Run,
    whole: Vec<Output>,
}

impl Fixture {
    fn engine(&self) -> Engine {
        world::engine(&world::protocol(), &self.run.recording.info, &self.models)
    }

    fn outputs_of(&self, recording: Recording, sizes: &[usize]) -> Vec<Output> {
        world::outputs(&mut self.engine(), &world::cut(&Arc::new(recording), sizes))
    }
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let config = SimulatorConfig {
            n_channels: 8,
            rate_hz: RATE_HZ as f64,
            ..SimulatorConfig::default()
        };
        let calibration = world::simulate(&config, 60.0);
        let pipelines = examples::with_built_in(calibration.recording.info.rate);
        let models = world::fit(&world::protocol(), &calibration, &pipelines);
        let session = SimulatorConfig { run_seed: 2, ..config };
        let run = world::simulate(&session, (N_FRAMES / RATE_HZ) as f64);
        let mut fixture = Fixture { models, run, whole: Vec::new() };
        fixture.whole = fixture.outputs_of(fixture.recording(), &[N_FRAMES]);
        fixture
    })
}

impl Fixture {
    fn recording(&self) -> Recording {
        (*self.run.recording).clone()
    }
}

/// Index of the window's last sample, for decisions and unusable windows.
fn window_end(output: &Output) -> Option<u64> {
    match output.event {
        Event::Decision(decision) => Some(decision.end.0),
        Event::Unusable { end } => Some(end.0),
        Event::Discontinuity { .. } | Event::Marker(_) => None,
    }
}

fn is_decision(output: &Output) -> bool {
    matches!(output.event, Event::Decision(_))
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..WINDOW * 2, 1..12)
}

/// The outputs of chunks that pass a ring of `capacity` frames between pushes and pops
/// of their own sizes.
fn through_ring(fixture: &Fixture, chunks: &[Chunk], capacity: usize, pop: usize) -> Vec<Output> {
    let n_channels = fixture.run.recording.info.n_channels();
    let (mut writer, mut reader) = ring(n_channels, capacity, 4, Overflow::Wait);
    let (mut chunk, mut markers): (_, Vec<Marker>) = (Chunk::new(n_channels, pop), Vec::new());
    let (mut engine, mut outputs) = (fixture.engine(), Vec::new());
    for pushed in chunks {
        let mut n_done = 0;
        while n_done < pushed.n_frames() {
            n_done += writer.push_rest(pushed, n_done, &[]).n_frames;
            while reader.pop(&mut chunk, &mut markers) > 0 {
                engine.push(&chunk, || 0, |output| outputs.push(output));
            }
        }
    }
    outputs
}

#[test]
fn every_window_is_decided_by_every_pipeline() {
    let outputs = &fixture().whole;
    assert_eq!(outputs.len(), fixture().models.len() * ((N_FRAMES - WINDOW) / STEP + 1));
    assert!(outputs.iter().all(is_decision));
}

proptest! {
    // Each case decides some hundred windows, each by every pipeline.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_decisions(sizes in sizes()) {
        let fixture = fixture();
        prop_assert_eq!(&fixture.outputs_of(fixture.recording(), &sizes), &fixture.whole);
    }

    #[test]
    fn any_ring_gives_the_same_decisions(
        sizes in sizes(),
        capacity in 1..300_usize,
        pop in 1..300_usize,
    ) {
        let fixture = fixture();
        let chunks = world::cut(&fixture.run.recording, &sizes);
        prop_assert_eq!(&through_ring(fixture, &chunks, capacity, pop), &fixture.whole);
    }

    #[test]
    fn the_future_changes_nothing(n in 0..N_FRAMES, sizes in sizes(), value in any::<f32>()) {
        let fixture = fixture();
        let mut other = fixture.recording();
        other.samples.slice_mut(ndarray::s![.., n + 1..]).fill(value);
        let is_past = |output: &&Output| window_end(output).is_some_and(|end| end <= n as u64);
        let expected: Vec<_> = fixture.whole.iter().filter(is_past).collect();
        let outputs = fixture.outputs_of(other, &sizes);
        prop_assert_eq!(outputs.iter().filter(is_past).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn after_a_gap_the_engine_is_as_new(
        at in 1..N_FRAMES - 200,
        n_missing in 1..150_usize,
        sizes in sizes(),
    ) {
        let fixture = fixture();
        let whole = fixture.recording();
        let outputs = fixture.outputs_of(world::keeping(&whole, |s| !(at..at + n_missing).contains(&s)), &sizes);
        let (before, after): (Vec<_>, Vec<_>) =
            outputs.into_iter().partition(|o| window_end(o).is_some_and(|end| end < at as u64));
        let expected = fixture.whole.iter().filter(|o| window_end(o).is_some_and(|end| end < at as u64));
        prop_assert_eq!(before.iter().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        // An engine that never saw what was before the gap says the same.
        let resumed = at + n_missing;
        let mut chunk = Chunk::new(whole.info.n_channels(), N_FRAMES);
        chunk.restart(SampleIndex(resumed as u64));
        for column in whole.samples.columns().into_iter().skip(resumed) {
            chunk.push_frame(column.iter().copied());
        }
        let anew = world::outputs(&mut fixture.engine(), [&chunk]);
        let n_gaps = after.iter().filter(|o| window_end(o).is_none()).count();
        prop_assert_eq!(n_gaps, fixture.models.len());
        let is_right = |o: &Output| match o.event {
            Event::Discontinuity { at, n_missing: n } => {
                at.0 == resumed as u64 && n == n_missing as u64
            }
            _ => true,
        };
        prop_assert!(after.iter().all(is_right));
        // What a decoder learned from windows before the gap it does not forget in it.
        let is_memoryless =
            |o: &Output| fixture.models[o.decoder_idx].pipeline().memory() == Memory::Memoryless;
        let windows = |outputs: Vec<Output>| -> Vec<Output> {
            outputs.into_iter().filter(|o| window_end(o).is_some() && is_memoryless(o)).collect()
        };
        let first = resumed.div_ceil(STEP) * STEP + WINDOW - 1;
        let after = windows(after);
        prop_assert!(after.first().is_none_or(|o| window_end(o) == Some(first as u64)));
        prop_assert_eq!(after.is_empty(), first >= N_FRAMES);
        prop_assert_eq!(after, windows(anew));
    }

    #[test]
    fn a_sample_that_is_no_number_costs_its_windows_alone(
        channel in 0..8_usize,
        at in 0..N_FRAMES,
        value in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY]),
        sizes in sizes(),
    ) {
        let fixture = fixture();
        let mut damaged = fixture.recording();
        damaged.samples[(channel, at)] = value;
        let outputs = fixture.outputs_of(damaged, &sizes);
        prop_assert_eq!(outputs.len(), fixture.whole.len());
        for output in &outputs {
            let end = window_end(output).expect("windows alone") as usize;
            let holds_it = (end + 1 - WINDOW..=end).contains(&at);
            prop_assert_eq!(is_decision(output), !holds_it, "window that ends at {}", end);
            if let Event::Decision(decision) = output.event {
                let sum: f64 = decision.posterior.as_slice().iter().sum();
                // Three numbers that were divided by their sum.
                prop_assert!((sum - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn every_window_is_accounted_for(
        gaps in prop::collection::vec((1..N_FRAMES / 2, 1..60_usize), 0..4),
        bad in prop::collection::vec(0..N_FRAMES, 0..3),
        sizes in sizes(),
    ) {
        let fixture = fixture();
        let mut damaged = fixture.recording();
        for at in &bad {
            damaged.samples[(0, *at)] = f32::NAN;
        }
        let is_missing = |s: usize| gaps.iter().any(|(at, n)| (*at..at + n).contains(&s));
        let recording = world::keeping(&damaged, |s| !is_missing(s));
        let outputs = fixture.outputs_of(recording, &sizes);
        // A window of the grid is reported where nothing of it is missing, and decided
        // where all of it is sound.
        let starts = (0..=N_FRAMES - WINDOW).step_by(STEP);
        let complete: Vec<_> =
            starts.filter(|start| !(*start..start + WINDOW).any(is_missing)).collect();
        let is_sound = |start: &usize| !bad.iter().any(|at| (*start..start + WINDOW).contains(at));
        let expected: Vec<_> =
            complete.iter().map(|start| ((start + WINDOW - 1) as u64, is_sound(start))).collect();
        let of_first = outputs.iter().filter(|o| o.decoder_idx == 0);
        let reported: Vec<_> =
            of_first.filter_map(|o| Some((window_end(o)?, is_decision(o)))).collect();
        prop_assert_eq!(reported, expected);
    }
}
