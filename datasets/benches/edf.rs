//! Reading a recording of the size of one EEGMMIDB run: 64 channels at 160 Hz, 125 s,
//! 15 cues, 2.6 MB.

#[path = "../tests/support/edf_file.rs"]
mod edf_file;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datasets::reader::read_recording;
use edf_file::{EdfFile, EdfSignal};

const N_CHANNELS: usize = 64;
const RATE_HZ: usize = 160;
const N_SECS: usize = 125;
const ANNOTATION_BYTES: usize = 160;

/// A file with the layout of EEGMMIDB: records of one second, integer microvolts.
fn run() -> EdfFile {
    let signal = |label: String, n_per_record: usize| EdfSignal {
        label,
        dimension: "uV",
        limits: ["-8092", "8092", "-8092", "8092"],
        n_per_record,
    };
    let mut signals: Vec<_> = (0..N_CHANNELS).map(|c| signal(format!("C{c}.."), RATE_HZ)).collect();
    signals.push(signal("EDF Annotations".to_owned(), ANNOTATION_BYTES / 2));
    let records = (0..N_SECS).map(record).collect();
    EdfFile { reserved: "EDF+C", n_records: N_SECS.to_string(), record_secs: "1", signals, records }
}

fn record(secs: usize) -> Vec<u8> {
    let sample = |i: usize| ((secs * 7919 + i * 104_729) % 401) as i16 - 200;
    let mut bytes: Vec<u8> =
        (0..N_CHANNELS * RATE_HZ).flat_map(|i| sample(i).to_le_bytes()).collect();
    let end = bytes.len() + ANNOTATION_BYTES;
    bytes.extend(format!("+{secs}\x14\x14\0").bytes());
    if secs.is_multiple_of(8) {
        bytes.extend(format!("+{secs}\x154.1\x14T1\x14\0").bytes());
    }
    bytes.resize(end, 0);
    bytes
}

fn edf(criterion: &mut Criterion) {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    std::fs::write(file.path(), run().bytes()).expect("the temporary folder has room");
    let mut group = criterion.benchmark_group("edf");
    group.throughput(Throughput::Elements((N_CHANNELS * RATE_HZ * N_SECS) as u64));
    group.bench_function("64ch-125s", |bencher| {
        bencher.iter(|| read_recording(file.path()).expect("the file is sound").n_samples());
    });
    group.finish();
}

criterion_group!(benches, edf);
criterion_main!(benches);
