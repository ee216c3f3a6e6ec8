//! Weights that are mostly zero, in the three forms in which they come: channels that are
//! passed on, channels made of a few others, and channels made of the same many.

use faer::MatRef;
use std::array::from_fn;

/// Share of weights that are not zero from which on all are multiplied.
const SPARSE_BELOW: f64 = 0.25;

/// A row of so many terms and more is multiplied in lanes.
const MANY: usize = 16;

/// Sums side by side in a row of many terms.
const LANES: usize = 4;

/// Rows that share the values they are made of, at a time.
const ROWS: usize = 4;

/// The terms of rows of weights.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseRows {
    passed: Vec<Run>,
    few: Vec<FewTerms>,
    many: ManyTerms,
}

/// Consecutive outputs that are consecutive inputs.
#[derive(Clone, Copy, Debug)]
struct Run {
    row: usize,
    col: usize,
    len: usize,
}

#[derive(Clone, Debug)]
struct FewTerms {
    row: usize,
    terms: Vec<(usize, f64)>,
}

/// Rows over the same columns.
#[derive(Clone, Debug, Default)]
struct ManyTerms {
    rows: Vec<usize>,
    /// Filled up to whole lanes with the first one.
    cols: Vec<usize>,
    /// Row after row, filled up with zeros.
    weights: Vec<f64>,
    n_cols: usize,
}

impl SparseRows {
    /// The terms of `weights`; `None` where too many are not zero.
    pub(super) fn of(weights: MatRef<'_, f64>) -> Option<Self> {
        let n_all = weights.nrows() * weights.ncols();
        let mut n_terms = 0;
        let mut rows = Self::default();
        for (row, values) in weights.row_iter().enumerate() {
            let terms = values.iter().copied().enumerate().filter(|(_, w)| *w != 0.0);
            let terms: Vec<(usize, f64)> = terms.collect();
            n_terms += terms.len();
            rows.push(row, terms);
        }
        rows.many.fill_up();
        ((n_terms as f64) < SPARSE_BELOW * n_all as f64).then_some(rows)
    }

    fn push(&mut self, row: usize, terms: Vec<(usize, f64)>) {
        match terms.as_slice() {
            &[(col, 1.0)] => match self.passed.last_mut() {
                Some(run) if (run.row + run.len, run.col + run.len) == (row, col) => run.len += 1,
                _ => self.passed.push(Run { row, col, len: 1 }),
            },
            terms if self.many.takes(terms) => self.many.push(row, terms),
            _ => self.few.push(FewTerms { row, terms }),
        }
    }

    /// Writes the map of a frame.
    pub(super) fn apply(&self, frame: &[f64], out: &mut [f64]) {
        for Run { row, col, len } in &self.passed {
            out[*row..][..*len].copy_from_slice(&frame[*col..][..*len]);
        }
        for FewTerms { row, terms } in &self.few {
            out[*row] = terms.iter().map(|(col, w)| w * frame[*col]).sum();
        }
        self.many.apply(frame, out);
    }
}

impl ManyTerms {
    /// Whether these are terms of columns that its rows are made of.
    fn takes(&self, terms: &[(usize, f64)]) -> bool {
        let cols = || terms.iter().map(|(col, _)| *col);
        terms.len() >= MANY && (self.rows.is_empty() || cols().eq(self.cols.iter().copied()))
    }

    fn push(&mut self, row: usize, terms: &[(usize, f64)]) {
        if self.rows.is_empty() {
            self.cols = terms.iter().map(|(col, _)| *col).collect();
            self.n_cols = terms.len().next_multiple_of(LANES);
        }
        self.rows.push(row);
        self.weights.extend(terms.iter().map(|(_, w)| w));
        self.weights.resize(self.rows.len() * self.n_cols, 0.0);
    }

    fn fill_up(&mut self) {
        if let Some(first) = self.cols.first().copied() {
            self.cols.resize(self.n_cols, first);
        }
    }

    fn apply(&self, frame: &[f64], out: &mut [f64]) {
        let weights = self.weights.chunks((ROWS * self.n_cols).max(1));
        for (rows, weights) in self.rows.chunks(ROWS).zip(weights) {
            let mut sums = [[0.0; LANES]; ROWS];
            for (k, cols) in self.cols.chunks_exact(LANES).enumerate() {
                let values: [f64; LANES] = from_fn(|i| frame[cols[i]]);
                for (sums, weights) in sums.iter_mut().zip(weights.chunks_exact(self.n_cols)) {
                    let weights = &weights[k * LANES..][..LANES];
                    for i in 0..LANES {
                        sums[i] += weights[i] * values[i];
                    }
                }
            }
            for (row, sums) in rows.iter().zip(sums) {
                out[*row] = sums.iter().sum();
            }
        }
    }
}
