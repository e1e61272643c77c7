//! Chromium on somebody's desk page, driven through playwright-core by a small script.

use crate::parts::{self, PATIENCE, Part, Process};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{ChildStdin, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};
use tempfile::TempDir;

const PARTS: [Part; 2] = [Part("chromium", "chromium"), Part("node", "nodejs")];

/// Where axe is in the modules.
const AXE: &str = "axe-core/axe.min.js";

/// Where playwright-core is.
const MODULES: &str = "STENTOR_NODE_MODULES";

/// Fields are in the order in which they must end: the script closes its browser when nobody talks to it any more.
pub struct Browser {
    orders: Option<ChildStdin>,
    answers: Receiver<Value>,
    #[expect(dead_code, reason = "held for its drop")]
    script: Process,
    #[expect(dead_code, reason = "held for its drop")]
    dir: TempDir,
}

/// Whether there is none here.
pub fn missing() -> bool {
    if parts::missing(&PARTS) {
        return true;
    }
    let remedy = format!("npm install playwright-core, and name its node_modules folder in {MODULES}");
    modules().is_none() && parts::skipped("playwright-core", &remedy)
}

/// Where its modules are.
pub fn modules() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os(MODULES)?);
    folder.join("playwright-core").is_dir().then_some(folder)
}

/// Whether axe is missing, whose rules pages are looked at by.
pub fn lacks_axe() -> bool {
    let remedy = "npm install axe-core, into the folder that STENTOR_NODE_MODULES names";
    !modules().is_some_and(|modules| modules.join(AXE).is_file()) && parts::skipped("axe-core", remedy)
}

/// Shows a file of HTML; what it says. Anything that the browser complains about is a failure; its picture is put beside
/// the file.
pub fn shown(file: &std::path::Path) -> String {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("sheet.js");
    std::fs::write(&script, SHEET).unwrap();
    let mut command = parts::command("node");
    command.arg(script).arg(modules().unwrap()).arg(parts::program("chromium").unwrap());
    let output = command.arg(file).arg(file.with_extension("png")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Browser {
    /// Opens a desk link and waits until the page hears from the daemon.
    pub fn open(link: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, log) = (dir.path().join("desk.js"), dir.path().join("log"));
        std::fs::write(&path, SCRIPT).unwrap();
        let mut command = parts::command("node");
        command.arg(path).arg(modules().unwrap()).arg(parts::program("chromium").unwrap()).arg(link);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let (orders, lines) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()).lines());
        let (say, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = say.send(serde_json::from_str(&line).unwrap_or_else(|_| json!({ "trouble": line })));
            }
        });
        let browser = Self { orders, answers, script: Process::of("the browser", child, &log), dir };
        browser.answer();
        browser
    }

    /// Presses the button with this label as soon as it can be pressed; the page's text before that.
    pub fn press(&mut self, label: &str) -> String {
        self.order(&json!({ "press": label }))
    }

    /// Presses the option of the alarm that has this label, as soon as it can be pressed.
    pub fn choose(&mut self, option: &str) {
        self.order(&json!({ "choose": option }));
    }

    /// Types into the field with this label, as somebody with a keyboard does.
    pub fn types(&mut self, text: &str, into: &str) {
        self.order(&json!({ "type": text, "into": into }));
    }

    /// Presses the button with this label, again and again, until the page says this; the page's text then.
    pub fn press_until(&mut self, label: &str, text: &str) -> String {
        self.order(&json!({ "again": label, "until": text }))
    }

    /// From here on the server hears each answer, and its confirmation never comes back.
    pub fn loses_confirmations(&mut self) {
        self.order(&json!({ "lose": true }));
    }

    /// Waits until the page says this; the page's text then.
    pub fn reads(&mut self, text: &str) -> String {
        self.order(&json!({ "reads": text }))
    }

    /// From here on the network may fail: what the browser complains about then is what is tried.
    pub fn may_lose_its_line(&mut self) {
        self.order(&json!({ "tolerate": true }));
    }

    /// Reads the page when it is red because its line is lost.
    pub fn is_red(&mut self) -> String {
        self.order(&json!({ "red": true }))
    }

    /// Leaves the desk for another page of the daemon.
    pub fn goes(&mut self, path: &str) -> String {
        self.order(&json!({ "go": path }))
    }

    /// Follows the link with this text, in this window.
    pub fn follows(&mut self, link: &str) -> String {
        self.order(&json!({ "follow": link }))
    }

    /// Writes into the page's one field.
    pub fn writes(&mut self, text: &str) -> String {
        self.order(&json!({ "write": text }))
    }

    /// Makes the window so large, in pixels.
    pub fn sized(&mut self, width: u32, height: u32) {
        self.order(&json!({ "size": [width, height] }));
    }

    /// Hears of no change from now on, or of all again.
    pub fn deaf(&mut self, deaf: bool) {
        self.order(&json!({ "deaf": deaf }));
    }

    /// What a function of JavaScript returns in the page.
    pub fn value(&mut self, function: &str) -> Value {
        serde_json::from_str(&self.order(&json!({ "value": function }))).unwrap()
    }

    /// What the page does against the rules of axe.
    pub fn faults(&mut self) -> Value {
        self.value(RULES)
    }

    fn order(&mut self, order: &Value) -> String {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        self.answer()
    }

    /// Anything that the page complains about is a failure, a refusal of its own content policy above all.
    fn answer(&self) -> String {
        let answer = self.answers.recv_timeout(2 * PATIENCE).expect("the browser answers");
        assert_eq!(answer["trouble"], Value::Null, "in the browser");
        answer["text"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.orders.take());
    }
}

const RULES: &str = r#"() => axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`))"#;

const SHEET: &str = r#"
const [modules, executablePath, file, picture] = process.argv.slice(2);
const { chromium } = require(modules + "/playwright-core");
async function main() {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const page = await browser.newPage({ viewport: { width: 1000, height: 1400 } });
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error") trouble.push(line.text()); });
  page.on("request", (request) => { if (!request.url().startsWith("file:") && !request.url().startsWith("data:")) trouble.push(request.url()); });
  await page.goto("file://" + file);
  const seen = await page.locator("svg").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().width > 100).length);
  if (seen === 0) trouble.push("no picture is seen");
  await page.screenshot({ path: picture, fullPage: true });
  process.stdout.write(await page.locator("body").innerText());
  await browser.close();
  if (trouble.length) { console.error(trouble.join("\n")); process.exit(1); }
}
main().catch((error) => { console.error(String(error)); process.exit(1); });
"#;

const SCRIPT: &str = r#"
const [modules, executablePath, link] = process.argv.slice(2);
const { chromium } = require(modules + "/playwright-core");
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
async function main() {
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const orders = require("readline").createInterface({ input: process.stdin });
  const end = () => browser.close().finally(() => process.exit(0));
  process.stdin.on("end", end);
  process.on("SIGTERM", end);
  const page = await browser.newPage();
  page.setDefaultTimeout(30000);
  const axe = modules + "/axe-core/axe.min.js";
  if (require("fs").existsSync(axe)) await page.addInitScript({ path: axe });
  page.on("pageerror", (error) => say({ trouble: String(error) }));
  let tolerates = false;
  page.on("console", (line) => {
    if (tolerates) return;
    // Chromium asks for an icon, wanted or not.
    if (line.type() !== "error" || line.location().url.endsWith("/favicon.ico")) return;
    say({ trouble: `${line.text()} ${line.location().url}` });
  });
  const heard = page.waitForResponse((answer) => answer.url().includes("/desk/events") && answer.status() === 200);
  await page.goto(link);
  await heard;
  const text = () => page.locator("body").innerText();
  say({ text: await text() });
  for await (const line of orders) {
    const order = JSON.parse(line);
    if (order.press) {
      const button = page.getByRole("button", { name: order.press, exact: true });
      await button.waitFor();
      const before = await text();
      await button.click();
      say({ text: before });
    } else if (order.choose) {
      await page.locator("id=alarm-offers").locator("button", { hasText: order.choose }).click();
      say({ text: "" });
    } else if (order.type) {
      await page.getByLabel(order.into).click();
      await page.keyboard.type(order.type);
      await page.keyboard.press("Enter");
      say({ text: "" });
    } else if (order.again) {
      const button = page.getByRole("button", { name: order.again, exact: true });
      const says = page.getByText(order.until).first();
      while (!(await says.isVisible())) {
        if (await button.isEnabled().catch(() => false)) await button.click().catch(() => {});
        await page.waitForTimeout(100);
      }
      say({ text: await text() });
    } else if (order.lose) {
      await page.route("**/desk/answer", (route) => route.fetch().then(() => {}));
      say({ text: "" });
    } else if (order.tolerate) {
      tolerates = true;
      say({ text: "" });
    } else if (order.go) {
      await page.goto(new URL(order.go, link).href);
      say({ text: await text() });
    } else if (order.follow) {
      const path = await page.getByRole("link", { name: order.follow }).first().getAttribute("href");
      await page.goto(new URL(path, link).href);
      say({ text: await text() });
    } else if (order.write) {
      await page.locator("textarea").fill(order.write);
      say({ text: "" });
    } else if (order.size) {
      await page.setViewportSize({ width: order.size[0], height: order.size[1] });
      say({ text: "" });
    } else if (order.deaf !== undefined) {
      const events = "**/desk/events*";
      tolerates = true;
      if (order.deaf) {
        await page.route(events, (route) => route.abort());
        await page.evaluate("source.close()");
      } else {
        await page.unroute(events);
        await page.evaluate("connect()");
      }
      say({ text: await text() });
    } else if (order.value) {
      say({ text: JSON.stringify(await page.evaluate(`(${order.value})()`)) });
    } else if (order.red) {
      await page.locator("id=line").waitFor({ state: "visible" });
      const colour = await page.locator("id=line").evaluate((line) => getComputedStyle(line).backgroundImage);
      say({ text: `${colour} ${await page.locator("id=line").innerText()}` });
    } else {
      await page.getByText(order.reads).first().waitFor();
      say({ text: await text() });
    }
  }
}
main().catch((error) => { say({ trouble: String(error) }); process.exit(1); });
"#;
