// Files that go with an answer: each is sent as soon as it is chosen, and its row comes from the server.
const headers = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"));

async function send(file, list) {
  const row = document.createElement("li");
  row.className = "enclosure is-busy";
  row.textContent = file.name;
  list.append(row);
  try {
    const answer = await fetch(`/desk/files?name=${encodeURIComponent(file.name)}`, {
      method: "POST",
      headers: { ...headers(), "HX-Request": "true", "Content-Type": file.type || "application/octet-stream" },
      body: file,
    });
    const text = await answer.text();
    if (answer.ok) row.outerHTML = text;
    else {
      row.remove();
      document.querySelector("#toasts").insertAdjacentHTML("beforeend", text);
    }
  } catch {
    row.remove();
    dispatchEvent(new Event("offline"));
  }
}

addEventListener("change", async ({ target }) => {
  const box = target.matches?.("[data-attach]") && target.closest("[data-enclosures]");
  if (!box) return;
  const files = [...target.files];
  target.value = "";
  // What is not here yet cannot go with it.
  const button = target.form.querySelector(".primary");
  button.disabled = true;
  for (const file of files) await send(file, box.querySelector("ul"));
  button.disabled = false;
});

addEventListener("click", ({ target }) => target.closest?.("[data-unattach]")?.closest("li").remove());
