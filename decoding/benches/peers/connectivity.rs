//! Connectivity between all channels, as mne-connectivity measures it.

pub mod models;

use crate::{Case, Parts, Plan, Request, Tensor};
use acquisition::time::{SampleIndex, SampleRate};
use decoding::connectivity::{
    BandEdges, ConnectivityMap, ConnectivitySpec, Envelope, EnvelopeCorrelation, EpochConnectivity,
    Orthogonalisation, Resolution, Segments, SlidingConnectivity, TimeConnectivity,
};
use decoding::psd::bands::Band;
use decoding::window::{Planar, WindowSpec};
use ndarray::{Array3, ArrayView3};

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("connectivity_fourier", |request| {
        Ok(Parts::case(OverEpochs::of(request)?, OverEpochs::fourier, OverEpochs::values))
    }),
    ("connectivity_multitaper", |request| {
        Ok(Parts::case(OverEpochs::of(request)?, OverEpochs::multitaper, OverEpochs::values))
    }),
    ("connectivity_envelope", envelope),
    ("connectivity_time", |request| {
        Ok(Parts::case(OverTime::of(request)?, OverTime::run, OverTime::values))
    }),
    ("connectivity_time_live", |request| {
        Ok(Parts::case(Live::of(request)?, Live::run, Live::values))
    }),
    ("connectivity_sliding", sliding),
];

fn failed(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// `measures` are names with commas between them, `low_hz` and `high_hz` likewise numbers.
fn spec(request: &Request<'_>) -> Result<ConnectivitySpec, String> {
    let measure = |name: &str| serde_json::from_value(name.into()).map_err(failed);
    let measures = request.word("measures")?.split(',').map(measure);
    let edges = |name| -> Result<Vec<f64>, String> {
        request.word(name)?.split(',').map(|x| x.parse().map_err(failed)).collect()
    };
    let bands = edges("low_hz")?.into_iter().zip(edges("high_hz")?);
    let bands = bands.map(|(low_hz, high_hz)| Band { low_hz, high_hz }).collect();
    Ok(ConnectivitySpec {
        measures: measures.collect::<Result<_, _>>()?,
        resolution: Resolution::Bands(bands),
        edges: BandEdges::Closed,
    })
}

fn rate(request: &Request<'_>) -> Result<SampleRate, String> {
    SampleRate::new(request.number("rate_hz")?).map_err(failed)
}

fn epochs(request: &Request<'_>) -> Result<Array3<f64>, String> {
    let input = request.input(0)?;
    let &[n_epochs, n_channels, n_samples] = input.shape.as_slice() else {
        return Err("epochs have three dimensions".to_owned());
    };
    let view = ArrayView3::from_shape((n_epochs, n_channels, n_samples), &input.data);
    Ok(view.map_err(failed)?.to_owned())
}

fn tensor(values: &[f64], n_pairs: usize) -> Tensor {
    Tensor { shape: vec![values.len() / n_pairs, n_pairs], data: values.to_vec() }
}

fn n_pairs(n_channels: usize) -> usize {
    decoding::connectivity::n_pairs(n_channels)
}

/// A call plans, as its peer does.
struct OverEpochs {
    epochs: Array3<f64>,
    rate: SampleRate,
    spec: ConnectivitySpec,
    map: Option<ConnectivityMap>,
}

impl OverEpochs {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let (epochs, rate) = (epochs(request)?, rate(request)?);
        Ok(Self { epochs, rate, spec: spec(request)?, map: None })
    }

    fn fourier(&mut self) {
        let (_, n_channels, n_samples) = self.epochs.dim();
        let plan = EpochConnectivity::fourier(n_channels, n_samples, self.rate, &self.spec);
        self.map = plan.and_then(|plan| plan.run(&self.epochs.view())).ok();
    }

    /// With a bandwidth of 4 Hz.
    fn multitaper(&mut self) {
        let (_, n_channels, n_samples) = self.epochs.dim();
        let plan = EpochConnectivity::multitaper(n_channels, n_samples, self.rate, 4.0, &self.spec);
        self.map = plan.and_then(|plan| plan.run(&self.epochs.view())).ok();
    }

    fn values(&self) -> Vec<Tensor> {
        self.map.iter().map(|map| tensor(map.values(), n_pairs(map.n_channels()))).collect()
    }
}

/// Wavelets of five cycles at the second input's frequencies.
struct OverTime {
    epochs: Array3<f64>,
    rate: SampleRate,
    freqs_hz: Vec<f64>,
    spec: ConnectivitySpec,
    maps: Vec<ConnectivityMap>,
}

impl OverTime {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let freqs_hz = request.input(1)?.data.clone();
        let (epochs, rate, spec) = (epochs(request)?, rate(request)?, spec(request)?);
        Ok(Self { epochs, rate, freqs_hz, spec, maps: Vec::new() })
    }

    fn plan(&self) -> Result<TimeConnectivity, String> {
        let (_, n_channels, n_samples) = self.epochs.dim();
        let wavelets = (&self.freqs_hz[..], 5.0);
        TimeConnectivity::morlet(n_channels, n_samples, self.rate, wavelets, &self.spec)
            .map_err(failed)
    }

    fn run(&mut self) {
        let maps = self.plan().map(|plan| plan.run_epochs(&self.epochs.view()));
        self.maps = maps.ok().and_then(Result::ok).unwrap_or_default();
    }

    fn values(&self) -> Vec<Tensor> {
        let Some(first) = self.maps.first() else { return Vec::new() };
        let all: Vec<f64> = self.maps.iter().flat_map(ConnectivityMap::values).copied().collect();
        vec![tensor(&all, n_pairs(first.n_channels()))]
    }
}

/// The same for one window, planned beforehand.
struct Live {
    plan: TimeConnectivity,
    epochs: Array3<f64>,
    values: Vec<f64>,
}

impl Live {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let over = OverTime::of(request)?;
        Ok(Self { plan: over.plan()?, epochs: over.epochs, values: Vec::new() })
    }

    fn run(&mut self) {
        let (_, n_channels, n_samples) = self.epochs.dim();
        let samples = self.epochs.as_slice().unwrap_or_default();
        let values = self.plan.run(Planar::new(samples, n_channels, n_samples, n_samples));
        values.clone_into(&mut self.values);
    }

    fn values(&self) -> Vec<Tensor> {
        vec![tensor(&self.values, n_pairs(self.epochs.dim().1))]
    }
}

/// A window's envelopes, and the pairs of its last call.
type Envelopes = (EnvelopeCorrelation, Array3<f64>, Vec<f64>);

fn envelope(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let epochs = epochs(request)?;
    let (_, n_channels, n_samples) = epochs.dim();
    let (kind, of) = (Orthogonalisation::Pairwise, Envelope::Amplitude);
    let plan = EnvelopeCorrelation::new(n_channels, n_samples, kind, of).map_err(failed)?;
    let call = |(plan, epochs, values): &mut Envelopes| {
        let (_, n_channels, n_samples) = epochs.dim();
        let samples = epochs.as_slice().unwrap_or_default();
        let pairs = plan.run(Planar::new(samples, n_channels, n_samples, n_samples));
        pairs.clone_into(values);
    };
    let state: Envelopes = (plan, epochs, Vec::new());
    Ok(Parts::case(state, call, |(_, _, values)| vec![tensor(values, values.len())]))
}

/// Segments end to end, and a signal that repeats one window `(n_channels, n_samples)`
/// for ever. Each call is the next hop of a session: one segment is new, and the window's
/// segments are the same in another order.
struct Sliding {
    plan: SlidingConnectivity,
    samples: Vec<f64>,
    shape: (usize, usize),
    segment_samples: usize,
    start: usize,
}

fn sliding(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let input = request.input(0)?;
    let &[n_channels, n_samples] = input.shape.as_slice() else {
        return Err("a window has two dimensions".to_owned());
    };
    let length = request.count("segment_samples")?;
    let window = WindowSpec { window_samples: n_samples, step_samples: length };
    let segments = Segments { length_samples: length, step_samples: length };
    let plan =
        SlidingConnectivity::new(n_channels, window, rate(request)?, segments, &spec(request)?);
    let state = Sliding {
        plan: plan.map_err(failed)?,
        samples: input.data.chunks_exact(n_samples).flat_map(|x| x.repeat(2)).collect(),
        shape: (n_channels, n_samples),
        segment_samples: length,
        start: 0,
    };
    Ok(Parts::case(state, Sliding::run, Sliding::values))
}

impl Sliding {
    fn run(&mut self) {
        let (n_channels, n_samples) = self.shape;
        let from = &self.samples[self.start % n_samples..];
        let end = SampleIndex((self.start + n_samples - 1) as u64);
        self.plan.slide(end, Planar::new(from, n_channels, 2 * n_samples, n_samples));
        self.start += self.segment_samples;
    }

    fn values(&self) -> Vec<Tensor> {
        vec![tensor(self.plan.values(), n_pairs(self.shape.0))]
    }
}
