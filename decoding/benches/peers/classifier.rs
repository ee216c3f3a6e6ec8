//! Classifiers, selections and adaptive steps, as scikit-learn, pyRiemann and MNE have
//! them.

use crate::{Parts, Plan, Request, Tensor};
use acquisition::marker::ClassIdx;
use decoding::adaptation::Rate;
use decoding::adaptation::recenter::{Centre, Recenter, RecenterState};
use decoding::classifier::elastic_net::ElasticNetParams;
use decoding::classifier::lda::LdaModel;
use decoding::classifier::logistic::LogisticModel;
use decoding::classifier::svm::{Gamma, Kernel, SvmModel, SvmParams, SvmRuntime};
use decoding::selection::max_t::MaxT;
use decoding::selection::mutual_information::mutual_information;
use faer::Mat;

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("elastic_net_fit", |request| {
        Ok(Parts::case(Fit::of(request)?, Fit::elastic_net, Fit::values))
    }),
    ("svm_fit", |request| Ok(Parts::case(Fit::of(request)?, Fit::svm, Fit::values))),
    ("mutual_information", |request| {
        Ok(Parts::case(Fit::of(request)?, Fit::information, Fit::values))
    }),
    ("max_t", |request| Ok(Parts::case(Fit::maps(request)?, Fit::max_t, Fit::values))),
    ("lda_decide", |request| {
        let fit = Fit::of(request)?;
        let model = LdaModel::fit(&fit.x, &fit.labels, fit.n_classes).map_err(in_words)?;
        let decision = Decision::new(model, &fit);
        Ok(Parts::case(
            decision,
            |d| d.model.posterior_into(&d.x, &mut d.posterior),
            Decision::outputs,
        ))
    }),
    ("logistic_decide", |request| {
        let fit = Fit::of(request)?;
        let model = LogisticModel::fit(&fit.x, &fit.labels, fit.n_classes).map_err(in_words)?;
        let decision = Decision::new(model, &fit);
        Ok(Parts::case(
            decision,
            |d| d.model.posterior_into(&d.x, &mut d.posterior),
            Decision::outputs,
        ))
    }),
    ("svm_decide", |request| {
        let fit = Fit::of(request)?;
        let decision = Decision::new(fit.machines()?.plan(), &fit);
        Ok(Parts::case(decision, Decision::svm, Decision::outputs))
    }),
    ("recenter_step", |request| {
        Ok(Parts::case(Recentring::of(request)?, Recentring::step, Recentring::outputs))
    }),
];

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Examples `(n_examples, n_features)` with labels, and what a fit to them gives.
struct Fit {
    x: Vec<Vec<f64>>,
    labels: Vec<ClassIdx>,
    n_classes: usize,
    c: f64,
    l1_ratio: f64,
    out: Vec<f64>,
}

impl Fit {
    fn maps(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let &[_, n_features] = input.shape.as_slice() else {
            return Err("examples have two dimensions".to_owned());
        };
        let x = input.data.chunks_exact(n_features).map(<[f64]>::to_vec).collect();
        let labels = Vec::new();
        Ok(Self { x, labels, n_classes: 0, c: 1.0, l1_ratio: 0.5, out: Vec::new() })
    }

    fn of(request: &Request<'_>) -> Result<Self, String> {
        let mut fit = Self::maps(request)?;
        fit.labels = request.input(1)?.data.iter().map(|l| ClassIdx(*l as u8)).collect();
        fit.n_classes = fit.labels.iter().map(|l| l.index() + 1).max().unwrap_or(0);
        fit.c = request.number("c")?;
        fit.l1_ratio = request.number("l1_ratio")?;
        Ok(fit)
    }

    fn elastic_net(&mut self) {
        let params = ElasticNetParams { c: self.c, l1_ratio: self.l1_ratio };
        let model = params.fit(&self.x, &self.labels, self.n_classes).expect("finite examples");
        self.out = model.coef.as_slice().to_vec();
    }

    fn machines(&self) -> Result<SvmModel, String> {
        let kernel = Kernel::Rbf { gamma: Gamma::Scale };
        let params = SvmParams { kernel, c: self.c, tolerance: 1e-8 };
        params.fit(&self.x, &self.labels, self.n_classes).map_err(in_words)
    }

    fn svm(&mut self) {
        let model = self.machines().expect("finite examples");
        self.out = model.intercept;
    }

    fn information(&mut self) {
        let column = |j: usize| self.x.iter().map(|x| x[j]).collect::<Vec<_>>();
        let of = |j| mutual_information(&column(j), &self.labels, 3);
        self.out = (0..self.x[0].len()).map(of).collect();
    }

    fn max_t(&mut self) {
        let test = MaxT { n_permutations: 1000, ..MaxT::default() };
        self.out = test.one_sample(&self.x).expect("finite maps").statistic;
    }

    fn values(&self) -> Vec<Tensor> {
        vec![Tensor { shape: vec![self.out.len()], data: self.out.clone() }]
    }
}

/// A model and one example to decide on.
struct Decision<M> {
    model: M,
    x: Vec<f64>,
    posterior: Vec<f64>,
}

impl<M> Decision<M> {
    fn new(model: M, fit: &Fit) -> Self {
        Self { model, x: fit.x[0].clone(), posterior: vec![0.0; fit.n_classes] }
    }

    fn outputs(&self) -> Vec<Tensor> {
        vec![Tensor { shape: vec![self.posterior.len()], data: self.posterior.clone() }]
    }
}

impl Decision<SvmRuntime> {
    fn svm(&mut self) {
        let decisions = self.model.decisions(&self.x);
        self.posterior.clear();
        self.posterior.extend_from_slice(decisions);
    }
}

/// A running recentering and the covariance that it takes up.
struct Recentring {
    recenter: Recenter,
    covariance: Mat<f64>,
    out: Mat<f64>,
}

impl Recentring {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let n = request.input(0)?.shape[0];
        let data = &request.input(0)?.data;
        let covariance = Mat::from_fn(n, n, |i, j| data[i * n + j]);
        let state = RecenterState::new(n, Centre::Riemannian, Rate::Fixed(0.01));
        let mut recenter = state.plan().map_err(in_words)?;
        let mut out = Mat::zeros(n, n);
        let start = &covariance + Mat::<f64>::identity(n, n);
        recenter.update_into(start.as_ref(), out.as_mut());
        Ok(Self { recenter, covariance, out })
    }

    fn step(&mut self) {
        self.recenter.update_into(self.covariance.as_ref(), self.out.as_mut());
    }

    fn outputs(&self) -> Vec<Tensor> {
        vec![Tensor { shape: vec![1], data: vec![self.out[(0, 0)]] }]
    }
}
