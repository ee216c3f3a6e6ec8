//! The signal steps of all pipelines of a session as one tree of stages: chains that
//! begin alike share their beginning, so each distinct filter runs once per frame.

use super::step::{Absent, BandPass, FilterBank, Notch, Pick, SignalStep};
use super::{FrontEndSpec, PlanError};
use crate::filter::sos::{Section, SosFilter};
use crate::filter::{FilterError, butterworth, notch};
use acquisition::time::SampleRate;

/// What a stage does to a frame.
#[derive(Clone, Debug, PartialEq)]
enum StageSpec {
    Filter(Vec<Section>),
    Pick(Vec<usize>),
}

/// A planned stage with its state.
#[derive(Debug)]
enum Stage {
    /// The frame as it comes in.
    Input,
    Filter(SosFilter),
    Pick(Vec<usize>),
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
                    longer.push(Chain { node: self.child(chain.node, stage), labels });
                }
            }
            chains = longer;
        }
        Ok(chains.into_iter().map(|chain| chain.node).collect())
    }

    /// The node that does `spec` to the frames of `parent`, made where there is none.
    fn child(&mut self, parent: usize, spec: StageSpec) -> usize {
        let is_it = |n: &Node| n.parent == parent && n.spec.as_ref() == Some(&spec);
        if let Some(known) = self.nodes.iter().position(is_it) {
            return known;
        }
        let n_channels = self.n_channels(parent);
        let (stage, n_out) = match &spec {
            StageSpec::Filter(sections) => {
                (Stage::Filter(SosFilter::new(sections.clone(), n_channels)), n_channels)
            }
            StageSpec::Pick(picks) => (Stage::Pick(picks.clone()), picks.len()),
        };
        self.nodes.push(Node { parent, spec: Some(spec), stage, frame: vec![0.0; n_out] });
        self.nodes.len() - 1
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
        SignalStep::BandPass(BandPass { low_hz, high_hz, order }) => {
            let order = order.unwrap_or(spec.filter_order);
            let (low_hz, high_hz) =
                (low_hz.unwrap_or(spec.low_hz), high_hz.unwrap_or(spec.high_hz));
            vec![same(butterworth::bandpass(order, low_hz, high_hz, rate)?)]
        }
        SignalStep::FilterBank(FilterBank { bands_hz, order }) => bands_hz
            .iter()
            .map(|[low, high]| Ok(same(butterworth::bandpass(*order, *low, *high, rate)?)))
            .collect::<Result<_, FilterError>>()?,
        SignalStep::Notch(notch) => vec![same(notches(notch, rate)?)],
        SignalStep::Pick(pick) => {
            let picks = pick_channels(pick, labels)?;
            let labels = picks.iter().map(|c| labels[*c].clone()).collect();
            vec![(StageSpec::Pick(picks), labels)]
        }
    })
}

/// One section per harmonic below half the rate.
fn notches(notch: &Notch, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
    let freq_hz = |k: usize| k as f64 * notch.line_hz;
    let is_possible = |k: &usize| *k == 1 || freq_hz(*k) < rate.hz() / 2.0;
    (1..=notch.n_harmonics)
        .filter(is_possible)
        .map(|k| notch::iirnotch(freq_hz(k), notch.quality, rate))
        .collect()
}

/// Where the labels are among the channels.
fn pick_channels(pick: &Pick, labels: &[String]) -> Result<Vec<usize>, PlanError> {
    let mut picks = Vec::with_capacity(pick.channels.len());
    let mut first_absent = None;
    for wanted in &pick.channels {
        match labels.iter().position(|label| label.eq_ignore_ascii_case(wanted)) {
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
