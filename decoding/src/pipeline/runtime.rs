//! Fitted pipelines as decoders: model, scratch, nothing else.

use super::FittedPipeline;
use crate::classifier::lda::LdaModel;
use crate::classifier::logistic::LogisticModel;
use crate::classifier::mdm::{MdmModel, MdmRuntime};
use crate::decoder::Decoder;
use crate::front_end::band_power::BandPower;
use crate::matrix::Matrix;
use crate::riemann::RiemannError;
use crate::riemann::tangent::TangentSpace;
use crate::spatial_filter::csp::{CspModel, CspRuntime};
use crate::window::{Features, Window};

/// Why a fitted pipeline can't decide: the model file is damaged or not for this
/// configuration; train again.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A part has another size than the rest of the model says.
    #[error(
        "{part} has size {found}, {expected} was expected: the model file is damaged, train again"
    )]
    Shape {
        /// Which part.
        part: &'static str,
        /// Size expected.
        expected: usize,
        /// Size found.
        found: usize,
    },
    /// A matrix is not what the geometry needs.
    #[error("{part} is not a positive definite matrix: the model file is damaged, train again")]
    Geometry {
        /// Which part.
        part: &'static str,
        /// What the geometry said.
        #[source]
        source: RiemannError,
    },
}

impl FittedPipeline {
    /// The decoder of this model for windows of `n_channels`, deciding among `n_classes`.
    pub fn plan(
        &self,
        n_channels: usize,
        n_classes: usize,
    ) -> Result<Box<dyn Decoder>, ModelError> {
        Ok(match self {
            Self::Mdm { model } => Box::new(plan_mdm(model, n_channels, n_classes)?),
            Self::TsLr { point, logistic } => {
                Box::new(plan_tangent(point, logistic, n_channels, n_classes)?)
            }
            Self::CspLda { csp, lda } => Box::new(plan_csp(csp, lda, n_channels, n_classes)?),
            Self::LogvarLda { model } => {
                Box::new(plan_linear(model, log_variance, n_channels, n_classes)?)
            }
            Self::PsdLda { model } => {
                let n_features = n_channels * BandPower::N_BANDS;
                Box::new(plan_linear(model, band_power, n_features, n_classes)?)
            }
        })
    }
}

fn log_variance(features: &Features) -> &[f64] {
    &features.log_variance
}

fn band_power(features: &Features) -> &[f64] {
    &features.band_power
}

/// The sizes must agree, because a model file comes from somebody else.
fn expect_size(part: &'static str, expected: usize, found: usize) -> Result<(), ModelError> {
    if expected == found { Ok(()) } else { Err(ModelError::Shape { part, expected, found }) }
}

/// Minimum distance to mean.
struct Mdm {
    runtime: MdmRuntime,
    n_classes: usize,
}

fn plan_mdm(model: &MdmModel, n_channels: usize, n_classes: usize) -> Result<Mdm, ModelError> {
    expect_size("the list of class means", n_classes, model.means.len())?;
    for mean in &model.means {
        expect_size("a class mean", n_channels, mean.n_rows())?;
        expect_size("a class mean", n_channels, mean.n_cols())?;
    }
    let geometry = |source| ModelError::Geometry { part: "a class mean", source };
    Ok(Mdm { runtime: model.plan().map_err(geometry)?, n_classes })
}

impl Decoder for Mdm {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]) {
        self.runtime.posterior_into(window.features.covariance.as_ref(), posterior);
    }
}

/// Logistic regression in a tangent space.
struct Tangent {
    space: TangentSpace,
    logistic: LogisticModel,
    vector: Vec<f64>,
    n_classes: usize,
}

fn plan_tangent(
    point: &Matrix,
    logistic: &LogisticModel,
    n_channels: usize,
    n_classes: usize,
) -> Result<Tangent, ModelError> {
    expect_size("the tangent space's point", n_channels, point.n_rows())?;
    expect_size("the tangent space's point", n_channels, point.n_cols())?;
    let geometry = |source| ModelError::Geometry { part: "the tangent space's point", source };
    let space = TangentSpace::at(point.to_faer().as_ref()).map_err(geometry)?;
    expect_size("the regression's weights", space.dim(), logistic.coef.n_cols())?;
    expect_size("the regression's classes", n_classes, logistic.coef.n_rows())?;
    expect_size("the regression's intercepts", n_classes, logistic.intercept.len())?;
    let vector = vec![0.0; space.dim()];
    Ok(Tangent { space, logistic: logistic.clone(), vector, n_classes })
}

impl Decoder for Tangent {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]) {
        self.space.vector_into(window.features.covariance.as_ref(), &mut self.vector);
        self.logistic.posterior_into(&self.vector, posterior);
    }
}

/// Shrinkage LDA on log-variances of spatial filters.
struct Csp {
    runtime: CspRuntime,
    lda: LdaModel,
    vector: Vec<f64>,
    n_classes: usize,
}

fn plan_csp(
    csp: &CspModel,
    lda: &LdaModel,
    n_channels: usize,
    n_classes: usize,
) -> Result<Csp, ModelError> {
    expect_size("the spatial filters", n_channels, csp.filters.n_cols())?;
    check_lda(lda, csp.n_filters(), n_classes)?;
    let vector = vec![0.0; csp.n_filters()];
    Ok(Csp { runtime: csp.plan(), lda: lda.clone(), vector, n_classes })
}

impl Decoder for Csp {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]) {
        self.runtime.features_into(window.features.covariance.as_ref(), &mut self.vector);
        self.lda.posterior_into(&self.vector, posterior);
    }
}

/// Shrinkage LDA on a feature as it is.
struct Linear {
    lda: LdaModel,
    features: fn(&Features) -> &[f64],
    n_classes: usize,
}

fn plan_linear(
    model: &LdaModel,
    features: fn(&Features) -> &[f64],
    n_features: usize,
    n_classes: usize,
) -> Result<Linear, ModelError> {
    check_lda(model, n_features, n_classes)?;
    Ok(Linear { lda: model.clone(), features, n_classes })
}

fn check_lda(model: &LdaModel, n_features: usize, n_classes: usize) -> Result<(), ModelError> {
    expect_size("the discriminant's weights", n_features, model.coef.n_cols())?;
    expect_size("the discriminant's classes", n_classes, model.coef.n_rows())?;
    expect_size("the discriminant's intercepts", n_classes, model.intercept.len())
}

impl Decoder for Linear {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn decide(&mut self, window: &Window<'_>, posterior: &mut [f64]) {
        self.lda.posterior_into((self.features)(window.features), posterior);
    }
}
