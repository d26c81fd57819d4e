// Keeps the web chat up to date and sends what the visitor types. Messages are replaced one by one
// and only when they changed, so that the place in the page and a half-typed message stay.
"use strict";

const POLL_INTERVAL_MS = 500;
const base = location.pathname.replace(/\/$/, "");
const list = document.getElementById("messages");
const live = document.getElementById("live");
const composer = document.getElementById("composer");
const server = document.getElementById("server");
const channel = document.getElementById("channel");
const drawn = new Map();
let change = "";
let latest = [];

const words = JSON.parse(document.body.dataset.words);
// Times of an English page are the browser's: its readers write them in more than one way.
const locale = document.documentElement.lang === "en" ? [] : document.documentElement.lang;
const timeZone = document.body.dataset.timeZone || undefined;

function element(name, classes, text) {
  const node = document.createElement(name);
  node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

function fileNode(file) {
  if (!file.url) return element("span", "file missing", "📄 " + file.name + " (" + words.not_available + ")");
  const link = element("a", file.is_picture ? "picture" : "file", file.is_picture ? undefined : "📄 " + file.name);
  link.href = file.url;
  link.target = "_blank";
  link.rel = "noopener";
  if (!file.is_picture) return link;
  const picture = document.createElement("img");
  picture.src = file.url;
  picture.alt = file.name;
  picture.addEventListener("load", () => { if (wasAtBottom) toBottom(); });
  picture.addEventListener("error", () => link.replaceWith(fileNode({ ...file, url: null })));
  link.append(picture);
  return link;
}

function textNode(message) {
  if (message.html === undefined) return element("div", "text", message.text);
  const node = element("div", "text rendered");
  // The server has made it from Markdown, without any HTML of the author's.
  node.innerHTML = message.html;
  for (const link of node.querySelectorAll("a")) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
  return node;
}

function bubbleNode(message) {
  if (message.state === "deleted") return element("div", "bubble", words.deleted);
  const bubble = element("div", "bubble");
  const files = element("div", "files");
  files.append(...message.files.map(fileNode));
  bubble.append(textNode(message), files);
  return bubble;
}

// How far a message is on its way: what stands beside it, and what is said of it.
function passageNode(passage, failure) {
  const [sign, known] = words[passage];
  const meaning = failure ? known + "; " + words.ireserve_told.replace("{reason}", failure) : known;
  const node = element("span", "passage " + passage, sign);
  node.title = meaning;
  node.append(element("span", "hidden", " (" + meaning + ")"));
  return node;
}

function lineNode(message) {
  const line = element("div", "line");
  const moment = new Date(message.time);
  const time = element("time", "", moment.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", timeZone }));
  time.dateTime = message.time;
  time.title = moment.toLocaleString(locale, { timeZone });
  line.append(element("b", "", message.sender || "i-Reserve"), time);
  if (message.state === "edited") line.append(element("span", "edited", words.edited));
  if (message.passage) line.append(passageNode(message.passage, message.failure));
  if (message.from_mattermost) line.append(element("span", "origin", words.from_mattermost));
  return line;
}

function messageNode(message) {
  const classes = ["message", message.role, message.state].join(" ");
  const node = element("article", classes);
  node.append(lineNode(message), bubbleNode(message));
  return node;
}

let wasAtBottom = true;
function toBottom() { list.scrollTop = list.scrollHeight; }

function draw(messages) {
  const wanted = new Set(messages.map((message) => message.id));
  for (const [id, known] of drawn) {
    if (!wanted.has(id)) { known.node.remove(); drawn.delete(id); }
  }
  if (messages.length) list.querySelector(".none")?.remove();
  messages.forEach((message, place) => {
    const content = JSON.stringify(message);
    let known = drawn.get(message.id);
    if (known?.content !== content) {
      const node = messageNode(message);
      known?.node.replaceWith(node);
      known = { content, node };
      drawn.set(message.id, known);
    }
    if (list.children[place] !== known.node) list.insertBefore(known.node, list.children[place] ?? null);
  });
}

function counted([one, more], count) { return (count === 1 ? one : more).replace("{count}", count); }

// What the switch leads to. Nothing is tried twice: what finds the server gone may be lost to the
// team until an operator re-sends it; after three of those the rest waits until a probe finds it.
function noticeText() {
  const is_on = server?.getAttribute("aria-checked") !== "false";
  const count = (passage) => latest.filter((message) => message.passage === passage).length;
  const waiting = count("waiting"), failed = count("failed");
  const parts = [];
  if (!is_on) parts.push(words.is_off);
  if (waiting) parts.push(counted(is_on ? words.waiting_again : words.still_waiting, waiting));
  if (failed) parts.push(counted(words.not_delivered, failed));
  return parts.join(" ");
}

function notice() {
  const node = document.getElementById("notice");
  const text = noticeText();
  if (node.textContent !== text) node.textContent = text;
  document.getElementById("cure").hidden = !latest.some((message) => message.passage === "failed");
}

// The team's side opens at this conversation's thread. A fragment alone loads nothing anew.
function showThread(rootId) {
  const url = channel && rootId && channel.src.split("#")[0] + "#thread-" + rootId;
  if (url && channel.src !== url) channel.src = url;
}

// Where i-Reserve was told that the thread is.
function linkThread(permalink) {
  const link = document.getElementById("thread");
  link.hidden = !permalink;
  if (permalink) link.href = permalink;
}

async function poll() {
  try {
    const answer = await fetch(base + "/messages?change=" + change);
    if (!answer.ok) throw new Error(answer.status);
    if (answer.status === 200) {
      const update = await answer.json();
      wasAtBottom = !change || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
      latest = update.messages;
      draw(latest);
      showThread(update.thread);
      linkThread(update.permalink);
      notice();
      change = update.change;
      if (wasAtBottom) toBottom();
    }
    live.textContent = words.live;
    live.className = "up";
  } catch {
    live.textContent = words.not_reachable;
    live.className = "down";
  }
}

// The next question waits for the answer to the last one: a slow server gets no pile of them.
async function keepPolling() {
  await poll();
  setTimeout(keepPolling, document.hidden ? 5 * POLL_INTERVAL_MS : POLL_INTERVAL_MS);
}

function showAttached() {
  const count = composer.elements.files.files.length;
  document.getElementById("attached").textContent = count ? counted(words.attached, count) : words.attach;
}

async function send() {
  const { text, files } = composer.elements;
  const problem = document.getElementById("problem");
  const button = composer.querySelector("[type=submit]");
  if (button.disabled || (!text.value.trim() && !files.files.length)) return;
  const [body, written] = [new FormData(composer), text.value];
  button.disabled = true;
  problem.textContent = text.value = "";
  try {
    const answer = await fetch(base + "/messages", { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    files.value = "";
    showAttached();
    await poll();
    toBottom();
  } catch {
    // What was typed meanwhile stands behind it.
    text.value = written + text.value;
    problem.textContent = words.not_sent;
  } finally {
    button.disabled = false;
    text.focus();
  }
}

if (composer) {
  composer.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  composer.elements.files.addEventListener("change", showAttached);
  // Browsers take Enter in a choice of files for that of the form.
  composer.elements.files.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); event.target.click(); }
  });
  composer.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
  keepPolling();
}

// What i-Reserve says of the conversation: who has it, and that it is over.
for (const step of ["take", "end"]) {
  document.getElementById(step)?.addEventListener("click", async (event) => {
    const problem = document.getElementById("problem");
    event.target.disabled = true;
    try {
      const answer = await fetch(base + "/" + step, { method: "POST" });
      problem.textContent = answer.ok ? "" : words.not_done;
    } catch {
      problem.textContent = words.not_done;
    } finally {
      event.target.disabled = false;
    }
  });
}

const beginning = document.getElementById("beginning");
document.getElementById("new").addEventListener("click", () => beginning.showModal());
document.getElementById("cancel").addEventListener("click", () => beginning.close());
document.getElementById("conversations").addEventListener("change", (event) => { location.href = event.target.value; });

// On a phone one side is shown at a time.
for (const side of ["chat", "team"]) {
  document.getElementById("show-" + side).addEventListener("click", () => {
    document.body.dataset.side = side;
    for (const each of ["chat", "team"]) document.getElementById("show-" + each).setAttribute("aria-pressed", each === side);
  });
}

server?.addEventListener("click", async () => {
  const is_on = server.getAttribute("aria-checked") !== "true";
  server.disabled = true;
  try {
    const answer = await fetch("/server", { method: "POST", body: new URLSearchParams({ is_on }) });
    if (answer.ok) server.setAttribute("aria-checked", (await answer.json()).is_on);
  } finally {
    server.disabled = false;
    server.focus();
    notice();
  }
});
notice();
