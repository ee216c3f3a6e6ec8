//! Spatial filters that are chosen from all bands at once, or that follow a target. What they
//! do to a window is what common spatial patterns of each band do.

use crate::decoder::FitError;
use crate::pipeline::fit::Training;
use crate::pipeline::fitted::FittedTransform;
use crate::pipeline::step::{FilterBankCsp, Spoc};
use crate::spatial_filter::csp::CspModel;
use crate::spatial_filter::spoc::SpocParams;

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

/// Fits to the matrices of each band, with the target of each example's class.
pub(super) fn fit_spoc(step: &Spoc, training: &Training<'_>) -> Result<FittedTransform, FitError> {
    if step.targets.len() != training.n_classes {
        let (part, expected, found) =
            ("the list of targets, one per class", training.n_classes, step.targets.len());
        return Err(FitError::Shape { part, expected, found });
    }
    let targets: Vec<_> = training.labels.iter().map(|l| step.targets[l.index()]).collect();
    let params = SpocParams { n_filters: step.n_filters };
    let fit = |band| {
        let filters = params.fit(&training.matrices(band), &targets)?.filters;
        Ok(CspModel { filters })
    };
    Ok(FittedTransform::Csp {
        bands: (0..training.n_bands()).map(fit).collect::<Result<_, FitError>>()?,
    })
}
