// The desk page: shows what its person is asked, as loudly as a browser can, and sends the answer.
"use strict";

const BEAT_LOST_MS = 12000; // The server beats every 5 s: two beats are missing.
const BROKEN_MS = 2000; // How long the browser may reconnect before the page shows that the connection is lost.
const ANSWER_TIMEOUT_MS = 8000;
const PRESS_GUARD_MS = 600; // A press meant for the page before must not answer the one that replaced it.
const RENEW_TIMEOUT_MS = 3000;
const SEEN_AFTER_MS = 500; // A page must be visible for this long to count as seen.
const SURE_MS = 8000; // How long a button that pages others waits for its second press.
const WAITING_NAMED = 5; // The largest number of waiting pages with a line of their own.
const OVER_NAMED = 6; // The largest number of cards about what is over.
const OPTIONS_IN_A_ROW = 4; // With more buttons than that, the options of a request stand in two rows.
const NEWS_KINDS = 4; // The largest number of kinds of changes that are told together.
const NEWS_MS = 500; // Changes within this time are told together.
const MARKS = { "paging": "▲", "engaged": "✔", "covered": "◐", "handed over": "➜", "exhausted": "✖", "stood down": "–", "closed": "■" };

const $ = (id) => document.getElementById(id);
let state = null; // The last snapshot.
let skew = 0; // Server time minus ours, in ms.
let shown = null; // The page in the alarm.
let shownAt = 0;
let sending = false;
let asking = null; // The page whose answer is on its way.
const silenced = new Set(); // Pages without sound, because their person has answered.
const answered = new Set(); // Pages answered on this desk.
let told = null; // What the bar says about which page, while that is true.
let notice = null; // What the bar says: its kind, its text, and whether it is about a drill.
let unconfirmed = null; // An answer that the server has not confirmed yet.
let more = null; // The open incidents beyond the board.
let sure = null; // The page whose button waits for its second press, and until when.
const seen = new Set();

// --- The event stream from the server --------------------------------------------------------------------------

let source = null;
let heardAt = Date.now();
let builtAt = 0;
let attempts = 0;
let rebuild = null;
let brokenAt = null; // When the browser reported that the stream broke; null after the next event.
let lostSince = null;
let signedOut = false;

function connect() {
  clearTimeout(rebuild);
  rebuild = null;
  if (source) source.close();
  builtAt = Date.now();
  source = new EventSource("/desk/events?changes=true");
  source.addEventListener("state", (event) => {
    heard();
    receive(JSON.parse(event.data));
  });
  source.addEventListener("beat", (event) => {
    heard();
    const now = Date.parse(event.data);
    if (!Number.isNaN(now)) skew = now - Date.now();
  });
  // After any status but 200 (a proxy's 502 during a restart) the browser does not reconnect by itself.
  source.onerror = () => {
    brokenAt ??= Date.now();
    renewed(false);
    if (source.readyState === EventSource.CLOSED) connectLater();
  };
}

function connectLater() {
  if (rebuild) return;
  const wait = Math.min(5000, 500 * 2 ** attempts) * (0.5 + Math.random() / 2);
  attempts += 1;
  rebuild = setTimeout(connect, wait);
  fetch("/desk", { method: "HEAD", cache: "no-store" }).then(
    (answer) => { signedOut = answer.status === 401 || answer.status === 403; },
    () => {},
  );
}

function heard() {
  heardAt = Date.now();
  brokenAt = null;
  attempts = 0;
  signedOut = false;
}

function watchLine() {
  const silent = Date.now() - heardAt;
  const lost = BEAT_LOST_MS < silent || (brokenAt !== null && BROKEN_MS < Date.now() - brokenAt);
  if (lost && !lostSince) lostSince = heardAt;
  if (!lost) lostSince = null;
  $("line").hidden = !lost;
  if (lost) {
    const what = signedOut ? "SIGNED OUT" : "LINE LOST";
    const then = signedOut ? "Ask for a new personal link." : "No page can reach this screen: use your phone.";
    say($("line"), `${what} since ${clock(lostSince + skew)}. ${then}`);
    // A half-open connection never reports an error, and neither does one that hangs while it is opened.
    if (BEAT_LOST_MS < Date.now() - builtAt) connectLater();
  }
  say($("link"), lost ? "line lost" : `line good, heard ${clock(heardAt + skew)}`);
  $("link").classList.toggle("bad", lost);
}

// --- Commands --------------------------------------------------------------------------------------------------

let renewing = null; // The new connection that commands wait for, if one is under way.
let renewed = () => {}; // Ends that wait: whether the whole desk came.

/// A newer desk link in the same browser replaces the session that this page's token belongs to. A new connection brings
/// the token of the new session.
function renew() {
  renewing ??= new Promise((done) => {
    const timer = setTimeout(() => renewed(false), RENEW_TIMEOUT_MS);
    renewed = (fresh) => {
      clearTimeout(timer);
      renewing = null;
      renewed = () => {};
      done(fresh);
    };
    connect();
  });
  return renewing;
}

const isRefused = (reply) => reply.status === 401 || reply.status === 403;

/// Sends a command of this desk's person; if it is refused, once more with a new token, but never as another person.
async function command(path, content, signal) {
  const post = () => fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Stentor-Csrf": state.csrf },
    body: content && JSON.stringify(content),
    cache: "no-store",
    signal,
  });
  const { name } = state.person;
  const reply = await post();
  if (!isRefused(reply)) return reply;
  return (await renew()) && state.person.name === name ? post() : reply;
}

// --- The snapshot ----------------------------------------------------------------------------------------------

/// The first event of a connection has the whole desk, each later one what changed.
function receive({ pages, incidents, ...about }) {
  const whole = about.seq === 1;
  const next = { ...(whole ? {} : state), ...about };
  next.pages = merged(whole ? [] : state && state.pages, pages);
  next.incidents = merged(whole ? [] : state && state.incidents, incidents);
  if ((!whole && (!state || state.seq + 1 !== about.seq)) || !next.pages || !next.incidents) {
    connectLater(); // Something is missing: a new connection begins with the whole desk.
    return;
  }
  const before = new Map((state ? state.pages : []).map((page) => [page.key, page]));
  if (state && state.build !== next.build) $("reload").hidden = false;
  state = next;
  skew = Date.parse(next.now) - Date.now();
  forgetStale();
  for (const page of next.pages) tellChange(before.get(page.key), page);
  confirmByState();
  draw();
  if (whole) renewed(true);
}

/// A list after a change of it; null if one of its cards was never heard of.
function merged(list, { order, cards }) {
  if (!list) return null;
  const known = new Map([...list, ...(cards || [])].map((card) => [card.key, card]));
  const next = (order || list.map((card) => card.key)).map((key) => known.get(key));
  return next.includes(undefined) ? null : next;
}

/// What changed without a press on this desk: somebody else's answer, one's own by another way, an end.
function tellChange(before, page) {
  if (!before || before.state === page.state || !["open", "yours", "passed", "chosen"].includes(before.state)) return;
  if (unconfirmed && unconfirmed.incident === page.incident && unconfirmed.role === page.role) return;
  const own = page.key === asking || (answered.has(page.key) && before.state === "open");
  if (own || (answered.has(page.key) && ["yours", "passed", "chosen"].includes(page.state))) return;
  const says = { taken: `${page.holder || "Somebody"} has it`, closed: "Not needed any more", over: "It is over", yours: "You have it", passed: "You passed it on", chosen: "You have chosen" }[page.state];
  if (!says) return;
  news.push({ says, page });
  newsTimer ??= setTimeout(tellNews, NEWS_MS);
}

let news = []; // Changes that nobody was told of yet.
let newsTimer = null;

/// Tells changes together, live before drill: many at once would bury everything else that is read aloud.
function tellNews() {
  newsTimer = null;
  const isStill = ({ page }) => state.pages.some((now) => now.key === page.key && now.state === page.state);
  const still = news.filter(isStill);
  news = [];
  const live = still.filter(({ page }) => !page.drill);
  const told = live.length ? live : still;
  if (!told.length) return;
  const sentence = (says) => {
    const [first, ...others] = told.filter((one) => one.says === says).map(({ page }) => page);
    return `${says}: ${word(first)} ${first.incident} ${first.role_name}${others.length ? ` and ${others.length} more` : ""}`;
  };
  const text = [...new Set(told.map(({ says }) => says))].slice(0, NEWS_KINDS).map(sentence).join("; ");
  tell("note", text, told[0].page, told[0].page.state);
}

/// Clears what the bar says about a page as soon as it is not true any more.
function forgetStale() {
  if (!told) return;
  const page = state.pages.find((page) => page.incident === told.incident && page.role === told.role);
  if (page && page.state === told.state) told.seen = true;
  else if (told.seen) drop();
}

/// The server's state shows whether it received an unconfirmed answer, or that none is needed any more.
function confirmByState() {
  if (!unconfirmed) return;
  const { incident, role, answer, drill } = unconfirmed;
  const page = state.pages.find((page) => page.incident === incident && page.role === role);
  const heard = page && (page.heard.includes(answer) || (answer === "unable" ? page.state === "passed" : page.state === "yours"));
  const waits = page && page.state === (answer === "unable" && unconfirmed.held ? "yours" : "open");
  if (waits && !heard) return;
  const what = `${drill ? "DRILL" : "LIVE"} ${incident} ${role}`;
  const says = `${heard ? "Your answer was heard. " : ""}${what}: ${page ? page.standing : "it is not on this desk any more."}`;
  tell(heard ? "good" : "note", says, page || unconfirmed, page && page.state);
}

/// Open pages, one for each role: a reminder replaces the page that it repeats. Live before drill, then by priority, then by deadline.
function queue() {
  const newest = new Map();
  for (const page of state ? state.pages : []) {
    if (page.state !== "open") continue;
    const key = `${page.incident} ${page.role}`;
    const other = newest.get(key);
    if (!other || number(other) < number(page)) newest.set(key, page);
  }
  const due = (page) => (page.deadline ? Date.parse(page.deadline) : Infinity);
  return [...newest.values()].sort((a, b) => a.drill - b.drill || a.priority - b.priority || due(a) - due(b) || number(a) - number(b));
}

const number = (page) => Number(page.page.split(".").pop()) || 0;
const word = (thing) => (thing.drill ? "DRILL" : "LIVE");

// --- Drawing ---------------------------------------------------------------------------------------------------

function draw() {
  const focus = keepFocus();
  drawAlarm();
  drawNotice();
  if (!state) return;
  say($("who"), state.person.name);
  $("conversations").hidden = !state.conversations;
  drawCards($("yours"), state.pages.filter((page) => page.state === "yours"));
  drawCards($("chosen"), state.pages.filter((page) => page.state === "chosen"));
  drawCards($("passed"), state.pages.filter((page) => page.state === "passed"));
  const over = state.pages.filter((page) => page.state === "over").sort((a, b) => Date.parse(b.since) - Date.parse(a.since));
  drawCards($("told"), [...state.pages.filter((page) => page.state === "taken"), ...over.slice(0, OVER_NAMED)]);
  drawBoard();
  tick();
  focus();
}

/// Who works by keyboard must not be thrown to the top of the page when what they were on is drawn anew or goes: the
/// focus goes to the same button of the same page, else to what is shown instead.
function keepFocus() {
  const had = document.activeElement;
  if (!had || had === document.body) return () => {};
  const { page } = had.dataset;
  return () => {
    const now = document.activeElement;
    if (now !== document.body && isSeen(now)) return;
    const same = isSeen(had) && !had.disabled ? had : null;
    const like = page ? document.querySelector(`button[data-page="${CSS.escape(page)}"]:not(:disabled)`) : null;
    (same || like || (shown ? $("alarm-what") : document.querySelector("#yours h2, #chosen h2, #passed h2") || $("title"))).focus({ preventScroll: true });
  };
}

const isSeen = (node) => node.isConnected && node.getClientRects().length > 0;

function drawAlarm() {
  const pages = queue();
  const page = pages[0] || null;
  const alarm = $("alarm");
  alarm.hidden = !page;
  document.body.classList.toggle("alarmed", Boolean(page));
  $("page").hidden = Boolean(page);
  if (!page) {
    shown = null;
    return;
  }
  const fresh = !shown || shown.key !== page.key;
  shown = page;
  if (fresh) {
    shownAt = Date.now();
    notify(page);
    document.querySelector(".alarm-text").scrollTop = 0;
  }
  alarm.classList.toggle("drill", page.drill);
  alarm.classList.toggle("live", !page.drill);
  alarm.classList.toggle("heard", silenced.has(page.key));
  say($("alarm-word"), word(page));
  say($("alarm-id"), page.incident);
  say($("alarm-said"), `${word(page)} ${page.incident}:`);
  say($("alarm-what"), page.what);
  say($("alarm-action"), page.action || "");
  say($("alarm-action-whole"), page.action_whole || "");
  $("alarm-action-whole").hidden = !page.action_whole;
  say($("alarm-ask"), page.ask || page.headline);
  say($("alarm-otherwise"), page.otherwise || "");
  say($("alarm-chosen"), page.chosen || "");
  write($("alarm-body"), page.body);
  drawLinks($("alarm-links"), page);
  drawQueue(pages.slice(1));
  drawRepeat(page);
  drawOffers(page, fresh);
}

/// Where the fact is typed without which no option counts. What is typed for one page is not kept for another.
function drawRepeat(page) {
  const node = $("alarm-repeat");
  node.hidden = !page.repeat;
  if (node.dataset.for === page.key) return;
  node.dataset.for = page.key;
  $("alarm-repeated").value = "";
  say($("alarm-repeat-what"), page.repeat ? `To decide, repeat ${page.repeat}` : "");
}

/// The pages that wait behind this one, in a line each.
function drawQueue(waiting) {
  // Incidents that this screen has no room for: it can not say how many pages they hold.
  const hidden = state.left_out.waiting;
  const queue = $("alarm-queue");
  queue.hidden = waiting.length === 0 && hidden === 0;
  const line = (page) => `${word(page)} ${page.incident} ${page.role_name.toUpperCase()}: ${page.what}${page.deadline ? `, by ${clock(Date.parse(page.deadline))}` : ""}`;
  const lines = waiting.slice(0, WAITING_NAMED).map(line);
  const more = waiting.length - lines.length;
  if (more) lines.push(`and ${more} more`);
  if (hidden) lines.push(`${hidden} more incidents wait for you and come up here as you answer`);
  const wanted = JSON.stringify(lines);
  if (queue.dataset.for === wanted) return;
  queue.dataset.for = wanted;
  const list = element("ul", "");
  list.append(...lines.map((text) => element("li", "", text)));
  queue.replaceChildren(element("p", "", waiting.length ? `${waiting.length} more wait${waiting.length === 1 ? "s" : ""} for you after this:` : "More wait for you:"), list);
}

/// Where to read on: the runbook, the room.
function drawLinks(node, page) {
  node.hidden = page.links.length === 0;
  const wanted = JSON.stringify(page.links);
  if (node.dataset.for === wanted) return;
  node.dataset.for = wanted;
  node.replaceChildren(...page.links.map(({ label, url }) => {
    const link = element("a", "", label);
    link.href = url;
    link.target = "_blank";
    link.rel = "noreferrer noopener";
    return link;
  }));
}

function drawOffers(page, fresh) {
  const offers = $("alarm-offers");
  const wanted = JSON.stringify([page.key, page.offers]);
  const asks = page.offers.some((offer) => offer.letter);
  $("alarm").classList.toggle("asks", asks);
  $("alarm").classList.toggle("many", asks && OPTIONS_IN_A_ROW < page.offers.length);
  offers.style.setProperty("--columns", Math.ceil(page.offers.length / 2));
  if (offers.dataset.for !== wanted) {
    offers.dataset.for = wanted;
    offers.replaceChildren(...page.offers.map((offer) => {
      const wants = offer.answer === page.wanted ? " wanted" : "";
      return offerButton(page, offer, `offer${wants}${asks && !offer.letter ? " pass" : ""}`);
    }));
  }
  if (fresh) {
    enableOffers(false);
    setTimeout(() => enableOffers(!sending), PRESS_GUARD_MS);
  }
}

/// A button with its label; that of an option with its letter, and what it leads to.
function offerButton(page, offer, className, label = offer.label) {
  const button = element("button", className);
  button.type = "button";
  if (offer.letter) button.append(element("b", "letter", offer.letter), " ");
  button.append(label);
  if (offer.does) button.append(element("small", "does", offer.does));
  button.addEventListener("click", () => answer(page, offer));
  return button;
}

function enableOffers(on) {
  for (const button of $("alarm-offers").children) button.disabled = !on;
}

/// Cards are rebuilt only if their content changed: a button must not move while somebody presses it.
function drawCards(section, pages) {
  section.hidden = pages.length === 0;
  const summary = (page) => state.incidents.find((incident) => incident.id === page.incident)?.summary;
  const wanted = JSON.stringify(pages.map((page) => [page.key, page.state, page.standing, page.chosen, page.action, page.offers, page.links, page.body, summary(page)]));
  if (section.dataset.for === wanted) return;
  section.dataset.for = wanted;
  section.replaceChildren(...pages.map((page) => card(page, summary(page))));
}

function card(page, summary) {
  const box = element("article", `card ${page.drill ? "drill" : "live"}`);
  const titles = { yours: "You have it", taken: `${page.holder || "Somebody"} has it`, passed: "You passed it on", chosen: "waits for others", over: "It is over" };
  const title = element("h2", "", `${word(page)} ${page.incident} ${page.role_name.toUpperCase()}: ${titles[page.state]}`);
  title.tabIndex = -1;
  box.append(title);
  if (page.state === "chosen") box.append(element("p", "head", page.chosen), dueBy(page), element("p", "summary", page.what), ...actionOf(page));
  else if (page.state !== "taken") box.append(element("p", "standing", page.standing));
  if (page.state === "yours") {
    const body = element("div", "body");
    write(body, page.body);
    const links = element("p", "links");
    drawLinks(links, page);
    box.append(element("p", "head", summary || page.what), ...actionOf(page), links, body, handBackButton(page));
  }
  if (page.state === "chosen") box.append(element("p", "standing", "You may choose again until it is decided:"));
  if (page.state === "passed" || page.state === "chosen") {
    const again = element("div", "again");
    for (const offer of page.offers) {
      const isChosen = page.heard.includes(offer.answer);
      const label = `${offer.label}${isChosen ? " (your choice)" : ""}${page.drill ? " (exercise)" : ""}`;
      const button = offerButton(page, offer, "after-all", label);
      button.dataset.page = page.key;
      if (isChosen) button.setAttribute("aria-pressed", "true");
      again.append(button);
    }
    box.append(again);
  }
  return box;
}

/// By when others must agree, and what happens otherwise.
function dueBy(page) {
  const line = element("p", "due");
  if (!page.until) return line;
  const left = element("b", "");
  left.dataset.until = page.until;
  line.append(`By ${clock(Date.parse(page.until))} (`, left, `). ${page.otherwise || ""}`);
  return line;
}

/// What will be done if people agree.
function actionOf(page) {
  const parts = page.action ? [element("p", "action", page.action)] : [];
  if (page.action_whole) {
    const whole = element("pre", "action-whole", page.action_whole);
    whole.tabIndex = 0;
    whole.setAttribute("role", "region");
    whole.setAttribute("aria-label", "The whole action");
    parts.push(whole);
  }
  return parts;
}

/// Handing back pages others at once: it takes a second press.
function handBackButton(page) {
  const button = element("button", "hand-back");
  button.type = "button";
  button.dataset.page = page.key;
  button.addEventListener("click", () => {
    if (sure && sure.page === page.key && Date.now() < sure.until) {
      if (Date.now() < sure.from) return;
      sure = null;
      answer(page, { answer: "unable", label: "Hand it back" });
    } else {
      sure = { page: page.key, from: Date.now() + PRESS_GUARD_MS, until: Date.now() + SURE_MS };
    }
    drawHandBack();
  });
  drawHandBackButton(button);
  return button;
}

function drawHandBack() {
  for (const button of document.querySelectorAll("button.hand-back")) drawHandBackButton(button);
}

function drawHandBackButton(button) {
  const waits = Boolean(sure) && sure.page === button.dataset.page && Date.now() < sure.until;
  button.classList.toggle("sure", waits);
  button.disabled = sending;
  say(button, waits ? "Press again: others are paged at once" : "Hand it back");
}

function drawBoard() {
  const open = state.incidents.filter((incident) => incident.status === "open");
  $("quiet").hidden = open.length !== 0 || !$("yours").hidden;
  drawQuiet();
  const wanted = JSON.stringify([state.incidents, state.left_out]);
  if ($("board").dataset.for === wanted) return;
  $("board").dataset.for = wanted;
  $("board").replaceChildren(...state.incidents.map(incidentCard), ...leftOut());
}

/// What an idle desk shows: who is on call, who is next, and whether a page would arrive.
function drawQuiet() {
  const ready = isArmed() ? "This screen sounds when you are paged." : "Arm the alarm, so that this screen can sound.";
  const wanted = JSON.stringify([ready, state.idle]);
  if ($("quiet").dataset.for === wanted) return;
  $("quiet").dataset.for = wanted;
  const duty = element("ul", "duty");
  duty.append(...state.idle.map((line) => element("li", "", line)));
  $("quiet").replaceChildren(element("p", "nothing", `Nothing is open. ${ready}`), duty);
}

/// Counts what does not fit on the board.
function leftOut() {
  const { open, asked } = state.left_out;
  const boxes = [];
  // What somebody reads must not vanish with the next change of the board.
  more = open ? more || moreOpen() : null;
  if (more) {
    say(more.firstChild, more.children.length === 1 ? `Show ${open} more open incidents` : `Show the ${open} more open incidents anew`);
    boxes.push(more);
  }
  if (asked) boxes.push(element("p", "left-out", `${asked} more incidents that you were asked in are not on this screen.`));
  return boxes;
}

/// Open incidents beyond the board: a line each, read when they are asked for.
function moreOpen() {
  const box = element("section", "more");
  const button = element("button", "after-all", "");
  button.type = "button";
  button.addEventListener("click", async () => {
    const list = element("ul", "roles");
    try {
      const reply = await fetch("/desk/more", { cache: "no-store" });
      if (!reply.ok) throw reply;
      const line = (row) => `${word(row)} ${row.id}: ${row.summary}${row.open_roles.length ? ` (nobody has ${row.open_roles.join(", ")})` : ""}`;
      list.append(...(await reply.json()).map((row) => element("li", "role", line(row))));
      box.replaceChildren(button, element("p", "left-out", `As of ${clock(Date.now() + skew)}:`), list);
    } catch {
      box.replaceChildren(button, element("p", "left-out", "They could not be read. Press again."));
    }
  });
  box.append(button);
  return box;
}

function incidentCard(incident) {
  const over = incident.status !== "open";
  const box = element("article", `card ${incident.drill ? "drill" : "live"}${over ? " over" : ""}`);
  const title = element("h2", "", `${word(incident)} ${incident.id}`);
  const since = element("span", "since", over ? incident.ended || "over" : "");
  if (!over) since.dataset.since = incident.opened_at;
  title.append(since);
  const list = element("ul", "roles");
  list.append(...incident.roles.map(roleRow));
  box.append(title, element("p", "summary", incident.summary));
  if (incident.sandbox) box.append(element("p", "sandbox", incident.sandbox));
  box.append(list);
  return box;
}

function roleRow(role) {
  const row = element("li", `role ${role.state.replace(" ", "-")}`);
  const mark = element("span", "state-mark", MARKS[role.state] || "?");
  mark.setAttribute("aria-hidden", "true");
  const how = element("span", "state", role.says);
  const when = element("span", "when", role.tte_ms === null ? "" : `in ${seconds(role.tte_ms)}`);
  if (role.tte_ms === null && role.deadline) when.dataset.due = role.deadline;
  row.append(mark, element("span", "role-name", role.name), how, when);
  return row;
}

/// Runs every quarter of a second: everything that depends only on the time.
function tick() {
  const now = Date.now() + skew;
  if (shown) {
    const left = shown.deadline ? Date.parse(shown.deadline) - now : null;
    say($("alarm-left"), left === null ? "now" : left <= 0 ? "0:00" : countdown(left));
    say($("alarm-left-label"), left === null ? "no deadline" : left <= 0 ? "time is up, moving on" : "left");
    $("alarm").classList.toggle("late", left !== null && left < 15000);
  }
  for (const span of document.querySelectorAll("[data-since]")) {
    say(span, `open ${countdown(now - Date.parse(span.dataset.since))}`);
  }
  for (const span of document.querySelectorAll("[data-until]")) {
    const left = Date.parse(span.dataset.until) - now;
    say(span, 0 < left ? `${countdown(left)} left` : "time is up");
  }
  for (const span of document.querySelectorAll("[data-due]")) {
    const left = Date.parse(span.dataset.due) - now;
    say(span, 0 < left ? `next in ${countdown(left)}` : "moving on");
  }
  if (sure && sure.until <= Date.now()) sure = null;
  drawHandBack();
  drawSignOut();
  watchLine();
  reportSeen();
}

function flashTitle() {
  const odd = Math.floor(Date.now() / 1000) % 2;
  const lost = lostSince ? "LINE LOST" : "Stentor desk";
  if (!shown) document.title = lost;
  else document.title = odd ? `${word(shown)} ${shown.incident} ${shown.role_name}` : `${word(shown)}: ANSWER NOW`;
}

// --- Answers ---------------------------------------------------------------------------------------------------

async function answer(page, offer) {
  if (sending) return;
  sending = true;
  const focus = keepFocus();
  enableOffers(false);
  tell("busy", `Sending: ${offer.label} ...`, page);
  unconfirmed = null;
  asking = page.key;
  const [kind, text, verdict, isFinal] = await send(page, offer);
  sending = false;
  asking = null;
  enableOffers(true);
  drawHandBack(); // A disabled button can not keep the focus.
  if (kind === "bad" && !isFinal) unconfirmed = { incident: page.incident, role: page.role, drill: page.drill, answer: offer.answer, held: page.state === "yours" };
  const then = { "engages": "yours", "passed": "passed", "handed-back": "passed", "counts": "chosen" }[verdict];
  tell(kind, text.includes(page.incident) ? text : `${word(page)} ${page.incident} ${page.role_name}: ${text}`, page, then);
  if (verdict) answered.add(page.key);
  if (kind === "good" || verdict === "too-late" || verdict === "closed") silenced.add(page.key);
  confirmByState();
  draw();
  focus();
}

async function send(page, offer) {
  const not = (why) => ["bad", `NOT SENT: ${why} Press again, or answer by another way.`];
  if (!navigator.onLine) return not("this device is offline.");
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ANSWER_TIMEOUT_MS);
  const { name } = state.person;
  try {
    const reply = await command("/desk/answer", { page: page.page, mark: page.mark, answer: offer.answer, repeated: $("alarm-repeated").value }, patience.signal);
    if (isRefused(reply)) {
      const now = state.person.name === name ? "Ask for a new personal link" : `This browser is now the desk of ${state.person.name}. Open your personal link again`;
      return ["bad", `SIGNED OUT: your answer was not sent. ${now}, or answer by another way.`, undefined, true];
    }
    if (!reply.ok) return not(`the server refused it (${reply.status}).`);
    const { verdict, text } = await reply.json();
    const holds = ["engages", "received", "standby-granted", "passed", "handed-back", "repeated", "counts", "decides"].includes(verdict);
    return [holds ? "good" : "note", text, verdict];
  } catch (trouble) {
    return trouble.name === "AbortError" ? ["bad", "NOT CONFIRMED: the server has not said that it heard you. Press again."] : not("the line is lost.");
  } finally {
    clearTimeout(timer);
  }
}

/// Shows a result; successes fade, errors stay.
let fade = null;
function tell(kind, text, page, state) {
  clearTimeout(fade);
  told = page && state ? { incident: page.incident, role: page.role, state, seen: page.state === state } : null;
  if (kind !== "bad") unconfirmed = null;
  notice = { kind, text, drill: Boolean(page && page.drill) };
  drawNotice();
  if (kind === "good" || kind === "note") fade = setTimeout(drop, 12000);
}

function drop() {
  notice = null;
  drawNotice();
}

/// The bar stands above the buttons of an alarm, else above the page. What is said of a drill never stands in a live
/// alarm: it waits for its end.
function drawNotice() {
  const waits = notice && notice.drill && shown && !shown.drill;
  for (const bar of document.querySelectorAll(".result")) {
    const here = Boolean(bar.closest("#alarm")) === Boolean(shown);
    bar.hidden = !notice || waits || !here;
    bar.className = `result ${notice ? notice.kind : ""}`;
    say(bar.querySelector("p"), bar.hidden ? "" : notice.text);
  }
  // Read aloud at once only if it is bad.
  const aloud = notice && !waits ? notice.text : "";
  say($("polite"), notice && notice.kind !== "bad" ? aloud : "");
  say($("urgent"), notice && notice.kind === "bad" ? aloud : "");
}

/// Reports pages as seen only if they were on a visible screen.
function reportSeen() {
  if (!shown || seen.has(shown.key) || document.visibilityState !== "visible") return;
  if (Date.now() - shownAt < SEEN_AFTER_MS || !state) return;
  const { page, mark, key } = shown;
  seen.add(key);
  const again = (wait) => setTimeout(() => seen.delete(key), wait);
  command("/desk/seen", { pages: [page], marks: [mark] }).then(
    (reply) => { if (!reply.ok) again(isRefused(reply) ? 60000 : 5000); },
    () => again(5000),
  );
}

// --- Signing out ------------------------------------------------------------------------------------------------

let leaving = null; // From when and until when a second press signs out.

/// It ends every session of this person, and pages then reach no screen of theirs: it takes a second press.
async function signOut() {
  const now = Date.now();
  if (!leaving || leaving.until <= now) {
    leaving = { from: now + PRESS_GUARD_MS, until: now + SURE_MS };
    drawSignOut();
    return;
  }
  if (now < leaving.from || !state) return;
  leaving = null;
  drawSignOut();
  try {
    const reply = await command("/desk/logout");
    if (!reply.ok && reply.status !== 401) throw reply;
    location.replace("/desk");
  } catch {
    tell("bad", "NOT SIGNED OUT: the server did not confirm it. Try again.");
  }
}

function drawSignOut() {
  if (leaving && leaving.until <= Date.now()) leaving = null;
  $("logout").classList.toggle("sure", Boolean(leaving));
  say($("logout"), leaving ? "Press again: sign out on every screen" : "Sign out");
}

// --- Sound, notifications, the screen kept awake ------------------------------------------------------------------

let audio = null;
let wanted = localStorage.getItem("armed") === "yes"; // A kiosk is allowed to sound after a reload.
let soundedAt = 0;
let awake = null;

const isArmed = () => audio !== null && audio.state === "running";

async function arm(byHand) {
  try {
    if (!audio) {
      audio = new AudioContext();
      audio.addEventListener("statechange", drawArmed);
    }
    // Without a gesture this waits for one instead of failing.
    await Promise.race([audio.resume(), new Promise((done) => setTimeout(done, 500))]);
  } catch {
    // No sound device: the button keeps saying that it is not armed.
  }
  if (byHand) {
    localStorage.setItem("armed", "yes");
    wanted = true;
    if (isArmed()) play([[523, 0.15, 0], [659, 0.15, 0.18], [784, 0.3, 0.36]], "sine", 0.25);
    if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
    keepAwake();
  }
  drawArmed();
}

function drawArmed() {
  const armed = isArmed();
  for (const id of ["arm", "alarm-arm"]) $(id).classList.toggle("armed", armed);
  say($("arm"), armed ? "Alarm armed (press to test)" : "Arm the alarm");
  $("alarm-arm").hidden = armed;
  $("unarmed").hidden = armed;
  if (state) drawBoard();
}

/// Live: a hard two-tone siren. Drill: three soft notes, further apart. They can not be confused.
function sound() {
  if (!isArmed()) return;
  const now = Date.now();
  if (shown && !silenced.has(shown.key)) {
    const every = shown.drill ? 4000 : 2000;
    if (now - soundedAt < every) return;
    soundedAt = now;
    if (shown.drill) play([[523, 0.18, 0], [523, 0.18, 0.3], [392, 0.35, 0.6]], "sine", 0.3);
    else play([[960, 0.3, 0], [640, 0.3, 0.3], [960, 0.3, 0.6], [640, 0.3, 0.9], [960, 0.3, 1.2]], "square", 0.35);
  } else if (lostSince && 15000 < now - soundedAt) {
    soundedAt = now;
    play([[220, 0.4, 0], [165, 0.6, 0.45]], "triangle", 0.3);
  }
}

function play(notes, wave, loudness) {
  for (const [pitch, length, from] of notes) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + from;
    tone.type = wave;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(loudness, at + 0.02);
    volume.gain.setValueAtTime(loudness, at + length - 0.03);
    volume.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length);
  }
}

function notify(page) {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  try {
    const title = `${word(page)} ${page.incident} ${page.role_name.toUpperCase()}`;
    const note = new Notification(title, { body: page.headline, tag: page.key, requireInteraction: true });
    note.onclick = () => window.focus();
  } catch {
    // Phones refuse this way of notifying; the page itself is loud enough.
  }
}

async function keepAwake() {
  if (!("wakeLock" in navigator) || document.visibilityState !== "visible" || (awake && !awake.released)) return;
  try {
    awake = await navigator.wakeLock.request("screen");
  } catch {
    awake = null; // Low battery: tried again when the page is visible again.
  }
}

// --- Small things -----------------------------------------------------------------------------------------------

/// Text only, and only where it changed: readers for the blind would say it again.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/// A brief, line by line: its labels and letters stand out, what must not be done most of all.
function write(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(...text.split("\n").map((line) => {
    const [, label, rest] = /^([A-I] {2}|DO NOT:? |[A-Z][^:.(]{1,24}: |.*:$)(.*)$/.exec(line) || [line, "", line];
    const row = element("p", label.startsWith("DO NOT") ? "never" : "");
    if (label) row.append(element("b", "", label));
    row.append(rest || (label ? "" : "\u00a0"));
    return row;
  }));
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const two = (n) => String(n).padStart(2, "0");

/// A time by the clock of this desk's person, which is the one that their briefs go by, whatever the browser's is.
function clock(ms) {
  const person = state && state.person;
  try {
    const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    if (person) return `${new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: person.zone }).format(ms)} ${person.clock}`;
  } catch {
    // A browser that does not know the zone shows universal time, and says so.
  }
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} UTC`;
}

function countdown(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const seconds = (ms) => (Math.abs(ms) < 60000 ? `${(ms / 1000).toFixed(1)} s` : countdown(ms));

// --- Start --------------------------------------------------------------------------------------------------------

$("arm").addEventListener("click", () => arm(true));
$("alarm-arm").addEventListener("click", () => arm(true));
$("logout").addEventListener("click", signOut);
$("reload").addEventListener("click", () => location.reload());
for (const button of document.querySelectorAll(".result button")) button.addEventListener("click", drop);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  if (wanted) arm(false);
  keepAwake();
  if (BEAT_LOST_MS < Date.now() - heardAt) connect();
});
window.addEventListener("online", connect);
setInterval(tick, 250);
setInterval(sound, 250);
setInterval(flashTitle, 1000);
setInterval(() => { if (wanted && !isArmed()) arm(false); }, 60000);
drawArmed();
if (wanted) arm(false);
keepAwake();
connect();
