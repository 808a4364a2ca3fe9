// The star in the mail was the answer: whoever sees this page has given it. Programs that look through mails do not run it, say that
// nobody sits in front of them, or show it to nobody.
const form = document.querySelector("form[data-send]");
let sent = false;

function send() {
  if (sent || document.prerendering || document.visibilityState !== "visible") return;
  sent = true;
  form.requestSubmit(form.querySelector("[name=only]"));
  form.inert = true; // what was typed from now on would go with the page
}

if (form && !navigator.webdriver) {
  form.querySelector(".hint").hidden = true; // that nothing is sent before the button is pressed
  for (const name of ["visibilitychange", "prerenderingchange"]) document.addEventListener(name, send);
  addEventListener("pageshow", () => (form.inert = false)); // somebody came back to it
  send();
}
