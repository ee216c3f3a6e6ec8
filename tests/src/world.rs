//! The simulated world: recordings with cues, decoders fitted to them, chunks of every
//! size, and what goes wrong: lost frames and samples that are not numbers.

use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::signal::{Chunk, Gap, Recording, StreamInfo};
use acquisition::source::Feed as _;
use acquisition::source::replay::{RecordingFeed, Repeat};
use acquisition::source::synthetic::{CLASSES, Simulator, SimulatorConfig};
use acquisition::time::SampleIndex;
use datasets::split::{Calibration, Part, RunSpan, calibrate_wholly};
use decoding::evaluate::labels::{LabelRule, TaskInterval};
use decoding::evaluate::pseudo_online::{Protocol, Run, TrainOn};
use decoding::front_end::{FrontEnd, FrontEndSpec};
use decoding::pipeline::{FittedPipeline, Pipeline, demands};
use decoding::session::engine::{Engine, Output};
use ndarray::Axis;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The defaults: idle and two hands, tasks of four seconds.
pub fn protocol() -> Protocol {
    Protocol {
        front_end: FrontEndSpec::default(),
        interval: TaskInterval { tmin_secs: 0.0, tmax_secs: 4.0 },
        label_rule: LabelRule::default(),
        train_on: TrainOn::default(),
        n_classes: CLASSES.len() + 1,
    }
}

/// A recording with the simulator's cues.
pub fn run_of(recording: Recording) -> Run {
    let entries = CLASSES.iter().zip(1..).map(|(text, k)| ((*text).to_owned(), ClassIdx(k)));
    let cues = MarkerMap::new(entries).cues(&recording.markers);
    Run { recording: Arc::new(recording), cues }
}

/// The first `secs` of a simulated run.
pub fn simulate(config: &SimulatorConfig, secs: f64) -> Run {
    run_of(Simulator::record(config, secs).expect("a valid configuration"))
}

/// The whole of `run` as calibration.
pub fn calibration(run: &Run) -> Vec<Part<Calibration>> {
    let rate = run.recording.info.rate;
    let onset = |secs: f64| rate.samples(secs).max(0) as u64;
    calibrate_wholly(&[RunSpan {
        subject: 1,
        session: 0,
        n_samples: run.n_indices() as u64,
        cue_onsets: run.cues.iter().map(|cue| onset(cue.onset_secs)).collect(),
    }])
}

/// The pipelines fitted to the whole of `run`.
pub fn fit(protocol: &Protocol, run: &Run, pipelines: &[Pipeline]) -> Vec<FittedPipeline> {
    let fits = protocol.fit(std::slice::from_ref(run), &calibration(run), pipelines);
    let fits = fits.expect("a plan that fits").into_iter();
    fits.map(|fit| fit.expect("sound examples of every class")).collect()
}

/// One engine that lets all `models` decide on streams like `info`.
pub fn engine(protocol: &Protocol, info: &StreamInfo, models: &[FittedPipeline]) -> Engine {
    let picks = info.brain_channels();
    let demands = demands(models.iter().map(FittedPipeline::pipeline));
    let front_end = FrontEnd::plan(&protocol.front_end, info, picks, demands);
    let front_end = front_end.expect("a plan that fits");
    let plan = |m: &FittedPipeline| m.plan(&front_end, protocol.n_classes).expect("a sound model");
    let decoders = models.iter().map(plan).collect();
    Engine::new(front_end, info.n_channels(), decoders).expect("few classes")
}

/// The recording in chunks of `sizes` frames, one after the other and over again.
pub fn cut(recording: &Arc<Recording>, sizes: &[usize]) -> Vec<Chunk> {
    let mut feed = RecordingFeed::new(Arc::clone(recording), Repeat::Once);
    let (mut chunks, mut markers) = (Vec::new(), Vec::new());
    for size in sizes.iter().cycle() {
        let mut chunk = Chunk::new(recording.info.n_channels(), *size);
        if !feed.read(&mut chunk, &mut markers).expect("a recording in memory") {
            break;
        }
        chunks.push(chunk);
    }
    chunks
}

/// What the engine says of the chunks. Its clock stands still, so equal is equal.
pub fn outputs<'a>(
    engine: &mut Engine,
    chunks: impl IntoIterator<Item = &'a Chunk>,
) -> Vec<Output> {
    let mut outputs = Vec::new();
    for chunk in chunks {
        engine.push(chunk, || 0, |output| outputs.push(output));
    }
    outputs
}

/// The same recording with those frames alone that `keep` keeps, the first and the last
/// among them; the others are gaps.
pub fn keeping(recording: &Recording, keep: impl Fn(usize) -> bool) -> Recording {
    let kept: Vec<usize> = (0..recording.n_samples()).filter(|s| keep(*s)).collect();
    let jump = |pair: &[usize]| Gap {
        at: SampleIndex(pair[0] as u64 + 1),
        n_missing: (pair[1] - pair[0] - 1) as u64,
    };
    let gaps = kept.windows(2).map(jump).filter(|gap| gap.n_missing > 0).collect();
    let samples = recording.samples.select(Axis(1), &kept);
    Recording { samples, gaps, ..recording.clone() }
}

/// Simulated runs 4, 8 and 12 of subject 1 in `folder`, as files and in the layout of
/// `physionet-mi`: 16 channels, 160 Hz, one minute each.
pub fn write_dataset(folder: &Path) -> PathBuf {
    write_changed_dataset(folder, |_| {})
}

/// As [`write_dataset`], of runs that were changed before they are written.
pub fn write_changed_dataset(folder: &Path, change: impl Fn(&mut Run)) -> PathBuf {
    let data_dir = folder.join("data");
    std::fs::create_dir_all(data_dir.join("S001")).expect("a writable folder");
    for (run_seed, number) in (1..).zip([4, 8, 12]) {
        let config = SimulatorConfig { run_seed, rate_hz: 160.0, ..SimulatorConfig::default() };
        let mut run = simulate(&config, 60.0);
        change(&mut run);
        let path = data_dir.join(format!("S001/S001R{number:02}.edf"));
        crate::edf::write(&path, &run.recording, &[(CLASSES[0], "T1"), (CLASSES[1], "T2")]);
    }
    data_dir
}
