//! Pipelines as a user writes them: listed, printed, read from files, evaluated and
//! trained like those that come with the program.

use decoding::pipeline::{Pipeline, built_in};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cli::{arg, decisions_of_csv, decisions_of_log, run, succeed};
use tests::world;

const EXE: &str = env!("CARGO_BIN_EXE_mindloop-tested");

/// Three bands, their tangent spaces, and C chosen inside the calibration.
const CHOSEN: &str = r#"
name = "bands+chosen"

[[steps]]
step = "filter_bank"
bands_hz = [[8, 12], [12, 20], [20, 30]]

[[steps]]
step = "covariance"

[[steps]]
step = "tangent_space"

[[steps]]
step = "logistic_regression"

[choose]
splits = 2

[[choose.parameters]]
step = "logistic_regression"
parameter = "c"
values = [0.01, 1.0]
"#;

/// Arguments of `command` with subject 1 of the dataset in `data_dir`.
fn of_subject<'a>(command: &'a str, data_dir: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let subject = if command == "train" { "--subject" } else { "--subjects" };
    [&[command, "physionet-mi", "--data-dir", arg(data_dir), subject, "1"][..], more].concat()
}

fn refusal(args: &[&str]) -> String {
    let ended = run(EXE, args);
    assert_eq!(ended.code, Some(1), "{args:?}");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended.stderr
}

#[test]
fn the_list_names_every_built_in_pipeline_and_each_is_printed_as_it_is() {
    let list = succeed(EXE, &["pipelines"]).stdout;
    // The lists of steps that vote stand below their pipeline.
    let of_pipeline = list.lines().filter(|line| !line.starts_with(' '));
    let names: Vec<_> = of_pipeline.filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(names, built_in::all().iter().map(|p| p.name.as_str()).collect::<Vec<_>>());
    for pipeline in built_in::all() {
        let printed = succeed(EXE, &["pipelines", &pipeline.name]).stdout;
        assert_eq!(Pipeline::from_toml(&printed), Ok(pipeline));
    }
}

#[test]
fn a_file_decides_as_the_built_in_pipeline_that_it_describes() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let file = folder.path().join("mine.toml");
    let printed = succeed(EXE, &["pipelines", "csp+lda"]).stdout;
    fs::write(&file, printed.replace("\"csp+lda\"", "\"mine\"")).unwrap();
    let windows = folder.path().join("w.csv");
    let names = format!("csp+lda,{}", arg(&file));
    let more = ["--pipelines", &names, "--no-null", "--windows", arg(&windows)];
    succeed(EXE, &of_subject("evaluate", &data_dir, &more));
    let csv = fs::read_to_string(&windows).unwrap();
    let [built_in, mine] = ["csp+lda", "mine"].map(|p| decisions_of_csv(&csv, "S001R08", p));
    assert!(built_in.len() > 500);
    assert_eq!(mine, built_in);
}

#[test]
fn what_is_chosen_in_training_decides_as_in_the_evaluation() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let [file, windows, model] =
        ["chosen.toml", "w.csv", "model"].map(|name| folder.path().join(name));
    fs::write(&file, CHOSEN).unwrap();
    let more = ["--pipelines", arg(&file), "--no-null", "--windows", arg(&windows)];
    succeed(EXE, &of_subject("evaluate", &data_dir, &more));
    let csv = fs::read_to_string(&windows).unwrap();
    let evaluated = decisions_of_csv(&csv, "S001R08", "bands+chosen");
    assert!(evaluated.len() > 500);
    succeed(EXE, &of_subject("train", &data_dir, &["--pipeline", arg(&file), "-o", arg(&model)]));
    let recording = data_dir.join("S001/S001R08.edf");
    let replay =
        ["replay", arg(&recording), "--model", arg(&model), "--speed", "max", "--headless"];
    assert_eq!(decisions_of_log(&succeed(EXE, &replay).stdout), evaluated);
    // The model says what it chose from.
    let text = fs::read_to_string(&model).unwrap();
    assert!(text.contains("\"candidates\":[{\"values\":[0.01],\"nmcc\":"), "no candidates");
}

#[test]
fn a_file_of_moabb_is_printed_as_ours() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("TSLR.yml");
    let steps = "  - name: Covariances\n    from: pyriemann.estimation\n    parameters:\n      estimator: oas\n\
                 \n  - name: TangentSpace\n    from: pyriemann.tangentspace\n\
                 \n  - name: LogisticRegression\n    from: sklearn.linear_model\n";
    fs::write(&file, format!("name: Tangent Space LR\npipeline:\n{steps}")).unwrap();
    let printed = succeed(EXE, &["pipelines", arg(&file)]).stdout;
    let read = Pipeline::from_toml(&printed).unwrap();
    assert_eq!((read.name.as_str(), read.steps), ("Tangent_Space_LR", built_in::ts_lr().steps));
    fs::write(&file, "name: A\npipeline:\n  - name: Net\n    from: torch\n").unwrap();
    let said = refusal(&["pipelines", arg(&file)]);
    assert!(said.contains("step 1, Net of torch, is no step here"), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_the_nearest_name_and_the_line() {
    let folder = TempDir::new().unwrap();
    let data_dir = world::write_dataset(folder.path());
    let evaluate = |pipeline: &str| {
        refusal(&of_subject("evaluate", &data_dir, &["--pipelines", pipeline, "--no-null"]))
    };
    assert!(evaluate("ts+rl").contains("did you mean `ts+lr`?"));
    assert!(evaluate("none.toml").contains("can't be read: none.toml"));
    let file = folder.path().join("wrong.toml");
    let said_of = |text: &str| {
        fs::write(&file, text).unwrap();
        evaluate(arg(&file))
    };
    let said = said_of(&CHOSEN.replace("tangent_space", "tangent_plane"));
    assert!(said.contains("line 12: no step is called \"tangent_plane\""), "{said}");
    assert!(said.contains("did you mean `tangent_space`?"), "{said}");
    let said = said_of(&CHOSEN.replace("step = \"tangent_space\"", "step = \"recenter\""));
    assert!(said.contains("step 4 `logistic_regression` takes a vector"), "{said}");
    let said = said_of(&CHOSEN.replace("[20, 30]", "[20, 90]"));
    assert!(said.contains("90 Hz is not between 0 and 80 Hz"), "{said}");
    let twice = format!("mdm,{}", arg(&file));
    fs::write(&file, succeed(EXE, &["pipelines", "mdm"]).stdout).unwrap();
    assert!(evaluate(&twice).contains("two pipelines are called mdm"));
}
