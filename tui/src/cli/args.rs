//! The command line as data. Nothing is done here; values are checked where they are
//! used, by the package that knows them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Decode EEG and MEG live, replay recordings, score decoders honestly.
///
/// Research software, not a medical device.
#[derive(Debug, Parser)]
#[command(name = "mindloop", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One capability each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decode a simulated headset, live, on this machine
    Demo(DemoArgs),
    /// List the LSL streams on the network
    Streams(StreamsArgs),
    /// Play a recording (or the simulator) as an LSL headset
    Serve(ServeArgs),
    /// Say what is in a recording
    Info(InfoArgs),
    /// Fetch a catalogued dataset, with resume and checksums
    Download(DownloadArgs),
    /// Score pipelines on a dataset, pseudo-online
    Evaluate(EvaluateArgs),
    /// Compare pipelines by a plan, offline and pseudo-online, each held against chance
    Benchmark(BenchmarkArgs),
    /// Put the results of a benchmark's parts together
    Merge(MergeArgs),
    /// List the pipelines there are, or print one as TOML
    Pipelines(PipelinesArgs),
    /// Fit one pipeline and write a model file
    Train(TrainArgs),
    /// List the devices that networks can be computed on
    Devices,
    /// Run every network on a device and say how far it is from the CPU
    VerifyDevice(VerifyDeviceArgs),
    /// Run a model on a recording
    Replay(ReplayArgs),
    /// Run a model on an LSL stream
    Live(LiveArgs),
}

/// `mindloop demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How well the classes can be told apart, 0 (not at all) to 1
    #[arg(long)]
    pub separability: Option<f64>,
    /// Electrodes, 8 to 64
    #[arg(long, default_value_t = 16, conflicts_with = "meg")]
    pub channels: usize,
    /// Sampling rate in hertz [default: 250, with --meg 1000]
    #[arg(long)]
    pub rate: Option<f64>,
    /// A MEG helmet (102 magnetometers, 204 gradiometers) instead of EEG
    #[arg(long)]
    pub meg: bool,
    /// Seed of head and noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Pipeline to decode with, a name or a TOML file [default: ts+lr, with --meg logvar+lda]
    #[arg(long)]
    pub pipeline: Option<String>,
    /// How posteriors become decisions: `raw`, `smoothed[:SECS]` or `dwell[:WINDOWS[:PAUSE_SECS]]`
    /// [default: as the pipeline says]
    #[arg(long, value_name = "POLICY")]
    pub decision: Option<String>,
    /// Stop after this many seconds [default: when told to]
    #[arg(long)]
    pub seconds: Option<f64>,
    #[command(flatten)]
    /// Where decisions go.
    pub output: OutputArgs,
    #[command(flatten)]
    /// Where networks are computed.
    pub device: DeviceArgs,
}

/// Where the decisions of a session go.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// No dashboard: JSON lines on standard output
    #[arg(long)]
    pub headless: bool,
    /// Also write the JSON lines to this file (never over an existing one)
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Publish posteriors and decisions as LSL streams of this name
    #[arg(long, value_name = "NAME")]
    pub publish: Option<String>,
    /// No colour on screen (also: the variable `NO_COLOR`)
    #[arg(long)]
    pub no_color: bool,
    /// Only ASCII on screen
    #[arg(long)]
    pub ascii: bool,
}

/// `mindloop streams`
#[derive(Debug, Args)]
pub struct StreamsArgs {
    /// Seconds to listen
    #[arg(long, default_value_t = 1.5)]
    pub timeout: f64,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `mindloop serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The recording, or `simulator`
    pub recording: PathBuf,
    /// Times real time
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// Begin anew at the end, for ever
    #[arg(long = "loop")]
    pub repeat: bool,
    /// Do not wait for a consumer before the first sample
    #[arg(long)]
    pub no_wait: bool,
    /// Name of the stream [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Its `source_id` [default: made from the name]
    #[arg(long)]
    pub source_id: Option<String>,
}

/// `mindloop info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The recording
    pub file: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `mindloop download`
#[derive(Debug, Args)]
pub struct DownloadArgs {
    /// Dataset, for example `physionet-mi`
    pub dataset: String,
    /// Subjects: `1-10` or `1,2,88`
    #[arg(long)]
    pub subjects: String,
    /// Runs by number, separated by commas [default: all]
    #[arg(long, value_delimiter = ',')]
    pub runs: Option<Vec<u32>>,
    /// Folder to keep the files in [default: the cache folder of this user]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Another server with the same paths
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
}

/// Which recordings of a dataset, cut into which windows: shared by `evaluate` and `train`.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Dataset, for example `physionet-mi`
    pub dataset: String,
    /// Folder with the files [default: where `download` keeps them]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Task classes, idle aside
    #[arg(long, value_delimiter = ',', default_value = "left_hand,right_hand")]
    pub classes: Vec<String>,
    /// The executed runs instead of the imagined ones
    #[arg(long)]
    pub executed: bool,
    /// Lower edge of the band-pass in hertz
    #[arg(long, default_value_t = 8.0, value_name = "HZ")]
    pub low: f64,
    /// Upper edge of the band-pass in hertz
    #[arg(long, default_value_t = 30.0, value_name = "HZ")]
    pub high: f64,
    /// Order of the band-pass prototype
    #[arg(long, default_value_t = 4)]
    pub order: usize,
    /// Window length in seconds
    #[arg(long, default_value_t = 2.0, value_name = "SECS")]
    pub window: f64,
    /// Window step in seconds
    #[arg(long, default_value_t = 0.1, value_name = "SECS")]
    pub step: f64,
    /// Label of a window with samples of several classes
    #[arg(long, value_enum, default_value_t = LabelRuleArg::Majority)]
    pub label_rule: LabelRuleArg,
    /// What a decoder is fitted on
    #[arg(long, value_enum, default_value_t = TrainOnArg::Windows)]
    pub train_on: TrainOnArg,
    /// How many of a session's first runs calibrate
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub calibration_runs: usize,
}

/// `mindloop evaluate`
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    /// Which recordings and windows.
    pub data: DataArgs,
    /// Subjects: `1-10` or `1,2,88`
    #[arg(long)]
    pub subjects: String,
    /// Pipelines: names (see `mindloop pipelines`) and TOML files
    #[arg(long, value_delimiter = ',', default_value = "mdm,ts+lr,csp+lda,logvar+lda,psd+lda")]
    pub pipelines: Vec<String>,
    /// Who calibrates for whom
    #[arg(long, value_enum, default_value_t = SplitArg::WithinSession)]
    pub split: SplitArg,
    /// Whether idle is scored as a class
    #[arg(long, value_enum, default_value_t = IdleArg::Include)]
    pub idle: IdleArg,
    /// Probability of a right decision in the ITR
    #[arg(long, value_enum, default_value_t = ItrPArg::BalancedAccuracy)]
    pub itr_p: ItrPArg,
    /// Time of a decision in the ITR
    #[arg(long, value_enum, default_value_t = ItrTArg::WindowLength)]
    pub itr_t: ItrTArg,
    /// How posteriors become decisions, each for every pipeline: `raw`, `smoothed[:SECS]`,
    /// `dwell[:WINDOWS[:PAUSE_SECS]]`; all but `raw` are scored apart, as stateful
    /// [default: as each pipeline says]
    #[arg(long, value_delimiter = ',', value_name = "POLICIES")]
    pub decision: Vec<String>,
    /// Windows of one class in a row that make an event
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub dwell: usize,
    /// Permutations of the label null (each refits every pipeline); 19 give p = 0.05
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub permutations: usize,
    /// No nulls at all, for timings
    #[arg(long)]
    pub no_null: bool,
    /// Write rows and configuration as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write one row per subject and pipeline as CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write every window: HDF5 where FILE ends in .h5, else CSV
    #[arg(long, value_name = "FILE")]
    pub windows: Option<PathBuf>,
    #[command(flatten)]
    /// Where networks are computed.
    pub device: DeviceArgs,
}

/// `mindloop benchmark`
#[derive(Debug, Args)]
pub struct BenchmarkArgs {
    /// The plan: datasets, subjects, pipelines, splits, modes
    pub plan: PathBuf,
    /// Folder of the results: what is there already is not computed again [default: PLAN.results]
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Threads [default: one per core]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    pub threads: usize,
    /// Only this part of the items, for several machines: `1/4` to `4/4` (see `mindloop merge`)
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
}

/// `mindloop merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Folders of results of one plan's parts
    #[arg(required = true, value_name = "DIR")]
    pub parts: Vec<PathBuf>,
    /// The folder that they are put together in
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
}

/// `mindloop pipelines`
#[derive(Debug, Args)]
pub struct PipelinesArgs {
    /// A name of the list or a TOML file: print it, every parameter written out
    pub pipeline: Option<String>,
}

/// `mindloop verify-device`
#[derive(Debug, Args)]
pub struct VerifyDeviceArgs {
    /// `cpu`, `cuda[:N]` or `wgpu`
    #[arg(default_value = "cpu")]
    pub device: String,
}

/// Where networks are computed.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// Where a pipeline's networks are computed: `cpu`, `cuda[:N]` or `wgpu`
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// `mindloop train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(flatten)]
    /// Which recordings and windows.
    pub data: DataArgs,
    /// The subject whose calibration runs are used
    #[arg(long)]
    pub subject: u32,
    /// The pipeline: a name (see `mindloop pipelines`) or a TOML file
    #[arg(long, default_value = "ts+lr")]
    pub pipeline: String,
    /// How posteriors become decisions: `raw`, `smoothed[:SECS]` or `dwell[:WINDOWS[:PAUSE_SECS]]`
    /// [default: as the pipeline says]
    #[arg(long, value_name = "POLICY")]
    pub decision: Option<String>,
    /// Where the model goes (never over an existing file)
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    /// Where networks are computed.
    pub device: DeviceArgs,
}

/// `mindloop replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    pub recording: PathBuf,
    /// The model
    #[arg(long)]
    pub model: PathBuf,
    /// How posteriors become decisions: `raw`, `smoothed[:SECS]` or `dwell[:WINDOWS[:PAUSE_SECS]]`
    /// [default: as the model says]
    #[arg(long, value_name = "POLICY")]
    pub decision: Option<String>,
    /// Times real time, or `max`
    #[arg(long, default_value = "1")]
    pub speed: String,
    /// Frames handed over at once
    #[arg(long, default_value_t = 32, value_name = "FRAMES")]
    pub chunk: usize,
    #[command(flatten)]
    /// Where decisions go.
    pub output: OutputArgs,
    #[command(flatten)]
    /// Where networks are computed.
    pub device: DeviceArgs,
}

/// `mindloop live`
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// The stream: a name, `name=`, `type=`, `source_id=`, or a predicate
    #[arg(long, value_name = "QUERY")]
    pub stream: String,
    /// The marker stream, in the same manner [default: NAME-markers, if there is one]
    #[arg(long, value_name = "QUERY")]
    pub markers: Option<String>,
    /// The model
    #[arg(long)]
    pub model: PathBuf,
    /// How posteriors become decisions: `raw`, `smoothed[:SECS]` or `dwell[:WINDOWS[:PAUSE_SECS]]`
    /// [default: as the model says]
    #[arg(long, value_name = "POLICY")]
    pub decision: Option<String>,
    /// Seconds to look for the stream
    #[arg(long, default_value_t = 10.0)]
    pub timeout: f64,
    #[command(flatten)]
    /// Where decisions go.
    pub output: OutputArgs,
    #[command(flatten)]
    /// Where networks are computed.
    pub device: DeviceArgs,
}

/// See [`decoding::evaluate::labels::LabelRule`].
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LabelRuleArg {
    /// The class of most of its samples
    Majority,
    /// The class of its last sample
    EndSample,
    /// Mixed windows are decided but not scored
    FullOverlap,
}

/// What a decoder is fitted on.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TrainOnArg {
    /// The labelled windows of the calibration, idle thinned
    Windows,
    /// One epoch per cue, and as many of idle
    Trials,
}

/// Who calibrates for whom.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SplitArg {
    /// A session's first runs for its later runs
    WithinSession,
    /// All other sessions of the subject for one
    CrossSession,
    /// All other subjects for one
    CrossSubject,
}

/// Whether idle is scored.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum IdleArg {
    /// As a class
    Include,
    /// Only windows of a task class, over the task classes
    Exclude,
}

/// Probability in the ITR.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ItrPArg {
    /// Mean of the classes' recalls
    BalancedAccuracy,
    /// Share of right decisions
    Accuracy,
}

/// Time in the ITR.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ItrTArg {
    /// Conservative
    WindowLength,
    /// Decision rate
    WindowStep,
}
