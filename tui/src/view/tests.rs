use crate::app::{Screen, Truth};
use crate::fixture::{FULL, Windows, World, drawn, session, text};
use crate::message::{Action, Message};
use acquisition::signal::ChannelInfo;
use acquisition::text::InlineText;
use acquisition::time::SampleIndex;
use decoding::session::event::{Decision, Event, Posterior};
use proptest::prelude::*;
use ratatui::style::Color;

macro_rules! looks {
    ($name:literal, $world:expr, $theme:expr, $width:expr, $height:expr) => {
        insta::assert_snapshot!($name, text(&drawn(&$world.app, $theme, $width, $height)))
    };
}

fn act(world: &mut World, action: Action) {
    world.tell(Message::Act(action));
}

#[test]
fn waiting() {
    let mut world = World::new(session());
    world.wait(3.2);
    looks!("waiting_80x24", world, FULL, 80, 24);
    looks!("waiting_20x5", world, FULL, 20, 5);
}

#[test]
fn live() {
    let world = World::after(28.4);
    looks!("live_80x24", world, FULL, 80, 24);
    looks!("live_160x50", world, FULL, 160, 50);
    looks!("live_20x5", world, FULL, 20, 5);
    looks!("live_ascii_80x24", world, FULL.ascii(), 80, 24);
    looks!("live_ascii_160x50", world, FULL.ascii(), 160, 50);
}

#[test]
fn each_screen() {
    let mut world = World::after(28.4);
    world.tell(Message::Alert("the outlet of decisions has no listener"));
    world.wait(0.3);
    for (number, name) in [(2, "signals"), (3, "spectrum"), (4, "decoder"), (5, "events")] {
        act(&mut world, Action::Screen(number));
        insta::assert_snapshot!(
            format!("screen_{name}_80x24"),
            text(&drawn(&world.app, FULL, 80, 24))
        );
    }
}

#[test]
fn no_score_before_two_classes_were_true() {
    let world = World::after(5.0);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("nMCC      -") && shown.contains("ITR       -"), "{shown}");
    looks!("scores_unknown_80x24", world, FULL, 80, 24);
}

#[test]
fn without_cues_there_is_no_score() {
    let mut session = session();
    session.truth = Truth::Unknown;
    let mut world = World::new(session);
    world.run(5.0);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("nothing to score") && !shown.contains("nMCC"), "{shown}");
}

#[test]
fn a_stale_stream_says_so_and_its_numbers_look_old() {
    let mut world = World::after(28.4);
    let fresh = drawn(&world.app, FULL, 80, 24);
    assert!(!text(&fresh).contains("OLD") && text(&fresh).contains("LIVE"));
    world.wait(0.95);
    assert!(!text(&drawn(&world.app, FULL, 80, 24)).contains("OLD"));
    world.wait(3.5);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("STALE for 4 s") && !shown.contains("LIVE"), "{shown}");
    assert_eq!(shown.matches("4 s OLD").count(), 5, "{shown}");
    looks!("stale_80x24", world, FULL, 80, 24);
    looks!("stale_20x5", world, FULL, 20, 5);
}

#[test]
fn the_rate_of_a_stream_that_stopped_is_not_shown_as_its_rate() {
    let mut world = World::after(28.4);
    world.wait(2.0);
    let health = world.app.health.unwrap().value;
    world.tell(Message::Health(health));
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("rate - of 250 Hz") && shown.contains("lost 0"), "{shown}");
}

#[test]
fn an_ended_stream_shows_final_numbers() {
    let mut world = World::after(28.4);
    world.tell(Message::Ended);
    world.wait(60.0);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(
        shown.contains("ENDED") && shown.contains("final") && !shown.contains("OLD"),
        "{shown}"
    );
}

#[test]
fn a_pause_freezes_the_picture_and_nothing_else() {
    let mut world = World::after(28.4);
    let before = text(&drawn(&world.app, FULL, 80, 24));
    act(&mut world, Action::TogglePause);
    world.run(2.0);
    let paused = text(&drawn(&world.app, FULL, 80, 24));
    assert!(paused.contains("PAUSED 2 s") && paused.contains("LIVE"), "{paused}");
    let traces =
        |shown: &str| -> String { shown.lines().nth(3).unwrap().chars().take(40).collect() };
    assert_eq!(traces(&before), traces(&paused));
    looks!("paused_80x24", world, FULL, 80, 24);
    act(&mut world, Action::TogglePause);
    let after = text(&drawn(&world.app, FULL, 80, 24));
    assert!(!after.contains("PAUSED") && traces(&after) != traces(&before));
}

#[test]
fn help_lies_on_top_and_health_stays_visible() {
    let mut world = World::after(28.4);
    act(&mut world, Action::ToggleHelp);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("not a medical device") && shown.contains("backlog 0.02 s"));
    looks!("help_80x24", world, FULL, 80, 24);
    looks!("help_20x5", world, FULL, 20, 5);
}

/// Faulty channels, a gap, and windows that could not be used.
fn troubled() -> World {
    let mut world = World::after(20.0);
    world.at += 200;
    let at = SampleIndex(world.at);
    world.tell(Message::Event(Event::Discontinuity { at, n_missing: 200 }));
    for _ in 0..25 {
        world.wait(0.1);
        let change = |channel, x: f32| match channel {
            0 => f32::NAN,
            1 => 3.0,
            2 => (20.0 * x).clamp(-100.0, 100.0),
            3 => 90.0 * x,
            _ => x,
        };
        world.step(change, Windows::Unusable);
    }
    world
}

#[test]
fn faults_are_named() {
    let world = troubled();
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    for word in ["NaN", "flat", "railed", "large", "NO DECISION", "4 bad", "×"] {
        assert!(shown.contains(word), "{word} is missing:\n{shown}");
    }
    looks!("faults_80x24", world, FULL, 80, 24);
    looks!("faults_160x50", world, FULL, 160, 50);
    looks!("faults_ascii_80x24", world, FULL.ascii(), 80, 24);
}

/// A session whose every text tries to steer the terminal.
fn hostile() -> World {
    let evil = "\u{1b}[2J\u{7}\u{202e}\r\n\u{9b}31mred";
    let mut session = session();
    session.info.name = evil.into();
    session.info.source_id = evil.into();
    session.info.host = evil.into();
    session.pipeline = evil.into();
    session.info.channels = (0..8).map(|_| ChannelInfo::eeg(evil)).collect();
    session.class_names = vec![evil.into(); 3];
    let mut world = World::new(session);
    world.run(6.0);
    world.tell(Message::Alert(evil));
    let text = InlineText::new(evil);
    let marker = acquisition::marker::Marker { onset_secs: 1.0, duration_secs: 0.0, text };
    world.tell(Message::Event(Event::Marker(marker)));
    world
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let mut world = hostile();
    for screen in Screen::ALL {
        world.app.screen = screen;
        for (width, height) in [(80, 24), (160, 50), (20, 5)] {
            let buffer = drawn(&world.app, FULL, width, height);
            for cell in buffer.content() {
                let steers = |c: char| c.is_control() || c == '\u{202e}';
                assert!(!cell.symbol().chars().any(steers), "{:?}", cell.symbol());
            }
        }
    }
    looks!("hostile_names_80x24", hostile(), FULL, 80, 24);
}

#[test]
fn ascii_means_every_cell() {
    let mut session = session();
    session.info.name = "Gerät 右手 é".into();
    session.info.channels[0].label = "µ右".into();
    let mut world = World::new(session);
    world.run(6.0);
    world.tell(Message::Alert("naïve 右"));
    for screen in Screen::ALL {
        world.app.screen = screen;
        for (width, height) in [(80, 24), (160, 50), (20, 5)] {
            let buffer = drawn(&world.app, FULL.ascii(), width, height);
            assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii()));
        }
    }
}

#[test]
fn no_colour_means_no_cell_has_one_and_the_same_text() {
    for world in [troubled(), World::after(28.4)] {
        let colored = drawn(&world.app, FULL, 160, 50);
        let plain = drawn(&world.app, FULL.without_color(), 160, 50);
        let uncolored =
            |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset);
        assert!(plain.content().iter().all(uncolored));
        assert!(!colored.content().iter().all(uncolored));
        assert_eq!(text(&plain), text(&colored));
    }
}

#[test]
fn simulated_data_is_called_so_at_every_size_and_on_every_screen() {
    let mut world = World::after(6.0);
    for screen in Screen::ALL {
        world.app.screen = screen;
        for (width, height) in [(80, 24), (160, 50), (60, 16), (40, 10), (20, 5), (10, 3)] {
            let shown = text(&drawn(&world.app, FULL, width, height));
            assert!(shown.contains("SIM"), "{width}x{height}\n{shown}");
        }
    }
    world.app.session.info.simulated = false;
    assert!(!text(&drawn(&world.app, FULL, 80, 24)).contains("SIM"));
}

#[test]
fn rate_backlog_and_losses_are_on_every_screen() {
    let mut world = World::after(6.0);
    for screen in Screen::ALL {
        world.app.screen = screen;
        for (width, height) in [(160, 50), (80, 24), (60, 16)] {
            let shown = text(&drawn(&world.app, FULL, width, height));
            for fact in ["249.8", "250", "0.02 s", "drop", "lost"] {
                assert!(shown.contains(fact), "{fact} {width}x{height}\n{shown}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_size_can_be_drawn(
        (width, height, screen) in (1_u16..200, 1_u16..60, 0_usize..5),
        (steps, span, channel) in (-9_i32..=9, 0_usize..5, 0_i32..9),
        (ascii, help, which) in (any::<bool>(), any::<bool>(), 0..3),
    ) {
        let mut world = match which {
            0 => World::after(3.0),
            1 => troubled(),
            _ => hostile(),
        };
        world.app.screen = Screen::ALL[screen];
        world.app.scale.amplitude_steps = steps;
        world.app.scale.span_idx = span;
        act(&mut world, Action::Move(channel));
        if help {
            act(&mut world, Action::ToggleHelp);
        }
        let theme = if ascii { FULL.ascii() } else { FULL };
        let buffer = drawn(&world.app, theme, width, height);
        prop_assert!(text(&buffer).chars().any(|c| !c.is_whitespace()));
    }
}

#[test]
fn the_decided_class_is_shown_where_not_all_fit() {
    let mut session = session();
    session.class_names = (0..16).map(|k| format!("task_{k}")).collect();
    let mut world = World::new(session);
    let mut posterior = vec![0.02; 16];
    posterior[13] = 0.7;
    let posterior = Posterior::try_from(posterior).unwrap();
    let end = SampleIndex(499);
    world.tell(Message::Event(Event::Decision(Decision { end, posterior })));
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("TASK 13") && shown.contains("task_13") && shown.contains("0.70"));
    assert!(shown.contains('~'), "the matrix is cut and must say so:\n{shown}");
}

#[test]
fn labels_that_begin_alike_are_told_apart() {
    let mut session = session();
    session.info.channels = (0..8).map(|c| ChannelInfo::eeg(format!("MEG01{c}3"))).collect();
    let mut world = World::new(session);
    world.run(1.0);
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("MEG0103") && shown.contains("MEG0113"), "{shown}");
}

#[test]
fn streams_without_channels_and_many_classes_can_be_drawn() {
    let mut session = session();
    session.info.channels.clear();
    session.class_names = (0..16).map(|k| format!("class {k}")).collect();
    let mut world = World::new(session);
    world.wait(2.0);
    for (width, height) in [(1, 1), (20, 5), (60, 16), (80, 24), (160, 50)] {
        let buffer = drawn(&world.app, FULL, width, height);
        assert!(!text(&buffer).is_empty());
    }
}
