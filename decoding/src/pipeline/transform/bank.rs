//! Spatial filters that are chosen from all bands at once. What they do to a window is what
//! common spatial patterns of each band do.

use crate::decoder::FitError;
use crate::pipeline::fit::Training;
use crate::pipeline::fitted::FittedTransform;
use crate::pipeline::step::FilterBankCsp;
use crate::spatial_filter::csp::CspModel;

/// Fits to the matrices of all bands; a band may keep no filter.
pub(super) fn fit(
    step: &FilterBankCsp,
    training: &Training<'_>,
) -> Result<FittedTransform, FitError> {
    let matrices: Vec<_> = (0..training.n_bands()).map(|band| training.matrices(band)).collect();
    let bands: Vec<_> = matrices.iter().map(Vec::as_slice).collect();
    let model = step.params().fit(&bands, &training.labels, training.n_classes)?;
    let bands = model.bands.into_iter().map(|filters| CspModel { filters }).collect();
    Ok(FittedTransform::Csp { bands })
}
