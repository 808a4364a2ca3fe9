// Every act has a key: an element with data-key is clicked (or focused, when it is typed into) by that key.
const typing = (element) => element?.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=button])");
const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

function act(key) {
  const wanted = [...document.querySelectorAll("[data-key]")].filter((each) => each.dataset.key === key && !each.disabled);
  // A menu item's key works while its menu is closed, so the hidden count too, but last.
  const element = wanted.find(visible) ?? wanted[0];
  if (!element) return false;
  if (typing(element)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
    if (element.matches("summary")) element.parentElement.querySelector("[data-choice], input:not([type=hidden], [readonly])")?.focus();
  }
  return true;
}

function dispose(digit) {
  const radio = document.querySelector(`[data-digit="${digit}"]`);
  if (!radio) return false;
  radio.click();
  return true;
}

// Arrow keys walk through the answers of the search, a menu, or the customers to choose from.
function move(event, step) {
  const menu = event.target.closest(".menu");
  const all = menu
    ? [...menu.querySelectorAll(".menu-item, .menu-row button")]
    : [...document.querySelectorAll(event.target.closest(".search") ? "#found [data-choice]" : ".identify[open] [data-choice]")];
  if (!all.length) return false;
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  return true;
}

// Ctrl and a digit go to another contact in hand, also from the middle of a sentence, which stays where it is.
function toAnother(event) {
  if (!event.ctrlKey || event.altKey || event.shiftKey || !/^Digit[1-9]$/.test(event.code)) return false;
  event.preventDefault();
  document.querySelector(`[data-nth="${event.code.slice(-1)}"]`)?.click();
  return true;
}

// What a key does while something is being typed.
function whileTyping(event) {
  const { key, target } = event;
  if (event.altKey && /^(Digit|Numpad)[1-9]$/.test(event.code)) return dispose(event.code.slice(-1));
  if (event.altKey && key === "Enter") return act("Enter");
  if (event.altKey && event.code === "KeyI") return act("i");
  if (key === "Escape") {
    target.blur();
    return true;
  }
  if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
    document.querySelector("[data-finish]")?.click();
    return true;
  }
  if (target.id === "search") {
    if (key === "ArrowDown") return move(event, 1);
    if (key === "Enter") {
      document.querySelector("#found [data-choice]")?.click();
      return true;
    }
  }
  return false;
}

function otherwise(event) {
  const { key, target } = event;
  if (event.altKey && /^(Digit|Numpad)[1-9]$/.test(event.code)) return dispose(event.code.slice(-1));
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (key === "ArrowDown" || key === "ArrowUp") return move(event, key === "ArrowDown" ? 1 : -1);
  if (key === "?") {
    document.querySelector("#help")?.showModal();
    return true;
  }
  if (/^[1-9]$/.test(key)) return dispose(key) || act(key);
  if (key === "Enter") {
    // A focused button or link is pressed by Enter itself; a chosen disposition means that the agent is done.
    if (target.matches("a, button, summary")) return false;
    if (act("Enter")) return true;
    const finish = document.querySelector("[data-finish]");
    finish?.click();
    return Boolean(finish);
  }
  return act(key.length === 1 ? key.toLowerCase() : key);
}

// A field may go while it is typed into; the rest of what is typed is no command then.
const PAUSE = 1500;
let typedAt = -Infinity;
const typed = () => (typedAt = performance.now());
const typedOut = () => (typedAt = -Infinity); // whoever sends a form, or points elsewhere, has stopped
addEventListener("input", (event) => typing(event.target) && typed(), true);
addEventListener("submit", typedOut, true);
addEventListener("pointerdown", typedOut, true);

function runsOn(event) {
  if (event.target !== document.body || performance.now() - typedAt > PAUSE) return false;
  return (event.key.length === 1 || event.key === "Enter") && !event.ctrlKey && !event.metaKey;
}

addEventListener("keydown", (event) => {
  // Keys of an input method compose characters; they are no commands.
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  // A key that is held is one act; what was meant for the field or button before is not for the one that comes next.
  if (event.repeat && !event.key.startsWith("Arrow")) {
    if (event.key === "Enter" && !typing(event.target)) event.preventDefault();
    return;
  }
  if (runsOn(event)) {
    typed();
    event.preventDefault();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  if (toAnother(event)) return;
  if (event.key === "Escape" && document.querySelector(":popover-open")) return;
  const done = typing(event.target) ? whileTyping(event) : otherwise(event);
  if (done) {
    typedOut();
    event.preventDefault();
  }
});

// The search is a field with answers, not a page.
document.querySelector(".search")?.addEventListener("submit", (event) => event.preventDefault());
