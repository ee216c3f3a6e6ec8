//! The signal steps of all pipelines of a session as one tree of stages: chains that
//! begin alike share their beginning, so each distinct filter runs once per frame.

mod design;

use super::step::{Absent, Family, Pick, Reference, SignalStep};
use super::{FrontEndSpec, PlanError};
use crate::filter::comb::{Comb, CombFilter};
use crate::filter::fir::FirFilter;
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
    Pick(Vec<usize>),
    Map(Box<ChannelMap>),
}

/// A planned stage with its state.
#[derive(Debug)]
enum Stage {
    /// The frame as it comes in.
    Input,
    Filter(SosFilter),
    Fir(FirFilter),
    Comb(CombFilter),
    Pick(Vec<usize>),
    Map(ChannelMapper),
}

#[derive(Debug)]
struct Node {
    parent: usize,
    spec: Option<StageSpec>,
    stage: Stage,
    /// What the stage made of the newest frame.
    frame: Vec<f64>,
}

/// The tree: every node after its parent, the first one the input.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    is_fresh: bool,
}

/// A chain under way: where it has got to, and the labels of its channels there.
#[derive(Clone)]
struct Chain {
    node: usize,
    labels: Vec<String>,
}

impl Graph {
    /// A tree of nothing but the input of `n_channels`.
    pub fn new(n_channels: usize) -> Self {
        let frame = vec![0.0; n_channels];
        let input = Node { parent: 0, spec: None, stage: Stage::Input, frame };
        Self { nodes: vec![input], is_fresh: true }
    }

    /// Adds what a chain of steps lacks; the nodes of its ends, one per band.
    pub fn add(
        &mut self,
        steps: &[SignalStep],
        spec: &FrontEndSpec,
        rate: SampleRate,
        labels: &[String],
    ) -> Result<Vec<usize>, PlanError> {
        let mut chains = vec![Chain { node: 0, labels: labels.to_vec() }];
        for step in steps {
            let mut longer = Vec::new();
            for chain in &chains {
                for (stage, labels) in stages(step, spec, rate, &chain.labels)? {
                    let node = self.child(chain.node, stage, &chain.labels)?;
                    longer.push(Chain { node, labels });
                }
            }
            chains = longer;
        }
        Ok(chains.into_iter().map(|chain| chain.node).collect())
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
        let n_channels = self.n_channels(parent);
        let (stage, n_out) = match &spec {
            StageSpec::Filter(sections) => {
                (Stage::Filter(SosFilter::new(sections.clone(), n_channels)), n_channels)
            }
            StageSpec::Fir(taps) => (Stage::Fir(FirFilter::new(taps, n_channels)?), n_channels),
            StageSpec::Comb(comb) => (Stage::Comb(CombFilter::new(*comb, n_channels)), n_channels),
            StageSpec::Pick(picks) => (Stage::Pick(picks.clone()), picks.len()),
            StageSpec::Map(map) => {
                let mapper = map.plan(labels)?;
                let n_outputs = mapper.n_outputs();
                (Stage::Map(mapper), n_outputs)
            }
        };
        self.nodes.push(Node { parent, spec: Some(spec), stage, frame: vec![0.0; n_out] });
        Ok(self.nodes.len() - 1)
    }

    /// Number of channels of a node's frames.
    pub fn n_channels(&self, node: usize) -> usize {
        self.nodes[node].frame.len()
    }

    /// The newest frame of a node.
    pub fn frame(&self, node: usize) -> &[f64] {
        &self.nodes[node].frame
    }

    /// The next frame is to be taken as the first one of a recording.
    pub fn restart(&mut self) {
        self.is_fresh = true;
    }

    /// Takes the next frame through every stage. After a start the filters are in the
    /// steady state of this frame.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn push(&mut self, frame: &[f64]) {
        let is_fresh = std::mem::take(&mut self.is_fresh);
        for k in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(k);
            let node = &mut rest[0];
            let input = if k == 0 { frame } else { &before[node.parent].frame };
            node.process(input, is_fresh);
        }
    }
}

impl Node {
    fn process(&mut self, input: &[f64], is_fresh: bool) {
        match &mut self.stage {
            Stage::Input => self.frame.copy_from_slice(input),
            Stage::Filter(filter) => {
                if is_fresh {
                    filter.start_at(input);
                }
                self.frame.copy_from_slice(input);
                filter.process_frame(&mut self.frame);
            }
            Stage::Fir(filter) => {
                if is_fresh {
                    filter.start_at(input);
                }
                self.frame.copy_from_slice(input);
                filter.process_frame(&mut self.frame);
            }
            Stage::Comb(filter) => {
                if is_fresh {
                    filter.start_at(input);
                }
                self.frame.copy_from_slice(input);
                filter.process_frame(&mut self.frame);
            }
            Stage::Map(mapper) => mapper.apply_frame(input, &mut self.frame),
            Stage::Pick(picks) => {
                for (value, pick) in self.frame.iter_mut().zip(picks) {
                    *value = input[*pick];
                }
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
        SignalStep::Bipolar(step) => vec![mapped(design::bipolar(step, labels)?)],
        SignalStep::CurrentSourceDensity(step) => {
            vec![mapped(design::current_source_density(step, labels)?)]
        }
        SignalStep::Interpolate(step) => vec![mapped(design::interpolation(step, labels)?)],
        SignalStep::Rest(step) => vec![mapped(design::rest(step, labels)?)],
        SignalStep::Notch(step) => {
            vec![same(notch::harmonics(step.line_hz, step.n_harmonics, step.quality, rate)?)]
        }
        SignalStep::Pick(pick) => {
            let picks = pick_channels(pick, labels)?;
            let labels = picks.iter().map(|c| labels[*c].clone()).collect();
            vec![(StageSpec::Pick(picks), labels)]
        }
    })
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
