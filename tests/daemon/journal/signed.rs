//! Signed copies of anchors: who gets them, who can check them, and what happens when nobody takes them.

use super::{
    command::{MATRIX, fire, write},
    common::{Daemon, Setup, root},
    kept::read,
};
use crate::{
    double::{
        self,
        fault::Fault,
        service::{Manners, Service},
    },
    house::eventually,
};
use std::process::Command;
use stentor::{
    channel::webhook::sign::{self, SigningKey},
    core::Timestamp,
    engine::keys::DerivedKeys,
    journal::{AnchorKey, JournalFaultKind, KeptAnchors, SignedAnchor},
};

const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TAKEN: Manners = Manners { yes: (200, ""), no: (400, ""), unwanted: "" };

fn copy(of: u8, seq: u64) -> SignedAnchor {
    let at = Timestamp::from_micros(1_764_000_000_000_000);
    DerivedKeys::new([of; 32]).sign_anchor(seq, &[seq as u8; 32], at).expect("a signature")
}

fn key(of: u8) -> AnchorKey {
    DerivedKeys::new([of; 32]).anchor_key().expect("a key")
}

fn checked(keys: &[u8], text: &str) -> KeptAnchors {
    let mut kept = KeptAnchors::signed_by(keys.iter().map(|of| key(*of)).collect());
    kept.read(text.as_bytes()).expect("text can be read");
    kept
}

/// A copy in every form in which it is handed out.
fn forms(copy: &SignedAnchor) -> Vec<String> {
    let SignedAnchor { site, seq, hash, at, signature } = copy;
    let log = serde_json::json!({
        "level": "INFO", "message": "journal anchored", "journal.anchor.seq": seq, "journal.anchor.hash": hash,
        "journal.anchor.at": at, "journal.anchor.site": site, "journal.anchor.signature": signature,
    });
    vec![
        serde_json::to_string(copy).unwrap(),
        serde_json::json!({ "type": "journal.anchored", "timestamp": at, "data": copy }).to_string(),
        log.to_string(),
        format!(
            "2026-11-23T09:00:00.000001Z  INFO journal anchored journal.anchor.seq={seq} journal.anchor.hash=\"{hash}\" \
             journal.anchor.at={at} journal.anchor.site=\"{site}\" journal.anchor.signature=\"{signature}\""
        ),
    ]
}

#[test]
fn a_copy_that_was_altered_or_signed_by_somebody_else_is_a_finding() {
    let forged = |kept: KeptAnchors| {
        let report = stentor::journal::verify(Vec::new(), kept);
        report.faults.iter().any(|fault| fault.what == JournalFaultKind::KeptForged)
    };
    for form in forms(&copy(7, 3)) {
        assert!(!forged(checked(&[7], &form)), "{form}");
        assert!(!forged(checked(&[8, 7], &form)), "one of several keys is enough: {form}");
        assert!(forged(checked(&[8], &form)), "{form}");
        for (was, is) in [("\"seq\":3", "\"seq\":4"), (".seq\":3", ".seq\":4"), ("seq=3 ", "seq=4 "), ("0303", "0304")]
        {
            let altered = form.replacen(was, is, 1);
            assert!(altered == form || forged(checked(&[7], &altered)), "{altered}");
        }
        // Without a key nobody is asked for a signature.
        assert!(!forged(read(&form.replacen("0303", "0304", 1))), "{form}");
        // A copy that was cut proves nothing.
        let cut = checked(&[7], &form[..form.len() - 20]);
        assert!(cut.is_empty() && cut.torn() == 1, "{form}: {cut:?}");
    }
    let unsigned = checked(&[7], &format!("{{\"seq\":3,\"hash\":\"{}\"}}", "03".repeat(32)));
    assert!(unsigned.is_empty() && unsigned.unsigned() == 1, "{unsigned:?}");
}

#[test]
fn a_key_comes_back_from_its_file_and_nothing_else_is_one() {
    let pem = key(7).pem();
    assert_eq!(AnchorKey::from_pem(&format!("the key of the desk:\n{pem}")), Some(key(7)));
    for other in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", &pem[..pem.len() - 30]] {
        assert_eq!(AnchorKey::from_pem(other), None, "{other}");
    }
}

fn verified(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = daemon.cli(&[&["journal", "verify"], arguments].concat());
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// What the verifier in Python says, which leaves signatures to OpenSSL.
fn judged(key: &str, copies: &str) -> Option<(Option<i32>, String)> {
    let script = root().join("examples/python/verify_anchor.py");
    if Command::new("openssl").arg("version").output().is_err() {
        println!("SKIPPED: there is no openssl");
        return None;
    }
    let Ok(output) = Command::new("python3").arg(script).args([key, copies]).output() else {
        println!("SKIPPED: there is no python3");
        return None;
    };
    Some((output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap()))
}

fn problems(daemon: &Daemon) -> (u16, String) {
    let reply = daemon.control(&crate::wire::Call::get("/readyz"));
    (reply.status, reply.json()["problems"].to_string())
}

#[test]
fn copies_go_to_a_file_and_a_webhook_and_an_outsider_can_check_them() {
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let audit = runtime.block_on(Service::start(TAKEN));
    audit.set_fault(Some(Fault::Status(503, vec![], "busy")));
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("anchors.jsonl");
    let receivers = format!(
        "file = {file:?}, webhook = {{ url = {:?}, keys = [{{ env = \"AUDIT_KEY\" }}], allow = [\"127.0.0.0/8\"] }}",
        audit.url()
    );
    let matrix = format!("[daemon]\nanchors = {{ {receivers} }}\n{MATRIX}");
    let mut daemon = Setup::new(&matrix).env("AUDIT_KEY", KEY).start();
    // Who does not take them is named, and delays nothing.
    let (status, said) = eventually("the problem", || {
        let (status, said) = problems(&daemon);
        said.contains("do not reach the webhook of [daemon] anchors").then_some((status, said))
    });
    assert!(status == 200 && said.contains("503") && !said.contains("the file"), "{said}");
    let doctor = daemon.cli(&["doctor"]);
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("anchors") && doctor.contains("the file has all up to anchor 1"), "{doctor}");
    fire(&daemon, "A");
    audit.set_fault(None);
    assert!(daemon.stop());

    // Both have each anchor, the webhook in an event that is signed for it.
    let copies = std::fs::read_to_string(&file).unwrap();
    let copies: Vec<SignedAnchor> = copies.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(copies.iter().map(|copy| copy.seq).collect::<Vec<_>>(), [1, 2]);
    let told = audit.accepted();
    assert_eq!(told.len(), 2, "{told:?}");
    for (event, copy) in told.iter().zip(&copies) {
        let (id, at) = (event.header("webhook-id"), event.header("webhook-timestamp"));
        assert_eq!(id, format!("{}-anchor-{}", copy.site, copy.seq));
        let key = [SigningKey::parse(KEY).unwrap()];
        let signatures = event.header("webhook-signature");
        sign::verify(&key, id, at, signatures, event.body.as_bytes(), at.parse().unwrap()).unwrap();
        assert_eq!(event.json()["data"], serde_json::to_value(copy).unwrap());
    }

    let public = daemon.cli(&["journal", "key"]);
    let public = write(&daemon, "key.pem", &String::from_utf8(public.stdout).unwrap());
    let file = file.to_str().unwrap();
    let log = super::command::log_of(&daemon);
    for copies in [file, &log] {
        let (status, said) = verified(&daemon, &["--anchor", copies, "--key", &public]);
        assert!(status == Some(0) && said.contains("sound, complete up to the kept anchor 2"), "{said}");
    }
    let unsigned = write(&daemon, "unsigned", &format!("{{\"seq\":2,\"hash\":\"{}\"}}", copies[1].hash));
    let (status, said) = verified(&daemon, &["--anchor", &unsigned, "--key", &public]);
    assert!(status == Some(2) && said.contains("has a signature"), "{said}");
    let altered = std::fs::read_to_string(file).unwrap().replacen("\"seq\":2", "\"seq\":3", 1);
    let altered = write(&daemon, "altered", &altered);
    let (status, said) = verified(&daemon, &["--anchor", &altered, "--key", &public]);
    assert!(status == Some(1) && said.contains("its signature does not match"), "{said}");

    let Some((status, said)) = judged(&public, file) else { return };
    assert!(status == Some(0) && said.contains("2 copy(s) checked"), "{said}");
    let (status, said) = judged(&public, &altered).unwrap();
    assert!(status == Some(1) && said.contains("anchor 3: NOT SIGNED"), "{said}");
}
