//! The one place that calls liblsl's C functions: discovery that keeps what it found
//! (a description that went through XML has lost its address), and inlets that pull
//! into memory of the caller's and may be moved to another thread.
//!
//! What makes this sound: a description is never changed after it was found. An
//! inlet handle is created once, destroyed once, when its
//! last owner goes, and never null. Data are pulled through `&mut RawInlet`, of which
//! there is one per handle; the [`Prober`]s that share the handle call only functions
//! that liblsl documents as usable from other threads and guards by its own locks
//! (time correction, stream information).

#![expect(
    unsafe_code,
    reason = "the safe binding allocates for every sample and its inlet can't change threads"
)]

use crate::sync::Probe;
use crate::text::InlineText;
use ::lsl::Error;
use lsl_sys as sys;
use std::ffi::{CStr, CString, c_char, c_ulong};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most streams one search returns.
const MAX_FOUND: usize = 1024;

/// A stream's description as liblsl found it, with its address.
#[derive(Debug)]
pub(super) struct RawInfo(sys::lsl_streaminfo);

// SAFETY: a plain heap object without thread affinity.
unsafe impl Send for RawInfo {}
// SAFETY: it is only read (`lsl_get_xml`, copying by `lsl_create_inlet`).
unsafe impl Sync for RawInfo {}

impl Drop for RawInfo {
    fn drop(&mut self) {
        // SAFETY: the handle came from liblsl, is not null and is ours alone.
        unsafe { sys::lsl_destroy_streaminfo(self.0) }
    }
}

impl RawInfo {
    /// The description as XML.
    pub(super) fn xml(&self) -> Result<String, Error> {
        // SAFETY: the handle is valid while `self` lives.
        let text = unsafe { sys::lsl_get_xml(self.0) };
        if text.is_null() {
            return Err(Error::Internal);
        }
        // SAFETY: `text` is a C string that liblsl handed over.
        let xml = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        // SAFETY: `text` came from liblsl and is not used after this.
        unsafe { sys::lsl_destroy_string(text) };
        Ok(xml)
    }
}

/// All streams that answer within `wait_secs`.
pub(super) fn resolve_all(wait_secs: f64) -> Result<Vec<RawInfo>, Error> {
    let mut buffer = [std::ptr::null_mut(); MAX_FOUND];
    let len = buffer.len() as u32;
    // SAFETY: liblsl fills at most `len` entries of `buffer`.
    let n_found = unsafe { sys::lsl_resolve_all(buffer.as_mut_ptr(), len, wait_secs) };
    collect(&buffer, n_found)
}

/// Streams an `XPath` predicate matches, as soon as `minimum` have answered.
pub(super) fn resolve_matching(
    predicate: &str,
    minimum: i32,
    wait_secs: f64,
) -> Result<Vec<RawInfo>, Error> {
    let predicate = CString::new(predicate)?;
    let mut buffer = [std::ptr::null_mut(); MAX_FOUND];
    let len = buffer.len() as u32;
    // SAFETY: liblsl fills at most `len` entries of `buffer`; the predicate is a C
    // string that lives through the call.
    let n_found = unsafe {
        let (out, text) = (buffer.as_mut_ptr(), predicate.as_ptr());
        sys::lsl_resolve_bypred(out, len, text, minimum, wait_secs)
    };
    collect(&buffer, n_found)
}

/// Takes over what a search returned.
fn collect(buffer: &[sys::lsl_streaminfo], n_found: i32) -> Result<Vec<RawInfo>, Error> {
    check(n_found)?;
    let found = buffer.iter().take(usize::try_from(n_found).unwrap_or(0));
    Ok(found.filter(|info| !info.is_null()).map(|&info| RawInfo(info)).collect())
}

/// An inlet of liblsl's.
struct Handle {
    inlet: sys::lsl_inlet,
    /// Whether a request for the description is out that was never answered.
    unanswered: AtomicBool,
}

/// An inlet on its way to its end, on a thread of its own.
struct Doomed(sys::lsl_inlet);

// SAFETY: liblsl's inlet has no thread affinity, and a doomed one has no other owner.
unsafe impl Send for Doomed {}

impl Doomed {
    fn destroy(self) {
        // SAFETY: the inlet came from `lsl_create_inlet`, is not null, and nobody
        // else holds it any more.
        unsafe { sys::lsl_destroy_inlet(self.0) }
    }
}

// SAFETY: liblsl's inlet has no thread affinity: it is a heap object whose members
// are reached through its own locks and a single-consumer queue.
unsafe impl Send for Handle {}
// SAFETY: the only function that consumes from the single-consumer queue is called
// through `&mut RawInlet`; everything else reachable through a shared handle locks.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        let doomed = Doomed(self.inlet);
        if !self.unanswered.load(Ordering::Relaxed) {
            return doomed.destroy();
        }
        // liblsl 1.13 waits for ever for its information thread if that is cancelled
        // while it connects. Such an inlet is left to a thread that nobody waits for;
        // if none can be had, it is leaked.
        let _ =
            std::thread::Builder::new().name("ml-lsl-drop".into()).spawn(move || doomed.destroy());
    }
}

/// The one end of an inlet that data are pulled from.
pub(super) struct RawInlet {
    handle: Arc<Handle>,
    n_channels: usize,
}

/// Whether liblsl should look for a sender that went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// It reconnects to whoever comes back with the same identity.
    Reconnect,
    /// The stream has no identity to come back with: it is lost for good.
    GiveUp,
}

impl RawInlet {
    /// An inlet for a stream that was found. `n_channels` is what the caller has
    /// checked its description to say, and not zero. It queues at most
    /// `max_buffered_secs` of data.
    pub(super) fn new(
        info: &RawInfo,
        n_channels: usize,
        max_buffered_secs: i32,
        recovery: Recovery,
    ) -> Result<Self, Error> {
        let recover = i32::from(recovery == Recovery::Reconnect);
        // SAFETY: `info` is valid while borrowed, and the inlet copies it. A chunk
        // length of 0 leaves the chunks as the sender makes them.
        let inlet = unsafe { sys::lsl_create_inlet(info.0, max_buffered_secs, 0, recover) };
        if inlet.is_null() {
            return Err(Error::ResourceCreation);
        }
        let unanswered = AtomicBool::new(false);
        Ok(Self { handle: Arc::new(Handle { inlet, unanswered }), n_channels })
    }

    /// Subscribes, waiting at most `timeout_secs`: what is sent from now on is queued.
    pub(super) fn open(&self, timeout_secs: f64) -> Result<(), Error> {
        let mut code = 0;
        // SAFETY: the handle is valid while `self` lives; `code` outlives the call.
        unsafe { sys::lsl_open_stream(self.handle.inlet, timeout_secs, &raw mut code) };
        check(code)
    }

    /// Something that asks the sender for its clock and description, on any thread.
    pub(super) fn prober(&self) -> Prober {
        Prober(Arc::clone(&self.handle))
    }

    /// Pulls frames that are already here into `samples`, their stamps into `stamps`;
    /// how many frames. Allocation: none of ours.
    ///
    /// # Panics
    /// If `samples` is not `stamps.len()` whole frames.
    pub(super) fn pull_f32(
        &mut self,
        samples: &mut [f32],
        stamps: &mut [f64],
    ) -> Result<usize, Error> {
        assert_eq!(samples.len(), stamps.len() * self.n_channels, "whole frames, one stamp each");
        let mut code = 0;
        // SAFETY: both buffers are exclusively borrowed and liblsl is told their true
        // lengths, which it does not exceed; a frame length of its own that does not
        // divide them makes it return an error.
        let n_values = unsafe {
            sys::lsl_pull_chunk_f(
                self.handle.inlet,
                samples.as_mut_ptr(),
                stamps.as_mut_ptr(),
                samples.len() as c_ulong,
                stamps.len() as c_ulong,
                0.0,
                &raw mut code,
            )
        };
        check(code)?;
        Ok(n_values as usize / self.n_channels)
    }

    /// [`RawInlet::pull_f32`] for values that need an `f64`.
    ///
    /// # Panics
    /// As there.
    pub(super) fn pull_f64(
        &mut self,
        samples: &mut [f64],
        stamps: &mut [f64],
    ) -> Result<usize, Error> {
        assert_eq!(samples.len(), stamps.len() * self.n_channels, "whole frames, one stamp each");
        let mut code = 0;
        // SAFETY: as in `pull_f32`.
        let n_values = unsafe {
            sys::lsl_pull_chunk_d(
                self.handle.inlet,
                samples.as_mut_ptr(),
                stamps.as_mut_ptr(),
                samples.len() as c_ulong,
                stamps.len() as c_ulong,
                0.0,
                &raw mut code,
            )
        };
        check(code)?;
        Ok(n_values as usize / self.n_channels)
    }

    /// Waits at most `timeout_secs` for one frame; its stamp. Allocation: none of ours.
    ///
    /// # Panics
    /// If `frame` is not one frame.
    pub(super) fn wait_f32(
        &mut self,
        frame: &mut [f32],
        timeout_secs: f64,
    ) -> Result<Option<f64>, Error> {
        assert_eq!(frame.len(), self.n_channels, "one frame");
        let (len, mut code) = (frame.len() as i32, 0);
        // SAFETY: `frame` is exclusively borrowed and liblsl is told its true length;
        // it returns an error if a frame of the stream has another.
        let stamp = unsafe {
            let data = frame.as_mut_ptr();
            sys::lsl_pull_sample_f(self.handle.inlet, data, len, timeout_secs, &raw mut code)
        };
        check(code)?;
        Ok((stamp != 0.0).then_some(stamp))
    }

    /// [`RawInlet::wait_f32`] for values that need an `f64`.
    ///
    /// # Panics
    /// As there.
    pub(super) fn wait_f64(
        &mut self,
        frame: &mut [f64],
        timeout_secs: f64,
    ) -> Result<Option<f64>, Error> {
        assert_eq!(frame.len(), self.n_channels, "one frame");
        let (len, mut code) = (frame.len() as i32, 0);
        // SAFETY: as in `wait_f32`.
        let stamp = unsafe {
            let data = frame.as_mut_ptr();
            sys::lsl_pull_sample_d(self.handle.inlet, data, len, timeout_secs, &raw mut code)
        };
        check(code)?;
        Ok((stamp != 0.0).then_some(stamp))
    }

    /// Pulls one sample of a text stream if one is here: its first channel and stamp.
    /// `texts` and `lengths` are scratch of one entry per channel.
    ///
    /// # Panics
    /// If the scratch is shorter than a sample.
    pub(super) fn pull_text(
        &mut self,
        scratch: &mut TextScratch,
    ) -> Result<Option<(InlineText, f64)>, Error> {
        assert!(scratch.texts.len() == self.n_channels, "scratch for one sample");
        let (len, mut code) = (self.n_channels as i32, 0);
        scratch.texts.fill(std::ptr::null_mut());
        // SAFETY: both buffers hold `len` entries; liblsl checks that a sample has as
        // many and fills them with strings it hands over.
        let stamp = unsafe {
            let (texts, lengths) = (scratch.texts.as_mut_ptr(), scratch.lengths.as_mut_ptr());
            sys::lsl_pull_sample_buf(self.handle.inlet, texts, lengths, len, 0.0, &raw mut code)
        };
        check(code)?;
        if stamp == 0.0 {
            return Ok(None);
        }
        let text = scratch.first();
        scratch.release();
        Ok(Some((text, stamp)))
    }
}

/// Where liblsl puts the strings of one sample.
pub(super) struct TextScratch {
    texts: Vec<*mut c_char>,
    lengths: Vec<u32>,
}

// SAFETY: between calls the pointers are null; they are never followed elsewhere.
unsafe impl Send for TextScratch {}

impl TextScratch {
    /// For samples of `n_channels`.
    pub(super) fn new(n_channels: usize) -> Self {
        Self { texts: vec![std::ptr::null_mut(); n_channels], lengths: vec![0; n_channels] }
    }

    /// The first string.
    fn first(&self) -> InlineText {
        let Some((&text, &len)) = self.texts.first().zip(self.lengths.first()) else {
            return InlineText::new("");
        };
        if text.is_null() {
            return InlineText::new("");
        }
        // SAFETY: liblsl handed over `len` initialised bytes at `text`, which are not
        // freed before `release`.
        let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len as usize) };
        InlineText::new(&String::from_utf8_lossy(bytes))
    }

    /// Gives the strings back to liblsl.
    fn release(&mut self) {
        for text in &mut self.texts {
            if !text.is_null() {
                // SAFETY: the string came from liblsl, and the entry is cleared.
                unsafe { sys::lsl_destroy_string(*text) };
                *text = std::ptr::null_mut();
            }
        }
    }
}

/// Asks a stream's sender for its clock and its description.
#[derive(Clone)]
pub(super) struct Prober(Arc<Handle>);

impl Prober {
    /// The newest clock probe and the remote time it was made at; waits for the first
    /// one at most `timeout_secs`. liblsl probes every two seconds in the background.
    pub(super) fn probe(&self, timeout_secs: f64) -> Result<(Probe, f64), Error> {
        let (mut remote_secs, mut round_trip_secs, mut code) = (0.0, 0.0, 0);
        // SAFETY: the handle is valid while `self` lives; the three numbers outlive
        // the call.
        let offset_secs = unsafe {
            sys::lsl_time_correction_ex(
                self.0.inlet,
                &raw mut remote_secs,
                &raw mut round_trip_secs,
                timeout_secs,
                &raw mut code,
            )
        };
        check(code)?;
        Ok((Probe { offset_secs, round_trip_secs }, remote_secs))
    }

    /// Whether the sender was lost and found again since the last call.
    pub(super) fn was_recovered(&self) -> bool {
        // SAFETY: the handle is valid while `self` lives.
        unsafe { sys::lsl_was_clock_reset(self.0.inlet) != 0 }
    }

    /// The stream's whole description as XML.
    pub(super) fn full_xml(&self, timeout_secs: f64) -> Result<String, Error> {
        let mut code = 0;
        self.0.unanswered.store(true, Ordering::Relaxed);
        // SAFETY: the handle is valid while `self` lives; `code` outlives the call.
        let info = unsafe { sys::lsl_get_fullinfo(self.0.inlet, timeout_secs, &raw mut code) };
        check(code)?;
        if info.is_null() {
            return Err(Error::Internal);
        }
        self.0.unanswered.store(false, Ordering::Relaxed);
        RawInfo(info).xml()
    }
}

/// The error a code of liblsl's stands for.
fn check(code: i32) -> Result<(), Error> {
    match code {
        0.. => Ok(()),
        sys::lsl_error_code_t_lsl_timeout_error => Err(Error::Timeout),
        sys::lsl_error_code_t_lsl_lost_error => Err(Error::StreamLost),
        sys::lsl_error_code_t_lsl_argument_error => Err(Error::BadArgument),
        sys::lsl_error_code_t_lsl_internal_error => Err(Error::Internal),
        _ => Err(Error::Unknown),
    }
}
