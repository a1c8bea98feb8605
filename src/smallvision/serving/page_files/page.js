"use strict";
// Text from the server and names of files become elements by textContent alone.
const TOP = 5; // classes that are told at once
const MOST = 100; // pictures at a time
const SIDE = 640; // pixels of a preview
const PATIENCE = 8; // times that a busy server is asked again
const OWN = { "X-Smallvision-Page": "1" }; // other sites cannot send it

const find = (id) => document.getElementById(id);
const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
const percent = (p) => (p >= 0.0005 && p < 0.9995 ? `${(100 * p).toFixed(1)} %` : p > 0.5 ? "over 99.9 %" : "under 0.1 %");

/** An element with attributes and children; text is never read as HTML. */
function make(tag, attributes = {}, ...children) {
  const space = ["svg", "rect"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Names of files as `text.py` shows them: what acts on text or does not show becomes an escape. */
const show = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (letter) => {
  const code = letter.codePointAt(0).toString(16);
  return code.length < 3 ? `\\x${code.padStart(2, "0")}` : code.length < 5 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
});

/** Say something to those who hear the page. */
function say(text) {
  const line = make("span", {}, `${text} `);
  find("says").append(line);
  setTimeout(() => line.remove(), 10000);
}

// The token, which is kept until the tab is closed.
const token = {
  now: sessionStorage.getItem("smallvision-token"),
  asked: null,
  /** Wait for another token than the one that was refused. */
  ask(refused) {
    if (this.now !== refused) return Promise.resolve();
    this.asked ??= new Promise((done) => { this.done = done; });
    find("drop").hidden = true;
    find("token").hidden = false;
    find("token-says").textContent = refused ? "The server refused this token." : "";
    find("token-field").focus();
    return this.asked;
  },
};

find("token").addEventListener("submit", (event) => {
  event.preventDefault();
  token.now = find("token-field").value.trim();
  sessionStorage.setItem("smallvision-token", token.now);
  find("token-field").value = "";
  find("token").hidden = true;
  find("drop").hidden = false;
  find("choose").focus();
  token.asked = null;
  token.done();
});

/** Ask the server; an error has a sentence for the person. */
async function call(path, options = {}) {
  for (let tries = 0; ;) {
    const used = token.now;
    const headers = { ...options.headers, ...(used && { Authorization: `Bearer ${used}` }) };
    let answer;
    try {
      answer = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (error) {
      throw new Error(error instanceof TypeError && !/fetch|network|load/i.test(error.message)
        ? "This cannot be sent; the token has characters that no token has."
        : "The server does not answer, or the file is gone.");
    }
    if (answer.status === 401) { await token.ask(used); continue; }
    if (answer.status === 503 && tries < PATIENCE) {
      tries += 1;
      await wait(Math.min(Number(answer.headers.get("Retry-After")) || 1, 10));
      continue;
    }
    if (!answer.ok) throw new Error(await explain(answer));
    return answer;
  }
}

/** The sentence of a problem document. */
async function explain(answer) {
  try {
    const problem = await answer.json();
    return String(problem.detail || problem.title);
  } catch {
    return `The server answered with ${answer.status}.`;
  }
}

// The model.
let model = null;
const shown = new Map(); // name of a class -> how it is shown

function describeClasses() {
  const names = model.classes.map(({ shown: name }) => (name.length > 40 ? `${[...name].slice(0, 39).join("")}…` : name));
  const told = names.length > 6 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
  return `The model tells ${names.length} classes apart: ${told.slice(0, -1).join(", ")} and ${told.at(-1)}.`;
}

function listClasses() {
  const names = model.classes.map((each) => each.shown).join(", ");
  if (model.classes.length <= 20) return names;
  return make("details", {}, make("summary", {}, String(model.classes.length)), make("p", { tabindex: "0" }, names));
}

function addFact(name, value) {
  if (value === null) return;
  find("facts").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
}

async function loadModel() {
  model = await (await call("page/model")).json();
  for (const each of model.classes) shown.set(each.name, each.shown);
  document.title = `${model.name} · smallvision`;
  find("name").textContent = model.name;
  find("classes").textContent = describeClasses();
  find("where").textContent = model.keeps
    ? "They go to this server alone, which keeps those that you correct."
    : "They go to this server alone, which keeps none.";
  addFact("Model", make("bdi", {}, model.name));
  addFact("Classes", listClasses());
  addFact("It sees", model.images);
  addFact("Accuracy", model.accuracy);
  addFact("Unlike pictures", model.unlike);
  addFact("Licence", model.licence);
}

// One answer after the other.
const queue = [];
let isWorking = false;

async function work() {
  if (isWorking) return;
  isWorking = true;
  await ready;
  for (let card; (card = queue.shift());) await card.answer();
  isWorking = false;
}

/** A picture with its answer. */
class Card {
  constructor(file, quiet) {
    this.file = file;
    this.name = show(file.name || "picture");
    this.quiet = quiet;
    this.pictures = make("div", { class: "pictures" });
    this.verdict = make("div", { class: "verdict" });
    this.element = make("li", { class: "answer waiting" }, this.pictures, this.verdict);
    this.verdict.append(make("p", { class: "lead" }, "Waiting …"));
    this.preview = this.addPicture(this.name);
    this.draw();
  }

  addPicture(caption) {
    const frame = make("div", { class: "frame" });
    this.pictures.append(make("figure", {}, frame, make("figcaption", {}, make("bdi", {}, caption))));
    return frame;
  }

  /** A scaled-down preview; the browser may not know the format. */
  async draw() {
    let bitmap;
    try {
      bitmap = await createImageBitmap(this.file);
    } catch {
      this.preview.replaceChildren(make("p", { class: "small" }, "This browser cannot show it."));
      return;
    }
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = make("canvas", { role: "img", "aria-label": this.name });
    canvas.width = Math.max(1, Math.round(scale * bitmap.width));
    canvas.height = Math.max(1, Math.round(scale * bitmap.height));
    if (Math.max(bitmap.width, bitmap.height) <= 128) canvas.classList.add("pixels");
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    this.preview.replaceChildren(canvas);
    this.preview.nextSibling.append(`, ${bitmap.width} × ${bitmap.height}`);
    bitmap.close();
  }

  async answer() {
    this.verdict.replaceChildren(make("p", { class: "lead" }, "Looking …"));
    try {
      if (this.file.size > model.most_bytes) {
        throw new Error(`It has ${Math.round(this.file.size / 1e6)} MB; at most ${Math.round(model.most_bytes / 1e6)} MB are read.`);
      }
      const answer = await call("v1/classify", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: this.file });
      const [found] = (await answer.json()).pictures;
      if (found.error !== undefined) throw new Error(found.error);
      this.tell(found);
    } catch (error) {
      this.fail(error.message);
    }
    this.element.classList.remove("waiting");
  }

  tell(found) {
    if (!model.classes.every((each) => Object.hasOwn(found.probabilities, each.name))) {
      throw new Error("The server has another model by now; load this page anew.");
    }
    const ranked = model.classes
      .map((each) => ({ shown: each.shown, p: found.probabilities[each.name] }))
      .sort((a, b) => b.p - a.p);
    const name = shown.get(found.class);
    const p = percent(found.probabilities[found.class]);
    this.element.classList.toggle("unlike", found.unlike === true);
    const parts = [make("h3", {}, make("bdi", {}, name), " ", make("strong", {}, p))];
    if (found.unlike === true) {
      parts.push(make("p", { class: "alert" }, make("b", {}, "Unlike what it was trained on. "), "The model finds this picture stranger than 95 % of its validation images, so it may well be none of its classes."));
    }
    parts.push(makeBars(ranked.slice(0, TOP), "The most probable classes", true));
    if (ranked.length > TOP) parts.push(makeRest(ranked.slice(TOP)));
    if (model.keeps) parts.push(this.makeCorrection());
    this.verdict.replaceChildren(...parts);
    if (!this.quiet) say(`${this.name}: ${name}, ${p}.${found.unlike === true ? " Unlike what the model was trained on." : ""}`);
    this.showSeen();
  }

  fail(message) {
    const again = make("button", { class: "button plain", type: "button" }, "Try again");
    again.addEventListener("click", () => { queue.push(this); work(); });
    const why = show(message[0].toUpperCase() + message.slice(1));
    this.verdict.replaceChildren(make("p", { class: "alert" }, make("b", {}, "No answer. "), why), make("p", { class: "row" }, again));
    say(`${this.name}: no answer. ${why}`);
  }

  /** The picture as the model sees it, each of its pixels enlarged. */
  async showSeen() {
    if (this.seen) return;
    try {
      const answer = await call("page/seen", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: this.file });
      const bitmap = await createImageBitmap(await answer.blob());
      const size = `${bitmap.width} × ${bitmap.height} pixels`;
      const canvas = make("canvas", { class: "pixels", role: "img", "aria-label": `${this.name} as the model sees it, ${size}` });
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      this.seen = this.addPicture(`As the model sees it, ${size}`);
      this.seen.append(canvas);
    } catch {
      // The answer stands without it.
    }
  }

  makeCorrection() {
    const id = `right-${Card.number = (Card.number ?? 0) + 1}`;
    const choice = make("select", { id, required: "" }, make("option", { value: "" }, "Choose …"));
    model.classes.forEach((each, number) => choice.append(make("option", { value: number }, each.shown)));
    const told = make("p", { class: "told" });
    const form = make("form", {}, make("label", { for: id }, `The right class of ${this.name}`), make("div", { class: "row" }, choice, make("button", { class: "button", type: "submit" }, "Keep")), told);
    const fold = make("details", { class: "correct" }, make("summary", {}, "Wrong? Choose the right class"), form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      told.textContent = "";
      const button = form.querySelector("button");
      if (button.getAttribute("aria-disabled")) return;
      button.setAttribute("aria-disabled", "true");
      try {
        const query = new URLSearchParams({ class: choice.value, model: model.fingerprint });
        const answer = await call(`page/keep?${query}`, { method: "POST", headers: { ...OWN, "Content-Type": "application/octet-stream" }, body: this.file });
        const { kept } = await answer.json();
        const line = make("p", { tabindex: "-1" }, "Kept as ", make("bdi", {}, make("b", {}, model.classes[choice.value].shown)), " for the next training ", make("span", { class: "small" }, "(", make("bdi", {}, kept), ")"), ".");
        form.replaceWith(line);
        line.focus();
        say(`${this.name} is kept as ${model.classes[choice.value].shown}.`);
      } catch (error) {
        told.textContent = show(error.message);
        button.removeAttribute("aria-disabled");
        say(told.textContent);
      }
    });
    return fold;
  }
}

function makeBars(ranked, label, marksFirst) {
  const rows = ranked.map(({ shown: name, p }, place) => make(
    "li",
    marksFirst && place === 0 ? { class: "first" } : {},
    make("bdi", {}, name),
    make("span", {}, percent(p)),
    make("svg", { "aria-hidden": "true" }, make("rect", { class: "rail", width: "100%", height: "100%" }), make("rect", { class: "fill", width: `${Math.max(0.3, Math.min(100, 100 * p))}%`, height: "100%" })),
  ));
  return make("ol", { class: "bars", "aria-label": label }, ...rows);
}

/** All other classes, drawn when they are asked for. */
function makeRest(ranked) {
  const count = ranked.length;
  const fold = make("details", {}, make("summary", {}, count === 1 ? "One more class" : `${count} more classes`));
  fold.addEventListener("toggle", () => fold.append(makeBars(ranked, "The other classes", false)), { once: true });
  return fold;
}

/** Take pictures, the first of which is answered first. */
function take(files) {
  const taken = [...files].slice(0, MOST);
  find("trouble").hidden = files.length <= MOST;
  if (files.length > MOST) find("trouble").textContent = `Of these ${files.length} pictures the first ${MOST} are taken; choose the others afterwards.`;
  if (!taken.length) return;
  const cards = taken.map((file) => new Card(file, taken.length > 3));
  document.body.classList.add("answering");
  find("answers").hidden = false;
  find("list").prepend(...cards.map((card) => card.element));
  queue.push(...cards);
  const box = cards[0].element.getBoundingClientRect();
  if (box.top < 0 || box.bottom > innerHeight) find("answers").scrollIntoView();
  work().then(() => { if (taken.length > 3 && !queue.length) say(`${taken.length} pictures are answered.`); });
}

for (const input of [find("choose"), find("photograph")]) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // so that the same picture can be chosen again
  });
}

addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dragging");
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dragging"); });
addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take([...event.dataTransfer.files]);
});
addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) take([...event.clipboardData.files]);
});

find("clear").addEventListener("click", () => {
  queue.length = 0;
  find("list").replaceChildren();
  find("answers").hidden = true;
  document.body.classList.remove("answering");
  find("choose").focus();
  say("Cleared.");
});

find("command").textContent = `curl -F file=@picture.jpg ${new URL("v1/classify", location).href}`;

const ready = loadModel().catch((error) => {
  find("trouble").hidden = false;
  find("trouble").textContent = `${show(error.message)} Load this page anew.`;
  return new Promise(() => {}); // nothing can be answered
});
