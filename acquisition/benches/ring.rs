//! The hand-over of one chunk: pushed and popped on one thread, so what is measured
//! is the work and not the other core's pace.

use acquisition::ring::{Overflow, ring};
use acquisition::signal::Chunk;
use acquisition::time::SampleIndex;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn hand_over(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    for (n_channels, n_frames) in [(8, 1), (64, 10), (306, 10), (1024, 20)] {
        let (mut writer, mut reader) = ring(n_channels, 4096, 64, Overflow::DropNewest);
        let (mut chunk, mut out) = (Chunk::new(n_channels, n_frames), Chunk::new(n_channels, 64));
        let (frame, mut markers) = (vec![1.0; n_channels], Vec::with_capacity(64));
        let mut next = 0;
        group.throughput(Throughput::Elements((n_channels * n_frames) as u64));
        group.bench_function(format!("push-pop/{n_channels}ch-{n_frames}frames"), |b| {
            b.iter(|| {
                chunk.restart(SampleIndex(next));
                for _ in 0..n_frames {
                    chunk.extend(&frame);
                }
                next = chunk.end().0;
                writer.push(&chunk, &[]);
                reader.pop(&mut out, &mut markers)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hand_over);
criterion_main!(benches);
