//! A model in which some channels are not seen: what is left to predict the others by.
//!
//! Of a model of channels `y` and all others `r`, `G` holds the coefficients of `y`'s lags
//! in `r` and `F` is the companion of those in `y`. Who sees `r` alone estimates `y`'s
//! lags by a Kalman filter; the covariance `P` of what it misses solves a Riccati equation
//! of `p n_y` dimensions, however many channels `r` has:
//!
//! ```text
//! P = F_ P (I + N P)^-1 F_' + E (cov of y's noise given r's) E'
//! N = G' C_rr^-1 G       F_ = F - E C_yr C_rr^-1 G       D = F_ (I + P N)^-1
//! ```
//!
//! Predicted from `r` alone, channel `x` has errors of variance `C_xx + g P g'`, `g` its
//! row of `G`; of these, with `z = exp(i w)`, `x`'s own noise passes through
//! `(C_xx - g (z I - D)^-1 D P g') / C_xx` and the rest is Geweke's causality of `y`.

use super::dense::{multiply, multiply_by_transposed, solve};
use crate::classifier::dot;
use crate::connectivity::directed::Square;
use crate::connectivity::mvar::MvarView;

/// Doublings, each of which squares what is left: far more than a stable model takes.
const MAX_DOUBLINGS: usize = 60;

/// The filter's numbers, with their buffers.
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    order: usize,
    from: Vec<usize>,
    rest: Vec<usize>,
    /// Dimensions `q = p n_y`; lag after lag, within it `from` in order.
    q: usize,
    /// `G`, `(n_r, q)`.
    gains: Vec<f64>,
    /// Noise's precision times `G`, `(m, q)`.
    weighted: Vec<f64>,
    /// `N`.
    seen: Vec<f64>,
    /// `F_'`.
    forward_t: Vec<f64>,
    /// `P`.
    missed: Vec<f64>,
    /// `G (D P)'`, `(n_r, q)`.
    carried: Vec<f64>,
    /// `D'`.
    closed_t: Vec<f64>,
    /// Noise of `y` given that of `r`, `(n_y, n_y)`.
    own: Vec<f64>,
    scratch: [Vec<f64>; 5],
    pole: Square,
    response: Square,
}

impl Hidden {
    /// For models of `n_channels` and `order` in which `from` is not seen.
    pub(super) fn new((n_channels, order): (usize, usize), from: Vec<usize>) -> Self {
        let (q, n_y) = (order * from.len(), from.len());
        let square = vec![0.0; q * q];
        Self {
            order,
            rest: (0..n_channels).filter(|c| !from.contains(c)).collect(),
            from,
            q,
            gains: vec![0.0; (n_channels - n_y) * q],
            weighted: vec![0.0; n_channels * q],
            seen: square.clone(),
            forward_t: square.clone(),
            missed: square.clone(),
            carried: vec![0.0; (n_channels - n_y) * q],
            closed_t: square.clone(),
            own: vec![0.0; n_y * n_y],
            scratch: std::array::from_fn(|_| square.clone()),
            pole: Square::zeros(q),
            response: Square::zeros(q),
        }
    }

    /// One other channel is not seen instead.
    pub(super) fn hide(&mut self, from: usize) {
        let n_channels = self.rest.len() + 1;
        self.from[0] = from;
        self.rest.clear();
        self.rest.extend((0..n_channels).filter(|c| *c != from));
    }

    /// Forms the filter of a model with the inverse `precision` of its noise.
    pub(super) fn set(&mut self, model: MvarView<'_>, precision: &[f64]) {
        self.set_gains(model);
        self.set_noise(precision);
        self.set_forward(model);
        self.double();
        self.close();
    }

    fn set_gains(&mut self, model: MvarView<'_>) {
        let n_y = self.from.len();
        for (row, to) in self.gains.chunks_exact_mut(self.q).zip(&self.rest) {
            for (lag, row) in row.chunks_exact_mut(n_y).enumerate() {
                for (x, from) in row.iter_mut().zip(&self.from) {
                    *x = model.coefficient(lag + 1, *to, *from);
                }
            }
        }
    }

    /// `N`, and the noise of `y` given that of `r`, by the blocks of the precision `W`:
    /// `C_rr^-1 = W_rr - W_ry W_yy^-1 W_yr`, the latter `W_yy^-1`.
    fn set_noise(&mut self, precision: &[f64]) {
        let (q, n_y) = (self.q, self.from.len());
        let m = self.rest.len() + n_y;
        for (row, weighted) in self.weighted.chunks_exact_mut(q).enumerate() {
            weighted.fill(0.0);
            for (gains, other) in self.gains.chunks_exact(q).zip(&self.rest) {
                let by = precision[row * m + other];
                weighted.iter_mut().zip(gains).for_each(|(x, g)| *x += by * g);
            }
        }
        self.seen.fill(0.0);
        for (gains, to) in self.gains.chunks_exact(q).zip(&self.rest) {
            let weighted = &self.weighted[to * q..][..q];
            for (seen, by) in self.seen.chunks_exact_mut(q).zip(gains) {
                seen.iter_mut().zip(weighted).for_each(|(x, w)| *x += by * w);
            }
        }
        let [block, shift, ..] = &mut self.scratch;
        self.own.fill(0.0);
        for (i, a) in self.from.iter().enumerate() {
            self.own[i * n_y + i] = 1.0;
            shift[i * q..][..q].copy_from_slice(&self.weighted[a * q..][..q]);
        }
        let of_y = |block: &mut [f64]| {
            for (i, a) in self.from.iter().enumerate() {
                for (j, b) in self.from.iter().enumerate() {
                    block[i * n_y + j] = precision[a * m + b];
                }
            }
        };
        of_y(block);
        solve(block, &mut self.own, (n_y, n_y));
        of_y(block);
        solve(block, shift, (n_y, q));
        for (i, a) in self.from.iter().enumerate() {
            let (weighted, shift) = (&self.weighted[a * q..][..q], &shift[i * q..][..q]);
            for (seen, by) in self.seen.chunks_exact_mut(q).zip(weighted) {
                seen.iter_mut().zip(shift).for_each(|(x, s)| *x -= by * s);
            }
        }
    }

    /// `F_ = F + E W_yy^-1 W_yr G`, transposed; the shift is where [`Self::set_noise`]
    /// left it.
    fn set_forward(&mut self, model: MvarView<'_>) {
        let (q, n_y) = (self.q, self.from.len());
        self.forward_t.fill(0.0);
        for (i, to) in self.from.iter().enumerate() {
            for lag in 0..self.order {
                for (j, from) in self.from.iter().enumerate() {
                    let col = lag * n_y + j;
                    let shift = self.scratch[1][i * q + col];
                    self.forward_t[col * q + i] = model.coefficient(lag + 1, *to, *from) + shift;
                }
            }
        }
        for row in n_y..q {
            self.forward_t[(row - n_y) * q + row] = 1.0;
        }
    }

    /// Solves for `P` by doubling.
    ///
    /// # Reference
    /// E. K.-W. Chu, H.-Y. Fan, W.-W. Lin, C.-S. Wang (2004),
    /// doi:10.1080/00207170410001714988.
    fn double(&mut self) {
        let (q, n_y) = (self.q, self.from.len());
        let shape = (q, q, q);
        let [a, g, inverse, solved, product] = &mut self.scratch;
        a.copy_from_slice(&self.forward_t);
        g.copy_from_slice(&self.seen);
        let h = &mut self.missed;
        h.fill(0.0);
        for (row, own) in h.chunks_exact_mut(q).zip(self.own.chunks_exact(n_y)) {
            row[..n_y].copy_from_slice(own);
        }
        for _ in 0..MAX_DOUBLINGS {
            // (I + G H)^-1 G, then A that A' into G.
            add_identity_product(g, h, q, inverse);
            solved.copy_from_slice(g);
            solve(inverse, solved, (q, q));
            multiply(a, solved, shape, product);
            multiply_by_transposed(product, a, shape, solved);
            add_identity_product(g, h, q, inverse);
            g.iter_mut().zip(&*solved).for_each(|(g, x)| *g += x);
            // (I + G H)^-1 A, then A' H that into H, and A that into A.
            solved.copy_from_slice(a);
            solve(inverse, solved, (q, q));
            multiply(h, solved, shape, product);
            let change = add_transposed_product(a, product, q, h);
            multiply(a, solved, shape, product);
            a.copy_from_slice(product);
            let size = h.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
            if change <= 1e-16 * size {
                break;
            }
        }
    }

    /// `D` and `D P`.
    fn close(&mut self) {
        let (q, shape) = (self.q, (self.q, self.q, self.q));
        let [inverse, product, ..] = &mut self.scratch;
        add_identity_product(&self.seen, &self.missed, q, inverse);
        self.closed_t.copy_from_slice(&self.forward_t);
        solve(inverse, &mut self.closed_t, (q, q));
        multiply(&self.missed, &self.closed_t, shape, product);
        multiply(&self.gains, product, (self.rest.len(), q, q), &mut self.carried);
    }

    /// The channels that are seen.
    pub(super) fn rest(&self) -> &[usize] {
        &self.rest
    }

    /// `g P g'` of two seen channels, by their places among [`Self::rest`].
    pub(super) fn missed(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (self.gain(i), self.gain(j));
        let rows = self.missed.chunks_exact(self.q).zip(a);
        rows.map(|(row, a)| a * row.iter().zip(b).map(|(p, b)| p * b).sum::<f64>()).sum()
    }

    /// Prepares [`Self::carried`] for `z`.
    pub(super) fn set_frequency(&mut self, (re, im): (f64, f64)) {
        let q = self.q;
        self.pole.im.fill(0.0);
        for i in 0..q {
            for j in 0..q {
                self.pole.re[i * q + j] = -self.closed_t[j * q + i];
            }
            self.pole.re[i * q + i] += re;
            self.pole.im[i * q + i] = im;
        }
        self.response.set_inverse(&self.pole);
    }

    /// `g_i (z I - D)^-1 D P g_j'`.
    pub(super) fn carried(&self, i: usize, j: usize) -> (f64, f64) {
        let (q, carried) = (self.q, &self.carried[j * self.q..][..self.q]);
        let (mut re, mut im) = (0.0, 0.0);
        for (row, a) in self.gain(i).iter().enumerate() {
            re += a * dot(&self.response.re[row * q..][..q], carried);
            im += a * dot(&self.response.im[row * q..][..q], carried);
        }
        (re, im)
    }

    fn gain(&self, place: usize) -> &[f64] {
        &self.gains[place * self.q..][..self.q]
    }
}

/// `out = I + a b`.
fn add_identity_product(a: &[f64], b: &[f64], q: usize, out: &mut [f64]) {
    multiply(a, b, (q, q, q), out);
    out.iter_mut().step_by(q + 1).for_each(|x| *x += 1.0);
}

/// Adds `a' b` to `to`, and returns its largest element.
fn add_transposed_product(a: &[f64], b: &[f64], q: usize, to: &mut [f64]) -> f64 {
    let mut largest = 0.0_f64;
    for i in 0..q {
        for j in 0..q {
            let sum: f64 = (0..q).map(|k| a[k * q + i] * b[k * q + j]).sum();
            to[i * q + j] += sum;
            largest = largest.max(sum.abs());
        }
    }
    largest
}
