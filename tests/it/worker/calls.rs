//! One reply for each call, whatever happens to it.

use std::{
    collections::BTreeSet,
    future::{self, Future},
    sync::Arc,
};

use mmd_elevate::{
    port::{Answer, Call, CallId, Fault, FaultKind, FromWorker, Reply},
    worker,
};
use tokio::{
    sync::{Barrier, mpsc, oneshot},
    task::JoinHandle,
};

use super::{CREATED, PATIENT, answer, client_of, new_request, request_id};
use crate::support::{server::Server, within};

struct Worker {
    calls: mpsc::Sender<(CallId, Call)>,
    replies: mpsc::Receiver<FromWorker>,
    running: JoinHandle<()>,
}

impl Worker {
    /// Few places in the channel to the loop, so that replies have to wait for one.
    fn start<S, P, F>(service: S) -> Self
    where
        S: Future<Output = Result<P, Fault>> + Send + 'static,
        P: Fn(Call) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    {
        let (calls, to_do) = mpsc::channel(64);
        let (to_loop, replies) = mpsc::channel(1);
        let running = tokio::spawn(worker::run_with(service, to_do, to_loop));
        Self { calls, replies, running }
    }

    async fn ask(&self, id: u64, text: &str) {
        let call = Call::Close { id: request_id("1"), actions_taken: text.to_owned() };
        within(self.calls.send((CallId(id), call))).await.unwrap();
    }

    async fn next(&mut self) -> Option<FromWorker> {
        within(self.replies.recv()).await
    }

    async fn reply(&mut self) -> Reply {
        match self.next().await {
            Some(FromWorker::Reply(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }
}

fn closed() -> impl Future<Output = Result<Answer, Fault>> + Send {
    future::ready(Ok(Answer::Closed))
}

fn text(call: &Call) -> &str {
    match call {
        Call::Close { actions_taken, .. } => actions_taken,
        Call::Create(_) => "",
    }
}

#[tokio::test]
async fn many_calls_run_at_once_and_each_has_one_reply_panics_too() {
    const CALLS: usize = 300;
    // Nobody passes before all have come: one that had to wait for another would wait for ever.
    let all = Arc::new(Barrier::new(CALLS));
    let mut worker = Worker::start(future::ready(Ok(move |call: Call| {
        assert!(text(&call) != "panic at once", "as it was asked to");
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            match text(&call) {
                "panic" => panic!("as it was asked to"),
                "fail" => Err(Fault::new(FaultKind::Cut)),
                _ => Ok(Answer::Closed),
            }
        }
    })));
    for id in 0..CALLS {
        worker.ask(id as u64, ["close", "panic", "fail"][id % 3]).await;
    }
    worker.ask(1000, "panic at once").await;
    assert_eq!(worker.next().await, Some(FromWorker::Ready));
    let mut answered = BTreeSet::new();
    for _ in 0..=CALLS {
        let Reply { call_id, result } = worker.reply().await;
        let expected = match call_id.0 {
            1000 => Err(Fault::new(FaultKind::Crashed)),
            id => [Ok(Answer::Closed), Err(Fault::new(FaultKind::Crashed)), Err(Fault::new(FaultKind::Cut))]
                [(id % 3) as usize]
                .clone(),
        };
        assert_eq!(result, expected, "{call_id}");
        assert!(answered.insert(call_id), "{call_id} twice");
    }
    let Worker { calls, mut replies, running } = worker;
    drop(calls);
    assert_eq!(within(replies.recv()).await, None);
    within(running).await.unwrap();
}

#[tokio::test]
async fn calls_that_come_before_the_service_is_ready_wait_for_it() {
    let (ready, wait) = oneshot::channel();
    let mut worker = Worker::start(async move {
        wait.await.unwrap();
        Ok(|_| closed())
    });
    worker.ask(1, "early").await;
    worker.ask(2, "early").await;
    ready.send(()).unwrap();
    assert_eq!(worker.next().await, Some(FromWorker::Ready));
    let ids = BTreeSet::from([worker.reply().await.call_id, worker.reply().await.call_id]);
    assert_eq!(ids, BTreeSet::from([CallId(1), CallId(2)]));
}

#[tokio::test]
async fn a_service_that_cannot_be_made_ready_fails_every_call() {
    let fault = Fault::new(FaultKind::NotSent { reason: "no client".to_owned() });
    let given = fault.clone();
    let mut worker = Worker::start(async move { if true { Err(given) } else { Ok(|_| closed()) } });
    worker.ask(1, "x").await;
    assert_eq!(worker.next().await, Some(FromWorker::NotReady(fault.clone())));
    worker.ask(2, "x").await;
    for id in [1, 2] {
        assert_eq!(worker.reply().await, Reply { call_id: CallId(id), result: Err(fault.clone()) });
    }
    drop(worker.calls);
    within(worker.running).await.unwrap();
}

#[tokio::test]
async fn a_panic_before_the_service_is_ready_is_told_and_nothing_was_sent() {
    let mut worker = Worker::start(async move { if true { panic!("as it was asked to") } else { Ok(|_| closed()) } });
    worker.ask(1, "x").await;
    let Some(FromWorker::NotReady(fault)) = worker.next().await else { panic!() };
    assert!(!fault.kind.may_have_happened(), "{fault:?}");
    assert_eq!(worker.reply().await.result, Err(fault));
}

#[tokio::test]
async fn calls_under_way_are_finished_when_no_more_can_come() {
    let (done, wait) = oneshot::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(Some(wait)));
    let mut worker = Worker::start(future::ready(Ok(move |_| {
        let wait = wait.lock().unwrap().take().unwrap();
        async move {
            wait.await.unwrap();
            Ok(Answer::Closed)
        }
    })));
    worker.ask(1, "x").await;
    assert_eq!(worker.next().await, Some(FromWorker::Ready));
    let Worker { calls, mut replies, running } = worker;
    drop(calls);
    done.send(()).unwrap();
    let reply = FromWorker::Reply(Reply { call_id: CallId(1), result: Ok(Answer::Closed) });
    assert_eq!(within(replies.recv()).await, Some(reply));
    within(running).await.unwrap();
}

#[tokio::test]
async fn when_nobody_listens_any_more_the_worker_ends_and_takes_its_calls_with_it() {
    let (alive, mut seen) = mpsc::channel::<()>(1);
    let mut worker = Worker::start(future::ready(Ok(move |_| {
        let alive = alive.clone();
        async move {
            alive.send(()).await.unwrap();
            future::pending().await
        }
    })));
    worker.ask(1, "x").await;
    assert_eq!(worker.next().await, Some(FromWorker::Ready));
    within(seen.recv()).await.unwrap();
    drop(worker.replies);
    within(worker.running).await.unwrap();
    assert_eq!(within(seen.recv()).await, None, "the call is gone too");
}

#[tokio::test]
async fn the_worker_speaks_to_the_service() {
    let server = Server::start(answer("201 Created", CREATED)).await;
    let client = client_of(&server, PATIENT);
    let (calls, to_do) = mpsc::channel(64);
    let (to_loop, mut replies) = mpsc::channel(64);
    tokio::spawn(worker::run(future::ready(Ok(client)), to_do, to_loop));
    calls.send((CallId(1), Call::Create(new_request("x")))).await.unwrap();
    assert_eq!(within(replies.recv()).await, Some(FromWorker::Ready));
    let Some(FromWorker::Reply(Reply { result: Ok(Answer::Created(request)), .. })) = within(replies.recv()).await
    else {
        panic!()
    };
    assert_eq!(request.id.raw(), "3f2b");
    let close = Call::Close { id: request.id, actions_taken: "Done.".to_owned() };
    calls.send((CallId(2), close)).await.unwrap();
    let Some(FromWorker::Reply(reply)) = within(replies.recv()).await else { panic!() };
    assert!(
        matches!(reply.result, Err(fault) if fault.kind == FaultKind::BrokenAnswer { reason: "HTTP 201 was not expected".to_owned() })
    );
    assert_eq!(server.requests()[1].body, br#"{"ActionsTaken":"Done."}"#);
}
