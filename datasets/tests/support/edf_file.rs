//! Writes small EDF files for tests and benches. It writes what it is told, right or
//! wrong: checking is the reader's part.

/// A signal's header.
#[derive(Clone, Debug)]
pub struct EdfSignal {
    pub label: String,
    pub dimension: &'static str,
    /// Physical minimum and maximum, digital minimum and maximum.
    pub limits: [&'static str; 4],
    pub n_per_record: usize,
}

/// A file: its header's fields, and each data record's bytes.
#[derive(Clone, Debug)]
pub struct EdfFile {
    pub reserved: &'static str,
    pub n_records: String,
    pub record_secs: &'static str,
    pub signals: Vec<EdfSignal>,
    pub records: Vec<Vec<u8>>,
}

/// The text of one of a signal's header fields.
type Text<'a> = &'a dyn Fn(&EdfSignal) -> String;

impl EdfFile {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let n_signals = self.signals.len();
        let header_bytes = (256 * (n_signals + 1)).to_string();
        let fixed: [(&str, usize); 10] = [
            ("0", 8),
            ("X X X X", 80),
            ("Startdate 12-AUG-2009 X X X", 80),
            ("12.08.09", 8),
            ("16.15.00", 8),
            (&header_bytes, 8),
            (self.reserved, 44),
            (&self.n_records, 8),
            (self.record_secs, 8),
            (&n_signals.to_string(), 4),
        ];
        let mut bytes = Vec::new();
        for (text, width) in fixed {
            push(&mut bytes, text, width);
        }
        let field: [(Text, usize); 10] = [
            (&|s| s.label.clone(), 16),
            (&|_| String::new(), 80),
            (&|s| s.dimension.to_owned(), 8),
            (&|s| s.limits[0].to_owned(), 8),
            (&|s| s.limits[1].to_owned(), 8),
            (&|s| s.limits[2].to_owned(), 8),
            (&|s| s.limits[3].to_owned(), 8),
            (&|_| String::new(), 80),
            (&|s| s.n_per_record.to_string(), 8),
            (&|_| String::new(), 32),
        ];
        for (text, width) in field {
            for signal in &self.signals {
                push(&mut bytes, &text(signal), width);
            }
        }
        bytes.extend(self.records.iter().flatten());
        bytes
    }
}

/// A text padded with blanks to `width` bytes.
fn push(bytes: &mut Vec<u8>, text: &str, width: usize) {
    let end = bytes.len() + width;
    bytes.extend(text.bytes().take(width));
    bytes.resize(end, b' ');
}
