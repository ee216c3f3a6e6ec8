//! Loopback: outlets and inlets of this process, over the real network stack.

use super::*;
use crate::lsl::outlet::{Board, DecisionOutlet, ServeOptions, Served, WaitFor};
use crate::lsl::{Format, START_MARKER};
use crate::signal::{ChannelInfo, ChannelKind, Gap, Recording, Unit};
use crate::source::Feed;
use crate::source::replay::{RecordingFeed, Repeat};
use crate::time::{LslTime, SampleRate};
use ::lsl::{ChannelFormat, ExPushable, StreamOutlet};
use ndarray::Array2;
use std::sync::atomic::AtomicBool;

const PATIENCE: Duration = Duration::from_secs(10);

/// A name nobody else on the network has.
fn unique(what: &str) -> String {
    format!("mindloop-test-{}-{what}", std::process::id())
}

fn options(source_id: &str, markers: Markers) -> LslOptions {
    let stream = Query::property("source_id", source_id).unwrap();
    LslOptions { stream, markers, timeout: PATIENCE }
}

fn marker(onset_secs: f64, text: &str) -> Marker {
    Marker { onset_secs, duration_secs: 0.0, text: InlineText::new(text) }
}

fn recording(
    rate_hz: f64,
    n_samples: usize,
    gaps: Vec<Gap>,
    markers: Vec<Marker>,
) -> Arc<Recording> {
    let mut channels: Vec<_> = ["C3", "Cz", "C4"].into_iter().map(ChannelInfo::eeg).collect();
    channels[2].kind = ChannelKind::Eog;
    channels[0].position_m = Some([-0.05, 0.0, 0.1]);
    let info = StreamInfo {
        name: "served".into(),
        kind: "EEG".into(),
        source_id: String::new(),
        host: String::new(),
        rate: SampleRate::new(rate_hz).unwrap(),
        channels,
        simulated: true,
    };
    // Values whose bits a detour through another unit or format would change.
    let samples =
        Array2::from_shape_fn((3, n_samples), |(c, s)| (s as f32).sin() * 37.1 + c as f32);
    Arc::new(Recording { info, samples, markers, gaps, findings: Vec::new() })
}

/// Serves a recording on a thread of its own.
fn serve(recording: &Arc<Recording>, id: &str, speed: f64) -> std::thread::JoinHandle<Served> {
    let feed = RecordingFeed::new(Arc::clone(recording), Repeat::Once);
    let mut options = ServeOptions::new(&recording.info);
    (options.name, options.source_id, options.speed) = (id.to_owned(), id.to_owned(), speed);
    std::thread::spawn(move || {
        let board = Board::new(feed, options).unwrap();
        board.run(&AtomicBool::new(false)).unwrap()
    })
}

/// Everything a source gives until it ends: index and values of each frame, markers.
fn drain(source: &mut LslSource, capacity: usize) -> (Vec<(u64, Vec<f32>)>, Vec<Marker>) {
    let mut chunk = Chunk::new(source.info().n_channels(), capacity);
    let (mut frames, mut markers) = (Vec::new(), Vec::new());
    let start = local_clock().0;
    loop {
        assert!(local_clock().0 - start < 30.0, "the stream did not end");
        let pull = source.pull(&mut chunk, &mut markers, Duration::from_millis(100)).unwrap();
        for (k, frame) in chunk.samples().chunks(chunk.n_channels()).enumerate() {
            frames.push((chunk.first().0 + k as u64, frame.to_vec()));
        }
        if pull == Pull::Ended {
            return (frames, markers);
        }
    }
}

#[test]
fn a_served_recording_arrives_bit_for_bit_with_its_markers() {
    let onsets = [0.0, 0.45, 1.3071, 4.203_125, 12.4];
    let markers: Vec<_> = onsets.iter().map(|&o| marker(o, "left_hand")).collect();
    let recording = recording(160.0, 2000, Vec::new(), markers.clone());
    let id = unique("served");
    let server = serve(&recording, &id, 5.0);
    let health = Arc::new(Health::default());
    let mut source =
        LslSource::open(&options(&id, Markers::Companion), Arc::clone(&health)).unwrap();
    assert!(source.has_markers() && source.info().simulated);
    assert_eq!(source.info().channels, recording.info.channels);
    let (frames, received) = drain(&mut source, 64);
    assert_eq!(frames.len(), 2000);
    for (s, (index, frame)) in frames.iter().enumerate() {
        assert_eq!(*index, s as u64);
        assert_eq!(*frame, recording.samples.column(s).to_vec());
    }
    let (first, rest) = received.split_first().unwrap();
    let (last, rest) = rest.split_last().unwrap();
    assert_eq!((first.text.as_str(), first.onset_secs), (START_MARKER, 0.0));
    assert_eq!((last.text.as_str(), last.onset_secs), (END_MARKER, 12.5));
    assert_eq!(rest, markers);
    assert_eq!(health.snapshot().n_lost, 0);
    drop(source);
    assert_eq!(server.join().unwrap(), Served { n_frames: 2000, n_markers: 5 });
}

#[test]
fn gaps_of_a_served_recording_are_jumps_of_the_index() {
    let gaps = vec![
        Gap { at: SampleIndex(600), n_missing: 3 },
        Gap { at: SampleIndex(900), n_missing: 250 },
    ];
    let recording = recording(250.0, 1500, gaps, vec![marker(5.0, "right_hand")]);
    let id = unique("gaps");
    let server = serve(&recording, &id, 4.0);
    let health = Arc::new(Health::default());
    let mut source =
        LslSource::open(&options(&id, Markers::Companion), Arc::clone(&health)).unwrap();
    let (frames, markers) = drain(&mut source, 7);
    let indices: Vec<u64> = frames.iter().map(|f| f.0).collect();
    let expected: Vec<u64> = (0..600).chain(603..900).chain(1150..1753).collect();
    assert_eq!(indices, expected);
    assert_eq!(health.snapshot().n_lost, 253);
    assert_eq!(markers[1], marker(5.0, "right_hand"));
    drop(source);
    server.join().unwrap();
}

#[test]
fn a_served_recording_without_frames_ends() {
    let recording = recording(100.0, 0, Vec::new(), Vec::new());
    let id = unique("empty");
    let server = serve(&recording, &id, 1.0);
    let health = Arc::new(Health::default());
    let mut source = LslSource::open(&options(&id, Markers::Companion), health).unwrap();
    let (frames, markers) = drain(&mut source, 64);
    assert_eq!((frames.len(), markers.len()), (0, 0));
    drop(source);
    assert_eq!(server.join().unwrap(), Served::default());
}

#[test]
fn markers_behind_the_last_frame_are_served() {
    let recording = recording(100.0, 50, Vec::new(), vec![marker(0.25, "a"), marker(0.5, "b")]);
    let id = unique("behind");
    let server = serve(&recording, &id, 1.0);
    let health = Arc::new(Health::default());
    let mut source = LslSource::open(&options(&id, Markers::Companion), health).unwrap();
    let (frames, markers) = drain(&mut source, 64);
    assert_eq!(frames.len(), 50);
    assert_eq!(markers[1..3], recording.markers);
    drop(source);
    assert_eq!(server.join().unwrap(), Served { n_frames: 50, n_markers: 2 });
}

/// An outlet of any numeric format with a unit per channel.
fn outlet(id: &str, format: ChannelFormat, hz: f64, units: &[&str]) -> StreamOutlet {
    let n = units.len() as u32;
    let mut info = ::lsl::StreamInfo::new(id, "EEG", n, hz, format, id).unwrap();
    let mut channels = info.desc().append_child("channels");
    for unit in units {
        channels.append_child("channel").append_child_value("unit", unit);
    }
    StreamOutlet::new(&info, 0, 60).unwrap()
}

/// Pulls until that many frames have come.
fn pull_frames(source: &mut LslSource, n_frames: usize) -> (Vec<f32>, Vec<Marker>) {
    let mut chunk = Chunk::new(source.info().n_channels(), 16);
    let (mut values, mut markers) = (Vec::new(), Vec::new());
    let start = local_clock().0;
    while values.len() < n_frames * source.info().n_channels() {
        assert!(local_clock().0 - start < 10.0, "frames did not come");
        source.pull(&mut chunk, &mut markers, Duration::from_millis(50)).unwrap();
        values.extend_from_slice(chunk.samples());
    }
    (values, markers)
}

/// Sends `-2, 1, 100` in volts, microvolts and no unit over a format; what arrives.
fn through<T: Copy + 'static>(format: ChannelFormat, values: [T; 3]) -> Vec<f32>
where
    StreamOutlet: ExPushable<Vec<T>>,
{
    let id = unique(&format!("{format}"));
    let outlet = outlet(&id, format, 100.0, &["V", "uV", ""]);
    let mut source =
        LslSource::open(&options(&id, Markers::None), Arc::new(Health::default())).unwrap();
    assert!(outlet.wait_for_consumers(10.0));
    for k in 0..3 {
        let stamp = 100.0 + f64::from(k) / 100.0;
        outlet.push_sample_ex(&values.to_vec(), stamp, true).unwrap();
    }
    let (received, _) = pull_frames(&mut source, 3);
    let units: Vec<_> = source.info().channels.iter().map(|c| c.unit).collect();
    assert_eq!(units, [Unit::Microvolt, Unit::Microvolt, Unit::Unknown]);
    received
}

#[test]
fn every_numeric_format_arrives_in_microvolts() {
    let expected = [-2e6, 1.0, 100.0].repeat(3);
    assert_eq!(through(ChannelFormat::Float32, [-2.0_f32, 1.0, 100.0]), expected);
    assert_eq!(through(ChannelFormat::Double64, [-2.0_f64, 1.0, 100.0]), expected);
    assert_eq!(through(ChannelFormat::Int8, [-2_i8, 1, 100]), expected);
    assert_eq!(through(ChannelFormat::Int16, [-2_i16, 1, 100]), expected);
    assert_eq!(through(ChannelFormat::Int32, [-2_i32, 1, 100]), expected);
    assert_eq!(through(ChannelFormat::Int64, [-2_i64, 1, 100]), expected);
    // 24-bit counts do not fit an f32 before they are scaled.
    let counts = through(ChannelFormat::Int32, [0, 16_777_217, 16_777_219]);
    assert_eq!(counts[1..3], [16_777_216.0, 16_777_220.0]);
}

#[test]
fn integer_markers_are_written_in_decimal() {
    let id = unique("codes");
    let data = outlet(&id, ChannelFormat::Float32, 100.0, &["uV"]);
    let codes = outlet(&unique("codes-int"), ChannelFormat::Int32, 0.0, &[""]);
    let query = Query::property("source_id", &unique("codes-int")).unwrap();
    let options = options(&id, Markers::Query(query));
    let mut source = LslSource::open(&options, Arc::new(Health::default())).unwrap();
    assert!(data.wait_for_consumers(10.0) && codes.wait_for_consumers(10.0));
    codes.push_sample_ex(&vec![769], 500.25, true).unwrap();
    codes.push_sample_ex(&vec![-1], 501.0, true).unwrap();
    for k in 0..200 {
        data.push_sample_ex(&vec![0.0_f32], 500.0 + f64::from(k) / 100.0, true).unwrap();
    }
    let (_, mut markers) = pull_frames(&mut source, 200);
    pull_until(&mut source, &mut markers, 2);
    assert_eq!(markers, [marker(0.25, "769"), marker(1.0, "-1")]);
}

#[test]
fn a_flood_of_markers_is_taken_in_portions() {
    let (id, codes_id) = (unique("flooded"), unique("flood"));
    let data = outlet(&id, ChannelFormat::Float32, 100.0, &["uV"]);
    let codes = outlet(&codes_id, ChannelFormat::Int32, 0.0, &[""]);
    let options = options(&id, Markers::Query(Query::property("source_id", &codes_id).unwrap()));
    let mut source = LslSource::open(&options, Arc::new(Health::default())).unwrap();
    assert!(data.wait_for_consumers(10.0) && codes.wait_for_consumers(10.0));
    data.push_sample_ex(&vec![0.0_f32], 500.0, true).unwrap();
    pull_frames(&mut source, 1);
    let n_markers = 4 * MAX_MARKERS_PER_PULL;
    for code in 0..n_markers as i32 {
        codes.push_sample_ex(&vec![code], 500.0, true).unwrap();
    }
    // So that they lie ready, more than one pull may take.
    std::thread::sleep(Duration::from_millis(500));
    let (mut chunk, mut markers, mut most) = (Chunk::new(1, 16), Vec::new(), 0);
    let start = local_clock().0;
    while markers.len() < n_markers {
        assert!(local_clock().0 - start < 10.0, "markers did not come");
        let n_before = markers.len();
        source.pull(&mut chunk, &mut markers, Duration::ZERO).unwrap();
        most = most.max(markers.len() - n_before);
    }
    assert_eq!(most, MAX_MARKERS_PER_PULL);
    assert!(markers.iter().enumerate().all(|(k, m)| m.text.as_str() == k.to_string()));
}

/// Goes on pulling until that many markers have come.
fn pull_until(source: &mut LslSource, markers: &mut Vec<Marker>, n_markers: usize) {
    let mut chunk = Chunk::new(source.info().n_channels(), 16);
    let start = local_clock().0;
    while markers.len() < n_markers {
        assert!(local_clock().0 - start < 10.0, "markers did not come");
        source.pull(&mut chunk, markers, Duration::from_millis(20)).unwrap();
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason() {
    let health = || Arc::new(Health::default());
    let irregular = unique("irregular");
    let _outlet = outlet(&irregular, ChannelFormat::Float32, 0.0, &["uV"]);
    let text = unique("text");
    let _texts = outlet(&text, ChannelFormat::String, 100.0, &[""]);
    let fast = unique("fast");
    let _fast = outlet(&fast, ChannelFormat::Float32, 300_000.0, &["uV"]);
    let slow = unique("slow");
    let _slow = outlet(&slow, ChannelFormat::Float32, 1e-3, &["uV"]);
    for id in [&irregular, &text, &fast, &slow] {
        let refused = LslSource::open(&options(id, Markers::None), health()).err().unwrap();
        assert!(matches!(refused, SourceError::Unusable(_)), "{refused}");
    }
    let mut nobody = options(&unique("nobody"), Markers::None);
    nobody.timeout = Duration::from_millis(300);
    let refused = LslSource::open(&nobody, health()).err().unwrap();
    assert!(matches!(refused, SourceError::NotFound { .. }), "{refused}");
    let twice = unique("twice");
    let _two = [0, 1].map(|_| outlet(&twice, ChannelFormat::Float32, 100.0, &["uV"]));
    let refused = LslSource::open(&options(&twice, Markers::None), health()).err().unwrap();
    assert!(matches!(refused, SourceError::Ambiguous { n_found: 2, .. }), "{refused}");
}

#[test]
fn what_is_on_the_network_is_listed() {
    let id = unique("listed");
    let _outlet = outlet(&id, ChannelFormat::Int16, 500.0, &["uV", "uV"]);
    let found = resolve::list(Duration::from_secs(1)).unwrap();
    let found = found.iter().find(|f| f.source_id == id).unwrap();
    assert_eq!((found.name.as_str(), found.kind.as_str()), (id.as_str(), "EEG"));
    assert_eq!((found.n_channels, found.rate_hz, found.format), (2, 500.0, Format::Int16));
    assert!(!found.host.is_empty() && !found.uid.is_empty());
}

#[test]
fn decisions_reach_other_programs() {
    use ::lsl::Pullable;
    let id = unique("decisions");
    let mut out = DecisionOutlet::new(&id, &id, &["idle", "left_hand"], true).unwrap();
    let find = |source_id: &str| {
        let found = ::lsl::resolve_byprop("source_id", source_id, 1, 10.0).unwrap();
        let inlet = ::lsl::StreamInlet::new(&found[0], 60, 0, true).unwrap();
        inlet.open_stream(10.0).unwrap();
        inlet
    };
    let (posterior, decisions) = (find(&id), find(&(id.clone() + MARKERS_SUFFIX)));
    while !out.has_consumers() {
        std::thread::sleep(Duration::from_millis(1));
    }
    for inlet in [&posterior, &decisions] {
        let mut info = inlet.info(10.0).unwrap();
        assert_eq!(info.desc().child_value_named("simulated"), "true");
    }
    let label = posterior.info(10.0).unwrap().desc().child("channels").child("channel");
    assert_eq!(label.next_sibling().child_value_named("label"), "left_hand");
    out.push_posterior(&[0.25, 0.75], LslTime(7.0)).unwrap();
    out.push_decision("left_hand", LslTime(7.5)).unwrap();
    let received: (Vec<f32>, f64) = posterior.pull_sample(10.0).unwrap();
    assert_eq!(received, (vec![0.25, 0.75], 7.0));
    let received: (Vec<String>, f64) = decisions.pull_sample(10.0).unwrap();
    assert_eq!(received, (vec!["left_hand".to_owned()], 7.5));
}

#[test]
fn serving_stops_when_told_though_nobody_listens() {
    let recording = recording(100.0, 100_000, Vec::new(), Vec::new());
    let id = unique("stopped");
    let feed = RecordingFeed::new(recording, Repeat::Forever);
    let mut options = ServeOptions::new(feed.info());
    (options.name, options.source_id, options.wait) = (id.clone(), id, WaitFor::Nobody);
    let board = Board::new(feed, options).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let served = board.run(&stop).unwrap();
    stopper.join().unwrap();
    // Real time: 300 ms at 100 Hz, and the machine may be busy.
    assert!((10..=500).contains(&served.n_frames), "{served:?}");
}

/// Sends frames stamped as now until the other end says enough.
fn send_for(outlet: &StreamOutlet, n_channels: usize, enough: &AtomicBool) {
    while !enough.load(std::sync::atomic::Ordering::Relaxed) {
        outlet.push_sample_ex(&vec![1.0_f32; n_channels], local_clock().0, true).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_sender_that_comes_back_is_received_again() {
    let id = unique("back");
    let enough = Arc::new(AtomicBool::new(false));
    let (id2, enough2) = (id.clone(), Arc::clone(&enough));
    let sender = std::thread::spawn(move || {
        let first = outlet(&id2, ChannelFormat::Float32, 100.0, &["uV"]);
        assert!(first.wait_for_consumers(10.0));
        for k in 0..100 {
            first.push_sample_ex(&vec![0.0_f32], local_clock().0, true).unwrap();
            std::thread::sleep(Duration::from_millis(if k == 99 { 300 } else { 10 }));
        }
        drop(first);
        let again = outlet(&id2, ChannelFormat::Float32, 100.0, &["uV"]);
        send_for(&again, 1, &enough2);
    });
    let health = Arc::new(Health::default());
    let mut source = LslSource::open(&options(&id, Markers::None), Arc::clone(&health)).unwrap();
    let (mut chunk, mut markers) = (Chunk::new(1, 64), Vec::new());
    let (start, mut last) = (local_clock().0, 0);
    while !chunk.samples().contains(&1.0) {
        assert!(local_clock().0 - start < 20.0, "the sender was not found again");
        source.pull(&mut chunk, &mut markers, Duration::from_millis(50)).unwrap();
        last = chunk.end().0.max(last);
    }
    // The time without the sender is counted in frames: stamps of both runs are of
    // the same clock, so the index still tells the time.
    let secs = local_clock().0 - start;
    assert!(last as f64 / 100.0 > 1.0 && last as f64 / 100.0 < secs + 0.5, "{last} in {secs} s");
    assert!(health.snapshot().n_lost > 30, "{:?}", health.snapshot());
    enough.store(true, std::sync::atomic::Ordering::Relaxed);
    sender.join().unwrap();
}

#[test]
fn a_sender_that_comes_back_as_something_else_is_refused() {
    let id = unique("other");
    let enough = Arc::new(AtomicBool::new(false));
    let (id2, enough2) = (id.clone(), Arc::clone(&enough));
    let sender = std::thread::spawn(move || {
        let first = outlet(&id2, ChannelFormat::Float32, 100.0, &["uV"]);
        assert!(first.wait_for_consumers(10.0));
        first.push_sample_ex(&vec![0.0_f32], local_clock().0, true).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        drop(first);
        let again = outlet(&id2, ChannelFormat::Float32, 100.0, &["uV", "uV"]);
        send_for(&again, 2, &enough2);
    });
    let mut source =
        LslSource::open(&options(&id, Markers::None), Arc::new(Health::default())).unwrap();
    let (mut chunk, mut markers) = (Chunk::new(1, 64), Vec::new());
    let start = local_clock().0;
    let error = loop {
        assert!(local_clock().0 - start < 20.0, "nobody noticed");
        match source.pull(&mut chunk, &mut markers, Duration::from_millis(50)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, SourceError::Changed(what) if what.contains('2')), "{error}");
    enough.store(true, std::sync::atomic::Ordering::Relaxed);
    sender.join().unwrap();
}
