// The pages about conversations: counts down, and shows what has changed. Both pages work without it.
"use strict";

const LOOK_EVERY_MS = 5000;

const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const skew = Date.parse(main.dataset.now) - Date.now(); // Server time minus ours, in ms.

/// Text only, and only where it changed: readers for the blind would say it again.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function countdown(ms) {
  const two = (n) => String(n).padStart(2, "0");
  const all = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function tick() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = Date.parse(node.dataset.until) - Date.now() - skew;
    say(node, 0 < left ? `${countdown(left)} left` : "time is up");
  }
}

/// What somebody reads or writes must not move: they are told, and load it when they are ready.
function changed(what) {
  const node = $("changed");
  if (node.dataset.says === what) return;
  node.dataset.says = what;
  const again = document.createElement("a");
  again.href = location.pathname;
  again.textContent = "Show it";
  node.replaceChildren(what, " ", again);
}

async function look() {
  if (document.visibilityState !== "visible") return;
  const reply = await fetch(location.pathname, { cache: "no-store" });
  if (reply.status === 401) changed("This desk is signed out. Nothing here is up to date.");
  if (!reply.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("main");
  if ($("changed").dataset.says === LOST) {
    $("changed").replaceChildren();
    delete $("changed").dataset.says;
  }
  if (fresh.dataset.version === main.dataset.version) return;
  const lists = $("lists");
  if (!lists) {
    changed("This conversation has changed.");
  } else if (lists.contains(document.activeElement)) {
    changed("The list has changed.");
  } else {
    main.dataset.version = fresh.dataset.version;
    lists.replaceWith(fresh.querySelector("#lists"));
    const waiting = document.querySelectorAll("#lists [data-until]").length;
    say($("changed"), `The list is new: ${waiting} wait${waiting === 1 ? "s" : ""} for somebody.`);
    tick();
  }
}

/// A note stays in this window while its writer takes the conversation and speaks: those presses do not send it.
function keepNote() {
  const note = document.querySelector("textarea");
  if (!note) return;
  const key = `note of ${location.pathname}`;
  note.value ||= sessionStorage.getItem(key) || "";
  note.addEventListener("input", () => sessionStorage.setItem(key, note.value));
  note.form.addEventListener("submit", ({ submitter }) => {
    if (!["take", "connect"].includes(submitter && submitter.value)) sessionStorage.removeItem(key);
  });
}

const LOST = "No connection: this page is not up to date.";

keepNote();
tick();
setInterval(tick, 250);
setInterval(() => { look().catch(() => changed(LOST)); }, LOOK_EVERY_MS);
