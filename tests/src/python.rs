//! Other programs that speak our protocols, through a Python interpreter that has
//! `tests/interop-requirements.txt` installed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A command of the interpreter that `MINDLOOP_PYTHON` names; without it the test says
/// so and is to pass.
pub fn command() -> Option<Command> {
    let Some(python) = std::env::var_os("MINDLOOP_PYTHON") else {
        println!("needs MINDLOOP_PYTHON: an interpreter with tests/interop-requirements.txt");
        return None;
    };
    let mut command = Command::new(python);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    Some(command)
}

/// The other end of the LSL tests.
pub fn lsl_script() -> PathBuf {
    crate::data::root().join("tests/reference/interop_lsl.py")
}
