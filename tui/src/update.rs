//! The only place where the dashboard's state changes.
//!
//! Thread: the drawing thread, before each frame. Nothing here waits, and nothing is
//! heavier than appending, but for the survey of the channels once per second.

use crate::app::notices::{Level, Notice};
use crate::app::picture::Verdict;
use crate::app::{
    App, Display, Ending, FRESH_SECS, Help, Liveness, SPANS_SECS, Scale, Screen, Truth,
};
use crate::message::{Action, Command, Message};
use acquisition::marker::Cue;
use acquisition::signal::Chunk;
use acquisition::text::printable;
use decoding::session::event::{Decision, Event};

/// Seconds between two surveys of the channels (quality, spectrum).
pub const SURVEY_SECS: f64 = 1.0;

/// Applies one message.
pub fn update(app: &mut App, message: Message) -> Option<Command> {
    match message {
        Message::Tick { now_secs } => tick(app, now_secs),
        Message::Act(action) => return act(app, action),
        Message::Samples(chunk) => samples(app, chunk),
        Message::Event(event) => session_event(app, event),
        Message::Cue(cue) => push_cue(app, cue),
        Message::Health(health) => app.health = Some(app.stamp(health)),
        Message::Latency(latency) => app.newest.latency = Some(app.stamp(latency)),
        Message::Score(score) => app.newest.score = Some(app.stamp(score)),
        Message::Alert(text) => notice(app, Level::Warning, printable(text).into_owned()),
        Message::Ended => end(app, Ending::Regular),
        Message::Failed => end(app, Ending::Failure),
    }
    None
}

fn notice(app: &mut App, level: Level, text: String) {
    app.notices.push(Notice { at_secs: app.now_secs, level, text });
}

fn tick(app: &mut App, now_secs: f64) {
    if !now_secs.is_finite() {
        return;
    }
    if app.now_secs == 0.0 && matches!(app.liveness, Liveness::Waiting { .. }) {
        app.liveness = Liveness::Waiting { since_secs: now_secs };
    }
    app.now_secs = now_secs.max(app.now_secs);
    if let Liveness::Live { newest_secs } = app.liveness
        && app.now_secs - newest_secs > FRESH_SECS
    {
        app.liveness = Liveness::Stale { newest_secs };
        notice(app, Level::Warning, "no frames arrive any more".into());
    }
    survey_if_due(app);
}

/// Surveys the channels when there is something new and the last time is long enough ago.
fn survey_if_due(app: &mut App) {
    let surveyed = app.newest.spectrum.as_ref().map(|s| s.at_secs);
    let due = match (surveyed, app.newest.samples_at_secs) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(last), Some(newest)) => newest - last >= SURVEY_SECS,
    };
    if due {
        app.newest.survey(&app.session, app.channel);
    }
}

fn samples(app: &mut App, chunk: &Chunk) {
    if chunk.is_empty() {
        return;
    }
    if chunk.n_channels() != app.session.info.n_channels() {
        let text = format!(
            "frames of {} channels ignored, {} were declared",
            chunk.n_channels(),
            app.session.info.n_channels()
        );
        return notice(app, Level::Warning, text);
    }
    if let Liveness::Stale { newest_secs } = app.liveness {
        let text = format!("frames again after {:.1} s", app.now_secs - newest_secs);
        notice(app, Level::Info, text);
    }
    app.newest.push_samples(chunk, app.now_secs);
    app.liveness = Liveness::Live { newest_secs: app.now_secs };
}

fn session_event(app: &mut App, event: Event) {
    let rate = app.session.info.rate;
    match event {
        Event::Decision(decision) => decided(app, decision),
        Event::Unusable { end } => {
            if app.newest.verdicts.back().is_none_or(|verdict| verdict.class.is_some()) {
                let text = format!("samples not finite, no decision from {:.1} s", rate.secs(end));
                notice(app, Level::Warning, text);
            }
            app.newest.push_verdict(Verdict { end, class: None }, rate);
        }
        Event::Discontinuity { at, n_missing } => {
            let lost_secs = n_missing as f64 / rate.hz();
            let text = format!(
                "gap: {n_missing} frames ({lost_secs:.2} s) missing before {:.1} s",
                rate.secs(at)
            );
            notice(app, Level::Warning, text);
        }
        Event::Marker(marker) => {
            let text =
                format!("marker {} at {:.2} s", printable(marker.text.as_str()), marker.onset_secs);
            notice(app, Level::Info, text);
        }
    }
}

fn decided(app: &mut App, decision: Decision) {
    let rate = app.session.info.rate;
    let n_skipped = app.newest.verdicts.iter().rev().take_while(|v| v.class.is_none()).count();
    if n_skipped > 0 {
        let text = format!(
            "decisions again from {:.1} s, {n_skipped} windows skipped",
            rate.secs(decision.end)
        );
        notice(app, Level::Info, text);
    }
    let verdict = Verdict { end: decision.end, class: Some(decision.class()) };
    app.newest.push_verdict(verdict, rate);
    app.newest.decision = Some(app.stamp(decision));
}

fn push_cue(app: &mut App, cue: Cue) {
    if !cue.onset_secs.is_finite() {
        return notice(app, Level::Warning, "a cue without a time was ignored".into());
    }
    let task_end_secs = match app.session.truth {
        Truth::Cues { task_secs } => task_secs[1],
        Truth::Unknown => 0.0,
    };
    let now_secs = app.newest.end_secs(app.session.info.rate);
    app.newest.push_cue(cue, task_end_secs, now_secs);
}

fn end(app: &mut App, ending: Ending) {
    if !matches!(app.liveness, Liveness::Ended(_)) {
        app.liveness = Liveness::Ended(ending);
        notice(app, Level::Info, "the stream ended".into());
    }
}

fn act(app: &mut App, action: Action) -> Option<Command> {
    match action {
        Action::Quit => return Some(Command::Quit),
        Action::TogglePause => toggle_pause(app),
        Action::AmplifyMore => amplify(app, -1),
        Action::AmplifyLess => amplify(app, 1),
        Action::TimeLonger => {
            app.scale.span_idx = (app.scale.span_idx + 1).min(SPANS_SECS.len() - 1);
        }
        Action::TimeShorter => app.scale.span_idx = app.scale.span_idx.saturating_sub(1),
        Action::Move(by) => move_by(app, by as isize),
        Action::First => move_by(app, isize::MIN / 2),
        Action::Last => move_by(app, isize::MAX / 2),
        Action::NextScreen => turn(app, 1),
        Action::PreviousScreen => turn(app, Screen::ALL.len() - 1),
        Action::Screen(number) => {
            if let Some(screen) = Screen::ALL.get(usize::from(number).wrapping_sub(1)) {
                app.screen = *screen;
            }
        }
        Action::ToggleHelp => {
            app.help = match app.help {
                Help::Hidden => Help::Shown,
                Help::Shown => Help::Hidden,
            };
        }
        Action::Back => app.help = Help::Hidden,
    }
    None
}

fn toggle_pause(app: &mut App) {
    app.display = match app.display {
        Display::Following => {
            Display::Paused { since_secs: app.now_secs, frozen: Box::new(app.newest.clone()) }
        }
        Display::Paused { .. } => Display::Following,
    };
    choose(app, app.channel);
}

fn amplify(app: &mut App, steps: i32) {
    let to = app.scale.amplitude_steps + steps;
    app.scale.amplitude_steps = to.clamp(-Scale::MAX_STEPS, Scale::MAX_STEPS);
}

fn turn(app: &mut App, by: usize) {
    app.screen = Screen::ALL[(app.screen.position() + by) % Screen::ALL.len()];
}

/// Moves in the list of notices where that fills the screen, else among the channels.
fn move_by(app: &mut App, by: isize) {
    if let Screen::Events { n_skipped } = &mut app.screen {
        let last = app.notices.len().saturating_sub(1);
        *n_skipped = n_skipped.saturating_add_signed(by).min(last);
        return;
    }
    let last = app.session.info.n_channels().saturating_sub(1);
    choose(app, app.channel.saturating_add_signed(by).min(last));
}

/// Chooses a channel; its spectrum is made at once for the picture that is shown.
fn choose(app: &mut App, channel: usize) {
    app.channel = channel;
    let picture = match &mut app.display {
        Display::Following => &mut app.newest,
        Display::Paused { frozen, .. } => frozen,
    };
    if picture.spectrum.as_ref().is_some_and(|s| s.value.channel != channel) {
        picture.survey_channel(&app.session, channel);
    }
}

#[cfg(test)]
mod tests;
