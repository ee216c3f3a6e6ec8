use super::*;
use crate::text::InlineText;
use proptest::prelude::*;

fn chunk(first: u64, n_frames: usize) -> Chunk {
    let mut chunk = Chunk::new(2, n_frames.max(1));
    chunk.restart(SampleIndex(first));
    for k in 0..n_frames as u64 {
        chunk.extend(&[(first + k) as f32, 0.5]);
    }
    chunk
}

fn marker(onset_secs: f64) -> Marker {
    Marker { onset_secs, duration_secs: 0.0, text: InlineText::new("cue") }
}

#[test]
fn dropped_frames_are_counted_and_become_a_jump() {
    let (mut writer, mut reader) = ring(2, 4, 1, Overflow::DropNewest);
    let pushed = writer.push(&chunk(0, 6), &[marker(0.0), marker(1.0)]);
    assert_eq!((pushed.n_frames, pushed.n_frames_dropped), (6, 2));
    assert_eq!((pushed.n_markers, pushed.n_markers_dropped), (2, 1));
    let (mut out, mut markers) = (Chunk::new(2, 8), Vec::new());
    assert_eq!((reader.pop(&mut out, &mut markers), markers.len()), (4, 1));
    writer.push(&chunk(6, 1), &[]);
    assert_eq!(reader.oldest(), Some(SampleIndex(6)));
    assert_eq!((reader.pop(&mut out, &mut markers), out.first()), (1, SampleIndex(6)));
}

#[test]
fn a_chunk_never_spans_a_jump() {
    let (mut writer, mut reader) = ring(2, 16, 1, Overflow::Wait);
    for first in [0, 3, 10] {
        writer.push(&chunk(first, 3), &[]);
    }
    let (mut out, mut markers) = (Chunk::new(2, 16), Vec::new());
    assert_eq!((reader.pop(&mut out, &mut markers), out.end()), (6, SampleIndex(6)));
    assert_eq!((reader.pop(&mut out, &mut markers), out.first()), (3, SampleIndex(10)));
}

#[test]
fn the_stream_ends_when_all_was_read() {
    let (mut writer, mut reader) = ring(2, 4, 1, Overflow::Wait);
    writer.push(&chunk(0, 1), &[]);
    writer.finish();
    assert!(!reader.is_ended() && reader.wait(Duration::ZERO));
    reader.pop(&mut Chunk::new(2, 4), &mut Vec::new());
    assert!(reader.is_ended());
}

#[test]
fn a_reader_that_is_gone_wakes_the_writer() {
    let (mut writer, reader) = ring(2, 1, 1, Overflow::Wait);
    assert_eq!(writer.push(&chunk(0, 2), &[]).n_frames, 1);
    drop(reader);
    assert!(!writer.wait(Duration::from_hours(1)) && writer.is_abandoned());
}

/// Pushes everything, waiting for room, from a thread of its own.
fn push_all(mut writer: RingWriter, chunks: &[Chunk]) {
    for (i, chunk) in chunks.iter().enumerate() {
        let markers = [marker(i as f64)];
        let (mut n_frames, mut n_markers) = (0, 0);
        while n_frames < chunk.n_frames() || n_markers < markers.len() {
            let pushed = writer.push_rest(chunk, n_frames, &markers[n_markers..]);
            n_frames += pushed.n_frames;
            n_markers += pushed.n_markers;
            if pushed == Pushed::default() {
                writer.wait(Duration::from_secs(1));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Across two threads, with back-pressure, every frame and marker arrives once,
    /// in order, with its index, and a marker never after a frame pushed with it.
    #[test]
    fn nothing_is_lost_under_back_pressure(
        steps in prop::collection::vec((0_u64..3, 1_usize..20), 1..60),
        capacity in 1_usize..40,
        out_capacity in 1_usize..30,
    ) {
        let mut at = 0;
        let mut chunks = Vec::new();
        for (gap, n) in steps {
            chunks.push(chunk(at + gap, n));
            at += gap + n as u64;
        }
        let expected: Vec<u64> = chunks.iter().flat_map(|c| c.first().0..c.end().0).collect();
        let firsts: Vec<u64> = chunks.iter().map(|c| c.first().0).collect();
        let (writer, mut reader) = ring(2, capacity, 2, Overflow::Wait);
        let thread = std::thread::spawn(move || push_all(writer, &chunks));
        let (mut out, mut markers, mut seen) = (Chunk::new(2, out_capacity), Vec::new(), Vec::new());
        while !reader.is_ended() {
            reader.wait(Duration::from_secs(1));
            reader.pop(&mut out, &mut markers);
            for (k, frame) in out.samples().chunks(2).enumerate() {
                prop_assert_eq!(frame, [(out.first().0 + k as u64) as f32, 0.5]);
                seen.push(out.first().0 + k as u64);
            }
            let n_begun = firsts.iter().filter(|&&first| seen.last().is_some_and(|&s| s >= first)).count();
            prop_assert!(markers.len() >= n_begun);
        }
        thread.join().unwrap();
        prop_assert_eq!(seen, expected);
        prop_assert!(markers.iter().enumerate().all(|(i, m)| m.onset_secs == i as f64));
        prop_assert_eq!(markers.len(), firsts.len());
    }
}
