// A list of customers is sent, and the answer's lines move the bar until the last one has the report.
const form = document.querySelector("[data-import]");
const bar = form.querySelector("progress");
const report = form.querySelector("#imported");
const link = form.querySelector("[data-refused]");
const headers = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"));
let running = false;

async function* lines(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + piece).split("\n");
    rest = whole.pop();
    yield* whole.map((line) => JSON.parse(line));
  }
}

function offer(list) {
  if (link.href) URL.revokeObjectURL(link.href);
  link.removeAttribute("href");
  link.hidden = list === null;
  // The mark tells spreadsheets that it is UTF-8.
  if (list !== null) link.href = URL.createObjectURL(new Blob(["\ufeff", list], { type: "text/csv" }));
}

function say(words) {
  const note = document.createElement("p");
  note.className = "refusal";
  note.role = "alert";
  note.textContent = words;
  report.replaceChildren(note);
}

async function send(file, dry) {
  const answer = await fetch(`/customers/import?dry_run=${dry}`, {
    method: "POST",
    headers: { ...headers(), "HX-Request": "true", "Content-Type": "text/csv" },
    body: file,
  });
  if (answer.headers.has("HX-Redirect")) return location.assign(answer.headers.get("HX-Redirect"));
  if (!answer.ok) return document.querySelector("#toasts").insertAdjacentHTML("beforeend", await answer.text());
  for await (const line of lines(answer.body)) {
    if ("done" in line) [bar.max, bar.value] = [line.of, line.done];
    else {
      report.innerHTML = line.report;
      offer(line.refused);
      return;
    }
  }
  throw new Error("the answer has no end");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  running = true;
  const buttons = form.querySelectorAll("button, input");
  const file = form.querySelector("[type=file]").files[0];
  for (const each of buttons) each.disabled = true;
  bar.removeAttribute("value");
  bar.hidden = false;
  report.replaceChildren();
  offer(null);
  try {
    await send(file, event.submitter?.name === "dry");
  } catch {
    say(form.dataset.lost);
  }
  bar.hidden = true;
  for (const each of buttons) each.disabled = false;
  running = false;
});

// Whoever leaves now stops it between two steps.
addEventListener("beforeunload", (event) => running && event.preventDefault());
