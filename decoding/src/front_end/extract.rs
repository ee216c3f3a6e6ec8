//! Features of one window, planned: for the sliding windows of a session and for the
//! trials of a batch alike.

use super::PlanError;
use super::band_power::BandPower;
use super::step::{Estimator, Feature};
use crate::riemann::covariance::oas_shrink;
use crate::window::{Planar, Shape, Slot, Value};
use acquisition::time::SampleRate;
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
    n_samples: usize,
}

enum Kind {
    Covariance(Estimator),
    LogVariance,
    BandPower(BandPower),
}

impl Extractor {
    /// Plans a feature of windows of `n_samples` over signals of `n_channels`, one signal
    /// per band.
    pub fn plan(
        feature: &Feature,
        nodes: Vec<usize>,
        n_channels: usize,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, PlanError> {
        let kind = match feature {
            Feature::Covariance(covariance) => Kind::Covariance(covariance.estimator),
            Feature::LogVariance(_) => Kind::LogVariance,
            Feature::BandPower(power) => {
                Kind::BandPower(BandPower::new(n_samples, rate, &power.bands_hz)?)
            }
        };
        Ok(Self { nodes, kind, n_channels, n_samples })
    }

    /// The signal's node of each band.
    pub fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// What it reads of a window.
    pub fn needs(&self) -> Needs {
        match self.kind {
            Kind::Covariance(_) | Kind::LogVariance => Needs { covariance: true, samples: false },
            Kind::BandPower(_) => Needs { samples: true, covariance: false },
        }
    }

    /// The shape of what it writes.
    pub fn shape(&self) -> Shape {
        let n_bands = self.nodes.len();
        match &self.kind {
            Kind::Covariance(_) => Shape::Matrices { n_bands, n_rows: self.n_channels },
            Kind::LogVariance => Shape::Vector(n_bands * self.n_channels),
            Kind::BandPower(power) => Shape::Vector(n_bands * self.n_channels * power.n_bands()),
        }
    }

    /// Writes the feature of the window that `stretch` gives per node, and whether the
    /// window has it.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn extract<'a>(&mut self, stretch: impl Fn(usize) -> Stretch<'a>, slot: &mut Slot) {
        let n_bands = self.nodes.len();
        let mut is_sound = true;
        for band in 0..n_bands {
            let stretch = stretch(self.nodes[band]);
            let done = match &mut slot.value {
                Value::Matrices(matrices) => self.matrix(stretch, &mut matrices[band]),
                Value::Vector(vector) => {
                    let len = vector.len() / n_bands;
                    self.vector(stretch, &mut vector[band * len..][..len])
                }
                Value::Samples(_) => None,
            };
            is_sound &= done.is_some();
        }
        slot.is_sound = is_sound;
    }

    fn matrix(&mut self, stretch: Stretch<'_>, out: &mut Mat<f64>) -> Option<()> {
        match &self.kind {
            Kind::Covariance(estimator) => {
                out.copy_from(varying(stretch.covariance?)?);
                match estimator {
                    Estimator::Scm => {}
                    Estimator::Oas => _ = oas_shrink(out.as_mut(), self.n_samples),
                }
                Some(())
            }
            Kind::LogVariance | Kind::BandPower(_) => None,
        }
    }

    fn vector(&mut self, stretch: Stretch<'_>, out: &mut [f64]) -> Option<()> {
        match &mut self.kind {
            Kind::LogVariance => {
                let covariance = varying(stretch.covariance?)?;
                for (c, value) in out.iter_mut().enumerate() {
                    *value = covariance[(c, c)].max(f64::MIN_POSITIVE).ln();
                }
                Some(())
            }
            Kind::BandPower(power) => {
                power.log_power_into(stretch.samples?, out);
                out.iter().all(|p| p.is_finite()).then_some(())
            }
            Kind::Covariance(_) => None,
        }
    }
}

/// The covariance, where a channel varies and all are finite.
fn varying(covariance: &Mat<f64>) -> Option<&Mat<f64>> {
    let total: f64 = (0..covariance.nrows()).map(|c| covariance[(c, c)]).sum();
    (total.is_finite() && total > 0.0).then_some(covariance)
}
