//! The signal steps of all pipelines of a session as one tree of stages: chains that
//! begin alike share their beginning, so each distinct filter runs once per frame.

mod clock;
mod design;
mod late;
mod node;
mod whole;

pub(crate) use self::clock::Clock;
pub(crate) use self::whole::Response;

use self::late::LateCleaner;
use super::step::{Absent, Asr, EogRegression, Family, Pick, Reference, SignalStep};
use super::{FrontEndSpec, PlanError};
use crate::artifact::eog_regression;
use crate::filter::comb::{Comb, CombFilter};
use crate::filter::fir::FirFilter;
use crate::filter::resample::{Ratio, Resampler};
use crate::filter::sos::{Section, SosFilter};
use crate::filter::{FilterError, butterworth, chebyshev, notch};
use crate::spatial::laplacian::laplacian;
use crate::spatial::{ChannelMap, ChannelMapper};
use acquisition::time::SampleRate;

/// What a stage does to a frame.
#[derive(Clone, Debug, PartialEq)]
enum StageSpec {
    Filter(Vec<Section>),
    Fir(Vec<f64>),
    Comb(Comb),
    Resample(Ratio),
    Pick(Vec<usize>),
    Map(Box<ChannelMap>),
    Asr(Box<Asr>),
    /// The regression, and the channels that are kept.
    Eog(Box<eog_regression::EogRegression>, Vec<usize>),
}

/// A planned stage with its state.
#[derive(Debug)]
enum Stage {
    /// The frame as it comes in.
    Input,
    Filter(SosFilter),
    Fir(FirFilter),
    Comb(CombFilter),
    /// And the ticks from its first input to its first output.
    Resample(Resampler, usize),
    Pick(Picks),
    Map(ChannelMapper),
    Asr(Box<LateCleaner>),
    /// The regression, the channels that are kept, and a frame to work on.
    Eog(Box<eog_regression::EogRegression>, Vec<usize>, Vec<f64>),
}

/// Some of the channels of a frame.
#[derive(Debug)]
struct Picks {
    n_inputs: usize,
    channels: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    parent: usize,
    spec: Option<StageSpec>,
    stage: Stage,
    /// Frames of the stream by which it is late.
    delay: u64,
    /// When its frames come.
    clock: Clock,
    n_channels: usize,
    /// Whether its next frame is the first one after a start or a gap, ...
    is_fresh: bool,
    /// ... which is this one, counted from the stream's beginning.
    first: u64,
    /// What the stage made of the stream's newest frame: one frame, or as many as the
    /// resamplers on the way to it let through.
    frames: Vec<f64>,
    n_frames: usize,
}

/// The tree: every node after its parent, the first one the input.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    /// Index of the first frame after a start or a gap, where that is the next one.
    fresh_at: Option<u64>,
}

/// The channels of the input: those decoded from, then those that others are cleaned by.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    pub labels: Vec<String>,
    pub n_picked: usize,
}

/// A chain under way: where it has got to, and the labels of its channels there.
#[derive(Clone)]
struct Chain {
    node: usize,
    labels: Vec<String>,
}

impl Graph {
    /// A tree of nothing but the input of `n_channels`.
    pub fn new(n_channels: usize, rate: SampleRate) -> Self {
        let input = Node::new(0, None, Stage::Input, Clock::new(rate), n_channels);
        Self { nodes: vec![input], fresh_at: Some(0) }
    }

    /// Where a chain of steps begins: at the channels decoded from, or at all of the input
    /// where channels beside them are regressed out.
    fn start(&mut self, steps: &[SignalStep], inputs: &Inputs) -> Result<Chain, PlanError> {
        let Inputs { labels, n_picked } = inputs;
        let reads_eog = steps.iter().any(|step| matches!(step, SignalStep::EogRegression(_)));
        if reads_eog || *n_picked == labels.len() {
            return Ok(Chain { node: 0, labels: labels.clone() });
        }
        let node = self.child(0, StageSpec::Pick((0..*n_picked).collect()), labels)?;
        Ok(Chain { node, labels: labels[..*n_picked].to_vec() })
    }

    /// Adds what a chain of steps lacks; the nodes of its ends, one per band.
    pub fn add(
        &mut self,
        steps: &[SignalStep],
        spec: &FrontEndSpec,
        inputs: &Inputs,
    ) -> Result<Vec<usize>, PlanError> {
        let start = self.start(steps, inputs)?;
        let ends = self.extend(start, steps, spec, inputs.n_picked)?;
        Ok(ends.into_iter().map(|chain| chain.node).collect())
    }

    /// The chain made longer by `steps`, once per band.
    fn extend(
        &mut self,
        start: Chain,
        steps: &[SignalStep],
        spec: &FrontEndSpec,
        n_picked: usize,
    ) -> Result<Vec<Chain>, PlanError> {
        let mut chains = vec![start];
        for step in steps {
            let mut longer = Vec::new();
            for chain in &chains {
                let rate = self.nodes[chain.node].clock.rate();
                for (stage, labels) in stages(step, spec, rate, &chain.labels, n_picked)? {
                    let node = self.child(chain.node, stage, &chain.labels)?;
                    longer.push(Chain { node, labels });
                }
            }
            chains = longer;
        }
        Ok(chains)
    }

    /// Adds what a chain of steps lacks, but for the last of them, which has yet to learn;
    /// the node that it will learn from.
    pub fn add_before_last(
        &mut self,
        chain: &[SignalStep],
        spec: &FrontEndSpec,
        inputs: &Inputs,
    ) -> Result<usize, PlanError> {
        let start = self.start(chain, inputs)?;
        let before = &chain[..chain.len().saturating_sub(1)];
        let ends = self.extend(start, before, spec, inputs.n_picked)?;
        Ok(ends.first().map_or(0, |chain| chain.node))
    }

    /// The labels of the channels at the end of a chain of steps, the same in every band.
    pub fn labels(
        steps: &[SignalStep],
        spec: &FrontEndSpec,
        rate: SampleRate,
        inputs: &Inputs,
    ) -> Result<Vec<String>, PlanError> {
        let mut graph = Self::new(inputs.labels.len(), rate);
        let start = graph.start(steps, inputs)?;
        let ends = graph.extend(start, steps, spec, inputs.n_picked)?;
        Ok(ends.into_iter().next().map_or_else(Vec::new, |chain| chain.labels))
    }

    /// The node that does `spec` to the frames of `parent`, made where there is none.
    fn child(
        &mut self,
        parent: usize,
        spec: StageSpec,
        labels: &[String],
    ) -> Result<usize, PlanError> {
        let is_it = |n: &Node| n.parent == parent && n.spec.as_ref() == Some(&spec);
        if let Some(known) = self.nodes.iter().position(is_it) {
            return Ok(known);
        }
        let (n_channels, clock) = (self.n_channels(parent), self.nodes[parent].clock);
        let mut delay = self.delay(parent);
        let (stage, n_out) = match &spec {
            StageSpec::Filter(sections) => {
                (Stage::Filter(SosFilter::new(sections.clone(), n_channels)), n_channels)
            }
            StageSpec::Fir(taps) => (Stage::Fir(FirFilter::new(taps, n_channels)?), n_channels),
            StageSpec::Comb(comb) => (Stage::Comb(CombFilter::new(*comb, n_channels)), n_channels),
            StageSpec::Resample(ratio) => {
                (Stage::Resample(Resampler::plan(*ratio, n_channels)?, 0), n_channels)
            }
            StageSpec::Pick(picks) => {
                let channels = picks.clone();
                (Stage::Pick(Picks { n_inputs: n_channels, channels }), picks.len())
            }
            StageSpec::Map(map) => {
                let mapper = map.plan(labels)?;
                let n_outputs = mapper.n_outputs();
                (Stage::Map(mapper), n_outputs)
            }
            StageSpec::Asr(step) => {
                let cleaner = plan_asr(step, n_channels, clock.rate())?;
                delay += clock.in_stream(cleaner.delay_samples());
                (Stage::Asr(Box::new(cleaner)), n_channels)
            }
            StageSpec::Eog(regression, kept) => {
                let frame = vec![0.0; n_channels];
                (Stage::Eog(regression.clone(), kept.clone(), frame), kept.len())
            }
        };
        let clock = match &spec {
            StageSpec::Resample(ratio) => clock.resampled(*ratio)?,
            _ => clock,
        };
        let node = Node::new(parent, Some(spec), stage, clock, n_out);
        self.nodes.push(Node { delay, ..node });
        Ok(self.nodes.len() - 1)
    }

    /// Number of channels of a node's frames.
    pub fn n_channels(&self, node: usize) -> usize {
        self.nodes[node].n_channels
    }

    /// When a node's frames come.
    pub fn clock(&self, node: usize) -> Clock {
        self.nodes[node].clock
    }

    /// Frames of the stream by which a node's are later than the input's.
    pub fn delay(&self, node: usize) -> u64 {
        self.nodes[node].delay
    }

    /// What a node made of the stream's newest frame: none, one or several frames.
    pub fn frames(&self, node: usize) -> impl Iterator<Item = &[f64]> {
        let Node { n_channels, frames, n_frames, .. } = &self.nodes[node];
        frames.chunks_exact(*n_channels).take(*n_frames)
    }

    /// The next frame, of index `at`, is to be taken as the first one of a recording.
    pub fn restart(&mut self, at: u64) {
        self.fresh_at = Some(at);
    }

    /// Takes the next frame through every stage. After a start the filters are in the
    /// steady state of this frame.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn push(&mut self, frame: &[f64]) {
        if let Some(at) = self.fresh_at.take() {
            self.begin(at);
        }
        let (input, rest) = self.nodes.split_at_mut(1);
        input[0].frames.copy_from_slice(frame);
        input[0].n_frames = 1;
        for k in 0..rest.len() {
            let (before, after) = rest.split_at_mut(k);
            let node = &mut after[0];
            let parent = node.parent.checked_sub(1).map_or(&input[0], |parent| &before[parent]);
            node.process(&parent.frames[..parent.n_frames * parent.n_channels]);
        }
    }

    /// Every node begins with the input's frame of index `at`.
    fn begin(&mut self, at: u64) {
        for k in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(k);
            let node = &mut rest[0];
            node.is_fresh = true;
            node.first = before.get(node.parent).map_or(at, |parent| parent.first);
            if let Stage::Resample(resampler, ticks) = &mut node.stage {
                (node.first, *ticks) = clock::first_output(resampler.ratio(), node.first);
            }
        }
    }
}

/// What a step comes to at this rate and for these channels: one stage, or one per band.
fn stages(
    step: &SignalStep,
    spec: &FrontEndSpec,
    rate: SampleRate,
    labels: &[String],
    n_picked: usize,
) -> Result<Vec<(StageSpec, Vec<String>)>, PlanError> {
    let same = |sections: Vec<Section>| (StageSpec::Filter(sections), labels.to_vec());
    Ok(match step {
        SignalStep::BandPass(step) => {
            let order = step.order.unwrap_or(spec.filter_order);
            let band_hz =
                [step.low_hz.unwrap_or(spec.low_hz), step.high_hz.unwrap_or(spec.high_hz)];
            vec![same(band_pass(step.family, step.attenuation_db(), order, band_hz, rate)?)]
        }
        SignalStep::FilterBank(step) => {
            let (family, stop_db) = (step.family, step.attenuation_db());
            let design = |&band_hz: &[f64; 2]| {
                Ok(same(band_pass(family, stop_db, step.order, band_hz, rate)?))
            };
            step.bands_hz.iter().map(design).collect::<Result<_, FilterError>>()?
        }
        SignalStep::Reference(Reference { channels }) => {
            vec![mapped(match channels {
                None => ChannelMap::common_average(labels)?,
                Some(references) => ChannelMap::linked(labels, &labels_of(references, labels)?)?,
            })]
        }
        SignalStep::Laplacian(step) => vec![mapped(laplacian(labels, step.reach, step.edge)?)],
        SignalStep::HighPass(step) => vec![same(design::high_pass(step, rate)?)],
        SignalStep::LowPass(step) => vec![same(design::low_pass(step, rate)?)],
        SignalStep::BandStop(step) => vec![same(design::band_stop(step, rate)?)],
        SignalStep::Fir(step) => {
            vec![(StageSpec::Fir(design::taps(step, rate)?), labels.to_vec())]
        }
        SignalStep::Comb(step) => {
            let comb = Comb::design(step.line_hz, step.quality, step.teeth, rate)?;
            vec![(StageSpec::Comb(comb), labels.to_vec())]
        }
        SignalStep::Resample(step) => {
            let ratio = design::ratio(step, rate)?;
            vec![(StageSpec::Resample(ratio), labels.to_vec())]
        }
        SignalStep::Bipolar(step) => vec![mapped(design::bipolar(step, labels)?)],
        SignalStep::CurrentSourceDensity(step) => {
            vec![mapped(design::current_source_density(step, labels)?)]
        }
        SignalStep::Interpolate(step) => vec![mapped(design::interpolation(step, labels)?)],
        SignalStep::Rest(step) => vec![mapped(design::rest(step, labels)?)],
        SignalStep::Notch(step) => {
            vec![same(notch::harmonics(step.line_hz, step.n_harmonics, step.quality, rate)?)]
        }
        SignalStep::Asr(step) => vec![(StageSpec::Asr(Box::new(step.clone())), labels.to_vec())],
        SignalStep::EogRegression(step) => {
            let EogChannels { brain, eog } = eog_channels(step, labels, n_picked)?;
            let unlearned = || PlanError::Unlearned { step: "eog_regression" };
            let regression = step.learned.as_ref().ok_or_else(unlearned)?.moved(&brain, &eog)?;
            let kept = brain.iter().map(|c| labels[*c].clone()).collect();
            vec![(StageSpec::Eog(Box::new(regression), brain), kept)]
        }
        SignalStep::Pick(pick) => {
            let picks = pick_channels(pick, labels)?;
            let labels = picks.iter().map(|c| labels[*c].clone()).collect();
            vec![(StageSpec::Pick(picks), labels)]
        }
    })
}

fn plan_asr(step: &Asr, n_channels: usize, rate: SampleRate) -> Result<LateCleaner, PlanError> {
    let asr = step.learned.as_ref().ok_or(PlanError::Unlearned { step: "asr" })?;
    if asr.rate() != rate {
        let (learned_hz, found_hz) = (asr.rate().hz(), rate.hz());
        return Err(PlanError::OtherRate { step: "asr", learned_hz, found_hz });
    }
    let expected = asr.n_channels();
    if expected != n_channels {
        return Err(PlanError::OtherChannels { step: "asr", expected, found: n_channels });
    }
    Ok(LateCleaner::new(asr.cleaner(step.cleaner_params())?))
}

/// Positions of both sides of a regression.
pub(crate) struct EogChannels {
    pub brain: Vec<usize>,
    pub eog: Vec<usize>,
}

/// The channels named are one side, all others that are decoded from are the other.
pub(crate) fn eog_channels(
    step: &EogRegression,
    labels: &[String],
    n_picked: usize,
) -> Result<EogChannels, PlanError> {
    let named = step.channels.as_deref().unwrap_or_default();
    let find = |wanted: &String| match position(wanted, labels) {
        Some(position) => Ok(position),
        None => Err(PlanError::NoSuchChannel { label: wanted.clone(), n_channels: labels.len() }),
    };
    let eog: Vec<usize> = named.iter().map(find).collect::<Result<_, _>>()?;
    let brain = (0..n_picked).filter(|c| !eog.contains(c)).collect();
    Ok(EogChannels { brain, eog })
}

/// The map, and the labels of its outputs.
fn mapped(map: ChannelMap) -> (StageSpec, Vec<String>) {
    let labels = map.outputs().to_vec();
    (StageSpec::Map(Box::new(map)), labels)
}

fn band_pass(
    family: Family,
    stop_db: f64,
    order: usize,
    [low_hz, high_hz]: [f64; 2],
    rate: SampleRate,
) -> Result<Vec<Section>, FilterError> {
    match family {
        Family::Butterworth => butterworth::bandpass(order, low_hz, high_hz, rate),
        Family::Chebyshev2 => chebyshev::bandpass(order, stop_db, low_hz, high_hz, rate),
    }
}

/// Where the labels are among the channels.
fn pick_channels(pick: &Pick, labels: &[String]) -> Result<Vec<usize>, PlanError> {
    let mut picks = Vec::with_capacity(pick.channels.len());
    let mut first_absent = None;
    for wanted in &pick.channels {
        match position(wanted, labels) {
            Some(position) => picks.push(position),
            None => first_absent = first_absent.or(Some(wanted)),
        }
    }
    match first_absent {
        Some(label) if pick.absent == Absent::Refuse || picks.is_empty() => {
            let (label, n_channels) = (label.clone(), labels.len());
            Err(PlanError::NoSuchChannel { label, n_channels })
        }
        _ => Ok(picks),
    }
}

/// The labels as the channels spell them.
fn labels_of(wanted: &[String], labels: &[String]) -> Result<Vec<String>, PlanError> {
    let label = |wanted: &String| match position(wanted, labels) {
        Some(position) => Ok(labels[position].clone()),
        None => Err(PlanError::NoSuchChannel { label: wanted.clone(), n_channels: labels.len() }),
    };
    wanted.iter().map(label).collect()
}

/// Where a label is among the channels, upper and lower case alike.
fn position(wanted: &str, labels: &[String]) -> Option<usize> {
    labels.iter().position(|label| label.eq_ignore_ascii_case(wanted))
}
