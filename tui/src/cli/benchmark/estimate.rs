//! How much memory items take, known before anything of them is computed: from the sizes of
//! the recordings and the shapes of the features.

use super::plan::{Benchmark, Mode, Set, SplitKind};
use acquisition::signal::{Recording, StreamInfo};
use decoding::evaluate::pseudo_online::{Run, TrainOn};
use decoding::front_end::step::Demand;
use decoding::front_end::{FrontEnd, FrontEndSpec};
use decoding::pipeline::{Pipeline, demands};
use decoding::window::Shape;
use rayon::current_num_threads;

/// What the runs that a place reads amount to.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// Description of one of them.
    info: Option<StreamInfo>,
    n_runs: u64,
    n_values: u64,
    n_samples: u64,
    n_cues: u64,
}

impl Extent {
    /// Counts a run too.
    pub fn add_run(&mut self, run: &Run) {
        let recording: &Recording = &run.recording;
        self.info.get_or_insert_with(|| recording.info.clone());
        self.n_runs += 1;
        self.n_samples += recording.n_samples() as u64;
        self.n_values += (recording.n_samples() * recording.info.n_channels()) as u64;
        self.n_cues += run.cues.len() as u64;
    }

    /// Counts the runs of another too.
    pub fn add(&mut self, other: &Self) {
        if self.info.is_none() {
            self.info.clone_from(&other.info);
        }
        self.n_runs += other.n_runs;
        self.n_samples += other.n_samples;
        self.n_values += other.n_values;
        self.n_cues += other.n_cues;
    }

    fn channels(&self) -> Vec<usize> {
        self.info.as_ref().map(StreamInfo::brain_channels).unwrap_or_default()
    }
}

/// What the pipelines of one place take.
pub struct Estimate {
    spec: FrontEndSpec,
    extent: Extent,
    mode: Mode,
    /// Examples that are kept at once.
    n_examples: u64,
    /// Whether labels are permuted.
    has_null: bool,
    /// Whether variables of the raw signal are measured.
    has_variables: bool,
    /// How many times all features of the examples stand in memory.
    n_whole: u64,
}

impl Estimate {
    /// Of what is computed from runs of an `extent`.
    pub fn new(
        benchmark: &Benchmark,
        (set, split, mode): (&Set, SplitKind, Mode),
        extent: Extent,
    ) -> Self {
        let (threads, file) = (current_num_threads() as u64, &benchmark.file);
        match mode {
            Mode::Offline => {
                let [tmin_secs, tmax_secs] = set.trials.interval_secs;
                let window_secs = tmax_secs - tmin_secs;
                let spec = FrontEndSpec { window_secs, ..set.trials.front_end };
                // All trials, those of a session, and what each thread trains on.
                let (n_examples, n_whole) = (extent.n_cues, 2 + threads);
                let has_null = file.offline.permutations > 0;
                let has_variables = !benchmark.variables(split).is_empty();
                Self { spec, extent, mode, n_examples, has_null, has_variables, n_whole }
            }
            Mode::PseudoOnline => {
                let online = &file.pseudo_online;
                let spec = set.selection.protocol.front_end;
                let n_calibration = match split {
                    SplitKind::WithinSession => online.calibration_runs as u64,
                    SplitKind::CrossSession | SplitKind::CrossSubject => extent.n_runs,
                };
                let share = (n_calibration as f64 / extent.n_runs.max(1) as f64).min(1.0);
                let n_examples = match online.train_on {
                    TrainOn::Windows => {
                        let rate_hz = extent.info.as_ref().map_or(1.0, |info| info.rate.hz());
                        share * extent.n_samples as f64 / (rate_hz * spec.step_secs)
                    }
                    TrainOn::Trials => share * 2.0 * extent.n_cues as f64,
                };
                // What models are fitted to; with a label null also the windows that all
                // permutations share, and what each thread fits to.
                let has_null = online.permutations > 0;
                let n_whole = if has_null { 2 + threads } else { 1 };
                let (n_examples, has_variables) = (n_examples.ceil() as u64, false);
                Self { spec, extent, mode, n_examples, has_null, has_variables, n_whole }
            }
        }
    }

    /// Bytes that computing `pipelines` together takes.
    pub fn bytes(&self, pipelines: &[&Pipeline]) -> u64 {
        let wanted = demands(pipelines.iter().copied());
        let of_demand = |demand: &Demand| 8 * self.n_values(demand);
        let all: u64 = wanted.as_slice().iter().map(of_demand).sum();
        let largest = wanted.as_slice().iter().map(of_demand).max().unwrap_or(0);
        // Every fit under way makes something new of the examples that it sees, at most as
        // large; a null's fits are under way on all threads, and keep as much besides.
        let threads = current_num_threads() as u64;
        let n_fits = if self.has_null { 2 * threads } else { threads.min(pipelines.len() as u64) };
        let own = n_fits * largest;
        let bytes =
            self.recordings(wanted.as_slice()) + self.n_examples * (self.n_whole * all + own);
        // What nobody counts: the program itself, and what an allocator does not give back.
        bytes + bytes / 8
    }

    /// Samples are of four bytes; offline, of eight at every stage of one run's filters.
    fn recordings(&self, wanted: &[Demand]) -> u64 {
        let n_stages: usize = wanted.iter().map(|demand| demand.signal.len() + 1).sum();
        let longest = self.extent.n_values.div_ceil(self.extent.n_runs.max(1));
        let filtered = if self.mode == Mode::Offline { 8 * longest * n_stages as u64 } else { 0 };
        let measured = if self.has_variables { 16 * longest } else { 0 };
        4 * self.extent.n_values + filtered + measured
    }

    /// Values of one example's feature. Where that can't be planned before the signal steps
    /// have learned, a matrix of all channels.
    fn n_values(&self, demand: &Demand) -> u64 {
        let picks = self.extent.channels();
        let n_channels = picks.len() as u64;
        let wanted = std::iter::once(demand.clone()).collect();
        let plan = |info| FrontEnd::plan(&self.spec, info, picks, wanted).ok();
        match self.extent.info.as_ref().and_then(plan).map(|planned| planned.shape(0)) {
            Some(Shape::Matrices { n_bands, n_rows }) => (n_bands * n_rows * n_rows) as u64,
            Some(Shape::Vector(n)) => n as u64,
            Some(Shape::Samples { n_bands, n_channels, n_samples }) => {
                (n_bands * n_channels * n_samples) as u64
            }
            None => n_channels * n_channels,
        }
    }
}
