//! The reference electrode standardisation technique: potentials against a point at
//! infinity.

use super::{ChannelMap, SpatialError, owned_labels};
use faer::{Mat, MatRef};

/// Singular values below this share of the largest count as zero, as MNE counts them.
const RELATIVE_CUTOFF: f64 = 1e-6;

/// `T = G (P G)⁺ P`, `P = I - 11ᵀ/n`: the potentials, whatever their reference, are
/// brought to the common average, explained by sources, and those sources are projected
/// again with the lead field against infinity.
///
/// `lead_field` `(n_channels, n_sources)` is `G`, the potentials at the electrodes of unit
/// sources against infinity, in the order of `labels`; it comes from a head model made
/// elsewhere. Its unit cancels. As MNE's `set_eeg_reference("REST")`, which leaves out
/// singular values below 1e-6 of the largest.
///
/// # Errors
/// [`SpatialError::WrongShape`] where rows and labels disagree, [`SpatialError::Singular`]
/// where no source is seen or the decomposition fails.
///
/// # Reference
/// D. Yao (2001), Physiological Measurement 22(4), doi:10.1088/0967-3334/22/4/305.
pub fn rest(
    labels: &[impl AsRef<str>],
    lead_field: MatRef<'_, f64>,
) -> Result<ChannelMap, SpatialError> {
    let labels = owned_labels(labels)?;
    let (n, n_sources) = lead_field.shape();
    if n != labels.len() {
        let (n_rows, n_cols) = (n, n_sources);
        let (n_outputs, n_inputs) = (labels.len(), n_sources);
        return Err(SpatialError::WrongShape { n_rows, n_cols, n_outputs, n_inputs });
    }
    if n < 2 {
        return Err(SpatialError::TooFewChannels { n_channels: n, needed: 2 });
    }
    let averaged = without_column_means(lead_field);
    let svd = averaged.thin_svd().map_err(|_| SpatialError::Singular)?;
    let values = svd.S().column_vector();
    let largest = values.iter().fold(0.0_f64, |m, s| m.max(*s));
    if largest.is_nan() || largest <= 0.0 {
        return Err(SpatialError::Singular);
    }
    let inverse = |s: f64| if s > RELATIVE_CUTOFF * largest { s.recip() } else { 0.0 };
    let right = svd.V();
    let scaled =
        Mat::from_fn(right.nrows(), right.ncols(), |i, k| right[(i, k)] * inverse(values[k]));
    // The left singular vectors sum to zero each: the projection P is in them already.
    let map = (lead_field * scaled) * without_column_means(svd.U()).transpose();
    ChannelMap::from_faer(&labels, &labels, map.as_ref())
}

fn without_column_means(a: MatRef<'_, f64>) -> Mat<f64> {
    let n = a.nrows() as f64;
    let means: Vec<f64> = a.col_iter().map(|col| col.iter().sum::<f64>() / n).collect();
    Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] - means[j])
}
