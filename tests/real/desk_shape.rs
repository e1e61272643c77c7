//! The desk in Chromium at every size: the buttons can be reached and the text can be read on a wall, on a phone, on its
//! side, and at 200 and 400 %; by keyboard; and by the rules of axe. A drill's words never stand in a live alarm.

use crate::{browser, common::Setup, parts};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name     = "Ana Ruiz"
timezone = "Asia/Kolkata"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "10m" }]

[role.commander]
step = [{ page = ["ana"], by = ["desk"], wait = "5m" }]

[trigger.crash]
on      = ["price_velocity"]
key     = 'alert.labels.symbol'
summary = "{alert.labels.symbol} fell {alert.values.drop_pct} %, and a few more words so that the line is broken"
roles   = ["trader", "commander"]
runbook = "https://wiki.desk.example/crash"
"#;

#[test]
fn a_desk_is_usable_at_every_size_and_by_keyboard_and_a_drill_is_never_said_in_a_live_alarm() {
    let remedy = "npm install axe-core, into the folder that STENTOR_NODE_MODULES names";
    let axe = browser::modules().map(|modules| modules.join("axe-core/axe.min.js"));
    if browser::missing() || (!axe.as_ref().is_some_and(|axe| axe.is_file()) && parts::skipped("axe-core", remedy)) {
        return;
    }
    let daemon = Setup::new(MATRIX).start();
    let fire = |symbol: &str, more: &[&str]| {
        let label = format!("symbol={symbol}");
        let told = ["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", &label];
        daemon.json(&[&told[..], more].concat());
    };
    fire("DAX", &["--drill"]);
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("desk.js");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut command = parts::command("node");
    command.arg(script).arg(browser::modules().unwrap()).arg(parts::program("chromium").unwrap());
    command.arg(daemon.json(&["desk-link", "ana"])["link"].as_str().unwrap());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("drill"));
    fire("ES", &[]);
    let looks: Vec<Value> =
        lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(child.wait().unwrap().success(), "{looks:#?}");
    assert_eq!(looks.len(), 8 + 4 + 2, "{looks:#?}");
    for look in &looks {
        assert_eq!(look["trouble"], Value::Array(Vec::new()), "{look:#}");
    }
}

const SCRIPT: &str = r##"
const [modules, executablePath, link] = process.argv.slice(2);
const { chromium } = require(modules + "/playwright-core");
const axe = require("fs").readFileSync(modules + "/axe-core/axe.min.js", "utf8");
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
const SIZES = [[1440, 900], [390, 844], [667, 375], [640, 360], [720, 450], [320, 256], [844, 390], [195, 422]];

/// What is wrong with the alarm at this size.
function shape() {
  const trouble = [];
  const seen = (node) => node.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  const box = (node) => node.getBoundingClientRect();
  const offers = all(".offer").map(box);
  if (offers.length < 4) trouble.push(`${offers.length} buttons`);
  for (const { left, right, top, bottom } of offers) {
    if (left < 0 || innerWidth < right || top < 0 || innerHeight < bottom) trouble.push(`a button at ${left},${top} to ${right},${bottom}`);
    if (bottom - top < 43) trouble.push(`a button of ${bottom - top} px`);
  }
  const low = innerHeight <= 480;
  const rows = new Set(offers.map((offer) => Math.round(offer.top))).size;
  if (low && (innerWidth < 256 ? 2 : 1) < rows) trouble.push(`${rows} rows of buttons`);
  if (low) for (const link of all("#alarm-links a")) {
    scrollTo(0, 0);
    link.focus();
    if (box(all(".alarm-answer")[0]).top < box(link).bottom) trouble.push("a link with the focus is behind the buttons");
    link.blur();
    scrollTo(0, 0);
  }
  if (low && getComputedStyle(document.body).overflowY === "hidden") trouble.push("the page does not scroll");
  if (innerWidth < document.documentElement.scrollWidth) trouble.push(`${document.documentElement.scrollWidth} px wide`);
  const pane = box(all(".alarm-text")[0]);
  if (!low && pane.height < 150) trouble.push(`a text of ${pane.height} px`);
  const what = box(all("h1")[0]);
  const bar = box(all(".alarm-answer")[0]);
  if (bar.top < what.top + 20) trouble.push("what happened is behind the buttons");
  if (all("main").length !== 1 || all("h1").length !== 1) trouble.push("not one main and one h1");
  for (const button of all(".offer")) {
    if (button.clientWidth < button.scrollWidth || button.clientHeight < button.scrollHeight) trouble.push(`${button.textContent} overflows`);
  }
  return trouble;
}

(async () => {
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, bypassCSP: true, timezoneId: "America/New_York" });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  const say = (where, trouble, more) => console.log(JSON.stringify({ where, trouble: trouble.concat(errors.splice(0)), ...more }));
  const rules = async () => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    return violations.map((rule) => `axe ${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  };
  const word = (text) => page.waitForFunction((text) => document.getElementById("alarm-word").textContent === text, text);
  await page.goto(link);
  await word("DRILL");
  console.log("drill");
  await word("LIVE");
  await page.waitForTimeout(400);
  const text = await page.locator("main:visible").innerText();
  const said = /DRILL/.test(text) ? [`of a drill: ${text}`] : [];
  if (!/ IST\./.test(text) || /EST|EDT/.test(text)) said.push(`not the reader's clock: ${text}`);
  if (!/LIVE INC-2 TRADER: ES fell/.test(text)) said.push(`the page that waits is not named: ${text}`);
  const aloud = await page.locator("main [role=alert]").evaluate((node) => node.textContent.trim());
  if (!/^LIVE INC-\d+:/.test(aloud)) said.push(`what is read aloud does not begin with the word and the incident: ${aloud}`);
  say("a live alarm after a drill", said);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    const trouble = await page.evaluate(shape);
    say(`${width} x ${height}`, trouble.concat(await rules()));
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  // A newer session in the same browser: the answers of this page still count.
  await page.waitForTimeout(1100);
  const other = await context.newPage();
  await other.goto(link);
  await other.close();
  for (const left of [1, 0]) {
    await page.waitForTimeout(900);
    await page.locator(".offer.wanted").focus();
    await page.keyboard.press("Enter");
    const after = left ? "document.querySelectorAll('#alarm-queue li').length === 0" : "document.getElementById('alarm').hidden";
    await page.waitForFunction(after);
    await page.waitForTimeout(900);
    const focused = await page.evaluate(() => document.activeElement.tagName);
    say("by keyboard", focused === "BODY" ? ["the focus is lost"] : []);
  }
  say("the board", await rules());
  for (const [width, height] of [[390, 844], [720, 450]]) {
    await page.setViewportSize({ width, height });
    const head = await page.locator("header").evaluate((header) => header.offsetHeight);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    say(`the board at ${width} x ${height}`, [...(130 < head ? [`a head of ${head} px`] : []), ...(width < wide ? [`${wide} px wide`] : [])]);
  }
  await browser.close();
})().catch((error) => { console.log(JSON.stringify({ trouble: [String(error)] })); process.exit(1); });
"##;
