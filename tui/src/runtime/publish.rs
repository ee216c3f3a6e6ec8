//! Decisions as LSL streams: posteriors as `float32` channels, decisions as markers,
//! for a stimulator, a game or any other LSL program.

use super::listen::Facts;
use super::{Shared, spawn};
use acquisition::lsl::local_clock;
use acquisition::lsl::outlet::DecisionOutlet;
use anyhow::{Context as _, Error, Result};
use crossbeam_channel::Receiver;
use decoding::session::engine::Output;
use decoding::session::event::Event;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Opens the outlets and publishes, on a thread of its own, until the session ends.
/// The stamp is the instant of publication on the LSL clock.
pub fn start(
    name: &str,
    facts: &Facts,
    events: Receiver<Output>,
    shared: &Arc<Shared>,
) -> Result<JoinHandle<Result<()>>> {
    let (classes, simulated) = (facts.classes.clone(), facts.simulated);
    let source_id = format!("mindloop-{name}");
    let name = name.to_owned();
    let publish = move |events: Receiver<Output>| {
        let mut outlet = DecisionOutlet::new(&name, &source_id, &classes, simulated)
            .with_context(|| format!("can't publish decisions as {name}"))?;
        for output in events {
            if let Event::Decision(decision) = output.event {
                let (stamp, class) = (local_clock(), super::class_name(&classes, decision.class()));
                outlet.push_posterior(decision.posterior.as_slice(), stamp)?;
                outlet.push_decision(class, stamp)?;
            }
        }
        Ok(())
    };
    let known = Arc::clone(shared);
    spawn("ml-publish", shared, move || {
        publish(events).inspect_err(|error: &Error| known.failed(error))
    })
}
