use super::*;
use acquisition::health::Health;
use acquisition::ring::{Overflow, ring};
use acquisition::signal::{ChannelInfo, StreamInfo};
use acquisition::time::{SampleIndex, SampleRate};
use std::sync::Arc;

/// Frames without end, or until the transport breaks.
struct Endless {
    info: StreamInfo,
    next: u64,
    breaks_at: Option<u64>,
}

impl Source for Endless {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn pull(
        &mut self,
        chunk: &mut Chunk,
        _: &mut Vec<Marker>,
        _: Duration,
    ) -> Result<Pull, SourceError> {
        if self.breaks_at.is_some_and(|at| self.next >= at) {
            return Err(SourceError::Transport("the cable\u{1b}".into()));
        }
        chunk.restart(SampleIndex(self.next));
        chunk.extend(&[0.5]);
        self.next += 1;
        Ok(Pull::Data)
    }
}

fn source(breaks_at: Option<u64>) -> Box<dyn Source> {
    let info = StreamInfo {
        name: "endless".into(),
        kind: "EEG".into(),
        source_id: "endless-1".into(),
        host: String::new(),
        rate: SampleRate::new(100.0).unwrap(),
        channels: vec![ChannelInfo::eeg("Cz")],
        simulated: true,
    };
    Box::new(Endless { info, next: 0, breaks_at })
}

#[test]
fn a_failure_is_known_before_the_stream_counts_as_ended() {
    let shared = Shared::new(Arc::new(Health::default()));
    let (writer, mut reader) = ring(1, 64, 4, Overflow::DropNewest);
    let node = Node { source: source(Some(8)), writer, chunk_frames: 4 };
    assert!(node.run(&shared).is_err());
    assert!(shared.health.snapshot().ended);
    let said = "the stream failed: transport failed: the cable\\u{1b}";
    assert_eq!(shared.failure.get().map(String::as_str), Some(said));
    let mut chunk = Chunk::new(1, 64);
    assert_eq!(reader.pop(&mut chunk, &mut Vec::new()), 8);
}

#[test]
fn a_stream_that_nobody_decodes_is_not_pumped_for_ever() {
    for overflow in [Overflow::Wait, Overflow::DropNewest] {
        let shared = Shared::new(Arc::new(Health::default()));
        let (writer, reader) = ring(1, 64, 4, overflow);
        drop(reader);
        Node { source: source(None), writer, chunk_frames: 4 }.run(&shared).unwrap();
        assert!(shared.health.snapshot().ended && !shared.is_stopping());
    }
}
