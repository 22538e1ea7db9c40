//! Takes calls, does them all at once, and owes exactly one reply for each.

use std::{future::Future, time::Instant};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::{
    api::Client,
    port::{Answer, Call, CallId, Fault, FaultKind, FromWorker, Reply},
    rehearsal,
};

/// Makes the service ready, then does the calls that come.
///
/// `service` is what has to happen first, such as starting the practice tenant; calls that come before it is done wait
/// in their channel. Where it fails, every call is answered with its fault.
///
/// It ends when `calls` is closed and every call has its reply, or at once when nobody listens at `to_loop` any more:
/// calls that are still running are abandoned then.
pub async fn run<S>(service: S, calls: mpsc::Receiver<(CallId, Call)>, to_loop: mpsc::Sender<FromWorker>)
where
    S: Future<Output = Result<Client, Fault>> + Send + 'static,
{
    let service = async {
        let client = service.await?;
        Ok(move |call| perform(client.clone(), call))
    };
    run_with(service, calls, to_loop).await;
}

/// [`run`] for any way to do a call, so that what the worker owes can be shown without a network.
pub async fn run_with<S, P, F>(service: S, calls: mpsc::Receiver<(CallId, Call)>, to_loop: mpsc::Sender<FromWorker>)
where
    S: Future<Output = Result<P, Fault>> + Send + 'static,
    P: Fn(Call) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    tokio::select! {
        () = to_loop.closed() => tracing::debug!("nobody waits for replies: the worker ends"),
        () = serve(service, calls, to_loop.clone()) => {}
    }
}

async fn serve<S, P, F>(service: S, mut calls: mpsc::Receiver<(CallId, Call)>, to_loop: mpsc::Sender<FromWorker>)
where
    S: Future<Output = Result<P, Fault>> + Send + 'static,
    P: Fn(Call) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    // That nobody listens any more is seen by `run_with`, so what `send` says is not asked.
    let perform = match guarded(service).await.unwrap_or_else(|Panicked| Err(Fault::new(not_made_ready()))) {
        Ok(perform) => perform,
        Err(fault) => {
            let _ = to_loop.send(FromWorker::NotReady(fault.clone())).await;
            while let Some((call_id, _)) = calls.recv().await {
                let _ = to_loop.send(FromWorker::Reply(Reply { call_id, result: Err(fault.clone()) })).await;
            }
            return;
        }
    };
    let _ = to_loop.send(FromWorker::Ready).await;
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            call = calls.recv() => match call {
                Some((call_id, call)) => {
                    running.spawn(settle(call_id, call, perform.clone(), to_loop.clone()));
                }
                None => break,
            },
            // Only to let go of what has ended: each task sends its own reply.
            Some(_) = running.join_next() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Does one call and sends its one reply, whatever becomes of the call.
async fn settle<P, F>(call_id: CallId, call: Call, perform: P, to_loop: mpsc::Sender<FromWorker>)
where
    P: Fn(Call) -> F + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    let started = Instant::now();
    let doing = async move { perform(call).await }.instrument(tracing::debug_span!("call", id = call_id.0));
    let result = guarded(doing).await.unwrap_or_else(|Panicked| Err(Fault::new(FaultKind::Crashed)));
    tracing::debug!(call = call_id.0, done = result.is_ok(), ms = started.elapsed().as_millis(), "settled");
    let _ = to_loop.send(FromWorker::Reply(Reply { call_id, result })).await;
}

async fn perform(client: Client, call: Call) -> Result<Answer, Fault> {
    rehearsal::panic_if_asked("call");
    match call {
        Call::Create(request) => client.create(&request).await.map(|request| Answer::Created(Box::new(request))),
        Call::Close { id, actions_taken } => client.close(&id, &actions_taken).await.map(|()| Answer::Closed),
    }
}

struct Panicked;

/// Waits for a future in a task of its own, so that a panic in it ends there; dropped, it takes that task with it.
async fn guarded<F>(future: F) -> Result<F::Output, Panicked>
where
    F: Future<Output: Send> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(future)).await.map_err(|_| Panicked)
}

fn not_made_ready() -> FaultKind {
    FaultKind::NotSent { reason: "the program failed while it made the service ready".to_owned() }
}
