//! The command line as the tests run it: what `mindloop` runs, nothing else.

fn main() -> std::process::ExitCode {
    tui::cli::main()
}
