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
let poppedAt = 0;

const stale = (region) => body.dispatchEvent(new CustomEvent(`stale-${region.split(":")[0]}`));

function resync() {
  for (const region of ["desk", "queue", "wall"]) stale(region);
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
  pop(frame) {
    if (!$("#stage")) return;
    poppedAt = performance.now();
    body.dataset.popped = frame.reservation; // for whoever measures
    htmx.swap({ sourceElement: body, target: "#stage", text: frame.html, swap: "outerMorph" });
  },
};

function connect() {
  clearTimeout(retry);
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
    // What could not be saved meanwhile.
    document.querySelectorAll("[data-unsaved]").forEach((field) => htmx.trigger(field, "again"));
  };
  socket.onmessage = (message) => {
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
// A network that is gone closes no socket; the browser notices sooner than the heartbeat does.
addEventListener("offline", () => {
  offline(true);
  socket?.close();
});

// A region that was asked for before a pop arrived is older than the pop: drop it; the hint behind the pop asks again.
const started = new WeakMap();
body.addEventListener("htmx:before:request", (event) => started.set(event.detail.ctx, performance.now()));
body.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.request?.method === "GET" && ctx.target?.id === "desk" && started.get(ctx) < poppedAt) {
    event.preventDefault();
    setTimeout(() => stale("desk"), 50);
  }
});

// ——— After every swap: clocks, the title, what was being typed.
body.addEventListener("htmx:after:swap", (event) => {
  tick();
  const stage = $("#stage");
  const calls = stage?.dataset.state === "offered";
  document.title = calls ? `☎ ${stage.dataset.title}` : title;
  const { ctx } = event.detail;
  if (ctx?.sourceElement?.matches?.(".new-ticket") && ctx.response?.status < 300) ctx.sourceElement.reset();
  if (ctx?.sourceElement?.closest?.(".found, .identify") && ctx.request?.method) $("#search")?.blur();
});
const title = document.title;
tick();

// ——— Drafts: say when one is not saved yet; keep trying.
body.addEventListener("input", (event) => {
  const field = event.target.closest("[data-draft]");
  if (field) field.dataset.unsaved = "";
});
body.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  const field = ctx?.sourceElement?.closest?.("[data-draft]");
  if (!field) return;
  if (ctx.response?.status === 200 && ctx.request?.body?.get?.("note") === field.value) delete field.dataset.unsaved;
  else if (ctx.response?.status !== 200) setTimeout(() => field.isConnected && htmx.trigger(field, "again"), 2000);
});

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
  const opener = event.target.closest("[data-open]");
  if (opener) {
    opener.closest("[popover]")?.hidePopover();
    $(`#${opener.dataset.open}`).showModal();
  }
  if (event.target.closest("[data-full]")) document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (event.target.closest("#presence-menu button")) $("#presence-menu").hidePopover();
});
