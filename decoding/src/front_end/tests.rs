//! Features and signal steps against the library that they name, and what they refuse.

mod connectivity;
mod features;
mod resample;
mod signal;
mod ssvep;

use super::step::{Feature, Raw};
use super::{Completed, FrontEnd, FrontEndSpec, PlanError};
use crate::pipeline::{Pipeline, demands};
use crate::window::{Samples, Shape, Value, View};
use acquisition::montage::TEN_TEN;
use acquisition::signal::{ChannelInfo, StreamInfo};
use acquisition::time::SampleRate;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Windows of a second, every tenth.
const SPEC: FrontEndSpec =
    FrontEndSpec { filter_order: 4, low_hz: 8.0, high_hz: 30.0, window_secs: 1.0, step_secs: 0.1 };

fn rate() -> SampleRate {
    SampleRate::new(100.0).unwrap()
}

fn stream(n_channels: usize) -> StreamInfo {
    let channels = TEN_TEN[..n_channels].iter().map(|label| ChannelInfo::eeg(*label)).collect();
    StreamInfo {
        name: "noise".into(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: rate(),
        channels,
        simulated: true,
    }
}

/// A pipeline that begins with these steps, each with its parameters as TOML; a classifier
/// of vectors at its end.
fn pipeline(steps: &[(&str, &str)]) -> Result<Pipeline, String> {
    let step =
        |(step, parameters): &(&str, &str)| format!("[[steps]]\nstep = \"{step}\"\n{parameters}\n");
    let steps: String = steps.iter().map(step).collect();
    Pipeline::from_toml(&format!("name = \"a\"\n{steps}[[steps]]\nstep = \"lda\"\n"))
        .map_err(|e| e.to_string())
}

/// A front end of the samples behind signal steps.
fn samples_behind(signal: &[(&str, &str)], n_channels: usize) -> Result<FrontEnd, PlanError> {
    let mut demand = pipeline(&[signal, &[("log_variance", "")]].concat()).unwrap().demand();
    demand.feature = Feature::Raw(Raw {});
    let picks = (0..n_channels).collect();
    FrontEnd::plan(&SPEC, &stream(n_channels), picks, [demand].into_iter().collect())
}

fn plan(steps: &[(&str, &str)], n_channels: usize) -> Result<FrontEnd, PlanError> {
    let pipeline = pipeline(steps).unwrap();
    FrontEnd::plan(&SPEC, &stream(n_channels), (0..n_channels).collect(), demands([&pipeline]))
}

/// Frames of noise with a slow wave in it.
fn frames(n_channels: usize, n_frames: usize) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let wave = |n: usize, c: usize| (0.6 * n as f32 + c as f32).sin() * 3.0;
    let frame = |n| (0..n_channels).map(|c| rng.random_range(-1.0..1.0) + wave(n, c)).collect();
    (0..n_frames).map(frame).collect()
}

/// The feature of the last window of `frames`, which a window ends.
fn last_value(front_end: &mut FrontEnd, frames: &[Vec<f32>]) -> Value {
    let mut value = None;
    for frame in frames {
        value = match front_end.push_frame(frame) {
            Completed::Window => front_end.window().unwrap().features.get(0).map(View::to_value),
            _ => None,
        };
    }
    value.expect("a sound window at the end")
}

/// The last second of `frames` as it is.
fn last_second(frames: &[Vec<f32>]) -> Samples {
    let (n_channels, newest) = (frames[0].len(), &frames[frames.len() - 100..]);
    let channel = |c: usize| newest.iter().map(move |frame| f64::from(frame[c]));
    let data: Vec<f64> = (0..n_channels).flat_map(channel).collect();
    let mut samples = Samples::zeros(n_channels, 100);
    samples.copy_from(crate::window::Planar::new(&data, n_channels, 100, 100));
    samples
}

fn vector(value: &Value) -> &[f64] {
    let Value::Vector(vector) = value else { panic!("a vector: {value:?}") };
    vector
}
