// Chats in hand: what is told of them, the box to write into, prepared answers. What was said is drawn by the server.
const body = document.body;
const $ = (selector) => document.querySelector(selector);
const headers = () => ({ ...JSON.parse(body.getAttribute("hx-headers:inherited")), "HX-Request": "true" });
const log = (ident) => $(`#chat-log-${ident}`);

function refuse(html, words) {
  if (html) return void $("#toasts").insertAdjacentHTML("beforeend", html); // a toast that the server has drawn
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.toast = "";
  toast.textContent = words;
  $("#toasts").append(toast);
}

async function post(address, fields) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: headers() });
  return [answer.ok, await answer.text()];
}

// ——— What others do: counted in the list at the left, drawn where it is shown.
body.addEventListener("chat-told", ({ detail: frame }) => {
  const ident = frame.interaction;
  const work = $(`[data-work="${ident}"]`);
  const shown = log(ident);
  if (frame.kind === "typing") return void typing(shown, ident);
  if (work && ["received", "sent"].includes(frame.kind)) {
    const theirs = frame.kind === "received";
    const asked = work.querySelector(".asked");
    const unread = work.querySelector(".unread");
    if (asked && !theirs) asked.replaceChildren();
    else if (asked && !asked.firstElementChild) asked.innerHTML = `<span class="timer" role="timer" data-since="${frame.at}"></span>`;
    if (unread && theirs && !shown) unread.textContent = Number(unread.textContent) + 1;
  }
  if (shown) body.dispatchEvent(new CustomEvent(`stale-chat-${ident}`));
  if (frame.kind === "received") {
    if (shown) body.dispatchEvent(new CustomEvent("noted")); // what it is about may be another thing now
    if (!shown || document.hidden) ring();
  }
  count();
});

const typers = new Map();
function typing(shown, ident) {
  const word = shown?.querySelector(".chat-typing");
  if (!word) return;
  word.hidden = false;
  clearTimeout(typers.get(ident));
  typers.set(ident, setTimeout(() => log(ident)?.querySelector(".chat-typing")?.setAttribute("hidden", ""), 6000));
}

let saidAt = 0;
addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-say]");
  if (!form || event.target.name !== "text" || !event.target.value || performance.now() - saidAt < 3000) return;
  saidAt = performance.now();
  post(`${form.dataset.say}/typing`, {}).catch(() => {});
});

function count() {
  let unread = 0;
  for (const each of document.querySelectorAll(".work .unread")) unread += Number(each.textContent);
  for (const each of document.querySelectorAll("[data-chat][data-ours]")) {
    if (document.hidden) unread += Math.max(0, Number(each.dataset.last) - Number(each.dataset.read));
  }
  body.dataset.unread = unread;
  body.dispatchEvent(new CustomEvent("counted"));
}

// ——— Sound: two short tones, unless the agent wants none.
let audio = null;
const silent = () => localStorage.getItem("cc_silent") === "1";
for (const kind of ["pointerup", "keyup"]) {
  // Browsers let a page be heard only once somebody has done something there.
  addEventListener(kind, () => navigator.userActivation?.hasBeenActive && (audio ??= new AudioContext()));
}

function ring() {
  if (silent() || audio?.state !== "running") return;
  for (const [start, pitch] of [[0, 880], [0.12, 1175]]) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.08, audio.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + 0.1);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + 0.1);
  }
}

// ——— Read: whoever looks at the page has read what stands there.
const told = new Map(); // by chat: up to which line

async function see() {
  if (document.hidden) return;
  for (const each of document.querySelectorAll("[data-chat][data-ours]")) {
    const [ident, last] = [each.dataset.chat, Number(each.dataset.last)];
    if (last <= Math.max(Number(each.dataset.read), told.get(ident) ?? 0)) continue;
    told.set(ident, last);
    await post(`/desk/interactions/${ident}/chat/read`, { upto: last }).catch(() => told.delete(ident));
  }
}
document.addEventListener("visibilitychange", () => {
  see();
  count();
});

// ——— After a swap: the newest line is seen, unless somebody reads further up; the box where one wants to write.
const away = new WeakMap(); // how far a list of lines is from its end
let wanted = null; // the contact that was gone to by hand

document.addEventListener("htmx:before:swap", () => {
  for (const list of document.querySelectorAll(".chat-lines")) away.set(list, list.scrollHeight - list.scrollTop - list.clientHeight);
});
document.addEventListener("htmx:after:swap", () => {
  for (const list of document.querySelectorAll(".chat-lines")) {
    if ((away.get(list) ?? 0) < 40) list.scrollTop = list.scrollHeight;
  }
  const stage = $("#stage");
  if (wanted && stage?.dataset.interaction === wanted) {
    const box = $(`#say-text-${wanted}`);
    if (box) {
      wanted = null;
      box.focus();
      box.setSelectionRange(box.value.length, box.value.length);
    }
  }
  if ($(".transfer select[autofocus]:not(:focus)")) {
    $(".transfer select").removeAttribute("autofocus");
    $(".transfer select").focus();
  }
  sounds();
  see();
  count();
});
addEventListener("click", (event) => {
  const work = event.target.closest?.("[data-work]");
  if (work) wanted = work.dataset.work;
  if (event.target.closest?.("[data-close-transfer]")) event.target.closest(".transfer-at").replaceChildren();
  if (event.target.closest?.("[data-sound]")) {
    localStorage.setItem("cc_silent", silent() ? "" : "1");
    sounds();
  }
  const keep = event.target.closest?.("[data-keep], [data-keep-now]");
  if (keep) keepAnswer(keep);
  const dropped = event.target.closest?.("[data-drop-answer]");
  if (dropped) dropAnswer(dropped);
  const answer = event.target.closest?.("[data-answer]");
  if (answer) take(answer);
}, true);
addEventListener("submit", (event) => {
  const form = event.target;
  const accepted = form.getAttribute("hx-post")?.match(/^\/desk\/interactions\/(\d+)\/accept$/);
  if (accepted) wanted = accepted[1];
  if (form.matches("[data-say]")) {
    event.preventDefault();
    send(form);
  }
}, true);

function sounds() {
  for (const button of document.querySelectorAll("[data-sound]")) button.setAttribute("aria-pressed", String(!silent()));
}

// ——— Sending: the same line again has the same id, until the server has it.
function chance() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(form) {
  const field = form.elements.text;
  const [text, files] = [field.value, [...form.querySelectorAll("[data-file]")]];
  if (form.dataset.sending || (!text.trim() && !files.length)) return;
  form.dataset.sending = "";
  form.dataset.line ||= chance();
  hide(form);
  try {
    const sent = { text, client_id: form.dataset.line, files: files.map((each) => each.dataset.file).join(" ") };
    const [ok, html] = await post(`${form.dataset.say}/say`, sent);
    if (!ok) return refuse(html);
    delete form.dataset.line;
    // What was typed on meanwhile stays.
    field.value = field.value.startsWith(text) ? field.value.slice(text.length) : field.value;
    if (!field.value) delete field.dataset.unsaved;
    files.forEach((each) => each.remove());
    const target = form.parentElement?.querySelector("[data-chat]");
    if (target) {
      away.delete(target.querySelector(".chat-lines"));
      htmx.swap({ sourceElement: form, target: `#${target.id}`, text: html, swap: "outerMorph" });
      const lines = form.parentElement.querySelector(".chat-lines");
      lines.scrollTop = lines.scrollHeight;
    }
  } catch {
    refuse("", form.dataset.lost);
  } finally {
    delete form.dataset.sending;
  }
}

addEventListener("change", async (event) => {
  const form = event.target.closest?.("[data-say]");
  if (!form || event.target.type !== "file") return;
  const files = [...event.target.files];
  event.target.value = "";
  for (const file of files) {
    const type = { "Content-Type": file.type || "application/octet-stream" };
    const address = `/api/v1/uploads?name=${encodeURIComponent(file.name)}`;
    const answer = await fetch(address, { method: "POST", body: file, headers: { ...headers(), ...type } }).catch(() => null);
    const kept = await answer?.json().catch(() => null);
    if (!answer?.ok || !kept) {
      refuse("", kept?.detail ?? form.dataset.tooLarge);
      continue;
    }
    const chip = document.createElement("li");
    chip.dataset.file = kept.id;
    chip.textContent = kept.name;
    form.querySelector(".say-files").append(chip);
  }
  form.elements.text.focus();
});

// ——— Prepared answers: / and a few letters, at the beginning of a word.
let asked = 0;

function slash(field) {
  const before = field.value.slice(0, field.selectionStart);
  return before.match(/(?:^|\s)\/(\S*)$/);
}

function hide(form) {
  asked += 1;
  const list = form.querySelector(".answers");
  list.hidden = true;
  list.replaceChildren();
}

addEventListener("input", async (event) => {
  const form = event.target.closest?.("[data-say]");
  if (!form || event.target.name !== "text") return;
  const found = slash(event.target);
  if (!found) return hide(form);
  const mine = (asked += 1);
  const address = `${form.dataset.say.replace(/chat$/, "answers")}?q=${encodeURIComponent(found[1])}`;
  const answer = await fetch(address, { headers: headers() }).catch(() => null);
  if (!answer?.ok || mine !== asked) return;
  const list = form.querySelector(".answers");
  list.innerHTML = await answer.text();
  list.hidden = mine !== asked;
  mark(list, 0);
});

function mark(list, at) {
  const all = [...list.querySelectorAll("[data-answer]")];
  all.forEach((each, n) => each.setAttribute("aria-selected", String(n === (at + all.length) % all.length)));
  all[(at + all.length) % all.length]?.scrollIntoView({ block: "nearest" });
}

function take(answer) {
  const form = answer.closest("[data-say]");
  const field = form.elements.text;
  const found = slash(field);
  const end = field.selectionStart;
  if (found) field.setRangeText(answer.dataset.answer, end - found[1].length - 1, end, "end");
  else field.setRangeText(answer.dataset.answer, field.selectionStart, field.selectionEnd, "end");
  hide(form);
  field.focus();
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

// What is written is kept under a name, for the next time.
async function keepAnswer(button) {
  const form = button.closest("[data-say]");
  const named = form.querySelector(".keep");
  const name = named.querySelector("input");
  if (button.matches("[data-keep]")) {
    named.hidden = !named.hidden;
    button.setAttribute("aria-expanded", String(!named.hidden));
    if (!named.hidden) name.focus();
    return;
  }
  const [ok, html] = await post(form.dataset.say.replace(/chat$/, "answers"), { name: name.value, text: form.elements.text.value });
  if (!ok) return refuse(html);
  name.value = "";
  named.hidden = true;
  form.querySelector("[data-keep]").setAttribute("aria-expanded", "false");
  form.elements.text.focus();
}

async function dropAnswer(button) {
  const list = button.closest(".answers");
  const [ok, html] = await post(button.dataset.dropAnswer, {});
  if (!ok) return refuse(html);
  list.innerHTML = html;
  mark(list, 0);
}

function choose(event, form) {
  const list = form.querySelector(".answers");
  const all = [...list.querySelectorAll("[data-answer]")];
  if (list.hidden) return false;
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") hide(form);
  else if (event.key === "ArrowDown") mark(list, at + 1);
  else if (event.key === "ArrowUp") mark(list, at - 1);
  else if ((event.key === "Enter" || event.key === "Tab") && all[at]) take(all[at]);
  else return false;
  return true;
}

// Before the keys of the desk, which leave alone what is done.
addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const form = event.target.closest?.("[data-say]");
  if (form && event.key === "Enter" && event.target.closest(".keep")) {
    event.preventDefault();
    form.querySelector("[data-keep-now]").click();
    return;
  }
  if (!form || event.target.name !== "text") return;
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (plain && choose(event, form)) event.preventDefault();
  else if (plain && event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (!event.repeat) send(form);
  }
}, true);
