
"use strict";
// The page reads without this script; it adds a theme, a choice of curves, sorting, pictures to look
// through, and folded sections on a phone.
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

// A part of the page in a notebook has no bar, and takes the notebook's theme.
if (find(".theme")) {
  find(".theme").hidden = false;
  find(".theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    memory.set(theme);
    applyTheme(theme);
  });
  system.addEventListener("change", () => applyTheme());
  applyTheme(memory.get());
}

// Arrow keys: down, right.
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// The curves of one run are shown at a time.
const charts = all("#curves > div");
for (const choice of all(".panel input")) {
  choice.addEventListener("change", () => charts.forEach((chart, number) => { chart.hidden = number !== Number(choice.value); }));
}

// A chart says below itself what a pointer is over; arrow keys go from mark to mark.
for (const chart of all(".chart:has(.drawing title), .trials")) {
  const drawing = find(".drawing", chart), says = document.createElement("p");
  const marks = all("title", drawing).map((title) => {
    const mark = title.parentNode;
    mark.dataset.says = title.textContent;
    title.remove();
    return mark;
  });
  says.className = "small says";
  says.ariaLive = "polite";
  chart.append(says);
  drawing.tabIndex = 0;
  let at = -1;
  const read = (mark) => {
    marks[at]?.classList.remove("there");
    at = marks.indexOf(mark);
    mark.classList.add("there");
    says.textContent = mark.dataset.says;
  };
  drawing.addEventListener("pointerover", ({ target }) => { if (target.dataset.says) read(target); });
  drawing.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    const [down, right] = ARROWS[event.key];
    read(marks[Math.min(marks.length - 1, Math.max(0, at + down + right))]);
  });
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

// Every table can be saved: numbers without their units, which the header names, and apart from them
// the ends of their intervals and what is noted below them.
const NUMBER = /^([+−-]?\d[\d,]*(?:\.\d+)?)(?: (%|points|[kMG]?B|ms|s|min|h))?$/;
const SPAN = /^([+−-]?\d[\d.,]*)(?:–| to )([+−-]?\d[\d.,]*)(?: (%))?$/;
const bare = (number) => number.replaceAll(",", "").replace("−", "-").replace("+", "");
const textOf = (node) => node.textContent.replace(/[\s\u00a0]+/g, " ").trim();

function readCell(cell, { unit, scale = 1 }) {
  const copy = cell.cloneNode(true), numeric = cell.classList.contains("n");
  for (const mark of all("[aria-hidden]", copy)) mark.remove();
  for (const hash of all(".hash", copy)) hash.textContent = hash.title;
  const below = all(numeric ? "small, .soft" : "small", copy).map((part) => { part.remove(); return textOf(part); });
  const text = textOf(copy);
  if (!numeric) return { value: text, note: below.join("; ") };
  const exact = Number.parseFloat(cell.dataset.value) * scale, number = NUMBER.exec(text), span = [text, ...below].map((part) => SPAN.exec(part)).find(Boolean);
  const [, from, to, spanned] = span ?? [];
  return {
    ...(Number.isFinite(exact) ? { value: String(Number(exact.toPrecision(12))), unit } : number ? { value: bare(number[1]), unit: number[2] } : { value: ["–", span?.input].includes(text) ? "" : text, unit: spanned }),
    ...(span ? { from: bare(from), to: bare(to) } : {}),
    note: below.filter((part) => part !== span?.input).join("; "),
  };
}

function saveColumn(head, cells) {
  const read = cells.map((cell) => (cell ? readCell(cell, head.dataset) : {}));
  const units = new Set(read.map(({ unit }) => unit).filter(Boolean));
  const unit = units.size === 1 ? `, ${[...units][0]}` : "", name = textOf(head);
  const fields = { value: name + unit, unit: `${name}, unit`, from: `${name} from${unit}`, to: `${name} to${unit}`, note: `${name}, note` };
  return Object.entries(fields)
    .filter(([field]) => (field === "unit" ? units.size > 1 : read.some((one) => one[field])))
    .map(([field, title]) => [title, ...read.map((one) => one[field] ?? "")]);
}

function writeCsv(table) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const rows = [...table.tBodies, table.tFoot].flatMap((part) => (part ? [...part.rows] : []));
  const columns = heads.flatMap((head, place) => (head.classList.contains("bars") ? [] : saveColumn(head, rows.map((row) => row.cells[place]))));
  const lines = [0, ...rows].map((_, line) => columns.map((column) => column[line]));
  // A spreadsheet would compute what begins like a formula.
  const guard = (text) => (/^[=+\-@]/.test(text) && !/^[+-]?[\d.]+( %)?$/.test(text) ? `'${text}` : text);
  return lines.map((line) => line.map((text) => `"${guard(text).replaceAll('"', '""')}"`).join(",")).join("\r\n");
}

for (const table of all("main table")) {
  const label = find("caption > span, figcaption", table.caption ? table : table.closest("figure") ?? table);
  if (!label || !table.tHead) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "csv";
  button.textContent = "CSV";
  button.setAttribute("aria-label", "Save this table as CSV");
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", writeCsv(table)], { type: "text/csv" }));
    link.download = `${find("b", label).textContent.replace(/\W+/g, "-").toLowerCase()}table.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  label.append(" ", button);
}

// Images on a map, and of validation images a gallery that is filtered by class, and what lies behind
// a cell of the confusion matrix.
const make = (tag, ...content) => { const node = document.createElement(tag); node.append(...content); return node; };
const draw = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};
const plural = (count, noun = "image") => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const soft = (text) => { const node = make("span", text); node.className = "soft"; return node; };
const source = find("#gallery-data");
const gallery = source ? JSON.parse(source.textContent) : null;
const images = (gallery?.images ?? []).map(([called, label, predicted, probability, x, y], rank) => ({ called, label, predicted, probability, x, y, rank }));
// Of errors this page may hold a part, and of images that are right a sample: what is here is no count of all.
const tell = (found, wrong) => (gallery.all || (wrong && gallery.errors) ? `${plural(found.length, "validation image")} of that kind` : `${found.length.toLocaleString("en")} of the validation images of that kind`);
const percent = (value) => (value >= 0.9995 ? "over 99.9" : (100 * value).toFixed(1)) + "\u00a0%";

function describeImage({ label, predicted, probability }) {
  const [given, said] = [label, predicted].map((number) => make("bdi", gallery.names[number] ?? ""));
  if (predicted === null) return [given];
  return label === predicted ? [given, soft(" is right, "), percent(probability)] : [given, soft(" predicted as "), said, soft(", "), percent(probability)];
}

function showTile({ called, rank }) {
  const [columns, width, height] = gallery.sheet;
  const [x, y] = [(rank % columns) * (width + 1), Math.floor(rank / columns) * (height + 1)];
  const tile = draw("svg", { class: "pixels tile", viewBox: `${x} ${y} ${width} ${height}`, role: "img", "aria-label": called });
  const title = draw("title", {});
  title.textContent = called;
  tile.append(title, draw("use", { href: "#tiles" }));
  return tile;
}

function showItem(image) {
  const item = make("li", showTile(image));
  const says = make("p", ...describeImage(image));
  says.className = "small";
  item.append(says);
  return item;
}

// On a map a pointer reads the lit dot that is nearest to it; arrow keys go from dot to dot.
const map = find("#map"), onMap = ({ x }) => x !== undefined;
const hint = find("#map-says")?.firstElementChild;
let lit = images.filter(onMap), read = null;
if (map) map.tabIndex = 0;

function readImage(image) {
  read = image ?? null;
  const here = find("#map-here"), placed = read !== null && onMap(read);
  here.classList.toggle("there", placed);
  if (placed) for (const [name, place] of [["cx", read.x], ["cy", read.y]]) here.setAttribute(name, `${place}%`);
  if (!read) { find("#map-says").replaceChildren(hint); return; }
  const text = make("p", ...describeImage(read), soft(" ("), make("bdi", read.called), soft(placed ? ")" : "), not on the map"));
  text.className = "small";
  find("#map-says").replaceChildren(...(gallery.sheet ? [showTile(read)] : []), text);
}

function readNearest(x, y, among = lit) {
  const distance = (image) => Math.hypot(image.x - x, image.y - y);
  if (among.length) readImage(among.reduce((best, image) => (distance(image) < distance(best) ? image : best)));
}

for (const kind of ["pointermove", "pointerdown"]) {
  map?.addEventListener(kind, (event) => {
    const box = map.getBoundingClientRect();
    readNearest((100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height);
  });
}
map?.addEventListener("keydown", (event) => {
  if (!(event.key in ARROWS)) return;
  event.preventDefault();
  if (!read || !onMap(read)) { readNearest(50, 50); return; }
  const [down, right] = ARROWS[event.key], { x, y } = read;
  readNearest(x, y, lit.filter((image) => {
    const [across, along] = [image.x - x, image.y - y];
    return right * across + down * along > Math.abs(down * across) + Math.abs(right * along);
  }));
});

if (find("#gallery-true")) {
  const PAGE = 20; // pictures that are shown at a time
  const [ofClass, asClass, says, shots, more] = ["#gallery-true", "#gallery-predicted", "#gallery-says", "#gallery-shots", "#gallery-more"].map((id) => find(id));
  const matches = ({ label, predicted }) => (ofClass.value === "" || label === Number(ofClass.value))
    && (asClass.value === "" || (asClass.value === "wrong" ? label !== predicted : predicted === Number(asClass.value)));
  let chosen = [];
  const showMore = () => {
    const start = shots.children.length;
    for (const image of chosen.slice(start, start + PAGE)) {
      const item = showItem(image), button = make("button", item.firstChild);
      button.type = "button";
      button.addEventListener("click", () => {
        readImage(image);
        find("#map-says").scrollIntoView({ block: "nearest" });
      });
      item.prepend(button);
      item.addEventListener("pointerenter", () => readImage(image));
      shots.append(item);
    }
    more.hidden = shots.children.length >= chosen.length;
  };
  const filter = () => {
    chosen = images.filter(matches);
    lit = chosen.filter(onMap);
    readImage(null);
    const narrowed = chosen.length < images.length;
    find("#map-all").classList.toggle("dim", narrowed);
    const marks = new Map();
    for (const { label, x, y } of narrowed ? lit : []) marks.set(label, `${marks.get(label) ?? ""}M${x} ${y}h0`);
    find("#map-chosen").replaceChildren(...[...marks].map(([label, d]) => draw("path", { class: `class-${label % 10}`, d })));
    if (!shots) return;
    shots.replaceChildren();
    says.textContent = chosen.length ? `Kept in this page: ${tell(chosen, asClass.value === "wrong" || (ofClass.value !== "" && asClass.value !== "" && ofClass.value !== asClass.value))}. On the map: ${lit.length.toLocaleString("en")}.` : "No validation image of that kind is kept in this page.";
    showMore();
  };
  for (const choice of [ofClass, asClass]) choice.addEventListener("change", filter);
  more?.addEventListener("click", showMore);
  filter();
}

// A link to the gallery may name the pair of classes that it shows there.
function linkPair(label, predicted, text) {
  const link = make("a", text);
  link.href = "#gallery";
  Object.assign(link.dataset, { label, predicted });
  return link;
}
function choosePair({ label, predicted }) {
  find("#gallery-true").value = label;
  find("#gallery-predicted").value = predicted;
  find("#gallery-true").dispatchEvent(new Event("change"));
}

// What lies behind a cell: validation images of the same kind. A second click closes it.
let openCell = "";
function toggleCell(label, predicted, count, names) {
  const says = find("#cell-says"), list = find("#cell-shots"), cell = `${label},${predicted}`;
  openCell = openCell === cell ? "" : cell;
  for (const button of all("[data-cell]")) button.setAttribute("aria-pressed", String(button.dataset.cell === openCell));
  find("#picked")?.setAttribute("d", openCell ? `M${predicted} ${label}h1v1h-1z` : "");
  says.replaceChildren();
  list.replaceChildren();
  if (!openCell) return;
  const known = images.filter((image) => image.label === label && image.predicted === predicted);
  says.replaceChildren(make("bdi", names[label]), soft(" predicted as "), make("bdi", names[predicted]), `: ${plural(count, "test image")}. `);
  list.replaceChildren(...known.slice(0, 12).map(showItem));
  if (!known.length) { says.append("No validation image of that kind is kept in this page."); return; }
  says.append(linkPair(label, predicted, `Kept in this page: ${tell(known, label !== predicted)}`), known.length > 12 ? ", the 12 surest here:" : ":");
}

// A small confusion matrix: arrow keys go from cell to cell, of which one can be reached by tab.
const table = find(".confusion .matrix");
if (table && gallery?.sheet) {
  root.classList.add("galleried");
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1));
  const focus = (cell) => {
    for (const button of all("button", table)) button.tabIndex = -1;
    cell.firstChild.tabIndex = 0;
    cell.firstChild.focus();
  };
  rows.forEach((cells, i) => cells.forEach((cell, j) => {
    const count = Number(cell.textContent);
    const button = make("button", cell.textContent);
    button.type = "button";
    button.tabIndex = i || j ? -1 : 0;
    button.setAttribute("aria-label", `${gallery.names[i]} predicted as ${gallery.names[j]}: ${count}`);
    Object.assign(button, { ariaPressed: "false" }).dataset.cell = `${i},${j}`;
    cell.replaceChildren(button);
    button.addEventListener("click", () => { focus(cell); toggleCell(i, j, count, gallery.names); });
    button.addEventListener("keydown", (event) => {
      const [down, right] = ARROWS[event.key] ?? [0, 0];
      const next = rows[i + down]?.[j + right];
      if (!next || next === cell) return;
      event.preventDefault();
      focus(next);
    });
  }));
}

// A large confusion matrix: a cell or a class read out in words.
const heat = find("#heat");
if (heat) {
  const { names, rows } = JSON.parse(find("#cells").textContent);
  root.classList.toggle("galleried", Boolean(gallery?.sheet));
  const pairsOf = (row) => {
    const pairs = [];
    for (let i = 0; i < row.length; i += 2) pairs.push([row[i], row[i + 1]]);
    return pairs;
  };
  const locate = (event) => {
    const box = heat.getBoundingClientRect();
    const inside = (place, size) => Math.min(names.length - 1, Math.max(0, Math.floor((place / size) * names.length)));
    const [i, j] = [inside(event.clientY - box.top, box.height), inside(event.clientX - box.left, box.width)];
    const found = pairsOf(rows[i]).find(([column]) => column === j);
    return [i, j, found ? found[1] : 0];
  };
  heat.addEventListener("pointermove", (event) => {
    const [i, j, count] = locate(event);
    const K = names.length;
    find("#cross").setAttribute("d", `M0 ${i}h${K}v1h-${K}zM${j} 0v${K}h1v-${K}z`);
    find("#heat-says").textContent = `${plural(count)} of ${names[i]} ${count === 1 ? "was" : "were"} predicted as ${names[j]}.`;
  });
  if (gallery?.sheet) heat.addEventListener("click", (event) => toggleCell(...locate(event), names));
  find("#heat-class").addEventListener("change", (event) => {
    const list = find("#heat-list");
    list.replaceChildren();
    if (event.target.value === "") return;
    const label = Number(event.target.value);
    const pairs = pairsOf(rows[label]).sort((a, b) => b[1] - a[1]);
    for (const [column, count] of pairs) {
      const words = `${plural(count)} predicted as ${names[column]}`;
      if (!gallery?.sheet) { list.append(make("li", words)); continue; }
      const button = make("button", words);
      button.type = "button";
      Object.assign(button, { ariaPressed: String(openCell === `${label},${column}`) }).dataset.cell = `${label},${column}`;
      button.addEventListener("click", () => toggleCell(label, column, count, names));
      list.append(make("li", button));
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

// The bar says where the reader is: in the last section that crosses the middle and is not folded.
const menu = find("#menu"), opener = find("button.menu");
function markPlace(id) {
  for (const link of all("#menu a")) link.removeAttribute("aria-current");
  const link = find(`#menu a[href="#${id}"]`);
  if (opener) find(".menu-says", opener).textContent = link ? link.textContent.trim() : "Sections";
  if (!link) return;
  link.setAttribute("aria-current", "true");
  menu.scrollLeft = link.offsetLeft - menu.offsetLeft - (menu.clientWidth - link.offsetWidth) / 2;
}
const crossing = new Set();
function findPlace() {
  if (!crossing.size) return;
  markPlace(all("section[id]").findLast((part) => crossing.has(part) && !find(".body[hidden]", part))?.id);
}
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) crossing[isIntersecting ? "add" : "delete"](target);
  findPlace();
}, { rootMargin: "-30% 0px -60%" });
for (const part of all("section[id]")) seen.observe(part);

// On a phone the sections are folded: their titles are the contents. Parts of a page, which have no
// menu, are not.
const phone = matchMedia("screen and (max-width: 46rem)");
const isFolded = () => Boolean(opener) && phone.matches;
const parts = all("section.part");
const bodyOf = (part) => find(".body", part);
function fold(part, folded) {
  // Where a browser knows it, a search in the page finds what is folded, and opens it.
  if (folded) bodyOf(part).setAttribute("hidden", "until-found");
  else bodyOf(part).removeAttribute("hidden");
  find("h2 button", part)?.setAttribute("aria-expanded", String(!folded));
  findPlace();
}
const partOf = (id) => parts.find((part) => part.contains(document.getElementById(id)));
function openTarget(id) {
  if (partOf(id)) fold(partOf(id), false);
}
function arrange() {
  const target = partOf(location.hash.slice(1));
  for (const part of parts) {
    const title = find("h2", part);
    if (isFolded() && !find("button", title)) {
      const button = make("button", ...title.childNodes);
      button.type = "button";
      button.setAttribute("aria-controls", bodyOf(part).id);
      button.addEventListener("click", () => fold(part, !bodyOf(part).hidden));
      title.append(button);
    } else if (!isFolded() && find("button", title)) title.replaceChildren(...find("button", title).childNodes);
    fold(part, isFolded() && part !== target);
  }
  if (opener) opener.hidden = false;
}
for (const part of parts) bodyOf(part).addEventListener("beforematch", () => fold(part, false));
arrange();
phone.addEventListener("change", arrange);

// Whatever a link leads to is opened before the page goes there.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  if (link.dataset.label && find("#gallery-true")) choosePair(link.dataset);
  openTarget(link.hash.slice(1));
});
addEventListener("hashchange", () => openTarget(location.hash.slice(1)));

function openMenu(open) {
  opener.setAttribute("aria-expanded", String(open));
  menu.classList.toggle("open", open);
}
opener?.addEventListener("click", () => openMenu(opener.getAttribute("aria-expanded") !== "true"));
menu?.addEventListener("click", (event) => {
  if (event.target.closest("a")) openMenu(false);
});
addEventListener("keydown", (event) => { if (event.key === "Escape" && opener) openMenu(false); });
for (const link of all(".back a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    openMenu(true);
    find(`[href="#${link.closest("section").id}"]`, menu).focus();
  });
}

// A phone has no room for wide tables: each of their rows becomes a list of figures by name.
for (const table of all(".scroll > table:not(.matrix)")) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (heads.length < 5) continue;
  table.classList.add("listed");
  for (const row of [...table.tBodies[0].rows, ...(table.tFoot?.rows ?? [])]) {
    [...row.cells].forEach((cell, column) => { if (column) cell.dataset.label = heads[column].classList.contains("bars") ? "" : heads[column].textContent.trim(); });
  }
}

// Paper has no clicks: everything folded is opened for print, and folded again afterwards.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...all("details:not([open])"), ...parts.filter((part) => bodyOf(part).hidden)];
  for (const one of opened) one.tagName === "DETAILS" ? (one.open = true) : fold(one, false);
});
addEventListener("afterprint", () => {
  for (const one of opened) one.tagName === "DETAILS" ? (one.open = false) : fold(one, true);
  opened = [];
});
