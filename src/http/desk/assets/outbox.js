// The outbox: shows new messages by itself, unless somebody is in the middle of the list.
"use strict";

const LOOK_EVERY_MS = 3000;

async function look() {
  const reply = await fetch("/outbox", { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!reply.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("sent");
  const sent = document.getElementById("sent");
  if (!fresh || fresh.innerHTML === sent.innerHTML) return;
  // A list that moves under a finger, or that takes the place of a focused link, is worse than an old one.
  if (document.activeElement === document.body && window.scrollY < 40) {
    sent.replaceWith(fresh);
    document.getElementById("new").textContent = "";
  } else {
    document.getElementById("new").textContent = "There are new messages.";
  }
}

setInterval(() => { look().catch(() => {}); }, LOOK_EVERY_MS);
