//! No allocation after warm-up in anything that the library runs live, one by one: what
//! pipelines run, and what a program may call by itself.

use acquisition::marker::ClassIdx;
use acquisition::montage::{TEN_TEN, position_m};
use acquisition::time::{SampleIndex, SampleRate};
use decoding::adaptation::Rate;
use decoding::adaptation::governor::{Governor, GovernorParams, Push};
use decoding::adaptation::lda::{AdaptiveLdaParams, Covariance};
use decoding::adaptation::recenter::{Centre, RecenterState};
use decoding::adaptation::shift::{ShiftDetector, ShiftParams};
use decoding::artifact::asr::{Asr, AsrParams, CleanerParams};
use decoding::artifact::eog_regression::EogRegression;
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
use decoding::filter::comb::{Comb, CombFilter, Teeth};
use decoding::filter::fir::FirFilter;
use decoding::filter::fir::design::{Taper, windowed};
use decoding::filter::resample::{Ratio, Resampler};
use decoding::filter::sos::SosFilter;
use decoding::filter::{Band, butterworth, chebyshev};
use decoding::matrix::Matrix;
use decoding::psd::bands::BANDS;
use decoding::psd::burg::{BurgPlan, BurgSpec};
use decoding::psd::multitaper::{Multitaper, MultitaperSpec, TaperWeights};
use decoding::psd::welch::sliding::SlidingWelch;
use decoding::psd::welch::{Welch, WelchPlan};
use decoding::riemann::Metric;
use decoding::riemann::covariance::{Estimator, SlidingCovariance, scm};
use decoding::riemann::tangent::TangentSpace;
use decoding::riemann::transfer::{Recentering, Rescaling, Rotation};
use decoding::spatial::ChannelMap;
use decoding::spatial::laplacian::{Edge, Reach, laplacian};
use decoding::spatial::spline::SphericalSpline;
use decoding::spatial_filter::augmented::AugmentedParams;
use decoding::spatial_filter::cca::{CcaParams, FilterBankCcaParams};
use decoding::spatial_filter::csp::CspParams;
use decoding::spatial_filter::erp_covariance::ErpCovarianceParams;
use decoding::spatial_filter::filter_bank::BandWeights;
use decoding::spatial_filter::filter_bank_csp::FilterBankCspParams;
use decoding::spatial_filter::trca::{TrcaParams, TrcaScoring};
use decoding::spatial_filter::xdawn::XdawnParams;
use decoding::time_domain::TimeFeature;
use decoding::time_frequency::morlet::{Admissibility, MorletPlan};
use decoding::window::{Planar, WindowSpec};
use tests::alloc::{Counting, n_calls};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const N_CHANNELS: usize = 6;
const WINDOW: WindowSpec = WindowSpec { window_samples: 256, step_samples: 16 };
const N_HOPS: usize = 40;

fn rate() -> SampleRate {
    SampleRate::new(128.0).expect("a rate")
}

/// Numbers between -1 and 1 that look random.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn signal(seed: u64, n_samples: usize) -> Vec<f64> {
    noise(seed, N_CHANNELS * n_samples)
}

fn planar(data: &[f64]) -> Planar<'_> {
    let n_samples = data.len() / N_CHANNELS;
    Planar::new(data, N_CHANNELS, n_samples, n_samples)
}

/// Window `hop` of a signal that is long enough.
fn window_of(data: &[f64], hop: usize) -> Planar<'_> {
    let stride = data.len() / N_CHANNELS;
    Planar::new(&data[hop * WINDOW.step_samples..], N_CHANNELS, stride, WINDOW.window_samples)
}

fn covariances() -> Vec<Matrix> {
    let of = |seed: u64| Matrix::from_faer(scm(planar(&signal(seed + 1, 64)).as_mat()).as_ref());
    (0..12).map(|seed| of(seed).expect("finite")).collect()
}

fn labels(n: usize) -> Vec<ClassIdx> {
    (0..n).map(|i| ClassIdx((i % 2) as u8)).collect()
}

/// Runs `hop` a few times, then counts what the allocator is asked for by more of them.
fn assert_none(name: &str, mut hop: impl FnMut(usize)) {
    (0..N_HOPS).for_each(&mut hop);
    let n = n_calls(|| (N_HOPS..2 * N_HOPS).for_each(&mut hop));
    assert_eq!(n, 0, "{name} called the allocator");
}

#[test]
fn filters_allocate_nothing() {
    let data = noise(1, N_CHANNELS * 64);
    let mut frames = data.clone();
    let band = Band::Bandpass { low_hz: 8.0, high_hz: 30.0 };
    for sections in [
        butterworth::sections(4, band, rate()).expect("a design"),
        chebyshev::sections(4, 40.0, band, rate()).expect("a design"),
    ] {
        let mut filter = SosFilter::new(sections, N_CHANNELS);
        assert_none("sections", |_| filter.process_frames(&mut frames));
    }
    let taps = windowed(65, band, Taper::Hamming, rate()).expect("a design");
    let mut fir = FirFilter::new(&taps, N_CHANNELS).expect("sound taps");
    assert_none("response", |_| fir.process_frames(&mut frames));
    let mut comb = CombFilter::new(
        Comb::design(32.0, 30.0, Teeth::Every, rate()).expect("a design"),
        N_CHANNELS,
    );
    assert_none("comb", |_| comb.process_frames(&mut frames));
    for (up, down) in [(1, 2), (3, 2), (125, 128)] {
        let ratio = Ratio::new(up, down).expect("a ratio");
        let mut resampler = Resampler::plan(ratio, N_CHANNELS).expect("a plan");
        let mut out = vec![0.0; 4 * data.len()];
        assert_none("resampler", |hop| {
            let n = [64, 1, 7][hop % 3] * N_CHANNELS;
            resampler.process_frames(&data[..n], &mut out);
        });
    }
}

#[test]
fn channel_maps_allocate_nothing() {
    let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).expect("a place")).collect();
    let spline = SphericalSpline::default();
    let frame = noise(1, TEN_TEN.len());
    for map in [
        ChannelMap::common_average(&TEN_TEN),
        laplacian(&TEN_TEN, Reach::Small, Edge::Fewer),
        laplacian(&TEN_TEN, Reach::Large, Edge::Fewer),
        spline.interpolation(&TEN_TEN, &places, [0.0; 3], &["C3", "Oz"]),
        spline.current_source_density(&TEN_TEN, &places, [0.0; 3], 0.1),
    ] {
        let plan = map.and_then(|map| map.plan(&TEN_TEN)).expect("a map");
        let mut out = vec![0.0; plan.n_outputs()];
        assert_none("map", |_| plan.apply_frame(&frame, &mut out));
    }
}

#[test]
fn artefact_steps_allocate_nothing() {
    let mut data = signal(1, 40 * 128);
    // Something to correct, in the part that is streamed.
    data[2000..2060].fill(300.0);
    let clean = signal(2, 40 * 128);
    let asr = Asr::fit(AsrParams::default(), rate(), planar(&clean).as_mat()).expect("a fit");
    let mut cleaner = asr.cleaner(CleanerParams::default()).expect("a plan");
    let whole = planar(&data);
    let mut frame = [0.0; N_CHANNELS];
    let mut n_out = 0;
    assert_none("asr", |hop| {
        for t in 0..64 {
            let at = 1500 + (hop * 64 + t) % 1000;
            frame.iter_mut().enumerate().for_each(|(c, x)| *x = whole.channel(c)[at]);
            n_out += cleaner.push_frame(&frame).len();
        }
    });
    assert!(n_out > 1000, "{n_out} values came out");
    let eog = EogRegression::fit(&[whole.as_mat()], &[0, 1, 2, 3], &[4, 5]).expect("a fit");
    assert_none("eyes", |_| eog.apply_frame(&mut frame));
    let covs: Vec<_> = covariances().iter().map(Matrix::to_faer).collect();
    let potato = Potato::fit(PotatoParams::default(), &covs).expect("a fit");
    let mut gate = potato.gate().expect("a plan");
    assert_none("potato", |hop| {
        let cov = covs[hop % covs.len()].as_ref();
        gate.judge(cov);
        gate.update(cov, 0.05).expect("a clean window");
    });
}

#[test]
fn spectra_allocate_nothing() {
    let data = signal(1, 4096);
    let channel = &data[..256];
    let mut welch = WelchPlan::new(256, rate(), 128, 64).expect("a plan");
    let mut psd = vec![0.0; welch.n_bins()];
    assert_none("welch", |_| welch.run(channel, &mut psd));
    let single: Vec<f32> = channel.iter().map(|x| *x as f32).collect();
    let mut welch = Welch::<f32>::new(256, rate(), 128, 64).expect("a plan");
    let mut psd = vec![0.0_f32; welch.n_bins()];
    assert_none("welch in f32", |_| welch.run(&single, &mut psd));
    let mut sliding = SlidingWelch::new(N_CHANNELS, WINDOW, rate(), 128, 64).expect("a plan");
    let mut psd = vec![0.0; N_CHANNELS * sliding.n_bins()];
    assert_none("sliding welch", |hop| {
        let first = SampleIndex((hop * WINDOW.step_samples) as u64);
        sliding.run(first, window_of(&data, hop), &mut psd);
    });
    for weights in [TaperWeights::Eigenvalue, TaperWeights::Adaptive] {
        let spec = MultitaperSpec { weights, ..MultitaperSpec::new(4.0) };
        let mut plan = Multitaper::<f64>::new(&spec, 256, rate()).expect("a plan");
        let mut psd = vec![0.0; plan.n_bins()];
        assert_none("multitaper", |_| plan.run(channel, &mut psd));
    }
    let mut burg = BurgPlan::new(BurgSpec::happy_feat(rate()), 256, rate()).expect("a plan");
    let mut psd = vec![0.0; burg.n_bins()];
    assert_none("burg", |_| burg.run(channel, &mut psd));
    let freqs = [(10.0, 5.0), (20.0, 7.0)];
    let mut morlet = MorletPlan::new(&freqs, 256, rate(), Admissibility::ZeroMean).expect("a plan");
    let mut power = vec![0.0; morlet.n_values()];
    assert_none("morlet", |_| morlet.power_into(channel, &mut power));
    let mut out = [0.0; N_CHANNELS];
    for feature in [TimeFeature::LogVariance, TimeFeature::Complexity, TimeFeature::LineLength] {
        assert_none("time", |hop| feature.into_each(window_of(&data, hop), &mut out));
    }
}

#[test]
fn connectivity_allocates_nothing() {
    let data = signal(1, 4096);
    let end = |hop: usize| SampleIndex((hop * WINDOW.step_samples + 255) as u64);
    let segments = Segments::half_second(WINDOW, rate());
    let spec = ConnectivitySpec {
        measures: vec![
            Measure::Coherence,
            Measure::ImaginaryCoherence,
            Measure::PhaseLocking,
            Measure::CorrectedImaginaryPhaseLocking,
            Measure::PairwisePhaseConsistency,
            Measure::PhaseLag,
            Measure::DirectedPhaseLag,
            Measure::WeightedPhaseLag,
            Measure::DebiasedSquaredWeightedPhaseLag,
            Measure::PhaseSlope,
        ],
        resolution: Resolution::Bands(vec![BANDS[2], BANDS[3]]),
        edges: BandEdges::Closed,
    };
    let mut sliding =
        SlidingConnectivity::new(N_CHANNELS, WINDOW, rate(), segments, &spec).expect("a plan");
    assert_none("sliding", |hop| {
        sliding.slide(end(hop), window_of(&data, hop));
    });
    let mut strength =
        NodeStrength::new(N_CHANNELS, WINDOW, rate(), segments, &BANDS).expect("a plan");
    let mut out = vec![0.0; strength.n_values()];
    assert_none("strength", |hop| strength.slide_into(end(hop), window_of(&data, hop), &mut out));
    for (orthogonalisation, envelope) in [
        (Orthogonalisation::None, Envelope::Amplitude),
        (Orthogonalisation::Pairwise, Envelope::Amplitude),
        (Orthogonalisation::PairwiseSigned, Envelope::LogPower),
    ] {
        let plan = EnvelopeCorrelation::new(N_CHANNELS, 256, orthogonalisation, envelope);
        let mut plan = plan.expect("a plan");
        assert_none("envelope", |hop| {
            plan.run(window_of(&data, hop));
        });
    }
    let freqs = [8.0, 10.0, 12.0];
    let spec = ConnectivitySpec {
        measures: vec![Measure::Coherence, Measure::PhaseLocking],
        resolution: Resolution::Bands(vec![BANDS[0]]),
        edges: BandEdges::HalfOpen,
    };
    let mut over =
        TimeConnectivity::morlet(N_CHANNELS, 256, rate(), (&freqs, 5.0), &spec).expect("a plan");
    assert_none("over time", |hop| {
        over.run(window_of(&data, hop));
    });
    let mut mvar = SlidingMvar::new(N_CHANNELS, 3, WINDOW).expect("a plan");
    let all = [
        DirectedMeasure::Transfer,
        DirectedMeasure::FullFrequencyTransfer,
        DirectedMeasure::DirectTransfer,
        DirectedMeasure::DirectTransfer08,
        DirectedMeasure::PartialCoherence,
        DirectedMeasure::GeneralisedPartialCoherence,
    ];
    let mut directed =
        DirectedConnectivity::new((N_CHANNELS, 3), rate(), &freqs, &all).expect("a plan");
    let mut out = vec![0.0; all.len() * N_CHANNELS * N_CHANNELS];
    assert_none("autoregression", |hop| {
        let model = mvar.slide(end(hop), window_of(&data, hop)).expect("a model of noise");
        directed.run(model);
        directed.band_into((8.0, 12.0), &mut out);
    });
}

#[test]
fn geometry_allocates_nothing() {
    let covs: Vec<_> = covariances().iter().map(Matrix::to_faer).collect();
    let (mut out, data) = (covs[0].clone(), signal(1, 256));
    for estimator in [
        Estimator::Scm,
        Estimator::Oas,
        Estimator::LedoitWolf,
        Estimator::SchaeferStrimmer,
        Estimator::Shrunk { shrinkage: 0.1 },
    ] {
        let mut plan = estimator.plan(N_CHANNELS, 256).expect("a plan");
        assert_none("covariance", |_| {
            plan.covariance_into(planar(&data).as_mat(), out.as_mut());
        });
        if estimator.slides() {
            let mut sliding = SlidingCovariance::of(estimator, N_CHANNELS, 40, 7);
            assert_none("sliding covariance", |hop| {
                for frame in data.chunks_exact(N_CHANNELS).skip(hop % 3).take(100) {
                    sliding.push_frame(frame);
                    if sliding.is_window_end() {
                        sliding.estimate_into(out.as_mut());
                    }
                }
            });
        }
    }
    for metric in
        [Metric::AffineInvariant, Metric::LogEuclidean, Metric::Wasserstein, Metric::Euclidean]
    {
        let mut space = TangentSpace::in_metric(metric, covs[0].as_ref()).expect("a point");
        let mut vector = vec![0.0; space.dim()];
        assert_none("tangent space", |hop| {
            space.vector_into(covs[hop % 12].as_ref(), &mut vector);
            space.spd_into(&vector, out.as_mut());
        });
    }
    let mut centre = Recentering::at(covs[0].as_ref()).expect("a point");
    let mut scale = Rescaling::at(covs[0].as_ref(), 0.7).expect("a point");
    let identity = decoding::riemann::spd::exp((&covs[0] - &covs[0]).as_ref()).expect("finite");
    let mut rotation = Rotation::at(identity.as_ref()).expect("a rotation");
    assert_none("transfer", |hop| {
        centre.apply_into(covs[hop % 12].as_ref(), out.as_mut());
        scale.apply_into(covs[hop % 12].as_ref(), out.as_mut());
        rotation.apply_into(covs[hop % 12].as_ref(), out.as_mut());
    });
}

#[test]
fn classifiers_of_matrices_allocate_nothing() {
    let covs: Vec<_> = covariances().iter().map(Matrix::to_faer).collect();
    let refs: Vec<_> = covs.iter().collect();
    let l = labels(covs.len());
    let mut posterior = [0.0; 2];
    for metric in
        [Metric::AffineInvariant, Metric::LogEuclidean, Metric::Wasserstein, Metric::Euclidean]
    {
        let mut mdm = MdmModel::fit_in(metric, &refs, &l, 2).expect("a fit").plan().expect("");
        assert_none("mdm", |h| mdm.posterior_into(covs[h % 12].as_ref(), &mut posterior));
        let knn = KnnModel::fit(metric, 3, Vote::ByDistance, (&refs, &l), 2).expect("a fit");
        let mut knn = knn.plan().expect("a fit");
        assert_none("knn", |h| knn.posterior_into(covs[h % 12].as_ref(), &mut posterior));
        let mut fgmdm = FgMdmModel::fit(metric, &refs, &l, 2).expect("a fit").plan().expect("");
        assert_none("fgmdm", |h| fgmdm.posterior_into(covs[h % 12].as_ref(), &mut posterior));
    }
    let (metric, powers) = (Metric::AffineInvariant, [-1.0, 0.0, 1.0]);
    let field = MeanFieldModel::fit(metric, Combination::default(), &powers, (&refs, &l), 2);
    let mut field = field.expect("a fit").plan().expect("a fit");
    assert_none("mean field", |h| field.posterior_into(covs[h % 12].as_ref(), &mut posterior));
    let mut fgda = FgdaModel::fit(metric, &refs, &l, 2).expect("a fit").plan().expect("a fit");
    let mut out = covs[0].clone();
    assert_none("fgda", |h| fgda.filter_into(covs[h % 12].as_ref(), out.as_mut()));
    let csp = CspParams::usual(2).fit(&refs, &l, 2).expect("a fit");
    let (mut features, mut csp) = (vec![0.0; csp.n_filters()], csp.plan());
    assert_none("csp", |h| csp.features_into(covs[h % 12].as_ref(), &mut features));
    let bank = FilterBankCspParams::default().fit(&[&refs, &refs], &l, 2).expect("a fit");
    let (mut features, mut bank) = (vec![0.0; bank.n_filters()], bank.plan());
    assert_none("filter bank", |h| {
        let cov = covs[h % 12].as_ref();
        bank.features_into(&[cov, cov], &mut features);
    });
}

#[test]
fn classifiers_of_vectors_allocate_nothing() {
    let x: Vec<Vec<f64>> = noise(3, 200).chunks(10).map(<[f64]>::to_vec).collect();
    let l = labels(x.len());
    let mut posterior = [0.0; 2];
    let lda = LdaModel::fit(&x, &l, 2).expect("a fit");
    assert_none("lda", |h| lda.posterior_into(&x[h % 20], &mut posterior));
    let net = ElasticNetParams::default().fit(&x, &l, 2).expect("a fit");
    assert_none("regression", |h| net.posterior_into(&x[h % 20], &mut posterior));
    for kernel in [Kernel::Linear, Kernel::Rbf { gamma: Gamma::Scale }] {
        let params = SvmParams { kernel, ..SvmParams::default() };
        let mut svm = params.fit(&x, &l, 2).expect("a fit").plan();
        assert_none("machine", |h| svm.posterior_into(&x[h % 20], &mut posterior));
    }
}

#[test]
fn adaptation_allocates_nothing() {
    let rates = [Rate::Cumulative, Rate::Fixed(0.05), Rate::Governed(GovernorParams::default())];
    let x: Vec<Vec<f64>> = noise(3, 200).chunks(10).map(<[f64]>::to_vec).collect();
    let covs: Vec<_> = covariances().iter().map(Matrix::to_faer).collect();
    let mut out = covs[0].clone();
    let mut posterior = [0.0; 2];
    for rate in rates {
        for centre in [Centre::Euclidean, Centre::Riemannian] {
            let mut runtime = RecenterState::new(N_CHANNELS, centre, rate).plan().expect("a plan");
            assert_none("recentering", |h| {
                runtime.update_into(covs[h % 12].as_ref(), out.as_mut());
                runtime.align_into(covs[h % 12].as_ref(), out.as_mut());
            });
        }
        for covariance in [Covariance::Fixed, Covariance::Running(0.05)] {
            let params = AdaptiveLdaParams { mean_rate: rate, covariance };
            let mut lda = params.fit(&x, &labels(20), 2).expect("a fit").plan();
            assert_none("adaptive lda", |h| {
                lda.adapt(&x[h % 20], (h % 2 == 0).then_some(ClassIdx(0)));
                lda.posterior_into(&x[h % 20], &mut posterior);
            });
        }
    }
    let mut detector = ShiftDetector::new(ShiftParams { n_reference: 5, ..Default::default() });
    assert_none("detector", |h| {
        detector.push(if h % 20 > 10 { 9.0 } else { x[h % 20][0] });
    });
    let mut governor = Governor::new(GovernorParams::default());
    assert_none("governor", |_| {
        governor.choose(Push::Excite, Push::Inhibit, |rate| -rate);
    });
}

#[test]
fn decisions_on_windows_allocate_nothing() {
    let windows: Vec<_> = (0..8).map(|seed| signal(seed + 1, 128)).collect();
    let windows: Vec<_> = windows.iter().map(|data| planar(data)).collect();
    let l = labels(windows.len());
    let mut posterior = [0.0; 2];
    let cca = CcaParams { frequencies_hz: vec![10.0, 13.0], n_harmonics: 2 };
    let mut plan = cca.plan(128.0, N_CHANNELS, 128).expect("a plan");
    assert_none("cca", |h| plan.posterior_into(&windows[h % 8], &mut posterior));
    let bank = FilterBankCcaParams { cca, n_bands: 3, weights: BandWeights::default() };
    let mut plan = bank.plan(128.0, N_CHANNELS, 128).expect("a plan");
    assert_none("filter-bank cca", |h| plan.posterior_into(&[windows[h % 8]; 3], &mut posterior));
    for scoring in [TrcaScoring::Each, TrcaScoring::Ensemble] {
        let params = TrcaParams { scoring, ..TrcaParams::default() };
        let model = params.fit(&[&windows, &windows], &l, 2).expect("a fit");
        let mut plan = model.plan();
        assert_none("trca", |h| plan.posterior_into(&[windows[h % 8]; 2], &mut posterior));
    }
    let xdawn = XdawnParams::default().fit(&windows, &l, 2).expect("a fit");
    let mut out = vec![0.0; xdawn.n_filters() * 128];
    assert_none("xdawn", |h| xdawn.filter_into(&windows[h % 8], &mut out));
    let erp = ErpCovarianceParams::default().fit(&windows, &l, 2).expect("a fit");
    let mut plan = erp.plan().expect("a fit");
    let n = plan.n_rows();
    let mut out = Matrix::new(n, n, vec![0.0; n * n]).expect("finite").to_faer();
    assert_none("erp covariance", |h| plan.covariance_into(&windows[h % 8], out.as_mut()));
    let params = AugmentedParams { order: 3, lag: 4, estimator: Estimator::Oas };
    let mut plan = params.plan(N_CHANNELS, 128).expect("a plan");
    let n = plan.n_rows();
    let mut out = Matrix::new(n, n, vec![0.0; n * n]).expect("finite").to_faer();
    assert_none("augmented covariance", |h| plan.covariance_into(&windows[h % 8], out.as_mut()));
}
