// Moments to choose from, by the visitor's own clock instead of the house's.
const select = document.querySelector("select[data-zone]");
if (select) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  for (const option of select.options) {
    const at = Date.parse(option.value);
    if (at) option.textContent = shown.format(at);
  }
  const zone = document.querySelector("#call-zone");
  if (own && zone) zone.textContent = zone.textContent.replace(select.dataset.zone, own);
}
