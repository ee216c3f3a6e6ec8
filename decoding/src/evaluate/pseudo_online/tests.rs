//! Fits to other labellings of the same windows.

use super::*;
use crate::pipeline::built_in;
use acquisition::signal::{ChannelInfo, StreamInfo};
use acquisition::time::SampleRate;
use datasets::split::{RunSpan, calibrate_wholly};
use ndarray::Array2;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const RATE_HZ: f64 = 100.0;

/// A minute of noise, a NaN in it, with a cue of two classes every five seconds.
fn run(seed: u64) -> Run {
    let channels = (0..3).map(|c| ChannelInfo::eeg(format!("E{c}"))).collect();
    let info = StreamInfo {
        name: format!("run {seed}"),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: SampleRate::new(RATE_HZ).unwrap(),
        channels,
        simulated: true,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut samples = Array2::from_shape_fn((3, 6000), |_| rng.random_range(-1.0..1.0));
    samples[[1, 3210]] = f32::NAN;
    let cue = |k: u8| Cue { onset_secs: 2.0 + 5.0 * f64::from(k), class: ClassIdx(1 + k % 2) };
    let (markers, gaps, findings) = (vec![], vec![], vec![]);
    let recording = Recording { info, samples, markers, gaps, findings };
    Run { recording: Arc::new(recording), cues: (0..11).map(cue).collect() }
}

#[test]
fn fits_from_a_pool_are_those_without() {
    for train_on in [TrainOn::Windows, TrainOn::Trials] {
        let protocol = Protocol {
            front_end: FrontEndSpec { window_secs: 1.0, ..FrontEndSpec::default() },
            interval: TaskInterval { tmin_secs: 0.0, tmax_secs: 2.0 },
            label_rule: LabelRule::Majority,
            train_on,
            n_classes: 3,
        };
        let runs = [run(1), run(2)];
        let span = |run: &Run| RunSpan {
            subject: 1,
            session: 0,
            n_samples: run.n_indices() as u64,
            cue_onsets: run.cues.iter().map(|cue| (cue.onset_secs * RATE_HZ) as u64).collect(),
        };
        let parts = calibrate_wholly(&runs.each_ref().map(span));
        let pipelines = [built_in::mdm(), built_in::logvar_lda(), built_in::conn_lda()];
        let learned = protocol.learn(&runs, &parts, &pipelines).unwrap();
        let pool = protocol.pool(&runs, &parts, &demands(&pipelines)).unwrap();
        let mut other = runs.clone();
        for (k, cue) in other.iter_mut().flat_map(|run| &mut run.cues).enumerate() {
            cue.class = ClassIdx(1 + u8::from(k % 3 == 0));
        }
        for runs in [runs, other] {
            let expected = protocol.fit_learned(&runs, &parts, &learned).unwrap();
            assert!(expected.iter().all(Result::is_ok));
            let found = protocol.fit_relabelled(&runs, &parts, &learned, &pool).unwrap();
            assert!(found == expected);
        }
    }
}
