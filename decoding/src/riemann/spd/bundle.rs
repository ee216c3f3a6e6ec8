//! The eigenvalues of several symmetric matrices side by side.
//!
//! Reducing one small matrix is a chain of short loops, and its eigenvalues are a chain
//! of divisions: most of the time is waiting. Here element `(i, j)` of four matrices is
//! one row of four numbers, and every operation is done on all four.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use super::lanes::{Lanes, WIDTH};
use super::{RiemannError, check_finite, check_square, largest_of_lower};
use faer::traits::pulp::{Arch, Simd, WithSimd};
use faer::{MatMut, MatRef};

/// No eigenvalue takes more sweeps than this; two are usual.
const MAX_SWEEPS: usize = 40;
/// Cosines below are those of a right angle: nothing may be divided by them.
const LEAST_COSINE: f64 = 1e-200;

/// Larger matrices do not fit into a cache side by side.
const LARGEST: usize = 384;
/// From this size on, empty places cost more than side by side gains.
const LEAST_FULL: usize = 65;

/// [`WIDTH`] symmetric matrices of one size, and what becomes of them.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    /// Lower triangles, column after column; then the reflectors' tails below the
    /// sub-diagonal.
    elements: Vec<Lanes>,
    /// What each matrix was divided by.
    scales: [f64; WIDTH],
    /// Diagonal of the tridiagonal matrices.
    diagonal: Vec<Lanes>,
    /// Beside it; the last is 0.
    off: Vec<Lanes>,
    /// Factors `τ` of the reflectors `I - τ v vᵀ`.
    factors: Vec<Lanes>,
    values: Vec<Lanes>,
    squares: Vec<Lanes>,
    /// Laness of the last rank-two update, of the reflector and of its product.
    work: Vec<Work>,
}

/// One index of the vectors of a reduction.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// The last reflector, and with what it is taken from the matrix.
    u: Lanes,
    w: Lanes,
    /// The new reflector, and the matrix times it.
    v: Lanes,
    y: Lanes,
}

impl Bundle {
    /// Whether `n_matrices` of `dim x dim` are reduced faster side by side.
    pub(crate) fn pays(dim: usize, n_matrices: usize) -> bool {
        dim <= LARGEST && (dim < LEAST_FULL || 2 * n_matrices > WIDTH)
    }

    /// Room for matrices of `dim x dim`, all zero.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            elements: vec![Lanes::ZERO; dim * dim],
            scales: [1.0; WIDTH],
            diagonal: vec![Lanes::ZERO; dim],
            off: vec![Lanes::ZERO; dim],
            factors: vec![Lanes::ZERO; dim],
            values: vec![Lanes::ZERO; dim],
            squares: vec![Lanes::ZERO; dim],
            work: vec![Work::default(); dim],
        }
    }

    fn dim(&self) -> usize {
        self.diagonal.len()
    }

    /// Sets one matrix to the lower triangle of `a`; where that is not finite, to zero.
    pub(crate) fn set(&mut self, lane: usize, a: MatRef<'_, f64>) -> Result<(), RiemannError> {
        check_square(a, self.dim())?;
        let n = self.dim();
        let finite = check_finite(a);
        let largest = if finite.is_ok() { largest_of_lower(a) } else { 0.0 };
        let sound = largest >= f64::MIN_POSITIVE;
        self.scales[lane] = if sound { largest } else { 1.0 };
        let scale = self.scales[lane].recip();
        for j in 0..n {
            let column = a.col(j).subrows(j, n - j);
            for (row, x) in self.elements[j * n + j..(j + 1) * n].iter_mut().zip(column.iter()) {
                row.0[lane] = if sound { scale * x } else { 0.0 };
            }
        }
        finite
    }

    /// Sets the matrices from `lane` on to zero.
    pub(crate) fn clear_from(&mut self, lane: usize) {
        self.elements.iter_mut().for_each(|row| row.0[lane..].fill(0.0));
    }

    /// Reduces all to tridiagonal matrices, and finds their eigenvalues.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Reference
    /// G. H. Golub, C. F. Van Loan, *Matrix Computations*, 4th ed. 2013, algorithm 8.3.1;
    /// the eigenvalues as in `rational_ql`.
    pub(crate) fn reduce(&mut self) -> Result<(), RiemannError> {
        Arch::new().dispatch(Reduce(self));
        Arch::new().dispatch(Iterate(self))
    }

    /// Writes the eigenvalues of one matrix, ascending.
    pub(crate) fn values_into(&self, lane: usize, values: &mut [f64]) {
        let scale = self.scales[lane];
        values.iter_mut().zip(&self.values).for_each(|(x, row)| *x = scale * row.0[lane]);
        values.sort_unstable_by(f64::total_cmp);
    }

    /// What one matrix was divided by before it was reduced.
    pub(super) fn scale(&self, lane: usize) -> f64 {
        self.scales[lane]
    }

    /// Writes one tridiagonal matrix.
    pub(super) fn tridiagonal_into(&self, lane: usize, diagonal: &mut [f64], off: &mut [f64]) {
        diagonal.iter_mut().zip(&self.diagonal).for_each(|(x, row)| *x = row.0[lane]);
        off.iter_mut().zip(&self.off).for_each(|(x, row)| *x = row.0[lane]);
    }

    /// Writes reflector `k` of one matrix, `n - 1 - k` values of which the first is 1, and
    /// returns its factor `τ`.
    #[inline(always)]
    pub(super) fn reflector_into(&self, lane: usize, k: usize, v: &mut [f64]) -> f64 {
        let n = self.dim();
        let rows = &self.elements[k * n + k + 1..(k + 1) * n];
        v.iter_mut().zip(rows).for_each(|(x, row)| *x = row.0[lane]);
        v[0] = 1.0;
        self.factors[k].0[lane]
    }

    /// Writes one matrix's reflectors as faer keeps them: the tails below the
    /// sub-diagonal, and a row of `1 / τ`.
    pub(super) fn reflectors_into(
        &self,
        lane: usize,
        mut tails: MatMut<'_, f64>,
        mut factors: MatMut<'_, f64>,
    ) {
        let n = self.dim();
        for j in 0..n.saturating_sub(1) {
            let rows = &self.elements[j * n + j + 1..(j + 1) * n];
            let column = tails.as_mut().col_mut(j).subrows_mut(j + 1, n - j - 1);
            column.iter_mut().zip(rows).for_each(|(x, row)| *x = row.0[lane]);
            factors[(0, j)] = self.factors[j].0[lane].recip();
        }
    }
}

struct Reduce<'a>(&'a mut Bundle);

impl WithSimd for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let n = self.0.dim();
        let Bundle { elements, diagonal, off, factors, work, .. } = self.0;
        work.fill(Work::default());
        for k in 0..n {
            let (column, rest) = elements[k * n..].split_at_mut(n);
            let column = &mut column[k..];
            update_column(column, &work[k..]);
            diagonal[k] = column[0];
            if k + 1 == n {
                off[k] = Lanes::ZERO;
                break;
            }
            (off[k], factors[k]) = reflect(&mut column[1..], &mut work[k + 1..]);
            multiply(rest, n, k + 1, work);
            finish(factors[k], &mut work[k + 1..]);
        }
    }
}

/// Takes the last reflector from one column.
#[inline(always)]
fn update_column(column: &mut [Lanes], work: &[Work]) {
    let head = work[0];
    for (x, row) in column.iter_mut().zip(work) {
        *x = *x - (row.u * head.w + row.w * head.u);
    }
}

/// The reflector that leaves only the first of `column`: its tail into `column`, all of
/// it into `v`. Returns what is left and the factor `τ`.
#[inline(always)]
fn reflect(column: &mut [Lanes], work: &mut [Work]) -> (Lanes, Lanes) {
    let (zero, one) = (Lanes::ZERO, Lanes::splat(1.0));
    let tail = column[1..].iter().fold(zero, |sum, x| sum + *x * *x);
    let head = column[0];
    let norm = (head * head + tail).sqrt();
    let left = head.greater(zero).choose(zero - norm, norm);
    let bent = tail.greater(zero);
    let scale = bent.choose(one / (head - left), zero);
    work[0].v = one;
    work[0].y = zero;
    for (x, row) in column[1..].iter_mut().zip(&mut work[1..]) {
        let v = *x * scale;
        *x = v;
        row.v = v;
        row.y = zero;
    }
    (bent.choose(left, head), bent.choose((left - head) / left, zero))
}

/// Takes the last reflector from the columns from `first` on, and multiplies what is
/// left with the new one: one pass over the triangle.
#[inline(always)]
fn multiply(elements: &mut [Lanes], n: usize, first: usize, work: &mut [Work]) {
    for j in first..n {
        let start = (j - first) * n;
        let (x, rest) = elements[start + j..start + n].split_at_mut(1);
        let (head, below) = work[j..].split_at_mut(1);
        let Work { u, w, v, mut y } = head[0];
        x[0] = x[0] - (u * w + w * u);
        y = y + x[0] * v;
        for (x, row) in rest.iter_mut().zip(below) {
            let value = *x - (row.u * w + row.w * u);
            *x = value;
            y = y + value * row.v;
            row.y = row.y + value * v;
        }
        head[0].y = y;
    }
}

/// `w = τ y - (τ² / 2) (yᵀ v) v`, the next update's, with `u = v`.
#[inline(always)]
fn finish(factor: Lanes, work: &mut [Work]) {
    let product = work.iter().fold(Lanes::ZERO, |sum, row| sum + row.y * row.v);
    let half = Lanes::splat(0.5) * factor * factor * product;
    for row in work {
        row.w = factor * row.y - half * row.v;
        row.u = row.v;
    }
}

struct Iterate<'a>(&'a mut Bundle);

impl WithSimd for Iterate<'_> {
    type Output = Result<(), RiemannError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Bundle { diagonal, off, values, squares, .. } = self.0;
        values.copy_from_slice(diagonal);
        for (square, x) in squares.iter_mut().zip(off) {
            *square = *x * *x;
        }
        eigenvalues(values, squares)
    }
}

/// As [`super::rational_ql::eigenvalues`] for each matrix, but not sorted: every sweep
/// begins at the end and stops at each matrix's own front.
#[inline(always)]
fn eigenvalues(diagonal: &mut [Lanes], squares: &mut [Lanes]) -> Result<(), RiemannError> {
    let n = diagonal.len();
    (0..WIDTH).for_each(|lane| small_end_first(diagonal, squares, lane));
    let (mut fronts, mut n_sweeps) = ([0; WIDTH], [0; WIDTH]);
    loop {
        for lane in 0..WIDTH {
            while fronts[lane] + 1 < n && negligible(diagonal, squares, fronts[lane], lane) {
                fronts[lane] += 1;
                n_sweeps[lane] = 0;
            }
            n_sweeps[lane] += 1;
        }
        if fronts.iter().all(|front| front + 1 >= n) {
            return Ok(());
        }
        if (0..WIDTH).any(|k| fronts[k] + 1 < n && n_sweeps[k] > MAX_SWEEPS) {
            return Err(RiemannError::NotConverged { n_steps: MAX_SWEEPS });
        }
        sweep(diagonal, squares, &fronts);
    }
}

/// QL finds the eigenvalues at the front first: let the small end be there.
fn small_end_first(diagonal: &mut [Lanes], squares: &mut [Lanes], lane: usize) {
    let n = diagonal.len();
    if n < 2 || diagonal[n - 1].0[lane].abs() >= diagonal[0].0[lane].abs() {
        return;
    }
    for (i, j) in (0..n / 2).map(|i| (i, n - 1 - i)) {
        (diagonal[i].0[lane], diagonal[j].0[lane]) = (diagonal[j].0[lane], diagonal[i].0[lane]);
    }
    for (i, j) in (0..(n - 1) / 2).map(|i| (i, n - 2 - i)) {
        (squares[i].0[lane], squares[j].0[lane]) = (squares[j].0[lane], squares[i].0[lane]);
    }
}

/// Whether the coupling behind `i` is.
#[inline(always)]
fn negligible(diagonal: &[Lanes], squares: &[Lanes], i: usize, lane: usize) -> bool {
    let scale = (diagonal[i].0[lane] * diagonal[i + 1].0[lane]).abs();
    squares[i].0[lane] <= f64::EPSILON * f64::EPSILON * scale
}

/// One sweep of each matrix from the end to its front.
#[inline(always)]
fn sweep(d: &mut [Lanes], e2: &mut [Lanes], fronts: &[usize; WIDTH]) {
    let last = d.len() - 1;
    let at = |rows: &[Lanes], by: usize| {
        Lanes(std::array::from_fn(|k| rows[(fronts[k] + by).min(last)].0[k]))
    };
    let shift = wilkinson_shifts(at(d, 0), at(d, 1), at(e2, 0));
    let (zero, one) = (Lanes::ZERO, Lanes::splat(1.0));
    let (mut c, mut s, mut gamma) = (one, zero, d[last] - shift);
    let mut p = gamma * gamma;
    let stops = Lanes(fronts.map(|front| front as f64 - 0.5));
    let end = fronts.iter().copied().min().unwrap_or(last);
    for i in (end..last).rev() {
        let on = Lanes::splat(i as f64).greater(stops);
        let (b, here) = (e2[i], d[i]);
        let r = p + b;
        let coupled = r.greater(zero);
        let c_new = coupled.choose(p / r, one);
        let s_new = coupled.choose(b / r, zero);
        // `r / p` beside `p / r`: the two divisions do not wait for each other.
        let inverse = coupled.choose(r / p, one);
        let gamma_new = c_new * (here - shift) - s_new * gamma;
        let bent = c_new.greater(Lanes::splat(LEAST_COSINE));
        let p_new = bent.choose(gamma_new * gamma_new * inverse, c * b);
        e2[i + 1] = on.choose(s * r, e2[i + 1]);
        d[i + 1] = on.choose(gamma + (here - gamma_new), d[i + 1]);
        c = on.choose(c_new, c);
        s = on.choose(s_new, s);
        gamma = on.choose(gamma_new, gamma);
        p = on.choose(p_new, p);
    }
    for (k, front) in fronts.iter().enumerate().filter(|(_, front)| **front < last) {
        e2[*front].0[k] = (s * p).0[k];
        d[*front].0[k] = (shift + gamma).0[k];
    }
}

/// The eigenvalue of each leading `2 x 2` block that is nearer to its first element.
#[inline(always)]
fn wilkinson_shifts(d0: Lanes, d1: Lanes, squares: Lanes) -> Lanes {
    let half = Lanes::splat(0.5) * (d1 - d0);
    let root = (half * half + squares).sqrt();
    let zero = Lanes::ZERO;
    let root = zero.greater(half).choose(half - root, half + root);
    squares.greater(zero).choose(d0 - squares / root, d0)
}
