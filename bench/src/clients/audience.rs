//! The listeners: many sockets, read by one thread into one buffer, since the load generator shares
//! the processors with the server. The thread skips over frames and never parses them. It counts an
//! event by the mark in its message, which also carries the send time.
//!
//! **Invariant:** a socket that closes fails the measurement; no listener is lost silently.

use std::{
    io::{ErrorKind, Read, Write},
    mem::take,
    net::TcpStream,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use memchr::memmem::Finder;
use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use tokio::{sync::Notify, time::timeout};

use crate::{
    Error,
    frame::{self, CLOSE, Message, PING, TEXT},
    socket::Socket,
    stamp,
    stats::Samples,
};

/// Size of a read in bytes, and the longest message.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Longest wait for deliveries before a measurement fails.
const DELIVERY_MAX: Duration = Duration::from_mins(1);

/// The token of the waker; sockets count from 0.
const WAKE: Token = Token(usize::MAX);

/// A socket before the audience listens to it.
pub(crate) struct Listener {
    stream: mio::net::TcpStream,
    /// The beginning of a message whose end has not arrived.
    carry: Vec<u8>,
    group: usize,
}

/// Many listeners. They leave when this is dropped.
pub(crate) struct Audience {
    heard: Arc<Heard>,
    waker: Waker,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The received events and frames.
struct Heard {
    begun: Instant,
    groups: Vec<Group>,
    /// Processor time of the thread, in nanoseconds.
    used: AtomicU64,
    fault: Mutex<Option<String>>,
    /// A frame with one event.
    frame: Mutex<Option<String>>,
}

/// The totals of the listeners of one group.
struct Group {
    /// The text that each counted event contains once.
    mark: Finder<'static>,
    reached: Notify,
    events: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    target: AtomicU64,
    samples: Mutex<Samples>,
}

/// The totals of a group since [`Audience::reset`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Frames, with and without events.
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) samples: Samples,
}

impl Listener {
    /// Listens on `socket`, and counts its events for its `group`.
    ///
    /// # Errors
    /// If the runtime does not release the socket.
    pub(crate) fn new(socket: Socket, group: usize) -> Result<Self, Error> {
        let (stream, carry) = socket.into_parts()?;
        Ok(Self { stream: mio::net::TcpStream::from_std(stream), carry, group })
    }

    /// A second handle on its connection, to send on it while an audience listens.
    ///
    /// # Errors
    /// If there are too many open files.
    pub(crate) fn handle(&self) -> Result<TcpStream, Error> {
        Ok(TcpStream::from(self.stream.as_fd().try_clone_to_owned()?))
    }

    /// Reads the available bytes.
    fn read(&mut self, buffer: &mut [u8], hearing: &mut Hearing) -> Result<(), Error> {
        loop {
            let kept = self.carry.len();
            buffer[..kept].copy_from_slice(&self.carry);
            let room = buffer.len() - kept;
            let count = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let walked = self.walk(&mut buffer[..kept + count], hearing)?;
            self.carry.clear();
            self.carry.extend_from_slice(&buffer[walked..kept + count]);
            if self.carry.is_empty() {
                self.carry = Vec::new();
            }
            // The kernel has no more, and reports the next ones.
            if count < room {
                return Ok(());
            }
        }
    }

    /// Counts all whole messages; returns the index of their end.
    fn walk(&mut self, bytes: &mut [u8], hearing: &mut Hearing) -> Result<usize, Error> {
        let mut at = 0;
        while let Some(message) = frame::message(&mut bytes[at..])? {
            let Message { opcode, begin, end, next } = message;
            let payload = &bytes[at + begin..at + end];
            match opcode {
                TEXT => hearing.hear(self.group, payload),
                PING => self.stream.write_all(&frame::pong(payload))?,
                CLOSE => {
                    let reason = String::from_utf8_lossy(payload);
                    return Err(format!("the server closed a socket: {reason}").into());
                }
                _ => {}
            }
            at += next;
        }
        Ok(at)
    }
}

/// The data that the thread needs to count.
struct Hearing {
    heard: Arc<Heard>,
    /// The time at which the current bytes were read.
    now: Duration,
}

impl Group {
    fn new(mark: &'static [u8]) -> Self {
        Self {
            mark: Finder::new(mark),
            reached: Notify::new(),
            events: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            target: AtomicU64::new(u64::MAX),
            samples: Mutex::default(),
        }
    }
}

impl Hearing {
    fn hear(&mut self, group: usize, payload: &[u8]) {
        let tally = &self.heard.groups[group];
        let mut samples = tally.samples.lock();
        let mut events = 0;
        for at in tally.mark.find_iter(payload) {
            events += 1;
            if let Some(sent) = stamp::read(&payload[at..]) {
                samples.push(self.now.saturating_sub(sent));
            }
        }
        drop(samples);
        if events == 1 && self.heard.frame.lock().is_none() {
            *self.heard.frame.lock() = String::from_utf8(payload.to_vec()).ok();
        }
        tally.frames.fetch_add(1, Relaxed);
        tally.bytes.fetch_add(payload.len() as u64, Relaxed);
        let now = tally.events.fetch_add(events, Relaxed) + events;
        if now >= tally.target.load(Relaxed) {
            tally.reached.notify_one();
        }
    }
}

impl Audience {
    /// Starts to listen. Times count from `begun`; `marks` contains the text that each group
    /// counts.
    ///
    /// # Errors
    /// If the system cannot watch so many sockets.
    pub(crate) fn start(
        begun: Instant,
        mut listeners: Vec<Listener>,
        marks: &[&'static [u8]],
    ) -> Result<Self, Error> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(&mut listener.stream, Token(index), Interest::READABLE)?;
        }
        let heard = Arc::new(Heard {
            begun,
            groups: marks.iter().map(|mark| Group::new(mark)).collect(),
            used: AtomicU64::new(0),
            fault: Mutex::default(),
            frame: Mutex::default(),
        });
        let stop = Arc::new(AtomicBool::new(false));
        let hearing = Hearing { heard: Arc::clone(&heard), now: Duration::ZERO };
        let (stopped, failed) = (Arc::clone(&stop), Arc::clone(&heard));
        let thread = std::thread::Builder::new().name("audience".to_owned()).spawn(move || {
            if let Err(error) = listen(poll, &mut listeners, hearing, &stopped) {
                *failed.fault.lock() = Some(error.to_string());
                failed.groups.iter().for_each(|group| group.reached.notify_one());
            }
        })?;
        Ok(Self { heard, waker, stop, thread: Some(thread) })
    }

    /// The time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.heard.begun.elapsed()
    }

    /// The processor time of the listening thread so far.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.heard.used.load(Relaxed))
    }

    /// A frame with one event, as a text.
    pub(crate) fn frame(&self) -> Option<String> {
        self.heard.frame.lock().clone()
    }

    /// Resets the counts of `group`, and sets the number of expected events.
    pub(crate) fn reset(&self, group: usize, target: u64) {
        let group = &self.heard.groups[group];
        for count in [&group.events, &group.frames, &group.bytes] {
            count.store(0, Relaxed);
        }
        *group.samples.lock() = Samples::default();
        group.target.store(target, Relaxed);
    }

    /// Waits until `group` has received `target` events since [`Self::reset`].
    ///
    /// # Errors
    /// If a socket closes, or nothing comes for a minute.
    pub(crate) async fn wait(&self, group: usize, target: u64) -> Result<(), Error> {
        let waiting = &self.heard.groups[group];
        waiting.target.store(target, Relaxed);
        loop {
            let events = waiting.events.load(Relaxed);
            if events >= target {
                return Ok(());
            }
            if let Some(fault) = self.heard.fault.lock().clone() {
                return Err(fault.into());
            }
            let silent = timeout(DELIVERY_MAX, waiting.reached.notified()).await.is_err();
            if silent && waiting.events.load(Relaxed) == events {
                return Err(format!("only {events} of {target} deliveries came").into());
            }
        }
    }

    /// Takes the counts of `group` since [`Self::reset`].
    pub(crate) fn tally(&self, group: usize) -> Tally {
        let group = &self.heard.groups[group];
        Tally {
            events: group.events.load(Relaxed),
            frames: group.frames.load(Relaxed),
            bytes: group.bytes.load(Relaxed),
            samples: take(&mut *group.samples.lock()),
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if self.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A panicking thread has reported its panic.
            let _said = thread.join();
        }
    }
}

fn listen(
    mut poll: Poll,
    listeners: &mut [Listener],
    mut hearing: Hearing,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let mut events = Events::with_capacity(1_024);
    let mut buffer = vec![0; BUFFER_BYTES];
    for listener in &mut *listeners {
        let mut early = take(&mut listener.carry);
        let walked = listener.walk(&mut early, &mut hearing)?;
        listener.carry = early[walked..].to_vec();
    }
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        if stop.load(Relaxed) {
            return Ok(());
        }
        for event in events.iter().filter(|event| event.token() != WAKE) {
            hearing.now = hearing.heard.begun.elapsed();
            listeners[event.token().0].read(&mut buffer, &mut hearing)?;
        }
        let used = clock_gettime(ClockId::ThreadCPUTime);
        let used = Duration::try_from(used).unwrap_or_default();
        hearing.heard.used.store(u64::try_from(used.as_nanos())?, Relaxed);
    }
}
