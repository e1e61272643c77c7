//! A matrix of a random shape, written as its authors write it and read by the real reader.

use super::dice::Dice;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, OnceLock},
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{ChannelName, Timestamp},
    engine::{RuntimeConfig, SharedChannelParts},
    matrix::{KnownNames, Matrix, SourceText},
    template::PageTemplates,
};

/// How many different shapes there are; a seed takes one of them.
pub const SHAPES: u64 = 96;

const PEOPLE: [&str; 6] = ["ana", "bo", "cy", "di", "ed", "flo"];
const ROLES: [&str; 4] = ["r1", "r2", "r3", "r4"];
const CHANNELS: [&str; 4] = ["desk", "team", "sms", "mail"];

/// The shape with this number, wired; made once and shared by all who simulate with it.
pub fn shape(number: u64, as_of: Timestamp) -> Arc<RuntimeConfig> {
    static MADE: OnceLock<Mutex<BTreeMap<u64, Arc<RuntimeConfig>>>> = OnceLock::new();
    let mut made = MADE.get_or_init(Mutex::default).lock().expect("shapes");
    made.entry(number).or_insert_with(|| Arc::new(wire(number, as_of))).clone()
}

fn wire(number: u64, as_of: Timestamp) -> RuntimeConfig {
    let mut dice = Dice::new(number);
    let text = text(&mut dice, &mut Dice::new(number ^ 0x00a5_4a5c));
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = [SourceText { path: "matrix.toml".into(), text: text.clone() }];
    let parsed = Matrix::parse(&files, &KnownNames { templates: &revisions }, as_of);
    let mut matrix = parsed.matrix.unwrap_or_else(|| panic!("shape {number}: {:#?}\n{text}", parsed.diagnostics));
    // What the reader refuses can still come about: a reload in mid-crisis takes a person's contacts away.
    for channels in matrix.roster.reach.values_mut() {
        if dice.chance(15) {
            channels.clear();
        } else if dice.chance(40) {
            let left = dice.some_of(channels, 3);
            *channels = left;
        }
    }
    RuntimeConfig::wire(matrix, templates, &shared())
}

/// Wired for the sandbox, and never asked to send: the simulation's own channels stand in their place.
fn shared() -> SharedChannelParts {
    static OUTBOX: OnceLock<(tempfile::TempDir, SandboxOutbox)> = OnceLock::new();
    let (_, outbox) = OUTBOX.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let outbox = SandboxOutbox::open(dir.path(), Timestamp::default).expect("an outbox");
        (dir, outbox)
    });
    SharedChannelParts { hub: DeskHub::new(), outbox: outbox.clone(), site: "simulation".into(), sandbox: true }
}

/// What is about requests, layers and tiers is drawn from dice of its own, so that everything else is as it would be without.
fn text(dice: &mut Dice, asks: &mut Dice) -> String {
    let mut text = String::new();
    channels(dice, &mut text);
    for (n, person) in PEOPLE.iter().enumerate() {
        let contacts =
            format!("phone = \"+44770090010{n}\"\nemail = \"{person}@desk.example\"\nslack = \"U000000{n}\"");
        writeln!(text, "[person.{person}]\nname = \"{person}\"\n{contacts}").expect("text");
    }
    writeln!(text, "[rotation.duty]\npeople = [\"ana\", \"bo\", \"cy\"]\nhandoff = \"0 * * * *\"").expect("text");
    let roles = 1 + dice.below(ROLES.len());
    for n in 0..roles {
        role(dice, n, roles, &mut text);
    }
    triggers(dice, &ROLES[..roles], &mut text);
    layered(asks, &ROLES[..roles], &mut text);
    tiered(asks, &ROLES[..roles], &mut text);
    requests(asks, &ROLES[..roles], &mut text);
    if dice.chance(70) {
        let (people, by) = (dice.some_of(&PEOPLE, 2), dice.some_of(&CHANNELS, 3));
        writeln!(text, "[catch-all]\npage = {people:?}\nby = {by:?}\nevery = \"{}s\"", dice.between(5, 40))
            .expect("text");
    }
    text
}

fn channels(dice: &mut Dice, text: &mut String) {
    let more = [
        "kind = \"screen\"",
        "kind = \"slack\"\ntoken = { env = \"STENTOR_NOWHERE\" }",
        "kind = \"kannel\"\nurl = \"http://127.0.0.1:9/\"\nusername = \"u\"\npassword = { env = \"STENTOR_NOWHERE\" }",
        "kind = \"smtp\"\nurl = \"smtps://127.0.0.1:9\"\nfrom = \"stentor@desk.example\"",
    ];
    for (name, settings) in CHANNELS.iter().zip(more) {
        writeln!(text, "[channel.{name}]\n{settings}\naccept_timeout = \"{}s\"", dice.between(2, 25)).expect("text");
        if settings.contains("slack") && dice.chance(50) {
            writeln!(text, "archive_after = \"{}s\"", dice.between(1, 60)).expect("text");
        }
        if dice.chance(50) {
            writeln!(text, "pace = \"{}/s burst {}\"", dice.between(1, 3), dice.between(1, 4)).expect("text");
        }
    }
}

fn role(dice: &mut Dice, n: usize, roles: usize, text: &mut String) {
    let level = dice.pick(&["roger", "wilco"]);
    writeln!(text, "[role.{}]\nengaged_by = \"{level}\"", ROLES[n]).expect("text");
    steps(dice, text);
    // Only later ones: a circle is refused.
    if n + 1 < roles && dice.chance(60) {
        writeln!(text, "next = {:?}", dice.pick(&ROLES[n + 1..roles])).expect("text");
    }
}

fn steps(dice: &mut Dice, text: &mut String) {
    writeln!(text, "step = [").expect("text");
    for _ in 0..1 + dice.below(3) {
        // Small crowds: what goes wrong goes wrong with two, and more of them can be simulated.
        let most = if dice.chance(15) { 3 } else { 2 };
        let mut people = dice.some_of(&PEOPLE, most);
        if dice.chance(25) {
            people.push("rotation.duty");
        }
        let by = dice.some_of(&CHANNELS, most);
        let (wait, repeat) = (dice.between(2, 40), dice.pick(&[0, 0, 0, 1, 2]));
        writeln!(text, "  {{ page = {people:?}, by = {by:?}, wait = \"{wait}s\", repeat = {repeat} }},").expect("text");
    }
    writeln!(text, "]").expect("text");
}

/// What machines may ask, and what happens if nobody decides.
fn requests(dice: &mut Dice, roles: &[&str], text: &mut String) {
    writeln!(text, "[role.agent]\nengaged_by = \"wilco\"").expect("text");
    steps(dice, text);
    if dice.chance(50) {
        writeln!(text, "next = {:?}", dice.pick(roles)).expect("text");
    }
    let check = ", check = { option = \"approve\", when = 'alert.values.x > 1.0', reason = \"it is too much\" }";
    let rules = [
        ("ask", &["approve", "deny", "deny"][..], check),
        ("choose", &["one", "two", "other"][..], ""),
        ("watch", &["deny"][..], ", from_alerts = true"),
    ];
    for (kind, defaults, more) in rules {
        let default = if dice.chance(55) { format!(", default = {:?}", dice.pick(defaults)) } else { String::new() };
        let (approvals, after) = (1 + dice.below(3), dice.between(10, 90));
        let key = if kind == "watch" { "key = 'alert.labels.k'\n" } else { "" };
        let ask = format!("approvals = {approvals}, after = \"{after}s\"{default}{more}");
        writeln!(
            text,
            "[trigger.{kind}]\non = [{kind:?}]\n{key}roles = {:?}\nask = {{ {ask} }}",
            dice.some_of(roles, 3)
        )
        .expect("text");
        if dice.chance(30) {
            writeln!(text, "resolved = \"resolve\"").expect("text");
        }
        if dice.chance(20) {
            writeln!(text, "room = \"team\"").expect("text");
        }
    }
    let after = dice.between(10, 90);
    writeln!(
        text,
        "[trigger.fill]\non = [\"fill\"]\nroles = {:?}\nask = {{ after = \"{after}s\" }}",
        dice.some_of(roles, 3)
    )
    .expect("text");
    let after = dice.between(10, 90);
    let ask = format!("after = \"{after}s\", edits = true");
    writeln!(text, "[trigger.change]\non = [\"change\"]\nroles = {:?}\nask = {{ {ask} }}", dice.some_of(roles, 3))
        .expect("text");
    let tier = dice.pick(&["warm", "immediate"]);
    // It is a Monday morning.
    let hours = if dice.chance(20) { ", hours = \"Sat 08:00-18:00\"" } else { "" };
    let after = dice.between(10, 90);
    writeln!(text, "[trigger.talk]\non = [\"talk\"]\nroles = [\"agent\"]\nhandoff = {{ after = \"{after}s\", tier = {tier:?}{hours} }}")
        .expect("text");
    // The same conversations, whose turns are alerts: the two share their keys.
    let unsure = "threshold = { count = 2, within = \"60s\", consecutive = true }\n";
    for (name, when, more) in [("told", "alert.values.x > 1.0", ""), ("unsure", "alert.confidence < 0.7", unsure)] {
        let after = dice.between(10, 90);
        let resolved = if dice.chance(50) { "resolved = \"resolve\"\n" } else { "" };
        let handoff = format!("{{ after = \"{after}s\", tier = {tier:?}, from_alerts = true }}");
        writeln!(
            text,
            "[trigger.turn-{name}]\non = [\"turn\"]\nkey = 'alert.labels.k'\nwhen = '{when}'\nroles = [\"agent\"]\n{more}{resolved}handoff = {handoff}"
        )
        .expect("text");
    }
}

fn triggers(dice: &mut Dice, roles: &[&str], text: &mut String) {
    let rules = [
        "[trigger.boom]\non = [\"boom\"]\nopenings_per_minute = 3\nkey = 'alert.labels.k'",
        "[trigger.hum]\non = [\"hum\"]\nkey = 'alert.labels.k'\nthreshold = { count = 2, within = \"20s\" }",
        "[trigger.odd]\non = [\"odd\"]\nwhen = 'alert.values.x >= 1.0'\nkey = 'alert.labels.k'",
    ];
    for rule in rules {
        writeln!(text, "{rule}\nroles = {:?}", dice.some_of(roles, 4)).expect("text");
        if dice.chance(40) {
            writeln!(text, "room = \"team\"").expect("text");
        }
        if dice.chance(40) {
            writeln!(text, "resolved = \"resolve\"").expect("text");
        }
    }
}

/// Triggers with layers, whose alerts wait.
fn layered(dice: &mut Dice, roles: &[&str], text: &mut String) {
    let seconds = |dice: &mut Dice| 1 + dice.below(20);
    let layers = [
        format!("for = \"{}s\"", seconds(dice)),
        format!("cooldown = \"{}s\"", seconds(dice)),
        format!("flapping = {{ openings = 2, within = \"{}s\" }}", 20 * seconds(dice)),
        format!("threshold = {{ count = 2, within = \"{}s\" }}", seconds(dice)),
    ];
    let mut ring =
        "[trigger.ring]\non = [\"ring\"]\nkey = 'alert.labels.k'\nwhen = 'alert.confidence >= 0.5'".to_owned();
    for layer in layers.iter().filter(|_| dice.chance(60)) {
        ring += &format!("\n{layer}");
    }
    let beat = format!(
        "[trigger.beat]\non = [\"beat\"]\nkey = 'alert.labels.k'\nabsent = {{ every = \"{}s\" }}",
        seconds(dice)
    );
    for rule in [ring, beat] {
        writeln!(text, "{rule}\nroles = {:?}", dice.some_of(roles, 4)).expect("text");
        if dice.chance(60) {
            writeln!(text, "resolved = \"resolve\"").expect("text");
        }
    }
}

/// A trigger whose incidents are watched, ask one person first or everybody, and become more urgent.
fn tiered(dice: &mut Dice, roles: &[&str], text: &mut String) {
    let decision = "[decision]\nimpact = [\"low\", \"high\"]\nlikelihood = { unlikely = 0.0, likely = 0.5, sure = 0.9 }\n\
        [decision.tiers]\nlow = [\"watch\", \"warm\", \"immediate\"]\nhigh = [\"warm\", \"immediate\", \"immediate\"]\n\
        [trigger.drift]\non = [\"drift\"]\nkey = 'alert.labels.k'\nopenings_per_minute = 3";
    let (impact, roles) = (dice.pick(&["low", "low", "high"]), dice.some_of(roles, 4));
    writeln!(text, "{decision}\nimpact = {impact:?}\nroles = {roles:?}").expect("text");
    for (more, chance) in [("room = \"team\"", 40), ("resolved = \"resolve\"", 40), ("for = \"5s\"", 20)] {
        if dice.chance(chance) {
            writeln!(text, "{more}").expect("text");
        }
    }
}

/// The channels of every shape.
pub fn channel_names() -> Vec<ChannelName> {
    CHANNELS.iter().map(|name| ChannelName::from(*name)).collect()
}

/// The people of every shape.
pub const fn people() -> [&'static str; 6] {
    PEOPLE
}
