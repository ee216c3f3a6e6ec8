use super::*;
use proptest::prelude::*;
use serde_json::Value as Json;
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/mat")).join(name)
}

fn read(name: &str, wanted: &[&str]) -> Mat {
    Mat::read(&golden(name), wanted).unwrap()
}

/// Reads what `bytes` hold, from a file.
fn read_bytes(bytes: &[u8], wanted: &[&str]) -> Result<Mat, ReadError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Mat::read(file.path(), wanted)
}

#[test]
fn arrays_are_those_that_scipy_wrote() {
    let text = std::fs::read(golden("values.json")).unwrap();
    let json: Json = serde_json::from_slice(&text).unwrap();
    for name in ["values.mat", "values_z.mat"] {
        let mat = read(name, &[]);
        for (variable, golden) in json["arrays"].as_object().unwrap() {
            let array = mat.variable(variable).unwrap().array().unwrap();
            let dims: Vec<Json> = array.dims().iter().map(|d| Json::from(*d)).collect();
            assert_eq!(Json::from(dims), golden["dims"], "{name}: {variable}");
            let numbers: Vec<Json> = array.to_vec().into_iter().map(Json::from).collect();
            assert_eq!(Json::from(numbers), golden["numbers"], "{name}: {variable}");
        }
    }
}

#[test]
fn texts_cells_and_structs_are_read() {
    for name in ["values.mat", "values_z.mat"] {
        let mat = read(name, &[]);
        let texts = |variable: &str| mat.variable(variable).unwrap().texts().join("|");
        assert_eq!(texts("text"), "left hand");
        assert_eq!(texts("accents"), "Übung");
        assert_eq!((texts("lines"), texts("names")), ("Fz|FCz|C3".into(), "Fz|FCz|C3".into()));
        assert_eq!(texts("nested"), "a");
        let record = mat.variable("record").unwrap().records()[0];
        assert_eq!(record.field("X").unwrap().array().unwrap().shape(), Some([3, 2]));
        assert_eq!(record.field("fs").unwrap().number(), Some(250.0));
        let who = record.field("who").unwrap().records();
        assert_eq!(who[0].field("name").unwrap().texts(), ["S1"]);
        assert!(record.field("Y").is_none());
        let rows = mat.variable("array").unwrap().records();
        let row = |k: usize| (rows[k].field("n").unwrap().number(), rows[k].field("t").unwrap());
        assert_eq!((rows.len(), row(1).0, row(1).1.texts()), (2, Some(2.0), vec!["bc"]));
        assert!(mat.variable("nobody").is_err());
    }
}

#[test]
fn only_what_is_wanted_is_kept() {
    let mat = read("values_z.mat", &["record.fs", "names"]);
    let names: Vec<_> = mat.variables().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["names", "record"]);
    let record = mat.variable("record").unwrap().records()[0];
    assert!(record.field("fs").is_some() && record.field("X").is_none());
    // What has a longer name is another one.
    assert!(read("values.mat", &["recor", "record.fss"]).variable("recor").is_err());
}

#[test]
fn other_versions_say_what_to_do() {
    let mut bytes = std::fs::read(golden("values.mat")).unwrap();
    bytes[125] = 2;
    let error = read_bytes(&bytes, &[]).unwrap_err().to_string();
    assert!(error.contains("HDF5") && error.contains("-v7"), "{error}");
    assert!(matches!(read_bytes(&bytes[..100], &[]), Err(ReadError::Truncated { .. })));
    bytes[126] = b'X';
    assert!(matches!(read_bytes(&bytes, &[]), Err(ReadError::BadHeader { .. })));
    assert!(begins_like_mat(&bytes) && !begins_like_mat(b"0       "));
}

#[test]
fn sizes_that_are_claimed_reserve_nothing() {
    let mut bytes = std::fs::read(golden("values.mat")).unwrap()[..128].to_vec();
    // A cell array of 2^40 cells in 64 bytes.
    let mut put = |words: &[u32]| bytes.extend(words.iter().flat_map(|w| w.to_le_bytes()));
    put(&[14, 56, 6, 8, 1, 0, 5, 8, 1 << 20, 1 << 20, 0x0001_0001, 97, 14, 0, 14, 0]);
    let error = read_bytes(&bytes, &[]).unwrap_err();
    assert!(matches!(error, ReadError::BadHeader { .. }), "{error}");
}

#[test]
fn big_endian_files_are_read() {
    let mut bytes = vec![b' '; 124];
    bytes.extend([1, 0, b'M', b'I']);
    let mut put = |word: u32| bytes.extend(word.to_be_bytes());
    [14, 56, 6, 8, 6, 0, 5, 8, 1, 1].into_iter().for_each(&mut put);
    put(0x0001_0001);
    put(u32::from(b'a') << 24);
    put(9);
    put(8);
    bytes.extend(2.5_f64.to_be_bytes());
    let mat = read_bytes(&bytes, &[]).unwrap();
    assert_eq!(mat.variable("a").unwrap().number(), Some(2.5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_never_panics(
        is_compressed in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let name = if is_compressed { "values_z.mat" } else { "values.mat" };
        let mut bytes = std::fs::read(golden(name)).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2).max(100));
        let _ = read_bytes(&bytes, &[]);
    }
}
