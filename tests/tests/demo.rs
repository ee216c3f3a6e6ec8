//! What the demo promises, in compressed time: the same head, calibration, pipeline and
//! running score as `mindloop demo --seed N`, without the waiting.

use acquisition::source::synthetic::{DEFAULT_SEPARABILITY, SimulatorConfig};
use decoding::evaluate::labels::LabelRule;
use decoding::evaluate::pseudo_online::grid_position;
use decoding::evaluate::running::{RunningScore, SETTLE_SECS, ScoreSummary};
use decoding::evaluate::score::{Idle, ScoreOptions, WindowRecord, score};
use decoding::metric::itr::ItrOptions;
use decoding::pipeline::built_in;
use decoding::session::event::Event;
use std::thread;
use tests::world;
use tui::cli::live::calibrate;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
/// Length of the sessions.
const SESSION_SECS: f64 = 180.0;

/// A session of three minutes.
struct Session {
    /// What the dashboard shows at its end.
    shown: ScoreSummary,
    /// Its decisions with their true classes.
    records: Vec<WindowRecord>,
    options: ScoreOptions,
}

fn session(seed: u64, separability: f64) -> Session {
    let config = SimulatorConfig {
        head_seed: seed,
        run_seed: 2 * seed,
        separability,
        ..SimulatorConfig::default()
    };
    let model = calibrate(&config, &built_in::ts_lr()).expect("a calibration of every class");
    let run_seed = config.run_seed + 1;
    let run = world::simulate(&SimulatorConfig { run_seed, ..config }, SESSION_SECS);
    let info = &run.recording.info;
    let options = ScoreOptions {
        n_classes: model.classes.len(),
        window: model.front_end.window(info.rate).expect("a window that fits"),
        rate: info.rate,
        interval: model.interval,
        label_rule: LabelRule::default(),
        idle: Idle::Include,
        itr: ItrOptions::default(),
        dwell_windows: 3,
    };
    let labels = world::protocol().window_labels(&run).expect("a window that fits");
    let mut running = RunningScore::new(options, SETTLE_SECS);
    run.cues.iter().for_each(|cue| running.push_cue(*cue));
    let mut records = Vec::new();
    let mut engine = model.plan(info).expect("the stream the model was made for");
    for output in world::outputs(&mut engine, &world::cut(&run.recording, &[64])) {
        if let Event::Decision(decision) = output.event {
            running.push_decision(decision);
            let truth = labels[grid_position(decision.end, options.window)];
            records.push(WindowRecord { run: seed as u32, end: decision.end, truth, decision });
        }
    }
    running.finish();
    Session { shown: running.summary(), records, options }
}

/// One session per seed, side by side.
fn sessions(separability: f64) -> Vec<Session> {
    thread::scope(|scope| {
        let start = |seed| scope.spawn(move || session(seed, separability));
        let threads: Vec<_> = SEEDS.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn the_default_separability_is_decoded_well() {
    for (seed, session) in SEEDS.iter().zip(sessions(DEFAULT_SEPARABILITY)) {
        let nmcc = session.shown.nmcc.unwrap();
        println!("seed {seed}: nMCC {nmcc:.3}, interval {:?}", session.shown.interval);
        assert!(nmcc >= 0.75, "seed {seed}: {nmcc}");
        assert_eq!(session.shown.confusion, score(&session.records, &session.options).confusion);
    }
}

/// A 95 % interval misses the truth now and then even where everything is right; ours,
/// being somewhat narrow, did so for 7 of the seeds 1 to 60 (mean nMCC 0.501). Of the
/// five seeds here, seed 1 misses: its interval begins at 0.5005. So what is asserted is
/// that all seeds but at most one hold 0.5 by themselves, and that the five sessions
/// together, five times as much data, do.
#[test]
fn without_separability_nothing_is_decoded() {
    let sessions = sessions(0.0);
    let mut n_holding = 0;
    for (seed, session) in SEEDS.iter().zip(&sessions) {
        let interval = session.shown.interval.unwrap();
        println!("seed {seed}: nMCC {:?}, interval {interval:?}", session.shown.nmcc);
        n_holding += usize::from(interval.contains(0.5));
    }
    let records: Vec<_> = sessions.iter().flat_map(|s| s.records.iter().copied()).collect();
    let pooled = score(&records, &sessions[0].options);
    println!("pooled: nMCC {}, interval {:?}", pooled.nmcc, pooled.interval);
    assert!(n_holding + 1 >= SEEDS.len(), "{n_holding} of {} intervals hold 0.5", SEEDS.len());
    assert!(pooled.interval.unwrap().contains(0.5), "{:?}", pooled.interval);
}
