// Keeps the channel's page up to date and sends what is typed. Threads are replaced one by one,
// so that the place in the page, the focus and a half-typed reply stay.
"use strict";

const POLL_INTERVAL_MS = 1000;
const base = location.pathname.replace(/\/$/, "");
const list = document.getElementById("threads");
const live = document.getElementById("live");
const composer = document.getElementById("composer");
let revision = "";

function isAtBottom() {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 80;
}

function localTimes(node) {
  for (const time of node.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString();
    time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
}

function threadNode(id) {
  const known = document.getElementById("thread-" + id);
  if (known) return known;
  const node = document.createElement("section");
  node.className = "thread";
  node.id = "thread-" + id;
  return node;
}

function draw(update) {
  const stick = !revision || isAtBottom();
  for (const [id, html] of Object.entries(update.threads)) {
    const node = threadNode(id);
    const focused = node.contains(document.activeElement) && document.activeElement.closest("[data-post]");
    node.innerHTML = html;
    localTimes(node);
    if (!node.isConnected) list.append(node);
    if (focused) document.getElementById(focused.id)?.querySelector("button")?.focus();
  }
  const wanted = new Set(update.order.map((id) => "thread-" + id));
  for (const node of [...list.children]) if (!wanted.has(node.id)) node.remove();
  update.order.forEach((id, place) => {
    const node = document.getElementById("thread-" + id);
    if (node && list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
  });
  if (!update.order.length) list.innerHTML = '<p class="none">No messages yet.</p>';
  revision = update.revision;
  if (stick) list.scrollTop = list.scrollHeight;
}

async function poll() {
  try {
    const answer = await fetch(base + "/updates?revision=" + encodeURIComponent(revision));
    if (answer.status === 200) draw(await answer.json());
    live.textContent = "live";
    live.className = "up";
  } catch {
    live.textContent = "not reachable";
    live.className = "down";
  }
}

// The next question waits for the answer to the last one: a slow server gets no pile of them.
async function keepPolling() {
  await poll();
  setTimeout(keepPolling, document.hidden ? 5 * POLL_INTERVAL_MS : POLL_INTERVAL_MS);
}

function choose(rootId, name) {
  composer.elements.root_id.value = rootId;
  document.querySelector("#target span").textContent = rootId ? "Reply in the thread of " + name : "New thread";
  document.getElementById("cancel").hidden = !rootId;
  for (const node of list.children) node.classList.toggle("chosen", node.id === "thread-" + rootId);
  composer.elements.message.focus();
}

async function send() {
  const problem = document.getElementById("problem");
  const button = composer.querySelector("[type=submit]");
  button.disabled = true;
  problem.textContent = "";
  try {
    const answer = await fetch(base + "/posts", { method: "POST", body: new FormData(composer) });
    if (!answer.ok) throw new Error((await answer.json()).error);
    composer.elements.message.value = "";
    composer.elements.files.value = "";
    showAttached();
    await poll();
  } catch (error) {
    problem.textContent = error.message;
  } finally {
    button.disabled = false;
    composer.elements.message.focus();
  }
}

function showAttached() {
  const count = composer.elements.files.files.length;
  document.getElementById("attached").textContent = count ? count + (count > 1 ? " files" : " file") : "Attach";
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.reply && composer) choose(button.dataset.reply, button.dataset.name);
  if (button?.dataset.delete && confirm("Delete this message?")) {
    await fetch(base + "/posts/" + button.dataset.delete + "/delete", { method: "POST" });
    await poll();
  }
});

if (composer) {
  composer.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  composer.elements.files.addEventListener("change", showAttached);
  document.getElementById("cancel").addEventListener("click", () => choose("", ""));
  composer.elements.message.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose("", "");
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
}
keepPolling();
