//! One HTTP transfer into a partial file: a request for what is missing, and the
//! decision where the answer's bytes belong.

use super::{DownloadError, Step, Tell};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Longest wait for a connection, for an answer, and for the next bytes of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes moved at once.
const BLOCK_BYTES: usize = 1 << 16;

/// How an attempt ended that may be repeated.
pub enum Transfer {
    /// All bytes the server announced are in the file.
    Complete,
    /// The connection broke, for the reason given; what came is kept.
    Broken(String),
}

/// The HTTP client: one per download, so that connections are reused.
pub struct Client {
    agent: Agent,
}

impl Client {
    pub fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .user_agent(concat!("mindloop/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent() }
    }

    /// Asks for what `part` lacks and appends it; begins anew where the server does not
    /// send parts of files. A server that sends more than `max_bytes` is cut off.
    pub fn transfer(
        &self,
        url: &str,
        part: &Path,
        max_bytes: u64,
        tell: Tell,
    ) -> Result<Transfer, DownloadError> {
        let n_here = fs::metadata(part).map_or(0, |metadata| metadata.len());
        let mut request = self.agent.get(url);
        if n_here > 0 {
            request = request.header("Range", format!("bytes={n_here}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return broken_or_bad(error, url),
        };
        let limit = Limit { max_bytes, url };
        match (response.status().as_u16(), range_start(&response)) {
            (200, _) => receive(response, 0, part, limit, tell),
            (206, Some(start)) if start <= n_here => receive(response, start, part, limit, tell),
            // Not the part that was asked for, or none that exists: begin anew.
            (206 | 416, _) => {
                truncate(part)?;
                Ok(Transfer::Broken("the partial file did not fit the server's".into()))
            }
            (404 | 410, _) => Err(DownloadError::NotFound { url: url.to_owned() }),
            (status @ (408 | 425 | 429 | 500..=599), _) => {
                Ok(Transfer::Broken(format!("the server answered with status {status}")))
            }
            (status, _) => Err(DownloadError::Refused { status, url: url.to_owned() }),
        }
    }
}

/// Failures that a repetition may cure, and those that it can't.
fn broken_or_bad(error: ureq::Error, url: &str) -> Result<Transfer, DownloadError> {
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            Err(DownloadError::BadUrl { cause: error.to_string(), url: url.to_owned() })
        }
        other => Ok(Transfer::Broken(other.to_string())),
    }
}

/// Where the bytes of a partial answer begin: `Content-Range: bytes START-END/TOTAL`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// How much of a file is taken.
#[derive(Clone, Copy)]
struct Limit<'a> {
    max_bytes: u64,
    url: &'a str,
}

impl Limit<'_> {
    /// Refuses, and forgets what came, if there are or will be more bytes.
    fn check(self, n_bytes: u64, part: &Path) -> Result<(), DownloadError> {
        if n_bytes <= self.max_bytes {
            return Ok(());
        }
        truncate(part)?;
        let (max_bytes, url) = (self.max_bytes, self.url.to_owned());
        Err(DownloadError::TooLarge { max_bytes, url })
    }
}

/// Writes an answer's bytes into `part` from byte `start` on.
fn receive(
    response: Response<Body>,
    start: u64,
    part: &Path,
    limit: Limit,
    tell: Tell,
) -> Result<Transfer, DownloadError> {
    let io = |cause| DownloadError::from_io(cause, part);
    let n_total_bytes = response.body().content_length().map(|n| n.saturating_add(start));
    limit.check(n_total_bytes.unwrap_or(0), part)?;
    let mut file = open_at(part, start).map_err(io)?;
    let mut reader = response.into_body().into_reader();
    let mut block = vec![0; BLOCK_BYTES];
    let mut n_bytes = start;
    loop {
        tell(Step::Receiving { n_bytes, n_total_bytes });
        let n = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(cause) => return Ok(Transfer::Broken(cause.to_string())),
        };
        n_bytes += n as u64;
        limit.check(n_bytes, part)?;
        file.write_all(&block[..n]).map_err(io)?;
    }
    if n_total_bytes.is_some_and(|total| total != n_bytes) {
        return Ok(Transfer::Broken(format!("the connection closed after {n_bytes} bytes")));
    }
    file.sync_all().map_err(io)?;
    Ok(Transfer::Complete)
}

/// The partial file, cut to `start` bytes, to be written from there.
fn open_at(part: &Path, start: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    Ok(file)
}

fn truncate(part: &Path) -> Result<(), DownloadError> {
    open_at(part, 0).map(drop).map_err(|cause| DownloadError::from_io(cause, part))
}
