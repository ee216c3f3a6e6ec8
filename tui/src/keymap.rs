//! Which key means what. The one place, with [`crate::terminal`], that knows the
//! terminal library's events.

use crate::message::Action;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Channels that a page key moves by.
const PAGE: i32 = 8;

/// What the help shows: keys and what they do, in reading order.
pub const HELP: [(&str, &str); 9] = [
    ("q, Ctrl-C", "quit"),
    ("space, p", "pause the picture; decisions go on"),
    ("+ -", "larger or smaller traces"),
    ("[ ]", "shorter or longer time"),
    ("up down, k j", "choose a channel"),
    ("PgUp PgDn", "by eight channels; Home End: first, last"),
    ("1 - 5", "overview, signals, spectrum, decoder, events"),
    ("tab", "next screen; shift-tab: previous"),
    ("?, Esc", "this help; close it"),
];

/// The action of a terminal event, if it has one. Releases of keys, the mouse, and
/// resizing have none: every frame is drawn for the size it finds.
pub fn action(event: &Event) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_action(key),
        _ => None,
    }
}

fn key_action(key: &KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Quit);
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char(' ' | 'p') => Action::TogglePause,
        KeyCode::Char('+' | '=') => Action::AmplifyMore,
        KeyCode::Char('-' | '_') => Action::AmplifyLess,
        KeyCode::Char(']') => Action::TimeLonger,
        KeyCode::Char('[') => Action::TimeShorter,
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::PageUp => Action::Move(-PAGE),
        KeyCode::PageDown => Action::Move(PAGE),
        KeyCode::Home => Action::First,
        KeyCode::End => Action::Last,
        KeyCode::Tab => Action::NextScreen,
        KeyCode::BackTab => Action::PreviousScreen,
        KeyCode::Char(digit @ '1'..='5') => Action::Screen(digit as u8 - b'0'),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Action::ToggleHelp,
        KeyCode::Esc => Action::Back,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn both_ways_out_work() {
        assert_eq!(pressed(KeyCode::Char('q'), KeyModifiers::NONE), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(pressed(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
    }

    #[test]
    fn a_key_counts_once() {
        let mut key = KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE);
        assert_eq!(action(&Event::Key(key)), Some(Action::TogglePause));
        key.kind = KeyEventKind::Release;
        assert_eq!(action(&Event::Key(key)), None);
    }

    #[test]
    fn digits_choose_screens() {
        assert_eq!(pressed(KeyCode::Char('5'), KeyModifiers::NONE), Some(Action::Screen(5)));
        assert_eq!(pressed(KeyCode::Char('6'), KeyModifiers::NONE), None);
        assert_eq!(action(&Event::Resize(80, 24)), None);
    }
}
