//! Small complex matrices with their storage, real and imaginary parts apart.

/// A square matrix, row after row.
#[derive(Clone, Debug)]
pub(in crate::connectivity) struct Square {
    n: usize,
    pub(in crate::connectivity) re: Vec<f64>,
    pub(in crate::connectivity) im: Vec<f64>,
    /// Which row was each column's pivot.
    pivots: Vec<usize>,
}

impl Square {
    pub(in crate::connectivity) fn zeros(n: usize) -> Self {
        Self { n, re: vec![0.0; n * n], im: vec![0.0; n * n], pivots: vec![0; n] }
    }

    pub(in crate::connectivity) fn set_identity(&mut self) {
        self.re.fill(0.0);
        self.im.fill(0.0);
        self.re.iter_mut().step_by(self.n + 1).for_each(|x| *x = 1.0);
    }

    pub(in crate::connectivity) fn copy_from(&mut self, other: &Self) {
        self.re.copy_from_slice(&other.re);
        self.im.copy_from_slice(&other.im);
    }

    pub(in crate::connectivity) fn magnitudes_into(&self, out: &mut [f64]) {
        for (out, (re, im)) in out.iter_mut().zip(self.re.iter().zip(&self.im)) {
            *out = (re * re + im * im).sqrt();
        }
    }

    /// Becomes the inverse of `of`: eliminations with the largest pivot of each column, in
    /// place. NaN or infinite where there is no inverse.
    pub(in crate::connectivity) fn set_inverse(&mut self, of: &Self) {
        self.copy_from(of);
        let n = self.n;
        for col in 0..n {
            let pivot = self.largest_below(col);
            self.pivots[col] = pivot;
            self.swap_rows(col, pivot);
            let (re, im) = self.at(col, col);
            let square = re * re + im * im;
            self.set(col, col, (1.0, 0.0));
            self.scale_row(col, (re / square, -im / square));
            for row in (0..n).filter(|row| *row != col) {
                let by = self.at(row, col);
                self.set(row, col, (0.0, 0.0));
                self.subtract_row(row, col, by);
            }
        }
        // Rows that changed places are columns of the inverse.
        for col in (0..n).rev() {
            let pivot = self.pivots[col];
            for part in [&mut self.re, &mut self.im] {
                part.chunks_exact_mut(n).for_each(|row| row.swap(col, pivot));
            }
        }
    }

    /// Logarithm of the determinant's magnitude; the matrix is used up.
    pub(in crate::connectivity) fn log_determinant(&mut self) -> f64 {
        let mut sum = 0.0;
        for col in 0..self.n {
            let pivot = self.largest_below(col);
            self.swap_rows(col, pivot);
            let (re, im) = self.at(col, col);
            let square = re * re + im * im;
            sum += 0.5 * square.ln();
            for row in col + 1..self.n {
                let (a, b) = self.at(row, col);
                let by = ((a * re + b * im) / square, (b * re - a * im) / square);
                self.subtract_row(row, col, by);
            }
        }
        sum
    }

    /// Becomes `lower^-1 self`.
    pub(in crate::connectivity) fn divide_rows(&mut self, lower: &[f64]) {
        for row in 0..self.n {
            for above in 0..row {
                self.subtract_row(row, above, (lower[row * self.n + above], 0.0));
            }
            self.scale_row(row, (lower[row * self.n + row].recip(), 0.0));
        }
    }

    /// `|U_i* U_j| / (|U_i| |U_j|)` of the columns; `scratch` holds a row.
    pub(in crate::connectivity) fn column_coherence_into(
        &self,
        scratch: &mut [f64],
        out: &mut [f64],
    ) {
        let n = self.n;
        for i in 0..n {
            let (re, im) = (&mut out[i * n..][..=i], &mut scratch[..=i]);
            re.fill(0.0);
            im.fill(0.0);
            for row in 0..n {
                let (a, b) = self.at(row, i);
                let others = self.re[row * n..][..=i].iter().zip(&self.im[row * n..][..=i]);
                for ((re, im), (c, d)) in re.iter_mut().zip(im.iter_mut()).zip(others) {
                    *re += a * c + b * d;
                    *im += a * d - b * c;
                }
            }
            re.iter_mut().zip(&*im).for_each(|(re, im)| *re = (*re * *re + im * im).sqrt());
        }
        for i in 0..n {
            for j in 0..i {
                let value = out[i * n + j] / (out[i * n + i] * out[j * n + j]).sqrt();
                out[i * n + j] = value;
                out[j * n + i] = value;
            }
        }
        // Last, since the others are divided by them; NaN stays NaN.
        out.iter_mut().step_by(n + 1).for_each(|x| *x /= *x);
    }

    fn at(&self, row: usize, col: usize) -> (f64, f64) {
        (self.re[row * self.n + col], self.im[row * self.n + col])
    }

    fn set(&mut self, row: usize, col: usize, (re, im): (f64, f64)) {
        (self.re[row * self.n + col], self.im[row * self.n + col]) = (re, im);
    }

    fn largest_below(&self, col: usize) -> usize {
        let size = |row: usize| {
            let (re, im) = self.at(row, col);
            re * re + im * im
        };
        (col..self.n).max_by(|a, b| size(*a).total_cmp(&size(*b))).unwrap_or(col)
    }

    fn swap_rows(&mut self, row: usize, other: usize) {
        if row == other {
            return;
        }
        let n = self.n;
        for part in [&mut self.re, &mut self.im] {
            let (above, below) = part.split_at_mut(row.max(other) * n);
            above[row.min(other) * n..][..n].swap_with_slice(&mut below[..n]);
        }
    }

    fn scale_row(&mut self, row: usize, (c, d): (f64, f64)) {
        let row = row * self.n..(row + 1) * self.n;
        for (re, im) in self.re[row.clone()].iter_mut().zip(&mut self.im[row]) {
            (*re, *im) = (*re * c - *im * d, *re * d + *im * c);
        }
    }

    /// Subtracts `by` times `other` from `row`.
    fn subtract_row(&mut self, row: usize, other: usize, (c, d): (f64, f64)) {
        let n = self.n;
        let (re, re_other) = two_rows(&mut self.re, n, row, other);
        let (im, im_other) = two_rows(&mut self.im, n, row, other);
        for ((re, im), (a, b)) in re.iter_mut().zip(im).zip(re_other.iter().zip(im_other)) {
            *re -= a * c - b * d;
            *im -= a * d + b * c;
        }
    }
}

/// Row `row`, and row `other` to read.
fn two_rows(data: &mut [f64], n: usize, row: usize, other: usize) -> (&mut [f64], &[f64]) {
    let (above, below) = data.split_at_mut(row.max(other) * n);
    let (low, high) = (&mut above[row.min(other) * n..][..n], &mut below[..n]);
    if row < other { (low, high) } else { (high, low) }
}
