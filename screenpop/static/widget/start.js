// Reads the script tag, and puts everything together once the page is there.

const script = document.currentScript;
const address = new URL(script.src);
const key = address.searchParams.get("key") || "";

const languageOf = (tag) => {
  const [base, ...rest] = tag.toLowerCase().split(/[-_]/);
  if (base !== "zh") return "en";
  return rest.some((part) => ["tw", "hk", "mo", "hant"].includes(part)) ? "zh_TW" : "zh_CN";
};

// `data-language` of the tag, else the page's, else the browser's.
const language = languageOf(script.dataset.language || document.documentElement.lang || navigator.language || "en");

const start = () => {
  let panel = null;
  const talk = new Talk({
    url: `${address.protocol === "https:" ? "wss:" : "ws:"}//${address.host}/chat/${encodeURIComponent(key)}`, key, language, proof: script.dataset.proof,
    changed: () => panel?.draw(),
  });
  panel = new Panel({ base: address.origin, words: WORDS, style: STYLE, talk });
  // Pages that change without being loaded tell where the visitor is now.
  let at = location.href;
  setInterval(() => {
    if (location.href !== at) {
      at = location.href;
      talk.send({ type: "page", ...here() });
    }
  }, 2000);
  document.addEventListener("visibilitychange", () => panel.draw());
  // For the site itself.
  window.callcenterChat = {
    open: () => panel.toggle(true),
    close: () => panel.toggle(false),
    identify: (proof) => { talk.proof = proof; },
  };
  talk.resume();
  if (talk.memory.here.shown && talk.token && !talk.memory.here.over) panel.toggle(true);
};

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
