use super::*;
use crate::fixture::{FULL, World, drawn, session, text};
use crate::message::Health;
use acquisition::marker::ClassIdx;
use acquisition::time::SampleIndex;

fn act(world: &mut World, action: Action) {
    world.tell(Message::Act(action));
}

fn words(world: &World) -> Vec<&str> {
    world.app.notices.newest_first().map(|notice| notice.text.as_str()).collect()
}

#[test]
fn quit_is_the_one_command() {
    let mut world = World::new(session());
    assert_eq!(update(&mut world.app, Message::Act(Action::Quit)), Some(Command::Quit));
}

#[test]
fn a_stream_lives_goes_stale_and_comes_back() {
    let mut world = World::new(session());
    assert!(matches!(world.app.liveness, Liveness::Waiting { since_secs } if since_secs == 100.0));
    world.run(1.0);
    assert!(matches!(world.app.liveness, Liveness::Live { .. }));
    world.wait(1.0);
    assert!(matches!(world.app.liveness, Liveness::Live { .. }));
    world.wait(0.1);
    assert!(matches!(world.app.liveness, Liveness::Stale { .. }));
    world.run(0.1);
    assert!(matches!(world.app.liveness, Liveness::Live { .. }));
    assert_eq!(words(&world), ["frames again after 1.2 s", "no frames arrive any more"]);
    world.tell(Message::Ended);
    world.wait(9.0);
    assert_eq!(world.app.liveness, Liveness::Ended(Ending::Regular));
}

#[test]
fn a_failure_ends_the_stream_and_says_why() {
    let mut world = World::after(1.0);
    world.tell(Message::Alert("the stream failed: transport failed: on purpose"));
    world.tell(Message::Failed);
    assert_eq!(world.app.liveness, Liveness::Ended(Ending::Failure));
    let shown = text(&drawn(&world.app, FULL, 80, 24));
    assert!(shown.contains("FAILED") && shown.contains("transport failed: on purpose"), "{shown}");
}

#[test]
fn waiting_and_ended_streams_do_not_go_stale() {
    let mut world = World::new(session());
    world.wait(50.0);
    assert!(matches!(world.app.liveness, Liveness::Waiting { .. }) && world.app.notices.is_empty());
}

#[test]
fn time_never_goes_back() {
    let mut world = World::new(session());
    world.tell(Message::Tick { now_secs: 7.0 });
    world.tell(Message::Tick { now_secs: f64::NAN });
    assert_eq!(world.app.now_secs, 100.0);
}

#[test]
fn scales_stop_at_their_ends() {
    let mut world = World::new(session());
    (0..40).for_each(|_| act(&mut world, Action::AmplifyMore));
    assert_eq!(world.app.scale.amplitude_steps, -Scale::MAX_STEPS);
    (0..40).for_each(|_| act(&mut world, Action::AmplifyLess));
    assert_eq!(world.app.scale.amplitude_steps, Scale::MAX_STEPS);
    (0..40).for_each(|_| act(&mut world, Action::TimeLonger));
    assert_eq!(world.app.scale.span_secs(), 20.0);
    (0..40).for_each(|_| act(&mut world, Action::TimeShorter));
    assert_eq!(world.app.scale.span_secs(), 1.0);
}

#[test]
fn channels_are_chosen_and_their_spectrum_follows() {
    let mut world = World::after(2.0);
    act(&mut world, Action::Move(-1));
    assert_eq!(world.app.channel, 0);
    act(&mut world, Action::Move(3));
    assert_eq!(world.app.channel, 3);
    assert_eq!(world.app.newest.spectrum.as_ref().unwrap().value.channel, 3);
    act(&mut world, Action::Last);
    assert_eq!(world.app.channel, 7);
    act(&mut world, Action::First);
    assert_eq!(world.app.channel, 0);
}

#[test]
fn screens_turn_round() {
    let mut world = World::new(session());
    let mut seen = Vec::new();
    for _ in Screen::ALL {
        seen.push(world.app.screen);
        act(&mut world, Action::NextScreen);
    }
    assert_eq!((seen.as_slice(), world.app.screen), (Screen::ALL.as_slice(), Screen::Overview));
    act(&mut world, Action::PreviousScreen);
    assert_eq!(world.app.screen, Screen::Events { n_skipped: 0 });
    act(&mut world, Action::Screen(9));
    act(&mut world, Action::Screen(0));
    assert_eq!(world.app.screen, Screen::Events { n_skipped: 0 });
}

#[test]
fn the_list_of_events_scrolls_within_itself() {
    let mut world = World::new(session());
    (0..5).for_each(|_| world.tell(Message::Alert("look")));
    act(&mut world, Action::Screen(5));
    act(&mut world, Action::Move(3));
    assert_eq!(world.app.screen, Screen::Events { n_skipped: 3 });
    act(&mut world, Action::Last);
    assert_eq!(world.app.screen, Screen::Events { n_skipped: 4 });
    assert_eq!(world.app.channel, 0);
}

#[test]
fn a_pause_keeps_the_old_picture_and_takes_in_the_new() {
    let mut world = World::after(3.0);
    act(&mut world, Action::TogglePause);
    world.run(1.0);
    let shown = world.app.picture().decision.unwrap().value.end;
    let newest = world.app.newest.decision.unwrap().value.end;
    assert_eq!((shown, newest), (SampleIndex(749), SampleIndex(999)));
    act(&mut world, Action::TogglePause);
    assert_eq!(world.app.picture().decision.unwrap().value.end, newest);
}

#[test]
fn unusable_windows_are_told_once_and_their_end_too() {
    let mut world = World::after(3.0);
    for k in 1..=3 {
        world.tell(Message::Event(Event::Unusable { end: SampleIndex(749 + 25 * k) }));
    }
    world.run(0.2);
    let told = words(&world);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("3 windows skipped") && told[1].starts_with("samples not finite"));
}

#[test]
fn frames_of_another_width_are_refused() {
    let mut world = World::after(1.0);
    let mut chunk = Chunk::new(3, 1);
    chunk.extend(&[0.0; 3]);
    world.tell(Message::Samples(&chunk));
    assert_eq!(words(&world), ["frames of 3 channels ignored, 8 were declared"]);
    assert_eq!(world.app.newest.history.end(), SampleIndex(250));
}

#[test]
fn the_timeline_forgets_what_is_off_it() {
    let world = World::after(70.0);
    let verdicts = &world.app.newest.verdicts;
    assert!((300..=301).contains(&verdicts.len()), "{}", verdicts.len());
    let oldest = world.app.newest.cues.front().unwrap().onset_secs;
    assert!((26.0..=36.0).contains(&oldest), "{oldest}");
}

#[test]
fn a_stream_that_begins_anew_forgets_the_old_one() {
    let mut world = World::after(10.0);
    world.at = 0;
    world.run(1.0);
    let newest = &world.app.newest;
    assert_eq!((newest.history.len(), newest.verdicts.len(), newest.cues.len()), (250, 0, 1));
}

#[test]
fn channels_are_surveyed_once_per_second() {
    let mut world = World::new(session());
    let mut made = Vec::new();
    for _ in 0..50 {
        world.run(0.1);
        world.wait(0.0);
        made.extend(world.app.newest.spectrum.as_ref().map(|s| s.at_secs));
    }
    made.dedup();
    assert!((4..=6).contains(&made.len()), "{made:?}");
}

#[test]
fn the_true_class_is_that_of_the_task_under_way() {
    let mut world = World::new(session());
    let cue = |onset_secs, class| Cue { onset_secs, class: ClassIdx(class) };
    world.tell(Message::Cue(cue(1.0, 1)));
    world.tell(Message::Cue(cue(4.0, 2)));
    world.tell(Message::Cue(cue(f64::NAN, 2)));
    let at = |secs| world.app.newest.true_class(secs, [0.0, 4.0]).0;
    assert_eq!([0.5, 1.0, 3.9, 4.0, 7.9, 8.0].map(at), [0, 1, 1, 2, 2, 0]);
}

#[test]
fn a_number_ages() {
    use crate::app::Freshness;
    let mut world = World::new(session());
    world.tell(Message::Health(Health::default()));
    world.wait(1.0);
    let at_secs = world.app.health.unwrap().at_secs;
    assert_eq!(world.app.freshness(at_secs), Freshness::Fresh);
    world.wait(0.5);
    assert_eq!(world.app.freshness(at_secs), Freshness::Old { age_secs: 1.5 });
}
