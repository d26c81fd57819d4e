// Keeps the channel's page up to date and sends what is typed. Threads are replaced one by one,
// so that the place in the page, the focus and a half-typed reply stay.
"use strict";

const POLL_INTERVAL_MS = 1000;
const words = JSON.parse(document.body.dataset.words);
// Times of an English page are the browser's: its readers write them in more than one way.
const locale = document.documentElement.lang === "en" ? [] : document.documentElement.lang;
const timeZone = document.body.dataset.timeZone || undefined;
const base = location.pathname.replace(/\/$/, "");
const list = document.getElementById("threads");
const live = document.getElementById("live");
const composer = document.getElementById("composer");
const deleting = document.getElementById("deleting");
let revision = "";
let followed = null;
let followedTop = 0;
let addressed = "";
// Reactions that came before this page was opened are all shown; later ones can be lost.
const opened = Date.now();
let refused = "";

// A reader who has scrolled away from the newest messages is left where they are.
function isFollowing() {
  const atBottom = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  return !revision || atBottom || Math.abs(list.scrollTop - followedTop) < 80;
}

function reveal(node) {
  followed = node;
  // Not so far that a strip of the next thread shows.
  const below = node.nextElementSibling ? 0 : 20;
  list.scrollTop += node.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom + below;
  followedTop = list.scrollTop;
}

function localTimes(node) {
  for (const time of node.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString(locale, { timeZone });
    time.textContent = moment.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", timeZone });
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
  const follow = isFollowing();
  for (const [id, html] of Object.entries(update.threads)) {
    const node = threadNode(id);
    const focused = node.contains(document.activeElement) && document.activeElement.closest("[data-post]");
    node.innerHTML = html;
    localTimes(node);
    if (!node.isConnected) list.append(node);
    if (focused) document.getElementById(focused.id)?.querySelector("button")?.focus();
  }
  runTogether([...list.querySelectorAll(":scope > .thread > .post")]);
  for (const node of list.children) runTogether([...node.querySelectorAll(".replies > .post")]);
  const wanted = new Set(update.order.map((id) => "thread-" + id));
  for (const node of [...list.children]) if (!wanted.has(node.id)) node.remove();
  update.order.forEach((id, place) => {
    const node = document.getElementById("thread-" + id);
    if (node && list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
  });
  if (!update.order.length) showNone();
  if (composer && !wanted.has("thread-" + composer.elements.root_id.value)) choose("");
  chooseByAddress();
  const chosen = composer?.elements.root_id.value;
  revision = update.revision;
  const changed = update.order.filter((id) => update.threads[id]);
  const shown = changed.includes(chosen) ? chosen : changed.at(-1);
  if (follow && shown) reveal(document.getElementById("thread-" + shown));
}

function showNone() {
  const line = document.createElement("p");
  line.className = "none";
  line.textContent = words.no_messages;
  list.replaceChildren(line);
}

// Within five minutes the client leaves out picture, name and time of an author's next post.
function runTogether(posts) {
  let before = null;
  for (const post of posts) {
    const near = before && new Date(post.dataset.time) - new Date(before.dataset.time) < 300_000;
    const same = near && post.dataset.author === before.dataset.author;
    post.classList.toggle("runs-on", Boolean(same && !post.dataset.keepsHead));
    before = post;
  }
}

async function poll() {
  try {
    const query = new URLSearchParams({ revision, as: viewerId(), since: opened });
    const answer = await fetch(base + "/updates?" + query);
    if (answer.status === 200) draw(await answer.json());
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

// What a thread is about: the first line of its root, or who wrote it.
function titleOf(rootId) {
  const root = document.getElementById("post-" + rootId);
  return root.querySelector(".body").innerText.trim().split("\n")[0] || root.querySelector(".name").textContent;
}

function choose(rootId) {
  composer.elements.root_id.value = rootId;
  document.querySelector("#target span").textContent = rootId ? words.reply_to.replace("{title}", () => titleOf(rootId)) : words.new_thread;
  document.getElementById("cancel").hidden = !rootId;
  for (const node of list.children) node.classList.toggle("chosen", node.id === "thread-" + rootId);
  if (rootId) markRead(rootId);
}

// Who opens a thread has seen it.
function markRead(rootId) {
  const body = new FormData();
  body.set("user_id", viewerId());
  fetch(base + "/threads/" + rootId + "/read", { method: "POST", body }).catch(() => {});
}

// Another person looks: what they follow and miss is their own.
function lookAs(userId) {
  const select = composer.elements.user_id;
  if ([...select.options].some((option) => option.value === userId)) select.value = userId;
  revision = "";
  poll();
  drawBadges();
}

// The address may name a thread before it is drawn; and only once, so that another can be chosen.
function chooseByAddress() {
  const node = location.hash.startsWith("#thread-") && document.getElementById(location.hash.slice(1));
  if (!node || !composer || location.hash === addressed) return;
  addressed = location.hash;
  choose(node.id.slice("thread-".length));
  reveal(node);
}

async function send() {
  const { message, files } = composer.elements;
  const problem = document.getElementById("problem");
  const button = composer.querySelector("[type=submit]");
  if (button.disabled || (!message.value.trim() && !files.files.length)) return;
  const [body, written] = [new FormData(composer), message.value];
  // What begins with a slash is a command; the client offers to send it as it is the second time.
  if (refused && refused === written) body.set("is_message", "true");
  refused = "";
  button.disabled = true;
  problem.textContent = message.value = "";
  try {
    const answer = await fetch(base + "/posts", { method: "POST", body });
    const told = await answer.json();
    if (told.is_command) refused = written;
    if (told.error) throw new Error(told.error);
    if (told.private) problem.textContent = words.only_you.replace("{text}", () => told.private);
    files.value = "";
    showAttached();
    await poll();
  } catch (error) {
    // What was typed meanwhile stands behind it.
    message.value = written + message.value;
    problem.textContent = error.message;
  } finally {
    button.disabled = false;
    message.focus();
  }
}

function showAttached() {
  const count = composer.elements.files.files.length;
  document.getElementById("attached").textContent = count ? words.attached[count === 1 ? 0 : 1].replace("{count}", count) : words.attach;
}

// A dialog of the page's own: browsers ignore confirm() in a page that another one frames.
function askToDelete(postId) {
  const replies = document.querySelectorAll("#thread-" + postId + " .replies .post").length;
  document.getElementById("deleting-what").textContent = replies ? words.with_replies.replace("{count}", replies) : "";
  deleting.dataset.post = postId;
  deleting.returnValue = "";
  deleting.showModal();
}

deleting.addEventListener("close", async () => {
  if (deleting.returnValue !== "delete") return;
  await fetch(base + "/posts/" + deleting.dataset.post + "/delete", { method: "POST" });
  await poll();
  list.focus();
});

// Whatever goes wrong with a button, the client shows one red line under it.
async function press(button) {
  const line = button.parentElement.querySelector(".action-problem");
  line.textContent = "";
  const body = new FormData();
  body.set("user_id", viewerId());
  const address = base + "/posts/" + button.closest("[data-post]").dataset.post + "/actions/" + button.dataset.action;
  const answer = await fetch(address, { method: "POST", body });
  if (!answer.ok) line.textContent = words.action_failed;
  await poll();
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.action) press(button);
  if (button?.dataset.delete) askToDelete(button.dataset.delete);
  if (button?.dataset.reply && composer) {
    choose(button.dataset.reply);
    composer.elements.message.focus();
  }
});

if (composer) {
  composer.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  composer.elements.files.addEventListener("change", showAttached);
  composer.elements.user_id.addEventListener("change", () => lookAs(viewerId()));
  const asked = new URLSearchParams(location.search).get("as");
  if (asked) lookAs(asked);
  // Browsers take Enter in a choice of files for that of the form.
  composer.elements.files.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); event.target.click(); }
  });
  document.getElementById("cancel").addEventListener("click", () => {
    choose("");
    composer.elements.message.focus();
  });
  composer.elements.message.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose("");
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
}
window.addEventListener("hashchange", chooseByAddress);
// A page that was framed out of sight has had no size until now.
window.addEventListener("resize", () => { if (followed?.isConnected) reveal(followed); });
keepPolling();
