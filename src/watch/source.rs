//! What can be watched, by its name on a command line or in a field.

use super::below::files_below;
use super::checkpoints::is_checkpoint;
use super::{CheckpointTree, LogFolder, PORT, Poll, Server, WatchError};
use crate::interop::NAME_PART;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A folder of event files, or of safetensors files.
    Folder(PathBuf),
    /// Connections.
    Tcp {
        /// Where to listen.
        address: SocketAddr,
        /// Whether other machines may connect.
        remote: bool,
    },
}

impl SourceKind {
    /// What `text` means: `tcp`, `tcp:PORT`, or a folder; `listen` is where to listen
    /// instead of on this machine alone.
    ///
    /// # Errors
    /// When it means nothing.
    pub fn parse(text: &str, listen: Option<SocketAddr>) -> Result<Self, String> {
        let port = match text.strip_prefix("tcp") {
            Some("") => Some(PORT),
            Some(rest) if rest.starts_with(':') => {
                let port = rest[1..].parse();
                Some(port.map_err(|_| format!("{text}: a port is a number up to 65535"))?)
            }
            _ => None,
        };
        if let Some(port) = port {
            let own = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            return Ok(SourceKind::Tcp {
                address: listen.unwrap_or(own),
                remote: listen.is_some_and(|address| !address.ip().is_loopback()),
            });
        }
        if listen.is_some() {
            return Err(format!("--listen goes with tcp, and {text} is a folder"));
        }
        let path = Path::new(text);
        if path.is_file() {
            return Err(format!(
                "{text}: this is a file, and a folder is watched; name the one that it lies in"
            ));
        }
        if !path.is_dir() {
            return Err(format!(
                "{text}: there is no such folder; name one of TensorBoard's logs, one of \
                 safetensors checkpoints, or tcp"
            ));
        }
        Ok(SourceKind::Folder(path.to_owned()))
    }
}

/// Something that is watched.
#[derive(Debug)]
pub enum Source {
    /// A folder in which nothing is yet that says what it will be.
    Open(PathBuf),
    /// A folder of event files.
    Log(LogFolder),
    /// A folder of safetensors files, or of such folders.
    Checkpoints(CheckpointTree),
    /// Connections.
    Tcp(Server),
}

impl Source {
    /// Begins to watch.
    ///
    /// # Errors
    /// When there is no such folder, or the address cannot be listened at.
    pub fn open(kind: &SourceKind) -> Result<Self, WatchError> {
        match kind {
            SourceKind::Folder(path) if path.is_dir() => {
                let mut source = Source::Open(path.clone());
                source.decide()?;
                Ok(source)
            }
            SourceKind::Folder(path) => Err(WatchError::Folder {
                path: path.clone(),
                message: "there is no such folder".to_owned(),
            }),
            SourceKind::Tcp { address, remote } => {
                Ok(Source::Tcp(Server::bind(*address, *remote)?))
            }
        }
    }

    /// What is new since the last look. Never waits for anybody.
    pub fn poll(&mut self) -> Poll {
        // A folder that is gone may come back.
        let _ = self.decide();
        match self {
            Source::Log(folder) => folder.poll(),
            Source::Checkpoints(folder) => folder.poll(),
            Source::Tcp(server) => server.poll(),
            Source::Open(_) => Poll::default(),
        }
    }

    /// The folder in which nothing was found yet, if so.
    pub fn undecided(&self) -> Option<&Path> {
        match self {
            Source::Open(path) => Some(path),
            _ => None,
        }
    }

    /// A folder with safetensors files and no event files is one of checkpoints; one with
    /// event files is one of logs. Where it has neither, the folders below it say the same.
    fn decide(&mut self) -> Result<(), WatchError> {
        let Source::Open(path) = self else {
            return Ok(());
        };
        let (mut log, mut checkpoints) = (None, None);
        files_below(path, &mut |_, entry, depth| {
            // All of a folder is seen before what lies deeper.
            if log.is_some() || checkpoints.is_some_and(|upper: usize| upper == 0 && depth > 0) {
                return ControlFlow::Break(());
            }
            if entry.file_name().to_string_lossy().contains(NAME_PART) {
                log = Some(depth);
            } else if is_checkpoint(&entry.path()) {
                checkpoints.get_or_insert(depth);
            }
            ControlFlow::Continue(())
        });
        let path = path.clone();
        if log.is_some() {
            *self = Source::Log(LogFolder::open(&path)?);
        } else if checkpoints.is_some() {
            *self = Source::Checkpoints(CheckpointTree::open(&path)?);
        }
        Ok(())
    }
}
