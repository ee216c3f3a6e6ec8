//! Features of arbitrary stretches of a recording, for `--train-on trials`: the same
//! causal signal steps over the whole recording, then each stretch by itself. Batch code:
//! it allocates, and no live path reaches it.

use super::extract::{Extractor, Stretch};
use super::graph::{Graph, Response};
use super::sound::{Sound, hold};
use super::step::Demands;
use super::{FrontEndSpec, Lateness, PlanError, Planned, plan_demands};
use crate::riemann::covariance::scm;
use crate::window::{Features, Planar, WindowSpec};
use acquisition::signal::{Recording, StreamInfo};
use acquisition::time::SampleIndex;
use faer::Mat;
use ndarray::{Array2, ArrayView2, s};

/// The samples of a stretch under way, per node that a feature reads:
/// `(n_channels, n_samples)`, filled column by column.
struct Open {
    start_idx: usize,
    start: u64,
    /// Frames of the stream so far.
    n_done: usize,
    samples: Vec<Part>,
}

/// The samples of one node.
struct Part {
    node: usize,
    n_done: usize,
    n_samples: usize,
    samples: Vec<f64>,
}

/// The features of those stretches of `n_samples` from `starts` (in time order) that hold
/// no missing and no unsound sample, each with the position of its start. The signal
/// steps run causally from the first sample, anew after every gap.
///
/// Memory: the samples of the stretches that overlap, and the features of all.
pub fn span_features(
    spec: &FrontEndSpec,
    recording: &Recording,
    picks: &[usize],
    demands: &Demands,
    starts: &[SampleIndex],
    n_samples: usize,
) -> Result<Vec<(usize, Features)>, PlanError> {
    if picks.is_empty() {
        return Err(PlanError::NoChannels);
    }
    // The step of the session's windows, so that a feature made of segments has the same
    // ones.
    let step_samples = spec.window(recording.info.rate)?.step_samples;
    let window = WindowSpec { window_samples: n_samples, step_samples };
    let Planned { beside, graph, extractors, lateness } =
        plan_demands(spec, &recording.info, picks, demands, window)?;
    let inputs = [picks, &beside].concat();
    let nodes = reads_of(&extractors);
    let (open, done, sound) = (Vec::new(), Vec::new(), Sound::default());
    let mut batch = Batch { graph, extractors, lateness, nodes, n_samples, open, done, sound };
    batch.read(recording, &inputs, picks.len(), starts);
    Ok(batch.done)
}

/// A stretch of a recording without a gap: the index of its first sample, and its samples of
/// every channel, `(n_channels, n_samples)`.
pub(crate) struct Piece {
    /// Index of its first sample.
    pub first: u64,
    /// Its samples, of the channels that were asked for.
    pub samples: Array2<f64>,
}

/// The stretches between the gaps, of some channels.
pub(crate) fn pieces(recording: &Recording, channels: &[usize]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut column, mut index) = (0, 0);
    let ends = recording.gaps.iter().map(|gap| (gap.at.0, gap.n_missing));
    for (at, n_missing) in ends.chain([(u64::MAX, 0)]) {
        let n_left = recording.n_samples() - column;
        let n_samples = usize::try_from(at - index).map_or(n_left, |n| n.min(n_left));
        let value =
            |(c, n): (usize, usize)| f64::from(recording.samples[(channels[c], column + n)]);
        if n_samples > 0 {
            let samples = Array2::from_shape_fn((channels.len(), n_samples), value);
            pieces.push(Piece { first: index, samples });
        }
        column += n_samples;
        index += n_samples as u64 + n_missing;
    }
    pieces
}

/// The first step that is only defined from sample to sample, of all that stretches of
/// `n_samples` would go through.
pub(crate) fn streaming_step(
    spec: &FrontEndSpec,
    info: &StreamInfo,
    picks: &[usize],
    demands: &Demands,
    n_samples: usize,
) -> Result<Option<&'static str>, PlanError> {
    let window = WindowSpec { window_samples: n_samples, ..spec.window(info.rate)? };
    Ok(plan_demands(spec, info, picks, demands, window)?.graph.streaming_step())
}

/// As [`span_features`], of signals that were filtered whole, by `filter`: from one gap to
/// the next. A stretch that is not wholly within one of these is left out.
///
/// Memory: the signals of all nodes from one gap to the next, in double precision.
pub(crate) fn whole_features<E: From<PlanError>>(
    spec: &FrontEndSpec,
    recording: &Recording,
    picks: &[usize],
    demands: &Demands,
    (starts, n_samples): (&[u64], usize),
    mut filter: impl FnMut(&Response<'_>, &ArrayView2<'_, f64>) -> Result<Array2<f64>, E>,
) -> Result<Vec<(usize, Features)>, E> {
    if picks.is_empty() {
        return Err(PlanError::NoChannels.into());
    }
    let step_samples = spec.window(recording.info.rate).map_err(PlanError::from)?.step_samples;
    let window = WindowSpec { window_samples: n_samples, step_samples };
    let planned = plan_demands(spec, &recording.info, picks, demands, window)?;
    let Planned { beside, mut graph, mut extractors, .. } = planned;
    let reads = reads_of(&extractors);
    let mut done = Vec::new();
    for piece in pieces(recording, &[picks, &beside].concat()) {
        let last = piece.first + piece.samples.ncols() as u64;
        let signals = graph.whole(piece.samples, &mut filter)?;
        let inside = starts
            .iter()
            .enumerate()
            .filter(|(_, start)| **start >= piece.first && **start + n_samples as u64 <= last);
        for (at, start) in inside {
            let first = (start - piece.first) as usize;
            let part = |read: &Read| {
                let signal = signals[read.node].slice(s![.., first..first + n_samples]);
                let samples = signal.iter().copied().collect();
                Part { node: read.node, n_done: n_samples, n_samples, samples }
            };
            let parts: Vec<Part> = reads.iter().map(part).collect();
            done.push((at, features_of(&mut extractors, &parts, &reads)));
        }
    }
    done.sort_by_key(|(at, _)| *at);
    Ok(done)
}

/// The nodes that features read, each once.
fn reads_of(extractors: &[Extractor]) -> Vec<Read> {
    let mut nodes: Vec<Read> = Vec::new();
    for extractor in extractors {
        let needs_covariance = extractor.needs().covariance;
        let n_samples = extractor.window().window_samples;
        nodes.extend(extractor.nodes().iter().map(|&node| Read {
            node,
            n_samples,
            needs_covariance,
        }));
    }
    nodes.sort_unstable_by_key(|read| (read.node, !read.needs_covariance));
    nodes.dedup_by_key(|read| read.node);
    nodes
}

/// Every feature of one stretch, given what it is of each node.
fn features_of(extractors: &mut [Extractor], parts: &[Part], reads: &[Read]) -> Features {
    let covariance = |(part, read): (&Part, &Read)| {
        read.needs_covariance.then(|| scm(part.as_planar().as_mat()))
    };
    let covariances: Vec<Option<Mat<f64>>> = parts.iter().zip(reads).map(covariance).collect();
    let stretch = |node: usize| match parts.iter().position(|part| part.node == node) {
        Some(at) => {
            Stretch { samples: Some(parts[at].as_planar()), covariance: covariances[at].as_ref() }
        }
        None => Stretch::default(),
    };
    let mut features = Features::planned(extractors.iter().map(Extractor::shape));
    for (extractor, slot) in extractors.iter_mut().zip(features.slots_mut()) {
        extractor.extract(None, stretch, slot);
    }
    features
}

/// A frame of a recording, and what is known of it.
pub(super) struct Frame<'a> {
    pub index: u64,
    /// Whether it is the first one, or the first after a gap.
    pub is_fresh: bool,
    /// Whether the channels decoded from, and those beside, are finite.
    pub are_finite: [bool; 2],
    /// A value per input; the last finite one, or 0, where it is not finite.
    pub values: &'a [f64],
}

/// Reads the frames of a recording as a session's front end does.
pub(super) fn read_frames(
    recording: &Recording,
    inputs: &[usize],
    n_picked: usize,
    mut take: impl FnMut(&Frame<'_>),
) {
    let mut values = vec![0.0; inputs.len()];
    let mut gaps = recording.gaps.iter().peekable();
    let (mut index, mut is_fresh) = (0, true);
    for column in 0..recording.n_samples() {
        while let Some(gap) = gaps.next_if(|g| g.at.0 <= index) {
            index += gap.n_missing;
            is_fresh = true;
        }
        let samples = inputs.iter().map(|input| recording.samples[(*input, column)]);
        let are_finite = hold(&mut values, samples, n_picked, is_fresh);
        take(&Frame { index, is_fresh, are_finite, values: &values });
        is_fresh = false;
        index += 1;
    }
}

/// A node that features read.
struct Read {
    node: usize,
    /// Samples of a stretch at its rate.
    n_samples: usize,
    needs_covariance: bool,
}

struct Batch {
    graph: Graph,
    extractors: Vec<Extractor>,
    lateness: Vec<Lateness>,
    nodes: Vec<Read>,
    /// Samples of a stretch at the stream's rate.
    n_samples: usize,
    open: Vec<Open>,
    done: Vec<(usize, Features)>,
    sound: Sound,
}

impl Batch {
    fn read(
        &mut self,
        recording: &Recording,
        inputs: &[usize],
        n_picked: usize,
        starts: &[SampleIndex],
    ) {
        let mut pending = starts.iter().enumerate().peekable();
        read_frames(recording, inputs, n_picked, |frame| {
            if frame.is_fresh {
                self.graph.restart(frame.index);
                self.open.clear();
                self.sound.restart(frame.index);
            }
            self.sound.frame(frame.index, frame.are_finite[0], frame.are_finite[1]);
            self.graph.push(frame.values);
            // What began inside a gap never opens.
            while pending.next_if(|(_, start)| start.0 < frame.index).is_some() {}
            while let Some((start_idx, start)) =
                pending.next_if(|(_, start)| start.0 == frame.index)
            {
                self.open(start_idx, start.0);
            }
            self.collect();
        });
    }

    fn open(&mut self, start_idx: usize, start: u64) {
        let of_node = |&Read { node, n_samples, .. }: &Read| {
            let samples = vec![0.0; self.graph.n_channels(node) * n_samples];
            Part { node, n_done: 0, n_samples, samples }
        };
        let samples = self.nodes.iter().map(of_node).collect();
        self.open.push(Open { start_idx, start, n_done: 0, samples });
    }

    /// Gives the newest frame to every stretch that is open.
    fn collect(&mut self) {
        for open in &mut self.open {
            for part in &mut open.samples {
                for frame in self.graph.frames(part.node) {
                    let rows = part.samples.chunks_exact_mut(part.n_samples);
                    for (row, value) in rows.zip(frame) {
                        row[part.n_done] = *value;
                    }
                    part.n_done += 1;
                }
            }
            open.n_done += 1;
        }
        let n_samples = self.n_samples;
        while let Some(at) = self.open.iter().position(|open| open.n_done == n_samples) {
            let open = self.open.remove(at);
            if self.sound.holds_from(open.start) {
                let features = self.features(&open);
                self.done.push((open.start_idx, features));
            }
        }
    }

    fn features(&mut self, open: &Open) -> Features {
        let mut features = features_of(&mut self.extractors, &open.samples, &self.nodes);
        for (late, slot) in self.lateness.iter().zip(features.slots_mut()) {
            slot.is_sound &= self.sound.holds_late(open.start, late.delay, late.reads_beside);
        }
        features
    }
}

impl Part {
    fn as_planar(&self) -> Planar<'_> {
        let n = self.n_samples;
        Planar::new(&self.samples, self.samples.len() / n, n, n)
    }
}
