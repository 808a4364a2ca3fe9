// The dialog for contacts that no channel brought: fetched when it is wanted, closed when it is kept.
const dialog = document.querySelector("#by-hand");

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const target = ctx?.target?.id;
  if (target === "by-hand" && !dialog.open) {
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  }
  if (target === "by-hand-said" && dialog.querySelector("[data-noted]")) dialog.close();
});

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close-by-hand]")) dialog.close();
});
// What was not kept is not there when it is opened for another customer.
dialog?.addEventListener("close", () => dialog.replaceChildren());

dialog?.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    dialog.querySelector("form")?.requestSubmit();
  } else if (event.target.id === "by-hand-who") {
    event.preventDefault(); // the first that was found is chosen; on to what happened
    dialog.querySelector("#by-hand-text").focus();
  }
});
