//! Accepts connections, limits their number, and breaks them as the rules of misbehaviour require.

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

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The wait between two attempts to listen again, if another program has taken the address.
const LISTEN_RETRY: Duration = Duration::from_millis(50);
/// How long a connection may take to end before the next oldest is ended too.
const END_WAIT: Duration = Duration::from_millis(20);
/// Longer than any tenant is served.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Whether connections can be made.
pub(super) struct ListenGate {
    /// Until when connections are to be refused.
    shut_until: watch::Sender<Option<Instant>>,
    /// Whether connections are refused.
    is_shut: watch::Sender<bool>,
}

impl ListenGate {
    pub(super) fn new() -> Self {
        Self { shut_until: watch::Sender::new(None), is_shut: watch::Sender::new(false) }
    }

    /// Returns whether connections, and calls on existing connections, are to be refused.
    pub(super) fn is_shut(&self) -> bool {
        self.shut_until.borrow().is_some_and(|until| until > Instant::now())
    }

    /// Refuses connections for this time, or until they are accepted again. Returns when it has taken effect.
    pub(super) async fn shut(&self, time: Option<Duration>) {
        self.shut_until.send_replace(Some(Instant::now() + time.unwrap_or(FOREVER)));
        self.wait_until_shut_is(true).await;
    }

    /// Accepts connections again. Returns when it has taken effect.
    pub(super) async fn open(&self) {
        self.shut_until.send_replace(None);
        self.wait_until_shut_is(false).await;
    }

    /// Waits for a limited time, because a tenant that is not served never reacts.
    async fn wait_until_shut_is(&self, shut: bool) {
        let mut is_shut = self.is_shut.subscribe();
        let changed = is_shut.wait_for(|is_shut| *is_shut == shut);
        drop(tokio::time::timeout(Duration::from_secs(2), changed).await);
    }
}

/// A listener whose connections can be refused, reset and broken.
pub(super) struct FaultyListener<R> {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) gate: Arc<ListenGate>,
    /// Returns whether the newest connection is to be reset.
    pub(super) refuses: R,
}

impl<R: FnMut() -> bool> FaultyListener<R> {
    /// Serves each connection in a task until this future is dropped. The remaining connections end when `ended` is
    /// cancelled.
    pub(super) async fn serve(mut self, router: &Router, ended: &CancellationToken, settings: &Settings) {
        let mut http = Builder::new(TokioExecutor::new()).http1_only();
        http.http1().timer(TokioTimer::new()).header_read_timeout(settings.request_timeout);
        let permits = Arc::new(Semaphore::new(settings.max_connections));
        let mut connections = VecDeque::new();
        loop {
            let permit = acquire_permit(&permits, &mut connections).await;
            let stream = self.accept().await;
            let (http, fault, end) = (http.clone(), stream.fault.clone(), ended.child_token());
            connections.retain(|end: &CancellationToken| !end.is_cancelled());
            connections.push_back(end.clone());
            let service = TowerToHyperService::new(router.clone().layer(Extension(fault.clone())));
            tokio::spawn(async move {
                let _permit = permit;
                let _cancel_at_end = end.clone().drop_guard();
                let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
                tokio::select! {
                    _ = serving.as_mut() => return,
                    () = end.cancelled() => serving.as_mut().graceful_shutdown(),
                }
                // A connection without a call has no answer to finish.
                if fault.is_called() {
                    drop(serving.await);
                }
            });
        }
    }

    async fn accept(&mut self) -> FaultyStream {
        let mut shut_until = self.gate.shut_until.subscribe();
        loop {
            let until = *shut_until.borrow_and_update();
            if until.is_some_and(|until| until > Instant::now()) {
                self.stay_shut(&mut shut_until).await;
            }
            tokio::select! {
                _ = shut_until.changed() => {}
                (stream, _) = Listener::accept(&mut self.listener) => {
                    if (self.refuses)() || self.gate.is_shut() {
                        reset(&stream);
                        continue;
                    }
                    // Answers are small and are waited for. A socket that refuses the option still works.
                    drop(stream.set_nodelay(true));
                    return FaultyStream { stream, fault: StreamFault::default() };
                }
            }
        }
    }

    /// Stops listening for a time. The system refuses a connection only if nothing listens; a socket that is bound and does
    /// not listen reserves the address.
    async fn stay_shut(&mut self, shut_until: &mut watch::Receiver<Option<Instant>>) {
        let Ok(placeholder) = TcpListener::bind((self.address.ip(), 0)).await else { return };
        drop(std::mem::replace(&mut self.listener, placeholder));
        let reserved = bind_without_listening(self.address);
        self.gate.is_shut.send_replace(true);
        loop {
            let until = *shut_until.borrow_and_update();
            let Some(until) = until.filter(|until| *until > Instant::now()) else { break };
            tokio::select! {
                _ = shut_until.changed() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
        let mut opened = reserved.and_then(|socket| socket.listen(BACKLOG));
        loop {
            match opened {
                Ok(listener) => {
                    self.listener = listener;
                    break;
                }
                Err(_) => tokio::time::sleep(LISTEN_RETRY).await,
            }
            opened = bind_without_listening(self.address).and_then(|socket| socket.listen(BACKLOG));
        }
        self.gate.is_shut.send_replace(false);
    }
}

/// Waits for a permit, and ends the oldest connections if none is free. Idle connections end at once.
async fn acquire_permit(
    permits: &Arc<Semaphore>,
    connections: &mut VecDeque<CancellationToken>,
) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        if let Some(oldest) = connections.pop_front() {
            oldest.cancel();
        }
        if let Ok(Ok(permit)) = timeout(END_WAIT, Arc::clone(permits).acquire_owned()).await {
            return permit;
        }
    }
}

fn bind_without_listening(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Existing connections still use the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Makes the connection end with a reset when it is dropped.
fn reset(stream: &TcpStream) {
    // If this fails, the connection ends normally, without an answer.
    drop(stream.set_zero_linger());
}

/// How the connection of a call ends. The call is answered nevertheless, and its answer is cut or dropped.
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
    /// Notes that the head of a call was received.
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

/// A connection with a [`StreamFault`]. An answer is written in one piece, because vectored writes are not offered.
pub(super) struct FaultyStream {
    stream: TcpStream,
    fault: StreamFault,
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultyStream {
    /// Ends the connection by an error, on which the server drops it.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.fault.end.load(Ordering::Acquire) {
            SEND => Pin::new(&mut self.stream).poll_write(cx, bytes),
            CUT => {
                let written = Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().div_ceil(2)]);
                if written.is_ready() {
                    self.fault.end(END);
                }
                written
            }
            end => {
                if end == RESET {
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
