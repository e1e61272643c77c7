//! Whose time a text shows: its reader's, or one for all who read it.

use super::*;
use std::{collections::BTreeSet, sync::Arc};
use stentor::{
    core::{Alert, IncidentId, IncidentKey, IncidentOpening, Page, PagePurpose, open},
    engine::render,
    template::PageTemplates,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"
[channel.board]
kind = "mattermost"
url  = { env = "BOARD_URL" }
[person.ana]
name     = "Ana"
timezone = "Asia/Tokyo"
[person.bo]
name = "Bo"
[role.trader]
step = [{ page = ["ana", "bo"], by = ["desk", "board"], wait = "45s" }]
[trigger.t]
on    = ["x"]
roles = ["trader"]
room  = "board"
[catch-all]
page = ["bo"]
by   = ["desk"]
"#;

/// The zones in which each text of an incident shows its times.
fn zones(daemon: &str) -> BTreeSet<String> {
    let matrix = sound(&[file("m.toml", &format!("{daemon}{MATRIX}"))]);
    let opening = IncidentOpening {
        key: IncidentKey::stored("t/"),
        summary: "x".into(),
        plan: matrix.plan(&"t".into()).expect("a plan"),
        alert: Arc::new(Alert::new("m", "x")),
        received_at: as_of(),
        terms: None,
        ask: None,
        nonce: None,
    };
    let (incident, _) = open(IncidentId(1), opening, &matrix.roster, as_of());
    let templates = PageTemplates::shipped();
    let shown = |page: &Page| {
        let kind = matrix.channel(&page.channel).expect("a channel").kind();
        let body = render(&matrix, &templates, &Default::default(), &incident, page, kind).body;
        let zone = ["JST", "UTC", "GMT", "BST"].into_iter().find(|zone| body.contains(&format!(" {zone}")));
        let reader = page.person.as_ref().map_or("the room", |person| person.as_str());
        format!("{reader} by {}: {}", page.channel, zone.unwrap_or("no time"))
    };
    let texts = |page: &&Arc<Page>| page.purpose.is_brief() || page.purpose == PagePurpose::RoomCard;
    incident.pages.values().filter(texts).map(|page| shown(page)).collect()
}

#[test]
fn a_text_for_several_people_is_in_the_matrixs_zone_and_so_is_one_for_a_person_without_a_zone() {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    let own =
        ["ana by board: UTC", "ana by desk: JST", "bo by board: UTC", "bo by desk: UTC", "the room by board: UTC"];
    assert_eq!(zones(""), set(&own));
    let london = zones("[daemon]\ntimezone = \"Europe/London\"\n");
    let summer = if london.contains("bo by desk: BST") { "BST" } else { "GMT" };
    assert_eq!(london, own.iter().map(|text| text.replace("UTC", summer)).collect());
}
