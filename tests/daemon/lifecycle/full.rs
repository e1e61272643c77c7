//! A full door is seen, and what goes out does not depend on it; users of this machine have their share of the socket.

use super::common::{Daemon, Setup};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

const MATRIX: &str = r#"
[daemon]
ping = { url = "URL/ping", every = "1s" }

[channel.sms]
kind     = "kannel"
url      = "URL/sms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }]

[trigger.crash]
on    = ["crash"]
roles = ["trader"]
"#;

/// Takes pings and texts, and counts them.
struct Receiver {
    url: String,
    pings: Arc<AtomicUsize>,
    texts: Arc<AtomicUsize>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (pings, texts) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (ping, text) = (pings.clone(), texts.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (ping, text) = (ping.clone(), text.clone());
                std::thread::spawn(move || answer(stream, &ping, &text));
            }
        });
        Self { url, pings, texts }
    }

    fn pings(&self) -> usize {
        self.pings.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, pings: &AtomicUsize, texts: &AtomicUsize) {
    let mut buffer = vec![0; 16 << 10];
    // Both fit into one packet of loopback.
    let Ok(read) = stream.read(&mut buffer) else { return };
    let said = String::from_utf8_lossy(&buffer[..read]).into_owned();
    let (count, body) = if said.contains("/ping") { (pings, "") } else { (texts, "0: Accepted for delivery") };
    count.fetch_add(1, Ordering::SeqCst);
    let head = format!("HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn eventually<T>(what: &str, daemon: &Daemon, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "this did not come: {what}\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the control socket answers; a full door on TCP does not matter to it.
fn ask(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

fn measured(daemon: &Daemon, name: &str) -> Option<usize> {
    let text = ask(&daemon.state().join("stentor.sock"), "/metrics");
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split(' ').next_back()?.parse().ok()
}

fn start(receiver: &Receiver, shell: &str) -> Daemon {
    Setup::new(&MATRIX.replace("URL", &receiver.url)).env("KANNEL_PASSWORD", "p").after(shell).start()
}

#[test]
fn a_full_door_is_told_once_holds_the_ping_back_and_stops_no_page() {
    let receiver = Receiver::start();
    let daemon = start(&receiver, "ulimit -n 128");
    let most = measured(&daemon, "stentor_connections_max{listener=\"tcp\"}").unwrap();
    assert!((40..110).contains(&most), "{most}");
    eventually("pings", &daemon, || (2 <= receiver.pings()).then_some(()));
    let fill = || -> Vec<TcpStream> { (0..most + 20).map(|_| TcpStream::connect(daemon.address).unwrap()).collect() };
    let lines = fill();
    let told = |words: &str| daemon.log().matches(words).count();
    eventually("a line in the log", &daemon, || (told("this listener is full") == 1).then_some(()));
    eventually("no ping", &daemon, || (told("the dead-man ping could not be sent") == 1).then_some(()));
    let pings = receiver.pings();
    let shown = ask(&daemon.state().join("stentor.sock"), "/readyz");
    assert!(shown.starts_with("HTTP/1.1 503") && shown.contains("the tcp listener is full"), "{shown}");
    assert_eq!(measured(&daemon, "stentor_connections{listener=\"tcp\"}"), Some(most));
    let doctor = daemon.cli(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("the tcp listener is full"), "{doctor:?}");
    // What goes out has its own descriptors, and so has the control socket.
    let texts = receiver.texts.load(Ordering::SeqCst);
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    eventually("the page", &daemon, || (texts < receiver.texts.load(Ordering::SeqCst)).then_some(()));
    assert_eq!(receiver.pings(), pings, "no ping while the door is full");
    drop(lines);
    eventually("room again", &daemon, || (told("this listener has free connections again") == 1).then_some(()));
    eventually("pings again", &daemon, || (pings < receiver.pings()).then_some(()));
    assert!(ask(&daemon.state().join("stentor.sock"), "/readyz").starts_with("HTTP/1.1 200"));
    let _again = fill();
    eventually("a second line", &daemon, || (told("this listener is full") == 2).then_some(()));
}

#[test]
fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let receiver = Receiver::start();
    let daemon = start(&receiver, "ulimit -Sn 64; ulimit -Hn 4096");
    assert_eq!(measured(&daemon, "stentor_connections_max{listener=\"tcp\"}"), Some(4096 - 1024 - 256));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().filter(|word| *word == "4096").count(), 2, "{line}");
    let lines: Vec<TcpStream> = (0..1100).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
    eventually("all of them", &daemon, || {
        (measured(&daemon, "stentor_connections{listener=\"tcp\"}")? == 1100).then_some(())
    });
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    eventually("the page", &daemon, || (receiver.texts.load(Ordering::SeqCst) == 1).then_some(()));
    drop(lines);
}

/// What a user whom the matrix does not know can do: this test, run again as that user.
#[test]
fn a_stranger_on_this_machine_has_a_share_of_the_socket_and_hears_why_once() {
    const NOBODY: u32 = 65_534;
    if let Some(socket) = std::env::var_os("STENTOR_TEST_STRANGER") {
        return be_a_stranger(Path::new(&socket));
    }
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: only root can be somebody else");
        return;
    }
    let receiver = Receiver::start();
    let daemon = start(&receiver, "ulimit -n 512");
    let socket = daemon.state().join("stentor.sock");
    for folder in [daemon.dir.path(), &daemon.state()] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let most = measured(&daemon, "stentor_connections_max{listener=\"unix\"}").unwrap();
    assert_eq!(most, 32);
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "lifecycle::full::a_stranger_on_this_machine_has_a_share_of_the_socket_and_hears_why_once"]);
    let mut stranger = again.arg("--nocapture").env("STENTOR_TEST_STRANGER", &socket).uid(NOBODY).spawn().unwrap();
    let turned_away = "stentor_connections_turned_away_total{listener=\"unix\"}";
    eventually("too many", &daemon, || (600 < measured(&daemon, turned_away)?).then_some(()));
    // Meanwhile operators get in, alerts get in, and pages go out.
    assert!(measured(&daemon, "stentor_connections{listener=\"unix\"}").unwrap() <= most / 4 + 2);
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    eventually("the page", &daemon, || (receiver.texts.load(Ordering::SeqCst) == 1).then_some(()));
    let mut line = TcpStream::connect(daemon.address).unwrap();
    line.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    line.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(daemon.log().matches("this peer has reached its limit").count(), 1, "{}", daemon.log());
    let deadline = Instant::now() + PATIENCE;
    while stranger.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the stranger does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(stranger.wait().unwrap().success());
}

fn be_a_stranger(socket: &Path) {
    // One that asks hears why, and is let go of.
    let said = {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("is neither the daemon's user nor"), "{said}");
    let mut lines: Vec<UnixStream> = (0..700).map(|_| UnixStream::connect(socket).unwrap()).collect();
    let began = Instant::now();
    // Those beyond the share are closed at once, the others when they have asked nothing for some seconds.
    for line in &mut lines {
        line.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(matches!(line.read(&mut [0; 16]), Ok(0) | Err(_)));
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
