//! A step that is planned once and run on window after window knows nothing of the windows
//! before: neither what their buffers hold, nor NaN, infinity, silence or an overflow.

use acquisition::marker::ClassIdx;
use acquisition::time::{SampleIndex, SampleRate};
use decoding::artifact::potato::{Potato, PotatoParams};
use decoding::classifier::elastic_net::ElasticNetParams;
use decoding::classifier::fgmdm::{FgMdmModel, FgdaModel};
use decoding::classifier::knn::{KnnModel, Vote};
use decoding::classifier::lda::LdaModel;
use decoding::classifier::mdm::MdmModel;
use decoding::classifier::mean_field::{Combination, MeanFieldModel};
use decoding::classifier::svm::{Gamma, Kernel, SvmParams};
use decoding::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use decoding::connectivity::mvar::SlidingMvar;
use decoding::connectivity::{
    BandEdges, ConnectivitySpec, Envelope, EnvelopeCorrelation, Measure, NodeStrength,
    Orthogonalisation, Resolution, Segments, SlidingConnectivity, TimeConnectivity,
};
use decoding::front_end::band_power::BandPower;
use decoding::front_end::step;
use decoding::psd::bands::BANDS;
use decoding::psd::burg::{BurgPlan, BurgSpec};
use decoding::psd::multitaper::{Multitaper, MultitaperSpec, TaperWeights};
use decoding::psd::welch::WelchPlan;
use decoding::psd::welch::sliding::SlidingWelch;
use decoding::riemann::Metric;
use decoding::riemann::covariance::{Estimator, scm};
use decoding::riemann::distance::{DistanceTo, DistancesTo};
use decoding::riemann::tangent::TangentSpace;
use decoding::riemann::transfer::{Recentering, Rescaling};
use decoding::spatial_filter::augmented::AugmentedParams;
use decoding::spatial_filter::cca::{CcaParams, FilterBankCcaParams};
use decoding::spatial_filter::csp::CspParams;
use decoding::spatial_filter::erp_covariance::ErpCovarianceParams;
use decoding::spatial_filter::filter_bank::BandWeights;
use decoding::spatial_filter::trca::{TrcaParams, TrcaScoring};
use decoding::spatial_filter::xdawn::XdawnParams;
use decoding::time_frequency::morlet::{Admissibility, MorletPlan};
use decoding::window::{Planar, WindowSpec};
use faer::Mat;

/// What decides on a covariance.
type Decide = Box<dyn FnMut(&Mat<f64>, &mut [f64])>;

const N_CHANNELS: usize = 4;
const N_SAMPLES: usize = 256;
const METRICS: [Metric; 4] =
    [Metric::AffineInvariant, Metric::LogEuclidean, Metric::Wasserstein, Metric::Euclidean];

/// A planned step: from a window's samples to numbers.
type Step = Box<dyn FnMut(Planar<'_>) -> Vec<f64>>;

fn rate() -> SampleRate {
    SampleRate::new(128.0).expect("a rate")
}

fn signal(seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..N_CHANNELS * N_SAMPLES).map(|_| next()).collect()
}

fn planar(data: &[f64]) -> Planar<'_> {
    Planar::new(data, N_CHANNELS, N_SAMPLES, N_SAMPLES)
}

fn values(mat: &Mat<f64>) -> Vec<f64> {
    mat.col_iter().flat_map(|col| col.iter().copied().collect::<Vec<_>>()).collect()
}

fn labels(n: usize) -> Vec<ClassIdx> {
    (0..n).map(|i| ClassIdx((i % 2) as u8)).collect()
}

/// Gives each step windows, and between them what is none.
fn assert_forgets(steps: Vec<(String, Step)>) {
    let (good, other) = (signal(100), signal(101));
    let garbage = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 0.0, 7.5];
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for (name, mut step) in steps {
        let expected = step(planar(&good));
        let of_other = step(planar(&other));
        assert!(expected.iter().any(|x| x.is_finite()), "{name} says something");
        assert_ne!(bits(&expected), bits(&of_other), "{name} looks at its window");
        for bad in garbage {
            let mut one = good.clone();
            one[N_SAMPLES + 70] = bad;
            for data in [vec![bad; good.len()], one] {
                step(planar(&data));
                let found = step(planar(&good));
                assert_eq!(bits(&found), bits(&expected), "{name} after {bad}");
            }
        }
    }
}

/// A step that looks at a window's covariance.
fn of_cov(
    name: impl Into<String>,
    mut f: impl FnMut(&Mat<f64>) -> Vec<f64> + 'static,
) -> (String, Step) {
    (name.into(), Box::new(move |window| f(&scm(window.as_mat()))))
}

fn of(name: impl Into<String>, f: impl FnMut(Planar<'_>) -> Vec<f64> + 'static) -> (String, Step) {
    (name.into(), Box::new(f))
}

/// A step that writes into a buffer of `n` values, which keeps what the last one left.
fn into(
    name: impl Into<String>,
    n: usize,
    mut f: impl FnMut(Planar<'_>, &mut [f64]) + 'static,
) -> (String, Step) {
    let mut out = vec![f64::NAN; n];
    of(name, move |window| {
        f(window, &mut out);
        out.clone()
    })
}

#[test]
fn spectra_forget() {
    let mut welch = WelchPlan::new(N_SAMPLES, rate(), 128, 64).expect("a plan");
    let mut steps = vec![into("welch", welch.n_bins(), move |w, out| welch.run(w.channel(1), out))];
    let spec = WindowSpec { window_samples: N_SAMPLES, step_samples: 16 };
    let mut sliding = SlidingWelch::new(N_CHANNELS, spec, rate(), 128, 64).expect("a plan");
    let mut hop = 0;
    steps.push(into("sliding welch", N_CHANNELS * sliding.n_bins(), move |window, out| {
        // Windows that share no sample: segments are told by their index.
        hop += 16;
        sliding.run(SampleIndex(16 * hop), window, out);
    }));
    for weights in [TaperWeights::Eigenvalue, TaperWeights::Adaptive] {
        let spec = MultitaperSpec { weights, ..MultitaperSpec::new(4.0) };
        let mut plan = Multitaper::<f64>::new(&spec, N_SAMPLES, rate()).expect("a plan");
        let n_bins = plan.n_bins();
        steps.push(into("multitaper", n_bins, move |w, out| plan.run(w.channel(1), out)));
    }
    let mut burg = BurgPlan::new(BurgSpec::happy_feat(rate()), N_SAMPLES, rate()).expect("a plan");
    steps.push(into("burg", burg.n_bins(), move |w, out| burg.run(w.channel(1), out)));
    let freqs = [(10.0, 5.0), (20.0, 7.0)];
    let plan = MorletPlan::new(&freqs, N_SAMPLES, rate(), Admissibility::ZeroMean);
    let mut plan = plan.expect("a plan");
    steps.push(into("morlet", plan.n_values(), move |w, out| plan.power_into(w.channel(1), out)));
    let params = step::BandPower { bands_hz: vec![[8.0, 12.0]], ..step::BandPower::default() };
    let power = BandPower::new(&params, N_CHANNELS, spec, rate());
    let mut power = power.expect("a plan");
    steps.push(into("band power", N_CHANNELS, move |w, out| power.powers_into(None, w, out)));
    assert_forgets(steps);
}

#[test]
fn connectivity_forgets() {
    let spec = |bands| ConnectivitySpec {
        measures: vec![
            Measure::Coherence,
            Measure::PhaseLocking,
            Measure::PhaseLag,
            Measure::DebiasedSquaredWeightedPhaseLag,
        ],
        resolution: Resolution::Bands(bands),
        edges: BandEdges::HalfOpen,
    };
    let window = WindowSpec { window_samples: N_SAMPLES, step_samples: 16 };
    let segments = Segments::half_second(window, rate());
    let all = spec(BANDS.to_vec());
    let plan = SlidingConnectivity::new(N_CHANNELS, window, rate(), segments, &all);
    let mut plan = plan.expect("a plan");
    let mut steps = vec![of("sliding", move |w| plan.run(w).to_vec())];
    let plan = NodeStrength::new(N_CHANNELS, window, rate(), segments, &BANDS);
    let mut plan = plan.expect("a plan");
    steps.push(into("strength", plan.n_values(), move |w, out| plan.run_into(w, out)));
    for orthogonalisation in
        [Orthogonalisation::None, Orthogonalisation::Pairwise, Orthogonalisation::PairwiseSigned]
    {
        for envelope in [Envelope::Amplitude, Envelope::LogPower] {
            let plan = EnvelopeCorrelation::new(N_CHANNELS, N_SAMPLES, orthogonalisation, envelope);
            let mut plan = plan.expect("a plan");
            steps.push(of("envelope", move |w| plan.run(w).to_vec()));
        }
    }
    let one = spec(BANDS[..1].to_vec());
    let freqs = [8.0, 10.0];
    let plan = TimeConnectivity::morlet(N_CHANNELS, N_SAMPLES, rate(), (&freqs, 5.0), &one);
    let mut plan = plan.expect("a plan");
    steps.push(of("over time", move |w| plan.run(w).to_vec()));
    let mut mvar = SlidingMvar::new(N_CHANNELS, 3, window).expect("a plan");
    let all = [DirectedMeasure::FullFrequencyTransfer, DirectedMeasure::PartialCoherence];
    let plan = DirectedConnectivity::new((N_CHANNELS, 3), rate(), &freqs, &all);
    let (mut directed, mut hop) = (plan.expect("a plan"), 0);
    steps.push(of("autoregression", move |w| {
        hop += 16;
        let end = SampleIndex(16 * hop + N_SAMPLES as u64 - 1);
        mvar.slide(end, w).map_or_else(|| vec![f64::NAN], |model| directed.run(model).to_vec())
    }));
    assert_forgets(steps);
}

#[test]
fn geometry_forgets() {
    let point = scm(planar(&signal(1)).as_mat());
    let mut steps = Vec::new();
    for estimator in [
        Estimator::Scm,
        Estimator::Oas,
        Estimator::LedoitWolf,
        Estimator::SchaeferStrimmer,
        Estimator::Shrunk { shrinkage: 0.1 },
    ] {
        let mut plan = estimator.plan(N_CHANNELS, N_SAMPLES).expect("a plan");
        let mut out = Mat::full(N_CHANNELS, N_CHANNELS, f64::NAN);
        steps.push(of(format!("{estimator:?}"), move |w| {
            plan.covariance_into(w.as_mat(), out.as_mut());
            values(&out)
        }));
    }
    for metric in METRICS {
        let mut space = TangentSpace::in_metric(metric, point.as_ref()).expect("a point");
        let mut vector = vec![f64::NAN; space.dim()];
        steps.push(of_cov(format!("tangent space, {metric}"), move |cov| {
            space.vector_into(cov.as_ref(), &mut vector);
            vector.clone()
        }));
        let points = [point.as_ref(), point.as_ref()];
        let mut distances = DistancesTo::in_metric(metric, &points).expect("points");
        let mut squared = [f64::NAN; 2];
        steps.push(of_cov(format!("distances, {metric}"), move |cov| {
            distances.squared_into(cov.as_ref(), &mut squared);
            squared.to_vec()
        }));
    }
    let mut distance = DistanceTo::new(point.as_ref()).expect("a point");
    steps.push(of_cov("distance", move |cov| vec![distance.squared(cov.as_ref())]));
    let mut centre = Recentering::at(point.as_ref()).expect("a point");
    let mut scale = Rescaling::at(point.as_ref(), 0.7).expect("a point");
    let mut out = [point.clone(), point.clone()];
    steps.push(of_cov("transfer", move |cov| {
        centre.apply_into(cov.as_ref(), out[0].as_mut());
        scale.apply_into(cov.as_ref(), out[1].as_mut());
        [values(&out[0]), values(&out[1])].concat()
    }));
    let covs: Vec<_> = (1..9).map(|seed| scm(planar(&signal(seed)).as_mat())).collect();
    let potato = Potato::fit(PotatoParams::default(), &covs).expect("a fit");
    let mut gate = potato.gate().expect("a plan");
    steps.push(of_cov("potato", move |cov| vec![gate.judge(cov.as_ref()).z_score]));
    assert_forgets(steps);
}

#[test]
fn classifiers_of_matrices_forget() {
    let covs: Vec<_> = (1..13).map(|seed| scm(planar(&signal(seed)).as_mat())).collect();
    let refs: Vec<_> = covs.iter().collect();
    let l = labels(covs.len());
    let mut steps = Vec::new();
    let posterior = |mut f: Decide| {
        let mut out = vec![f64::NAN; 2];
        move |cov: &Mat<f64>| {
            f(cov, &mut out);
            out.clone()
        }
    };
    for metric in METRICS {
        let mut mdm = MdmModel::fit_in(metric, &refs, &l, 2).expect("a fit").plan().expect("");
        let f = posterior(Box::new(move |c, out| mdm.posterior_into(c.as_ref(), out)));
        steps.push(of_cov(format!("mdm, {metric}"), f));
        let knn = KnnModel::fit(metric, 3, Vote::ByDistance, (&refs, &l), 2).expect("a fit");
        let mut knn = knn.plan().expect("a fit");
        let f = posterior(Box::new(move |c, out| knn.posterior_into(c.as_ref(), out)));
        steps.push(of_cov(format!("knn, {metric}"), f));
        let mut fgmdm = FgMdmModel::fit(metric, &refs, &l, 2).expect("a fit").plan().expect("");
        let f = posterior(Box::new(move |c, out| fgmdm.posterior_into(c.as_ref(), out)));
        steps.push(of_cov(format!("fgmdm, {metric}"), f));
    }
    let (metric, powers) = (Metric::AffineInvariant, [-1.0, 0.0, 1.0]);
    let field = MeanFieldModel::fit(metric, Combination::default(), &powers, (&refs, &l), 2);
    let mut field = field.expect("a fit").plan().expect("a fit");
    let f = posterior(Box::new(move |c, out| field.posterior_into(c.as_ref(), out)));
    steps.push(of_cov("mean field", f));
    let mut fgda = FgdaModel::fit(metric, &refs, &l, 2).expect("a fit").plan().expect("a fit");
    let mut out = covs[0].clone();
    steps.push(of_cov("fgda", move |cov| {
        fgda.filter_into(cov.as_ref(), out.as_mut());
        values(&out)
    }));
    let csp = CspParams::usual(2).fit(&refs, &l, 2).expect("a fit");
    let (mut features, mut csp) = (vec![f64::NAN; csp.n_filters()], csp.plan());
    steps.push(of_cov("csp", move |cov| {
        csp.features_into(cov.as_ref(), &mut features);
        features.clone()
    }));
    assert_forgets(steps);
}

#[test]
fn classifiers_of_vectors_forget() {
    let x: Vec<Vec<f64>> = (1..21).map(|seed| signal(seed)[..10].to_vec()).collect();
    let l = labels(x.len());
    let features = |window: Planar<'_>| window.channel(1)[66..76].to_vec();
    let lda = LdaModel::fit(&x, &l, 2).expect("a fit");
    let mut steps = vec![into("lda", 2, move |w, out| lda.posterior_into(&features(w), out))];
    let net = ElasticNetParams::default().fit(&x, &l, 2).expect("a fit");
    steps.push(into("regression", 2, move |w, out| net.posterior_into(&features(w), out)));
    for kernel in [Kernel::Linear, Kernel::Rbf { gamma: Gamma::Scale }] {
        let params = SvmParams { kernel, ..SvmParams::default() };
        let mut svm = params.fit(&x, &l, 2).expect("a fit").plan();
        steps.push(into("machine", 2, move |w, out| svm.posterior_into(&features(w), out)));
    }
    assert_forgets(steps);
}

#[test]
fn decisions_on_windows_forget() {
    let data: Vec<_> = (1..9).map(signal).collect();
    let windows: Vec<_> = data.iter().map(|data| planar(data)).collect();
    let l = labels(windows.len());
    let cca = CcaParams { frequencies_hz: vec![10.0, 13.0], n_harmonics: 2 };
    let mut plan = cca.plan(128.0, N_CHANNELS, N_SAMPLES).expect("a plan");
    let mut steps = vec![into("cca", 2, move |w, out| plan.posterior_into(&w, out))];
    let bank = FilterBankCcaParams { cca, n_bands: 2, weights: BandWeights::default() };
    let mut plan = bank.plan(128.0, N_CHANNELS, N_SAMPLES).expect("a plan");
    steps.push(into("filter-bank cca", 2, move |w, out| plan.posterior_into(&[w, w], out)));
    for scoring in [TrcaScoring::Each, TrcaScoring::Ensemble] {
        let params = TrcaParams { scoring, ..TrcaParams::default() };
        let mut plan = params.fit(&[&windows], &l, 2).expect("a fit").plan();
        steps.push(into("trca", 2, move |w, out| plan.posterior_into(&[w], out)));
    }
    let xdawn = XdawnParams::default().fit(&windows, &l, 2).expect("a fit");
    let n = xdawn.n_filters() * N_SAMPLES;
    steps.push(into("xdawn", n, move |w, out| xdawn.filter_into(&w, out)));
    let erp = ErpCovarianceParams::default().fit(&windows, &l, 2).expect("a fit");
    let mut plan = erp.plan().expect("a fit");
    let mut out = Mat::full(plan.n_rows(), plan.n_rows(), f64::NAN);
    steps.push(of("erp covariance", move |w| {
        plan.covariance_into(&w, out.as_mut());
        values(&out)
    }));
    let params = AugmentedParams { order: 3, lag: 4, estimator: Estimator::Oas };
    let mut plan = params.plan(N_CHANNELS, N_SAMPLES).expect("a plan");
    let mut out = Mat::full(plan.n_rows(), plan.n_rows(), f64::NAN);
    steps.push(of("augmented covariance", move |w| {
        plan.covariance_into(&w, out.as_mut());
        values(&out)
    }));
    assert_forgets(steps);
}
