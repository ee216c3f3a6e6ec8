use super::*;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn physionet_mi() -> &'static Dataset {
    Dataset::find("physionet-mi").unwrap()
}

#[test]
fn an_unknown_name_gets_the_nearest_known_one() {
    let error = Dataset::find("physionetmi").unwrap_err();
    assert!(error.to_string().contains("did you mean physionet-mi"), "{error}");
    let error = physionet_mi().runs_for(&names(&["rigth_hand"]), Execution::Imagined).unwrap_err();
    assert!(error.to_string().contains("did you mean right_hand"), "{error}");
}

#[test]
fn markers_mean_what_their_run_says() {
    let runs = |list: &[&str], execution| {
        let specs = physionet_mi().runs_for(&names(list), execution).unwrap();
        specs.iter().map(|spec| spec.run).collect::<Vec<_>>()
    };
    assert_eq!(runs(&["left_hand", "right_hand"], Execution::Imagined), [4, 8, 12]);
    assert_eq!(runs(&["hands", "feet"], Execution::Executed), [5, 9, 13]);
    let all = names(&["left_hand", "right_hand", "hands", "feet"]);
    let specs = physionet_mi().runs_for(&all, Execution::Imagined).unwrap();
    let maps: Vec<_> = specs.iter().map(|spec| (spec.run, spec.markers(&all))).collect();
    assert_eq!(maps.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [4, 6, 8, 10, 12, 14]);
    let map = |t1, t2| MarkerMap::new([("T1".into(), ClassIdx(t1)), ("T2".into(), ClassIdx(t2))]);
    for (run, markers) in maps {
        let expected = if run % 4 == 0 { map(1, 2) } else { map(3, 4) };
        assert_eq!(markers, expected, "run {run}");
    }
}

#[test]
fn classes_are_checked() {
    let runs = |list: &[&str]| physionet_mi().runs_for(&names(list), Execution::Imagined);
    assert!(matches!(runs(&[]), Err(CatalogError::Classes(_))));
    assert!(matches!(runs(&["feet", "feet"]), Err(CatalogError::Classes(_))));
    assert!(matches!(runs(&["idle"]), Err(CatalogError::UnknownClass { .. })));
}

#[test]
fn subjects_are_parsed() {
    assert_eq!(parse_subjects("1-3").unwrap(), [1, 2, 3]);
    assert_eq!(parse_subjects("1,2, 88").unwrap(), [1, 2, 88]);
    assert_eq!(parse_subjects("7,2-4").unwrap(), [7, 2, 3, 4]);
    for wrong in
        ["", "0-3", "5-2", "1,,2", "a", "1-2-3", "1,1", "-1", "1-99999999999", "1-4000000000"]
    {
        assert!(parse_subjects(wrong).is_err(), "{wrong}");
    }
    assert!(physionet_mi().parse_subjects("100-110").is_err());
    assert_eq!(physionet_mi().parse_subjects("109").unwrap(), [109]);
}

#[test]
fn files_are_found_in_all_layouts() {
    let data = physionet_mi();
    for prefix in ["", "eegmmidb", "physionet-mi"] {
        let dir = tempfile::tempdir().unwrap();
        let missing = data.locate(dir.path(), 2, 4).unwrap_err().to_string();
        assert!(missing.contains("mindloop download physionet-mi --subjects 2"), "{missing}");
        let path = dir.path().join(prefix).join("S002/S002R04.edf");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"0").unwrap();
        assert_eq!(data.locate(dir.path(), 2, 4), Ok(path));
    }
    assert!(matches!(data.locate(Path::new("."), 110, 4), Err(CatalogError::OutOfRange { .. })));
    assert!(matches!(data.locate(Path::new("."), 1, 15), Err(CatalogError::OutOfRange { .. })));
}

#[test]
fn checksums_are_those_published() {
    let data = physionet_mi();
    let sum = data.checksum("S001/S001R01.edf").unwrap();
    assert!(sum.starts_with("4743b736131a7e14") && sum.len() == 64);
    assert_eq!(data.checksum("S099/S099R01.edf"), None);
    assert_eq!(data.checksums.lines().count(), 35);
    assert_eq!(checksum_in("xyz  a.edf\n", "a.edf"), None);
}
