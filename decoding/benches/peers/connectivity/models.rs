//! Autoregressive models with their directed measures, graphs, and sliding estimates of
//! them.

use super::{epochs, failed, rate};
use crate::{Case, Parts, Plan, Request, Tensor};
use acquisition::time::SampleIndex;
use decoding::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use decoding::connectivity::granger::{
    GrangerMap, GrangerSpec, GroupGranger, Scope, SlidingGranger, SpectralGranger,
};
use decoding::connectivity::graph::{
    Direction, GraphMeasures, GraphSpec, NodeMeasure, Threshold, WeightScale, WholeMeasure,
};
use decoding::connectivity::mvar::{Estimator, Intercept, Mvar, MvarSpec, MvarView, SlidingMvar};
use decoding::connectivity::{Envelope, Orthogonalisation, SlidingEnvelope};
use decoding::window::{Planar, WindowSpec};
use ndarray::Array3;

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("mvar_fit", mvar_fit),
    ("mvar_sliding", |request| sliding(request, Hop::mvar(request)?)),
    ("directed", directed),
    ("granger_conditional", |request| granger(request, Scope::Conditional)),
    ("granger_pairwise", |request| granger(request, Scope::Pairwise)),
    ("granger_spectral", granger_spectral),
    ("granger_group", granger_group),
    ("granger_sliding", |request| sliding(request, Hop::granger(request)?)),
    ("envelope_sliding", |request| sliding(request, Hop::envelope(request)?)),
    ("graph", graph),
];

fn square(values: &[f64], n: usize) -> Tensor {
    Tensor { shape: vec![values.len() / n, n], data: values.to_vec() }
}

fn mvar_fit(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let (estimator, intercept) = (Estimator::LeastSquares, Intercept::Estimated);
    let spec = MvarSpec { order: request.count("order")?, estimator, intercept };
    let state = (spec, epochs(request)?, None::<Mvar>);
    let call = |(spec, epochs, model): &mut (MvarSpec, Array3<f64>, Option<Mvar>)| {
        *model = spec.fit(&epochs.view()).ok();
    };
    Ok(Parts::case(state, call, |(_, _, model)| {
        let of = |model: &Mvar| {
            let a = model.coefficients();
            vec![square(a.as_slice(), a.n_cols()), square(model.noise().as_slice(), a.n_rows())]
        };
        model.as_ref().map(of).unwrap_or_default()
    }))
}

/// A model's coefficients and noise, and a plan for it.
type WithModel<T> = (T, Tensor, Tensor, Vec<f64>);

fn model<'a>(coefficients: &'a Tensor, noise: &'a Tensor) -> MvarView<'a> {
    MvarView::new(noise.shape[0], &coefficients.data, &noise.data)
}

/// Of inputs: coefficients, noise, frequencies.
fn with_model<T>(
    request: &Request<'_>,
    plan: impl FnOnce((usize, usize), &[f64]) -> Result<T, String>,
) -> Result<WithModel<T>, String> {
    let (a, noise, freqs) = (request.input(0)?, request.input(1)?, request.input(2)?);
    let m = noise.shape[0];
    let plan = plan((m, a.data.len() / (m * m)), &freqs.data)?;
    Ok((plan, a.clone(), noise.clone(), Vec::new()))
}

fn outputs<T>(state: &WithModel<T>) -> Vec<Tensor> {
    vec![Tensor { shape: vec![state.3.len()], data: state.3.clone() }]
}

fn directed(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    const ALL: [DirectedMeasure; 6] = [
        DirectedMeasure::Transfer,
        DirectedMeasure::FullFrequencyTransfer,
        DirectedMeasure::DirectTransfer,
        DirectedMeasure::DirectTransfer08,
        DirectedMeasure::PartialCoherence,
        DirectedMeasure::GeneralisedPartialCoherence,
    ];
    let rate = rate(request)?;
    let state = with_model(request, |shape, freqs| {
        DirectedConnectivity::new(shape, rate, freqs, &ALL).map_err(failed)
    })?;
    let call = |(plan, a, noise, out): &mut WithModel<DirectedConnectivity>| {
        plan.run(model(a, noise)).clone_into(out);
    };
    Ok(Parts::case(state, call, outputs))
}

fn granger_spectral(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let rate = rate(request)?;
    let state = with_model(request, |shape, freqs| {
        SpectralGranger::new(shape, rate, freqs).map_err(failed)
    })?;
    let call = |(plan, a, noise, out): &mut WithModel<SpectralGranger>| {
        plan.run(model(a, noise)).clone_into(out);
    };
    Ok(Parts::case(state, call, outputs))
}

/// The first half of the channels gets from the second.
fn granger_group(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let rate = rate(request)?;
    let state = with_model(request, |shape, freqs| {
        let (to, from): (Vec<usize>, Vec<usize>) = (0..shape.0).partition(|c| *c < shape.0 / 2);
        GroupGranger::new(shape, rate, freqs, (&to, &from)).map_err(failed)
    })?;
    let call = |(plan, a, noise, out): &mut WithModel<GroupGranger>| {
        plan.run(model(a, noise)).clone_into(out);
    };
    Ok(Parts::case(state, call, outputs))
}

fn granger(request: &Request<'_>, scope: Scope) -> Result<Box<dyn Case>, String> {
    let intercept = Intercept::Estimated;
    let spec = GrangerSpec { order: request.count("order")?, intercept, scope };
    let state = (spec, epochs(request)?, None::<GrangerMap>);
    let call = |(spec, epochs, map): &mut (GrangerSpec, Array3<f64>, Option<GrangerMap>)| {
        *map = spec.run(&epochs.view()).ok();
    };
    Ok(Parts::case(state, call, |(_, _, map)| {
        map.iter().map(|map| square(map.values(), map.n_channels())).collect()
    }))
}

/// What is updated per hop.
enum Hop {
    Mvar(SlidingMvar),
    Granger(SlidingGranger),
    Envelope(SlidingEnvelope),
}

impl Hop {
    fn window(request: &Request<'_>) -> Result<(usize, WindowSpec), String> {
        let input = request.input(0)?;
        let step_samples = request.count("step_samples")?;
        Ok((input.shape[0], WindowSpec { window_samples: input.shape[1], step_samples }))
    }

    fn mvar(request: &Request<'_>) -> Result<Self, String> {
        let (n, window) = Self::window(request)?;
        SlidingMvar::new(n, request.count("order")?, window).map(Self::Mvar).map_err(failed)
    }

    fn granger(request: &Request<'_>) -> Result<Self, String> {
        let (n, window) = Self::window(request)?;
        let plan = SlidingGranger::new(n, request.count("order")?, window, Scope::Conditional);
        plan.map(Self::Granger).map_err(failed)
    }

    fn envelope(request: &Request<'_>) -> Result<Self, String> {
        let (n, window) = Self::window(request)?;
        let wavelet = (request.number("freq_hz")?, request.number("n_cycles")?);
        let kinds = (Orthogonalisation::Pairwise, Envelope::Amplitude);
        let plan = SlidingEnvelope::new(n, window, rate(request)?, wavelet, kinds);
        plan.map(Self::Envelope).map_err(failed)
    }

    fn slide(&mut self, end: SampleIndex, samples: Planar<'_>, out: &mut Vec<f64>) {
        out.clear();
        match self {
            Self::Mvar(plan) => {
                let Some(model) = plan.slide(end, samples) else { return };
                let (m, p) = (model.n_channels(), model.order());
                for to in 0..m {
                    for lag in 1..=p {
                        out.extend((0..m).map(|from| model.coefficient(lag, to, from)));
                    }
                }
            }
            Self::Granger(plan) => out.extend(plan.slide(end, samples).unwrap_or_default()),
            Self::Envelope(plan) => out.extend(plan.slide(end, samples)),
        }
    }
}

/// A window that comes back after as many hops as it has: a signal that is the window twice,
/// and so on. Each call is the next hop; one step is new.
struct Sliding {
    hop: Hop,
    samples: Vec<f64>,
    shape: (usize, usize),
    step: usize,
    start: usize,
    last: Vec<f64>,
    first: Vec<f64>,
}

fn sliding(request: &Request<'_>, hop: Hop) -> Result<Box<dyn Case>, String> {
    let input = request.input(0)?;
    let shape = (input.shape[0], input.shape[1]);
    let mut state = Sliding {
        hop,
        samples: input.data.chunks_exact(shape.1).flat_map(|x| x.repeat(2)).collect(),
        shape,
        step: request.count("step_samples")?,
        start: 0,
        last: Vec::new(),
        first: Vec::new(),
    };
    state.run();
    // The window itself is what the peer sees; the hops after it are timed.
    state.first.clone_from(&state.last);
    Ok(Parts::case(state, Sliding::run, |state| {
        vec![Tensor { shape: vec![state.first.len()], data: state.first.clone() }]
    }))
}

impl Sliding {
    fn run(&mut self) {
        let (n, len) = self.shape;
        let from = &self.samples[self.start % len..];
        let end = SampleIndex((self.start + len - 1) as u64);
        self.hop.slide(end, Planar::new(from, n, 2 * len, len), &mut self.last);
        self.start += self.step;
    }
}

/// All measures of a matrix, or `measures` with commas between them.
fn graph(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let (mut node_measures, mut whole_measures) = (Vec::new(), Vec::new());
    for name in request.word("measures")?.split(',') {
        if let Ok(measure) = serde_json::from_value::<NodeMeasure>(name.into()) {
            node_measures.push(measure);
        } else {
            let measure = serde_json::from_value::<WholeMeasure>(name.into());
            whole_measures.push(measure.map_err(failed)?);
        }
    }
    let direction = match request.word("direction")? {
        "directed" => Direction::Directed,
        _ => Direction::Undirected,
    };
    let (threshold, scale) = (Threshold::None, WeightScale::AsGiven);
    let spec = GraphSpec { direction, threshold, scale, node_measures, whole_measures };
    let weights = request.input(0)?.clone();
    let plan = GraphMeasures::new(weights.shape[0], &spec).map_err(failed)?;
    let call = |(plan, weights): &mut (GraphMeasures, Tensor)| plan.run(&weights.data);
    Ok(Parts::case((plan, weights), call, |(plan, _)| {
        let values = [plan.node_values(), plan.whole_values()].concat();
        vec![Tensor { shape: vec![values.len()], data: values }]
    }))
}
