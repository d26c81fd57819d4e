// The badges of the one who looks: bold for what is unread, and the number of mentions.
"use strict";

const BADGE_INTERVAL_MS = 1000;

function viewerId() {
  return (document.getElementById("viewer") ?? document.querySelector("#composer select"))?.value ?? "";
}

function showBadge(link, [isUnread, mentions]) {
  link.classList.toggle("unread", isUnread);
  let badge = link.querySelector(".badge");
  if (mentions && !badge) {
    badge = document.createElement("span");
    badge.className = "badge";
    link.append(badge);
  }
  if (badge) mentions ? (badge.textContent = mentions) : badge.remove();
}

async function drawBadges() {
  const id = viewerId();
  for (const link of document.querySelectorAll("[data-viewed]")) {
    const address = new URL(link.href);
    address.searchParams.set("as", id);
    link.href = address;
  }
  try {
    const badges = await (await fetch("/badges?as=" + id)).json();
    for (const link of document.querySelectorAll("[data-badge]")) {
      showBadge(link, badges[link.dataset.badge] ?? [false, 0]);
    }
  } catch {
    // The channel says that the server is not reachable; the badges stay as they were.
  }
}

async function keepBadges() {
  await drawBadges();
  setTimeout(keepBadges, document.hidden ? 5 * BADGE_INTERVAL_MS : BADGE_INTERVAL_MS);
}
keepBadges();
