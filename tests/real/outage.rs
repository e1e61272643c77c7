//! A desk in Chromium behind a proxy, while the daemon behind it is killed and comes back: the page turns red within
//! seconds, rebuilds its line by itself, and shows what came meanwhile.

use crate::{
    browser::{self, Browser},
    common::{Daemon, Setup},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// So soon the page is red: the browser's own retries, and two seconds of grace.
const RED_WITHIN: Duration = Duration::from_secs(8);

/// A reverse proxy as sites have them: while nobody is behind it, it answers 502 at once.
struct Proxy {
    address: SocketAddr,
    behind: Arc<Mutex<Option<SocketAddr>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, behind) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(None)));
        let target = behind.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let target: Option<SocketAddr> = *target.lock().unwrap();
                thread::spawn(move || carry(client, target));
            }
        });
        Self { address, behind }
    }

    fn stand_before(&self, daemon: Option<SocketAddr>) {
        *self.behind.lock().unwrap() = daemon;
    }
}

/// Carries one connection, or refuses it.
fn carry(mut client: TcpStream, target: Option<SocketAddr>) {
    let Some(server) = target.and_then(|target| TcpStream::connect(target).ok()) else {
        let mut request = [0; 4096];
        let _ = client.read(&mut request);
        let body = "<html>502 Bad Gateway</html>";
        let head = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close";
        let _ = write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        return;
    };
    let (Ok(mut up), Ok(mut down)) = (client.try_clone(), server.try_clone()) else { return };
    let mut server = server;
    let upwards = thread::spawn(move || {
        let _ = std::io::copy(&mut up, &mut server);
        let _ = server.shutdown(std::net::Shutdown::Both);
    });
    let _ = std::io::copy(&mut down, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = upwards.join();
}

fn matrix(proxy: SocketAddr) -> String {
    format!(
        r#"
[daemon]
public_url = "http://{proxy}"

[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.trader]
step = [{{ page = ["ana"], by = ["desk"], wait = "10m" }}]

[trigger.crash]
on = ["crash"]
roles = ["trader"]
"#
    )
}

#[test]
fn a_desk_behind_a_proxy_turns_red_and_comes_back_with_the_daemon() {
    if browser::missing() {
        return;
    }
    let proxy = Proxy::start();
    let mut daemon = Setup::new(&matrix(proxy.address)).start();
    proxy.stand_before(Some(daemon.address));
    let link = daemon.json(&["desk-link", "ana"])["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("http://{}", proxy.address)), "the link leads through the proxy");
    let mut browser = Browser::open(&link);
    browser.may_lose_its_line();
    proxy.stand_before(None);
    daemon.kill();
    let killed = Instant::now();
    let line = browser.is_red();
    let red = killed.elapsed();
    assert!(line.contains("LINE LOST") && line.contains("No page can reach this screen"), "{line}");
    assert!(line.contains("rgb(208, 0, 31)"), "it is red: {line}");
    assert!(red < RED_WITHIN, "red after {red:?}");
    back(&mut daemon, &proxy, &mut browser);
}

/// It comes back, and a page that was made meanwhile is there without anybody touching the screen.
fn back(daemon: &mut Daemon, proxy: &Proxy, browser: &mut Browser) {
    daemon.restart();
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    proxy.stand_before(Some(daemon.address));
    let text = browser.reads("INC-1");
    assert!(text.contains("LIVE"), "{text}");
    browser.press("I have it");
    let deadline = Instant::now() + Duration::from_secs(20);
    while daemon.json(&["show", "INC-1"])["incident"]["roles"][0]["state"] != "engaged" {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        thread::sleep(Duration::from_millis(50));
    }
}
