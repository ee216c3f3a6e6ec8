//! The binary `mindloop`.

fn main() -> std::process::ExitCode {
    tui::cli::main()
}
