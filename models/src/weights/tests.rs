use super::*;

fn weights() -> Weights {
    let tensor = |n: usize| Values { shape: vec![n, 2], values: vec![0.5; 2 * n] };
    let tensors = [("a".to_owned(), tensor(3)), ("b.c".to_owned(), tensor(1))];
    let metadata = [("about".to_owned(), "a test".to_owned())];
    Weights { tensors: tensors.into(), metadata: metadata.into() }
}

/// A file with the given table of contents and numbers.
fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), numbers].concat()
}

#[test]
fn a_file_reads_back_to_the_same_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights");
    let mut written = weights();
    written.tensors.get_mut("a").expect("a tensor").values[0] = f32::MIN_POSITIVE / 3.0;
    written.write(&path).expect("written");
    assert_eq!(Weights::read(&path).expect("read"), written);
    // And again over the old file, with nothing left beside it.
    weights().write(&path).expect("written");
    assert_eq!(Weights::read(&path).expect("read"), weights());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn files_that_lie_about_their_sizes_are_refused() {
    let entry = |shape: &str, end: u64| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let huge = u64::MAX.to_le_bytes();
    let bad = [
        Vec::new(),
        b"PK\x03\x04".to_vec(),
        huge.to_vec(),
        file("{", &[]),
        file("[]", &[]),
        file(&entry("[2]", 8), &[0; 4]),
        file(&entry("[2]", 8), &[0; 12]),
        file(&entry("[3]", 8), &[0; 8]),
        file(&entry("[4611686018427387905,4]", 16), &[0; 16]),
        file(&entry("[-1]", 4), &[0; 4]),
        file(&entry("[1]", 4).replace("F32", "F64"), &[0; 4]),
        file(&entry("[2]", 4).replace("F32", "F16"), &[0; 4]),
    ];
    for bytes in bad {
        assert!(Weights::from_bytes(&bytes).is_err(), "{bytes:?}");
    }
    assert!(Weights::from_bytes(&file(&entry("[2]", 8), &[0; 8])).is_ok());
}

#[test]
fn counters_of_pytorch_are_left_out() {
    let header = r#"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
    let read = Weights::from_bytes(&file(header, &[0; 8])).expect("a file");
    assert!(read.tensors.is_empty());
}

#[test]
fn a_file_that_is_not_there_is_told_with_its_path() {
    let error = Weights::read(Path::new("/nowhere/weights")).expect_err("no file");
    assert!(error.to_string().ends_with("/nowhere/weights"), "{error}");
    let error = weights().write(Path::new("/nowhere/weights")).expect_err("no folder");
    assert!(error.to_string().contains("written"), "{error}");
}

#[test]
fn what_does_not_fit_is_listed_and_counted() {
    let expected = (0..20).map(|k| (format!("layer {k:02}"), vec![1])).collect();
    let text = weights().check_fits(&expected).expect_err("another network").to_string();
    assert!(text.contains("missing: layer 00, layer 01"), "{text}");
    assert!(text.contains("layer 07 and 12 more; unexpected: a, b.c"), "{text}");
    let expected = BTreeMap::from([("a".to_owned(), vec![2, 3]), ("b.c".to_owned(), vec![1, 2])]);
    let text = weights().check_fits(&expected).expect_err("another shape").to_string();
    assert!(text.ends_with("; wrong shapes: a is [3, 2] instead of [2, 3]"), "{text}");
}

#[test]
fn the_list_ends_where_it_is_complete() {
    let names: Vec<String> = (0..MAX_LISTED).map(|k| k.to_string()).collect();
    assert!(list_mismatch(&names, &[], &[]).ends_with('7'));
    let names: Vec<String> = (0..=MAX_LISTED).map(|k| k.to_string()).collect();
    assert!(list_mismatch(&names, &[], &[]).ends_with("7 and 1 more"));
}
