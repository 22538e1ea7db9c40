//! Sessions with the practice tenant: what their calls come to, what their lists hand over page by page, that a read-only
//! one sends no write, and that two of them know nothing of each other.

use std::{
    future::{self, Ready},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, CloseElevationRequest, Device, DraftTarget, ElevationRequest, ErrorCode,
    Event, Gaps, MatchResult, Operation, Progress, Query, ReadBack, Recovered, Reply, Untrusted, WriteId, WriteRecord,
};
use mmd_elevate_engine::{
    backend::{Backend, BackendFuture, Capabilities, Continuation, Listed, Page, Response},
    http::BaseUrl,
    mmd::{Client, Timeouts},
    record::{Place, Record, TenantKey},
    session::Session,
    worker::Timing,
};
use mmd_elevate_practice::{Endpoint, ListFault, Misdeed, Observer, Practice, RetryAfter, Rule, Settings, TENANT_ID};
use rstest::rstest;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
};

use crate::{
    support::{
        gist,
        record::{draft, new_request},
        session as signed_in, within,
    },
    worker::QUICK,
};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Looking is over soon: these tests are about something else.
const BRIEF: Timing = Timing { look: Duration::from_millis(300), ..QUICK };

const EXCEL: &str = "INC-10442 MMD-03690457680 Excel add-in crashes";

/// A practice tenant that is served to the end of the test.
struct Tenant {
    base_url: String,
    token: String,
    observer: Observer,
}

impl Tenant {
    async fn serve() -> Self {
        let practice = Practice::bind(LOOPBACK, Settings::default()).await.unwrap();
        let (base_url, token, observer) = (practice.base_url(), practice.token(), practice.observer());
        tokio::spawn(practice.serve());
        Self { base_url, token, observer }
    }

    /// One that misbehaves like this.
    async fn misbehaving(rules: impl IntoIterator<Item = Rule>) -> Self {
        let tenant = Self::serve().await;
        tenant.observer.set_rules(rules.into_iter().collect::<Vec<_>>());
        tenant
    }

    fn client(&self) -> Client {
        let base_url = BaseUrl::parse(&self.base_url).unwrap();
        // Long enough for a machine that is busy with other tests.
        let time = Duration::from_secs(20);
        let timeouts = Timeouts { connect: time, read: time, write: time };
        Client::new(&base_url, TENANT_ID, signed_in(&self.token), timeouts).unwrap()
    }

    fn place(&self, folder: &Path) -> Place {
        let tenant = TenantKey { base_url: self.base_url.clone(), tenant_id: TENANT_ID.to_owned() };
        Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 }
    }

    /// A session with a record in this folder.
    fn open(&self, folder: &Path) -> Open {
        let place = self.place(folder);
        let record = move || Record::open(place.clone(), Timestamp::now);
        Open::with(|events| Session::open(&Handle::current(), ready(self.client()), record, BRIEF, events))
    }

    /// A session that only looks at the record in this folder.
    fn open_to_look(&self, folder: &Path) -> Open {
        let place = self.place(folder);
        let record = move || Record::look(place.clone(), Timestamp::now);
        Open::with(|events| Session::open_to_look(&Handle::current(), ready(self.client()), record, BRIEF, events))
    }

    fn open_read_only(&self) -> Open {
        Open::with(|events| Session::open_read_only(&Handle::current(), ready(self.client()), BRIEF, events))
    }

    /// The ids of the requests that are open.
    fn open_ids(&self) -> Vec<String> {
        let requests = self.observer.requests().unwrap();
        sorted(requests.into_iter().filter(|request| request.open).map(|request| request.id))
    }

    /// The writes that have come.
    fn writes(&self) -> u64 {
        self.observer.received(Endpoint::Create) + self.observer.received(Endpoint::Close)
    }

    async fn received(&self, endpoint: Endpoint, least: u64) {
        within(async {
            while self.observer.received(endpoint) < least {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }
}

fn ready(backend: impl Backend) -> Ready<Result<Arc<dyn Backend>, CallError>> {
    future::ready(Ok(Arc::new(backend)))
}

fn sorted(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}

/// A session, and what nobody awaits.
struct Open {
    session: Session,
    events: mpsc::Receiver<Event>,
}

impl Open {
    fn with(open: impl FnOnce(mpsc::Sender<Event>) -> Session) -> Self {
        let (to_test, events) = mpsc::channel(256);
        Self { session: open(to_test), events }
    }

    async fn create(&self, request: &str) -> Result<CallResult, CallError> {
        within(self.session.create(new_request(request))).await
    }

    async fn created(&self, request: &str) -> ElevationRequest {
        match self.create(request).await {
            Ok(CallResult::Created { request, surplus }) if surplus.is_empty() => *request,
            other => panic!("{other:?}"),
        }
    }

    /// The pages that were handed over, and what the list came to.
    async fn pages(&self, query: Query) -> (Vec<Vec<ElevationRequest>>, Result<Gaps, CallError>) {
        let mut pages = Vec::new();
        let listed = within(self.session.list(query, &mut |page| pages.push(page))).await;
        (pages, listed)
    }

    async fn devices(&self, text: &str) -> Vec<Device> {
        within(self.session.devices(text)).await.unwrap()
    }

    /// What the record held at the opening.
    async fn recovered(&mut self) -> Recovered {
        loop {
            if let Event::Recovered(recovered) = within(self.events.recv()).await.unwrap() {
                return *recovered;
            }
        }
    }

    /// Progress that has come.
    fn progress(&mut self) -> Vec<Progress> {
        let events = std::iter::from_fn(|| self.events.try_recv().ok());
        events
            .filter_map(|event| if let Event::Progress(_, progress) = event { Some(progress) } else { None })
            .collect()
    }

    /// Drops the session, and waits until its worker has ended.
    async fn drop(mut self) {
        drop(self.session);
        while within(self.events.recv()).await.is_some() {}
    }
}

fn close_of(request: &ElevationRequest, text: &str) -> CloseElevationRequest {
    let (id, device) = (request.id.clone(), request.device.clone());
    CloseElevationRequest { id, device, actions_taken: text.to_owned() }
}

fn ids(pages: &[Vec<ElevationRequest>]) -> Vec<String> {
    sorted(pages.iter().flatten().map(|request| request.id.raw().to_owned()))
}

fn in_lists(fault: ListFault) -> Rule {
    Rule::new(Endpoint::List, Misdeed::List(fault))
}

/// The tenant's open requests come in pages of three: there are eight.
fn pages_of_three() -> Rule {
    in_lists(ListFault::Cap(3))
}

#[tokio::test]
async fn request_is_created_listed_and_closed() {
    let (tenant, folder) = (Tenant::serve().await, tempfile::tempdir().unwrap());
    let open = tenant.open(folder.path());
    let request = open.created(EXCEL).await;
    let device = || Query::Device("MMD-03690457680".to_owned());
    let listed =
        |pages: Vec<Vec<ElevationRequest>>| pages.into_iter().flatten().find(|it| it.id == request.id).unwrap();
    let (pages, gaps) = open.pages(device()).await;
    assert!(gaps.unwrap().is_empty() && listed(pages).closed.is_none());
    match within(open.session.close(close_of(&request, "Replaced the add-in."))).await {
        Ok(CallResult::Closed(ReadBack::Verified(closed))) => assert_eq!(closed.id, request.id),
        other => panic!("{other:?}"),
    }
    let (pages, gaps) = open.pages(device()).await;
    assert!(gaps.unwrap().is_empty() && listed(pages).closed.is_some(), "closed ones are listed too");
    let again = within(open.session.close(close_of(&request, "Something else."))).await.unwrap_err();
    assert_eq!(again.code, Some(ErrorCode::AlreadyClosed));
    assert_eq!((tenant.observer.creates_received(), tenant.writes()), (1, 3));
}

#[tokio::test]
async fn create_of_unknown_outcome_is_found_when_it_is_looked_for_again() {
    let (create, list) = (Misdeed::FailAfter, Misdeed::Fail);
    let tenant = Tenant::misbehaving([Rule::new(Endpoint::Create, create), Rule::new(Endpoint::List, list)]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut open = tenant.open(folder.path());
    let looked = open.create(EXCEL).await;
    assert!(matches!(looked, Ok(CallResult::Looked { seen: MatchResult::Unclear(_), .. })), "{looked:?}");
    let recorded = |progress| if let Progress::Recorded(write) = progress { Some(write) } else { None };
    let write = open.progress().into_iter().find_map(recorded).unwrap();
    tenant.observer.set_rules([]);
    let found = within(open.session.look_up(write)).await;
    assert!(matches!(&found, Ok(CallResult::Created { request, .. }) if request.title.raw() == "Excel add-in crashes"));
    assert_eq!(tenant.observer.creates_received(), 1);
}

#[tokio::test]
async fn replies_come_to_whoever_asked() {
    let (tenant, folder) = (Tenant::serve().await, tempfile::tempdir().unwrap());
    let mut open = tenant.open(folder.path());
    open.recovered().await;
    let id = CallId(7);
    open.session.submit(id, Call::List(Query::Open)).unwrap();
    let (pages, _) = open.pages(Query::Open).await;
    assert_eq!(ids(&pages), tenant.open_ids());
    let mut told = Vec::new();
    loop {
        match within(open.events.recv()).await.unwrap() {
            Event::Progress(of, Progress::Page(page)) if of == id => told.push(page),
            Event::Reply(Reply { call_id, result }) => {
                assert!(call_id == id && matches!(result, Ok(CallResult::Listed { .. })), "{call_id} {result:?}");
                break;
            }
            Event::Ready | Event::SignIn(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids(&told), tenant.open_ids());
    open.session.abandon(id).unwrap();
    within(open.session.end()).await;
    assert_eq!(within(open.events.recv()).await, None, "the awaited call has no second reply");
}

#[rstest]
#[case::any_size([].into())]
#[case::small_pages([pages_of_three()].into())]
#[case::pages_that_overlap([pages_of_three(), in_lists(ListFault::Overlap(1))].into())]
#[case::linked_pages([in_lists(ListFault::NextLink(3))].into())]
#[case::smaller_top([in_lists(ListFault::RefuseTop(100))].into())]
#[case::no_top([in_lists(ListFault::RefuseTop(0))].into())]
#[case::filter_ignored([in_lists(ListFault::Unfiltered), pages_of_three()].into())]
#[case::neither([in_lists(ListFault::Unfiltered), in_lists(ListFault::RefuseTop(0)), pages_of_three()].into())]
#[tokio::test]
async fn open_requests_are_listed_each_once_and_closed_ones_not_at_all(#[case] rules: Vec<Rule>) {
    let tenant = Tenant::misbehaving(rules).await;
    let open = tenant.open_read_only();
    assert!(tenant.open_ids().len() < tenant.observer.requests().unwrap().len());
    for turn in ["first", "second"] {
        let (pages, gaps) = open.pages(Query::Open).await;
        assert_eq!(ids(&pages), tenant.open_ids(), "{turn}");
        assert!(gaps.unwrap().is_empty(), "{turn}");
        assert!(pages.iter().flatten().all(|request| request.closed.is_none()), "{turn}");
    }
}

#[rstest]
#[case::any_size([].into())]
#[case::small_pages([pages_of_three()].into())]
#[case::linked_pages([in_lists(ListFault::NextLink(3))].into())]
#[case::no_top([in_lists(ListFault::RefuseTop(0))].into())]
#[case::filter_ignored([in_lists(ListFault::Unfiltered), pages_of_three()].into())]
#[tokio::test]
async fn closed_requests_are_listed_each_once_and_open_ones_not_at_all(#[case] rules: Vec<Rule>) {
    let tenant = Tenant::misbehaving(rules).await;
    let open = tenant.open_read_only();
    let requests = tenant.observer.requests().unwrap();
    let closed = sorted(requests.into_iter().filter(|request| !request.open).map(|request| request.id));
    assert!(!closed.is_empty());
    for turn in ["first", "second"] {
        let (pages, gaps) = open.pages(Query::Closed).await;
        assert_eq!(ids(&pages), closed, "{turn}");
        assert!(gaps.unwrap().is_empty(), "{turn}");
        assert!(pages.iter().flatten().all(|request| request.closed.is_some()), "{turn}");
    }
    assert_eq!(ids(&open.pages(Query::Open).await.0), tenant.open_ids(), "whatever was found out of the other list");
}

/// The support API whose pages after the first wait for a sign.
struct Gated {
    client: Client,
    sign: Arc<Notify>,
}

impl Backend for Gated {
    fn capabilities(&self) -> Capabilities {
        self.client.capabilities()
    }

    fn send<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Response> {
        self.client.send(operation)
    }

    fn look_up<'a>(&'a self, operation: &'a Operation) -> BackendFuture<'a, Listed> {
        self.client.look_up(operation)
    }

    fn list<'a>(&'a self, query: &'a Query, after: Option<Continuation>) -> BackendFuture<'a, Page> {
        Box::pin(async {
            if after.is_some() {
                self.sign.notified().await;
            }
            self.client.list(query, after).await
        })
    }

    fn search_devices<'a>(&'a self, text: &'a str) -> BackendFuture<'a, Vec<Device>> {
        self.client.search_devices(text)
    }
}

#[rstest]
#[case(Query::Open)]
#[case(Query::Device("MMD-00000000017".to_owned()))]
#[tokio::test]
async fn each_page_is_handed_over_before_the_next_is_asked_for(#[case] query: Query) {
    let tenant = Tenant::misbehaving([in_lists(ListFault::Cap(1))]).await;
    let sign = Arc::new(Notify::new());
    let gated = Gated { client: tenant.client(), sign: Arc::clone(&sign) };
    let open = Open::with(|events| Session::open_read_only(&Handle::current(), ready(gated), BRIEF, events));
    let mut pages = 0;
    let mut on_page = |_| {
        pages += 1;
        assert_eq!(tenant.observer.received(Endpoint::List), pages, "the next page was not asked for yet");
        sign.notify_one();
    };
    assert!(within(open.session.list(query, &mut on_page)).await.unwrap().is_empty());
    assert!(pages > 1);
}

#[tokio::test]
async fn page_that_fails_once_is_asked_for_again() {
    let fails = Rule::new(Endpoint::List, Misdeed::Fail).skip(1).times(1);
    let tenant = Tenant::misbehaving([pages_of_three(), fails]).await;
    let mut open = tenant.open_read_only();
    let (pages, gaps) = open.pages(Query::Open).await;
    assert_eq!(ids(&pages), tenant.open_ids());
    assert!(gaps.unwrap().is_empty());
    let [Progress::Waiting { attempt: 2, .. }] = open.progress()[..] else { panic!() };
}

#[tokio::test]
async fn page_that_fails_again_and_again_is_told_as_a_gap() {
    let fails = Rule::new(Endpoint::List, Misdeed::Fail);
    let tenant = Tenant::misbehaving([pages_of_three(), fails.clone().skip(1)]).await;
    let open = tenant.open_read_only();
    let (pages, gaps) = open.pages(Query::Open).await;
    let gaps = gaps.unwrap();
    assert_eq!(gaps.describe(), "the list was not seen to its end: An internal error has occurred");
    assert!(gaps.hint().is_some());
    assert_eq!((pages.len(), ids(&pages).len()), (1, 3), "what came before stands");
    assert_eq!(tenant.observer.received(Endpoint::List), 1 + u64::from(BRIEF.reads));
    // Where there is no page at all it is an error.
    tenant.observer.set_rules([fails]);
    let (pages, listed) = open.pages(Query::Open).await;
    assert_eq!(gist(&listed.unwrap_err()), gist(&CallError::server_failed(500)));
    assert!(pages.is_empty());
}

#[tokio::test]
async fn throttled_page_waits_as_long_as_the_service_asks() {
    let throttled = Rule::new(Endpoint::List, Misdeed::Throttle(RetryAfter::Seconds(1))).skip(1).times(1);
    let tenant = Tenant::misbehaving([pages_of_three(), throttled]).await;
    let mut open = tenant.open_read_only();
    let started = Instant::now();
    let (pages, gaps) = open.pages(Query::Open).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(ids(&pages), tenant.open_ids());
    assert!(gaps.unwrap().is_empty());
    let progress = open.progress();
    let [Progress::Waiting { attempt: 2, error: fault, .. }] = &progress[..] else { panic!("{progress:?}") };
    assert_eq!(fault.code, Some(ErrorCode::Throttled));
    // 2 s is the cap here.
    let too_long = Rule::new(Endpoint::List, Misdeed::Throttle(RetryAfter::Seconds(3))).skip(1);
    tenant.observer.set_rules([pages_of_three(), too_long]);
    let (pages, gaps) = open.pages(Query::Open).await;
    assert_eq!((pages.len(), tenant.observer.counts()[1].applied), (1, 1), "it is not asked sooner");
    assert!(gaps.unwrap().cut.is_some());
}

#[tokio::test]
async fn devices_are_found_by_a_part_of_name_serial_number_or_user() {
    let tenant = Tenant::serve().await;
    let open = tenant.open_read_only();
    for text in ["00000000017", "mmd-00000000017", "90AXY4BX", "nestor.wilke", "NESTOR"] {
        let devices = open.devices(text).await;
        let [device] = &devices[..] else { panic!("{text}: {devices:?}") };
        let told = [&device.name, &device.serial_number, &device.user].map(Untrusted::raw);
        assert_eq!(told, ["MMD-00000000017", "90AXY4BXA3BG", "nestor.wilke@practice.example"], "{text}");
        assert!(!device.model.is_blank() && !device.update_ring.is_blank());
    }
    assert_eq!(open.devices("Kiosk").await.len(), 3);
    assert_eq!(open.devices("no such device & more").await, []);
}

#[tokio::test]
async fn device_without_a_name_is_found_and_told_by_the_rest() {
    let tenant = Tenant::serve().await;
    let open = tenant.open_read_only();
    let devices = open.devices("5J5D312Y4LYL").await;
    let [device] = &devices[..] else { panic!("{devices:?}") };
    assert!(device.name.is_blank());
    assert_eq!(device.serial_number.raw(), "5J5D312Y4LYL");
    assert!(open.devices("Kiosk-Canteen").await[0].user.is_blank());
}

#[tokio::test]
async fn read_only_session_sends_no_write_and_reads_all_the_same() {
    let tenant = Tenant::serve().await;
    let mut open = tenant.open_read_only();
    let (pages, _) = open.pages(Query::Open).await;
    let request = pages.into_iter().flatten().next().unwrap();
    for call in [
        Call::Send(Operation::Create(new_request(EXCEL))),
        Call::Send(Operation::Close(close_of(&request, "Done."))),
        Call::Look(WriteId(1)),
        Call::SetAside(WriteId(1)),
        Call::Adopt(WriteId(1), Box::new(request.clone())),
    ] {
        let error = within(open.session.call(call)).await.unwrap_err();
        assert_eq!(error.what(), "Nothing was sent: this session is read-only.");
        assert!(!error.may_have_happened() && !error.hint().is_empty());
    }
    assert_eq!(tenant.writes(), 0);
    let (pages, gaps) = open.pages(Query::Device(request.device.raw().to_owned())).await;
    assert!(gaps.unwrap().is_empty() && ids(&pages).contains(&request.id.raw().to_owned()));
    assert!(!open.devices("MMD").await.is_empty());
    let check = Call::Check(vec![(request.id.clone(), request.device.clone())]);
    let checked = within(open.session.call(check)).await;
    assert!(matches!(checked, Ok(CallResult::Checked { listed, .. }) if listed == [request]));
    within(open.session.end()).await;
    while let Some(event) = within(open.events.recv()).await {
        assert!(matches!(event, Event::Ready | Event::SignIn(_)), "no record is told of: {event:?}");
    }
}

#[tokio::test]
async fn session_that_looks_finds_what_was_left_and_leaves_all_of_it_for_the_next() {
    let tenant = Tenant::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let left = tenant.open(folder.path());
    let known = left.created("INC-10450 MMD-00000000017 Word template missing").await;
    left.session.save(vec![(DraftTarget::Form, Some(draft("INC-1 MMD-00000000001 Typed")))]).unwrap();
    let hangs = Misdeed::HangAfter(Duration::from_secs(600));
    tenant.observer.set_rules([Rule::new(Endpoint::Create, hangs), Rule::new(Endpoint::Close, hangs)]);
    left.session.submit(CallId(1), Call::Send(Operation::Create(new_request(EXCEL)))).unwrap();
    left.session.submit(CallId(2), Call::Send(Operation::Close(close_of(&known, "Done.")))).unwrap();
    tenant.received(Endpoint::Create, 2).await;
    tenant.received(Endpoint::Close, 1).await;
    let committed = || tenant.observer.requests().unwrap().iter().any(|held| held.actions_taken == "Done.");
    within(async {
        while !committed() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    // As a process that is killed: nothing more is applied.
    drop(left.events);
    within(left.session.end()).await;
    tenant.observer.set_rules([]);
    let writes = tenant.writes();

    let mut before = None;
    for turn in ["first", "second"] {
        let mut looking = tenant.open_to_look(folder.path());
        let recovered = looking.recovered().await;
        assert_eq!(recovered.unresolved.len(), 2, "{turn}: {recovered:?}");
        assert_eq!(drafts(&recovered), [draft("INC-1 MMD-00000000001 Typed")], "{turn}");
        assert_eq!(recovered.open.len(), 1, "{turn}");
        assert_eq!(before.get_or_insert_with(|| recovered.clone()), &recovered, "{turn}");
        let (create, close) = (recovered.unresolved[0].id, recovered.unresolved[1].id);
        let found = within(looking.session.look_up(create)).await;
        assert!(matches!(&found, Ok(CallResult::Created { surplus, .. }) if surplus.is_empty()), "{turn}: {found:?}");
        let closed = within(looking.session.look_up(close)).await;
        assert!(matches!(closed, Ok(CallResult::Closed(ReadBack::Verified(_)))), "{turn}: {closed:?}");
        for call in [
            Call::Send(Operation::Create(new_request(EXCEL))),
            Call::Send(Operation::Close(close_of(&known, "Again."))),
            Call::SetAside(create),
            Call::Adopt(create, Box::new(known.clone())),
            Call::TakeAsClosed(known.id.clone()),
        ] {
            let error = within(looking.session.call(call)).await.unwrap_err();
            assert_eq!(error.what(), "Nothing was sent: this session is read-only.", "{turn}");
        }
        // Of its own it saves nothing, and deletes nothing of others.
        looking.session.save(vec![(DraftTarget::Form, None), (DraftTarget::Refused(1), Some(draft(EXCEL)))]).unwrap();
        looking.session.end().await;
        let unsaved =
            std::iter::from_fn(|| looking.events.try_recv().ok()).find(|event| matches!(event, Event::NotSaved(_)));
        assert!(unsaved.is_none(), "{turn}: {unsaved:?}");
    }
    assert_eq!(tenant.writes(), writes);

    let mut next = tenant.open(folder.path());
    assert_eq!(Some(next.recovered().await), before, "nothing of it was lost");
    for write in before.unwrap().unresolved {
        let settled = within(next.session.look_up(write.id)).await;
        assert!(matches!(settled, Ok(CallResult::Created { .. } | CallResult::Closed(_))), "{settled:?}");
    }
    next.drop().await;
    let recovered = tenant.open(folder.path()).recovered().await;
    assert!(recovered.unresolved.is_empty(), "{recovered:?}");
    assert_eq!(tenant.writes(), writes);
}

#[tokio::test]
async fn session_that_looks_leaves_alone_what_a_living_one_has() {
    let tenant = Tenant::serve().await;
    let folder = tempfile::tempdir().unwrap();
    let mut living = tenant.open(folder.path());
    living.recovered().await;
    living.session.save(vec![(DraftTarget::Form, Some(draft("INC-1 MMD-00000000001 Typed")))]).unwrap();
    let known = living.created(EXCEL).await;
    let mut looking = tenant.open_to_look(folder.path());
    let recovered = looking.recovered().await;
    assert_eq!(ids(&[recovered.open]), [known.id.raw()]);
    assert!(recovered.drafts.is_empty() && recovered.unresolved.is_empty());
    // What is closed meanwhile is listed there, and told to the record by the one that may write.
    within(living.session.close(close_of(&known, "Done."))).await.unwrap();
    let check = Call::Check(vec![(known.id.clone(), known.device.clone())]);
    let checked = within(looking.session.call(check)).await;
    assert!(matches!(checked, Ok(CallResult::Checked { listed, .. }) if listed[0].closed.is_some()));
}

#[tokio::test]
async fn sessions_of_two_tenants_with_one_state_folder_know_nothing_of_each_other() {
    let (here, there) = (Tenant::serve().await, Tenant::serve().await);
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (here.open(folder.path()), there.open(folder.path()));
    for recovered in [first.recovered().await, second.recovered().await] {
        // The sessions of this process are counted among the others.
        assert_eq!(Recovered { others: 0, ..recovered }, Recovered::default());
    }

    // The same create is lost without a trace here, and with one there.
    here.observer.set_rules([Rule::new(Endpoint::Create, Misdeed::Fail)]);
    there.observer.set_rules([Rule::new(Endpoint::Create, Misdeed::FailAfter)]);
    let (lost, found) = tokio::join!(first.create(EXCEL), second.created(EXCEL));
    assert!(matches!(lost, Ok(CallResult::Looked { seen: MatchResult::NotSeen, .. })), "{lost:?}");
    assert_eq!((here.observer.creates_received(), there.observer.creates_received()), (1, 1));
    for write in (1..=2).map(WriteId) {
        let of = |looked: &Result<CallResult, CallError>| {
            looked.as_ref().err().is_some_and(|error| error.hint() == CallError::not_sent("").hint())
        };
        let looked = (within(first.session.look_up(write)).await, within(second.session.look_up(write)).await);
        assert!(of(&looked.1), "neither the other's nor what is settled: {looked:?}");
    }
    for (open, text) in [(&first, "INC-1 MMD-00000000001 Typed here"), (&second, "INC-2 MMD-00000000003 Typed there")] {
        open.session.save(vec![(DraftTarget::Form, Some(draft(text)))]).unwrap();
    }

    first.drop().await;
    here.observer.set_rules([]);
    there.observer.set_rules([]);
    let other = second.created("INC-10450 MMD-00000000017 Word template missing").await;
    assert_eq!(ids(&second.pages(Query::Open).await.0), there.open_ids(), "the other goes on");

    // What the one has left is taken over while the other lives.
    let mut first = here.open(folder.path());
    let left = first.recovered().await;
    let writes: Vec<_> = left.unresolved.iter().map(|write: &WriteRecord| write.operation.clone()).collect();
    assert_eq!(writes, [Operation::Create(new_request(EXCEL))]);
    assert_eq!(drafts(&left), [draft("INC-1 MMD-00000000001 Typed here")]);
    assert!(left.open.is_empty() && left.warnings.is_empty(), "{left:?}");
    second.drop().await;
    let left = there.open(folder.path()).recovered().await;
    assert!(left.unresolved.is_empty() && left.warnings.is_empty(), "{left:?}");
    assert_eq!(drafts(&left), [draft("INC-2 MMD-00000000003 Typed there")]);
    let open = sorted(left.open.iter().map(|request| request.id.raw().to_owned()));
    assert_eq!(open, sorted([found, other].map(|request| request.id.raw().to_owned())));
}

fn drafts(recovered: &Recovered) -> Vec<mmd_elevate_core::Draft> {
    recovered.drafts.iter().map(|saved| saved.draft.clone()).collect()
}

#[tokio::test]
async fn awaited_calls_fail_when_nobody_listens_to_the_session_any_more() {
    let hangs = Misdeed::Hang(Duration::from_secs(600));
    let tenant = Tenant::misbehaving([Rule::new(Endpoint::Create, hangs), Rule::new(Endpoint::List, hangs)]).await;
    let folder = tempfile::tempdir().unwrap();
    let Open { session, events } = tenant.open(folder.path());
    let ending = async {
        tenant.received(Endpoint::Create, 1).await;
        tenant.received(Endpoint::List, 1).await;
        drop(events);
    };
    let mut pages = |_| panic!("no page has come");
    let calls =
        async { tokio::join!(session.create(new_request(EXCEL)), session.list(Query::Open, &mut pages), ending) };
    let (created, listed, ()) = within(calls).await;
    assert!(created.unwrap_err().may_have_happened());
    assert!(listed.is_err());
    within(session.end()).await;
    let (_, recovered) = Record::open(tenant.place(folder.path()), Timestamp::now).await.unwrap();
    assert_eq!(recovered.unresolved.len(), 1, "the write is in the record");
}

#[tokio::test]
async fn call_that_comes_while_the_session_ends_fails_too() {
    // What is polled when depends on what was polled before.
    for earlier in 0..4 {
        let never = future::pending::<Result<Arc<dyn Backend>, CallError>>();
        let Open { session, events } =
            Open::with(|events| Session::open_read_only(&Handle::current(), never, BRIEF, events));
        for call in 0..earlier {
            session.submit(CallId(call), Call::List(Query::Open)).unwrap();
            tokio::task::yield_now().await;
        }
        let asking = tokio::spawn(async move {
            let first = session.devices("x").await;
            // The worker may not have seen yet that it is to end.
            (first.unwrap_err(), session.devices("x").await.unwrap_err())
        });
        tokio::task::yield_now().await;
        drop(events);
        let (_, late) = within(asking).await.unwrap();
        assert!(!late.may_have_happened(), "{late:?}");
    }
}
