// The socket, the clocks and what follows from a frame. Regions are drawn by the server; nothing here knows their content.
const body = document.body;
const $ = (selector) => document.querySelector(selector);

// ——— The server's clock: timers must agree with the log, not with this machine.
let offset = Number(body.dataset.now) - Date.now();
const now = () => Date.now() + offset;

function span(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function tick() {
  const at = now();
  if (wall) say(wall, hands.format(at));
  for (const element of document.querySelectorAll("[data-since]")) say(element, span(at - Number(element.dataset.since)));
  for (const element of document.querySelectorAll(".timer[data-until]")) say(element, span(Number(element.dataset.until) - at + 999));
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - at;
    say(element, left > 0 ? span(left + 999) : `+${span(-left)}`);
    const state = left <= 0 ? "is-breached" : at >= Number(element.dataset.risk ?? Infinity) ? "is-risk" : "is-running";
    if (!element.parentElement.classList.contains(state)) element.parentElement.className = `promise ${state}`;
  }
  for (const element of document.querySelectorAll("[data-ends]")) if (at >= Number(element.dataset.ends)) element.remove();
  for (const bar of document.querySelectorAll("progress[data-until]")) {
    const [from, until] = [Number(bar.dataset.from), Number(bar.dataset.until)];
    const share = Math.min(1, Math.max(0, (until - at) / (until - from)));
    bar.value = share;
    bar.classList.toggle("soon", share < 0.5 && share >= 0.2);
    bar.classList.toggle("now", share < 0.2);
  }
}
const wall = $("[data-zone]");
const hands = wall && new Intl.DateTimeFormat("en-GB", { timeZone: wall.dataset.zone, timeStyle: "short" });
setInterval(tick, 250);

// ——— Live updates.
let socket = null;
let cursor = body.dataset.cursor;
let tries = 0;
let retry = 0;
let opened = false;
let asked = false; // for a sign of life, which has not come yet
let poppedAt = 0;

const stale = (region) => body.dispatchEvent(new CustomEvent(`stale-${region.split(":")[0]}`));

function resync() {
  for (const region of ["desk", "queue", "wall", "ticket", "here"]) stale(region);
  for (const chat of document.querySelectorAll("[data-chat]")) body.dispatchEvent(new CustomEvent(`stale-chat-${chat.dataset.chat}`));
}

function offline(is) {
  const band = $("#offline");
  if (band) band.hidden = !is;
  body.classList.toggle("is-offline", is);
}

const frames = {
  hello(frame) {
    offset = frame.now - Date.now();
  },
  hint(frame) {
    cursor = frame.cursor;
    socket.send(JSON.stringify({ type: "seen", cursor }));
    new Set(frame.regions.map((region) => region.split(":")[0])).forEach(stale);
  },
  resync(frame) {
    cursor = frame.cursor ?? cursor;
    resync();
  },
  chat(frame) {
    body.dispatchEvent(new CustomEvent("chat-told", { detail: frame }));
  },
  pop(frame) {
    const stage = $("#stage");
    if (!stage) return;
    poppedAt = drawn = performance.now();
    if (stage.dataset.state === "active" && stage.dataset.channel === "chat" && frame.pop.interaction.channel !== "phone") {
      beside(stage, frame);
      return;
    }
    $("#desk").setAttribute("hx-get", "/desk"); // whatever card was being looked at, this is what is in hand now
    body.dataset.popped = frame.reservation; // for whoever measures
    htmx.swap({ sourceElement: body, target: "#stage", text: frame.html, swap: "outerMorph" });
  },
};

// Whoever writes in a chat is not torn away: another written contact is offered above it.
function beside(stage, frame) {
  const drawing = document.createElement("template");
  drawing.innerHTML = frame.html;
  const offer = drawing.content.querySelector(".offer");
  if (!offer) return;
  $("#desk").setAttribute("hx-get", `/desk?interaction=${stage.dataset.interaction}`);
  body.dataset.popped = frame.reservation;
  stage.querySelector(".offer")?.remove();
  stage.querySelector(".centre").before(offer);
  htmx.process(offer);
  tick();
  retitle();
}

function connect() {
  clearTimeout(retry);
  asked = false;
  if (socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
  const address = new URL(body.dataset.socket, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (body.dataset.view) address.searchParams.set("view", body.dataset.view);
  socket = new WebSocket(address);
  socket.onopen = () => {
    tries = 0;
    offline(false);
    socket.send(JSON.stringify({ type: "seen", cursor, clock: true }));
    // The cursor says which hints came, not that the regions they named could be fetched.
    if (opened) resync();
    opened = true;
    // What could not be saved meanwhile.
    document.querySelectorAll("[data-unsaved]").forEach((field) => htmx.trigger(field, "again"));
  };
  socket.onmessage = (message) => {
    asked = false;
    const frame = JSON.parse(message.data);
    frames[frame.type]?.(frame);
  };
  socket.onclose = () => {
    tries += 1;
    if (tries > 1) {
      offline(true);
      stale("desk"); // a session that is over is sent to sign in by the answer
      stale("wall");
    }
    // Spread out, so that a restarted server is not met by every desk at once.
    retry = setTimeout(connect, Math.min(5000, 250 * 2 ** Math.min(tries, 5)) * (0.5 + Math.random() / 2));
  };
}
addEventListener("online", () => {
  clearTimeout(retry);
  connect();
});
if (body.dataset.socket) connect();
// By itself htmx takes a page over a task later, which a busy machine may put behind the load: a key or a hint that came first
// would be lost, a form sent as if nobody looked after it.
addEventListener("DOMContentLoaded", () => htmx.process(body));
// A network that is gone closes no socket; the browser notices sooner than the heartbeat does.
addEventListener("offline", () => {
  offline(true);
  socket?.close();
});
// Nor does a server that freezes or loses its power, and pages do not see its pings: it is asked, and left when it is silent.
setInterval(() => {
  if (!socket || socket.readyState > WebSocket.OPEN) return; // another try is on its way
  if (asked) {
    offline(true);
    connect();
    return;
  }
  asked = true;
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "seen", cursor, clock: true }));
}, 20000);

// ——— Answers may cross: a picture that was asked for before the one that stands is older, or may be.
let drawn = 0; // when the newest picture of the desk was asked for, or pushed
let pictured = 0; // the same of a ticket's page; of the answer to a change when it came, since it was drawn in between
const started = new WeakMap();
// On the document, where the events of elements that are gone meanwhile are fired.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  started.set(ctx, performance.now());
  if (ctx.sourceElement.matches?.(".act")) finishing = { ctx, note: ctx.request.body?.get("note") };
});

function outdated(ctx) {
  const at = started.get(ctx);
  const own = ctx.sourceElement.id === "desk";
  if (own && ctx.request.action !== $("#desk").getAttribute("hx-get")) return true; // something else was opened meanwhile
  // What was opened by hand gives way to nothing but a pop.
  return at < (own || ctx.request.method !== "GET" ? drawn : poppedAt);
}

// An act may have chosen what is shown, as an offer that is accepted: its picture is old, its choice is not.
function follow(text) {
  const drawing = document.createElement("template");
  drawing.innerHTML = text;
  const desk = drawing.content.querySelector("#desk");
  if (desk) $("#desk").setAttribute("hx-get", desk.getAttribute("hx-get"));
}

const regions = { desk: "desk", queues: "queue", wall: "wall", ticket: "ticket" }; // by the id of their element

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const source = ctx.sourceElement;
  settle(ctx);
  if (source?.matches?.(".new-ticket, .message-answer") && ctx.response?.status < 300) source.reset();
  if (source?.id === "search" && new URL(ctx.request.action, location.href).searchParams.get("q") !== source.value) {
    event.preventDefault(); // the answer to what stood there before
  } else if (regions[source?.id] && ctx.response?.status >= 500 && $("#toasts").childElementCount) {
    event.preventDefault(); // it is asked for until it comes; once said is enough
  } else if (ctx.target?.id === "desk") {
    if (outdated(ctx)) {
      event.preventDefault();
      if (ctx.request.method !== "GET") follow(ctx.text);
      setTimeout(() => stale("desk"), 50);
      return;
    }
    drawn = Math.max(drawn, started.get(ctx));
  } else if (ctx.target?.id === "ticket") {
    const crossed = started.get(ctx) < pictured;
    if (crossed) setTimeout(() => stale("ticket"), 50);
    if (crossed && ctx.request.method === "GET") return void event.preventDefault();
    pictured = ctx.request.method === "GET" ? started.get(ctx) : performance.now();
  } else if (ctx.target?.matches?.("#desk .saved") && ctx.response?.status === 200) {
    drawn = performance.now(); // a picture that was asked for before does not know that it is saved
  }
  remember();
});

// No other hint comes for what this one said, so a region that could not be fetched is asked for again.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const region = regions[ctx?.sourceElement?.id];
  const failed = !ctx?.response || ctx.response.status >= 500;
  if (region && ctx.request?.method === "GET" && failed && socket?.readyState === WebSocket.OPEN) setTimeout(() => stale(region), 2000);
});

// ——— After every swap: clocks, the title, what was being typed.
let shown = "";
document.addEventListener("htmx:after:swap", (event) => {
  tick();
  rescue();
  catchUp(event.detail.ctx);
  const stage = $("#stage");
  retitle();
  // Another customer's history begins at its top, and with all of it.
  const subject = `${stage?.dataset.interaction} ${$(".rows")?.id}`;
  if (subject !== shown) {
    if ($("#f-all")) $("#f-all").checked = true;
    $(".centre")?.scrollTo(0, 0);
  }
  shown = subject;
  const { ctx } = event.detail;
  if (ctx?.sourceElement?.closest?.(".found, .identify") && ctx.request?.method) $("#search")?.blur();
});
const title = document.title;
function retitle() {
  const offer = $("#stage .offer-name bdi");
  const unread = Number(body.dataset.unread ?? 0);
  document.title = offer ? `☎ ${offer.textContent}` : unread ? `(${unread}) ${title}` : title;
}
body.addEventListener("counted", () => {
  tick();
  retitle();
});
tick();

// ——— Drafts: say when one is not saved yet; keep trying.
body.addEventListener("input", (event) => {
  const field = event.target.closest("[data-draft]");
  if (field) {
    field.dataset.unsaved = "";
    mine(field);
  }
  if (event.target.id === "search") $("#found").replaceChildren(); // Enter opens no answer to another text
});
body.addEventListener("change", (event) => {
  const field = event.target.closest(".dispositions");
  if (field) mine(field);
});

function settle(ctx) {
  if (ctx?.response?.status !== 200) return;
  for (const field of document.querySelectorAll("[data-draft][data-unsaved]")) {
    const saved = ctx.sourceElement?.closest?.("form") === field.form && ctx.request?.body?.get?.(field.name) === field.value;
    if (saved) delete field.dataset.unsaved;
  }
}

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx && ctx === finishing?.ctx) finishing = null;
  const field = ctx?.sourceElement?.closest?.("[data-draft]");
  if (!field) return;
  settle(ctx);
  if (ctx.response?.status !== 200) setTimeout(() => field.isConnected && htmx.trigger(field, "again"), 2000);
});

// A field may go while it is typed into: its time is over, or an offer comes. What was not saved by then is saved now,
// and shown where that is refused.
let leaving = null;
let finishing = null; // whose note is on its way with the wrap-up: the next pop may overtake the word that it came

function remember() {
  const field = $("[data-draft][data-unsaved]");
  if (field) leaving = { field, to: field.getAttribute("hx-post"), note: field.value, form: new URLSearchParams(new FormData(field.form)) };
}

async function rescue() {
  if (!leaving || leaving.field.isConnected) return;
  const { field, to, note, form } = leaving;
  leaving = null;
  if (field.dataset.unsaved === undefined || !note.trim() || note === finishing?.note) return;
  const headers = { ...JSON.parse(body.getAttribute("hx-headers:inherited")), "HX-Request": "true" };
  const kept = await fetch(to, { method: "POST", body: form, headers }).then((answer) => answer.ok, () => false);
  if (kept) return;
  const left = $("#unsaved").content.firstElementChild.cloneNode(true);
  left.querySelector(".left-text").textContent = note;
  $("#toasts").append(left);
}

// The same contact may be open in another tab, and hints leave fields alone: whoever comes back to this one sees what the
// server has, unless they had typed or chosen something else before it came.
const lent = new Set();
let lentAt = 0;

function mine(field) {
  field.setAttribute("hx-morph-skip", "");
  lent.delete(field);
}

addEventListener("focus", () => {
  if ($("[data-draft][data-unsaved]")) return;
  for (const field of document.querySelectorAll("#stage .act [hx-morph-skip]")) lent.add(field);
  lend();
  if (lent.size) stale("desk");
});

function lend() {
  lentAt = performance.now();
  for (const field of lent) field.removeAttribute("hx-morph-skip");
}

function catchUp(ctx) {
  if (ctx?.target?.id !== "desk") return;
  if (started.get(ctx) < lentAt) return void lend(); // asked for before; the answer to come is newer
  for (const field of lent) {
    // What was typed or clicked once no longer follows the page by itself.
    if (field.matches("textarea")) {
      if (field.value !== field.defaultValue) field.value = field.defaultValue;
    } else for (const radio of field.querySelectorAll("[type=radio]")) radio.checked = radio.defaultChecked;
  }
  lent.clear();
}

// ——— Toasts leave by themselves.
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.dataset?.toast !== undefined) setTimeout(() => node.remove(), 6000);
}).observe($("#toasts"), { childList: true });

// ——— Menus: the theme, and dialogs opened by a button.
addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (choice) {
    const theme = choice.dataset.themeChoice;
    document.cookie = `cc_theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=strict`;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    for (const other of choice.parentElement.children) other.toggleAttribute("aria-pressed", false);
    choice.setAttribute("aria-pressed", "true");
  }
  event.target.closest("[data-close]")?.closest(".toast").remove();
  const opener = event.target.closest("[data-open]");
  if (opener) {
    opener.closest("[popover]")?.hidePopover();
    $(`#${opener.dataset.open}`).showModal();
  }
  if (event.target.closest("[data-full]")) document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (event.target.closest("#presence-menu button")) $("#presence-menu").hidePopover();
});
