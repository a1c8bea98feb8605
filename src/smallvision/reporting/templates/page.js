
"use strict";
// The page reads without this script; it adds a theme, a choice of curves, sorting and a readout.
const root = document.documentElement;
const find = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
root.classList.add("scripted");

// Theme: what the system says until a reader chooses.
const system = matchMedia("(prefers-color-scheme: dark)");
const memory = {
  get() { try { return localStorage.getItem("smallvision-theme"); } catch { return null; } },
  set(value) { try { localStorage.setItem("smallvision-theme", value); } catch { /* a file may have no storage */ } },
};
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

function applyTheme(theme) {
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  find(".theme-name").textContent = isDark() ? "Light" : "Dark";
  find(".theme").setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
}

find(".theme").hidden = false;
find(".theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  memory.set(theme);
  applyTheme(theme);
});
system.addEventListener("change", () => applyTheme());
applyTheme(memory.get());

// The curves of one run are shown at a time.
const charts = all("#curves > div");
for (const choice of all(".panel input")) {
  choice.addEventListener("change", () => charts.forEach((chart, number) => { chart.hidden = number !== Number(choice.value); }));
}

// Tables sort by a click on a column; the order of the records is the first state.
function cellValue(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.replace(/[,%\u00a0\s]/g, "");
  const number = parseFloat(text);
  return text !== "" && !Number.isNaN(number) && /^[-+−\d.]/.test(text) ? number : cell.textContent.trim();
}

function sortTable(table, header, column) {
  const falling = header.getAttribute("aria-sort") !== "descending";
  for (const other of all("th", table.tHead)) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [cellValue(row, column), row]);
  rows.sort(([a], [b]) => {
    const order = typeof a === "number" && typeof b === "number" ? a - b : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? 1 : -1;
    return falling ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of all("table.sortable")) {
  all("thead th:not(.bars)", table).forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortTable(table, header, header.cellIndex));
  });
}

// A large confusion matrix: a cell or a class read out in words.
const heat = find("#heat");
if (heat) {
  const { names, rows } = JSON.parse(find("#cells").textContent);
  const pairsOf = (row) => {
    const pairs = [];
    for (let i = 0; i < row.length; i += 2) pairs.push([row[i], row[i + 1]]);
    return pairs;
  };
  const plural = (count) => `${count.toLocaleString("en")} ${count === 1 ? "image" : "images"}`;
  heat.addEventListener("pointermove", (event) => {
    const box = heat.getBoundingClientRect();
    const inside = (place, size) => Math.min(names.length - 1, Math.max(0, Math.floor((place / size) * names.length)));
    const j = inside(event.clientX - box.left, box.width);
    const i = inside(event.clientY - box.top, box.height);
    const found = pairsOf(rows[i]).find(([column]) => column === j);
    const K = names.length;
    find("#cross").setAttribute("d", `M0 ${i}h${K}v1h-${K}zM${j} 0v${K}h1v-${K}z`);
    find("#heat-says").textContent = `${plural(found ? found[1] : 0)} of ${names[i]} ${found && found[1] === 1 ? "was" : "were"} predicted as ${names[j]}.`;
  });
  find("#heat-class").addEventListener("change", (event) => {
    const list = find("#heat-list");
    list.replaceChildren();
    if (event.target.value === "") return;
    const pairs = pairsOf(rows[Number(event.target.value)]).sort((a, b) => b[1] - a[1]);
    for (const [column, count] of pairs) {
      const item = document.createElement("li");
      item.textContent = `${plural(count)} predicted as ${names[column]}`;
      list.append(item);
    }
  });
}

// The command, ready to paste.
for (const box of all(".copy")) {
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("pre", box).textContent);
    button.textContent = "Copied";
  });
  box.append(button);
}

// The bar says where the reader is.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of all(".bar a")) link.removeAttribute("aria-current");
    find(`.bar a[href="#${entry.target.id}"]`)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-30% 0px -60%" });
for (const part of all("section[id]")) seen.observe(part);

// Paper has no clicks: everything folded is opened for print.
addEventListener("beforeprint", () => { for (const fold of all("details")) fold.open = true; });
