use super::*;
use crate::signal::{ChannelInfo, Gap};
use crate::text::InlineText;
use crate::time::SampleRate;
use Pull::{Data, Ended, Idle};
use ndarray::Array2;
use proptest::prelude::*;
use std::sync::Mutex;

/// Time passes only in sleeps.
#[derive(Clone, Default)]
struct TestClock(Arc<Mutex<Duration>>);

impl Clock for TestClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

/// Ten frames at 10 Hz, of which frames 4 and 5 (of the counted twelve) are missing.
fn recording() -> Arc<Recording> {
    let info = StreamInfo {
        name: "r".into(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: SampleRate::new(10.0).unwrap(),
        channels: vec![ChannelInfo::eeg("C3"), ChannelInfo::eeg("C4")],
        simulated: false,
    };
    let samples = Array2::from_shape_fn((2, 10), |(c, s)| (100 * c + s) as f32);
    let marker =
        |onset_secs| Marker { onset_secs, duration_secs: 0.0, text: InlineText::new("left_hand") };
    let markers = vec![marker(0.0), marker(0.45), marker(1.1)];
    let gaps = vec![Gap { at: SampleIndex(4), n_missing: 2 }];
    Arc::new(Recording { info, samples, markers, gaps, findings: Vec::new() })
}

/// Index, first channel's value of every frame, and all markers.
fn drain(feed: &mut impl Feed, capacity: usize, max_frames: usize) -> (Vec<(u64, f32)>, Vec<f64>) {
    let (mut chunk, mut markers, mut frames) = (Chunk::new(2, capacity), Vec::new(), Vec::new());
    while frames.len() < max_frames && feed.read(&mut chunk, &mut markers).unwrap() {
        for (k, frame) in chunk.samples().chunks(2).enumerate() {
            assert_eq!(frame[1], frame[0] + 100.0);
            frames.push((chunk.first().0 + k as u64, frame[0]));
        }
        assert!(markers.iter().all(|m| m.onset_secs < chunk.end().0 as f64 / 10.0));
    }
    (frames, markers.iter().map(|m| m.onset_secs).collect())
}

/// All markers a source gives, those of the pull that ends it included.
fn onsets(source: &mut impl Source, capacity: usize) -> Vec<f64> {
    let (mut chunk, mut markers) = (Chunk::new(2, capacity), Vec::new());
    while source.pull(&mut chunk, &mut markers, Duration::from_secs(1)).unwrap() != Ended {}
    assert!(chunk.is_empty());
    assert_eq!(source.pull(&mut chunk, &mut markers, Duration::ZERO).unwrap(), Ended);
    markers.iter().map(|m| m.onset_secs).collect()
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(capacity in 1_usize..20) {
        let (frames, onsets) = drain(&mut RecordingFeed::new(recording(), Repeat::Once), capacity, 100);
        let indices: Vec<u64> = (0..12).filter(|i| ![4, 5].contains(i)).collect();
        prop_assert_eq!(frames.iter().map(|f| f.0).collect::<Vec<_>>(), indices);
        prop_assert!(frames.iter().enumerate().all(|(k, f)| f.1 == k as f32));
        prop_assert_eq!(onsets, vec![0.0, 0.45, 1.1]);
    }
}

#[test]
fn repeating_goes_on_counting() {
    let (frames, onsets) = drain(&mut RecordingFeed::new(recording(), Repeat::Forever), 7, 20);
    assert_eq!((frames[10], frames[19]), ((12, 0.0), (23, 9.0)));
    assert_eq!(onsets[3..], [1.2, 1.65, 2.3]);
}

#[test]
fn real_time_waits_for_the_last_frame_of_a_chunk() {
    let clock = TestClock::default();
    let feed = RecordingFeed::new(recording(), Repeat::Once);
    let mut paced = Paced::new(feed, Speed::RealTime(2.0), 3, Box::new(clock.clone()));
    let (mut chunk, mut markers) = (Chunk::new(2, 2), Vec::new());
    let mut pulls = Vec::new();
    loop {
        let pull = paced.pull(&mut chunk, &mut markers, Duration::from_millis(100)).unwrap();
        pulls.push((pull, chunk.first().0, chunk.n_frames(), clock.now().as_millis()));
        if pull == Ended {
            break;
        }
    }
    // Frames 0..3 are due at 0.15 s, the lone frame 3 at 0.2 s, 6..9 at 0.45 s.
    assert_eq!(
        pulls[..4],
        [(Idle, 0, 0, 100), (Data, 0, 2, 150), (Data, 2, 1, 150), (Data, 3, 1, 200)]
    );
    assert_eq!(pulls.last(), Some(&(Ended, 12, 0, 600)));
    assert_eq!(markers.len(), 3);
}

#[test]
fn at_full_speed_the_caller_chooses_the_chunk() {
    let feed = RecordingFeed::new(recording(), Repeat::Once);
    let clock = TestClock::default();
    let mut paced = Paced::new(feed, Speed::Max, 3, Box::new(clock.clone()));
    let (mut chunk, mut markers) = (Chunk::new(2, 100), Vec::new());
    let mut sizes = Vec::new();
    while paced.pull(&mut chunk, &mut markers, Duration::ZERO).unwrap() == Data {
        sizes.push(chunk.n_frames());
    }
    assert_eq!((sizes, clock.now()), (vec![4, 6], Duration::ZERO));
}

#[test]
fn markers_behind_the_last_frame_are_given_at_every_speed() {
    let mut behind = recording().as_ref().clone();
    for onset_secs in [1.2, 7.5] {
        behind.markers.push(Marker { onset_secs, ..behind.markers[0] });
    }
    for speed in [Speed::RealTime(1.0), Speed::RealTime(100.0), Speed::Max] {
        let feed = RecordingFeed::new(Arc::new(behind.clone()), Repeat::Once);
        let mut paced = Paced::new(feed, speed, 4, Box::<TestClock>::default());
        assert_eq!(onsets(&mut paced, 3), [0.0, 0.45, 1.1, 1.2, 7.5], "{speed:?}");
    }
}

#[test]
fn a_crawling_speed_waits_and_does_not_overflow() {
    for factor in [1e-300, f64::MIN_POSITIVE, 1e-20] {
        let feed = RecordingFeed::new(recording(), Repeat::Once);
        let clock = Box::<TestClock>::default();
        let mut paced = Paced::new(feed, Speed::RealTime(factor), 3, clock);
        let (mut chunk, mut markers) = (Chunk::new(2, 3), Vec::new());
        for _ in 0..3 {
            let pull = paced.pull(&mut chunk, &mut markers, Duration::from_secs(1)).unwrap();
            assert_eq!((pull, markers.len()), (Idle, 0));
        }
    }
}
