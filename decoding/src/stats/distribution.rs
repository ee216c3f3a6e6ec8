//! Tails of the distributions that p-values come from, to about fourteen digits.

use std::f64::consts::{PI, SQRT_2};

/// Most terms of a series or a continued fraction; tens are usual.
const MAX_TERMS: usize = 1000;
/// Below this the series is used, above it the continued fraction.
const SERIES_LIMIT: f64 = 2.0;
/// Stands for 0 in a denominator of Lentz's method.
const TINY: f64 = 1e-300;

/// Probability that a standard normal variable lies above `z`.
///
/// # Reference
/// M. Abramowitz, I. Stegun: Handbook of Mathematical Functions (1964), 7.1.6 and 7.1.14.
pub fn normal_above(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - normal_above(-z);
    }
    let x = z / SQRT_2;
    if x < SERIES_LIMIT {
        let (mut term, mut sum) = (x, x);
        for n in 1..MAX_TERMS {
            term *= 2.0 * x * x / (2 * n + 1) as f64;
            sum += term;
            if term <= f64::EPSILON * 0.1 * sum {
                break;
            }
        }
        return 0.5 - sum * (-x * x).exp() / PI.sqrt();
    }
    // Backwards, with more terms than any x above the limit needs.
    let fraction = (1..=120).rev().fold(x, |below, n| x + 0.5 * f64::from(n) / below);
    0.5 * (-x * x).exp() / PI.sqrt() / fraction
}

/// The `z` above which a standard normal variable lies with probability `p`, by bisection;
/// infinite at 0 and 1, NaN beyond.
pub fn normal_quantile_above(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return if p == 0.0 || p == 1.0 { f64::INFINITY.copysign(0.5 - p) } else { f64::NAN };
    }
    // Beyond this the probability is no number of an f64.
    let (mut low, mut high) = (-40.0, 40.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if normal_above(middle) > p { low = middle } else { high = middle }
    }
}

/// Probability that Student's variable with `n_degrees` of freedom is at least as far
/// from 0 as `t`.
///
/// It is the incomplete beta function `I_x(n/2, 1/2)`, `x = n / (n + t^2)`, by its
/// continued fraction.
///
/// # Reference
/// M. Abramowitz, I. Stegun: Handbook of Mathematical Functions (1964), 26.5.8, 26.7.1.
pub fn student_beyond(t: f64, n_degrees: usize) -> f64 {
    if !t.is_finite() {
        return if t.is_nan() { f64::NAN } else { 0.0 };
    }
    let a = n_degrees as f64 / 2.0;
    let (x, y) = (a / (a + t * t / 2.0), t * t / 2.0 / (a + t * t / 2.0));
    // x^a y^(1/2) / B(a, 1/2), with a ratio of gamma functions at half integers.
    let (mut ratio, mut at) =
        if n_degrees.is_multiple_of(2) { (PI.sqrt() / 2.0, 1.0) } else { (PI.sqrt().recip(), 0.5) };
    while at < a {
        ratio *= (at + 0.5) / at;
        at += 1.0;
    }
    let front = x.powf(a) * y.sqrt() * ratio / PI.sqrt();
    if x < (a + 1.0) / (a + 2.5) {
        front * beta_fraction(a, 0.5, x) / a
    } else {
        1.0 - front * beta_fraction(0.5, a, y) / 0.5
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let or_tiny = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut c, mut d) = (1.0, or_tiny(1.0 - (a + b) * x / (a + 1.0)).recip());
    let mut value = d;
    for m in 1..MAX_TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for term in [even, odd] {
            d = or_tiny(1.0 + term * d).recip();
            c = or_tiny(1.0 + term / c);
            factor = c * d;
            value *= factor;
        }
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// Probability that a chi-squared variable with `n_degrees` of freedom lies above `x`.
///
/// It is the incomplete gamma function `Q(n/2, x/2)`, by its series below the mean and its
/// continued fraction above.
///
/// # Reference
/// M. Abramowitz, I. Stegun: Handbook of Mathematical Functions (1964), 6.5.29, 6.5.31.
pub fn chi_squared_above(x: f64, n_degrees: usize) -> f64 {
    /// Terms grow with the root of the degrees.
    const MAX_TERMS: usize = 1_000_000;
    let (a, x) = (n_degrees as f64 / 2.0, x / 2.0);
    if x <= 0.0 || x.is_nan() {
        return if x.is_nan() { f64::NAN } else { 1.0 };
    }
    let front = (a * x.ln() - x - log_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (a.recip(), a.recip());
        for n in 1..MAX_TERMS {
            term *= x / (a + n as f64);
            sum += term;
            if term <= f64::EPSILON * 0.1 * sum {
                break;
            }
        }
        return 1.0 - front * sum;
    }
    let or_tiny = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (TINY.recip(), or_tiny(b).recip());
    let mut value = d;
    for n in 1..MAX_TERMS {
        let n = n as f64;
        let term = n * (a - n);
        b += 2.0;
        d = or_tiny(term * d + b).recip();
        c = or_tiny(b + term / c);
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front * value
}

/// Probability that Fisher's variable with `n_degrees` of freedom above and below lies
/// above `f`.
///
/// # Reference
/// M. Abramowitz, I. Stegun: Handbook of Mathematical Functions (1964), 26.5.8, 26.6.2.
pub fn fisher_above(f: f64, (above, below): (usize, usize)) -> f64 {
    if f <= 0.0 || f.is_nan() {
        return if f.is_nan() { f64::NAN } else { 1.0 };
    }
    let (a, b) = (below as f64 / 2.0, above as f64 / 2.0);
    let (x, y) = (a / (a + b * f), b * f / (a + b * f));
    let beta = log_gamma(a + b) - log_gamma(a) - log_gamma(b);
    let front = (a * x.ln() + b * y.ln() + beta).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, y) / b
    }
}

/// Logarithm of the gamma function of a positive number, by Stirling's series above 16.
fn log_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0_f64);
    while x < 16.0 {
        product *= x;
        x += 1.0;
    }
    let square = x.powi(-2);
    let series = 1.0 / 12.0
        - square
            * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series / x - product.ln()
}

/// Digamma function at a positive integer: `-0.577... + 1 + 1/2 + ... + 1/(n - 1)`.
///
/// Summed from the small end; `n_max` values at once, the first for 1.
pub fn digamma_of_integers(n_max: usize) -> Vec<f64> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let mut harmonic = 0.0;
    let mut values = Vec::with_capacity(n_max);
    for n in 1..=n_max {
        values.push(harmonic - EULER);
        harmonic += (n as f64).recip();
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::tests::assert_close;

    const CHI_SQUARED: [(f64, usize, f64); 6] = [
        (0.3, 1, 0.583882420770365),
        (7.5, 4, 0.11170929281604328),
        (250.0, 275, 0.8580238132441533),
        (330.0, 275, 0.0127783440767154),
        (2900.0, 2560, 2.4923215936330565e-06),
        (90.0, 9, 1.628070471965621e-15),
    ];
    const FISHER: [(f64, (usize, usize), f64); 5] = [
        (0.2, (3, 40), 0.8957674796044167),
        (1.0, (5, 290), 0.4179658284289104),
        (2.7, (5, 290), 0.021034491844133273),
        (9.0, (1, 7), 0.019942126131992536),
        (30.0, (4, 600), 8.978346495010552e-23),
    ];

    /// By SciPy 1.17.1: `norm.sf`, `2 t.sf`, `digamma`, `chi2.sf`, `f.sf`.
    #[test]
    fn as_scipy() {
        for (z, expected) in [
            (0.0, 0.5),
            (0.7, 0.24196365222307303),
            (-1.3, 0.9031995154143897),
            (2.9, 0.0018658133003840375),
            (6.0, 9.865876450376946e-10),
            (20.0, 2.7536241186061556e-89),
        ] {
            assert_close(&[normal_above(z) / expected], &[1.0], 1e-13);
        }
        for (t, n, expected) in [
            (0.3, 1, 0.8144528418445154),
            (2.0, 5, 0.10193947882985835),
            (-4.5, 17, 0.00031575080010500195),
            (1.1, 60, 0.2757260162774473),
            (12.0, 240, 2.673171717516976e-26),
        ] {
            assert_close(&[student_beyond(t, n) / expected], &[1.0], 1e-11);
        }
        for (x, n, expected) in CHI_SQUARED {
            assert_close(&[chi_squared_above(x, n) / expected], &[1.0], 1e-11);
        }
        for (f, degrees, expected) in FISHER {
            assert_close(&[fisher_above(f, degrees) / expected], &[1.0], 1e-11);
        }
        assert_eq!((chi_squared_above(0.0, 3), fisher_above(0.0, (2, 9))), (1.0, 1.0));
        assert_eq!(student_beyond(0.0, 8), 1.0);
        let found = digamma_of_integers(40);
        assert_close(&[found[0], found[39]], &[-0.5772156649015329, 3.6763273740348428], 1e-15);
    }
}
