//! What `mindloop benchmark` promises: results that a crash, a second run, another number
//! of threads and a damaged store do not change, and errors that name their item.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tests::cli::{arg, end, run, start, succeed};
use tests::world;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// A plan of subject 1, and of more lines, beside a dataset that is made for it.
fn plan(folder: &Path, pipelines: &str, subjects: &str, more: &str) {
    world::write_dataset(folder);
    let text = format!(
        "pipelines = [{pipelines}]\n{more}\n[[datasets]]\nname = \"physionet-mi\"\n\
         subjects = \"{subjects}\"\ndata_dir = \"data\"\n\
         [pseudo_online]\nstep_secs = 0.5\n[offline]\nfolds = 3\n"
    );
    fs::write(folder.join("plan.toml"), text).expect("a writable folder");
}

/// The rows of the results without what differs from run to run: timings.
fn rows(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv_lines(&folder.join("results.csv")).into_iter();
    let names = reader.next().expect("a header");
    let is_timing = |name: &str| name == "time" || name.ends_with("_time");
    let row = |values: Vec<String>| {
        let pairs = names.iter().cloned().zip(values);
        pairs.filter(|(name, _)| !is_timing(name)).collect()
    };
    reader.map(row).collect()
}

/// Values that hold commas are quoted.
fn csv_lines(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("the results");
    let split = |line: &str| {
        let (mut values, mut is_quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => values.push(String::new()),
                c => values.last_mut().expect("one").push(c),
            }
        }
        values
    };
    text.lines().map(split).collect()
}

fn benchmark(folder: &Path, output: &str, threads: &str) -> Vec<String> {
    let text = |path: &Path| arg(path).to_owned();
    let (plan, output) = (folder.join("plan.toml"), folder.join(output));
    let args = ["benchmark", &text(&plan), "--output", &text(&output), "--threads", threads];
    args.map(str::to_owned).to_vec()
}

fn refs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[test]
fn every_item_is_scored_and_a_second_run_computes_nothing() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"mdm\", \"logvar+lda\"", "1", "");
    let args = benchmark(folder.path(), "out", "2");
    let first = succeed(EXE, &refs(&args));
    let csv = fs::read(folder.path().join("out/results.csv")).unwrap();
    let found = rows(&folder.path().join("out"));
    let items: Vec<_> =
        found.iter().map(|row| [&row["mode"], &row["pipeline"]].map(String::as_str)).collect();
    let expected = [
        ["offline", "mdm"],
        ["offline", "logvar+lda"],
        ["pseudo-online", "mdm"],
        ["pseudo-online", "logvar+lda"],
    ];
    assert_eq!(items, expected);
    for row in &found {
        let score: f64 = row["score"].parse().unwrap();
        assert!((0.0..=1.0).contains(&score), "{row:?}");
        assert!(!row["label_p"].is_empty() && row["verdict"] != "no null was run", "{row:?}");
    }
    assert!(first.stdout.contains("within-session, offline"), "{}", first.stdout);
    let second = succeed(EXE, &refs(&args));
    assert!(second.stderr.contains("4 items were in the store already"), "{}", second.stderr);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(fs::read(folder.path().join("out/results.csv")).unwrap(), csv, "timings too");
}

#[test]
fn decision_policies_are_scored_apart_and_pseudo_online_alone() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"logvar+lda\"", "1", "decisions = [\"dwell\"]");
    let args = benchmark(folder.path(), "out", "2");
    let refused = run(EXE, &refs(&args));
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("add \"raw\" to `decisions`"), "{}", refused.stderr);
    plan(folder.path(), "\"logvar+lda\"", "1", "decisions = [\"raw\", \"dwell\"]");
    let done = succeed(EXE, &refs(&args));
    assert!(done.stdout.contains("pseudo-online, stateful"), "{}", done.stdout);
    let found = rows(&folder.path().join("out"));
    let items: Vec<_> = found
        .iter()
        .map(|row| [&row["mode"], &row["pipeline"], &row["memory"]].map(String::as_str))
        .collect();
    let expected = [
        ["offline", "logvar+lda", "memoryless"],
        ["pseudo-online", "logvar+lda", "memoryless"],
        ["pseudo-online", "logvar+lda+dwell", "stateful"],
    ];
    assert_eq!(items, expected);
}

#[test]
fn neither_threads_nor_a_kill_at_any_moment_changes_a_result() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"mdm\", \"ts+lr\", \"logvar+lda\"", "1", "");
    let one = benchmark(folder.path(), "one", "1");
    succeed(EXE, &refs(&one));
    let expected = rows(&folder.path().join("one"));
    assert_eq!(expected.len(), 6);
    // Killed a little later each time, until one run gets to its end.
    let args = benchmark(folder.path(), "killed", "2");
    for tenths in 0_u64.. {
        let mut child = start(EXE, &refs(&args));
        std::thread::sleep(Duration::from_millis(70 * tenths));
        if child.try_wait().unwrap().is_some() {
            end(child);
            break;
        }
        child.kill().unwrap();
        end(child);
    }
    succeed(EXE, &refs(&args));
    assert_eq!(rows(&folder.path().join("killed")), expected);
    for name in ["results.h5", "report.html"] {
        let [one, killed] = ["one", "killed"].map(|folder_of| {
            fs::read(folder.path().join(folder_of).join(name)).expect("an export")
        });
        assert!(one == killed, "{name} differs");
    }
}

#[test]
fn parts_that_are_put_together_are_the_whole() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"mdm\", \"logvar+lda\"", "1", "");
    let whole = benchmark(folder.path(), "whole", "1");
    succeed(EXE, &refs(&whole));
    for (shard, output) in [("1/2", "a"), ("2/2", "b")] {
        let args = benchmark(folder.path(), output, "1");
        succeed(EXE, &[&refs(&args)[..], &["--shard", shard]].concat());
        assert_eq!(rows(&folder.path().join(output)).len(), 2);
    }
    let [a, b, out] = ["a", "b", "merged"].map(|name| folder.path().join(name));
    let merged = succeed(EXE, &["merge", arg(&a), arg(&b), "--output", arg(&out)]);
    assert!(merged.stderr.contains("4 items from 2 folders"), "{}", merged.stderr);
    let args = benchmark(folder.path(), "merged", "1");
    let ended = succeed(EXE, &refs(&args));
    assert!(ended.stderr.contains("4 items were in the store already"), "{}", ended.stderr);
    assert_eq!(rows(&out), rows(&folder.path().join("whole")));
    for shard in ["0/2", "3/2", "half"] {
        let ended = run(EXE, &[&refs(&args)[..], &["--shard", shard]].concat());
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("--shard is written 1/4 to 4/4"), "{}", ended.stderr);
    }
}

#[test]
fn datasets_are_told_apart_by_their_labels() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"logvar+lda\"", "1", "modes = [\"offline\"]");
    let path = folder.path().join("plan.toml");
    let text = fs::read_to_string(&path).unwrap();
    let again = "[[datasets]]\nname = \"physionet-mi\"\nlabel = \"again <b>\"\nsubjects = \"1\"\n\
                 data_dir = \"data\"\n[pseudo_online]";
    fs::write(&path, text.replace("[pseudo_online]", again)).unwrap();
    let ended = succeed(EXE, &refs(&benchmark(folder.path(), "out", "1")));
    for heading in ["physionet-mi, within-session, offline", "again <b>, within-session, offline"] {
        assert!(ended.stdout.contains(heading), "{}", ended.stdout);
    }
    let datasets: Vec<_> =
        rows(&folder.path().join("out")).iter().map(|row| row["dataset"].clone()).collect();
    assert_eq!(datasets, ["physionet-mi", "again <b>"]);
    let report = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(report.contains("again &lt;b&gt;, within-session") && !report.contains("again <b>,"));
}

#[test]
fn scores_grow_with_the_training() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"logvar+lda\"", "1", "modes = [\"offline\"]");
    let path = folder.path().join("plan.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}train_shares = [0.4, 0.7, 1.0]\n")).unwrap();
    let ended = succeed(EXE, &refs(&benchmark(folder.path(), "out", "1")));
    assert!(ended.stdout.contains("log10 n, n training trials"), "{}", ended.stdout);
    let report = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(report.contains("By the amount of training"));
    // One file: nothing is loaded from anywhere.
    for outside in ["src=\"", "href=\"", "@import", "url("] {
        assert!(!report.contains(outside), "{outside}");
    }
}

#[test]
fn only_what_changed_or_was_damaged_is_computed_anew() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"logvar+lda\", \"own.toml\"", "1", "modes = [\"offline\"]");
    let own = |c: f64| {
        let text = format!(
            "name = \"own\"\n[[steps]]\nstep = \"band_pass\"\n[[steps]]\nstep = \"log_variance\"\n\
             [[steps]]\nstep = \"logistic_regression\"\nc = {c}\n"
        );
        fs::write(folder.path().join("own.toml"), text).unwrap();
    };
    let args = benchmark(folder.path(), "out", "1");
    let known = || run(EXE, &refs(&args)).stderr;
    own(1.0);
    assert!(!known().contains("already"));
    own(0.1);
    assert!(known().contains("1 items were in the store already"));
    // The first value again: its result is still there.
    own(1.0);
    assert!(known().contains("2 items were in the store already"));
    let before = rows(&folder.path().join("out"));
    // A letter of one result is changed, and the last line is cut.
    let store = folder.path().join("out/store.jsonl");
    let text = fs::read_to_string(&store).unwrap();
    let damaged = text.replacen("logvar", "lagvar", 1);
    fs::write(&store, &damaged[..damaged.len() - 9]).unwrap();
    let stderr = known();
    assert!(stderr.contains("2 lines of the store were cut or changed"), "{stderr}");
    assert!(stderr.contains("1 items were in the store already"), "{stderr}");
    assert_eq!(rows(&folder.path().join("out")), before);
    // Other data: nothing that was computed from the old is taken for it.
    let recording = world::write_dataset(folder.path()).join("S001/S001R04.edf");
    let mut bytes = fs::read(&recording).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&recording, bytes).unwrap();
    assert!(!known().contains("already"));
}

/// Eyes that follow the cue, below every band that a pipeline decodes from.
#[test]
fn a_planted_eye_movement_is_found() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("people.csv"), "subject,age\n1,30\n").unwrap();
    let more = "modes = [\"offline\"]\n[confounds]\nvariables = [\"gaze\", \"trial_order\"]\n\
                demographics = \"people.csv\"";
    let scored = |is_planted: bool| {
        plan(folder.path(), "\"logvar+lda\"", "1", more);
        world::write_changed_dataset(folder.path(), |run| {
            let (rate, cues) = (run.recording.info.rate, run.cues.clone());
            let recording = Arc::make_mut(&mut run.recording);
            let channels = &recording.info.channels;
            let gaze = ["Fp1", "Fp2"].map(|label| {
                channels.iter().position(|channel| channel.label == label).expect("such a channel")
            });
            for cue in cues.iter().filter(|_| is_planted) {
                let side = if cue.class.0 == 1 { 60.0 } else { -60.0 };
                let start = rate.samples(cue.onset_secs) as usize;
                let end = (start + 640).min(recording.n_samples());
                for sample in start..end {
                    recording.samples[(gaze[0], sample)] += side;
                    recording.samples[(gaze[1], sample)] -= side;
                }
            }
        });
        let output = if is_planted { "planted" } else { "clean" };
        let ended = succeed(EXE, &refs(&benchmark(folder.path(), output, "2")));
        (ended, rows(&folder.path().join(output)).remove(0), folder.path().join(output))
    };
    let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
    let (ended, row, output) = scored(true);
    assert!(number(&row, "confounds_alone") > 0.9, "{row:?}");
    assert_eq!(number(&row, "confounds_alone_p"), 0.005);
    assert!((0.0..=1.0).contains(&number(&row, "without_confounds")), "{row:?}");
    assert!(ended.stdout.contains("confounds alone: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("above chance 1 of 1"), "{}", ended.stdout);
    assert!(ended.stdout.contains("logvar+lda without what they explain: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("too few, or all alike, for what is known"), "{}", ended.stdout);
    let report = fs::read_to_string(output.join("report.html")).unwrap();
    for expected in ["What besides the brain", "<td>gaze</td>", "too few, or all alike"] {
        assert!(report.contains(expected), "{expected}");
    }
    assert!(output.join("figures/physionet-mi-within-session-offline-confounds.svg").is_file());
    let (ended, row, _) = scored(false);
    assert!(number(&row, "confounds_alone_p") > 0.05, "{row:?}");
    let line = "above chance 0 of 1: not distinguishable from chance";
    assert!(ended.stdout.contains(line), "{}", ended.stdout);
    // A table that is not there, and a variable that is none, are told before anything is done.
    for (from, to, expected) in [
        ("people.csv", "folk.csv", "can't be read as a table"),
        ("\"gaze\"", "\"gauze\"", "unknown variant `gauze`"),
        ("\"gaze\"", "\"trial_order\"", "`confounds.variables` lists one twice"),
    ] {
        plan(folder.path(), "\"logvar+lda\"", "1", &more.replacen(from, to, 1));
        let ended = run(EXE, &refs(&benchmark(folder.path(), "out", "1")));
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(expected), "{to}: {}", ended.stderr);
    }
}

#[test]
fn what_memory_does_not_allow_is_refused_and_the_rest_is_the_same() {
    let folder = TempDir::new().unwrap();
    let scored = |memory_mib: usize| {
        let more = format!("modes = [\"offline\"]\nmemory_mib = {memory_mib}");
        plan(folder.path(), "\"mdm\", \"fgmdm\", \"acm+ts+svm\"", "1", &more);
        let output = memory_mib.to_string();
        let ended = run(EXE, &refs(&benchmark(folder.path(), &output, "2")));
        let path = folder.path().join(output).join("results.csv");
        (ended, if path.exists() { rows(path.parent().expect("a folder")) } else { vec![] })
    };
    let (all, whole) = scored(4096);
    assert_eq!((all.code, whole.len()), (Some(0), 3), "{}", all.stderr);
    // Too little for anything, then for some of it alone: what is scored is what it was.
    let (none, found) = scored(1);
    assert_eq!((none.code, found.len()), (Some(1), 0), "{}", none.stderr);
    let asks = "offline, mdm: it needs about 6 MiB of memory and the plan allows 1: raise \
                `memory_mib`";
    assert!(none.stderr.contains(asks), "{}", none.stderr);
    for (memory_mib, n_rows) in [(8, 2), (13, 3)] {
        let (some, found) = scored(memory_mib);
        assert_eq!(found.len(), n_rows, "{memory_mib}: {}", some.stderr);
        assert_eq!(some.code, Some(if n_rows == 3 { 0 } else { 3 }));
        assert_eq!(found, whole[..n_rows]);
    }
}

#[test]
fn what_fails_is_named_and_the_rest_goes_on() {
    let folder = TempDir::new().unwrap();
    plan(folder.path(), "\"logvar+lda\"", "1,9", "modes = [\"offline\"]");
    let args = benchmark(folder.path(), "out", "1");
    let ended = run(EXE, &refs(&args));
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let name = "physionet-mi subject 9, within-session, offline, logvar+lda: subject 9";
    assert!(ended.stderr.contains(name), "{}", ended.stderr);
    assert_eq!(rows(&folder.path().join("out")).len(), 1);
    // A step that can't be run over a whole signal stops its own pipeline alone.
    let comb = "name = \"comb\"\n[[steps]]\nstep = \"comb\"\nline_hz = 40\n[[steps]]\n\
                step = \"log_variance\"\n[[steps]]\nstep = \"lda\"\n";
    fs::write(folder.path().join("comb.toml"), comb).unwrap();
    plan(folder.path(), "\"logvar+lda\", \"comb.toml\"", "1", "modes = [\"offline\"]");
    let ended = run(EXE, &refs(&args));
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let expected = "`comb` is only defined from sample to sample";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    let whole = fs::read_to_string(folder.path().join("plan.toml")).unwrap();
    for (from, to, expected) in [
        ("subjects", "subject", "unknown field `subject`"),
        ("physionet-mi", "physionet-me", "did you mean physionet-mi"),
        ("logvar+lda", "logvar+lda2", "no pipeline is called logvar+lda2"),
        ("offline\"]", "online\"]", "unknown variant `online`"),
        ("folds = 3", "folds = 1", "offline.folds is at least 2"),
        ("folds = 3", "folds = 3\npermutations = 5", "permutations is 0 or at least 19"),
        ("step_secs = 0.5", "step_secs = -1", "step_secs are above 0"),
        (
            "[pseudo_online]",
            "[[datasets]]\nname = \"physionet-mi\"\nsubjects = \"1\"\n[pseudo_online]",
            "two datasets are called physionet-mi: give one of them a `label`",
        ),
    ] {
        fs::write(folder.path().join("plan.toml"), whole.replacen(from, to, 1)).unwrap();
        let ended = run(EXE, &refs(&args));
        assert_eq!(ended.code, Some(1), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{to}: {}", ended.stderr);
    }
}
