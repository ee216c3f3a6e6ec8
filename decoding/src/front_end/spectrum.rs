//! The density of a channel of a window, by any of the methods of [`psd`](crate::psd).

use super::step::{SpectrumMethod, SpectrumParams};
use crate::psd::PsdError;
use crate::psd::bands::Band;
use crate::psd::burg::{BurgPlan, BurgSpec};
use crate::psd::multitaper::{Multitaper, MultitaperSpec};
use crate::psd::welch::WelchPlan;
use acquisition::time::SampleRate;
use std::ops::Range;

/// A planned density with its buffers.
pub(super) struct Spectrum {
    plan: Plan,
    /// The density of the last channel.
    psd: Vec<f64>,
}

enum Plan {
    Welch(WelchPlan),
    Burg(Box<BurgPlan>),
    Multitaper(Box<Multitaper<f64>>),
}

impl Spectrum {
    /// Plans densities of `n_samples` samples.
    pub fn new(
        params: SpectrumParams,
        n_samples: usize,
        rate: SampleRate,
    ) -> Result<Self, PsdError> {
        let plan = match params.method {
            SpectrumMethod::Welch => {
                let segment = rate.hz().round_ties_even() as usize;
                Plan::Welch(WelchPlan::new(n_samples, rate, segment, segment / 2)?)
            }
            SpectrumMethod::Burg => {
                let usual = BurgSpec::happy_feat(rate);
                let spec = BurgSpec { order: params.order.unwrap_or(usual.order), ..usual };
                Plan::Burg(Box::new(BurgPlan::new(spec, n_samples, rate)?))
            }
            SpectrumMethod::Multitaper => {
                let bandwidth_hz = params.bandwidth_hz.unwrap_or(SpectrumParams::BANDWIDTH_HZ);
                let spec = MultitaperSpec::new(bandwidth_hz);
                Plan::Multitaper(Box::new(Multitaper::new(&spec, n_samples, rate)?))
            }
        };
        let n_bins = match &plan {
            Plan::Welch(plan) => plan.n_bins(),
            Plan::Burg(plan) => plan.n_bins(),
            Plan::Multitaper(plan) => plan.n_bins(),
        };
        Ok(Self { plan, psd: vec![0.0; n_bins] })
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

    /// The density of the samples of one channel.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn of(&mut self, samples: &[f64]) -> &[f64] {
        match &mut self.plan {
            Plan::Welch(plan) => plan.run(samples, &mut self.psd),
            Plan::Burg(plan) => plan.run(samples, &mut self.psd),
            Plan::Multitaper(plan) => plan.run(samples, &mut self.psd),
        }
        &self.psd
    }
}
