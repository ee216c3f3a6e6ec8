//! PREP's low-pass: what lies below 45 to 50 Hz, without a phase.

use acquisition::time::SampleRate;
use std::f64::consts::PI;

/// Order of the filter that is run forth and back.
const ORDER: usize = 100;
/// Samples on either side that one output depends on.
pub(super) const REACH: usize = ORDER;
/// Points of the frequency grid up to half the rate.
const N_POINTS: usize = 512;
/// At this rate and below nothing is filtered: there is nothing above 50 Hz.
const LOWEST_RATE_HZ: f64 = 100.0;
/// Passes below the first and stops above the second, in Hz.
const EDGES_HZ: [f64; 2] = [45.0, 50.0];

/// Each channel filtered forth and back, continued at its ends by its odd mirror image, as
/// SciPy's `filtfilt` does; it reads the future and is for whole recordings only.
pub(super) fn filtered(rate: SampleRate, channels: &[Vec<f64>]) -> Vec<Vec<f64>> {
    if rate.hz() <= LOWEST_RATE_HZ {
        return channels.to_vec();
    }
    let kernel = forth_and_back(&kernel(rate));
    channels.iter().map(|channel| convolved(&kernel, channel)).collect()
}

/// A Hamming-windowed kernel, from a magnitude that falls along a cubic between the edges.
fn kernel(rate: SampleRate) -> [f64; ORDER + 1] {
    let point = |hz: f64| (N_POINTS as f64 * 2.0 * hz / rate.hz()).round_ties_even();
    let [pass, stop] = EDGES_HZ.map(point);
    let magnitude = |k: usize| {
        let t = ((k as f64 - pass) / (stop - pass)).clamp(0.0, 1.0);
        1.0 - t * t * (3.0 - 2.0 * t)
    };
    std::array::from_fn(|m| {
        let phase = PI * (m as f64 - ORDER as f64 / 2.0) / N_POINTS as f64;
        let inner: f64 = (1..N_POINTS).map(|k| 2.0 * magnitude(k) * (phase * k as f64).cos()).sum();
        let ends = magnitude(0) + magnitude(N_POINTS) * (phase * N_POINTS as f64).cos();
        let hamming = 0.54 - 0.46 * (2.0 * PI * m as f64 / ORDER as f64).cos();
        hamming * (inner + ends) / (2 * N_POINTS) as f64
    })
}

/// The kernel after itself reversed, from its middle on: it is symmetric.
fn forth_and_back(kernel: &[f64; ORDER + 1]) -> [f64; REACH + 1] {
    std::array::from_fn(|lag| kernel[lag..].iter().zip(kernel).map(|(a, b)| a * b).sum())
}

fn convolved(kernel: &[f64; REACH + 1], samples: &[f64]) -> Vec<f64> {
    let n = samples.len();
    let (first, last) = (samples[0], samples[n - 1]);
    let before = (1..=REACH).rev().map(|k| 2.0 * first - samples[k]);
    let after = (1..=REACH).map(|k| 2.0 * last - samples[n - 1 - k]);
    let padded: Vec<f64> = before.chain(samples.iter().copied()).chain(after).collect();
    let mut out: Vec<f64> = samples.iter().map(|x| kernel[0] * x).collect();
    for (lag, weight) in kernel.iter().enumerate().skip(1) {
        let earlier = &padded[REACH - lag..];
        let later = &padded[REACH + lag..];
        for ((y, a), b) in out.iter_mut().zip(earlier).zip(later) {
            *y += weight * (a + b);
        }
    }
    out
}
