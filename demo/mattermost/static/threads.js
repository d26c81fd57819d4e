// Keeps the list of threads up to date for the one who looks.
"use strict";

const rows = document.getElementById("rows");
const viewer = document.getElementById("viewer");

async function drawRows() {
  try {
    const answer = await fetch(location.pathname.replace(/\/$/, "") + "/rows?as=" + viewer.value);
    const html = await answer.text();
    if (rows.dataset.html !== html) rows.innerHTML = rows.dataset.html = html;
  } catch {
    // Asked again in a second.
  }
}

async function keepRows() {
  await drawRows();
  setTimeout(keepRows, document.hidden ? 5000 : 1000);
}
viewer.addEventListener("change", () => { drawRows(); drawBadges(); });
keepRows();
