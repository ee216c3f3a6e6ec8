//! What can be wrong with data and with parameters that come from a file, against every
//! function that takes them: a typed error that names the cause and says what to do, or
//! the result that the documentation promises. Nothing panics.
//!
//! A buffer of another size than the plan's is a mistake in the program and may panic;
//! what a recording, a model file or a description can hold may not.

mod connectivity;
mod filters;
mod geometry;
mod learners;
mod of_matrices;
mod of_windows;
mod pipelines;
mod signals;
mod spectra;

use acquisition::marker::ClassIdx;
use acquisition::time::SampleRate;
use decoding::riemann::covariance::scm;
use decoding::window::Planar;
use faer::{Mat, MatRef};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The calls of one area and what they came to; fails at its end with all that went wrong.
#[derive(Default)]
struct Calls {
    n_calls: usize,
    wrong: Vec<String>,
}

impl Calls {
    /// A call that is to be refused, with a message that holds its cause and its remedy.
    fn refused<T, E: Display>(
        &mut self,
        what: impl Display,
        [cause, remedy]: [&str; 2],
        call: impl FnOnce() -> Result<T, E>,
    ) {
        self.n_calls += 1;
        match catch_unwind(AssertUnwindSafe(|| call().map(drop).map_err(|e| e.to_string()))) {
            Err(_) => self.wrong.push(format!("{what}: panicked")),
            Ok(Ok(())) => self.wrong.push(format!("{what}: was taken")),
            Ok(Err(text)) if text.contains(cause) && text.contains(remedy) => {}
            Ok(Err(text)) => {
                self.wrong.push(format!("{what}: {text:?} lacks {cause:?} or {remedy:?}"));
            }
        }
    }

    /// A call that is to give what is documented.
    fn given(&mut self, what: impl Display, call: impl FnOnce() -> bool) {
        self.n_calls += 1;
        match catch_unwind(AssertUnwindSafe(call)) {
            Err(_) => self.wrong.push(format!("{what}: panicked")),
            Ok(false) => self.wrong.push(format!("{what}: not what is documented")),
            Ok(true) => {}
        }
    }

    fn finish(self, least_calls: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(self.n_calls >= least_calls, "{} calls were tried", self.n_calls);
    }
}

fn rate() -> SampleRate {
    SampleRate::new(128.0).expect("a rate")
}

/// Numbers between -1 and 1 that look random, the same for the same seed.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Samples `(n_channels, n_samples)`, each channel contiguous.
fn window(seed: u64, n_channels: usize, n_samples: usize) -> Vec<f64> {
    noise(seed, n_channels * n_samples)
}

fn planar(data: &[f64], n_channels: usize) -> Planar<'_> {
    let n_samples = data.len() / n_channels;
    Planar::new(data, n_channels, n_samples, n_samples)
}

fn mat(data: &[f64], n_channels: usize) -> Mat<f64> {
    let n_samples = data.len() / n_channels;
    MatRef::from_row_major_slice(data, n_channels, n_samples).to_owned()
}

/// A positive definite matrix.
fn covariance(seed: u64, n_channels: usize) -> Mat<f64> {
    scm(mat(&window(seed, n_channels, 20 * n_channels), n_channels).as_ref())
}

/// Labels of `n` examples, class after class.
fn labels(n: usize, n_classes: usize) -> Vec<ClassIdx> {
    (0..n).map(|i| ClassIdx((i % n_classes) as u8)).collect()
}

/// Whether these are shares of a whole.
fn is_posterior(values: &[f64]) -> bool {
    let sum: f64 = values.iter().sum();
    values.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() < 1e-9
}

fn all_nan(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|x| x.is_nan())
}

fn all_finite(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|x| x.is_finite())
}
