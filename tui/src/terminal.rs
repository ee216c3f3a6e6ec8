//! The terminal while the dashboard runs: taken over on entry, given back on every
//! way out, a panic included. *Not* what is drawn ([`crate::view`]).

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use std::io::{self, Stdout, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// If standard output is no terminal, or refuses: run without a dashboard.
    ///
    /// # Panics
    /// If another guard lives: one process has one terminal.
    pub fn enter() -> io::Result<Self> {
        assert!(!HELD.swap(true, Ordering::SeqCst), "the terminal is held already");
        install_panic_hook();
        let entered = take_over();
        if entered.is_err() {
            give_back();
        }
        entered.map(|terminal| Self { terminal })
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

fn take_over() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    enable_raw_mode()?;
    // Cleared here and not through ratatui, which asks the terminal for the cursor's
    // position first and fails where no answer comes.
    execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All), Hide)?;
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// Undoes [`take_over`], once. Failures are not reported: there is nowhere to.
fn give_back() {
    if HELD.swap(false, Ordering::SeqCst) {
        leave(&mut io::stdout());
        let _ = disable_raw_mode();
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
    fn a_panic_releases_the_terminal() {
        install_panic_hook();
        HELD.store(true, Ordering::SeqCst);
        let panicked = std::thread::spawn(|| panic!("on purpose")).join();
        assert!(panicked.is_err() && !HELD.load(Ordering::SeqCst));
    }
}
