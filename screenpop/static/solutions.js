// Solutions beside a case: put into the box that was typed into last, or copied where there is none.
const boxes = "textarea:not([readonly], [disabled])";
let last = null;
addEventListener("focusin", (event) => {
  if (event.target.matches?.(boxes)) last = event.target;
});

const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

function box() {
  if (last?.isConnected && visible(last)) return last;
  return [...document.querySelectorAll(boxes)].find(visible) ?? null;
}

function insert(field, text) {
  if (field !== last) field.setSelectionRange(field.value.length, field.value.length); // nobody has been in it yet
  const [start, end] = [field.selectionStart, field.selectionEnd];
  const before = field.value.slice(0, start);
  const lead = before && !before.endsWith("\n") ? "\n" : "";
  const room = field.maxLength > 0 ? field.maxLength - field.value.length + (end - start) : Infinity;
  field.setRangeText((lead + text).slice(0, Math.max(0, room)), start, end, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  field.focus();
}

function say(text, fault) {
  const toast = document.createElement("div");
  toast.className = fault ? "toast" : "toast is-fine";
  toast.dataset.toast = "";
  toast.textContent = text;
  document.querySelector("#toasts").append(toast);
}

addEventListener("click", async (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button || button.disabled) return;
  const field = box();
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers:inherited")), "HX-Request": "true" };
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.insert, { method: "POST", body: new URLSearchParams(new FormData(button.form)), headers });
    const text = await answer.text();
    if (!answer.ok) {
      // The refusal is a toast that the server has drawn.
      document.querySelector("#toasts").insertAdjacentHTML("beforeend", text);
    } else if (field?.isConnected) {
      insert(field, text);
    } else {
      await navigator.clipboard.writeText(text);
      say(button.closest(".solutions").dataset.copied);
    }
  } catch (error) {
    say(String(error), true);
  } finally {
    button.disabled = false;
  }
});

// What is noted about the case says what it is about; while somebody searches by hand, their words count.
document.body.addEventListener("input", (event) => {
  if (!event.target.matches("[data-draft]")) return;
  if (!document.querySelector(".solutions-search [name=q]")?.value) document.body.dispatchEvent(new CustomEvent("noted"));
});
