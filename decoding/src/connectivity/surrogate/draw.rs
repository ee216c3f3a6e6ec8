//! Draws surrogates.

use super::Surrogate;
use ndarray::{Array3, ArrayView3, Axis};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Of epochs of one shape, with the buffers of one thread.
#[derive(Clone)]
pub(super) struct Drawer {
    surrogate: Surrogate,
    shape: (usize, usize, usize),
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    samples: Vec<f64>,
    spectrum: Vec<Complex64>,
    order: Vec<usize>,
}

impl Drawer {
    pub(super) fn new(surrogate: Surrogate, shape: (usize, usize, usize)) -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(shape.2.max(1));
        Self {
            surrogate,
            shape,
            samples: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            inverse: planner.plan_fft_inverse(shape.2.max(1)),
            forward,
            order: (0..shape.0).collect(),
        }
    }

    /// Surrogate `k` of a seed.
    pub(super) fn draw(
        &mut self,
        epochs: &ArrayView3<'_, f64>,
        (seed, k): (u64, usize),
    ) -> Array3<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(k as u64);
        let mut drawn = Array3::zeros(self.shape);
        for channel in 0..self.shape.1 {
            if self.surrogate == Surrogate::TrialShuffle {
                self.order.sort_unstable();
                self.order.shuffle(&mut rng);
            }
            for (epoch, from) in self.order.clone().into_iter().enumerate() {
                let source = epochs.index_axis(Axis(0), from);
                self.samples.iter_mut().zip(source.row(channel)).for_each(|(to, x)| *to = *x);
                match self.surrogate {
                    Surrogate::Phases => self.turn_phases(&mut rng),
                    Surrogate::TimeShift => {
                        let shift = rng.random_range(0..self.samples.len());
                        self.samples.rotate_right(shift);
                    }
                    Surrogate::TrialShuffle => {}
                }
                let mut to = drawn.index_axis_mut(Axis(0), epoch);
                to.row_mut(channel).iter_mut().zip(&self.samples).for_each(|(to, x)| *to = *x);
            }
        }
        drawn
    }

    /// Draws all phases but those of the mean and of half the rate, which have none.
    fn turn_phases(&mut self, rng: &mut ChaCha8Rng) {
        let n = self.samples.len();
        self.forward.process(&mut self.samples, &mut self.spectrum).expect("the planned length");
        for x in &mut self.spectrum[1..n.div_ceil(2)] {
            *x = Complex64::from_polar(x.norm(), rng.random::<f64>() * TAU);
        }
        self.inverse.process(&mut self.spectrum, &mut self.samples).expect("the planned length");
        self.samples.iter_mut().for_each(|x| *x /= n as f64);
    }
}
