//! What we send to Slack, judged by Slack's own types: the TypeScript compiler reads our blocks as `KnownBlock[]`, and our
//! forms as `ModalView`.

use crate::{
    double::{self, slack::FakeSlack},
    parts::{self, Part},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use stentor::{
    channel::{
        Channel, ContactData, Message, MessageText, Recipient, ReplyOptions, RoomState,
        chat::{ChatButton, ChatForm},
        contact::ContactValues,
        slack::contact::MEMBER,
        slack::send::{SlackChannel, SlackSettings},
    },
    core::{AnswerLevel, Form, IncidentId, PageId, PagePurpose, Timestamp},
};

const PARTS: [Part; 1] = [Part("node", "nodejs")];

/// Where the modules are.
const MODULES: &str = "STENTOR_NODE_MODULES";

/// The modules, or a word about what is missing.
fn modules() -> Option<PathBuf> {
    if parts::missing(&PARTS) {
        return None;
    }
    let folder = std::env::var_os(MODULES).map(PathBuf::from);
    let folder = folder.filter(|folder| ["@slack/types", "typescript"].iter().all(|name| folder.join(name).is_dir()));
    if folder.is_none() {
        let remedy = format!("npm install @slack/types typescript, and name its node_modules folder in {MODULES}");
        parts::skipped("@slack/types", &remedy);
    }
    folder
}

/// What the compiler says about messages; nothing where all are as Slack's types want them.
fn judged(modules: &Path, messages: &[Value]) -> String {
    judged_as(modules, "KnownBlock", "{ text: string; blocks: KnownBlock[] }", messages)
}

/// The same of values of this type, made of one that Slack exports.
fn judged_as(modules: &Path, exported: &str, of: &str, values: &[Value]) -> String {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(modules, dir.path().join("node_modules")).unwrap();
    let text = serde_json::to_string_pretty(values).unwrap();
    let source = format!(
        "import type {{ {exported} }} from '@slack/types';\nconst values: ({of})[] = {text};\nexport default values;\n"
    );
    std::fs::write(dir.path().join("values.ts"), source).unwrap();
    let compiler = modules.join("typescript/bin/tsc");
    let options = json!({
        "compilerOptions": { "noEmit": true, "strict": true, "skipLibCheck": true, "types": [], "module": "nodenext" },
        "files": ["values.ts"],
    });
    std::fs::write(dir.path().join("tsconfig.json"), options.to_string()).unwrap();
    let output = parts::command("node").arg(compiler).current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.trim().is_empty(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn message(to: Recipient, purpose: PagePurpose, drill: bool, open: bool) -> Message {
    let body = format!("LIVE INC-12: ACME fell <7.3 %> & more\n{}", "a line of its brief\n".repeat(300));
    Message {
        page: PageId { incident: IncidentId(12), n: 3 },
        mark: String::new(),
        page_mark: String::new(),
        drill,
        attempted: false,
        purpose,
        role: Some("trader".into()),
        to,
        text: MessageText {
            headline: "LIVE INC-12: ACME fell 7.3 %".into(),
            subject: "INC-12".into(),
            body,
            html: None,
            times: Default::default(),
        },
        ask: Some(ReplyOptions {
            page: PageId { incident: IncidentId(12), n: 3 },
            code: "48213".into(),
            link: "https://desk.example/a/x".into(),
            proof: "proof".into(),
            level: AnswerLevel::Roger,
            options: Vec::new(),
            fills_in: false,
            edits: false,
            repeats: None,
        }),
        room: Some(RoomState { open, purpose: "the war room".into(), runbook: None, ..RoomState::default() }),
        report: None,
        desk: None,
        born_at: Timestamp::from_micros(1_700_000_000_000_000),
        life: None,
        request: None,
    }
}

/// Everything that has blocks, as it reaches Slack.
async fn sent() -> Vec<Value> {
    double::install_tls();
    let slack = FakeSlack::start(&["UANA"]).await;
    let token = SecretString::from(double::slack::TOKEN);
    let channel = SlackChannel::new(SlackSettings { token, api_url: Some(slack.api_url()) }).unwrap();
    let person = || {
        Recipient::Person(ContactData {
            contacts: ContactValues::from([(MEMBER, "UANA".into())]),
            ..ContactData::default()
        })
    };
    let room = |id: Option<&str>, card: Option<&str>| {
        let (id, card) = (id.map(str::to_owned), card.map(str::to_owned));
        Recipient::Room { id, card, name: "inc-12".into(), private: true, invite: vec![] }
    };
    for drill in [false, true] {
        channel.send(&message(person(), PagePurpose::Brief { round: 0 }, drill, true)).await.unwrap();
        let told = Message { ask: None, ..message(person(), PagePurpose::Resolved, drill, false) };
        channel.send(&told).await.unwrap();
        let card = channel.send(&message(room(None, None), PagePurpose::RoomCard, drill, true)).await.unwrap();
        let (id, card) = (card.room.unwrap(), card.id);
        for open in [true, false] {
            let update = PagePurpose::RoomUpdate { revision: 2, shows: String::new() };
            channel.send(&message(room(Some(&id), Some(&card)), update, drill, open)).await.unwrap();
        }
    }
    let bodies = ["chat.postMessage", "chat.update"].iter().flat_map(|method| slack.calls(method));
    bodies.map(|call| json!({ "text": call.body["text"], "blocks": call.body["blocks"] })).collect()
}

/// A form with every kind of field, empty and with what was typed.
async fn forms() -> Vec<Value> {
    double::install_tls();
    let slack = FakeSlack::start(&["UANA"]).await;
    let token = SecretString::from(double::slack::TOKEN);
    let channel = SlackChannel::new(SlackSettings { token, api_url: Some(slack.api_url()) }).unwrap();
    let schema = json!({
        "type": "object", "title": "New limit", "required": ["side", "limit"],
        "properties": {
            "limit": { "type": "integer", "minimum": 0, "maximum": 10, "description": "In millions." },
            "ratio": { "type": "number", "minimum": 0.5, "maximum": 2 },
            "side": { "type": "string", "enum": ["buy", "sell"] },
            "hedged": { "type": "boolean" },
            "note": { "type": "string", "maxLength": 20 },
        },
    });
    let typed = [("limit", "5"), ("ratio", "0.5"), ("side", "buy"), ("hedged", "true"), ("note", "now")];
    let typed: BTreeMap<String, String> = typed.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let form = ChatForm {
        drill: true,
        incident: IncidentId(12),
        about: "Which limit?".into(),
        form: Form::read(&schema).unwrap(),
        typed: Default::default(),
        button: ChatButton::Page { page: "INC-12.3".into(), code: "48213".into() },
        digest: "sha256:0".into(),
        edits: false,
        repeats: None,
    };
    let edited = ChatForm { typed: typed.clone(), edits: true, repeats: Some("the desk".into()), ..form.clone() };
    for form in [form.clone(), ChatForm { typed, ..form }, edited] {
        let trigger = slack.world.lock().unwrap().triggers.give();
        channel.open_form(&trigger, &form).await.unwrap();
    }
    slack.world.lock().unwrap().triggers.views.clone()
}

#[test]
fn slacks_own_types_accept_every_form_that_we_open() {
    let Some(modules) = modules() else { return };
    let views = tokio::runtime::Runtime::new().unwrap().block_on(forms());
    assert_eq!(views.len(), 3);
    assert_eq!(judged_as(&modules, "ModalView", "ModalView", &views), "");
    let mut wrong = views[0].clone();
    wrong["blocks"][2]["element"]["type"] = json!("dropdown");
    assert!(
        judged_as(&modules, "ModalView", "ModalView", &[wrong]).contains("dropdown"),
        "the compiler lets anything pass"
    );
}

#[test]
fn slacks_own_types_accept_every_block_that_we_send() {
    let Some(modules) = modules() else { return };
    let sent = tokio::runtime::Runtime::new().unwrap().block_on(sent());
    assert_eq!(sent.len(), 10);
    assert_eq!(judged(&modules, &sent), "");
    // The referee can say no.
    let mut wrong = sent[0].clone();
    let blocks = wrong["blocks"].as_array_mut().unwrap();
    blocks.last_mut().unwrap()["elements"][0]["style"] = json!("loud");
    assert!(judged(&modules, &[wrong]).contains("loud"), "the compiler lets anything pass");
}
