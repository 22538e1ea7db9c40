//! Connections that can be broken: how they are taken, how many, and how a call ends the one it came by.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Extension, Router, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::settings::Settings;

/// How many callers may wait to be let in.
const WAITING: u32 = 1024;
/// How often it is tried to open again where another took the address meanwhile.
const OPEN_AGAIN: Duration = Duration::from_millis(50);
/// How long one connection may take to end before the next oldest is told to.
const NEXT_OLDEST: Duration = Duration::from_millis(20);
/// Longer than any tenant is served.
const FOR_GOOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Whether connections can be made.
pub(super) struct ListenGate {
    /// Until when they are to be refused.
    wanted: watch::Sender<Option<Instant>>,
    /// Whether they are.
    is_shut: watch::Sender<bool>,
}

impl ListenGate {
    pub(super) fn new() -> Self {
        Self { wanted: watch::Sender::new(None), is_shut: watch::Sender::new(false) }
    }

    /// Whether calls on connections that were made before are to be refused too.
    pub(super) fn is_shut(&self) -> bool {
        self.wanted.borrow().is_some_and(|until| until > Instant::now())
    }

    /// Refuses connections for this long, or for good; returns when it is so.
    pub(super) async fn shut(&self, time: Option<Duration>) {
        self.wanted.send_replace(Some(Instant::now() + time.unwrap_or(FOR_GOOD)));
        self.becomes(true).await;
    }

    /// Takes connections again; returns when it is so.
    pub(super) async fn open(&self) {
        self.wanted.send_replace(None);
        self.becomes(false).await;
    }

    /// Nobody acts on it where the tenant is not served, or no more.
    async fn becomes(&self, shut: bool) {
        let mut is_shut = self.is_shut.subscribe();
        let becomes = is_shut.wait_for(|is_shut| *is_shut == shut);
        drop(tokio::time::timeout(Duration::from_secs(2), becomes).await);
    }
}

/// Where connections come in.
pub(super) struct FaultyListener<R> {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) latch: Arc<ListenGate>,
    /// Whether the connection that was just made is to be reset.
    pub(super) refuses: R,
}

impl<R: FnMut() -> bool> FaultyListener<R> {
    /// Answers each connection in a task of its own, until this future is dropped; those that are left end when `ended`
    /// says so.
    pub(super) async fn serve(mut self, router: &Router, ended: &CancellationToken, settings: &Settings) {
        let mut http = Builder::new(TokioExecutor::new()).http1_only();
        http.http1().timer(TokioTimer::new()).header_read_timeout(settings.slowest_request);
        let room = Arc::new(Semaphore::new(settings.connections));
        let mut lines = VecDeque::new();
        loop {
            let place = make_room(&room, &mut lines).await;
            let line = self.accept().await;
            let (http, orders, leave) = (http.clone(), line.orders.clone(), ended.child_token());
            lines.retain(|line: &CancellationToken| !line.is_cancelled());
            lines.push_back(leave.clone());
            let service = TowerToHyperService::new(router.clone().layer(Extension(orders.clone())));
            tokio::spawn(async move {
                let _place = place;
                let _left = leave.clone().drop_guard();
                let mut serving = pin!(http.serve_connection(TokioIo::new(line), service));
                tokio::select! {
                    _ = serving.as_mut() => return,
                    () = leave.cancelled() => serving.as_mut().graceful_shutdown(),
                }
                // One that has not called yet has no answer to wait for.
                if orders.is_called() {
                    drop(serving.await);
                }
            });
        }
    }

    async fn accept(&mut self) -> FaultyStream {
        let mut wanted = self.latch.wanted.subscribe();
        loop {
            let until = *wanted.borrow_and_update();
            if until.is_some_and(|until| until > Instant::now()) {
                self.stay_shut(&mut wanted).await;
            }
            tokio::select! {
                _ = wanted.changed() => {}
                (stream, _) = Listener::accept(&mut self.listener) => {
                    if (self.refuses)() || self.latch.is_shut() {
                        reset(&stream);
                        continue;
                    }
                    // Answers are small and someone is waiting for them; a socket that refuses the option still works.
                    drop(stream.set_nodelay(true));
                    return FaultyStream { stream, orders: StreamFault::default() };
                }
            }
        }
    }

    /// A connection is refused by the system only where nobody listens. The address is held meanwhile by a socket that
    /// does not listen, so that no other program is given it.
    async fn stay_shut(&mut self, wanted: &mut watch::Receiver<Option<Instant>>) {
        let Ok(elsewhere) = TcpListener::bind((self.address.ip(), 0)).await else { return };
        drop(std::mem::replace(&mut self.listener, elsewhere));
        let holder = hold(self.address);
        self.latch.is_shut.send_replace(true);
        loop {
            let until = *wanted.borrow_and_update();
            let Some(until) = until.filter(|until| *until > Instant::now()) else { break };
            tokio::select! {
                _ = wanted.changed() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
        let mut opened = holder.and_then(|socket| socket.listen(WAITING));
        loop {
            match opened {
                Ok(listener) => {
                    self.listener = listener;
                    break;
                }
                Err(_) => tokio::time::sleep(OPEN_AGAIN).await,
            }
            opened = hold(self.address).and_then(|socket| socket.listen(WAITING));
        }
        self.latch.is_shut.send_replace(false);
    }
}

/// Waits for a place, and ends the oldest connections for it where there is none. Idle ones end at once.
async fn make_room(room: &Arc<Semaphore>, lines: &mut VecDeque<CancellationToken>) -> OwnedSemaphorePermit {
    loop {
        if let Ok(place) = Arc::clone(room).try_acquire_owned() {
            return place;
        }
        if let Some(oldest) = lines.pop_front() {
            oldest.cancel();
        }
        if let Ok(Ok(place)) = timeout(NEXT_OLDEST, Arc::clone(room).acquire_owned()).await {
            return place;
        }
    }
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections that were made before still have the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Dropped after this, a connection tells its caller that it was reset.
fn reset(stream: &TcpStream) {
    // Without it the caller hears an ordinary end, which is bad news too.
    drop(stream.set_zero_linger());
}

/// How a call has its connection end. Its answer still has to be made, for that is what is not sent.
#[derive(Clone, Default)]
pub(super) struct StreamFault {
    /// [`SEND`], [`CUT`], [`END`] or [`RESET`].
    end: Arc<AtomicU8>,
    is_called: Arc<AtomicBool>,
}

/// The answer is sent.
const SEND: u8 = 0;
/// Half of the answer is sent, then the connection ends.
pub(super) const CUT: u8 = 1;
/// The connection ends without a byte.
pub(super) const END: u8 = 2;
/// The connection is reset without a byte.
pub(super) const RESET: u8 = 3;

impl StreamFault {
    /// A whole head has come.
    pub(super) fn called(&self) {
        self.is_called.store(true, Ordering::Release);
    }

    fn is_called(&self) -> bool {
        self.is_called.load(Ordering::Acquire)
    }

    pub(super) fn end(&self, how: u8) {
        self.end.store(how, Ordering::Release);
    }
}

/// A connection that obeys. An answer is written in one piece, as long as vectored writes are not offered.
pub(super) struct FaultyStream {
    stream: TcpStream,
    orders: StreamFault,
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultyStream {
    /// An error here makes the server drop the connection, which is how it ends.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.orders.end.load(Ordering::Acquire) {
            SEND => Pin::new(&mut self.stream).poll_write(cx, bytes),
            CUT => {
                let written = Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().div_ceil(2)]);
                if written.is_ready() {
                    self.orders.end(END);
                }
                written
            }
            order => {
                if order == RESET {
                    reset(&self.stream);
                }
                Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
