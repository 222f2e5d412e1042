//! An event file that may grow while it is read.

use super::decode::{Decoder, Event};
use super::record::{Piece, next_piece};
use crate::interop::InteropError;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// So many bytes are taken from the file at once; more where one record is longer.
const CHUNK: u64 = 1 << 20;

/// A record that could not be read, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFault {
    /// Bytes from the start of the file to the record.
    pub offset: u64,
    /// What is wrong, and what was done about it.
    pub message: String,
}

impl std::fmt::Display for EventFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.message)
    }
}

/// What a look at a file found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Growth {
    /// The events since the last look, in the file's order.
    pub events: Vec<Event>,
    /// Records that could not be read.
    pub faults: Vec<EventFault>,
    /// Whether the file was found to be shorter than before, and was begun anew.
    pub restarted: bool,
    /// Whether there is more to be read at once.
    pub more: bool,
}

/// Reads an event file from its start and goes on where it ended as it grows.
#[derive(Debug, Clone)]
pub struct EventReader {
    path: PathBuf,
    /// Where the next record begins.
    offset: u64,
    /// How much has to be there before another look makes sense.
    needed: u64,
    /// Nobody knows where the next record begins.
    lost: bool,
    decoder: Decoder,
}

impl EventReader {
    /// A reader at the start of a file, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        EventReader {
            path: path.to_owned(),
            offset: 0,
            needed: 1,
            lost: false,
            decoder: Decoder::default(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next record begins: bytes from the file's start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads on, about a megabyte at most.
    ///
    /// # Errors
    /// When the file cannot be read. Damaged records are no error, but among the faults.
    pub fn poll(&mut self) -> Result<Growth, InteropError> {
        let io = |error| InteropError::io(&self.path, error);
        let mut growth = Growth::default();
        let mut file = File::open(&self.path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        if length < self.offset {
            *self = EventReader::new(&self.path);
            growth.restarted = true;
        }
        if self.lost || length < self.offset.saturating_add(self.needed) {
            return Ok(growth);
        }
        let io = |error| InteropError::io(&self.path, error);
        file.seek(SeekFrom::Start(self.offset)).map_err(io)?;
        let mut bytes = Vec::new();
        let budget = CHUNK.max(self.needed);
        file.take(budget).read_to_end(&mut bytes).map_err(io)?;
        let begin = self.offset;
        self.parse(&bytes, &mut growth);
        growth.more = !self.lost
            && (self.offset > begin || self.needed > budget)
            && length >= self.offset.saturating_add(self.needed);
        Ok(growth)
    }

    /// Takes in what lies from the offset on.
    fn parse(&mut self, bytes: &[u8], growth: &mut Growth) {
        let mut rest = bytes;
        while !self.lost {
            let offset = self.offset;
            let mut fault = |message: String| growth.faults.push(EventFault { offset, message });
            let length = match next_piece(rest) {
                Piece::Partial { length } => {
                    self.needed = length;
                    return;
                }
                Piece::Lost => {
                    fault(
                        "the length of a record does not go with its checksum: the file is \
                         damaged from here on and is not read further"
                            .to_owned(),
                    );
                    self.lost = true;
                    return;
                }
                Piece::Damaged { length } => {
                    fault(
                        "the data of a record do not go with their checksum; it is left out"
                            .to_owned(),
                    );
                    length
                }
                Piece::TooLong { length } => {
                    fault(format!(
                        "a record of {length} bytes is left out: it is too long"
                    ));
                    length
                }
                Piece::Record { data, length } => {
                    if let Err(why) = self.decoder.decode(data, &mut growth.events) {
                        fault(format!("{why}; it is left out"));
                    }
                    length
                }
            };
            self.offset = self.offset.saturating_add(length);
            self.needed = 1;
            rest = usize::try_from(length)
                .ok()
                .and_then(|length| rest.get(length..))
                .unwrap_or_default();
        }
    }
}

/// All events of a whole event file, and what could not be read of it.
pub fn events_of_bytes(bytes: &[u8]) -> (Vec<Event>, Vec<EventFault>) {
    let mut reader = EventReader::new(Path::new(""));
    let mut growth = Growth::default();
    reader.parse(bytes, &mut growth);
    let cut = usize::try_from(reader.offset).is_ok_and(|at| at < bytes.len());
    if cut && !reader.lost {
        growth.faults.push(EventFault {
            offset: reader.offset,
            message: "the last record is cut off".to_owned(),
        });
    }
    (growth.events, growth.faults)
}
