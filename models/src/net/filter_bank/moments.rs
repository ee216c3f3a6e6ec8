//! Mean and variance of filtered signals, without filtering them.

use burn::tensor::backend::Backend;
use burn::tensor::ops::PadMode;
use burn::tensor::{Tensor, TensorData};

#[cfg(test)]
mod tests;

/// What mean and variance behind any filter of `length` samples depend on.
///
/// A filter `w` makes `y(t) = sum_i w_i x(t + i)` of every row of samples, for the
/// `n_out` values of `t` at which it fits. Over all rows and times
///
/// ```text
/// mean = sum_i w_i m_i,                  m_i = mean of x(t + i)
/// var  = sum_ij w_i w_j (C_ij - m_i m_j),  C_ij = mean of x(t + i) x(t + j)
/// ```
///
/// `C_ij` depends on `j - i` but for what lies within a filter's length of the ends, so
/// it is had from the products of neighbours at each lag and two corrections. The mean of
/// all samples is taken off first: it would cancel in the variance, and leave rounding.
pub(super) struct Moments<B: Backend> {
    /// Mean of all samples, `(1,)`.
    offset: Tensor<B, 1>,
    /// `m_i` behind it, `(length,)`.
    means: Tensor<B, 1>,
    /// `C_ij` behind it, at `(i, j - i)`, `(length, length)`.
    products: Tensor<B, 2>,
    n: usize,
}

impl<B: Backend> Moments<B> {
    /// Of rows `(batch, n_channels, n_samples)`, zeros at their ends included.
    pub fn of(x: Tensor<B, 3>, length: usize) -> Self {
        let [n_batch, n_channels, n_samples] = x.dims();
        let n_rows = n_batch * n_channels;
        let n_out = n_samples + 1 - length;
        let offset = x.clone().mean();
        let rows = x.reshape([n_rows, n_samples]) - offset.clone().reshape([1, 1]);
        // Head and tail: what the first and the last positions of a filter do not see.
        let head = grown(rows.clone(), 2 * length).narrow(1, 0, 2 * length);
        let tail = grown(rows.clone(), n_out + 2 * length).narrow(1, n_out, 2 * length);
        let before = triangle::<B>(length, |i, s| s < i, &offset.device());
        let after = triangle::<B>(length, |i, s| s >= i, &offset.device());
        let lost = |of: &dyn Fn(Tensor<B, 2>) -> Tensor<B, 2>| {
            before.clone().matmul(of(head.clone())) + after.clone().matmul(of(tail.clone()))
        };
        let n = n_rows * n_out;
        let ends = lost(&|part| part.narrow(1, 0, length).sum_dim(0).transpose());
        let means = (rows.clone().sum().reshape([1, 1]) - ends).reshape([length]);
        let ends = lost(&|part| lagged(part.clone().narrow(1, 0, length), part));
        let products = lag_products(rows, length).reshape([1, length]) - ends;
        Self { offset, means: means / n as f64, products: products / n as f64, n }
    }

    /// Mean and biased variance behind each of `filters`, `(n_filters, length)`.
    pub fn behind(&self, filters: Tensor<B, 2>) -> (Tensor<B, 1>, Tensor<B, 1>) {
        let [n_filters, length] = filters.dims();
        let centred = (filters.clone() * self.means.clone().reshape([1, length])).sum_dim(1);
        let offset = filters.clone().sum_dim(1) * self.offset.clone().reshape([1, 1]);
        let pairs = filters.clone().reshape([n_filters, length, 1])
            * grown(filters, 2 * length).reshape([n_filters, 1, 2 * length]);
        let pairs = skewed(pairs).reshape([n_filters, length * length]);
        // Of each pair of different samples there are two.
        let weights = self.products.clone() * 2.0;
        let weights =
            weights.slice_assign([0..length, 0..1], self.products.clone().narrow(1, 0, 1));
        let square = pairs.matmul(weights.reshape([length * length, 1]));
        let var = (square - centred.clone().square()).clamp_min(0.0);
        ((centred + offset).reshape([n_filters]), var.reshape([n_filters]))
    }

    /// Values that were averaged.
    pub fn n(&self) -> usize {
        self.n
    }
}

/// Sums of `x(t) x(t + lag)` over whole rows, `(length,)`, for lags below `length`.
fn lag_products<B: Backend>(rows: Tensor<B, 2>, length: usize) -> Tensor<B, 1> {
    let [n_rows, n_samples] = rows.dims();
    let n_blocks = n_samples.div_ceil(length);
    let n = n_blocks * length;
    let rows = grown(rows, n + length);
    let blocks =
        |first: usize| rows.clone().narrow(1, first, n).reshape([n_rows * n_blocks, length]);
    let pairs = Tensor::cat(vec![blocks(0), blocks(length)], 1);
    lagged(blocks(0), pairs).sum_dim(0).reshape([length])
}

/// Sums over rows of `a(s) b(s + lag)`, at `(s, lag)`: `(n_rows, length)` and
/// `(n_rows, 2 length)` to `(length, length)`.
fn lagged<B: Backend>(a: Tensor<B, 2>, b: Tensor<B, 2>) -> Tensor<B, 2> {
    let [_, length] = a.dims();
    skewed(a.transpose().matmul(b).reshape([1, length, 2 * length])).reshape([length, length])
}

/// `(i, i + lag)` of each `(length, 2 length)` at `(i, lag)`, for lags below `length`.
fn skewed<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 3> {
    let [n, length, width] = x.dims();
    // Rows one longer begin one later each.
    let flat = grown(x.reshape([n, length * width]), length * (width + 1));
    flat.reshape([n, length, width + 1]).narrow(2, 0, length)
}

/// Zeros behind rows that are shorter than `n`.
fn grown<B: Backend>(rows: Tensor<B, 2>, n: usize) -> Tensor<B, 2> {
    let missing = n.saturating_sub(rows.dims()[1]);
    if missing == 0 { rows } else { rows.pad((0, missing, 0, 0), PadMode::Constant(0.0)) }
}

/// 1 where `is_in(row, column)`, else 0.
fn triangle<B: Backend>(
    n: usize,
    is_in: impl Fn(usize, usize) -> bool,
    device: &B::Device,
) -> Tensor<B, 2> {
    let values: Vec<f32> =
        (0..n * n).map(|k| if is_in(k / n, k % n) { 1.0 } else { 0.0 }).collect();
    Tensor::from_data(TensorData::new(values, [n, n]), device)
}
