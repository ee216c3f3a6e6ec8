//! Features of arbitrary stretches of a recording, for `--train-on trials`: the same
//! causal signal steps over the whole recording, then each stretch by itself. Batch code:
//! it allocates, and no live path reaches it.

use super::extract::{Extractor, Stretch};
use super::graph::Graph;
use super::sound::{Sound, hold};
use super::step::Demands;
use super::{FrontEndSpec, Lateness, PlanError, Planned, plan_demands};
use crate::riemann::covariance::scm;
use crate::window::{Features, Planar, WindowSpec};
use acquisition::signal::Recording;
use acquisition::time::SampleIndex;
use faer::Mat;

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
    let mut nodes: Vec<Read> = Vec::new();
    for extractor in &extractors {
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
    let (open, done, sound) = (Vec::new(), Vec::new(), Sound::default());
    let mut batch = Batch { graph, extractors, lateness, nodes, n_samples, open, done, sound };
    batch.read(recording, &inputs, picks.len(), starts);
    Ok(batch.done)
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
        let covariance = |(part, read): (&Part, &Read)| {
            read.needs_covariance.then(|| scm(part.as_planar().as_mat()))
        };
        let covariances: Vec<Option<Mat<f64>>> =
            open.samples.iter().zip(&self.nodes).map(covariance).collect();
        let stretch = |node: usize| match open.samples.iter().position(|part| part.node == node) {
            Some(at) => Stretch {
                samples: Some(open.samples[at].as_planar()),
                covariance: covariances[at].as_ref(),
            },
            None => Stretch::default(),
        };
        let mut features = Features::planned(self.extractors.iter().map(Extractor::shape));
        let extractors = self.extractors.iter_mut().zip(&self.lateness);
        for ((extractor, late), slot) in extractors.zip(features.slots_mut()) {
            extractor.extract(None, stretch, slot);
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
