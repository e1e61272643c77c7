//! Reports in Chromium: by day and by night, on a desk, on a phone and on paper.

use crate::{browser, common::Setup, parts};
use serde_json::Value;
use std::process::Stdio;

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana <b>Ruiz</b>"

[role.a-role-with-quite-a-long-name]
target = { within = "1s", percent = 90 }
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.flash-crash]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
roles = ["a-role-with-quite-a-long-name"]
"#;

#[test]
fn a_post_mortem_is_readable_on_a_desk_on_a_phone_and_on_paper() {
    if browser::missing() {
        return;
    }
    let daemon = Setup::new(MATRIX).start();
    let summary = format!("<img src=x onerror=alert(1)> & {}", "a".repeat(120));
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2", "--summary", &summary]);
    daemon.json(&["resolve", "INC-1", "--outcome", "benign"]);
    let page = daemon.dir.path().join("pm.html");
    assert!(daemon.cli(&["postmortem", "INC-1", "--html", "-o", page.to_str().unwrap()]).status.success());
    let picture = daemon.dir.path().join("tte.svg");
    assert!(daemon.cli(&["report", "tte", "--picture", picture.to_str().unwrap()]).status.success());
    let script = daemon.dir.path().join("look.js");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut command = parts::command("node");
    command.arg(script).arg(browser::modules().unwrap()).arg(parts::program("chromium").unwrap());
    let looked = command.arg(&page).arg(&picture).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stdout);
    let looks: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let errors = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success() && looks.len() == 5, "{said}\n{errors}");
    for look in &looks {
        assert_eq!(look["trouble"], Value::Array(Vec::new()), "{look}");
        assert_eq!(look["images"], 0, "markup of others came through: {look}");
        assert!(
            look["wide"].as_f64().unwrap() <= look["window"].as_f64().unwrap(),
            "it must not scroll sideways: {look}"
        );
        assert!(look["pictures"].as_u64() == Some(if look["file"] == "svg" { 1 } else { 2 }), "{look}");
        assert!(8.0 <= look["smallest"].as_f64().unwrap(), "text too small to read: {look}");
    }
    let background = |at: usize| looks[at]["background"].clone();
    assert_ne!(background(0), background(1), "by night it is dark");
}

const SCRIPT: &str = r#"
const [modules, executablePath, file, svg] = process.argv.slice(2);
const { chromium } = require(modules + "/playwright-core");
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
async function look(browser, path, width, colorScheme, media) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("console", (line) => line.type() === "error" && trouble.push(line.text()));
  page.on("request", (request) => request.url().startsWith("file:") || trouble.push(request.url()));
  if (media) await page.emulateMedia({ media });
  await page.goto("file://" + path);
  const seen = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth || innerWidth, window: innerWidth,
    images: document.images ? document.images.length : 0,
    pictures: document.querySelectorAll("svg").length,
    background: getComputedStyle(document.body || document.documentElement).backgroundColor,
    smallest: Math.min(...[...document.querySelectorAll("text, td, p, li")].map((box) =>
      parseFloat(getComputedStyle(box).fontSize) * (box.getCTM ? box.getScreenCTM().a : 1))),
  }));
  console.log(JSON.stringify({ trouble, file: path.split(".").pop(), ...seen }));
  await page.close();
}
(async () => {
  const browser = await chromium.launch({ executablePath, args, headless: true });
  await look(browser, file, 1100, "light");
  await look(browser, file, 1100, "dark");
  await look(browser, file, 360, "light");
  await look(browser, file, 794, "light", "print");
  await look(browser, svg, 800, "light");
  await browser.close();
})().catch((error) => { console.error(String(error)); process.exit(1); });
"#;
