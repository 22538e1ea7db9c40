//! A server that plays back what it is told, byte for byte, and keeps what it was sent.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What becomes of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// A whole request is read, these bytes are written, and the connection is closed.
    Answer(Vec<u8>),
    /// The connection is closed before anything is read.
    Slam,
    /// A whole request is read, these bytes are written, and nothing ever follows.
    Hang(Vec<u8>),
    /// A whole request is read, these bytes are written, and then a blank again and again.
    Drip(Vec<u8>),
    /// A whole request is read, the first bytes are written, and then the second ones again and again, as fast as they
    /// are taken.
    Endless(Vec<u8>, Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Method, path and version.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// Decides what becomes of a connection: without its request, for what is not to be read at all, and then with it.
type Decide = Arc<dyn Fn(Option<&Request>) -> Option<Play> + Send + Sync>;

/// The server. It ends with the runtime of its test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<Request>,
    bytes: Vec<u8>,
}

impl Server {
    /// Plays the same for every connection.
    pub(crate) async fn start(play: Play) -> Self {
        Self::start_with(move |request| match (&play, request) {
            (Play::Slam, None) | (_, Some(_)) => Some(play.clone()),
            (_, None) => None,
        })
        .await
    }

    /// Plays what is decided for each connection. It is decided without the request first; where that comes to
    /// nothing, it is read.
    pub(crate) async fn start_with(decide: impl Fn(Option<&Request>) -> Option<Play> + Send + Sync + 'static) -> Self {
        let decide: Decide = Arc::new(decide);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = Self { address, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.lock().unwrap().connections += 1;
                // A client that hangs up early is part of what is played.
                tokio::spawn(play_to(stream, Arc::clone(&decide), Arc::clone(&seen)));
            }
        });
        server
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Every whole request, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// Everything that came, a request or not.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }
}

async fn play_to(mut stream: TcpStream, decide: Decide, seen: Arc<Mutex<Seen>>) -> io::Result<()> {
    if decide(None).is_some() {
        return Ok(());
    }
    let request = read_request(&mut stream, &seen).await?;
    seen.lock().unwrap().requests.push(request.clone());
    let play = decide(Some(&request)).unwrap_or(Play::Slam);
    match &play {
        Play::Slam => return Ok(()),
        Play::Answer(bytes) | Play::Hang(bytes) | Play::Drip(bytes) | Play::Endless(bytes, _) => {
            stream.write_all(bytes).await?;
        }
    }
    match play {
        Play::Hang(_) => std::future::pending().await,
        Play::Drip(_) => loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            stream.write_all(b" ").await?;
        },
        Play::Endless(_, more) => loop {
            stream.write_all(&more).await?;
        },
        Play::Answer(_) | Play::Slam => stream.shutdown().await,
    }
}

async fn read_request(stream: &mut TcpStream, seen: &Mutex<Seen>) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let mut whole = None;
    loop {
        if whole.is_none() {
            whole = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| {
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let request = Request { head, body: Vec::new() };
                let length = request.header("content-length").first().map_or(0, |length| length.parse().unwrap());
                (request, end + 4, length)
            });
        }
        if let Some((request, start, length)) = &mut whole
            && bytes.len() >= *start + *length
        {
            assert_eq!(bytes.len(), *start + *length, "one request a connection");
            return Ok(Request { head: request.head.clone(), body: bytes.split_off(*start) });
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..read]);
        seen.lock().unwrap().bytes.extend_from_slice(&chunk[..read]);
    }
}

/// A whole HTTP answer. `head` is the status and the headers, each on a line.
pub(crate) fn http(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = head.replace('\n', "\r\n");
    let mut bytes =
        format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
