//! Downloads from a server on the loopback device: resumed, refused, checked.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

#[path = "support/server.rs"]
mod server;

use datasets::catalog::Dataset;
use datasets::download::{DownloadError, Plan, Report, Retry, Step, download};
use server::{Fault, Request, Server};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A subject of whom the catalogue holds no checksum, so that the server's list counts.
const SUBJECT: u32 = 99;
const NAME: &str = "S099/S099R04.edf";
const SUMS: &str = "SHA256SUMS.txt";

/// 300 kB that repeat nowhere.
fn contents() -> Vec<u8> {
    (0..75_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn sums() -> Vec<u8> {
    let digest = Sha256::digest(contents());
    let sum = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("{}  LICENSE.txt\n{sum} {NAME}\n", "0".repeat(64)).into_bytes()
}

/// A server with one file and its checksum, and a folder to fetch it into.
fn world(faults: &[Fault]) -> (Server, TempDir) {
    let files = HashMap::from([(NAME.to_owned(), contents()), (SUMS.to_owned(), sums())]);
    let faults = HashMap::from([(NAME.to_owned(), faults.to_vec())]);
    (Server::start(files, faults), TempDir::new().unwrap())
}

fn plan(server: &Server, dir: &Path, subject: u32, runs: &[u32]) -> Plan {
    let dataset = Dataset::find("physionet-mi").unwrap();
    let mut plan = Plan::new(dataset, dir.to_owned(), &[subject], Some(runs)).unwrap();
    plan.base_url.clone_from(&server.base_url);
    plan.retry = Retry { max_tries: 3, first_pause: Duration::ZERO };
    plan
}

fn fetch(server: &Server, dir: &Path) -> Result<Report, DownloadError> {
    download(&plan(server, dir, SUBJECT, &[4]), |_| ())
}

/// The starts of the ranges asked for of the file, in order.
fn starts(server: &Server) -> Vec<Option<usize>> {
    let requests = server.requests.lock().unwrap();
    requests.iter().filter(|(path, _): &&Request| path == NAME).map(|(_, start)| *start).collect()
}

/// The file is here, whole, and nothing else is.
fn assert_whole(dir: &Path) {
    let path = dir.join(NAME);
    assert_eq!(std::fs::read(&path).unwrap(), contents());
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!((names.len(), dir.join("SHA256SUMS.txt.part").exists()), (1, false));
}

#[test]
fn a_file_is_fetched_once_and_told_about() {
    let (server, dir) = world(&[]);
    let mut steps = Vec::new();
    let report = download(&plan(&server, dir.path(), SUBJECT, &[4]), |progress| {
        assert_eq!((progress.file_idx, progress.n_files, progress.name), (0, 1, NAME));
        if let Step::Receiving { n_bytes, n_total_bytes } = progress.step {
            assert_eq!(n_total_bytes, Some(300_000));
            steps.push(n_bytes);
        }
    });
    assert_eq!(report.unwrap(), Report { n_fetched: 1, ..Report::default() });
    assert!(steps.is_sorted() && steps.last() == Some(&300_000), "{steps:?}");
    assert_whole(dir.path());
    assert_eq!(
        fetch(&server, dir.path()).unwrap(),
        Report { n_already_here: 1, ..Report::default() }
    );
    assert_eq!(starts(&server), [None]);
}

#[test]
fn a_dropped_connection_is_resumed() {
    let (server, dir) = world(&[Fault::CloseAfter(100_000), Fault::CloseAfter(50_000)]);
    let mut n_failed = 0;
    let plan = plan(&server, dir.path(), SUBJECT, &[4]);
    let report =
        download(&plan, |p| n_failed += i32::from(matches!(p.step, Step::Retrying { .. })));
    assert_eq!((report.unwrap().n_fetched, n_failed), (1, 2));
    assert_whole(dir.path());
    assert_eq!(starts(&server), [None, Some(100_000), Some(150_000)]);
}

#[test]
fn a_later_call_resumes_too() {
    let (server, dir) = world(&[Fault::CloseAfter(70_000), Fault::Status(503), Fault::Status(500)]);
    let error = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Unreachable { n_tries: 3, .. }), "{error}");
    assert!(error.to_string().ends_with(&format!("{}/{NAME}", server.base_url)), "{error}");
    assert!(!dir.path().join(NAME).exists());
    fetch(&server, dir.path()).unwrap();
    assert_whole(dir.path());
    assert_eq!(starts(&server).last(), Some(&Some(70_000)));
}

#[test]
fn a_server_that_ignores_ranges_sends_it_all_again() {
    let (server, dir) = world(&[Fault::CloseAfter(100_000), Fault::IgnoreRange]);
    fetch(&server, dir.path()).unwrap();
    assert_whole(dir.path());
    assert_eq!(starts(&server), [None, Some(100_000)]);
}

#[test]
fn wrong_content_is_fetched_once_more_and_then_refused() {
    let (server, dir) = world(&[Fault::WrongByte]);
    fetch(&server, dir.path()).unwrap();
    assert_whole(dir.path());
    assert_eq!(starts(&server), [None, None]);

    let (server, dir) = world(&[Fault::WrongByte, Fault::WrongByte]);
    let error = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
    assert_eq!(std::fs::read_dir(dir.path().join("S099")).unwrap().count(), 0);
}

#[test]
fn leftovers_of_any_kind_do_no_harm() {
    let part_of = |dir: &Path| -> PathBuf {
        std::fs::create_dir_all(dir.join("S099")).unwrap();
        dir.join(format!("{NAME}.part"))
    };
    // Bytes of something else, more bytes than the file has, and the whole file.
    let whole = contents();
    for (leftover, n_requests) in [(&vec![7; 1000], 2), (&vec![7; 400_000], 2), (&whole, 0)] {
        let (server, dir) = world(&[]);
        std::fs::write(part_of(dir.path()), leftover).unwrap();
        fetch(&server, dir.path()).unwrap();
        assert_whole(dir.path());
        assert_eq!(starts(&server).len(), n_requests);
    }
    // A complete file with other contents is replaced.
    let (server, dir) = world(&[]);
    part_of(dir.path());
    std::fs::write(dir.path().join(NAME), b"other").unwrap();
    assert_eq!(fetch(&server, dir.path()).unwrap().n_fetched, 1);
    assert_whole(dir.path());
}

#[test]
fn refusals_name_the_url() {
    let (server, dir) = world(&[Fault::Status(404)]);
    let error = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::NotFound { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("base URL") && message.ends_with(NAME), "{message}");

    let (server, dir) = world(&[Fault::Status(403)]);
    let error = fetch(&server, dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Refused { status: 403, .. }), "{error}");

    let error = download(&plan(&server, dir.path(), SUBJECT, &[5]), |_| ()).unwrap_err();
    assert!(matches!(error, DownloadError::NoChecksum { .. }), "{error}");

    let mut elsewhere = plan(&server, dir.path(), 1, &[4]);
    elsewhere.base_url = "not a url".to_owned();
    let error = download(&elsewhere, |_| ()).unwrap_err();
    assert!(matches!(error, DownloadError::BadUrl { .. }), "{error}");
    // Nobody listens on the port of a server that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    elsewhere.base_url = format!("http://{port}");
    let error = download(&elsewhere, |_| ()).unwrap_err();
    assert!(matches!(error, DownloadError::Unreachable { n_tries: 3, .. }), "{error}");
}

#[test]
fn a_list_of_checksums_is_small() {
    // Whether the server says how much it sends, or not.
    for faults in [vec![], vec![Fault::Endless]] {
        let mut list = sums();
        list.resize((16 << 20) + 1, b'\n');
        let files = HashMap::from([(NAME.to_owned(), contents()), (SUMS.to_owned(), list)]);
        let server = Server::start(files, HashMap::from([(SUMS.to_owned(), faults)]));
        let dir = TempDir::new().unwrap();
        let error = fetch(&server, dir.path()).unwrap_err();
        assert!(matches!(error, DownloadError::TooLarge { max_bytes: 16_777_216, .. }), "{error}");
        // Asked once: more of the same would not help.
        assert_eq!(server.requests.lock().unwrap().len(), 1);
        let kept = std::fs::metadata(dir.path().join("SHA256SUMS.txt.part"));
        assert!(kept.is_ok_and(|kept| kept.len() == 0));
    }
}

#[test]
fn files_without_a_checksum_are_fetched_and_said_to_be_unchecked() {
    let dataset = Dataset::find("kalunga2016").unwrap();
    let file = dataset.file(1, 1).unwrap();
    let names = [file.path, file.beside.unwrap()];
    let escaped = |name: &String| name.replace('[', "%5B").replace(']', "%5D");
    let files = names.iter().map(|name| (escaped(name), contents())).collect();
    let faults = HashMap::from([(escaped(&names[0]), vec![Fault::CloseAfter(1000)])]);
    let server = Server::start(files, faults);
    let dir = TempDir::new().unwrap();
    let mut plan = Plan::new(dataset, dir.path().to_owned(), &[1], Some(&[1])).unwrap();
    assert_eq!(plan.files, names);
    plan.base_url.clone_from(&server.base_url);
    plan.retry = Retry { max_tries: 3, first_pause: Duration::ZERO };
    let fetched = Report { n_fetched: 2, n_unchecked: 2, ..Report::default() };
    assert_eq!(download(&plan, |_| ()).unwrap(), fetched);
    for name in &names {
        assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), contents());
    }
    let here = Report { n_already_here: 2, n_unchecked: 2, ..Report::default() };
    assert_eq!(download(&plan, |_| ()).unwrap(), here);
    assert_eq!(server.requests.lock().unwrap().len(), 3);
    // All of a subject: two recordings, each with its events.
    let all = Plan::new(dataset, dir.path().to_owned(), &[1], None).unwrap();
    assert_eq!(all.files.len(), 4);
    assert!(Plan::new(dataset, dir.path().to_owned(), &[1], Some(&[3])).is_err());
}

#[test]
fn recordings_are_fetched_under_the_publishers_paths() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let data = PathBuf::from(std::env::var_os("MINDLOOP_DATA").unwrap_or(default.into()));
    let name = "S001/S001R04.edf";
    let Ok(bytes) = std::fs::read(data.join("eegmmidb").join(name)) else {
        assert!(
            std::env::var("MINDLOOP_REQUIRE_DATA").as_deref() != Ok("1"),
            "recordings are required and not in {}",
            data.display()
        );
        println!("needs recordings");
        return;
    };
    let faults = HashMap::from([(name.to_owned(), vec![Fault::CloseAfter(1_000_000)])]);
    let server = Server::start(HashMap::from([(name.to_owned(), bytes)]), faults);
    let dir = TempDir::new().unwrap();
    // The catalogue holds its checksum: the server's list is not needed.
    download(&plan(&server, dir.path(), 1, &[4]), |_| ()).unwrap();
    let dataset = Dataset::find("physionet-mi").unwrap();
    let path = dataset.locate(dir.path(), &dataset.file(1, 4).unwrap()).unwrap();
    assert_eq!(datasets::reader::read_recording(&path).unwrap().n_samples(), 20_000);
}
