//! Where JSON lines go: standard output and a file.

use super::Outputs;
use super::json_lines::Line;
use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};

/// What a writer writes to.
#[derive(Debug)]
pub enum Target {
    /// Standard output, whose reader may leave when it has seen enough.
    StandardOutput,
    /// The file of this name.
    Log(String),
}

/// Why a writer was closed.
#[derive(Debug, PartialEq, Eq)]
pub enum Closed {
    /// Whoever read standard output has gone: nobody wants the session any more.
    ReaderLeft,
    /// The event log is incomplete, for this reason.
    Failed(String),
}

/// The writers.
#[derive(Default)]
pub struct Sinks {
    writers: Vec<(Target, Box<dyn Write + Send>)>,
}

impl Sinks {
    /// Opens what the outputs ask for. A log never replaces an existing file.
    pub fn open(outputs: &Outputs) -> Result<Self> {
        let mut sinks = Self::default();
        if outputs.headless {
            sinks.add(Target::StandardOutput, BufWriter::new(io::stdout()));
        }
        if let Some(path) = &outputs.log {
            let file = File::create_new(path)
                .with_context(|| format!("can't create the log {}", path.display()))?;
            sinks.add(Target::Log(path.display().to_string()), BufWriter::new(file));
        }
        Ok(sinks)
    }

    /// One more writer.
    pub(super) fn add(&mut self, target: Target, writer: impl Write + Send + 'static) {
        self.writers.push((target, Box::new(writer)));
    }

    /// Writes a line everywhere; a writer that fails is closed, and it is said why.
    pub(super) fn write(&mut self, line: &Line<'_>) -> Option<Closed> {
        if self.writers.is_empty() {
            return None;
        }
        let mut text = serde_json::to_vec(line).expect("a line is plain data");
        text.push(b'\n');
        self.for_each(|writer| writer.write_all(&text))
    }

    /// Hands on what is buffered, as [`Sinks::write`].
    pub(super) fn flush(&mut self) -> Option<Closed> {
        self.for_each(Write::flush)
    }

    /// Where both writers fail at once, the log's failure is the one that is told.
    fn for_each(
        &mut self,
        mut act: impl FnMut(&mut Box<dyn Write + Send>) -> io::Result<()>,
    ) -> Option<Closed> {
        let mut closed = None;
        self.writers.retain_mut(|(target, writer)| match act(writer) {
            Ok(()) => true,
            Err(error) => {
                closed = Some(target.closed_by(&error));
                false
            }
        });
        closed
    }
}

impl Target {
    fn closed_by(&self, error: &io::Error) -> Closed {
        let name = match self {
            Self::StandardOutput if error.kind() == ErrorKind::BrokenPipe => {
                return Closed::ReaderLeft;
            }
            Self::StandardOutput => "standard output",
            Self::Log(name) => name,
        };
        Closed::Failed(format!("the event log stopped: {name}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that refuses in this way.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn closed(target: Target, kind: ErrorKind) -> Option<Closed> {
        let mut sinks = Sinks::default();
        sinks.add(target, Refusing(kind));
        let closed = sinks.write(&Line::Unusable { sample: 1 });
        assert!(sinks.write(&Line::Unusable { sample: 2 }).is_none(), "it was closed");
        closed
    }

    #[test]
    fn a_reader_that_leaves_is_no_failure_and_a_full_disk_is() {
        let left = closed(Target::StandardOutput, ErrorKind::BrokenPipe);
        assert_eq!(left, Some(Closed::ReaderLeft));
        for (target, kind) in [
            (Target::StandardOutput, ErrorKind::StorageFull),
            (Target::Log("log.jsonl".into()), ErrorKind::StorageFull),
            (Target::Log("log.jsonl".into()), ErrorKind::BrokenPipe),
        ] {
            assert!(matches!(closed(target, kind), Some(Closed::Failed(_))), "{kind}");
        }
    }
}
