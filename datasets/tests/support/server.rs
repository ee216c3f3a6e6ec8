//! An HTTP server on the loopback device that misbehaves as it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server does with one request. Requests beyond the script are answered well.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Closes the connection after so many bytes of the body.
    CloseAfter(usize),
    /// Does not say how long the file is: it ends with the connection.
    Endless,
    /// Ignores the request's range and sends everything.
    IgnoreRange,
    /// Sends the file with its first byte changed.
    WrongByte,
    /// Answers with this status and nothing else.
    Status(u16),
}

/// A request: its path, and the start of the range it asked for.
pub type Request = (String, Option<usize>);

/// The server. Its thread ends with the test's process.
pub struct Server {
    pub base_url: String,
    pub requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves `files` by path; each path's faults are used up in their order.
    pub fn start(files: HashMap<String, Vec<u8>>, mut faults: HashMap<String, Vec<Fault>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let base_url = format!("http://{}/files", listener.local_addr().expect("it is bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some((path, start)) = read_request(&stream) else { continue };
                let script = faults.entry(path.clone()).or_default();
                let fault = if script.is_empty() { None } else { Some(script.remove(0)) };
                seen.lock().expect("no test panics with the lock").push((path.clone(), start));
                // The client may hang up first: that is its right.
                let _ = answer(&stream, files.get(&path), start, fault);
            }
        });
        Self { base_url, requests }
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.strip_prefix("GET /files/")?.split(' ').next()?.to_owned();
    let mut start = None;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().ok();
        }
    }
    Some((path, start))
}

fn answer(
    mut stream: &TcpStream,
    file: Option<&Vec<u8>>,
    start: Option<usize>,
    fault: Option<Fault>,
) -> std::io::Result<()> {
    let bare = |status: u16| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let (file, status) = match (file, fault) {
        (_, Some(Fault::Status(status))) => return stream.write_all(bare(status).as_bytes()),
        (None, _) => return stream.write_all(bare(404).as_bytes()),
        (Some(file), _) => (file, if start.is_some() { 206 } else { 200 }),
    };
    let mut body = file.clone();
    let (mut status, mut from, mut until) = (status, start.unwrap_or(0), file.len());
    match fault {
        Some(Fault::IgnoreRange) => (status, from) = (200, 0),
        Some(Fault::WrongByte) => body[0] ^= 1,
        _ if from >= file.len() => return stream.write_all(bare(416).as_bytes()),
        _ => {}
    }
    if let Some(Fault::CloseAfter(n)) = fault {
        until = (from + n).min(file.len());
    }
    let length = file.len() - from;
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\n")?;
    if !matches!(fault, Some(Fault::Endless)) {
        write!(stream, "Content-Length: {length}\r\n")?;
    }
    if status == 206 {
        let last = file.len() - 1;
        write!(stream, "Content-Range: bytes {from}-{last}/{}\r\n", file.len())?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&body[from..until])
}
