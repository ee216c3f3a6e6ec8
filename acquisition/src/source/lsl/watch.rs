//! The thread beside an LSL source: clock offsets, recoveries, and whether a sender
//! that came back is still the same stream. Off the path of the data, because asking
//! the network takes time.

use crate::health::Health;
use crate::lsl::inlet::{self, DataInlet, MarkerInlet, RemoteClock};
use crate::lsl::local_clock;
use crate::lsl::resolve::{self, Found, Query};
use crate::signal::StreamInfo;
use crate::source::SourceError;
use crate::sync::OffsetFilter;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the thread looks. liblsl itself asks for the clock every two seconds.
const PERIOD: Duration = Duration::from_millis(500);

/// How long it waits for an answer; also the longest time a source takes to drop.
const ANSWER: Duration = Duration::from_secs(1);

/// Without data for this long it asks who the sender is now.
const STALE_SECS: f64 = 1.5;

/// What the source and the thread tell each other.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Bits of an `f64`: what to add to a marker's stamp to be on the data's clock.
    marker_shift_secs: AtomicU64,
    /// Bits of an `f64`: when data came last, local time.
    last_data_secs: AtomicU64,
    changed: OnceLock<String>,
}

/// The source's handle on the thread.
pub(super) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Makes the first clock probes, waiting at most `timeout` where their answers are
    /// needed at once, and starts the thread.
    pub(super) fn start(
        found: &Found,
        data: &DataInlet,
        markers: Option<&MarkerInlet>,
        health: Arc<Health>,
        timeout: Duration,
    ) -> Result<Self, SourceError> {
        let shared = Arc::new(Shared::default());
        let mut watcher = Watcher {
            shared: Arc::clone(&shared),
            health,
            data: Clock::new(data.clock()),
            markers: markers.map(|m| Clock::new(m.clock())),
            same_host: markers
                .is_some_and(|m| !m.host().is_empty() && m.host() == data.info().host),
            info: data.info().clone(),
            uid: found.uid.clone(),
        };
        watcher.first_probes(timeout)?;
        let thread = std::thread::Builder::new()
            .name("ml-lsl-clock".into())
            .spawn(move || watcher.run())
            .map_err(|e| SourceError::Transport(e.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What to add to a marker's stamp to be on the data's clock. No lock.
    pub(super) fn marker_shift_secs(&self) -> f64 {
        f64::from_bits(self.shared.marker_shift_secs.load(Ordering::Relaxed))
    }

    /// Notes that data came. No lock.
    pub(super) fn data_at(&self, now_secs: f64) {
        self.shared.last_data_secs.store(now_secs.to_bits(), Ordering::Relaxed);
    }

    /// How the stream has changed, if it has. No lock.
    pub(super) fn changed(&self) -> Option<&str> {
        self.shared.changed.get().map(String::as_str)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic over there has been reported by its hook; here nothing depends
            // on it any more.
            let _ = thread.join();
        }
    }
}

/// One sender's clock.
struct Clock {
    remote: RemoteClock,
    filter: OffsetFilter,
    /// When the newest probe was made: liblsl hands out the same one until the next.
    newest_secs: Option<f64>,
}

impl Clock {
    fn new(remote: RemoteClock) -> Self {
        Self { remote, filter: OffsetFilter::default(), newest_secs: None }
    }

    /// Takes in the newest probe.
    fn probe(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let (probe, made_secs) = self.remote.probe(timeout)?;
        if self.newest_secs != Some(made_secs) {
            self.newest_secs = Some(made_secs);
            self.filter.push(probe);
        }
        Ok(())
    }
}

/// What the thread works on.
struct Watcher {
    shared: Arc<Shared>,
    health: Arc<Health>,
    data: Clock,
    markers: Option<Clock>,
    same_host: bool,
    info: StreamInfo,
    /// Identity of the sender's run that was last known to be the same stream.
    uid: String,
}

impl Watcher {
    /// Sets the probing of clocks going, and waits for the first answers where markers
    /// can't be placed without: not if both senders share a machine or there are no
    /// markers.
    fn first_probes(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let clocks = std::iter::once(&self.data).chain(&self.markers);
        for clock in clocks {
            // liblsl goes on probing after the millisecond that it is asked to wait.
            let _ = clock.remote.probe(Duration::from_millis(1));
        }
        if let Some(markers) = &mut self.markers
            && !self.same_host
        {
            self.data.probe(timeout)?;
            markers.probe(timeout)?;
            self.publish();
        }
        Ok(())
    }

    fn run(mut self) {
        // The first answers take longer than a period.
        let mut wait = ANSWER;
        loop {
            std::thread::park_timeout(wait);
            if self.shared.stop.load(Ordering::Relaxed) {
                return;
            }
            self.look();
            wait = PERIOD;
        }
    }

    /// One round.
    fn look(&mut self) {
        let was_recovered = self.data.remote.was_recovered();
        if was_recovered {
            self.health.recovered();
            self.data.filter.reset();
        }
        if let Some(markers) = &mut self.markers
            && markers.remote.was_recovered()
        {
            markers.filter.reset();
        }
        let last_data_secs = f64::from_bits(self.shared.last_data_secs.load(Ordering::Relaxed));
        let is_stale = local_clock().0 - last_data_secs > STALE_SECS;
        if was_recovered || (is_stale && last_data_secs > 0.0) {
            self.identify();
        }
        let clocks = std::iter::once(&mut self.data).chain(self.markers.as_mut());
        let n_failed = clocks.map(|clock| clock.probe(Duration::ZERO)).filter(Result::is_err);
        for _ in 0..n_failed.count() {
            self.health.probe_failed();
        }
        self.publish();
    }

    /// Publishes by how much the clocks differ; what can't be told stays as it was.
    fn publish(&self) {
        let Some(markers) = &self.markers else { return };
        let offset =
            |clock: &Clock| clock.filter.offset_secs().zip(clock.filter.best_round_trip_secs());
        let Some(((d, d_trip), (m, m_trip))) = offset(&self.data).zip(offset(markers)) else {
            return;
        };
        // Either offset is good to half its round trip.
        let is_same = self.same_host && (m - d).abs() <= d_trip + m_trip;
        let shift_secs = if is_same { 0.0 } else { m - d };
        self.shared.marker_shift_secs.store(shift_secs.to_bits(), Ordering::Relaxed);
    }

    /// Looks who sends under this identity now, and whether it is the same stream.
    fn identify(&mut self) {
        let Ok(query) = Query::property("source_id", &self.info.source_id) else { return };
        let Ok(found) = resolve::resolve(&query, ANSWER) else { return };
        // With several of that name liblsl doesn't reconnect, nor do we choose.
        let [found] = &found[..] else { return };
        if found.uid == self.uid {
            return;
        }
        match inlet::describe(found, ANSWER) {
            Ok(description) => match difference(&self.info, &description.info) {
                None => self.uid.clone_from(&found.uid),
                Some(what) => self.report(what),
            },
            Err(SourceError::Unusable(what)) => self.report(what),
            // Gone again, or not answering yet: ask in the next round.
            Err(_) => {}
        }
    }

    fn report(&self, what: String) {
        // The first report stands; the source fails on it for good.
        let _ = self.shared.changed.set(what);
    }
}

/// What differs between a stream and what came back in its place, if it matters.
fn difference(before: &StreamInfo, now: &StreamInfo) -> Option<String> {
    if before.rate != now.rate {
        return Some(format!("{} Hz became {} Hz", before.rate.hz(), now.rate.hz()));
    }
    if before.n_channels() != now.n_channels() {
        return Some(format!("{} channels became {}", before.n_channels(), now.n_channels()));
    }
    let mut pairs = before.channels.iter().zip(&now.channels).enumerate();
    let (idx, (was, is)) = pairs
        .find(|(_, (was, is))| (&was.label, was.kind, was.unit) != (&is.label, is.kind, is.unit))?;
    let show = |c: &crate::signal::ChannelInfo| format!("{} in {}", c.label, c.unit.symbol());
    Some(format!("channel {} was {} and is {}", idx + 1, show(was), show(is)))
}
