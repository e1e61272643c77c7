//! Texts from phones.

use super::double::twilio::{NEXT_TOKEN, TOKEN, sign};
use super::house::verdict;
use super::line::{ANA, BO, DESK, code_of, forged, line, line_on};

#[test]
fn a_reply_with_its_code_is_an_answer_and_everything_else_is_none() {
    let line = line("sms");
    let incident = line.crash("ES");
    let (ana, bo) = (line.brief(&incident, ANA), line.brief(&incident, BO));
    let (mine, other) = (code_of(&ana), code_of(&bo));
    let text = ana.field("Body").unwrap();
    let asks = format!(". TRADER: reply {mine} = I take it, {mine} 4 = pass, by ");
    assert!(text.starts_with("LIVE ES fell") && text.contains(&asks) && text.contains(&incident), "{text}");
    for (sid, from, said, word) in [
        ("SM01", ANA, "wilco".to_owned(), "waits for you. Reply with the 5-digit code"),
        ("SM02", ANA, format!("{other} 2"), "No page of yours has the code"),
        ("SM03", "+12125550100", mine.clone(), ""),
        ("SM04", ANA, format!("I am out of office until Monday {mine}"), "I read your code"),
        ("SM05", ANA, format!("{mine} stop"), "I read your code"),
        ("SM08", ANA, format!("{mine} 👎"), "I read your code"),
        ("SM09", ANA, format!("{mine}?"), "I read your code"),
    ] {
        let reply = line.text(from, sid, &said, &[]);
        assert!(if word.is_empty() { reply.is_empty() } else { reply.contains(word) }, "{said:?}: {reply:?}");
        assert!(
            said.contains(&mine) || !reply.contains(&mine),
            "nobody is told a code that they did not write: {reply}"
        );
    }
    assert_eq!(line.role(&incident, "trader")["state"], "paging");
    let before = line.events(&incident, "answered").len();
    for _ in 0..3 {
        // Twilio may hand the same text over again, under the same SID.
        let taken = format!("{incident}: you have it. Reply {mine} 4 to hand it back.");
        assert_eq!(verdict(&line.text(ANA, "SM06", &format!("{mine} 2"), &[])), taken);
    }
    assert_eq!(line.role(&incident, "trader")["holder"], "Ana Ruiz");
    assert_eq!(line.events(&incident, "answered").len(), before + 1);
    assert_eq!(line.events(&incident, "answered")[0]["via"], "sms");
    let late = line.text(BO, "SM07", &format!("{other} 2"), &[]);
    assert_eq!(verdict(&late), format!("{incident}: too late: Ana Ruiz has it."));
    line.made(BO, "Ana Ruiz has it for trader");
}

#[test]
fn with_two_pages_open_a_bare_answer_is_asked_back_and_a_coded_one_works() {
    let line = line("sms");
    let (first, second) = (line.crash("ES"), line.crash("NQ"));
    let codes = [&first, &second].map(|incident| code_of(&line.brief(incident, ANA)));
    let asked = line.text(ANA, "SM10", "2", &[]);
    let expected = format!("Which one? {second} (trader), {first} (trader) wait for you. Reply with the 5-digit code");
    assert!(asked.starts_with(&expected), "{asked}");
    assert!(codes.iter().all(|code| !asked.contains(code)), "{asked}");
    let taken = format!("{first}: you have it. Reply {} 4 to hand it back.", codes[0]);
    assert_eq!(verdict(&line.text(ANA, "SM11", &format!("ACK {}", codes[0]), &[])), taken);
    assert_eq!(line.role(&first, "trader")["holder"], "Ana Ruiz");
    assert_eq!(line.role(&second, "trader")["state"], "paging");
    let asked = line.text(ANA, "SM12", "2", &[]);
    assert!(asked.starts_with(&format!("{second} (trader) waits for you.")), "{asked}");
    assert_eq!(line.role(&second, "trader")["state"], "paging");
}

#[test]
fn only_what_twilio_has_signed_for_this_address_is_taken() {
    let line = line("sms");
    let incident = line.crash("ES");
    let said = format!("{} 2", code_of(&line.brief(&incident, ANA)));
    let (path, fields) = ("/hooks/twilio/sms", [("MessageSid", "SM20"), ("From", ANA), ("Body", said.as_str())]);
    let good = sign(TOKEN, &line.public(path), &fields);
    let other_body = [("MessageSid", "SM20"), ("From", ANA), ("Body", "4")];
    for (what, reply, status) in [
        ("unsigned", forged(&line, path, &fields, None), 401),
        ("empty", forged(&line, path, &fields, Some("")), 401),
        ("another key", forged(&line, path, &fields, Some(&sign("x", &line.public(path), &fields))), 401),
        ("another body", forged(&line, path, &other_body, Some(&good)), 401),
        ("one more field", forged(&line, path, &[&fields[..], &[("x", "y")]].concat(), Some(&good)), 401),
        ("another query", forged(&line, &format!("{path}?x=1"), &fields, Some(&good)), 401),
        ("another channel", line.post("/hooks/twilio/mail", &fields), 401),
        ("no such channel", line.post("/hooks/twilio/nosuch", &fields), 401),
        ("a voice channel", line.post("/hooks/twilio/call", &fields), 401),
    ] {
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        assert!(!reply.body.contains(TOKEN) && !reply.body.contains(&said), "{what}: {reply:?}");
    }
    assert_eq!(line.role(&incident, "trader")["state"], "paging");
    assert!(!line.log().contains(TOKEN) && !line.log().contains(&good));
    // Signed with the next token, over the address with a query of its own, with a name that comes twice.
    let fields =
        [("MessageSid", "SM21"), ("X", "2"), ("From", ANA), ("Body", said.as_str()), ("X", "1"), ("X", "2"), ("É", "")];
    let reply = line.post_signed(NEXT_TOKEN, &format!("{path}?site=a%20b"), &fields);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(line.role(&incident, "trader")["holder"], "Ana Ruiz");
}

#[test]
fn the_public_address_is_what_counts_with_and_without_its_port() {
    let matrix =
        format!("[daemon]\npublic_url = \"https://crisis.example.test/stentor\"\n{}", DESK.replace("BY", "sms"));
    let line = line_on(&matrix);
    let fields = [("MessageSid", "SM30"), ("From", ANA), ("Body", "hello")];
    for (public, status) in [
        ("https://crisis.example.test/stentor/hooks/twilio/sms?x=1", 200),
        ("https://crisis.example.test:443/stentor/hooks/twilio/sms?x=1", 200),
        ("https://crisis.example.test:8443/stentor/hooks/twilio/sms?x=1", 401),
        ("http://crisis.example.test/stentor/hooks/twilio/sms?x=1", 401),
        ("https://crisis.example.test/hooks/twilio/sms?x=1", 401),
    ] {
        let reply = forged(&line, "/hooks/twilio/sms?x=1", &fields, Some(&sign(TOKEN, public, &fields)));
        assert_eq!(reply.status, status, "{public}: {reply:?}");
    }
    // What links and reports begin with is the same address.
    let incident = line.crash("ES");
    let report = line.brief(&incident, ANA).field("StatusCallback").unwrap().to_owned();
    assert!(report.starts_with("https://crisis.example.test/stentor/hooks/twilio/sms/report?page="), "{report}");
}
