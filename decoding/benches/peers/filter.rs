//! Causal filters chunk by chunk, as SciPy's `sosfilt`, `lfilter` and `upfirdn` run them.

use crate::{Parts, Plan, Request, Tensor};
use decoding::filter::fir::FirFilter;
use decoding::filter::resample::{Ratio, Resampler};
use decoding::filter::sos::{Section, SosFilter};

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("sos_chunks", |request| {
        let frames = Chunks::of(request)?;
        let section = |s: &[f64; 6]| Section { b: [s[0], s[1], s[2]], a: [s[4], s[5]] };
        let (rows, _) = request.input(1)?.data.as_chunks::<6>();
        let filter = SosFilter::new(rows.iter().map(section).collect(), frames.n_channels);
        Ok(Parts::case((filter, frames), sos, |(_, frames)| frames.outputs()))
    }),
    ("fir_chunks", |request| {
        let frames = Chunks::of(request)?;
        let taps = &request.input(1)?.data;
        let filter = FirFilter::new(taps, frames.n_channels).map_err(|e| e.to_string())?;
        Ok(Parts::case((filter, frames), fir, |(_, frames)| frames.outputs()))
    }),
    ("resample_chunks", |request| {
        let mut frames = Chunks::of(request)?;
        let ratio = Ratio::new(request.count("up")?, request.count("down")?);
        let ratio = ratio.map_err(|e| e.to_string())?;
        let filter = Resampler::plan(ratio, frames.n_channels).map_err(|e| e.to_string())?;
        let n_outputs = filter.n_outputs(frames.input().len() / frames.n_channels);
        frames.output = vec![0.0; n_outputs * frames.n_channels];
        Ok(Parts::case((filter, frames), resample, |(_, frames)| frames.outputs()))
    }),
];

/// Values in a page of memory.
const PAGE: usize = 4096 / size_of::<f64>();

/// A recording frame after frame, what is made of it, and how many samples come at once.
struct Chunks {
    n_channels: usize,
    chunk: usize,
    /// The recording behind some values that set it half a page apart from the output:
    /// between places that are alike within a page some machines copy several times more
    /// slowly, and whether two allocations are is chance.
    input: Vec<f64>,
    lead: usize,
    output: Vec<f64>,
}

impl Chunks {
    /// Input 0 is `(n_samples, n_channels)`.
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let &[_, n_channels] = input.shape.as_slice() else {
            return Err("a recording has two dimensions".to_owned());
        };
        let chunk = request.count("chunk")? * n_channels;
        let output = vec![0.0; input.data.len()];
        let mut led = vec![0.0; PAGE + input.data.len()];
        let apart = led.as_ptr().addr().wrapping_sub(output.as_ptr().addr()) / size_of::<f64>();
        let lead = (PAGE + PAGE / 2 - apart % PAGE) % PAGE;
        led.truncate(lead + input.data.len());
        led[lead..].copy_from_slice(&input.data);
        Ok(Self { n_channels, chunk, input: led, lead, output })
    }

    fn input(&self) -> &[f64] {
        &self.input[self.lead..]
    }

    /// Passes every chunk through `filter`, in place of where it is wanted.
    fn run(&mut self, mut filter: impl FnMut(&mut [f64])) {
        let input = &self.input[self.lead..];
        for (from, to) in input.chunks(self.chunk).zip(self.output.chunks_mut(self.chunk)) {
            to.copy_from_slice(from);
            filter(to);
        }
    }

    fn outputs(&self) -> Vec<Tensor> {
        let shape = vec![self.output.len() / self.n_channels, self.n_channels];
        vec![Tensor { shape, data: self.output.clone() }]
    }
}

fn sos((filter, frames): &mut (SosFilter, Chunks)) {
    filter.reset();
    frames.run(|chunk| filter.process_frames(chunk));
}

fn fir((filter, frames): &mut (FirFilter, Chunks)) {
    filter.reset();
    frames.run(|chunk| filter.process_frames(chunk));
}

fn resample((filter, frames): &mut (Resampler, Chunks)) {
    filter.reset();
    let mut done = 0;
    for chunk in frames.input[frames.lead..].chunks(frames.chunk) {
        done += filter.process_frames(chunk, &mut frames.output[done * frames.n_channels..]);
    }
}
