//! The part of a session that comes before the decoder: select channels, filter
//! causally, lay windows, compute the features that the decoders ask for.
//!
//! Several decoders share one front end, planned from all that they demand: each distinct
//! filtered signal, and each window's covariance of it, is computed once. It is *not* a
//! decoder and knows no classes.
//!
//! # Where windows lie
//! On a grid of the absolute sample index: window `k` starts at `k*S`. After a gap the
//! filter starts anew with the first frame, as at a recording's start, and the first
//! window starts at the next multiple of `S`; no window spans a gap.
//!
//! # Samples that are not finite
//! The filter would carry a NaN for ever, so it is fed the channel's last finite value
//! instead, and every window that holds such a sample is reported as unusable.

pub mod band_power;
pub mod batch;
mod error;
mod extract;
mod graph;
mod history;
mod inputs;
pub mod learn;
mod sound;
mod spectrum;
mod ssvep;
pub mod step;

pub use self::error::PlanError;
pub(crate) use self::graph::Response;

use self::extract::{Extractor, Needs, Stretch};
use self::graph::{Graph, Inputs};
use self::history::History;
use self::inputs::{channels_beside, named_inputs};
use self::sound::{Sound, hold};
use self::step::{Demand, Demands, Feature};
use crate::riemann::covariance::SlidingCovariance;
use crate::window::{Features, Shape, Window, WindowError, WindowSpec};
use acquisition::signal::StreamInfo;
use acquisition::time::{SampleIndex, SampleRate};
use faer::Mat;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The front end as written in a configuration or a model file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEndSpec {
    /// Prototype order of the Butterworth band-pass; it has as many sections.
    pub filter_order: usize,
    /// Lower edge (-3 dB) in hertz.
    pub low_hz: f64,
    /// Upper edge (-3 dB) in hertz.
    pub high_hz: f64,
    /// Window length in seconds.
    pub window_secs: f64,
    /// Window step in seconds.
    pub step_secs: f64,
}

impl Default for FrontEndSpec {
    /// 8-30 Hz of order 4, windows of 2 s every 0.1 s.
    fn default() -> Self {
        Self { filter_order: 4, low_hz: 8.0, high_hz: 30.0, window_secs: 2.0, step_secs: 0.1 }
    }
}

impl FrontEndSpec {
    /// Window length and step in samples at `rate`.
    pub fn window(&self, rate: SampleRate) -> Result<WindowSpec, WindowError> {
        WindowSpec::from_secs(self.window_secs, self.step_secs, rate)
    }

    /// Whether the demands can be met at `rate` at all, whatever the channels: to fail
    /// early, with nothing read.
    pub fn check(&self, rate: SampleRate, demands: &Demands) -> Result<(), PlanError> {
        // The fewest channels that any feature can be computed of.
        const N_CHANNELS: usize = 2;
        let window = self.window(rate)?;
        let labels = vec![String::new(); N_CHANNELS];
        let inputs = Inputs { labels, n_picked: N_CHANNELS };
        let mut graph = Graph::new(N_CHANNELS, rate);
        for demand in demands.as_slice() {
            let nodes = graph.add(&demand.without_channels(), self, &inputs)?;
            plan_extractor(&graph, &demand.feature, nodes, window)?;
        }
        Ok(())
    }
}

/// What a frame completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// No window ends here.
    Nothing,
    /// A window ends here; [`FrontEnd::window`] computes it.
    Window,
    /// A window ends here, but holds samples that are not finite.
    Unusable,
}

/// The planned front end, with its state.
pub struct FrontEnd {
    /// The channels decoded from, then those that these are cleaned by.
    inputs: Vec<usize>,
    n_picked: usize,
    spec: WindowSpec,
    rate: SampleRate,
    /// The inputs' values, the last finite ones of each.
    frame: Vec<f64>,
    graph: Graph,
    leaves: Vec<Leaf>,
    demands: Demands,
    extractors: Vec<Extractor>,
    lateness: Vec<Lateness>,
    features: Features,
    /// Index of the frame expected next; `None` before the first one.
    next: Option<SampleIndex>,
    /// Whether the next frame is the first one after a start or a gap.
    fresh: bool,
    /// First index of the grid that windows of the current stretch may start at.
    grid_start: u64,
    sound: Sound,
}

/// How what a feature reads lags behind the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lateness {
    /// Frames.
    delay: u64,
    /// Whether it depends on channels beside those decoded from.
    reads_beside: bool,
}

/// What is kept of a node's signal for the features of its windows.
struct Leaf {
    node: usize,
    /// Samples of a window at its rate.
    n_samples: usize,
    history: Option<History>,
    covariance: Option<(SlidingCovariance, Mat<f64>)>,
}

impl FrontEnd {
    /// Plans the front end of streams like `info`. `picks` are the stream's channels to
    /// decode from, in the decoder's order.
    pub fn plan(
        spec: &FrontEndSpec,
        info: &StreamInfo,
        picks: Vec<usize>,
        demands: Demands,
    ) -> Result<Self, PlanError> {
        if picks.is_empty() {
            return Err(PlanError::NoChannels);
        }
        let window = spec.window(info.rate)?;
        let Planned { beside, graph, extractors, lateness } =
            plan_demands(spec, info, &picks, &demands, window)?;
        let n_picked = picks.len();
        let mut inputs = picks;
        inputs.extend(beside);
        Ok(Self {
            frame: vec![0.0; inputs.len()],
            leaves: leaves(&graph, &extractors),
            features: Features::planned(extractors.iter().map(Extractor::shape)),
            graph,
            demands,
            extractors,
            lateness,
            next: None,
            fresh: true,
            grid_start: 0,
            sound: Sound::default(),
            spec: window,
            rate: info.rate,
            n_picked,
            inputs,
        })
    }

    /// What it was planned for.
    pub fn demands(&self) -> &Demands {
        &self.demands
    }

    /// The shape of the feature of a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn shape(&self, slot: usize) -> Shape {
        self.extractors[slot].shape()
    }

    /// Window length and step in samples.
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Rate of the stream.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Number of channels decoded from.
    pub fn n_channels(&self) -> usize {
        self.n_picked
    }

    /// Index of the frame it expects next.
    pub fn next(&self) -> SampleIndex {
        self.next.unwrap_or_default()
    }

    /// Prepares for a run of frames that begins at `first`. Where that does not follow
    /// the frame before, everything starts anew; the number of missing frames is
    /// returned, unless there is nothing before the first frame of all.
    pub fn follow(&mut self, first: SampleIndex) -> Option<u64> {
        if self.next == Some(first) {
            return None;
        }
        let expected = self.next();
        let is_start = self.next.is_none() && first.0 == 0;
        self.restart(first);
        (!is_start).then(|| first.0.saturating_sub(expected.0))
    }

    /// Starts anew at `at`, as at a recording's first sample.
    fn restart(&mut self, at: SampleIndex) {
        let step = self.spec.step_samples as u64;
        self.next = Some(at);
        self.fresh = true;
        self.grid_start = at.0.div_ceil(step) * step;
        self.sound.restart(at.0);
        self.graph.restart(at.0);
        for leaf in &mut self.leaves {
            leaf.restart();
        }
        for extractor in &mut self.extractors {
            extractor.restart();
        }
    }

    /// Takes the next frame of the stream, all its channels in stream units.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn push_frame(&mut self, frame: &[f32]) -> Completed {
        let at = self.next().0;
        let samples = self.inputs.iter().map(|input| frame[*input]);
        let are_finite = hold(&mut self.frame, samples, self.n_picked, self.fresh);
        self.sound.frame(at, are_finite[0], are_finite[1]);
        self.filter_frame(at)
    }

    /// Takes the picked frame through the signal steps into histories and sums.
    fn filter_frame(&mut self, at: u64) -> Completed {
        self.fresh = false;
        self.next = Some(SampleIndex(at + 1));
        self.graph.push(&self.frame);
        if at < self.grid_start {
            return Completed::Nothing;
        }
        for leaf in &mut self.leaves {
            for frame in self.graph.frames(leaf.node) {
                leaf.push(frame);
            }
        }
        self.completed(at)
    }

    /// Whether a window ends with the next frame.
    pub fn window_ends_next(&self) -> bool {
        self.ends_window(self.next().0)
    }

    fn ends_window(&self, at: u64) -> bool {
        let (length, step) = (self.spec.window_samples as u64, self.spec.step_samples as u64);
        let since_grid = (at + 1).saturating_sub(self.grid_start);
        since_grid >= length && (since_grid - length).is_multiple_of(step)
    }

    /// What the frame at index `at` completed.
    fn completed(&self, at: u64) -> Completed {
        if !self.ends_window(at) {
            Completed::Nothing
        } else if self.sound.holds_from(at + 1 - self.spec.window_samples as u64) {
            Completed::Window
        } else {
            Completed::Unusable
        }
    }

    /// The window that ends with the frame just pushed, with its features; `None` before
    /// the first frame. Call it once, and only where [`FrontEnd::push_frame`] said
    /// [`Completed::Window`].
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn window(&mut self) -> Option<Window<'_>> {
        let end = SampleIndex(self.next().0.checked_sub(1)?);
        for leaf in &mut self.leaves {
            leaf.finish();
        }
        let leaves = &self.leaves;
        let stretch = |node: usize| {
            leaves
                .iter()
                .find(|leaf| leaf.node == node)
                .map_or(Stretch::default(), |leaf| leaf.stretch())
        };
        let first = end.0 + 1 - self.spec.window_samples as u64;
        let extractors = self.extractors.iter_mut().zip(&self.lateness);
        for ((extractor, late), slot) in extractors.zip(self.features.slots_mut()) {
            extractor.extract(Some(end), stretch, slot);
            slot.is_sound &= self.sound.holds_late(first, late.delay, late.reads_beside);
        }
        Some(Window { end, features: &self.features })
    }
}

/// The labels of the channels behind each demand's feature.
pub fn channels(
    spec: &FrontEndSpec,
    info: &StreamInfo,
    picks: &[usize],
    demands: &Demands,
) -> Result<Vec<Vec<String>>, PlanError> {
    let of_demand = |demand: &Demand| {
        let inputs = [picks, &channels_beside(info, picks, &demand.signal)?].concat();
        let named = named_inputs(info, &inputs, picks.len());
        Graph::labels(&demand.signal, spec, info.rate, &named)
    };
    demands.as_slice().iter().map(of_demand).collect()
}

/// What a front end is made of.
pub(crate) struct Planned {
    /// The stream's channels that come in beside those decoded from, after them.
    pub beside: Vec<usize>,
    pub graph: Graph,
    pub extractors: Vec<Extractor>,
    /// Of each of these.
    pub lateness: Vec<Lateness>,
}

/// The tree of signal steps and the features at its ends.
fn plan_demands(
    spec: &FrontEndSpec,
    info: &StreamInfo,
    picks: &[usize],
    demands: &Demands,
    window: WindowSpec,
) -> Result<Planned, PlanError> {
    let steps = demands.as_slice().iter().flat_map(|demand| &demand.signal);
    let beside = channels_beside(info, picks, steps)?;
    let inputs = [picks, &beside].concat();
    let named = named_inputs(info, &inputs, picks.len());
    let mut graph = Graph::new(inputs.len(), info.rate);
    let mut extractors = Vec::with_capacity(demands.as_slice().len());
    let mut lateness = Vec::with_capacity(extractors.capacity());
    for demand in demands.as_slice() {
        let nodes = graph.add(&demand.signal, spec, &named)?;
        let delay = nodes.iter().map(|node| graph.delay(*node)).max().unwrap_or(0);
        let reads_beside = !channels_beside(info, picks, &demand.signal)?.is_empty();
        lateness.push(Lateness { delay, reads_beside });
        extractors.push(plan_extractor(&graph, &demand.feature, nodes, window)?);
    }
    Ok(Planned { beside, graph, extractors, lateness })
}

/// The feature of windows over the signals of these nodes, which are at one rate: the bands
/// of a demand go through the same steps.
fn plan_extractor(
    graph: &Graph,
    feature: &Feature,
    nodes: Vec<usize>,
    window: WindowSpec,
) -> Result<Extractor, PlanError> {
    let first = nodes.first().copied().unwrap_or_default();
    let (n_channels, clock) = (graph.n_channels(first), graph.clock(first));
    Extractor::plan(feature, nodes, n_channels, window, clock)
}

/// One leaf per node that a feature reads, keeping what its features need.
fn leaves(graph: &Graph, extractors: &[Extractor]) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    for extractor in extractors {
        let Needs { samples, covariance } = extractor.needs();
        for &node in extractor.nodes() {
            let WindowSpec { window_samples, step_samples } = extractor.window();
            let at = leaves.iter().position(|leaf| leaf.node == node).unwrap_or_else(|| {
                let n_samples = window_samples;
                leaves.push(Leaf { node, n_samples, history: None, covariance: None });
                leaves.len() - 1
            });
            let (n_channels, leaf) = (graph.n_channels(node), &mut leaves[at]);
            if samples && leaf.history.is_none() {
                leaf.history = Some(History::new(n_channels, window_samples));
            }
            if covariance && leaf.covariance.is_none() {
                let sums = SlidingCovariance::new(n_channels, window_samples, step_samples);
                leaf.covariance = Some((sums, Mat::zeros(n_channels, n_channels)));
            }
        }
    }
    leaves
}

impl Leaf {
    fn restart(&mut self) {
        if let Some(history) = &mut self.history {
            history.clear();
        }
        if let Some((sums, _)) = &mut self.covariance {
            sums.restart();
        }
    }

    fn push(&mut self, frame: &[f64]) {
        if let Some(history) = &mut self.history {
            history.push(frame);
        }
        if let Some((sums, _)) = &mut self.covariance {
            sums.push_frame(frame);
        }
    }

    /// Computes what several features of the window just completed share.
    fn finish(&mut self) {
        if let Some((sums, covariance)) = &mut self.covariance {
            sums.covariance_into(covariance.as_mut());
        }
    }

    fn stretch(&self) -> Stretch<'_> {
        Stretch {
            samples: self.history.as_ref().map(|history| history.newest(self.n_samples)),
            covariance: self.covariance.as_ref().map(|(_, covariance)| covariance),
        }
    }
}
