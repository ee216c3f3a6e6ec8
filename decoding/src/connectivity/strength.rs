//! Node strength: how much a channel goes together with the others.

use super::{
    BandEdges, ConnectivityError, ConnectivitySpec, Measure, Resolution, Segments,
    SlidingConnectivity,
};
use crate::psd::bands::Band;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};

/// Node strength of each channel in each band of a sliding window: the feature of the
/// pipeline `conn+lda`.
///
/// `s(c, b) = 1 / (n_channels - 1) · Σ_{d ≠ c} m_cd(b)`, `m` a [`Measure`] over the window's
/// [`Segments`] (see [`SlidingConnectivity`] for windows, segments and what a hop costs), as
/// channel `c` sees it ([`Measure::reversed`]): of a measure with a direction the strength is
/// how much the channel leads the others, positive (above 1/2 for
/// [`Measure::DirectedPhaseLag`]) where it does. Bands are `low <= f < high`.
///
/// # Reference
/// G. Nolte et al. (2004), Clinical Neurophysiology 115(10),
/// doi:10.1016/j.clinph.2004.04.029; A. Desbois et al. (2024), Software Impacts 19,
/// doi:10.1016/j.simpa.2023.100610.
#[derive(Clone, Debug)]
pub struct NodeStrength {
    connectivity: SlidingConnectivity,
    measure: Measure,
}

impl NodeStrength {
    /// Plans windows of `n_channels`, by the magnitude of the imaginary coherence.
    pub fn new(
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        segments: Segments,
        bands: &[Band],
    ) -> Result<Self, ConnectivityError> {
        let measure = Measure::AbsImaginaryCoherence;
        Self::of(measure, n_channels, window, rate, segments, bands)
    }

    /// Plans windows of `n_channels`, by any measure.
    pub fn of(
        measure: Measure,
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        segments: Segments,
        bands: &[Band],
    ) -> Result<Self, ConnectivityError> {
        let spec = ConnectivitySpec {
            measures: vec![measure],
            resolution: Resolution::Bands(bands.to_vec()),
            edges: BandEdges::HalfOpen,
        };
        let connectivity = SlidingConnectivity::new(n_channels, window, rate, segments, &spec)?;
        Ok(Self { connectivity, measure })
    }

    /// Values per window: channels times bands.
    pub fn n_values(&self) -> usize {
        self.connectivity.n_channels() * self.connectivity.n_bands()
    }

    /// Forgets every segment: call it where the samples of an index may change, as after
    /// a gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.connectivity.restart();
    }

    /// Writes the strengths of the window whose last sample is `end`, channel-major
    /// (`n_channels * n_bands`). Segments that an earlier window held are not transformed
    /// again.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `out` are not of the planned shape.
    pub fn slide_into(&mut self, end: SampleIndex, samples: Planar<'_>, out: &mut [f64]) {
        self.connectivity.slide(end, samples);
        self.strengths_into(out);
    }

    /// Writes the strengths of one window by itself: the same values as
    /// [`NodeStrength::slide_into`], bit for bit, without memory of other windows.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` or `out` are not of the planned shape.
    pub fn run_into(&mut self, samples: Planar<'_>, out: &mut [f64]) {
        self.connectivity.run(samples);
        self.strengths_into(out);
    }

    fn strengths_into(&self, out: &mut [f64]) {
        assert_eq!(out.len(), self.n_values(), "strengths of another plan");
        out.fill(0.0);
        let (n_channels, n_bands) = (self.connectivity.n_channels(), self.connectivity.n_bands());
        for band in 0..n_bands {
            let mut pairs = self.connectivity.pairs(self.measure, band);
            for c in 1..n_channels {
                let (row, rest) = pairs.split_at(c);
                for (d, value) in row.iter().enumerate() {
                    out[c * n_bands + band] += value;
                    out[d * n_bands + band] += self.measure.reversed(*value);
                }
                pairs = rest;
            }
        }
        let n_others = (n_channels - 1) as f64;
        for s in out.iter_mut() {
            *s /= n_others;
        }
    }
}
