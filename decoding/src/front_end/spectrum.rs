//! The densities of all channels of a window, by any of the methods of [`psd`](crate::psd).

use super::step::{SpectrumMethod, SpectrumParams};
use crate::psd::PsdError;
use crate::psd::bands::Band;
use crate::psd::burg::{BurgPlan, BurgSpec};
use crate::psd::multitaper::{Multitaper, MultitaperSpec};
use crate::psd::welch::sliding::SlidingWelch;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use std::ops::Range;

/// Planned densities with their buffers.
#[derive(Clone, Debug)]
pub(super) struct Spectrum {
    plan: Plan,
    n_bins: usize,
    /// The densities of the last window, `(n_channels, n_bins)`.
    psd: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Plan {
    /// In which a segment that windows share is transformed once.
    Welch(Box<SlidingWelch>),
    Burg(Box<BurgPlan>),
    Multitaper(Box<Multitaper<f64>>),
}

impl Spectrum {
    /// Plans densities of the channels of windows.
    pub fn new(
        params: SpectrumParams,
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let n_samples = window.window_samples;
        let (plan, n_bins) = match params.method {
            SpectrumMethod::Welch => {
                let segment = rate.hz().round_ties_even() as usize;
                let plan = SlidingWelch::new(n_channels, window, rate, segment, segment / 2)?;
                let n_bins = plan.n_bins();
                (Plan::Welch(Box::new(plan)), n_bins)
            }
            SpectrumMethod::Burg => {
                let usual = BurgSpec::happy_feat(rate);
                let spec = BurgSpec { order: params.order.unwrap_or(usual.order), ..usual };
                let plan = BurgPlan::new(spec, n_samples, rate)?;
                let n_bins = plan.n_bins();
                (Plan::Burg(Box::new(plan)), n_bins)
            }
            SpectrumMethod::Multitaper => {
                let bandwidth_hz = params.bandwidth_hz.unwrap_or(SpectrumParams::BANDWIDTH_HZ);
                let plan = Multitaper::new(&MultitaperSpec::new(bandwidth_hz), n_samples, rate)?;
                let n_bins = plan.n_bins();
                (Plan::Multitaper(Box::new(plan)), n_bins)
            }
        };
        Ok(Self { plan, n_bins, psd: vec![0.0; n_channels * n_bins] })
    }

    /// The bins of each band.
    pub fn bins(&self, bands_hz: &[[f64; 2]]) -> Result<Vec<Range<usize>>, PsdError> {
        let freqs_hz = match &self.plan {
            Plan::Welch(plan) => plan.freqs_hz(),
            Plan::Burg(plan) => plan.freqs_hz(),
            Plan::Multitaper(plan) => plan.freqs_hz(),
        };
        let bins_of = |&[low_hz, high_hz]: &[f64; 2]| Band { low_hz, high_hz }.bins(&freqs_hz);
        bands_hz.iter().map(bins_of).collect()
    }

    /// Forgets earlier windows: an index may have other samples from here on.
    pub fn restart(&mut self) {
        if let Plan::Welch(plan) = &mut self.plan {
            plan.restart();
        }
    }

    /// The density of each channel of a window that ends with the sample `end`, or of one by
    /// itself: the same values, bit for bit.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn of(
        &mut self,
        end: Option<SampleIndex>,
        samples: Planar<'_>,
    ) -> impl Iterator<Item = &[f64]> {
        let (n_bins, psd) = (self.n_bins, &mut self.psd);
        let channels = (0..samples.n_channels()).map(|c| samples.channel(c));
        match &mut self.plan {
            Plan::Welch(plan) => {
                let first = end.map(|end| (end.0 + 1).saturating_sub(samples.n_samples() as u64));
                if first.is_none() {
                    plan.restart();
                }
                plan.run(SampleIndex(first.unwrap_or(0)), samples, psd);
                if first.is_none() {
                    plan.restart();
                }
            }
            Plan::Burg(plan) => {
                channels.zip(psd.chunks_exact_mut(n_bins)).for_each(|(x, psd)| plan.run(x, psd));
            }
            Plan::Multitaper(plan) => {
                channels.zip(psd.chunks_exact_mut(n_bins)).for_each(|(x, psd)| plan.run(x, psd));
            }
        }
        self.psd.chunks_exact(n_bins)
    }
}
