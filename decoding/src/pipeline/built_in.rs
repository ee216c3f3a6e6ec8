//! The pipelines that come with the program, by name.

use super::Pipeline;
use super::step::{
    Classifier, Csp, Lda, LogisticRegression, Mdm, Step, TangentSpace, Transform,
};
use crate::front_end::step::{
    BandPass, BandPower, Covariance, Estimator, Feature, LogVariance, SignalStep,
};

/// The reference pipelines, whose scores are held against pyRiemann's and
/// scikit-learn's, in the order of the tables.
pub const REFERENCE: [&str; 5] = ["mdm", "ts+lr", "csp+lda", "logvar+lda", "psd+lda"];

/// All built-in pipelines, the reference ones first.
pub fn all() -> Vec<Pipeline> {
    vec![mdm(), ts_lr(), csp_lda(), logvar_lda(), psd_lda()]
}

/// The five of [`REFERENCE`].
pub fn reference() -> Vec<Pipeline> {
    all().into_iter().filter(|pipeline| REFERENCE.contains(&pipeline.name.as_str())).collect()
}

/// The one of this name.
pub fn find(name: &str) -> Option<Pipeline> {
    all().into_iter().find(|pipeline| pipeline.name == name)
}

fn pipeline(name: &str, steps: Vec<Step>) -> Pipeline {
    Pipeline { name: name.to_owned(), steps }
}

fn session_band() -> Step {
    Step::Signal(SignalStep::BandPass(BandPass::default()))
}

fn covariance(estimator: Estimator) -> Step {
    Step::Feature(Feature::Covariance(Covariance { estimator }))
}

fn tangent_space() -> Step {
    Step::Transform(Transform::TangentSpace(TangentSpace::default()))
}

fn lda() -> Step {
    Step::Classifier(Classifier::Lda(Lda::default()))
}

/// Covariance, minimum distance to Riemannian class means (Barachant et al. 2012, doi
/// 10.1109/TBME.2011.2172210).
pub fn mdm() -> Pipeline {
    let classifier = Step::Classifier(Classifier::Mdm(Mdm::default()));
    pipeline("mdm", vec![session_band(), covariance(Estimator::Oas), classifier])
}

/// Covariance, tangent space at the Riemannian mean, logistic regression (Barachant et
/// al. 2013, doi 10.1016/j.neucom.2012.12.039).
pub fn ts_lr() -> Pipeline {
    let classifier = Classifier::LogisticRegression(LogisticRegression::default());
    let steps = vec![
        session_band(),
        covariance(Estimator::Oas),
        tangent_space(),
        Step::Classifier(classifier),
    ];
    pipeline("ts+lr", steps)
}

/// Common spatial patterns, log-variance, shrinkage LDA (Blankertz et al. 2008, doi
/// 10.1109/MSP.2008.4408441).
pub fn csp_lda() -> Pipeline {
    let csp = Step::Transform(Transform::Csp(Csp::default()));
    pipeline("csp+lda", vec![session_band(), covariance(Estimator::Oas), csp, lda()])
}

/// Log-variance per channel, shrinkage LDA.
pub fn logvar_lda() -> Pipeline {
    let feature = Step::Feature(Feature::LogVariance(LogVariance::default()));
    pipeline("logvar+lda", vec![session_band(), feature, lda()])
}

/// Log band power per channel and band, shrinkage LDA.
pub fn psd_lda() -> Pipeline {
    let feature = Step::Feature(Feature::BandPower(BandPower::default()));
    pipeline("psd+lda", vec![session_band(), feature, lda()])
}
