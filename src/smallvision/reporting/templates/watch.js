
"use strict";
// The page reads without this script, which asks for what has changed and puts it in its place.
const EVERY = 2000, WHEN_OVER = 15000; // milliseconds
const find = (selector, from = document) => from.querySelector(selector);
const main = find("main");
let query = location.search;
let timer = 0;
let asked = 0; // questions so far; the answer to an earlier one is not shown

function tell(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function exchange(fresh) {
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = find(`[data-part="${part.dataset.part}"]`, main);
    if (!old || old.outerHTML === part.outerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const href = focused?.getAttribute("href");
    const place = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(part);
    [...part.querySelectorAll(".scroll")].forEach((box, i) => { if (place[i]) [box.scrollLeft, box.scrollTop] = place[i]; });
    if (href) [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus();
    else if (focused?.classList.contains("scroll")) find(".scroll", part)?.focus();
  }
  const { title, state } = find('[data-part="state"]', main).dataset;
  if (document.title !== title) document.title = title;
  tell(find("#said"), state);
}

async function refresh() {
  clearTimeout(timer);
  const number = ++asked;
  try {
    const answer = await fetch(`now${query}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    if (number !== asked) return;
    exchange(new DOMParser().parseFromString(text, "text/html").body);
    tell(find("#link"), "");
  } catch {
    if (number !== asked) return;
    tell(find("#link"), "No answer: has smallvision watch been ended?");
  }
  const over = find('[data-part="state"]', main).dataset.over === "yes";
  if (!document.hidden) timer = setTimeout(refresh, over ? WHEN_OVER : EVERY);
}

main.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="?"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  query = link.getAttribute("href") === "?" ? "" : link.getAttribute("href");
  history.replaceState(null, "", query || location.pathname);
  refresh();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
timer = setTimeout(refresh, EVERY);
