//! Zip archives in memory, unpacked within a bound however much their members claim.

use std::io::{Cursor, Read};
use zip::ZipArchive;

/// How much more than the file's own size its members may unpack to, all together.
const HEADROOM: usize = 48 << 20;

/// The most members that are listed.
const MOST_MEMBERS: usize = 100_000;

/// An archive of which members are taken by name.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be unpacked.
    left: usize,
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| format!("begins as a zip archive and is cut or damaged: {error}"))?;
        if zip.len() > MOST_MEMBERS {
            let members = zip.len();
            return Err(format!(
                "has {members} members; at most {MOST_MEMBERS} are read"
            ));
        }
        Ok(Archive {
            zip,
            left: bytes.len() + HEADROOM,
        })
    }

    /// The members' names, in the order of the archive.
    pub(super) fn names(&self) -> Vec<String> {
        let names = (0..self.zip.len()).filter_map(|i| self.zip.name_for_index(i));
        names.map(str::to_owned).collect()
    }

    /// One member, unpacked.
    pub(super) fn take(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let fault = |message: String| format!("its member {name:?} {message}");
        let member = self.zip.by_name(name);
        let member = member.map_err(|error| fault(format!("cannot be unpacked: {error}")))?;
        let mut bytes = Vec::new();
        let mut bounded = member.take(self.left as u64 + 1);
        let read = bounded.read_to_end(&mut bytes);
        read.map_err(|error| fault(format!("cannot be unpacked: {error}")))?;
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => {
                return Err(fault(format!(
                    "unpacks to more than the {} bytes that are left to a file of this size",
                    self.left
                )));
            }
        }
        Ok(bytes)
    }
}
