// Lists of tickets and the page of one: what htmx and the keys of every page do not do by themselves.
const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

// ——— The list: J and K walk through it, X chooses, A chooses all of the page.
function walk(step) {
  const links = all(".row-link");
  if (!links.length) return;
  const at = links.indexOf(document.activeElement?.closest?.("tr")?.querySelector(".row-link"));
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))];
  next.focus();
  next.closest("tr").scrollIntoView({ block: "nearest" });
}

function count() {
  const boxes = all("[name=ticket]");
  const chosen = boxes.filter((box) => box.checked).length;
  const label = $("[data-chosen]");
  if (label) label.textContent = chosen;
  const every = $("#choose-all");
  if (every) {
    every.checked = chosen > 0 && chosen === boxes.length;
    every.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

const typing = (element) => element.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=button])");
addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open], :popover-open")) return;
  const key = event.key.toLowerCase();
  if ((key === "j" || key === "k") && $(".row-link")) walk(key === "j" ? 1 : -1);
  else if (key === "x") event.target.closest?.("tr")?.querySelector("[name=ticket]")?.click();
  else return;
  event.preventDefault();
}, true);

addEventListener("change", (event) => {
  const { target } = event;
  if (target.id === "choose-all") for (const box of all("[name=ticket]")) box.checked = target.checked;
  if (target.matches("#choose-all, [name=ticket]")) count();
  if (target.matches("[data-send]")) {
    // What is left empty narrows nothing down, and does not belong into the address.
    for (const field of target.form.elements) field.disabled = !field.value;
    target.form.submit();
  }
});

// Nothing moves by itself: that a list is old is said, and who reads it loads it anew.
document.body.addEventListener("stale-tickets", () => $("#fresh")?.classList.add("is-stale"));

// ——— The ticket. A field that is being changed is compared with the version that was seen when that began.
const LINES = "[name=subject], input[name=category], [data-field]";
addEventListener("input", (event) => {
  if (event.target.matches(LINES)) event.target.form.setAttribute("hx-morph-skip", "");
});
// Until the answer is there: other pictures may come before it. And what was refused is read before a hint takes it away.
document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const refusal = ctx.sourceElement?.id === "ticket" && $("#refusal");
  if (refusal) for (const { fragment } of tasks) fragment?.querySelector(".ticket-head")?.after(refusal.cloneNode(true));
  const form = ctx.sourceElement;
  const field = form?.matches?.("form[hx-morph-skip]") && form.querySelector(LINES);
  if (field && ctx.request.body?.get(field.name) === field.value) form.removeAttribute("hx-morph-skip");
});

// The newest stands at the end of the conversation; who has scrolled up stays there.
const talk = () => $(".conversation");
let atEnd = true;
const toEnd = () => atEnd && talk()?.scrollTo(0, talk().scrollHeight);
addEventListener("scroll", ({ target }) => {
  if (target === talk()) atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
}, true);
toEnd();

// What was chosen and refused stands there no longer.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  count();
  toEnd();
  if (ctx?.target?.id !== "ticket") return;
  for (const select of all("#ticket .property select:not([data-own])")) {
    const index = Math.max(0, [...select.options].findIndex((option) => option.hasAttribute("selected")));
    if (select.selectedIndex !== index) select.selectedIndex = index;
  }
  for (const field of all(`#ticket form:not([hx-morph-skip]) > :is(${LINES})`)) {
    if (field !== document.activeElement || $(".lost")) field.value = field.defaultValue;
  }
});

// Escape in a field of one line gives back what was there.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.matches?.(LINES)) return;
  event.target.value = event.target.defaultValue;
  event.target.form.removeAttribute("hx-morph-skip");
}, true);

// A to write an answer: the choice is made, and the text is next.
addEventListener("click", (event) => {
  if (event.target.matches?.("[name=public]") && event.detail === 0) $("[data-draft]")?.focus();
});
addEventListener("change", (event) => event.target.matches?.("[name=public]") && $("[data-draft]")?.value && window.htmx.trigger($("[data-draft]"), "again"));

// That the page is open is said once at its start, and then every 10 s.
addEventListener("load", () => document.body.dispatchEvent(new CustomEvent("stale-here")));

// Whoever closes the page is gone at once; a browser that dies is gone when its time is over.
addEventListener("pagehide", () => {
  const number = document.body.dataset.ticket;
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  if (!number) return;
  const field = $("[data-draft]");
  // The last moment of typing, which was not sent yet.
  if (field && field.value !== field.defaultValue) fetch(`/tickets/${number}/draft`, { method: "POST", headers, keepalive: true, body: new URLSearchParams(new FormData(field.form)) });
  fetch(`/tickets/${number}/left`, { method: "POST", headers, keepalive: true });
});
