//! Spectra, as SciPy and MNE estimate them.

use crate::{Parts, Plan, Request, Tensor};
use acquisition::time::{SampleIndex, SampleRate};
use decoding::psd::multitaper::{Multitaper, MultitaperSpec, Normalisation, TaperWeights};
use decoding::psd::welch::sliding::SlidingWelch;
use decoding::psd::welch::{Welch, WelchPlan};
use decoding::time_frequency::morlet::{Admissibility, MorletPlan};
use decoding::window::{Planar, WindowSpec};
use ndarray::ArrayView3;

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("welch", |request| {
        let case = Recording::of(request)?;
        Ok(Parts::case(case, Recording::welch, Recording::spectra))
    }),
    ("welch_f32", |request| {
        let case =
            Single { recording: Recording::of(request)?, samples: Vec::new(), psd: Vec::new() };
        Ok(Parts::case(case.loaded(), Single::welch, Single::spectra))
    }),
    ("multitaper", |request| {
        let mut case = Recording::of(request)?;
        case.weights = TaperWeights::Eigenvalue;
        Ok(Parts::case(case, Recording::multitaper, Recording::spectra))
    }),
    ("multitaper_adaptive", |request| {
        let mut case = Recording::of(request)?;
        case.weights = TaperWeights::Adaptive;
        Ok(Parts::case(case, Recording::multitaper, Recording::spectra))
    }),
    ("welch_live", |request| {
        Ok(Parts::case(Live::of(request)?, Live::welch, |live| live.recording.spectra()))
    }),
    ("morlet_power", |request| {
        Ok(Parts::case(Recording::of(request)?, Recording::morlet, Recording::spectra))
    }),
];

/// Channels `(n_channels, n_samples)`, or epochs of them, and their spectra.
struct Recording {
    shape: Vec<usize>,
    samples: Vec<f64>,
    rate: SampleRate,
    segment_samples: usize,
    overlap_samples: usize,
    bandwidth_hz: f64,
    weights: TaperWeights,
    psd: Vec<f64>,
    n_bins: usize,
}

impl Recording {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let rate = SampleRate::new(request.number("rate_hz")?).map_err(|e| e.to_string())?;
        Ok(Self {
            shape: input.shape.clone(),
            samples: input.data.clone(),
            rate,
            segment_samples: request.count("segment_samples").unwrap_or(0),
            overlap_samples: request.count("overlap_samples").unwrap_or(0),
            bandwidth_hz: request.number("bandwidth_hz").unwrap_or(0.0),
            weights: TaperWeights::Eigenvalue,
            psd: Vec::new(),
            n_bins: 1,
        })
    }

    fn n_samples(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    fn welch(&mut self) {
        let (n, segment) = (self.n_samples(), self.segment_samples);
        let plan = WelchPlan::new(n, self.rate, segment, self.overlap_samples);
        let plan = plan.expect("the case fits");
        self.n_bins = plan.n_bins();
        self.psd.resize(self.samples.len() / n * self.n_bins, 0.0);
        plan.run_channels(&self.samples, &mut self.psd);
    }

    fn multitaper(&mut self) {
        let spec = MultitaperSpec {
            weights: self.weights,
            normalisation: Normalisation::Length,
            ..MultitaperSpec::new(self.bandwidth_hz)
        };
        let n = self.n_samples();
        let plan = Multitaper::<f64>::new(&spec, n, self.rate).expect("the case fits");
        self.n_bins = plan.n_bins();
        self.psd.resize(self.samples.len() / n * self.n_bins, 0.0);
        plan.run_channels(&self.samples, &mut self.psd);
    }

    /// Average power of epochs at 8 to 44 Hz, seven cycles.
    fn morlet(&mut self) {
        let freqs: Vec<(f64, f64)> = (0..10).map(|k| (4.0 * f64::from(k) + 8.0, 7.0)).collect();
        let n = self.n_samples();
        let plan = MorletPlan::new(&freqs, n, self.rate, Admissibility::ZeroMean);
        let plan = plan.expect("the case fits");
        let shape = (self.shape[0], self.shape[1], n);
        let epochs = ArrayView3::from_shape(shape, &self.samples).expect("three dimensions");
        let picks: Vec<usize> = (0..shape.0).collect();
        self.n_bins = n;
        self.psd.resize(shape.1 * plan.n_values(), 0.0);
        plan.average_power(&epochs, &picks, &mut self.psd);
    }

    fn spectra(&self) -> Vec<Tensor> {
        let shape = vec![self.psd.len() / self.n_bins, self.n_bins];
        vec![Tensor { shape, data: self.psd.clone() }]
    }
}

/// The same in `f32`.
struct Single {
    recording: Recording,
    samples: Vec<f32>,
    psd: Vec<f32>,
}

impl Single {
    fn loaded(mut self) -> Self {
        self.samples = self.recording.samples.iter().map(|x| *x as f32).collect();
        self
    }

    fn welch(&mut self) {
        let r = &mut self.recording;
        let n = r.n_samples();
        let plan = Welch::<f32>::new(n, r.rate, r.segment_samples, r.overlap_samples);
        let plan = plan.expect("the case fits");
        r.n_bins = plan.n_bins();
        self.psd.resize(self.samples.len() / n * r.n_bins, 0.0);
        plan.run_channels(&self.samples, &mut self.psd);
    }

    fn spectra(&self) -> Vec<Tensor> {
        let shape = vec![self.psd.len() / self.recording.n_bins, self.recording.n_bins];
        vec![Tensor { shape, data: self.psd.iter().map(|p| f64::from(*p)).collect() }]
    }
}

/// One window after another of a running session: each call is the next hop, on the same
/// samples, of which the newest segment is transformed.
struct Live {
    recording: Recording,
    sliding: SlidingWelch,
    hop_samples: u64,
    k: u64,
}

impl Live {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let mut recording = Recording::of(request)?;
        let n = recording.n_samples();
        let step_samples = request.count("hop_samples")?;
        let spec = WindowSpec { window_samples: n, step_samples };
        let (segment, overlap) = (recording.segment_samples, recording.overlap_samples);
        let n_channels = recording.samples.len() / n;
        let sliding = SlidingWelch::new(n_channels, spec, recording.rate, segment, overlap)
            .map_err(|e| e.to_string())?;
        recording.n_bins = sliding.n_bins();
        recording.psd.resize(n_channels * sliding.n_bins(), 0.0);
        Ok(Self { recording, sliding, hop_samples: step_samples as u64, k: 0 })
    }

    fn welch(&mut self) {
        let n = self.recording.n_samples();
        let r = &mut self.recording;
        let window = Planar::new(&r.samples, r.shape[0], n, n);
        self.sliding.run(SampleIndex(self.k * self.hop_samples), window, &mut r.psd);
        self.k += 1;
    }
}
