//! Ctrl-C and a polite `kill`: the first one ends the session as the key `q` does, the
//! second one ends the process.

use super::Shared;
use crate::terminal;
use anyhow::{Context as _, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Signals this close together are one request: a closing terminal and `timeout` signal
/// a process and its group both.
const ONE_REQUEST: Duration = Duration::from_millis(250);
/// How long a terminal that takes nothing any more may hold up the process's end.
const TERMINAL_PATIENCE: Duration = Duration::from_millis(200);
/// Exit code after a second signal: what shells report of a process that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// Whom signals are for. Process-wide, because a signal handler is.
static SIGNALS: Mutex<Signals> = Mutex::new(Signals { session: Weak::new(), first: None });

/// Makes signals mean this session, until the next one.
pub fn stop_on_signals(shared: &Arc<Shared>) -> Result<()> {
    static IS_INSTALLED: Mutex<bool> = Mutex::new(false);
    *signals() = Signals { session: Arc::downgrade(shared), first: None };
    let mut is_installed = IS_INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_installed {
        ctrlc::set_handler(on_signal).context("signals can't be handled")?;
        *is_installed = true;
    }
    Ok(())
}

fn signals() -> MutexGuard<'static, Signals> {
    SIGNALS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_signal() {
    let answer = signals().answer(Instant::now());
    match answer {
        Answer::Stop(shared) => shared.request_stop(),
        Answer::Known => {}
        Answer::Leave => {
            terminal::release(TERMINAL_PATIENCE);
            std::process::exit(EXIT_CODE);
        }
    }
}

/// What is remembered between signals.
struct Signals {
    session: Weak<Shared>,
    /// When this session got its first.
    first: Option<Instant>,
}

/// What a signal leads to.
enum Answer {
    /// The session is asked to end.
    Stop(Arc<Shared>),
    /// It has been asked already, by the same request.
    Known,
    /// Asking did not help, or there is no session to ask.
    Leave,
}

impl Signals {
    fn answer(&mut self, now: Instant) -> Answer {
        match (self.first, self.session.upgrade()) {
            (Some(first), _) if now.duration_since(first) < ONE_REQUEST => Answer::Known,
            (None, Some(shared)) => {
                self.first = Some(now);
                Answer::Stop(shared)
            }
            _ => Answer::Leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquisition::health::Health;

    #[test]
    fn the_second_signal_ends_the_process() {
        let shared = Arc::new(Shared::new(Arc::new(Health::default())));
        let mut signals = Signals { session: Arc::downgrade(&shared), first: None };
        let start = Instant::now();
        assert!(matches!(signals.answer(start), Answer::Stop(_)));
        assert!(matches!(signals.answer(start + ONE_REQUEST / 2), Answer::Known));
        assert!(matches!(signals.answer(start + ONE_REQUEST), Answer::Leave));
    }

    #[test]
    fn without_a_session_a_signal_ends_the_process() {
        let mut signals = Signals { session: Weak::new(), first: None };
        assert!(matches!(signals.answer(Instant::now()), Answer::Leave));
    }

    #[test]
    fn one_process_runs_several_sessions() {
        for _ in 0..2 {
            let shared = Arc::new(Shared::new(Arc::new(Health::default())));
            stop_on_signals(&shared).unwrap();
        }
    }
}
