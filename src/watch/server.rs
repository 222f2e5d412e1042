//! Connections over TCP on which runs are sent.

use super::WatchError;
use super::frame::{MOST_BODY, MOST_HEADER, Parsed, frame, parse_frame};
use super::header::{Answer, Header, PROTOCOL};
use super::news::{Begun, Logged, News, Poll, TensorFrame};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// The port unless another is said.
pub const PORT: u16 = 5577;

/// The most connections at once.
const MOST_CLIENTS: usize = 8;
/// So many bytes are taken from a connection at once.
const CHUNK: usize = 256 << 10;
/// So many bytes are taken from a connection in one look.
const BUDGET: usize = 32 << 20;
/// So many looks a connection that was refused is still listened to, so that what it was
/// told is not lost on the way (a connection closed with bytes unread is reset).
const LINGER: u32 = 200;
/// The longest name of a run, and the longest tag, in characters.
const MOST_NAME: usize = 200;

/// Listens at an address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    clients: Vec<Client>,
    /// Where bytes are read to.
    chunk: Vec<u8>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// What came and was not yet understood.
    buffer: Vec<u8>,
    /// So many bytes have to be there before another look makes sense.
    needed: usize,
    run: Option<Arc<str>>,
    /// What it has left out, as it last said.
    dropped: [u64; 2],
    /// Looks that are left to a connection that was refused.
    closing: Option<u32>,
}

/// What became of a connection.
#[derive(Debug, PartialEq)]
enum Fate {
    Stays,
    Ends,
}

impl Server {
    /// Listens at `address`; port 0 takes any that is free. Other machines are listened to
    /// only with `remote`.
    ///
    /// # Errors
    /// When the address is not this machine's own and `remote` is not set, or the system
    /// refuses.
    pub fn bind(address: SocketAddr, remote: bool) -> Result<Self, WatchError> {
        let fault = |message: String| WatchError::Listen {
            address: address.to_string(),
            message,
        };
        if !address.ip().is_loopback() && !remote {
            return Err(fault(
                "other machines could connect there; say --listen if they shall".to_owned(),
            ));
        }
        let io = |error: std::io::Error| {
            fault(match error.kind() {
                ErrorKind::AddrInUse => {
                    format!("{error}; another program has this port, name another: tcp:PORT")
                }
                _ => error.to_string(),
            })
        };
        let listener = TcpListener::bind(address).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        Ok(Server {
            listener,
            address,
            clients: Vec::new(),
            chunk: vec![0; CHUNK],
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many are connected.
    pub fn connections(&self) -> usize {
        self.clients.len()
    }

    /// Takes in whatever has come; never waits.
    pub fn poll(&mut self) -> Poll {
        let mut poll = Poll::default();
        while let Ok((stream, _)) = self.listener.accept() {
            // A connection that cannot be set up is one that is closed.
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            let mut client = Client::new(stream);
            if self.clients.len() >= 2 * MOST_CLIENTS {
                continue;
            }
            if self.clients.len() >= MOST_CLIENTS {
                client.refuse(&format!(
                    "{MOST_CLIENTS} are connected already; no more are taken"
                ));
            }
            self.clients.push(client);
        }
        let chunk = &mut self.chunk;
        self.clients.retain_mut(|client| {
            let stays = client.poll(chunk, &mut poll) == Fate::Stays;
            if let Some(run) = client.run.take_if(|_| !stays) {
                poll.news.push(News::Ended { run });
            }
            stays
        });
        poll
    }
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        // Answers are small; that they go out at once is a courtesy.
        let _ = stream.set_nodelay(true);
        Client {
            stream,
            buffer: Vec::new(),
            needed: 1,
            run: None,
            dropped: [0; 2],
            closing: None,
        }
    }

    fn poll(&mut self, chunk: &mut [u8], poll: &mut Poll) -> Fate {
        let mut taken = 0;
        loop {
            match self.stream.read(chunk) {
                Ok(0) => {
                    if !self.buffer.is_empty() && self.closing.is_none() {
                        let run = self.run.as_deref().unwrap_or("a connection");
                        poll.news
                            .push(News::Word(format!("{run}: it broke off within a frame")));
                    }
                    return Fate::Ends;
                }
                Ok(_) if self.closing.is_some() => {}
                Ok(n) => {
                    self.buffer.extend_from_slice(&chunk[..n]);
                    if self.buffer.len() >= self.needed && !self.understand(poll) {
                        self.closing = Some(LINGER);
                    }
                    taken += n;
                    if taken >= BUDGET {
                        poll.more = true;
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Fate::Ends,
            }
        }
        match &mut self.closing {
            None => Fate::Stays,
            Some(0) => Fate::Ends,
            Some(looks) => {
                *looks -= 1;
                Fate::Stays
            }
        }
    }

    /// Takes whole frames out of the buffer; `false` once the connection is refused.
    fn understand(&mut self, poll: &mut Poll) -> bool {
        let mut begin = 0;
        let refused = loop {
            let bytes = &self.buffer[begin..];
            match parse_frame(bytes) {
                Ok(Parsed::Partial(needed)) => {
                    self.needed = needed;
                    break None;
                }
                Ok(Parsed::Whole { header, body }) => {
                    let contents: Option<Arc<[u8]>> =
                        (!body.is_empty()).then(|| Arc::from(&bytes[body.clone()]));
                    begin += body.end;
                    if let Err(why) = self.take(header, contents, poll) {
                        break Some(why);
                    }
                }
                Err(error) => break Some(error.to_string()),
            }
        };
        self.buffer.drain(..begin);
        let Some(why) = refused else { return true };
        let run = self.run.as_deref().unwrap_or("a connection");
        poll.news.push(News::Word(format!("{run}: refused: {why}")));
        self.refuse(&why);
        false
    }

    fn take(
        &mut self,
        header: Header,
        body: Option<Arc<[u8]>>,
        poll: &mut Poll,
    ) -> Result<(), String> {
        match header {
            Header::Hello {
                protocol,
                run,
                framework,
                structure,
            } => {
                if protocol != PROTOCOL {
                    return Err(format!(
                        "protocol {protocol}; {PROTOCOL} is spoken here: install the package \
                         gradscape that came with this program"
                    ));
                }
                if self.run.is_some() {
                    return Err("a second hello on one connection".to_owned());
                }
                let run: Arc<str> = Arc::from(name(&run)?);
                self.run = Some(Arc::clone(&run));
                self.answer(&Answer::Welcome {
                    protocol: PROTOCOL,
                    max_header: MOST_HEADER,
                    max_body: MOST_BODY,
                });
                poll.news.push(News::Begun(Begun {
                    run,
                    framework: framework.chars().take(MOST_NAME).collect(),
                    structure,
                }));
            }
            Header::Frame {
                step,
                wall,
                rows,
                dropped_frames,
                dropped_rows,
            } => {
                let run = self.run.clone().ok_or("a frame before the hello")?;
                for row in rows {
                    for (tag, value) in row.2 {
                        let metric = Logged {
                            run: Arc::clone(&run),
                            tag: Arc::from(name(&tag)?),
                            step: row.0,
                            wall_time: row.1,
                            value: value.0,
                        };
                        poll.news.push(News::Metric(metric));
                    }
                }
                if let Some(body) = body {
                    poll.news.push(News::Tensors(TensorFrame {
                        run: Arc::clone(&run),
                        step,
                        wall_time: wall,
                        body,
                        grouped: true,
                    }));
                }
                // Frames that are left out are as it should be; rows are worth a word.
                if dropped_rows > self.dropped[1] {
                    poll.news.push(News::Word(format!(
                        "{run}: {dropped_rows} rows of numbers were left out by the sender, which \
                         was faster than its connection"
                    )));
                }
                self.dropped = [dropped_frames, dropped_rows];
            }
            Header::Bye {} => {
                let run = self.run.take().ok_or("a bye before the hello")?;
                poll.news.push(News::Ended { run });
            }
        }
        Ok(())
    }

    fn answer(&mut self, answer: &Answer<'_>) {
        // A small answer goes into the system's buffer at once; one that does not is lost,
        // and the sender notices that by itself.
        if let Ok(text) = serde_json::to_string(answer) {
            let _ = self.stream.write_all(&frame(&text, b""));
        }
    }

    fn refuse(&mut self, message: &str) {
        self.answer(&Answer::Error { message });
        let _ = self.stream.shutdown(Shutdown::Write);
        self.buffer = Vec::new();
        self.closing = Some(LINGER);
    }
}

/// A name that is short and readable.
fn name(text: &str) -> Result<&str, String> {
    let fits = !text.is_empty()
        && text.chars().count() <= MOST_NAME
        && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or_else(|| {
        format!("names of runs and tags have 1 to {MOST_NAME} characters and no control characters")
    })
}
