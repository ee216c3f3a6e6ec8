//! `mindloop live` and `mindloop demo`: sessions on LSL streams. The demo differs in
//! that its headset is simulated, in this process, and is found like any other.

use super::args::{DemoArgs, LiveArgs};
use super::conclude::{check, conclude};
use super::data::span;
use super::pipelines::{decided, model};
use super::text::note;
use super::train::{Naming, fit_model};
use crate::app::Mode;
use crate::runtime::{self, Outputs, Setup};
use acquisition::health::Health;
use acquisition::lsl::outlet::{Board, ServeOptions};
use acquisition::lsl::resolve::Query;
use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::ring::Overflow;
use acquisition::source::Source as _;
use acquisition::source::lsl::{LslOptions, LslSource, Markers};
use acquisition::source::synthetic::{CALIBRATION_SECS, Simulator, SimulatorConfig};
use anyhow::{Context as _, Result, ensure};
use datasets::split::calibrate_wholly;
use decoding::evaluate::labels::{LabelRule, TaskInterval};
use decoding::evaluate::pseudo_online::{Protocol, Run, TrainOn};
use decoding::front_end::FrontEndSpec;
use models::checkpoint::Model;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Frames a chunk of a live session holds at most.
const CHUNK_FRAMES: usize = 512;

/// Runs `mindloop live`.
pub fn run(args: &LiveArgs) -> Result<ExitCode> {
    let timeout = seconds(args.timeout, "--timeout")?;
    let outputs = args.output.outputs();
    check(&outputs)?;
    let model = model(&args.model, args.decision.as_deref(), &args.device.device)?;
    let markers = match &args.markers {
        Some(text) => Markers::Query(Query::parse(text)?),
        None => Markers::Companion,
    };
    let options = LslOptions { stream: Query::parse(&args.stream)?, markers, timeout };
    conclude(&session(model, &options, Mode::Live, outputs)?)
}

/// A duration from the command line.
pub fn seconds(secs: f64, option: &str) -> Result<Duration> {
    ensure!(secs > 0.0 && secs < 1e6, "{option} is a positive number of seconds");
    Ok(Duration::from_secs_f64(secs))
}

/// Opens the stream, plans, runs.
fn session(
    model: Model,
    options: &LslOptions,
    mode: Mode,
    outputs: Outputs,
) -> Result<runtime::Outcome> {
    let health = Arc::new(Health::default());
    let source = LslSource::open(options, Arc::clone(&health))?;
    let engine = model.plan(source.info())?;
    if !source.has_markers() {
        note("mindloop: no marker stream: decisions will not be scored");
    }
    runtime::run(Setup {
        source: Box::new(source),
        health,
        engine,
        model,
        overflow: Overflow::DropNewest,
        chunk_frames: CHUNK_FRAMES,
        mode,
        outputs,
    })
}

/// Runs `mindloop demo`.
pub fn demo(args: &DemoArgs) -> Result<ExitCode> {
    if let Some(secs) = args.seconds {
        seconds(secs, "--seconds")?;
    }
    let outputs = args.output.outputs();
    check(&outputs)?;
    let config = demo_config(args);
    let name = match (&args.pipeline, args.meg) {
        (Some(name), _) => name.as_str(),
        (None, false) => "ts+lr",
        (None, true) => "logvar+lda",
    };
    let pipeline = decided(name, args.decision.as_deref(), &args.device.device)?;
    note(format!("mindloop: calibrating {name} on {CALIBRATION_SECS} s of a simulated run"));
    let model = calibrate(&config, &pipeline)?;
    let session_run = SimulatorConfig { run_seed: config.run_seed + 1, ..config };
    let simulator = Simulator::new(&session_run)?;
    let mut served = ServeOptions::new(acquisition::source::Feed::info(&simulator));
    served.source_id = format!("mindloop-demo-{}", std::process::id());
    let stream = Query::parse(&format!("source_id={}", served.source_id))?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let headset = std::thread::Builder::new()
            .name("ml-board".to_owned())
            .spawn_scoped(scope, || Board::new(simulator, served)?.run(&stop))
            .context("thread ml-board")?;
        let switch = OffSwitch(&stop);
        let timeout = Duration::from_secs(10);
        let options = LslOptions { stream, markers: Markers::Companion, timeout };
        let concluded = session(model, &options, Mode::Demo, outputs).and_then(|o| conclude(&o));
        drop(switch);
        headset.join().map_err(|_| anyhow::anyhow!("thread ml-board panicked"))??;
        concluded
    })
}

/// Ends the headset when it is dropped, by a panic too: the scope waits for its thread.
struct OffSwitch<'a>(&'a AtomicBool);

impl Drop for OffSwitch<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn demo_config(args: &DemoArgs) -> SimulatorConfig {
    let mut config = if args.meg {
        SimulatorConfig::meg()
    } else {
        SimulatorConfig { n_channels: args.channels, ..SimulatorConfig::default() }
    };
    config.head_seed = args.seed;
    config.run_seed = args.seed.wrapping_mul(2);
    config.rate_hz = args.rate.unwrap_or(config.rate_hz);
    config.separability = args.separability.unwrap_or(config.separability);
    config.duration_secs = args.seconds;
    config
}

/// A model fitted on a calibration run of the head that `config` describes.
pub fn calibrate(
    config: &SimulatorConfig,
    pipeline: &decoding::pipeline::Pipeline,
) -> Result<Model> {
    let recording = Simulator::record(config, CALIBRATION_SECS)?;
    let cue_texts = ["left_hand", "right_hand"].map(str::to_owned).to_vec();
    let class = |k: usize| ClassIdx(k as u8 + 1);
    let markers = MarkerMap::new(cue_texts.iter().enumerate().map(|(k, t)| (t.clone(), class(k))));
    let cues = markers.cues(&recording.markers);
    let protocol = Protocol {
        front_end: FrontEndSpec::default(),
        interval: TaskInterval { tmin_secs: 0.0, tmax_secs: config.cues.task_secs },
        label_rule: LabelRule::default(),
        train_on: TrainOn::default(),
        n_classes: 3,
    };
    let runs = [Run { recording: Arc::new(recording), cues }];
    let calibration = calibrate_wholly(&[span(&protocol, 1, 0, &runs[0])]);
    let mut classes = vec!["idle".to_owned()];
    classes.extend(cue_texts.iter().cloned());
    fit_model(&protocol, pipeline, &runs, &calibration, Naming { classes, cue_texts })
}
