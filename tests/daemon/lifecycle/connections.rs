//! No connection stays for ever in any state, no peer takes them all, and a client that reads is not cut off.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use std::{
    convert::Infallible,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};
use stentor::{
    engine::listeners::{ListenerGauge, ListenerGauges},
    http::connection::{ListenSocket, OpenListener, ShareOwner, limits::ConnectionLimits, serve},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Short enough to wait for, long enough for a machine that is busy.
const SHORT: ConnectionLimits = ConnectionLimits {
    share: 3,
    kept: 0,
    first: Duration::from_millis(400),
    idle: Duration::from_millis(400),
    answer: Duration::from_millis(500),
    unread: Duration::from_millis(500),
    ping: Duration::from_secs(60),
};

/// By then each of them has passed, and one after another.
const SOON: Duration = Duration::from_secs(8);

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A listener on loopback whose peers are whom the test says.
struct Strangers {
    listener: TcpListener,
    /// The last number of the address that they seem to have; 0 for somebody trusted.
    who: Arc<AtomicU8>,
}

impl ListenSocket for Strangers {
    type Stream = tokio::net::TcpStream;
    type Peer = SocketAddr;

    async fn accept(&self) -> io::Result<(tokio::net::TcpStream, ShareOwner, SocketAddr)> {
        let (stream, peer) = self.listener.accept().await?;
        let origin = match self.who.load(Ordering::SeqCst) {
            0 => ShareOwner::Trusted,
            n => ShareOwner::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))),
        };
        Ok((stream, origin, peer))
    }
}

/// A door that is served by a runtime of its own.
struct House {
    address: SocketAddr,
    entrance: Arc<ListenerGauge>,
    who: Arc<AtomicU8>,
    shutdown: CancellationToken,
    served: Option<std::thread::JoinHandle<()>>,
}

impl House {
    fn new(most: usize, limits: ConnectionLimits) -> Self {
        let (shutdown, who) = (CancellationToken::new(), Arc::<AtomicU8>::default());
        let entrance = ListenerGauges::default().open("tcp", most);
        let (sender, receiver) = std::sync::mpsc::channel();
        let (ended, seen, origin) = (shutdown.clone(), entrance.clone(), who.clone());
        let served = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                let listener = Strangers { listener, who: origin };
                serve(OpenListener { listener, router: router(), limits, entrance: seen }, ended).await;
            });
        });
        Self { address: receiver.recv().unwrap(), entrance, who, shutdown, served: Some(served) }
    }

    fn call(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    fn open(&self) -> usize {
        self.entrance.fullness().open
    }

    fn until_open(&self, what: &str, open: usize) {
        let deadline = Instant::now() + SOON;
        while self.open() != open {
            assert!(Instant::now() < deadline, "{what}: {} connections and not {open}", self.open());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if let Some(served) = self.served.take().filter(|_| !std::thread::panicking()) {
            served.join().unwrap();
        }
    }
}

fn router() -> Router {
    let endless = || stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64 << 10])));
    let events = || {
        stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, Infallible>(Bytes::from("data: beat\n\n")), ()))
        })
    };
    let mute = || stream::pending::<Result<Bytes, Infallible>>();
    Router::new()
        .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { format!("here {}", peer.ip()) }))
        .route("/body", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/never", get(|| async { std::future::pending::<&'static str>().await }))
        .route("/mute", get(move || async move { Body::from_stream(mute()) }))
        .route("/endless", get(move || async move { Body::from_stream(endless()) }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/events", get(move || async move { Body::from_stream(events()) }))
        .route("/last", get(move || async move { Body::from_stream(events().take(30)) }))
}

// ---- HTTP/2 by hand ------------------------------------------------------------------------------------------------

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A request's head: GET, http, this path, authority `a`.
fn head(stream: u32, path: &str, flags: u8) -> Vec<u8> {
    let path = [&[0x44, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    frame(HEADERS, flags, stream, &[&[0x82, 0x86][..], &path, &[0x41, 1, b'a']].concat())
}

/// END_STREAM and END_HEADERS.
const WHOLE: u8 = 0x5;

/// A window for the whole connection that nothing here fills: what stands still is a stream.
fn wide() -> Vec<u8> {
    frame(8, 0, 0, &0x3fff_0000_u32.to_be_bytes())
}

/// The next frame: its kind and its stream.
fn next_frame(stream: &mut TcpStream) -> io::Result<(u8, u32)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    stream.read_exact(&mut vec![0; length])?;
    Ok((head[3], u32::from_be_bytes(head[5..9].try_into().unwrap())))
}

// ---- states --------------------------------------------------------------------------------------------------------

#[test]
fn no_connection_stays_for_ever_in_any_state() {
    let preface = |rest: &[u8]| [PREFACE, rest].concat();
    let asked = |path: &str| preface(&[SETTINGS, &wide(), &head(1, path, WHOLE)].concat());
    let post = b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n123";
    let states: [(&str, Vec<u8>); 22] = [
        ("silent", vec![]),
        ("one byte", b"G".to_vec()),
        ("half a preface", PREFACE[..8].to_vec()),
        ("almost a preface", PREFACE[..23].to_vec()),
        ("a preface alone", PREFACE.to_vec()),
        ("HTTP/2 with settings alone", preface(SETTINGS)),
        ("HTTP/2, half a head", preface(&[SETTINGS, &head(1, "/", 0x1)].concat())),
        ("HTTP/2, half a frame", preface(&[SETTINGS, &head(1, "/", WHOLE)[..12]].concat())),
        ("HTTP/2, answered and idle", asked("/")),
        ("HTTP/2, never answered", asked("/never")),
        ("HTTP/2, an answer without parts", asked("/mute")),
        ("HTTP/2, an endless answer that is not read", asked("/endless")),
        ("HTTP/2, a large answer that is not read", asked("/large")),
        ("half a head", b"GET / HTTP/1.1\r\nhost:".to_vec()),
        ("idle after an answer", ASK.to_vec()),
        ("idle after two", [ASK, ASK].concat()),
        ("half a head after an answer", [ASK, b"GET / HT"].concat()),
        ("half a body", post.to_vec()),
        ("never answered", b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n".to_vec()),
        ("an endless answer that is not read", b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n".to_vec()),
        ("a large answer that is not read", b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n".to_vec()),
        ("an upgrade", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_vec()),
    ];
    let house = House::new(1000, SHORT);
    for half_closed in [false, true] {
        let mut lines = Vec::new();
        for (what, bytes) in &states {
            let mut line = house.call();
            line.write_all(bytes).unwrap();
            if half_closed {
                line.shutdown(Shutdown::Write).unwrap();
            }
            lines.push((what, line));
        }
        // Nobody reads and nobody hangs up.
        house.until_open(&format!("half closed: {half_closed}"), 0);
        drop(lines);
    }
}

#[test]
fn a_peer_that_drips_its_head_is_not_waited_for() {
    let house = House::new(10, SHORT);
    let mut line = house.call();
    let began = Instant::now();
    for byte in b"GET / HTTP/1.1\r\n".iter().chain(b"x-filler: aaaa\r\n".iter().cycle()) {
        if line.write_all(&[*byte]).is_err() {
            break;
        }
        assert!(began.elapsed() < SOON);
        std::thread::sleep(Duration::from_millis(20));
    }
    house.until_open("dripping", 0);
}

#[test]
fn whoever_reads_is_not_cut_off() {
    let house = House::new(10, SHORT);
    let mut line = house.call();
    line.write_all(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    // Requests come, each just before the connection would be at rest for too long.
    let mut busy = house.call();
    let began = Instant::now();
    while began.elapsed() < 5 * SHORT.idle {
        let mut buffer = [0; 4096];
        assert_ne!(line.read(&mut buffer).unwrap(), 0, "after {:?}", began.elapsed());
        if began.elapsed().as_millis() % 200 < 40 {
            busy.write_all(ASK).unwrap();
            assert_ne!(busy.read(&mut buffer).unwrap(), 0, "after {:?}", began.elapsed());
        }
    }
    // A slow reader that reads.
    let mut slow = house.call();
    slow.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let (mut buffer, mut whole, began) = (vec![0; 2 << 20], 0, Instant::now());
    loop {
        match slow.read(&mut buffer).unwrap() {
            0 => break,
            read => whole += read,
        }
        std::thread::sleep(Duration::from_millis(60));
    }
    assert!(64 << 20 < whole && 3 * SHORT.idle < began.elapsed(), "{whole} in {:?}", began.elapsed());
}

#[test]
fn a_stream_that_is_not_read_takes_those_beside_it_not_along() {
    let house = House::new(10, SHORT);
    let mut line = house.call();
    let asked = [PREFACE, SETTINGS, &wide(), &head(1, "/endless", WHOLE), &head(3, "/events", WHOLE)].concat();
    line.write_all(&asked).unwrap();
    let (mut reset, mut beats) = (false, 0);
    while !reset || beats < 20 {
        match next_frame(&mut line).unwrap() {
            (RST_STREAM, 1) => reset = true,
            (DATA, 3) if reset => beats += 1,
            (kind, stream) => assert!(kind != GOAWAY && (kind, stream) != (RST_STREAM, 3)),
        }
    }
}

#[test]
fn an_http_2_peer_that_answers_no_ping_is_gone() {
    let house = House::new(10, ConnectionLimits { ping: Duration::from_millis(300), ..SHORT });
    let mut line = house.call();
    line.write_all(&[PREFACE, SETTINGS, &wide(), &head(1, "/events", WHOLE)].concat()).unwrap();
    // It reads what it is sent, as a kernel does whose program hangs, and says nothing.
    let began = Instant::now();
    while next_frame(&mut line).is_ok() {
        assert!(began.elapsed() < SOON);
    }
    house.until_open("no answer to a ping", 0);
}

#[test]
fn an_idle_http_2_peer_hears_that_this_is_the_end() {
    let house = House::new(10, SHORT);
    let mut line = house.call();
    line.write_all(&[PREFACE, SETTINGS, &head(1, "/", WHOLE)].concat()).unwrap();
    let mut heard = false;
    while let Ok((kind, _)) = next_frame(&mut line) {
        heard |= kind == GOAWAY;
    }
    assert!(heard);
}

// ---- shares and the whole ------------------------------------------------------------------------------------------

#[test]
fn one_address_takes_its_share_and_no_more_and_others_get_in() {
    let patient = ConnectionLimits { first: Duration::from_secs(60), idle: Duration::from_secs(60), ..SHORT };
    let house = House::new(10, patient);
    house.who.store(1, Ordering::SeqCst);
    let mut lines: Vec<TcpStream> = (0..3).map(|_| house.call()).collect();
    house.until_open("the share", 3);
    for _ in 0..5 {
        let mut more = house.call();
        assert!(matches!(more.read(&mut [0; 16]), Ok(0) | Err(_)), "closed at once");
    }
    assert_eq!((house.open(), house.entrance.fullness().turned_away), (3, 5));
    // Another address, and somebody trusted, who may have them all.
    for (who, count) in [(2, 3), (0, 4)] {
        house.who.store(who, Ordering::SeqCst);
        for _ in 0..count {
            let mut line = house.call();
            line.write_all(ASK).unwrap();
            assert_ne!(line.read(&mut [0; 512]).unwrap(), 0, "{who}");
            lines.push(line);
        }
    }
    house.until_open("full", 10);
    // The first one's places come back to it.
    drop(lines.drain(..3));
    house.until_open("room", 7);
    house.who.store(1, Ordering::SeqCst);
    let mut line = house.call();
    line.write_all(ASK).unwrap();
    assert_ne!(line.read(&mut [0; 512]).unwrap(), 0);
}

#[test]
fn places_are_kept_for_those_who_look_after_the_daemon() {
    let patient = ConnectionLimits { first: Duration::from_secs(60), kept: 2, ..SHORT };
    let house = House::new(6, patient);
    let mut lines = Vec::new();
    for who in [1, 1, 2, 2] {
        house.who.store(who, Ordering::SeqCst);
        lines.push(house.call());
        house.until_open("strangers", lines.len());
    }
    for who in [1, 2, 3] {
        house.who.store(who, Ordering::SeqCst);
        assert!(matches!(house.call().read(&mut [0; 16]), Ok(0) | Err(_)), "{who}");
    }
    house.who.store(0, Ordering::SeqCst);
    for _ in 0..2 {
        let mut line = house.call();
        line.write_all(ASK).unwrap();
        assert_ne!(line.read(&mut [0; 512]).unwrap(), 0);
        lines.push(line);
    }
}

#[test]
fn one_connection_too_many_waits_for_a_place() {
    let house = House::new(1, ConnectionLimits { idle: Duration::from_secs(60), ..SHORT });
    let (mut first, mut buffer) = (house.call(), [0; 512]);
    first.write_all(ASK).unwrap();
    assert_ne!(first.read(&mut buffer).unwrap(), 0);
    let mut second = house.call();
    second.write_all(ASK).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(second.read(&mut buffer).is_err(), "answered though the only place was taken");
    drop(first);
    second.set_read_timeout(Some(SOON)).unwrap();
    assert_ne!(second.read(&mut buffer).unwrap(), 0);
}

#[test]
fn a_stop_lets_what_is_under_way_end_and_nothing_more() {
    let house =
        House::new(10, ConnectionLimits { idle: Duration::from_secs(60), first: Duration::from_secs(60), ..SHORT });
    let (mut idle, mut under_way) = (house.call(), house.call());
    idle.write_all(ASK).unwrap();
    assert_ne!(idle.read(&mut [0; 512]).unwrap(), 0);
    under_way.write_all(b"GET /last HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    assert_ne!(under_way.read(&mut [0; 512]).unwrap(), 0);
    house.shutdown.cancel();
    let (mut rest, ended) = (Vec::new(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(idle.read(&mut [0; 16]).unwrap(), 0, "one at rest ends at once");
            ended.store(true, Ordering::SeqCst);
        });
        under_way.read_to_end(&mut rest).unwrap();
    });
    assert!(ended.load(Ordering::SeqCst));
    assert!(rest.ends_with(b"0\r\n\r\n"), "its answer came whole: {:?}", String::from_utf8_lossy(&rest));
}
