//! Eigenvectors of a symmetric tridiagonal matrix from its eigenvalues.
//!
//! One inverse iteration from the best unit vector, which two triangular factorisations
//! of `T - λ I` that meet there name: work of order `n` per vector, and the same for
//! every `λ`, so that sixteen go side by side. Where eigenvalues are too near for that,
//! nothing is returned: the caller turns to the QR iteration.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use faer::MatMut;
use faer::traits::pulp::{Arch, Simd, WithSimd};

/// Eigenvalues side by side.
const WIDTH: usize = 16;
/// Gaps of this part of the largest eigenvalue and less leave it to the QR iteration.
const LEAST_GAP: f64 = 1e-7;
/// Vectors whose eigenvalues are this near (of the largest) are made orthogonal: those of
/// farther ones are so within some roundings over it already. Of large matrices most are
/// within the first, and making them so would take longer than finding them.
const NEAR: f64 = 1e-2;
const NEAR_OF_LARGE: f64 = 1e-3;
const LARGE: usize = 128;
/// Residuals accepted, of the largest eigenvalue: some roundings of each of two
/// factorisations.
const RESIDUAL: f64 = 64.0 * f64::EPSILON;
/// A pivot of nothing becomes this; all else is of order one.
const LEAST_PIVOT: f64 = 1e-60;

type Row = [f64; WIDTH];

/// Pivots and quotients of the factorisations from the top and from the bottom.
#[derive(Clone, Copy, Default)]
struct Factors {
    pivot: Row,
    down: Row,
    up: Row,
}

/// Workspace for matrices of one size.
pub(super) struct Twisted {
    rows: Vec<Factors>,
    vectors: Vec<Row>,
}

impl Twisted {
    /// Workspace for `dim x dim`.
    pub(super) fn new(dim: usize) -> Self {
        Self { rows: vec![Factors::default(); dim], vectors: vec![Row::default(); dim] }
    }

    /// Writes the unit eigenvectors to the ascending `values` into the columns of
    /// `vectors` and says `true`, or `false` where eigenvalues cluster or a vector is not
    /// accurate. The matrix has this `diagonal`, and these `off` beside it (`n - 1` used).
    /// Its elements are of order one at most.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Reference
    /// B. N. Parlett, I. S. Dhillon (1997), Linear Algebra and its Applications 267,
    /// doi:10.1016/S0024-3795(97)80053-5. Here the factorisations are of `T - λ I` and
    /// near vectors are made orthogonal after, as is enough where none are very near.
    pub(super) fn vectors(
        &mut self,
        diagonal: &[f64],
        off: &[f64],
        values: &[f64],
        mut vectors: MatMut<'_, f64>,
    ) -> bool {
        let n = diagonal.len();
        let largest = values.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        if values.windows(2).any(|pair| pair[1] - pair[0] <= LEAST_GAP * largest) {
            return false;
        }
        for first in (0..n).step_by(WIDTH) {
            let n_lanes = WIDTH.min(n - first);
            let mut shifts = [values[first]; WIDTH];
            shifts[..n_lanes].copy_from_slice(&values[first..first + n_lanes]);
            let solve = Solve { diagonal, off, shifts, scratch: self };
            let residuals = Arch::new().dispatch(solve);
            if residuals[..n_lanes].iter().any(|r| r.is_nan() || *r > RESIDUAL * largest) {
                return false;
            }
            for lane in 0..n_lanes {
                let column = vectors.as_mut().col_mut(first + lane);
                for (x, row) in column.iter_mut().zip(&self.vectors) {
                    *x = row[lane];
                }
            }
        }
        let near = largest * if n < LARGE { NEAR } else { NEAR_OF_LARGE };
        Arch::new().dispatch(Orthogonalise { values, near, vectors });
        true
    }
}

/// Makes each vector orthogonal to those before it whose eigenvalue is within `near`.
struct Orthogonalise<'a> {
    values: &'a [f64],
    near: f64,
    vectors: MatMut<'a, f64>,
}

impl WithSimd for Orthogonalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { values, near, mut vectors } = self;
        for j in 1..values.len() {
            let (before, mut after) = vectors.as_mut().split_at_col_mut(j);
            let Some(column) = after.as_mut().col_mut(0).try_as_col_major_mut() else { return };
            let column = column.as_slice_mut();
            for i in (0..j).rev().take_while(|i| values[j] - values[*i] < near) {
                let Some(other) = before.as_ref().col(i).try_as_col_major() else { return };
                let other = other.as_slice();
                let part = dot(column, other);
                column.iter_mut().zip(other).for_each(|(x, y)| *x -= part * y);
            }
        }
    }
}

/// Scalar product in eight lanes: the order is fixed by the length alone.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a_rows, a_rest), (b_rows, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a_rows.iter().zip(b_rows) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// The vectors to [`WIDTH`] eigenvalues, and their residuals.
struct Solve<'a> {
    diagonal: &'a [f64],
    off: &'a [f64],
    shifts: Row,
    scratch: &'a mut Twisted,
}

impl WithSimd for Solve<'_> {
    type Output = Row;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Row {
        let Self { diagonal, off, shifts, scratch: Twisted { rows, vectors } } = self;
        factor_down(diagonal, off, &shifts, rows);
        let (twist, gamma) = factor_up(diagonal, off, &shifts, rows);
        let squares = substitute(&twist, rows, vectors);
        let scale = squares.map(|x| x.sqrt().recip());
        for row in vectors.iter_mut() {
            for k in 0..WIDTH {
                row[k] *= scale[k];
            }
        }
        std::array::from_fn(|k| gamma[k].abs() * scale[k])
    }
}

/// `pivot_i = d_i - λ - e_{i-1} down_{i-1}`, `down_i = e_i / pivot_i`.
#[inline(always)]
fn factor_down(diagonal: &[f64], off: &[f64], shifts: &Row, rows: &mut [Factors]) {
    let mut taken = [0.0; WIDTH];
    for ((d, e), row) in diagonal.iter().zip(off).zip(rows) {
        for k in 0..WIDTH {
            let pivot = nonzero(d - shifts[k] - taken[k]);
            row.pivot[k] = pivot;
            row.down[k] = e / pivot;
            taken[k] = e * row.down[k];
        }
    }
}

/// From the bottom: `up_i = e_{i-1} / pivot'_i`. Returns where the two factorisations
/// meet with the smallest pivot `γ_i = pivot_i - e_i up_{i+1}`, and that pivot.
#[inline(always)]
fn factor_up(diagonal: &[f64], off: &[f64], shifts: &Row, rows: &mut [Factors]) -> (Row, Row) {
    let (mut twist, mut least) = ([0.0; WIDTH], [f64::INFINITY; WIDTH]);
    let mut taken = [0.0; WIDTH];
    for i in (0..diagonal.len()).rev() {
        let (d, before) = (diagonal[i], if i > 0 { off[i - 1] } else { 0.0 });
        let row = &mut rows[i];
        for k in 0..WIDTH {
            let gamma = row.pivot[k] - taken[k];
            let nearer = gamma.abs() < least[k].abs();
            least[k] = if nearer { gamma } else { least[k] };
            twist[k] = if nearer { i as f64 } else { twist[k] };
            row.up[k] = before / nonzero(d - shifts[k] - taken[k]);
            taken[k] = before * row.up[k];
        }
    }
    (twist, least)
}

/// Solves `(T - λ I) z = γ e_twist`, `z_twist = 1`; returns the squared norms.
#[inline(always)]
fn substitute(twist: &Row, rows: &[Factors], vectors: &mut [Row]) -> Row {
    let mut z = [0.0; WIDTH];
    for (i, (row, out)) in rows.iter().zip(&mut *vectors).enumerate().rev() {
        for k in 0..WIDTH {
            z[k] = if i as f64 == twist[k] { 1.0 } else { -(row.down[k] * z[k]) };
        }
        *out = z;
    }
    let mut squares = [0.0; WIDTH];
    for (i, (row, out)) in rows.iter().zip(vectors).enumerate() {
        for k in 0..WIDTH {
            z[k] = if i as f64 <= twist[k] { out[k] } else { -(row.up[k] * z[k]) };
            squares[k] += z[k] * z[k];
        }
        *out = z;
    }
    squares
}

#[inline(always)]
fn nonzero(pivot: f64) -> f64 {
    if pivot.abs() < LEAST_PIVOT { LEAST_PIVOT } else { pivot }
}
