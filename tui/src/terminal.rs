//! The terminal while the dashboard runs: taken over on entry, given back on every
//! way out, a panic included. *Not* what is drawn ([`crate::view`]).

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use std::io::{self, IsTerminal as _, Stdout, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, mpsc};
use std::time::Duration;

/// Whether this process holds the terminal. Process-wide, because the panic hook is.
static HELD: AtomicBool = AtomicBool::new(false);

/// Raw mode, the alternate screen and a hidden cursor for as long as it lives.
///
/// A panic in *any* thread gives the terminal back before its message is printed, so
/// the message is readable; [`TerminalGuard::draw`] then fails, which is how the
/// drawing thread learns of it.
#[derive(Debug)]
pub struct TerminalGuard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl TerminalGuard {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// As [`check`], or if the terminal refuses: run without a dashboard.
    ///
    /// # Panics
    /// If another guard lives: one process has one terminal.
    pub fn enter() -> io::Result<Self> {
        check()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        assert!(!HELD.load(Ordering::SeqCst), "the terminal is held already");
        install_panic_hook();
        enable_raw_mode()?;
        // From here on there is something to undo, and dropping the guard does.
        HELD.store(true, Ordering::SeqCst);
        let guard = Self { terminal };
        // Cleared here and not through ratatui, which asks the terminal for the cursor's
        // position first and fails where no answer comes.
        execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All), Hide)?;
        Ok(guard)
    }

    /// Draws one frame, at the size the terminal has now.
    ///
    /// # Errors
    /// If the terminal is gone, or was given back by a panic elsewhere: quit.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        if !HELD.load(Ordering::SeqCst) {
            return Err(io::Error::other("the terminal was given back after a panic"));
        }
        self.terminal.draw(render).map(|_| ())
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Whether a dashboard can be drawn at all. Writes nothing.
///
/// # Errors
/// If standard output is no terminal, or one that can't move its cursor.
pub fn check() -> io::Result<()> {
    let term = std::env::var("TERM").unwrap_or_default();
    match refusal(io::stdout().is_terminal(), &term) {
        Some(reason) => Err(io::Error::new(io::ErrorKind::Unsupported, reason)),
        None => Ok(()),
    }
}

fn refusal(is_terminal: bool, term: &str) -> Option<&'static str> {
    match (is_terminal, term) {
        (false, _) => Some("standard output is not a terminal"),
        (true, "dumb") => Some("TERM says that the terminal is dumb"),
        (true, _) => None,
    }
}

/// Gives the terminal back from outside the drawing thread, which may be stuck in a
/// terminal that takes nothing any more: waits for `patience` at most.
pub fn release(patience: Duration) {
    if HELD.load(Ordering::SeqCst) {
        let (done, wait) = mpsc::channel();
        std::thread::spawn(move || {
            give_back();
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(patience);
    }
}

/// Undoes [`TerminalGuard::enter`], once. Failures are not reported: there is nowhere to.
fn give_back() {
    if HELD.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
        leave(&mut io::stdout());
    }
}

/// What is written to give a screen back.
fn leave(out: &mut impl Write) {
    let _ = execute!(out, LeaveAlternateScreen, Show);
}

/// Puts the restoration in front of whatever hook there is, once per process.
fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            print(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_shows_the_cursor_and_the_first_screen() {
        let mut written = Vec::new();
        leave(&mut written);
        let text = String::from_utf8(written).unwrap();
        assert!(text.contains("\u{1b}[?1049l") && text.contains("\u{1b}[?25h"), "{text:?}");
    }

    #[test]
    fn only_terminals_that_can_be_drawn_on_are_drawn_on() {
        assert_eq!(refusal(true, "xterm-256color"), None);
        assert!(refusal(true, "dumb").is_some());
        assert!(refusal(false, "xterm-256color").is_some());
    }

    #[test]
    fn a_panic_releases_the_terminal() {
        install_panic_hook();
        HELD.store(true, Ordering::SeqCst);
        let panicked = std::thread::spawn(|| panic!("on purpose")).join();
        assert!(panicked.is_err() && !HELD.load(Ordering::SeqCst));
    }
}
