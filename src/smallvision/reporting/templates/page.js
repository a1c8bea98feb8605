
"use strict";
// The page reads without this script; it adds a theme, large curves, sorting and a readout.
const root = document.documentElement;
const find = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const read = (id) => JSON.parse(find(id).textContent);
const figures = read("#figures");
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
  drawCurves();
}

// Figures name colours as "--accent"; what that is depends on the theme.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

function resolveColour(name) {
  // "--rule>--accent:0.25" is a quarter of the way from one to the other.
  const mix = name.match(/^(--[a-z]+)>(--[a-z]+):([\d.]+)$/);
  if (mix) {
    const [from, to] = [mix[1], mix[2]].map((end) => resolveColour(end).match(/[\d.]+/g).map(Number));
    return `rgb(${[0, 1, 2].map((i) => Math.round(from[i] + (to[i] - from[i]) * mix[3])).join(",")})`;
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function resolveColours(value) {
  if (typeof value === "string" && value.startsWith("--")) return resolveColour(value);
  if (Array.isArray(value)) return value.map(resolveColours);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveColours(inner)]));
}

function drawFigure(place, given) {
  const figure = resolveColours(given);
  const font = getComputedStyle(document.body);
  Object.assign(figure.layout, {
    font: { family: font.fontFamily, size: 13, color: resolveColour("--soft") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: resolveColour("--raised"), bordercolor: resolveColour("--line"), font: { color: resolveColour("--ink") } },
    // A finger scrolls the page; only a mouse may draw a zoom box.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
  });
  Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
}

function drawCurves() {
  if (typeof Plotly === "undefined") return;
  const choice = find(".panel input:checked");
  if (choice) {
    find("#plot-box").hidden = false;
    find("#plot-title").textContent = choice.value;
    drawFigure("plot", figures.curves[choice.value]);
  }
  for (const box of all("[data-figure]")) {
    box.hidden = false;
    drawFigure(`plot-${box.dataset.figure}`, figures[box.dataset.figure]);
  }
}

find(".theme").hidden = false;
find(".theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  memory.set(theme);
  applyTheme(theme);
});
system.addEventListener("change", () => applyTheme());
for (const choice of all(".panel input")) choice.addEventListener("change", drawCurves);
applyTheme(memory.get());

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
  const { names, rows } = read("#cells");
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
    find("#heat-says").textContent = `${plural(found ? found[1] : 0)} of ${names[i]} ${found && found[1] === 1 ? "was" : "were"} called ${names[j]}.`;
  });
  find("#heat-class").addEventListener("change", (event) => {
    const list = find("#heat-list");
    list.replaceChildren();
    if (event.target.value === "") return;
    const pairs = pairsOf(rows[Number(event.target.value)]).sort((a, b) => b[1] - a[1]);
    for (const [column, count] of pairs) {
      const item = document.createElement("li");
      item.textContent = `${plural(count)} called ${names[column]}`;
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
