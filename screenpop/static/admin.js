// The organisation file as text: line numbers beside it, and from a mistake to its line.
const editor = document.querySelector(".source-editor");
const text = editor?.querySelector("textarea");
const gutter = editor?.querySelector(".gutter");

function number() {
  const wanted = text.value.split("\n").length;
  while (gutter.children.length > wanted) gutter.lastElementChild.remove();
  while (gutter.children.length < wanted) {
    const item = document.createElement("li");
    item.textContent = gutter.children.length + 1;
    gutter.append(item);
  }
  text.rows = wanted;
}

function go(line) {
  const before = text.value.split("\n").slice(0, line - 1).join("\n").length;
  const start = line > 1 ? before + 1 : 0;
  const end = text.value.indexOf("\n", start);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, end < 0 ? text.value.length : end);
  const item = gutter.children[line - 1];
  if (item) editor.scrollTop = item.offsetTop - editor.clientHeight / 3;
}

if (text) {
  text.addEventListener("input", number);
  number();
  // The caret stands at the end of a text area that is focused by the page.
  if (document.activeElement === text) {
    text.setSelectionRange(0, 0);
    editor.scrollTop = 0;
  }
  document.addEventListener("click", (event) => {
    const line = Number(event.target.closest("[data-line]")?.dataset.line);
    if (line) go(line);
  });
}
