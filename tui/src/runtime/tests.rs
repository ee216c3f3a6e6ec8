use super::*;
use acquisition::marker::Marker;
use acquisition::text::InlineText;
use decoding::session::event::Event;

fn shared() -> Arc<Shared> {
    Arc::new(Shared::new(Arc::new(Health::default())))
}

fn output() -> Output {
    let marker = Marker { onset_secs: 1.0, duration_secs: 0.0, text: InlineText::new("left") };
    Output { decoder_idx: 0, event: Event::Marker(marker), took_nanos: 0 }
}

#[test]
fn what_a_full_queue_drops_is_counted_for_its_listener_alone() {
    let shared = shared();
    let (screen, heard) = Listener::new(Audience::Screen, Overflow::DropNewest);
    for _ in 0..EVENT_QUEUE + 3 {
        screen.tell(output(), &shared);
    }
    let missed = Audience::ALL.map(|audience| shared.missed_events.by(audience));
    assert_eq!((missed, heard.len()), ([0, 3, 0], EVENT_QUEUE));
}

#[test]
fn a_listener_that_left_misses_nothing() {
    let shared = shared();
    for overflow in [Overflow::Wait, Overflow::DropNewest] {
        let (record, heard) = Listener::new(Audience::Record, overflow);
        drop(heard);
        record.tell(output(), &shared);
    }
    assert_eq!(shared.missed_events.by(Audience::Record), 0);
}

#[test]
fn a_panic_of_a_thread_ends_the_session_and_says_so() {
    let shared = shared();
    let thread = spawn("ml-decode", &shared, || panic!("on purpose")).unwrap();
    assert!(join::<()>(thread, "ml-decode").is_err() && shared.is_stopping());
    assert!(shared.failure.get().unwrap().contains("ml-decode"));
}

#[test]
fn a_thread_that_ends_leaves_the_session_running() {
    let shared = shared();
    let thread = spawn("ml-publish", &shared, || 7).unwrap();
    assert_eq!((join(thread, "ml-publish").unwrap(), shared.is_stopping()), (7, false));
}
