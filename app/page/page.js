// Answers at once: asks for the parts of the page anew when a value changes, and sends files.
"use strict";

const WAIT = 120; // milliseconds without a change before the API is asked
const WAIT_WHY = 250; // and those before it is asked for thousands of answers
const place = (id) => document.getElementById(id);
const form = place("form"); // whose properties are its inputs, by their names: none of it may be called
const asked = place("asked");
const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));
let asking = new AbortController();

const values = () => new URLSearchParams(new FormData(form));

async function fetched(part, signal) {
  const query = values();
  query.set(asked.dataset.part, part);
  const answer = await fetch(`?${query}`, { signal });
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.text();
}

async function reason(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail || asked.dataset.unreachable;
}

async function update(wait) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    await pause(wait);
    signal.throwIfAborted();
    show("answer", await fetched("answer", signal));
    mark();
    history.replaceState(null, "", `?${values()}`);
    if (!place("why")) return;
    await pause(WAIT_WHY);
    signal.throwIfAborted();
    show("why", await fetched("why", signal));
  } catch (error) {
    if (signal.aborted) return;
    tell(error instanceof TypeError ? asked.dataset.unreachable : error.message);
  }
}

function show(id, html) {
  place(id).innerHTML = html;
  place(id).classList.remove("old");
}

function tell(failure) {
  const line = document.createElement("p");
  line.className = "faults";
  line.textContent = failure;
  place("answer").replaceChildren(place("answer").querySelector("h2"), line);
  place("told").textContent = failure;
}

// what the answer says of single fields, beside those; and the answer itself to who cannot see it
function mark() {
  for (const field of asked.querySelectorAll("[data-at]")) {
    const at = field.dataset.at;
    const fault = place("answer").querySelector(`[data-fault="${at}"]`);
    place(`fault-${at}`).textContent = fault ? fault.textContent : "";
    field.classList.toggle("unlike", place("answer").querySelector(`[data-unseen="${at}"]`) !== null);
    for (const input of field.querySelectorAll("[name]")) {
      if (fault) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
  const said = place("answer").querySelector(".prediction").textContent.replace(/\s+/g, " ").trim();
  const warned = [...place("answer").querySelectorAll("[data-unseen], [data-fault]")].map((one) => one.textContent);
  place("told").textContent = [said, ...warned].join(". ");
  place("now").textContent = said;
}

function addSlider(input) {
  const { low, high, step } = input.dataset;
  const slider = Object.assign(document.createElement("input"), { type: "range", min: low, max: high, step });
  const follow = () => {
    slider.value = input.value;
    slider.classList.toggle("empty", input.value === "");
  };
  follow();
  slider.tabIndex = -1; // the field itself is there for the keyboard
  slider.setAttribute("aria-hidden", "true");
  slider.addEventListener("input", () => {
    input.value = slider.value;
    follow();
  });
  input.addEventListener("input", follow);
  input.closest(".entry").after(slider);
}

Element.prototype.setAttribute.call(form, "novalidate", ""); // the API says what is wrong, in the page's language
asked.addEventListener("input", () => {
  if (place("why")) place("why").classList.add("old");
  update(WAIT);
});
asked.addEventListener("submit", (event) => {
  event.preventDefault();
  update(0);
  place("answer").focus();
});
asked.querySelectorAll("input[data-low]").forEach(addSlider);
// on a phone the answer stands at the foot of the window until one gets to it
new IntersectionObserver(([seen]) => {
  place("now").classList.toggle("away", seen.boundingClientRect.top < innerHeight);
}).observe(place("answer"));

const file = place("file");
const drop = file.querySelector(".drop");
const chooser = drop.querySelector("input");
const meter = file.querySelector("progress");
const said = file.querySelector("[role=status]");
let sending = null;

const [QUOTE, LINE_END, DELIMITERS] = [34, 10, [44, 59, 9]]; // bytes; , ; tab

// counts a CSV's rows, and those whose last column, the error, is not empty
class Rows {
  all = 0;
  bad = 0;
  #quoted = false;
  #last = 0;
  add(bytes) {
    for (const byte of bytes) {
      if (byte === QUOTE) this.#quoted = !this.#quoted;
      else if (byte === LINE_END && !this.#quoted) {
        this.all += 1;
        if (!DELIMITERS.includes(this.#last)) this.bad += 1;
      }
      this.#last = byte;
    }
  }
}

async function each(stream, use) {
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) use(part.value);
}

function say(text, words) {
  said.textContent = text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

async function answerFile(chosen) {
  if (sending) sending.abort();
  const { signal } = (sending = new AbortController());
  place("save").hidden = true;
  meter.hidden = place("cancel").hidden = false;
  meter.removeAttribute("value");
  say(file.dataset.sending, { name: chosen.name });
  try {
    save(chosen, await answered(chosen, signal));
  } catch (error) {
    if (sending.signal !== signal) return;
    const why = error instanceof TypeError ? file.dataset.unreachable : error.message;
    say(signal.aborted ? file.dataset.cancelled : file.dataset.failed, { name: chosen.name, why });
  }
  if (sending.signal === signal) meter.hidden = place("cancel").hidden = true;
}

async function answered(chosen, signal) {
  const [sent, got, parts] = [new Rows(), new Rows(), []];
  await each(chosen.stream(), (bytes) => sent.add(bytes));
  const answer = await fetch("predict/batch?keep=true", {
    method: "POST",
    headers: { "Content-Type": "text/csv", Accept: "text/csv" },
    body: chosen,
    signal,
  });
  if (!answer.ok) throw new Error(await reason(answer));
  await each(answer.body, (bytes) => {
    parts.push(bytes);
    got.add(bytes);
    meter.value = Math.min(1, got.all / Math.max(sent.all, 1));
    say(file.dataset.receiving, { rows: shown(got.all - 1) });
  });
  return { content: new Blob(parts, { type: "text/csv" }), rows: got.all - 1, bad: got.bad - 1 }; // less the titles
}

const shown = (number) => Math.max(0, number).toLocaleString(document.documentElement.lang);

function save(chosen, { content, rows, bad }) {
  const link = place("save");
  const name = `${chosen.name.replace(/\.csv$/i, "")}.${file.dataset.suffix}.csv`;
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.textContent = file.dataset.save.replace("{file}", () => name);
  link.hidden = false;
  say(bad > 0 ? file.dataset.doneBad : file.dataset.done, { rows: shown(rows), bad: shown(bad), file: name });
  link.click();
}

file.hidden = false;
chooser.addEventListener("change", () => {
  if (chooser.files.length) answerFile(chooser.files[0]);
  chooser.value = "";
});
place("cancel").addEventListener("click", () => sending.abort());
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // beside the zone a browser would leave the page for the file
    const inside = drop.contains(event.target);
    drop.classList.toggle("over", inside && kind === "dragover");
    if (inside && kind === "drop" && event.dataTransfer.files.length) answerFile(event.dataTransfer.files[0]);
  });
}
