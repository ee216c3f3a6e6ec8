//! Robust statistics, in the conventions of PREP.

/// The interquartile range of a normal distribution times this is its standard deviation.
pub(super) const QUARTILES_TO_STD: f64 = 0.7413;
/// The same for the median absolute deviation.
pub(super) const MAD_TO_STD: f64 = 1.4826;

/// The middle value, or the mean of the middle two. NaN for none.
pub(super) fn median(values: &[f64]) -> f64 {
    median_in_place(&mut values.to_vec())
}

/// As [`median`], and puts the values in another order.
pub(super) fn median_in_place(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return *middle;
    }
    let largest_below = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    0.5 * (largest_below + *middle)
}

/// Median of the distances from the median.
pub(super) fn mad(values: &[f64]) -> f64 {
    let centre = median(values);
    median_in_place(&mut values.iter().map(|x| (x - centre).abs()).collect::<Vec<_>>())
}

/// The `q` quantile as MATLAB has it: value `k` of `n`, counted from 1, is the quantile
/// `(k - 1/2) / n`, linear between. NaN for none.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    quantile_of_sorted(&sorted(values), q)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    if last == 0 {
        return sorted[0];
    }
    let (n, last_idx) = (sorted.len() as f64, last as f64);
    let at = last_idx * ((q - 0.5) * n / last_idx + 0.5).clamp(0.0, 1.0);
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor())
}

/// Distance of the quartiles.
pub(super) fn quartile_range(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    quantile_of_sorted(&sorted, 0.75) - quantile_of_sorted(&sorted, 0.25)
}

/// `(value - centre) / spread`; 0 at the centre even where nothing is spread.
pub(super) fn robust_z(value: f64, centre: f64, spread: f64) -> f64 {
    if value == centre { 0.0 } else { (value - centre) / spread }
}
