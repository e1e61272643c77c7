//! A caller without a credential is refused before the body is read: it may be large, and may never end.

use super::{
    house::{eventually, sandboxed, secret},
    wire::{Call, Reply},
};
use std::{io::Write, net::TcpStream, time::Duration};

/// The announced length; only the first bytes are ever sent.
const ANNOUNCED: usize = 100_000;

#[test]
fn a_body_that_nobody_vouches_for_is_not_waited_for() {
    let daemon = sandboxed();
    let form = |path: &str| Call::post(path).header("Content-Type", "application/x-www-form-urlencoded");
    let json = |path: &str| Call::post(path).header("Content-Type", "application/json");
    let stale = form("/hooks/slack/room").header("X-Slack-Request-Timestamp", "1000000000");
    for (call, status) in [
        (json("/v1/alerts"), 401),
        (json("/api/v2/alerts"), 401),
        (json("/desk/answer"), 401),
        (json("/desk/seen"), 401),
        (form("/a/INC-1.1.0123456789abcdef"), 404),
        (form("/hooks/slack/room"), 401),
        (stale.header("X-Slack-Signature", &format!("v0={}", "0".repeat(64))), 401),
        (form("/hooks/kannel/sms?from=%2B34600000001&text=2"), 401),
        (form("/hooks/kannel/none"), 404),
        (form("/hooks/self"), 401),
    ] {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        // Far less than the time that a body may take.
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        let head = call.head(ANNOUNCED);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"{\"half\":").unwrap();
        let reply = Reply::read(&mut stream);
        assert_eq!(reply.status, status, "{head}: {reply:?}");
    }
}

#[test]
fn who_is_known_may_still_not_send_more_than_anybody_needs() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "mail");
    let long = "x".repeat(17 * 1024);
    let pressed = Call::post(held.path()).form(&[("answer", &long)]).send(daemon.address);
    assert_eq!(pressed.status, 413, "{pressed:?}");
    let path = format!("/hooks/kannel/sms?from=%2B34600000001&token={}", secret("KANNEL_REPLY_TOKEN"));
    assert_eq!(Call::post(&path).body("x".repeat(65 * 1024)).send(daemon.address).status, 413);
    let unread = Call::post(held.path()).header("Content-Type", "text/plain").body("answer=wilco").send(daemon.address);
    assert_eq!(unread.status, 415, "{unread:?}");
    let other = Call::post(held.path()).form(&[("word", "wilco")]).send(daemon.address);
    assert_eq!(other.status, 422, "{other:?}");
    let taken = Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(taken.status, 200, "{taken:?}");
    eventually("the answer", || (daemon.role(&incident, "trader")["state"] == "engaged").then_some(()));
}
