use super::*;
use acquisition::marker::{ClassIdx, MarkerMap};

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
    let error =
        physionet_mi().runs_for(1, &names(&["rigth_hand"]), Execution::Imagined).unwrap_err();
    assert!(error.to_string().contains("did you mean right_hand"), "{error}");
}

#[test]
fn markers_mean_what_their_run_says() {
    let runs = |list: &[&str], execution| {
        let specs = physionet_mi().runs_for(1, &names(list), execution).unwrap();
        specs.iter().map(|spec| spec.file.run).collect::<Vec<_>>()
    };
    assert_eq!(runs(&["left_hand", "right_hand"], Execution::Imagined), [4, 8, 12]);
    assert_eq!(runs(&["hands", "feet"], Execution::Executed), [5, 9, 13]);
    let all = names(&["left_hand", "right_hand", "hands", "feet"]);
    let specs = physionet_mi().runs_for(1, &all, Execution::Imagined).unwrap();
    let maps: Vec<_> = specs.iter().map(|spec| (spec.file.run, spec.markers(&all))).collect();
    assert_eq!(maps.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [4, 6, 8, 10, 12, 14]);
    let map = |t1, t2| MarkerMap::new([("T1".into(), ClassIdx(t1)), ("T2".into(), ClassIdx(t2))]);
    for (run, markers) in maps {
        let expected = if run % 4 == 0 { map(1, 2) } else { map(3, 4) };
        assert_eq!(markers, expected, "run {run}");
    }
}

#[test]
fn classes_are_checked() {
    let runs = |list: &[&str]| physionet_mi().runs_for(1, &names(list), Execution::Imagined);
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
        let file = data.file(2, 4).unwrap();
        let missing = data.locate(dir.path(), &file).unwrap_err().to_string();
        assert!(missing.contains("mindloop download physionet-mi --subjects 2"), "{missing}");
        let path = dir.path().join(prefix).join("S002/S002R04.edf");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"0").unwrap();
        assert_eq!(data.locate(dir.path(), &file), Ok(path));
    }
    assert!(matches!(data.file(110, 4), Err(CatalogError::NoSubject { .. })));
    assert!(matches!(data.file(0, 4), Err(CatalogError::NoSubject { .. })));
    assert!(matches!(data.file(1, 15), Err(CatalogError::NoRun { .. })));
}

#[test]
fn checksums_are_those_published() {
    let data = physionet_mi();
    let sum = data.checksum("S001/S001R01.edf").unwrap();
    assert!(sum.starts_with("4743b736131a7e14") && sum.len() == 64);
    assert_eq!(data.checksum("S099/S099R01.edf"), None);
    let Access::Files { sums: Sums::Published(sums), .. } = data.access else { unreachable!() };
    assert_eq!(sums.lines().count(), 35);
    assert_eq!(checksum_in("xyz  a.edf\n", "a.edf"), None);
}

#[test]
fn every_entry_is_sound() {
    for data in Dataset::all() {
        if ["folder", "bids"].contains(&data.name) {
            continue;
        }
        assert_eq!(Dataset::find(data.name).unwrap().name, data.name);
        for text in [&data.title, &data.licence, &data.citation, &data.doi, &data.home_url] {
            assert!(!text.is_empty(), "{}", data.name);
        }
        assert!(data.doi.starts_with("10.") && data.home_url.starts_with("http"), "{}", data.name);
        for [tmin, tmax] in [data.task_interval_secs, data.epoch_interval_secs] {
            assert!(tmin < tmax && tmax > 0.0, "{}", data.name);
        }
        assert!(data.rate_hz > 0.0 && data.n_channels > 0 && data.n_subjects > 0);
        let n_named = data.channels.len();
        assert!(n_named == 0 || n_named == data.n_channels, "{}: {n_named} channels", data.name);
        if let Layout::InFolder(_) = data.layout {
            assert!(matches!(data.files(1), Err(CatalogError::NotLooked { .. })));
            continue;
        }
        assert!(!data.class_names().is_empty(), "{}", data.name);
        for subject in 1..=data.n_subjects {
            check_files(data, &data.files(subject).unwrap());
        }
    }
}

/// Sessions from 0 and runs ascend, and no recording is listed twice.
fn check_files(data: &Dataset, files: &[RunFile]) {
    let places: Vec<_> = files.iter().map(|file| (file.session, file.run)).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{}: {places:?}", data.name);
    assert_eq!(places[0].0, 0, "{}", data.name);
    let is_next = |two: &[(u32, u32)]| two[1].0 - two[0].0 <= 1;
    assert!(places.windows(2).all(is_next), "{}: {places:?}", data.name);
    let mut held: Vec<_> = files.iter().map(|file| (&file.path, file.part)).collect();
    held.sort_unstable();
    held.dedup();
    assert_eq!(held.len(), files.len(), "{}", data.name);
    for file in files {
        let is_clean = !file.path.starts_with('/') && !file.path.split('/').any(|p| p == "..");
        assert!(is_clean, "{}: {}", data.name, file.path);
    }
}

#[test]
fn runs_that_are_one_task_are_covered_by_its_intervals() {
    let classes = names(&["eyes_closed", "eyes_open"]);
    let specs = physionet_mi().runs_for(7, &classes, Execution::Imagined).unwrap();
    assert_eq!(specs.len(), 2);
    assert_eq!(specs[1].cued, [(CueOn::WholeRun, "eyes_closed".to_owned())]);
    assert_eq!(specs[0].markers(&classes), MarkerMap::default());
    assert_eq!(physionet_mi().cues_of("eyes_open", Execution::Imagined), [&CueOn::WholeRun]);
    assert_eq!(physionet_mi().cues_of("feet", Execution::Executed).len(), 1);
}
