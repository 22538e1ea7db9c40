//! Pages of a list, as a service sends them one after the other: the client reads them over HTTP and follows their links. Whatever
//! the pages are, each request is listed once, each entry that cannot be read is counted, and the list ends.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use mmd_elevate_core::{
    CallError, Draft, ElevationRequest, ErrorCode, Field, Operation, Query, RequestId, invisible_characters,
};
use mmd_elevate_engine::{
    auth::{Method, Renewal, Source, Token, TokenSession},
    backend::{Backend, Listed, list_all},
    http::BaseUrl,
    mmd::{Client, Timeouts},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};

const LIST: &str = "/support/odata/v1/tenants/tenant/elevationRequests";

/// The size of a page from which on a page without new entries is no evidence that the list ends.
const FULL_PAGE: usize = 100;

/// The most entries that are read of a list of a device, but for the page with which they are reached.
const MOST_OF_DEVICE: usize = 5_000;

/// The most entries that the pages of one run have: a page may repeat a piece of text, and its reading takes its time.
const MOST_GENERATED: usize = 6_000;

/// How many entries the largest piece has: two of them are as many as are read of a list of a device.
const MANY: usize = 2_500;

/// How often a page is requested at most: an option of the query that is refused is left out.
const REFUSALS: usize = 6;

/// The statuses of a page that is no list.
const STATUSES: [&str; 16] = [
    "204 x",
    "302 x\r\nlocation: /",
    "400 x",
    "401 x",
    "403 x",
    "404 x",
    "408 x",
    "409 x",
    "422 x",
    "429 x",
    "429 x\r\nretry-after: 1",
    "500 x",
    "501 x",
    "503 x",
    "503 x\r\nretry-after: 1",
    "599 x",
];

/// Entries without a usable id.
const DAMAGED: [&str; 10] = [
    "null",
    "7",
    r#""text""#,
    "[]",
    r#"{"title":"no id"}"#,
    r#"{"id":null}"#,
    r#"{"id":".."}"#,
    r#"{"id":{"value":"1"}}"#,
    r#"{"id":true}"#,
    r#"{"id":"half \ud83d"}"#,
];

/// What else an entry holds. None of it makes the entry unreadable.
const MORE: [&[u8]; 6] = [
    br#""title":"plain""#,
    br#""title":"half \ud83d""#,
    b"\"title\":\"caf\xe9\"",
    b"\"title\":\"\x00\x1b[2J\xe2\x80\xae\"",
    br#""title":NaN,"viewerUpns":[null,7,"a@x"]"#,
    br#""Title":{},"ID":[],"requestCreationTime":1e999"#,
];

/// Links that are not followed.
const FOREIGN: [&str; 8] = [
    "https://elsewhere.invalid/support/odata/v1/tenants/tenant/elevationRequests?$skip=1",
    "/support/odata/v1/tenants/other/elevationRequests?$skip=1",
    "http://sam:canary@{host}{list}?$skip=1",
    "//elsewhere.invalid{list}",
    "javascript:alert(1)",
    "http://[",
    "../../../../..",
    "https://{host}{list}",
];

/// Links at the place of the list.
const LINKS: [&str; 5] = [
    "http://{host}{list}?$skiptoken=",
    "{list}?$skiptoken=",
    "?$skiptoken=",
    "HTTP://{host}{list}/?$skiptoken=",
    "elevationRequests?$skip=0&$skiptoken=",
];

/// The first byte says what is listed, and what follows the last page. The rest are pages, in which each character stands for
/// a piece:
///
/// | character | piece |
/// |---|---|
/// | a to z | an open request |
/// | A to Z | the same request, closed, and its id in capitals |
/// | 0 to 9 | an entry that cannot be read |
/// | `#` and a byte | as many requests that no other page has, or [`MANY`] |
/// | `?` and a byte | what the requests that follow hold beside the id |
/// | `>` and a byte | a link to the next page |
/// | `<` and a byte | a link to somewhere else |
/// | `!` and a byte | the page has another status |
/// | `[` | the page is a list alone |
/// | `"`, a length and bytes | an entry of these bytes |
/// | `=`, a length and bytes | a body of these bytes |
/// | a line's end | the end of the page |
pub(crate) fn list_pages(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else { return };
    SCENE.with(|scene| {
        let service = Service::new(read_pages(rest, &scene.host), how / 4);
        scene.run(service, how % 4);
    });
}

thread_local! {
    static SCENE: Scene = Scene::new();
}

/// What all runs share: setting it up takes longer than a run.
struct Scene {
    runtime: Runtime,
    listener: TcpListener,
    host: String,
    token: Token,
}

impl Scene {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        Self { runtime, listener, host, token: Token::new("canary-token", None).unwrap() }
    }

    fn run(&self, service: Service, what: u8) {
        let service = Arc::new(Mutex::new(service));
        let result = self.runtime.block_on(async {
            let client = self.client();
            let mut connections = JoinSet::new();
            let listing = list(&client, what);
            tokio::pin!(listing);
            loop {
                tokio::select! {
                    result = &mut listing => break result,
                    accepted = self.listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        connections.spawn(serve(stream, Arc::clone(&service)));
                    }
                }
            }
        });
        let service = service.lock().unwrap_or_else(|poisoned| panic!("a request of the client: {poisoned}"));
        service.check(what, &result);
    }

    /// A client that has found out nothing yet.
    fn client(&self) -> Client {
        let base = BaseUrl::parse(&format!("http://{}/support/odata/v1", self.host)).unwrap();
        let source = Source::new(Method::Environment(self.token.clone())).unwrap();
        let session = TokenSession::start(source, Renewal::default());
        let minute = Duration::from_secs(60);
        Client::new(&base, "tenant", session, Timeouts { connect: minute, read: minute, write: minute }).unwrap()
    }
}

async fn list(client: &Client, what: u8) -> Result<Listed, CallError> {
    match what {
        0 => list_all(client, &Query::Device("MMD-1".to_owned())).await,
        1 => list_all(client, &Query::Open).await,
        2 => list_all(client, &Query::Closed).await,
        _ => client.look_up(&create()).await,
    }
}

/// A create on a device whose name has three spellings, each of which is listed.
fn create() -> Operation {
    let mut draft = Draft::default();
    for field in Field::ALL {
        draft.set(field, field.label().to_owned());
    }
    draft.set(Field::Device, "mmd-1.contoso.example".to_owned());
    Operation::Create(draft.validate().unwrap())
}

/// A page, and what is in it.
#[derive(Clone)]
struct Page {
    status: &'static str,
    body: Vec<u8>,
    entries: Vec<Entry>,
    link: Option<String>,
    /// Whether it is known what is in it.
    is_known: bool,
}

#[derive(Clone)]
enum Entry {
    Request { id: RequestId, is_closed: bool },
    Unreadable(&'static str),
}

impl Page {
    fn is_list(&self) -> bool {
        self.status.starts_with("200")
    }
}

/// Reads the pages, as they are written in the bytes.
fn read_pages(data: &[u8], host: &str) -> Vec<Page> {
    let (mut bytes, mut pages, mut generated) = (Bytes(data), Vec::new(), 0);
    while !bytes.0.is_empty() && pages.len() < 64 {
        pages.push(read_page(&mut bytes, host, &mut generated));
    }
    pages
}

fn read_page(bytes: &mut Bytes<'_>, host: &str, generated: &mut usize) -> Page {
    let (mut page, mut texts) = (Page::empty(), Vec::new());
    let (mut link_key, mut alone, mut body, mut more) = ("@odata.nextLink", false, None, MORE[0]);
    while let Some(piece) = bytes.next() {
        match piece {
            b'a'..=b'z' => {
                let id = format!("abcdef00-0000-4000-8000-0000000000{piece:02x}");
                texts.push(page.add_request(&id, false, more));
            }
            b'A'..=b'Z' => {
                let id = format!("ABCDEF00-0000-4000-8000-0000000000{:02X}", piece.to_ascii_lowercase());
                texts.push(page.add_request(&id, true, more));
            }
            b'0'..=b'9' => {
                let text = DAMAGED[usize::from(piece - b'0')];
                page.entries.push(Entry::Unreadable(text));
                texts.push(text.as_bytes().to_vec());
            }
            b'#' => {
                // Reading thousands takes most of a run, so that only one byte in 256 stands for them.
                let count = match bytes.byte() {
                    u8::MAX => MANY,
                    count => usize::from(count),
                };
                for _ in 0..count {
                    if *generated < MOST_GENERATED {
                        *generated += 1;
                        texts.push(page.add_request(&format!("n{generated}"), generated.is_multiple_of(3), more));
                    }
                }
            }
            b'?' => more = MORE[usize::from(bytes.byte()) % MORE.len()],
            b'>' => {
                let which = bytes.byte();
                let link = LINKS[usize::from(which) % LINKS.len()];
                page.link = Some(format!("{}{which}", link.replace("{host}", host).replace("{list}", LIST)));
                link_key = if which.is_multiple_of(2) { "@odata.nextLink" } else { "OData.NextLink" };
            }
            b'<' => {
                let link = FOREIGN[usize::from(bytes.byte()) % FOREIGN.len()];
                page.link = Some(link.replace("{host}", host).replace("{list}", LIST));
            }
            b'!' => page.status = STATUSES[usize::from(bytes.byte()) % STATUSES.len()],
            b'[' => alone = true,
            b'"' => {
                texts.push(bytes.piece().to_vec());
                page.is_known = false;
            }
            b'=' => {
                body = Some(bytes.piece().to_vec());
                page.is_known = false;
            }
            b'\n' => break,
            _ => {}
        }
    }
    let list = [b"[", &*texts.join(&b','), b"]"].concat();
    page.body = match (body, alone) {
        (Some(body), _) => body,
        (None, true) => {
            page.link = None;
            list
        }
        (None, false) => {
            let link = page.link.as_ref().map_or_else(String::new, |link| format!(r#","{link_key}":"{link}""#));
            [b"{\"value\":", &*list, link.as_bytes(), b"}"].concat()
        }
    };
    if page.status.starts_with("204") {
        page.body.clear();
    }
    page
}

impl Page {
    /// A page by which a service says that there is nothing more.
    fn empty() -> Self {
        let body = br#"{"value":[]}"#.to_vec();
        Self { status: "200 x", body, entries: Vec::new(), link: None, is_known: true }
    }

    /// Adds a request. Returns its text.
    fn add_request(&mut self, id: &str, is_closed: bool, more: &[u8]) -> Vec<u8> {
        let closed = if is_closed { r#","requestClosureTime":"2024-01-01T00:00:00Z""# } else { "" };
        self.entries.push(Entry::Request { id: RequestId::new(id).unwrap(), is_closed });
        [br#"{"id":""#, id.as_bytes(), br#"","#, more, closed.as_bytes(), b"}"].concat()
    }
}

/// What is left of the bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    /// A length, then as many bytes.
    fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }
}

/// The service: it sends its pages in their order, whatever it is asked for.
struct Service {
    pages: Vec<Page>,
    /// What follows the last page: nothing, the last page again and again, or all of them again.
    then: u8,
    /// The pages that were sent.
    sent: Vec<Page>,
}

impl Service {
    fn new(pages: Vec<Page>, then: u8) -> Self {
        Self { pages, then, sent: Vec::new() }
    }

    /// Answers a request.
    fn answer(&mut self, head: &str) -> Vec<u8> {
        let target = head.strip_prefix("GET ").and_then(|rest| rest.split_once(' ')).map(|(target, _)| target);
        let path = target.and_then(|target| target.split('?').next()).unwrap_or_default();
        assert_eq!(path.trim_end_matches('/'), LIST, "the token was sent to another place");
        let at = self.sent.len();
        let page = match self.then % 3 {
            0 => self.pages.get(at),
            1 => self.pages.get(at).or(self.pages.last()),
            _ => self.pages.get(at % self.pages.len().max(1)),
        };
        let page = page.cloned().unwrap_or_else(Page::empty);
        let head = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n\r\n", page.status, page.body.len());
        let answer = [head.as_bytes(), &page.body].concat();
        self.sent.push(page);
        answer
    }

    fn check(&self, what: u8, result: &Result<Listed, CallError>) {
        let lists = || self.sent.iter().filter(|page| page.is_list());
        let (mut ids, mut damaged, mut expected, mut unreadable) = (HashSet::new(), HashSet::new(), Vec::new(), 0);
        for page in lists() {
            let mut damaged_here = Vec::new();
            for entry in &page.entries {
                match entry {
                    Entry::Request { id, is_closed } => {
                        let is_selected = what != 1 && what != 2 || *is_closed == (what == 2);
                        if ids.insert(id) && is_selected {
                            expected.push(id);
                        }
                    }
                    Entry::Unreadable(text) => damaged_here.push(*text),
                }
            }
            // Two that look alike are two requests in one page, and one that is repeated in two.
            unreadable += damaged_here.iter().filter(|text| !damaged.contains(*text)).count();
            damaged.extend(damaged_here);
        }
        let is_known = lists().all(|page| page.is_known);
        let links: HashSet<_> = lists().filter_map(|page| page.link.as_ref()).collect();
        if is_known {
            let lists = if what == 3 { 3 } else { 1 };
            let most = lists * (1 + ids.len() + damaged.len() + links.len()) * REFUSALS;
            assert!(self.sent.len() <= most, "{} requests, where {most} are enough", self.sent.len());
        }
        match result {
            Err(error) => {
                check_error(error);
                let is_throttled = error.code == Some(ErrorCode::Throttled);
                let nothing_read = expected.is_empty() && unreadable == 0;
                assert!(what == 3 || !is_known || is_throttled || nothing_read, "{error:?} hides what was read");
            }
            Ok(listed) => {
                self.check_listed(what, listed);
                if is_known {
                    let listed_ids: Vec<_> = listed.requests.iter().map(|request| &request.id).collect();
                    assert_eq!(listed_ids, expected);
                    if what == 3 {
                        // Of the lists, the one with the most counts.
                        assert!(listed.unreadable <= self.sent.iter().map(|page| page.entries.len()).sum());
                        assert_eq!(listed.unreadable == 0, damaged.is_empty());
                    } else {
                        assert_eq!(listed.unreadable, unreadable);
                        assert_eq!(listed.entries, expected.len() + unreadable);
                    }
                }
            }
        }
    }

    fn check_listed(&self, what: u8, listed: &Listed) {
        let sent: usize = self.sent.iter().map(|page| page.body.len()).sum();
        assert!(listed.requests.len() + listed.unreadable <= sent, "more entries than bytes");
        let mut ids = HashSet::new();
        for request in &listed.requests {
            assert!(ids.insert(&request.id), "{:?} is listed twice", request.id);
            assert!(what != 1 || request.closed.is_none(), "a closed request among the open ones");
            assert!(what != 2 || request.closed.is_some(), "an open request among the closed ones");
            check_request(request);
        }
        let gaps = listed.gaps();
        check_shown(&gaps.describe());
        assert!(listed.is_complete() || !gaps.describe().is_empty(), "a gap is told");
        if let Some(error) = &listed.stopped {
            check_error(error);
        }
        let Some(last) = self.sent.last().filter(|last| last.is_known) else { return };
        let lists = self.sent.iter().filter(|page| page.is_list());
        let entries: usize = lists.map(|page| page.entries.len().max(1)).sum();
        if what == 3 {
            // Of several lists, each with pages of its own.
        } else if listed.to_end {
            assert!(listed.stopped.is_none() && last.is_list() && last.link.is_none(), "this is not the end");
        } else if listed.stopped.is_none() {
            let may_continue = last.link.is_some() || last.entries.len() >= FULL_PAGE || entries >= MOST_OF_DEVICE;
            assert!(may_continue, "this is the end");
        } else {
            assert!(!last.is_list(), "{:?} of a page that is one", listed.stopped);
        }
        if what == 0 && last.is_list() && self.sent.iter().all(|page| page.is_known) {
            assert!(entries - last.entries.len().max(1) < MOST_OF_DEVICE, "{entries} entries were read");
        }
    }
}

/// Answers what comes on a connection.
async fn serve(mut stream: TcpStream, service: Arc<Mutex<Service>>) {
    let mut came = Vec::new();
    loop {
        while let Some(end) = came.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = came.split_off(end + 4);
            let head = String::from_utf8(std::mem::replace(&mut came, rest)).unwrap();
            let answer = service.lock().unwrap().answer(&head);
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
        match stream.read_buf(&mut came).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn check_request(request: &ElevationRequest) {
    let id = request.id.raw();
    assert!(!id.trim().is_empty() && id.len() <= 128 && !id.contains(char::is_control), "{id:?}");
    for text in [&request.title, &request.device].into_iter().chain(&request.viewers) {
        check_shown(&text.visible());
    }
}

fn check_error(error: &CallError) {
    check_shown(&error.what());
    check_shown(error.hint());
    assert!(!error.what().contains("canary"), "{}", error.what());
}

fn check_shown(text: &str) {
    assert_eq!(invisible_characters(text), 0, "{text:?}");
    assert!(!text.contains('\n'), "{text:?}");
}
