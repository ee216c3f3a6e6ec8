//! What the field's standard pipelines score on real recordings, read by our readers and
//! decoded by our decoders: one JSON object a line. `tests/compare/quality.py` runs it and
//! the same pipelines in Python, and prints both.
//!
//! ```text
//! MINDLOOP_DATA=DIR cargo bench -p decoding --bench quality
//! ```
//!
//! Filters are causal. Nothing that is scored is seen by a fit: folds are contiguous in
//! time, or later runs, or the other recording, or the data set's own test part.

use acquisition::marker::{ClassIdx, MarkerMap};
use acquisition::signal::Recording;
use datasets::epoch::Epochs;
use datasets::reader::read_recording;
use datasets::reader::ts::read_trials;
use decoding::classifier::fgmdm::FgMdmModel;
use decoding::classifier::lda::LdaModel;
use decoding::classifier::logistic::LogisticModel;
use decoding::classifier::mdm::MdmModel;
use decoding::filter::butterworth::bandpass;
use decoding::filter::sos::SosFilter;
use decoding::metric::auc::roc_auc;
use decoding::riemann::covariance::{Estimator, oas_shrink, scm};
use decoding::riemann::mean::riemannian_mean;
use decoding::riemann::metric::Metric;
use decoding::riemann::tangent::TangentSpace;
use decoding::spatial_filter::cca::CcaParams;
use decoding::spatial_filter::csp::CspModel;
use decoding::spatial_filter::erp_covariance::{ErpCovarianceParams, Prototypes};
use decoding::window::Planar;
use faer::{Mat, MatRef};
use ndarray::{Array2, Array3, Axis, concatenate, s};
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};

type Outcome<T> = Result<T, Box<dyn Error>>;
/// Fits to training covariances and labels, and gives a posterior per test covariance.
type Decode = fn(&[&Mat<f64>], &[ClassIdx], &[&Mat<f64>], usize) -> Outcome<Vec<Vec<f64>>>;

const SENSORIMOTOR: [&str; 21] = [
    "FC5", "FC3", "FC1", "FCZ", "FC2", "FC4", "FC6", "C5", "C3", "C1", "CZ", "C2", "C4", "C6",
    "CP5", "CP3", "CP1", "CPZ", "CP2", "CP4", "CP6",
];

fn print(dataset: &str, subject: &str, pipeline: &str, metric: &str, score: f64) {
    let row = json!({ "dataset": dataset, "subject": subject, "pipeline": pipeline,
        "metric": metric, "score": score });
    println!("{row}");
}

/// The picked channels, filtered from the first sample's steady state.
fn filtered(
    recording: &Recording,
    picks: &[usize],
    order: usize,
    band: [f64; 2],
) -> Outcome<Array2<f64>> {
    let sections = bandpass(order, band[0], band[1], recording.info.rate)?;
    let mut filter = SosFilter::new(sections, picks.len());
    let mut out = Array2::zeros((picks.len(), recording.n_samples()));
    for t in 0..recording.n_samples() {
        let mut frame: Vec<f64> =
            picks.iter().map(|c| f64::from(recording.samples[(*c, t)])).collect();
        if t == 0 {
            filter.start_at(&frame);
        }
        filter.process_frame(&mut frame);
        out.column_mut(t).assign(&ndarray::ArrayView1::from(&frame));
    }
    Ok(out)
}

/// Epochs of a filtered recording: `classes` are the markers' texts in class order.
fn cut(
    recording: &Recording,
    signal: &Array2<f64>,
    classes: &[&str],
    interval: [f64; 2],
) -> Outcome<Epochs> {
    let entries =
        classes.iter().enumerate().map(|(k, text)| ((*text).to_owned(), ClassIdx(k as u8)));
    let cues = MarkerMap::new(entries).cues(&recording.markers);
    Ok(Epochs::cut(&signal.view(), recording.info.rate, &cues, interval)?)
}

/// Epochs of several recordings, one after the other.
struct Trials {
    samples: Array3<f64>,
    labels: Vec<ClassIdx>,
}

impl Trials {
    fn of(parts: &[Epochs]) -> Outcome<Self> {
        let views: Vec<_> = parts.iter().map(Epochs::samples).collect();
        let samples = concatenate(Axis(0), &views)?.as_standard_layout().into_owned();
        Ok(Self { samples, labels: parts.iter().flat_map(|p| p.labels().to_vec()).collect() })
    }

    fn windows(&self) -> Vec<Planar<'_>> {
        let (_, n_channels, n_samples) = self.samples.dim();
        let all = self.samples.as_slice().expect("the layout is standard");
        let window = |epoch| Planar::new(epoch, n_channels, n_samples, n_samples);
        all.chunks_exact(n_channels * n_samples).map(window).collect()
    }

    fn covariances(&self) -> Vec<Mat<f64>> {
        let oas = |window: &Planar<'_>| {
            let mut covariance = scm(window.as_mat());
            oas_shrink(covariance.as_mut(), window.n_samples());
            covariance
        };
        self.windows().iter().map(oas).collect()
    }

    /// Those with the largest magnitude below a limit.
    fn without_artefacts(self, most: f64) -> Self {
        let is_clean =
            |k: &usize| self.samples.slice(s![*k, .., ..]).iter().all(|x| x.abs() <= most);
        let kept: Vec<usize> = (0..self.labels.len()).filter(is_clean).collect();
        let labels = kept.iter().map(|k| self.labels[*k]).collect();
        Self { samples: self.samples.select(Axis(0), &kept), labels }
    }
}

fn mdm(
    train: &[&Mat<f64>],
    y: &[ClassIdx],
    test: &[&Mat<f64>],
    n: usize,
) -> Outcome<Vec<Vec<f64>>> {
    let mut runtime = MdmModel::fit(train, y, n)?.plan()?;
    Ok(each(test, n, |c, posterior| runtime.posterior_into(c, posterior)))
}

fn fgmdm(
    train: &[&Mat<f64>],
    y: &[ClassIdx],
    test: &[&Mat<f64>],
    n: usize,
) -> Outcome<Vec<Vec<f64>>> {
    let mut runtime = FgMdmModel::fit(Metric::AffineInvariant, train, y, n)?.plan()?;
    Ok(each(test, n, |c, posterior| runtime.posterior_into(c, posterior)))
}

fn tangent_lr(
    train: &[&Mat<f64>],
    y: &[ClassIdx],
    test: &[&Mat<f64>],
    n: usize,
) -> Outcome<Vec<Vec<f64>>> {
    let mut space = TangentSpace::at(riemannian_mean(train, 1e-8, 50)?.mean.as_ref())?;
    let mut vector = vec![0.0; space.dim()];
    let vectors: Vec<Vec<f64>> = train
        .iter()
        .map(|c| {
            space.vector_into(c.as_ref(), &mut vector);
            vector.clone()
        })
        .collect();
    let model = LogisticModel::fit(&vectors, y, n)?;
    Ok(each(test, n, |c, posterior| {
        space.vector_into(c, &mut vector);
        model.posterior_into(&vector, posterior);
    }))
}

fn csp_lda(
    train: &[&Mat<f64>],
    y: &[ClassIdx],
    test: &[&Mat<f64>],
    n: usize,
) -> Outcome<Vec<Vec<f64>>> {
    let csp = CspModel::fit(train, y, n)?;
    let mut runtime = csp.plan();
    let mut vector = vec![0.0; csp.n_filters()];
    let vectors: Vec<Vec<f64>> = train
        .iter()
        .map(|c| {
            runtime.features_into(c.as_ref(), &mut vector);
            vector.clone()
        })
        .collect();
    let model = LdaModel::fit(&vectors, y, n)?;
    Ok(each(test, n, |c, posterior| {
        runtime.features_into(c, &mut vector);
        model.posterior_into(&vector, posterior);
    }))
}

fn each(
    test: &[&Mat<f64>],
    n: usize,
    mut decide: impl FnMut(MatRef<'_, f64>, &mut [f64]),
) -> Vec<Vec<f64>> {
    let posterior = |c: &&Mat<f64>| {
        let mut posterior = vec![0.0; n];
        decide(c.as_ref(), &mut posterior);
        posterior
    };
    test.iter().map(posterior).collect()
}

/// Number of posteriors whose largest value is at the label.
fn n_right(posteriors: &[Vec<f64>], labels: &[ClassIdx]) -> usize {
    let largest = |p: &[f64]| (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b]));
    let is_right = |(p, y): &(&Vec<f64>, &ClassIdx)| largest(p) == Some(y.index());
    posteriors.iter().zip(labels).filter(is_right).count()
}

/// Left or right fist imagined: five contiguous folds over three runs.
fn imagery(data: &Path) -> Outcome<()> {
    const N_FOLDS: usize = 5;
    let pipelines: [(&str, Decode); 4] =
        [("mdm", mdm), ("fgmdm", fgmdm), ("ts+lr", tangent_lr), ("csp+lda", csp_lda)];
    for subject in 1..=10 {
        let mut parts = Vec::new();
        for run in [4, 8, 12] {
            let name = format!("eegmmidb/S{subject:03}/S{subject:03}R{run:02}.edf");
            let recording = read_recording(&data.join(name))?;
            let labels =
                recording.info.channels.iter().map(|c| c.label.replace('.', "").to_uppercase());
            let labels: Vec<String> = labels.collect();
            let find = |name: &&str| labels.iter().position(|label| label == name);
            let picks: Vec<usize> = SENSORIMOTOR.iter().filter_map(find).collect();
            let signal = filtered(&recording, &picks, 4, [8.0, 32.0])?;
            parts.push(cut(&recording, &signal, &["T1", "T2"], [0.5, 3.5])?);
        }
        let trials = Trials::of(&parts)?;
        let covariances = trials.covariances();
        let n = covariances.len();
        for (name, decode) in pipelines {
            let mut right = 0;
            for fold in 0..N_FOLDS {
                let inside = fold * n / N_FOLDS..(fold + 1) * n / N_FOLDS;
                let outside: Vec<usize> = (0..n).filter(|k| !inside.contains(k)).collect();
                let train: Vec<_> = outside.iter().map(|k| &covariances[*k]).collect();
                let y: Vec<_> = outside.iter().map(|k| trials.labels[*k]).collect();
                let test: Vec<_> = inside.clone().map(|k| &covariances[k]).collect();
                right += n_right(&decode(&train, &y, &test, 2)?, &trials.labels[inside]);
            }
            let subject = format!("S{subject:03}");
            print("eegmmidb left/right", &subject, name, "accuracy", right as f64 / n as f64);
        }
    }
    Ok(())
}

/// Files of a folder whose names end so, in order of name.
fn files(folder: &Path, end: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Flicker at 13, 21 and 17 Hz, and rest: correlation without training, and class means of
/// covariances over narrow bands, fitted on one recording and scored on the other.
fn flicker(data: &Path) -> Outcome<()> {
    const HZ: [f64; 3] = [13.0, 21.0, 17.0];
    const INTERVAL: [f64; 2] = [2.0, 5.0];
    for subject in ["subject01", "subject02", "subject05"] {
        let (mut right, mut n) = (0, 0);
        let mut recordings = Vec::new();
        for path in files(&data.join("ssvep_exoskeleton").join(subject), "_raw.fif")? {
            let recording = read_recording(&path)?;
            let picks = recording.info.brain_channels();
            let signal = filtered(&recording, &picks, 4, [5.0, 48.0])?;
            let trials = Trials::of(&[cut(&recording, &signal, &["2", "3", "4"], INTERVAL)?])?;
            let params = CcaParams { frequencies_hz: HZ.to_vec(), n_harmonics: 2 };
            let (_, n_channels, n_samples) = trials.samples.dim();
            let mut cca = params.plan(recording.info.rate.hz(), n_channels, n_samples)?;
            let mut scores = Vec::new();
            for window in trials.windows() {
                let mut score = vec![0.0; HZ.len()];
                cca.scores_into(&window, &mut score);
                scores.push(score);
            }
            (right, n) = (right + n_right(&scores, &trials.labels), n + scores.len());
            let mut bands = Vec::new();
            for hz in HZ {
                let signal = filtered(&recording, &picks, 2, [hz - 1.0, hz + 1.0])?;
                bands.push(cut(&recording, &signal, &["1", "2", "3", "4"], INTERVAL)?);
            }
            let views: Vec<_> = bands.iter().map(Epochs::samples).collect();
            let samples = concatenate(Axis(1), &views)?.as_standard_layout().into_owned();
            recordings.push(Trials { samples, labels: bands[0].labels().to_vec() });
        }
        print(
            "kalunga2016 flicker",
            subject,
            "cca",
            "accuracy",
            right as f64 / f64::from(n as u32),
        );
        let covariances: Vec<_> = recordings.iter().map(Trials::covariances).collect();
        for (name, decode) in [("band-cov+mdm", mdm as Decode), ("band-cov+ts+lr", tangent_lr)] {
            let (mut right, mut n) = (0, 0);
            for (train, test) in [(0, 1), (1, 0)] {
                let x: Vec<_> = covariances[train].iter().collect();
                let t: Vec<_> = covariances[test].iter().collect();
                let posteriors = decode(&x, &recordings[train].labels, &t, 4)?;
                right += n_right(&posteriors, &recordings[test].labels);
                n += t.len();
            }
            print("kalunga2016 flicker", subject, name, "accuracy", right as f64 / n as f64);
        }
    }
    Ok(())
}

/// Rare pictures seen with four electrodes: the earlier half of the runs calibrates.
fn oddball(data: &Path) -> Outcome<()> {
    for session in ["subject1/session1", "subject1/session2", "subject2/session1"] {
        let mut runs = Vec::new();
        for path in files(&data.join("erp_muse_lsl/visual/P300").join(session), ".csv.gz")? {
            let recording = read_recording(&path)?;
            let signal = filtered(&recording, &[0, 1, 2, 3], 4, [1.0, 24.0])?;
            let trials = Trials::of(&[cut(&recording, &signal, &["1", "2"], [0.0, 0.8])?])?;
            runs.push(trials.without_artefacts(100.0));
        }
        let half = runs.len() / 2;
        let join = |runs: &[Trials]| -> Outcome<Trials> {
            let views: Vec<_> = runs.iter().map(|r| r.samples.view()).collect();
            let samples = concatenate(Axis(0), &views)?.as_standard_layout().into_owned();
            Ok(Trials { samples, labels: runs.iter().flat_map(|r| r.labels.clone()).collect() })
        };
        let (train, test) = (join(&runs[..half])?, join(&runs[half..])?);
        let by_covariance = erp_tangent_lr(&train, &test, 2)?;
        let by_samples = binned_lda(&train, &test, 8, 2)?;
        for (name, posteriors) in [("xdawncov+ts+lr", by_covariance), ("bins+lda", by_samples)] {
            let pairs = posteriors.iter().zip(&test.labels);
            let mut windows: Vec<_> = pairs.map(|(p, y)| (p[1], y.index() == 1)).collect();
            let auc = roc_auc(&mut windows).ok_or("one class only")?;
            print("muse P300", session, name, "AUC", auc);
        }
    }
    Ok(())
}

/// Covariances with xDAWN's prototypes, tangent space, logistic regression.
fn erp_tangent_lr(train: &Trials, test: &Trials, n_classes: usize) -> Outcome<Vec<Vec<f64>>> {
    let params = ErpCovarianceParams {
        prototypes: Prototypes::Xdawn { n_filters: 4, estimator: Estimator::Scm },
        classes: None,
        estimator: Estimator::Oas,
    };
    let model = params.fit(&train.windows(), &train.labels, n_classes)?;
    let mut runtime = model.plan()?;
    let mut covariances = |trials: &Trials| {
        let covariance = |window: &Planar<'_>| {
            let mut out = Mat::zeros(model.n_rows(), model.n_rows());
            runtime.covariance_into(window, out.as_mut());
            out
        };
        trials.windows().iter().map(covariance).collect::<Vec<_>>()
    };
    let (x, t) = (covariances(train), covariances(test));
    let (x, t): (Vec<_>, Vec<_>) = (x.iter().collect(), t.iter().collect());
    tangent_lr(&x, &train.labels, &t, n_classes)
}

/// Means of `bin` samples, per channel, and shrinkage LDA on them.
fn binned_lda(train: &Trials, test: &Trials, bin: usize, n: usize) -> Outcome<Vec<Vec<f64>>> {
    let vector = |window: &Planar<'_>| {
        let means =
            |c| window.channel(c).chunks_exact(bin).map(|b| b.iter().sum::<f64>() / bin as f64);
        (0..window.n_channels()).flat_map(means).collect::<Vec<f64>>()
    };
    let vectors = |trials: &Trials| trials.windows().iter().map(vector).collect::<Vec<_>>();
    let model = LdaModel::fit(&vectors(train), &train.labels, n)?;
    let posterior = |x: &Vec<f64>| {
        let mut posterior = vec![0.0; n];
        model.posterior_into(x, &mut posterior);
        posterior
    };
    Ok(vectors(test).iter().map(posterior).collect())
}

/// Four directions of a wrist movement from ten magnetometers, on the set's own test part.
fn hand_movement(data: &Path) -> Outcome<()> {
    let read = |part: &str| -> Outcome<Trials> {
        let name = format!("meg_hand_movement/HandMovementDirection_{part}.ts.gz");
        let trials = read_trials(&data.join(name))?;
        let samples = trials.epochs.samples().as_standard_layout().into_owned();
        Ok(Trials { samples, labels: trials.epochs.labels().to_vec() })
    };
    let (train, test) = (read("TRAIN")?, read("TEST")?);
    for (name, posteriors) in [
        ("bins+lda", binned_lda(&train, &test, 10, 4)?),
        ("xdawncov+ts+lr", erp_tangent_lr(&train, &test, 4)?),
    ] {
        let right = n_right(&posteriors, &test.labels) as f64;
        print("MEG hand movement", "both", name, "accuracy", right / test.labels.len() as f64);
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let Some(data) = std::env::var_os("MINDLOOP_DATA").map(PathBuf::from) else {
        eprintln!("needs recordings: name their folder in MINDLOOP_DATA");
        return Ok(());
    };
    imagery(&data)?;
    flicker(&data)?;
    oddball(&data)?;
    hand_movement(&data)
}
