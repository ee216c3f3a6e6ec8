//! Serves the library's computations to `tests/compare/peers.py`, which runs each turn
//! and turn about with the Python library that computes the same, on the same arrays, and
//! compares results and times.
//!
//! # Protocol
//! One JSON object a line on standard input; arrays follow their line as little-endian
//! `f64`, row-major. Answers are written likewise to standard output.
//!
//! ```text
//! {"do":"load","name":"x","shape":[64,9600]}  + 64*9600*8 bytes        -> {"loaded":"x"}
//! {"do":"plan","case":"welch","inputs":["x"],"args":{...}}             -> {"planned":"welch"}
//! {"do":"time","calls":10}                                             -> {"nanos":123}
//! {"do":"outputs"}                       -> {"shapes":[[64,161]]} + bytes of each output
//! {"do":"memory"}                        -> {"held":1048576,"peak":2097152}
//! ```
//!
//! What a case does when it is planned is not timed, what it does when it is called is:
//! a case that stands for one call on a whole recording makes its plan inside the call, as
//! its peer does; one that stands for a live step makes it beforehand, as a session does.
//! `memory` says how many bytes are resident, and how many were at most since it was asked
//! last (Linux).
//! An error is answered as `{"error":"..."}`. The end of the input ends the program, so
//! `cargo bench` passes through.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::time::Instant;

mod classifier;
mod conditioning;
mod connectivity;
mod filter;
mod riemann;
mod spatial_filter;
mod spectra;

/// An array of a request or an answer.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// Its elements.
    pub data: Vec<f64>,
}

/// A planned computation.
pub trait Case {
    /// Does it once: this is what is timed.
    fn call(&mut self);

    /// What the last call computed.
    fn outputs(&self) -> Vec<Tensor>;
}

/// What a case is planned from.
pub struct Request<'a> {
    inputs: Vec<&'a Tensor>,
    args: &'a Map<String, Value>,
}

/// Makes a case of a request, or says what is wrong with it.
pub type Plan = fn(&Request<'_>) -> Result<Box<dyn Case>, String>;

/// The cases of every area, by name.
const AREAS: &[&[(&str, Plan)]] = &[
    classifier::CASES,
    conditioning::CASES,
    connectivity::CASES,
    connectivity::models::CASES,
    filter::CASES,
    riemann::CASES,
    spatial_filter::CASES,
    spectra::CASES,
];

impl<'a> Request<'a> {
    /// Input number `k`.
    pub fn input(&self, k: usize) -> Result<&'a Tensor, String> {
        self.inputs.get(k).copied().ok_or_else(|| format!("input {k} is missing"))
    }

    /// The number called `name`.
    pub fn number(&self, name: &str) -> Result<f64, String> {
        self.args.get(name).and_then(Value::as_f64).ok_or_else(|| format!("{name}: no number"))
    }

    /// The count called `name`.
    pub fn count(&self, name: &str) -> Result<usize, String> {
        let count = self.args.get(name).and_then(Value::as_u64);
        count.map(|n| n as usize).ok_or_else(|| format!("{name}: no count"))
    }

    /// The word called `name`.
    pub fn word(&self, name: &str) -> Result<&'a str, String> {
        self.args.get(name).and_then(Value::as_str).ok_or_else(|| format!("{name}: no word"))
    }
}

/// A case of three parts: its state, what a call does to it, and what it shows then.
pub struct Parts<S> {
    state: S,
    call: fn(&mut S),
    outputs: fn(&S) -> Vec<Tensor>,
}

impl<S: 'static> Parts<S> {
    /// The case of these parts.
    pub fn case(state: S, call: fn(&mut S), outputs: fn(&S) -> Vec<Tensor>) -> Box<dyn Case> {
        Box::new(Self { state, call, outputs })
    }
}

impl<S> Case for Parts<S> {
    fn call(&mut self) {
        (self.call)(&mut self.state);
    }

    fn outputs(&self) -> Vec<Tensor> {
        (self.outputs)(&self.state)
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn time(case: &mut dyn Case, calls: u64) -> u128 {
    let start = Instant::now();
    for _ in 0..calls {
        case.call();
    }
    start.elapsed().as_nanos()
}

/// Resident bytes now, and at most since the last call.
#[expect(clippy::disallowed_methods, reason = "a bench reads what the system says of it")]
fn memory() -> Result<(u64, u64), String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).map(str::parse::<u64>);
        kib.and_then(Result::ok).map(|kib| kib * 1024).ok_or(format!("{key} is missing"))
    };
    let found = (bytes("VmRSS:")?, bytes("VmHWM:")?);
    std::fs::write("/proc/self/clear_refs", "5").map_err(|e| e.to_string())?;
    Ok(found)
}

fn find(name: &str) -> Result<Plan, String> {
    let all = AREAS.iter().flat_map(|area| area.iter());
    let found = all.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, plan)| *plan).ok_or_else(|| format!("there is no case {name}"))
}

fn shape_of(request: &Value) -> Result<Vec<usize>, String> {
    let dims = request["shape"].as_array().ok_or("a shape is missing")?;
    dims.iter().map(|d| d.as_u64().map(|n| n as usize).ok_or("no shape".to_owned())).collect()
}

fn load(request: &Value, from: &mut impl Read) -> Result<Tensor, String> {
    let shape = shape_of(request)?;
    let mut bytes = vec![0; shape.iter().product::<usize>() * 8];
    from.read_exact(&mut bytes).map_err(|e| e.to_string())?;
    let (words, _) = bytes.as_chunks::<8>();
    Ok(Tensor { shape, data: words.iter().map(|w| f64::from_le_bytes(*w)).collect() })
}

fn plan(request: &Value, tensors: &HashMap<String, Tensor>) -> Result<Box<dyn Case>, String> {
    let names = request["inputs"].as_array().ok_or("inputs are missing")?;
    let tensor = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        tensors.get(name).ok_or_else(|| format!("{name} is not loaded"))
    };
    let inputs = names.iter().map(tensor).collect::<Result<_, _>>()?;
    let args = request["args"].as_object().ok_or("args are missing")?;
    find(request["case"].as_str().unwrap_or_default())?(&Request { inputs, args })
}

/// The server's state: what was loaded, and the case that is timed.
#[derive(Default)]
struct Server {
    tensors: HashMap<String, Tensor>,
    case: Option<Box<dyn Case>>,
}

impl Server {
    /// Answers one request: a line, and arrays after it.
    fn answer(
        &mut self,
        request: &Value,
        from: &mut impl Read,
    ) -> Result<(Value, Vec<Tensor>), String> {
        let name = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        match name("do").as_str() {
            "load" => {
                self.tensors.insert(name("name"), load(request, from)?);
                Ok((json!({ "loaded": name("name") }), Vec::new()))
            }
            "plan" => {
                self.case = Some(plan(request, &self.tensors)?);
                Ok((json!({ "planned": name("case") }), Vec::new()))
            }
            "time" => {
                let case = self.case.as_mut().ok_or("nothing is planned")?;
                let calls = request["calls"].as_u64().unwrap_or(1);
                Ok((json!({ "nanos": time(case.as_mut(), calls) as u64 }), Vec::new()))
            }
            "memory" => {
                let (held, peak) = memory()?;
                Ok((json!({ "held": held, "peak": peak }), Vec::new()))
            }
            "outputs" => {
                let outputs = self.case.as_ref().ok_or("nothing is planned")?.outputs();
                let shapes: Vec<_> = outputs.iter().map(|t| t.shape.clone()).collect();
                Ok((json!({ "shapes": shapes }), outputs))
            }
            other => Err(format!("unknown request {other}")),
        }
    }
}

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut server = Server::default();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let request = serde_json::from_str(&line).unwrap_or(Value::Null);
        let answered = server.answer(&request, &mut input);
        let (head, tensors) = answered.unwrap_or_else(|e| (json!({ "error": e }), Vec::new()));
        writeln!(output, "{head}")?;
        for value in tensors.iter().flat_map(|t| &t.data) {
            output.write_all(&value.to_le_bytes())?;
        }
        output.flush()?;
        line.clear();
    }
    Ok(())
}
