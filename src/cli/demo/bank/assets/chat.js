// The chat page of the demo, and the page on which an officer goes on with a conversation.
"use strict";
const byId = (id) => document.getElementById(id);
const isUser = document.body.dataset.page === "user";
const words = {
  offered: "Looking for a person",
  assigned: "A person is reading your conversation",
  connected: "You speak to a person",
};
let base = isUser ? "" : location.pathname;
let shown = 0;
let state = "";
let over = false;

function fault(text) {
  byId("fault").textContent = text;
}

function show(turn) {
  const item = document.createElement("li");
  const who = document.createElement("b");
  const isBot = turn.who === "bot";
  item.className = turn.who === "user" ? "user" : isBot ? "bot" : "person";
  who.textContent = turn.who === "user" ? (isUser ? "You" : "User") : isBot ? "Bot" : turn.who;
  item.append(who, turn.text);
  byId("turns").append(item);
  item.scrollIntoView({ block: "nearest" });
}

async function post(path, body) {
  const options = { method: "POST" };
  if (body) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error((await answer.json()).detail || `error ${answer.status}`);
  return answer;
}

async function follow() {
  while (!over) {
    try {
      const answer = await fetch(`${base}/turns?after=${shown}&state=${state}`);
      if (!answer.ok) throw new Error(`error ${answer.status}`);
      const news = await answer.json();
      if (over) return;
      news.turns.forEach(show);
      shown += news.turns.length;
      state = news.state;
      byId("state").textContent = isUser ? words[state] || "" : state ? `State: ${state}` : "";
      fault("");
    } catch (error) {
      if (over) return;
      fault(`No connection to the bot (${error.message}). Trying again.`);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

byId("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = byId("text").value;
  byId("text").value = "";
  try {
    await post(`${base}/say`, { text });
  } catch (error) {
    byId("text").value = text;
    fault(`Not sent: ${error.message}`);
  }
});

async function begin() {
  if (isUser) {
    base = `/conversations/${(await (await post("/conversations")).json()).id}`;
    const { link } = await (await fetch("/desk")).json();
    const desk = byId("desk");
    desk.hidden = !link;
    desk.href = link || "#";
    desk.addEventListener("click", (event) => {
      event.preventDefault();
      const half = Math.floor(screen.availWidth / 2);
      window.open(link, "desk", `popup,left=${half},top=0,width=${half},height=${screen.availHeight}`);
    });
    byId("leave").addEventListener("click", async () => {
      over = true;
      await post(`${base}/leave`).catch((error) => fault(`The bot was not told: ${error.message}`));
      byId("state").textContent = "You left the chat. Reload the page to begin again.";
      byId("say").hidden = true;
      byId("leave").hidden = true;
    });
  }
  follow();
}
begin().catch((error) => fault(`The chat could not begin: ${error.message}`));
