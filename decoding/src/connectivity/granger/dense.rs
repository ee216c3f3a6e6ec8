//! Small real matrices in buffers of their own, row after row.

/// `out = a b`, `a` `(n, k)`, `b` `(k, m)`.
pub(super) fn multiply(a: &[f64], b: &[f64], (n, k, m): (usize, usize, usize), out: &mut [f64]) {
    out[..n * m].fill(0.0);
    for (out, a) in out.chunks_exact_mut(m).zip(a.chunks_exact(k)).take(n) {
        for (a, b) in a.iter().zip(b.chunks_exact(m)) {
            out.iter_mut().zip(b).for_each(|(out, b)| *out += a * b);
        }
    }
}

/// `out = a b'`, `a` `(n, k)`, `b` `(m, k)`.
pub(super) fn multiply_by_transposed(
    a: &[f64],
    b: &[f64],
    (n, k, m): (usize, usize, usize),
    out: &mut [f64],
) {
    for (out, a) in out.chunks_exact_mut(m).zip(a.chunks_exact(k)).take(n) {
        for (out, b) in out.iter_mut().zip(b.chunks_exact(k)) {
            *out = a.iter().zip(b).map(|(a, b)| a * b).sum();
        }
    }
}

/// `b` becomes `a^-1 b` and `a` is used up: eliminations with the largest pivot. `a` is
/// `(n, n)`, `b` `(n, m)`. NaN or infinite where there is no inverse.
pub(super) fn solve(a: &mut [f64], b: &mut [f64], (n, m): (usize, usize)) {
    for col in 0..n {
        let size = |row: &usize| a[row * n + col].abs();
        let pivot = (col..n).max_by(|i, j| size(i).total_cmp(&size(j))).unwrap_or(col);
        swap_rows(a, n, col, pivot);
        swap_rows(b, m, col, pivot);
        let scale = a[col * n + col].recip();
        for row in col + 1..n {
            let by = a[row * n + col] * scale;
            if by != 0.0 {
                subtract(a, n, (row, col), by);
                subtract(b, m, (row, col), by);
            }
        }
    }
    for row in (0..n).rev() {
        for below in row + 1..n {
            let by = a[row * n + below];
            subtract(b, m, (row, below), by);
        }
        let scale = a[row * n + row].recip();
        b[row * m..][..m].iter_mut().for_each(|x| *x *= scale);
    }
}

fn swap_rows(a: &mut [f64], m: usize, i: usize, j: usize) {
    if i != j {
        let (above, below) = a.split_at_mut(i.max(j) * m);
        above[i.min(j) * m..][..m].swap_with_slice(&mut below[..m]);
    }
}

/// Subtracts `by` times row `other` from row `row`.
fn subtract(a: &mut [f64], m: usize, (row, other): (usize, usize), by: f64) {
    let (above, below) = a.split_at_mut(row.max(other) * m);
    let (low, high) = (&mut above[row.min(other) * m..][..m], &mut below[..m]);
    let (to, from) = if row < other { (low, high) } else { (high, low) };
    to.iter_mut().zip(from).for_each(|(x, y)| *x -= by * *y);
}
