//! From the eigenvectors of a tridiagonal matrix to those of the small matrix it came
//! from, one reflector after the other.
//!
//! Blocks of reflectors pay for large matrices. Here the vectors lie in rows, element `i`
//! of all of them side by side, so that every step is a sum of long rows.

#![expect(clippy::inline_always, reason = "only what is inlined uses the vector registers")]

use super::Bundle;
use faer::MatRef;
use faer::traits::pulp::{Arch, Simd, WithSimd};

/// Largest matrices that this is for.
const LARGEST: usize = 64;

/// Workspace for matrices of one size; none for large ones.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    dim: usize,
    /// Row `i`: element `i` of every vector.
    rows: Vec<f64>,
    scaled: Vec<f64>,
    reflector: Vec<f64>,
    product: Vec<f64>,
}

impl Turn {
    /// Workspace for `dim x dim`, where that is small.
    pub(super) fn new(dim: usize) -> Option<Self> {
        let square = vec![0.0; dim * dim];
        (dim <= LARGEST).then(|| Self {
            dim,
            rows: square.clone(),
            scaled: square,
            reflector: vec![0.0; dim],
            product: vec![0.0; dim],
        })
    }

    /// Takes `vectors`, in columns, back through the reflectors of one matrix of a bundle,
    /// and returns two matrices `A`, `B` with `A Bᵀ = U diag(f) Uᵀ`.
    ///
    /// Thread: any. Allocation: none.
    pub(super) fn factors(
        &mut self,
        vectors: MatRef<'_, f64>,
        (bundle, lane): (&Bundle, usize),
        f: &(impl Iterator<Item = f64> + Clone),
    ) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
        let n = self.dim;
        for (k, vector) in vectors.col_iter().enumerate() {
            for (x, row) in vector.iter().zip(self.rows.chunks_exact_mut(n)) {
                row[k] = *x;
            }
        }
        Arch::new().dispatch(Reflect { turn: self, bundle, lane });
        for (to, from) in self.scaled.chunks_exact_mut(n).zip(self.rows.chunks_exact(n)) {
            for ((y, x), f) in to.iter_mut().zip(from).zip(f.clone()) {
                *y = f * x;
            }
        }
        let matrix = |of| MatRef::from_row_major_slice(of, n, n);
        (matrix(self.scaled.as_slice()), matrix(self.rows.as_slice()))
    }
}

struct Reflect<'a> {
    turn: &'a mut Turn,
    bundle: &'a Bundle,
    lane: usize,
}

impl WithSimd for Reflect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Turn { dim, rows, reflector, product, .. } = self.turn;
        for k in (0..dim.saturating_sub(1)).rev() {
            let v = &mut reflector[..*dim - 1 - k];
            let factor = self.bundle.reflector_into(self.lane, k, v);
            let rows = &mut rows[(k + 1) * *dim..];
            product.fill(0.0);
            for (row, v) in rows.chunks_exact(*dim).zip(&*v) {
                product.iter_mut().zip(row).for_each(|(p, x)| *p += v * x);
            }
            for (row, v) in rows.chunks_exact_mut(*dim).zip(&*v) {
                let scale = factor * v;
                row.iter_mut().zip(&*product).for_each(|(x, p)| *x -= scale * p);
            }
        }
    }
}
