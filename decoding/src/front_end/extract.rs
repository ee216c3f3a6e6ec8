//! Features of one window, planned: for the sliding windows of a session and for the
//! trials of a batch alike.

use super::PlanError;
use super::band_power::{BandPower, Entropy};
use super::graph::Clock;
use super::ssvep::Scores;
use super::step::{Bands, Connectivity, Feature, Summary};
use crate::connectivity::{
    BandEdges, ConnectivitySpec, NodeStrength, Resolution, Segments, SlidingConnectivity,
};
use crate::psd::bands::Band;
use crate::riemann::covariance::{CovarianceRuntime, Estimator, oas_shrink};
use crate::spatial_filter::augmented::AugmentedRuntime;
use crate::time_domain::{TimeFeature, log_power};
use crate::window::{Planar, Shape, Slot, Value, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use faer::Mat;

/// What a feature is computed from. A part is there where [`Needs`] asked for it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stretch<'a> {
    pub samples: Option<Planar<'a>>,
    /// Mean removed, divided by the number of samples.
    pub covariance: Option<&'a Mat<f64>>,
}

/// Which parts of a [`Stretch`] a feature reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub samples: bool,
    pub covariance: bool,
}

/// One demand's feature over all its bands, with its scratch.
pub(crate) struct Extractor {
    /// The signal's node of each band.
    nodes: Vec<usize>,
    kind: Kind,
    n_channels: usize,
    /// Windows in samples of the signals.
    window: WindowSpec,
    /// When the signals' frames come.
    clock: Clock,
}

enum Kind {
    /// From the covariance that slides.
    Plain,
    Oas,
    /// From the samples, anew: of each of this many parts of the window.
    Estimated(CovarianceRuntime, usize),
    /// Of the channels of all bands together.
    Stacked(Stacked),
    Augmented(AugmentedRuntime),
    LogVariance,
    TimeDomain(Vec<TimeFeature>),
    /// Of all bands together.
    Scores(Box<Scores>),
    /// One per signal's band, as the three after it: they know the segments of earlier
    /// windows.
    BandPower(Vec<BandPower>),
    Entropy(Vec<Entropy>),
    Strength(Vec<NodeStrength>),
    Pairs(Vec<SlidingConnectivity>),
    Samples,
}

impl Extractor {
    /// Plans a feature of the stream's windows over signals of `n_channels`, one signal per
    /// band.
    pub fn plan(
        feature: &Feature,
        nodes: Vec<usize>,
        n_channels: usize,
        window: WindowSpec,
        clock: Clock,
    ) -> Result<Self, PlanError> {
        let (window, rate) = (clock.window(window)?, clock.rate());
        let n_samples = window.window_samples;
        let kind = match feature {
            Feature::Covariance(covariance) => {
                let (estimator, n_parts) = (covariance.estimator, covariance.parts.max(1));
                if covariance.bands == Bands::Stacked {
                    let stacked = Stacked::new(estimator, nodes.len() * n_channels, n_samples)?;
                    return Ok(Self {
                        nodes,
                        kind: Kind::Stacked(stacked),
                        n_channels,
                        window,
                        clock,
                    });
                }
                let n_samples = n_samples / n_parts;
                estimator.check(n_channels, n_samples)?;
                match estimator {
                    Estimator::Scm if n_parts == 1 => Kind::Plain,
                    Estimator::Oas if n_parts == 1 => Kind::Oas,
                    other => Kind::Estimated(other.plan(n_channels, n_samples)?, n_parts),
                }
            }
            Feature::AugmentedCovariance(step) => {
                Kind::Augmented(step.params().plan(n_channels, n_samples)?)
            }
            Feature::LogVariance(_) => Kind::LogVariance,
            Feature::BandPower(step) => {
                let planned = BandPower::new(step, n_channels, window, rate)?;
                Kind::BandPower(vec![planned; nodes.len()])
            }
            Feature::SpectralEntropy(step) => {
                let planned = Entropy::new(step, n_channels, window, rate)?;
                Kind::Entropy(vec![planned; nodes.len()])
            }
            Feature::TimeDomain(step) => Kind::TimeDomain(step.measures.clone()),
            Feature::Cca(step) => {
                let n_bands = nodes.len();
                Kind::Scores(Box::new(Scores::new(step, n_bands, n_channels, n_samples, rate)?))
            }
            Feature::Connectivity(step) => {
                plan_connectivity(step, nodes.len(), n_channels, window, rate)?
            }
            Feature::Raw(_) => Kind::Samples,
        };
        Ok(Self { nodes, kind, n_channels, window, clock })
    }

    /// The signal's node of each band.
    pub fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// Windows in samples of the signals.
    pub fn window(&self) -> WindowSpec {
        self.window
    }

    /// What it reads of a window.
    pub fn needs(&self) -> Needs {
        match self.kind {
            Kind::Plain | Kind::Oas | Kind::LogVariance => {
                Needs { covariance: true, samples: false }
            }
            Kind::Estimated(..)
            | Kind::Stacked(_)
            | Kind::Augmented(_)
            | Kind::BandPower(_)
            | Kind::Entropy(_)
            | Kind::TimeDomain(_)
            | Kind::Scores(_)
            | Kind::Strength(_)
            | Kind::Pairs(_)
            | Kind::Samples => Needs { samples: true, covariance: false },
        }
    }

    /// The shape of what it writes.
    pub fn shape(&self) -> Shape {
        let (n_bands, n_channels) = (self.nodes.len(), self.n_channels);
        let n_samples = self.window.window_samples;
        match &self.kind {
            Kind::Plain | Kind::Oas => Shape::Matrices { n_bands, n_rows: n_channels },
            Kind::Estimated(_, n_parts) => {
                Shape::Matrices { n_bands: n_bands * n_parts, n_rows: n_channels }
            }
            Kind::Stacked(_) => Shape::Matrices { n_bands: 1, n_rows: n_bands * n_channels },
            Kind::Augmented(runtime) => Shape::Matrices { n_bands, n_rows: runtime.n_rows() },
            Kind::LogVariance => Shape::Vector(n_bands * n_channels),
            Kind::BandPower(bands) => {
                Shape::Vector(bands.iter().map(|b| n_channels * b.n_bands()).sum())
            }
            Kind::Entropy(bands) => {
                Shape::Vector(bands.iter().map(|b| n_channels * b.n_bands()).sum())
            }
            Kind::TimeDomain(measures) => Shape::Vector(n_bands * n_channels * measures.len()),
            Kind::Scores(scores) => Shape::Vector(scores.n_scores()),
            Kind::Strength(bands) => Shape::Vector(bands.iter().map(NodeStrength::n_values).sum()),
            Kind::Pairs(bands) => Shape::Vector(bands.iter().map(|b| b.values().len()).sum()),
            Kind::Samples => Shape::Samples { n_bands, n_channels, n_samples },
        }
    }

    /// Forgets earlier windows: an index may have other samples from here on.
    pub fn restart(&mut self) {
        match &mut self.kind {
            Kind::BandPower(bands) => bands.iter_mut().for_each(BandPower::restart),
            Kind::Entropy(bands) => bands.iter_mut().for_each(Entropy::restart),
            Kind::Strength(bands) => bands.iter_mut().for_each(NodeStrength::restart),
            Kind::Pairs(bands) => bands.iter_mut().for_each(SlidingConnectivity::restart),
            _ => {}
        }
    }

    /// Writes the feature of the window that `stretch` gives per node, and whether the
    /// window has it. `end` is the window's last sample where windows slide.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn extract<'a>(
        &mut self,
        end: Option<SampleIndex>,
        stretch: impl Fn(usize) -> Stretch<'a>,
        slot: &mut Slot,
    ) {
        let n_bands = self.nodes.len();
        let end = end.map(|end| self.clock.end(end));
        if let (Kind::Scores(scores), Value::Vector(out)) = (&mut self.kind, &mut slot.value) {
            let bands = self.nodes.iter().map(|node| stretch(*node).samples);
            slot.is_sound = scores.scores_into(bands, out).is_some();
            return;
        }
        if let (Kind::Stacked(stacked), Value::Matrices(out)) = (&mut self.kind, &mut slot.value) {
            let bands = self.nodes.iter().map(|node| stretch(*node).samples);
            slot.is_sound = stacked.covariance_into(bands, &mut out[0]).is_some();
            return;
        }
        let mut is_sound = true;
        for band in 0..n_bands {
            let stretch = stretch(self.nodes[band]);
            let done = match &mut slot.value {
                Value::Matrices(matrices) => {
                    let n_parts = matrices.len() / n_bands;
                    self.matrices(stretch, &mut matrices[band * n_parts..][..n_parts])
                }
                Value::Vector(vector) => {
                    let len = vector.len() / n_bands;
                    self.vector(band, end, stretch, &mut vector[band * len..][..len])
                }
                Value::Samples(samples) => {
                    stretch.samples.map(|planar| samples[band].copy_from(planar))
                }
            };
            is_sound &= done.is_some();
        }
        slot.is_sound = is_sound;
    }

    /// One matrix, or one per part.
    fn matrices(&mut self, stretch: Stretch<'_>, parts: &mut [Mat<f64>]) -> Option<()> {
        if let Kind::Estimated(runtime, n_parts) = &mut self.kind {
            let n_samples = self.window.window_samples / *n_parts;
            let samples = stretch.samples?.as_mat();
            let first = samples.ncols().checked_sub(n_samples * *n_parts)?;
            for (k, out) in parts.iter_mut().enumerate() {
                let part = samples.subcols(first + k * n_samples, n_samples);
                runtime.covariance_into(part, out.as_mut());
                varying(out)?;
            }
            return Some(());
        }
        let [out] = parts else { return None };
        match &mut self.kind {
            Kind::Plain => out.copy_from(varying(stretch.covariance?)?),
            Kind::Oas => {
                out.copy_from(varying(stretch.covariance?)?);
                oas_shrink(out.as_mut(), self.window.window_samples);
            }
            Kind::Augmented(runtime) => {
                runtime.covariance_into(&stretch.samples?, out.as_mut());
                varying(out)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn vector(
        &mut self,
        band: usize,
        end: Option<SampleIndex>,
        stretch: Stretch<'_>,
        out: &mut [f64],
    ) -> Option<()> {
        match &mut self.kind {
            Kind::LogVariance => {
                let covariance = varying(stretch.covariance?)?;
                for (c, value) in out.iter_mut().enumerate() {
                    *value = log_power(covariance[(c, c)]);
                }
            }
            Kind::BandPower(bands) => bands[band].powers_into(end, stretch.samples?, out),
            Kind::Entropy(bands) => bands[band].entropies_into(end, stretch.samples?, out),
            Kind::TimeDomain(measures) => {
                TimeFeature::several_into(measures, stretch.samples?, out);
            }
            Kind::Strength(bands) => match end {
                Some(end) => bands[band].slide_into(end, stretch.samples?, out),
                None => bands[band].run_into(stretch.samples?, out),
            },
            Kind::Pairs(bands) => out.copy_from_slice(match end {
                Some(end) => bands[band].slide(end, stretch.samples?),
                None => bands[band].run(stretch.samples?),
            }),
            _ => return None,
        }
        out.iter().all(|p| p.is_finite()).then_some(())
    }
}

/// The covariance of all bands' channels, from their samples.
struct Stacked {
    runtime: CovarianceRuntime,
    n_samples: usize,
    /// All channels, each contiguous.
    samples: Vec<f64>,
}

impl Stacked {
    fn new(estimator: Estimator, n_rows: usize, n_samples: usize) -> Result<Self, PlanError> {
        estimator.check(n_rows, n_samples)?;
        let runtime = estimator.plan(n_rows, n_samples)?;
        Ok(Self { runtime, n_samples, samples: vec![0.0; n_rows * n_samples] })
    }

    /// Thread: decoding thread. Allocation: none.
    fn covariance_into<'a>(
        &mut self,
        bands: impl Iterator<Item = Option<Planar<'a>>>,
        out: &mut Mat<f64>,
    ) -> Option<()> {
        let mut rows = self.samples.chunks_exact_mut(self.n_samples);
        for band in bands {
            let band = band?;
            for (c, row) in (0..band.n_channels()).zip(&mut rows) {
                row.copy_from_slice(band.channel(c));
            }
        }
        let n_rows = out.nrows();
        let all = Planar::new(&self.samples, n_rows, self.n_samples, self.n_samples);
        self.runtime.covariance_into(all.as_mat(), out.as_mut());
        varying(out).map(|_| ())
    }
}

/// The covariance, where a channel varies and all are finite.
fn varying(covariance: &Mat<f64>) -> Option<&Mat<f64>> {
    let total: f64 = (0..covariance.nrows()).map(|c| covariance[(c, c)]).sum();
    (total.is_finite() && total > 0.0).then_some(covariance)
}

fn plan_connectivity(
    step: &Connectivity,
    n_signal_bands: usize,
    n_channels: usize,
    window: WindowSpec,
    rate: SampleRate,
) -> Result<Kind, PlanError> {
    let band = |&[low_hz, high_hz]: &[f64; 2]| Band { low_hz, high_hz };
    let bands: Vec<_> = step.bands_hz.iter().map(band).collect();
    let segments = Segments::half_second(window, rate);
    Ok(match step.summary {
        Summary::NodeStrength => {
            let measure = step.measure;
            let planned = NodeStrength::of(measure, n_channels, window, rate, segments, &bands)?;
            Kind::Strength(vec![planned; n_signal_bands])
        }
        Summary::Pairs => {
            let spec = ConnectivitySpec {
                measures: vec![step.measure],
                resolution: Resolution::Bands(bands),
                edges: BandEdges::HalfOpen,
            };
            let planned = SlidingConnectivity::new(n_channels, window, rate, segments, &spec)?;
            Kind::Pairs(vec![planned; n_signal_bands])
        }
    })
}
