//! The demo of a bank's chatbot as its viewer meets it: a chat page and an officer's desk in Chromium, on one daemon. What the
//! user reads is compared with what is so on the officer's side at that moment.

use crate::{
    browser,
    common::binary,
    parts::{self, Process},
};
use serde_json::Value;
use std::{fs::File, path::Path, process::Stdio};

/// Plays the demo under a terminal of its own; the addresses of the chat page and of the officer's desk.
fn demo(dir: &Path) -> (Process, [String; 2]) {
    let stentor = binary(dir);
    let mut command = parts::command("script");
    for (name, value) in stentor.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    // A terminal whose keyboard nobody touches.
    command.env("NO_COLOR", "1").env("TERM", "dumb").stdin(Stdio::piped());
    command.args(["-qefc", &format!("{} demo bank", stentor.get_program().to_str().unwrap()), "/dev/null"]);
    let log = dir.join("demo.log");
    let out = File::create(&log).unwrap();
    let child = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
    let mut demo = Process::of("the demo", child, &log);
    let said = demo.ready(|| {
        let said = std::fs::read_to_string(&log).ok()?;
        said.contains("Press q").then_some(said)
    });
    let address = |before: &str| {
        let (_, rest) = said.split_once(before).unwrap_or_else(|| panic!("{before}: {said}"));
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let addresses = ["on the left:", "on the right:"].map(address);
    (demo, addresses)
}

#[test]
fn the_chat_page_says_what_is_so_on_the_officers_desk() {
    if browser::missing() || browser::lacks_axe() || parts::missing(&[parts::Part("script", "bsdutils")]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (_demo, [chat, desk]) = demo(dir.path());
    let script = dir.path().join("chat.js");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut command = parts::command("node");
    command.arg(script).arg(browser::modules().unwrap()).arg(parts::program("chromium").unwrap());
    let output = command.args([&chat, &desk]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let looks = String::from_utf8(output.stdout).unwrap();
    let mut looks = looks.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut look = |at: &str| {
        let look = looks.next().unwrap_or_else(|| panic!("nothing is seen {at}"));
        assert_eq!((&look["at"], &look["trouble"]), (&at.into(), &Value::Array(Vec::new())), "{look:#}");
        ["state", "chat", "desk"].map(|page| look[page].as_str().unwrap().to_owned())
    };

    let [state, chat, _] = look("after one unsure turn");
    assert!(state.is_empty() && !chat.contains("looking for"), "{state} {chat}");

    let [state, chat, desk] = look("after two");
    assert_eq!(state, "Looking for a person");
    assert!(chat.contains("adviser") && !chat.contains("Dana") && !chat.contains("Ines"), "no name yet: {chat}");
    assert!(desk.contains("And the fee in line 3?") && desk.contains("I have it"), "{desk}");

    let [state, chat, desk] = look("once it is taken");
    assert_eq!(state, "A person is reading your conversation");
    assert!(chat.contains("Dana Ruiz, adviser") && !chat.contains("Dana Ruiz is here"), "{chat}");
    assert!(desk.contains("The user is told that you are reading it."), "{desk}");

    let [state, chat, desk] = look("once she speaks");
    assert_eq!(state, "You speak to a person");
    assert!(chat.contains("Dana Ruiz is here"), "{chat}");
    assert!(desk.contains("speak to the user since"), "{desk}");

    let [_, chat, _] = look("after a word of each");
    let (_, since) = chat.split_once("Is it a mistake?").expect("what the user said");
    assert!(since.contains("You get it back today.") && !since.contains("Bot"), "the bot is silent: {chat}");

    let [state, chat, desk] = look("once she is done");
    assert!(state.is_empty() && chat.contains("has finished this conversation"), "{state} {chat}");
    assert!(desk.contains("It ended at"), "{desk}");

    let [_, chat, _] = look("and the bot speaks again");
    assert!(chat.contains("Monday to Friday from 9 to 17"), "{chat}");
}

const SCRIPT: &str = r##"
const [modules, executablePath, chat, desk] = process.argv.slice(2);
const { chromium } = require(modules + "/playwright-core");
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
(async () => {
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const trouble = [];
  const open = async (link) => {
    const context = await browser.newContext({ viewport: { width: 720, height: 900 } });
    await context.addInitScript({ path: modules + "/axe-core/axe.min.js" });
    const page = await context.newPage();
    page.setDefaultTimeout(20000);
    page.on("pageerror", (error) => trouble.push(String(error)));
    await page.goto(link);
    return page;
  };
  const user = await open(chat);
  const officer = await open(desk);
  const rules = async (page, what) => {
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const rule of violations) trouble.push(`${what}: axe ${rule.id}`);
  };
  const look = async (at) => {
    await rules(user, "chat");
    console.log(JSON.stringify({
      at, state: await user.locator("#state").innerText(), chat: (await user.locator("#turns").innerText()).trim(),
      desk: await officer.locator("body").innerText(), trouble: trouble.splice(0),
    }));
  };
  const says = async (page, text) => {
    await page.getByLabel("Message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
  const reads = (page, text) => page.getByText(text).first().waitFor();
  const presses = (name) => officer.getByRole("button", { name, exact: true }).click();

  await says(user, "What is the fee on my statement?");
  await reads(user, "It may be the yearly fee");
  await look("after one unsure turn");

  await says(user, "And the fee in line 3?");
  await reads(user, "Looking for a person");
  await officer.goto(new URL("/desk/conversations", desk).href);
  await officer.getByRole("link", { name: /two unsure answers/ }).first().click();
  await reads(officer, "The user said last");
  await look("after two");

  await presses("I have it");
  await reads(officer, "The user is told that you are reading it.");
  await reads(user, "A person is reading your conversation");
  await reads(user, "Dana Ruiz, adviser");
  await look("once it is taken");

  await presses("I speak to the user now");
  await reads(officer, "speak to the user since");
  await reads(user, "Dana Ruiz is here");
  await look("once she speaks");

  await says(user, "Is it a mistake?");
  const link = await officer.getByRole("link", { name: "Go on with the conversation" }).first().getAttribute("href");
  const reply = await open(link);
  await reads(reply, "Is it a mistake?");
  await says(reply, "You get it back today.");
  await reads(user, "You get it back today.");
  await rules(reply, "officer's page");
  await look("after a word of each");

  await presses("Done: solved");
  await reads(officer, "It ended at");
  await reads(user, "has finished this conversation");
  await look("once she is done");

  await says(user, "When is the branch open?");
  await reads(user, "Monday to Friday");
  await look("and the bot speaks again");
  await browser.close();
})().catch((error) => { console.error(String(error)); process.exit(1); });
"##;
