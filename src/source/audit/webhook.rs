//! [`Webhook`]: what the API server sends events to (`--audit-webhook-config-file`).
//!
//! A body is answered with 200 when the events in it are on the disk, and not before; whatever cannot be taken now is
//! answered so that the API server tries again. What is held at a time is bounded.

use super::http::{Connection, Fault, Head, Length};
use super::tls::{Tls, TlsError};
use crate::sys;
use std::collections::BTreeMap;
use std::io::{self, PipeReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections at a time: in blocking mode an API server has one for each request in flight, 600 at most unless told otherwise.
const MAX_CONNECTIONS: usize = 640;
/// Bytes of bodies that are held at a time, at least one body.
const HELD: usize = 48 << 20;
/// Longest time for one request to come, once it begins, and for a client to say nothing.
const REQUEST: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(300);
/// How long a body waits for memory, its events then to be taken in, and then for the disk: less than the 30 s after which the
/// API server gives up.
const ROOM: Duration = Duration::from_secs(2);
const TAKEN: Duration = Duration::from_secs(5);
const KEPT: Duration = Duration::from_secs(20);
/// Longest time between two looks at whether there is something to do.
const LOOK: Duration = Duration::from_secs(60);
/// And at whether the disk still takes what is written.
const STUCK_LOOK: Duration = Duration::from_millis(100);
/// Seconds after which what could not be taken is to be sent again.
const AGAIN: [u32; 2] = [1, 5];
/// How long nothing is accepted when the system has no room for a connection.
const RECOVER: Duration = Duration::from_millis(100);
/// Refusals that are told one by one.
const MAX_TOLD: u64 = 100;

/// Where to listen, and for whom.
#[derive(Debug, Clone, Default)]
pub struct Listen {
    /// Address and port.
    pub address: String,
    /// Certificate chain and key of the server (PEM); `None`: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Certificates (PEM) of those who sign clients' certificates: only such clients are let in.
    pub client_ca: Option<PathBuf>,
}

/// Why the webhook cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address cannot be listened on.
    #[error(
        "{address}: {source}\nhelp: give --audit-webhook an address of this machine and a free port, such as 127.0.0.1:9099"
    )]
    Address {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates or keys cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What became of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is on the disk.
    Kept,
    /// There are no events in it.
    Refused(String),
}

/// A body that waits for its answer. Dropped without one, it is as if it had not been sent: the API server tries again.
pub struct Body {
    from: String,
    text: Text,
    reply: SyncSender<Answer>,
}

/// The bytes of a body; gives back what it takes of the memory.
#[derive(Default)]
pub struct Text {
    bytes: Vec<u8>,
    _room: Option<Room>,
}

impl std::ops::Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Body {
    /// Who sent it, for messages.
    pub fn place(&self) -> &str {
        &self.from
    }

    /// Its bytes; once.
    pub fn take_text(&mut self) -> Text {
        std::mem::take(&mut self.text)
    }

    /// Answers it.
    pub fn answer(self, answer: Answer) {
        // Whoever asked may have gone.
        let _ = self.reply.try_send(answer);
    }
}

/// The memory for bodies.
#[derive(Default)]
struct Store {
    held: Mutex<usize>,
    freed: Condvar,
}

impl Store {
    /// Takes room for a body, if there is some in time. Whoever waits has not sent its body yet.
    fn room(self: &Arc<Store>, bytes: usize, longest: Duration) -> Option<Room> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |held: &mut usize| *held > 0 && *held + bytes > HELD;
        let waited = self.freed.wait_timeout_while(held, longest, is_full);
        let (mut held, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *held += bytes;
        Some(Room { store: Arc::clone(self), bytes })
    }
}

/// A part of it.
struct Room {
    store: Arc<Store>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        *self.store.held.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.store.freed.notify_all();
    }
}

/// Takes a body in, waiting at most so long for its turn; gives it back if that was not enough.
pub type Take<'a> = &'a (dyn Fn(Body, Duration) -> Option<Body> + Sync);

/// A webhook that listens.
pub struct Webhook {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    limit: usize,
}

impl Webhook {
    /// Listens; bodies have at most `limit` bytes, unpacked.
    ///
    /// # Errors
    /// The address cannot be listened on; certificates or keys cannot be used.
    pub fn open(listen: &Listen, limit: usize) -> Result<Webhook, WebhookError> {
        let tls = match &listen.tls {
            Some((chain, key)) => Some(Arc::new(Tls::open(chain, key, listen.client_ca.as_deref())?)),
            None => None,
        };
        let failed = |source| WebhookError::Address { address: listen.address.clone(), source };
        let listener = TcpListener::bind(&listen.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Webhook { listener, address, tls, limit })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the other end of `stop` is gone; then what was begun is answered. While nothing can be written (`is_stuck`)
    /// nothing is taken, and who waits for the disk is told to send again.
    pub fn serve(self, stop: &PipeReader, take: Take<'_>, is_stuck: &(dyn Fn() -> bool + Sync), tell: fn(&str)) {
        if self.tls.is_none() && !self.address.ip().is_loopback() {
            tell(
                "warning: whoever reaches the webhook can add events\nhelp: --tls-cert, --tls-key and --client-ca let in the API server alone",
            );
        }
        let desk = Desk {
            store: Arc::default(),
            limit: self.limit,
            take,
            is_stuck,
            tell,
            told: AtomicU64::new(0),
            streams: Mutex::default(),
        };
        std::thread::scope(|threads| {
            let mut number = 0u64;
            while !sys::either(self.listener.as_fd(), stop.as_fd(), LOOK)[1] {
                let (stream, peer) = match self.listener.accept() {
                    Ok(accepted) => accepted,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => {
                        // Too many files are open: whoever waits to be accepted still waits.
                        desk.refuse(&format!("no connection can be taken: {error}"));
                        std::thread::sleep(RECOVER);
                        continue;
                    }
                };
                number += 1;
                let Some(stream) = desk.enter(number, stream) else { continue };
                let (desk, tls) = (&desk, self.tls.clone());
                let spawned =
                    std::thread::Builder::new().name("audit client".to_owned()).spawn_scoped(threads, move || {
                        desk.client(&stream, peer, tls);
                        desk.leave(number);
                    });
                if spawned.is_err() {
                    desk.leave(number);
                }
            }
            desk.close();
        });
    }
}

/// What all connections share.
struct Desk<'a> {
    store: Arc<Store>,
    limit: usize,
    take: Take<'a>,
    is_stuck: &'a (dyn Fn() -> bool + Sync),
    tell: fn(&str),
    told: AtomicU64,
    streams: Mutex<BTreeMap<u64, Arc<TcpStream>>>,
}

impl Desk<'_> {
    /// Notes a connection; `None`: there are too many.
    fn enter(&self, number: u64, stream: TcpStream) -> Option<Arc<TcpStream>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.len() >= MAX_CONNECTIONS {
            self.refuse(&format!("expected at most {MAX_CONNECTIONS} connections, found one more"));
            return None;
        }
        stream.set_nonblocking(false).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_write_timeout(Some(KEPT)).ok()?;
        let stream = Arc::new(stream);
        streams.insert(number, Arc::clone(&stream));
        Some(stream)
    }

    fn leave(&self, number: u64) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Nothing more is read: who waits for a request ends, and who waits for an answer gets it.
    fn close(&self) {
        for stream in self.streams.lock().unwrap_or_else(PoisonError::into_inner).values() {
            stream.shutdown(Shutdown::Read).ok();
        }
    }

    /// Says why something was not taken.
    fn refuse(&self, text: &str) {
        if self.told.fetch_add(1, Ordering::Relaxed) < MAX_TOLD {
            (self.tell)(&format!("warning: webhook: {text}"));
        }
    }

    fn client(&self, socket: &TcpStream, peer: SocketAddr, tls: Option<Arc<Tls>>) {
        if socket.set_read_timeout(Some(REQUEST)).is_err() {
            return;
        }
        let Some(tls) = tls else { return self.requests(socket, socket, peer) };
        let config = tls.config(|error| self.refuse(&format!("new certificates are not used: {error}")));
        let Ok(session) = rustls::ServerConnection::new(config) else { return };
        let mut stream = rustls::StreamOwned::new(session, socket);
        // Finished here, so that a client that is not let in is told apart from one that goes away.
        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
            return self.refuse(&format!("{peer} was not let in: {error}"));
        }
        self.requests(stream, socket, peer);
    }

    /// Takes requests until the client goes, or sends what is none.
    fn requests(&self, stream: impl Read + Write, socket: &TcpStream, peer: SocketAddr) {
        let mut connection = Connection::new(stream, Instant::now() + IDLE);
        loop {
            socket.set_read_timeout(Some(IDLE)).ok();
            connection.deadline = Instant::now() + IDLE;
            if !matches!(connection.begins(), Ok(true)) {
                return;
            }
            socket.set_read_timeout(Some(REQUEST)).ok();
            connection.deadline = Instant::now() + REQUEST;
            let asked = match connection.head() {
                Ok(Some(head)) => self.request(&mut connection, &head, peer).map(|()| head.keeps_alive),
                Ok(None) => return,
                Err(fault) => Err(fault),
            };
            let (status, text, after) = match asked {
                Ok(true) => continue,
                Ok(false) => return,
                Err(Fault::Io(error)) => return self.refuse(&format!("{peer}: {error}")),
                Err(Fault::TooLarge) => {
                    let limit = self.limit;
                    (413, format!("expected at most {limit} bytes in a body (--audit-limit), found more"), None)
                }
                Err(Fault::Status(status, expected)) => {
                    (status, expected.to_owned(), Some(AGAIN[0]).filter(|_| status == 429))
                }
            };
            self.refuse(&format!("{peer}: {status}: {text}"));
            if connection.answer(status, &format!("{text}\n"), after, true).is_ok() {
                drain(&mut connection.stream, socket);
            }
            return;
        }
    }

    fn request<S: Read + Write>(
        &self,
        connection: &mut Connection<S>,
        head: &Head,
        peer: SocketAddr,
    ) -> Result<(), Fault> {
        let closes = !head.keeps_alive;
        let path = head.path.split('?').next().unwrap_or_default();
        if head.method == "GET" && matches!(path, "/healthz" | "/readyz" | "/livez") {
            connection.body(head, 0)?;
            return Ok(connection.answer(200, "ok\n", None, closes)?);
        }
        if head.method != "POST" {
            return Err(Fault::Status(405, "expected POST"));
        }
        // What is packed or in chunks may come to as much as is allowed.
        let most = match head.length {
            Length::Known(length) if length > self.limit as u64 => return Err(Fault::TooLarge),
            Length::Known(length) if !head.is_gzip => length as usize,
            _ => self.limit,
        };
        let busy = Fault::Status(429, "expected room in memory, found none: the disk is slower than the events");
        let room = self.store.room(most, ROOM).ok_or(busy)?;
        let text = Text { bytes: connection.body(head, self.limit)?, _room: Some(room) };
        let (reply, answer) = mpsc::sync_channel(1);
        let body = Body { from: format!("webhook, {peer}"), text, reply };
        match self.kept(body, &answer) {
            Some(Answer::Kept) => connection.answer(200, "", None, closes)?,
            Some(Answer::Refused(text)) => {
                self.refuse(&format!("{peer}: 400: {text}"));
                connection.answer(400, &format!("{text}\n"), None, closes)?;
            }
            None => {
                let text = "expected the events on the disk in time, found them waiting";
                self.refuse(&format!("{peer}: 503: {text}"));
                connection.answer(503, &format!("{text}\n"), Some(AGAIN[1]), closes)?;
            }
        }
        Ok(())
    }

    /// Hands a body on and waits for what becomes of it.
    fn kept(&self, body: Body, answer: &Receiver<Answer>) -> Option<Answer> {
        if (self.is_stuck)() || (self.take)(body, TAKEN).is_some() {
            return None;
        }
        let end = Instant::now() + KEPT;
        loop {
            match answer.recv_timeout(STUCK_LOOK) {
                // What was taken is kept once the disk takes it, and comes again: it counts once.
                Err(RecvTimeoutError::Timeout) if Instant::now() < end && !(self.is_stuck)() => {}
                answer => return answer.ok(),
            }
        }
    }
}

/// Reads what a client still sends, within bounds, so that it reads the answer instead of a connection that was reset.
fn drain(stream: &mut impl Read, socket: &TcpStream) {
    socket.shutdown(Shutdown::Write).ok();
    socket.set_read_timeout(Some(Duration::from_secs(2))).ok();
    let end = Instant::now() + Duration::from_secs(5);
    let mut buffer = vec![0; 64 << 10];
    while Instant::now() < end && stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn post(address: SocketAddr, body: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(stream, "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn what_cannot_be_taken_is_to_be_sent_again() {
        let listen = Listen { address: "127.0.0.1:0".to_owned(), ..Listen::default() };
        let webhook = Webhook::open(&listen, 1 << 20).unwrap();
        let address = webhook.address();
        let (stop, keep) = io::pipe().unwrap();
        let [is_slow, is_silent, is_stuck] = [true, false, false].map(AtomicBool::new);
        let silent = Mutex::new(Vec::new());
        let take = |mut body: Body, _: Duration| {
            if is_slow.load(Ordering::Relaxed) {
                return Some(body);
            }
            if is_silent.load(Ordering::Relaxed) {
                silent.lock().unwrap().push(body);
                is_stuck.store(true, Ordering::Relaxed);
                return None;
            }
            let text = body.take_text();
            body.answer(if *text == *b"x" { Answer::Kept } else { Answer::Refused("expected x".to_owned()) });
            None
        };
        std::thread::scope(|threads| {
            let is_stuck = || is_stuck.load(Ordering::Relaxed);
            threads.spawn(move || webhook.serve(&stop, &take, &is_stuck, |_| {}));
            let answer = post(address, "x");
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: 5"), "{answer}");
            is_slow.store(false, Ordering::Relaxed);
            assert!(post(address, "x").starts_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
            assert!(post(address, "y").ends_with("expected x\n"));
            // Taken, and then the disk is full; and while it is.
            is_silent.store(true, Ordering::Relaxed);
            assert!(post(address, "x").starts_with("HTTP/1.1 503 "));
            assert!(post(address, "x").starts_with("HTTP/1.1 503 "));
            assert_eq!(silent.lock().unwrap().len(), 1, "nothing is taken while nothing can be written");
            drop(keep);
        });
    }

    #[test]
    fn bodies_have_so_much_room_and_no_more_and_one_always_has() {
        let store: Arc<Store> = Arc::default();
        let room = |bytes| store.room(bytes, Duration::ZERO);
        let one = room(HELD - 10).unwrap();
        assert!(room(11).is_none());
        let two = room(10).unwrap();
        drop(one);
        assert!(room(HELD - 10).is_some());
        std::thread::scope(|threads| {
            // Whoever waits gets it as soon as it is there.
            let waits = threads.spawn(|| store.room(HELD, Duration::from_secs(600)).is_some());
            drop(two);
            assert!(waits.join().unwrap());
        });
        assert!(room(HELD + 1).is_some());
        assert_eq!(*store.held.lock().unwrap(), 0);
    }
}
