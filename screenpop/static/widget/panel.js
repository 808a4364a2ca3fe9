// What the visitor sees: a button, and behind it the conversation, in a shadow root of its own.

const DRAWN = {
  chat: "M4 5h16v11H9l-5 4z", close: "M6 6l12 12M18 6 6 18", send: "M4 12 20 4l-5 16-4-6z", clip: "M8 12.5l6-6a3 3 0 0 1 4.2 4.2l-8 8a5 5 0 0 1-7-7l7.5-7.5",
  end: "M12 3v8M6.5 6.5a8 8 0 1 0 11 0", star: "M12 4l2.5 5.2 5.6.7-4.1 3.9 1 5.6-5-2.8-5 2.8 1-5.6L3.900 9.900l5.600-.7z",
};

const make = (tag, fields = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.startsWith("aria")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};

const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", DRAWN[name]);
  svg.append(path);
  return svg;
};

const button = (name, label, onclick, more = {}) => make("button", { type: "button", className: "icon", title: label, "aria-label": label, onclick, ...more }, icon(name));

// Addresses in a text can be followed; nothing else in it means anything.
const linked = (text) => text.split(/(https?:\/\/[^\s<>"'，。；）]+)/).map((part, at) =>
  at % 2 ? make("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow", textContent: part }) : part);

class Panel {
  constructor({ base, words, style, talk }) {
    this.base = base;
    this.words = words;
    this.talk = talk;
    this.drawn = new Map();
    this.host = make("callcenter-chat"); // a name that no style of the site means
    const root = this.host.attachShadow({ mode: "open" });
    // Constructed: a site may forbid style elements.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    this.build(root);
    document.body.append(this.host);
    this.draw();
  }

  // A widget may be declared to speak less than we do: another language than the page's is known once it is connected.
  speak(languages) {
    if (!languages?.length || languages.includes(this.talk.language)) return;
    this.talk.language = languages.find((each) => this.words[each]) || this.talk.language;
    const { value } = this.text, shown = !this.panel.hidden;
    this.drawn.clear();
    this.host.shadowRoot.replaceChildren();
    this.build(this.host.shadowRoot);
    this.text.value = value;
    this.panel.hidden = !shown;
    if (shown) this.text.focus();
  }

  say(word, places = {}) {
    return this.words[this.talk.language][word].replace(/%\((\w+)\)s/g, (_, name) => places[name]);
  }

  build(root) {
    this.unread = make("span", { className: "unread", hidden: true });
    this.launch = make("button", { type: "button", className: "launch", "aria-expanded": "false", "aria-controls": "panel", "aria-label": this.say("open"), onclick: () => this.toggle() }, icon("chat"), this.unread);
    this.title = make("h2", { id: "title" });
    this.endButton = button("end", this.say("end"), () => this.talk.send({ type: "close" }), { hidden: true });
    this.status = make("div", { className: "status", role: "status" });
    this.log = make("ol", { className: "log", role: "log", "aria-live": "polite", "aria-label": this.say("conversation"), tabIndex: 0 });
    this.typing = make("div", { className: "typing", "aria-live": "polite" });
    this.name = make("input", { autocomplete: "name", maxLength: 100 });
    this.email = make("input", { type: "email", autocomplete: "email", maxLength: 254 });
    this.nameField = make("label", {}, this.say("name"), this.name);
    this.emailField = make("label", {}, this.say("email"), this.email);
    this.text = make("textarea", { rows: 1, maxLength: 4000, placeholder: this.say("write"), onkeydown: (event) => this.key(event), oninput: () => this.typed() });
    this.file = make("input", { type: "file", hidden: true, onchange: () => this.attach() });
    this.form = make("form", { onsubmit: (event) => { event.preventDefault(); this.submit(); } }, this.nameField, this.emailField,
      make("div", { className: "row" }, button("clip", this.say("attach"), () => this.file.click()), this.file,
        make("label", {}, make("span", { className: "unseen", textContent: this.say("message") }), this.text),
        button("send", this.say("send"), null, { type: "submit", className: "icon send" })));
    this.instead = new Instead(this);
    this.after = make("div", { className: "after", hidden: true });
    this.panel = make("section", { id: "panel", className: "panel", role: "dialog", "aria-labelledby": "title", hidden: true, onkeydown: (event) => event.key === "Escape" && this.toggle(false) },
      make("header", {}, this.title, this.endButton, button("close", this.say("hide"), () => this.toggle(false))),
      this.status, this.log, this.typing, this.instead.node, this.form, this.after);
    root.append(this.panel, this.launch);
  }

  toggle(open = this.panel.hidden) {
    this.panel.hidden = !open;
    this.host.classList.toggle("open", open);
    this.launch.setAttribute("aria-expanded", String(open));
    this.launch.setAttribute("aria-label", this.say(open ? "hide" : "open"));
    this.talk.memory.change((here) => { here.shown = open; });
    if (open) {
      this.talk.connect();
      this.draw();
      (this.form.hidden ? this.instead : this.text).focus();
    } else this.launch.focus();
  }

  key(event) {
    // While a Chinese word is being composed, Enter chooses it.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  typed() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
    this.talk.typing();
  }

  submit() {
    const text = this.text.value.trim();
    if (!text || !this.email.checkValidity()) return this.email.checkValidity() ? undefined : this.email.reportValidity();
    const more = {};
    if (!this.nameField.hidden && this.name.value.trim()) more.name = this.name.value.trim();
    if (!this.emailField.hidden && this.email.value.trim()) more.email = this.email.value.trim();
    this.text.value = "";
    this.typed();
    this.talk.say(text, more);
    this.text.focus();
  }

  attach() {
    for (const file of this.file.files) this.talk.attach(file);
    this.file.value = "";
  }

  draw() {
    const { talk } = this, { state } = talk.state, { welcome } = talk;
    this.speak(welcome?.languages);
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.drawLines();
    const begun = talk.lines.length > 0 || talk.unsent.length > 0;
    // While the connection is lost it stands as it stood, with what is being written.
    if (welcome || begun) this.closed = Boolean(welcome && !welcome.open && !welcome.chat && !begun);
    const { closed } = this;
    const over = state === "over";
    this.title.textContent = (state === "talking" && talk.state.agent) || welcome?.organisation || this.say("title");
    this.status.textContent = this.standing(closed);
    this.status.hidden = !this.status.textContent;
    this.typing.textContent = talk.typingUntil > Date.now() ? this.say("typing", { name: talk.state.agent || this.say("agent") }) : "";
    this.nameField.hidden = begun || !welcome?.ask.includes("name");
    this.emailField.hidden = begun || !welcome?.ask.includes("email");
    this.endButton.hidden = !["waiting", "talking"].includes(state);
    this.instead.draw({ closed, waiting: state === "waiting" });
    this.form.hidden = over || closed || this.instead.mode === "call";
    this.log.hidden = this.typing.hidden = closed || this.instead.mode === "call";
    this.drawAfter(over);
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
    this.countUnread();
  }

  standing(closed) {
    const { talk } = this, { state, position, expected } = talk.state;
    if (talk.wanted && !talk.online) return this.say("connecting");
    if (closed) return [this.say("closed"), talk.welcome?.opens_at && this.say("back_at", { when: this.instead.when(talk.welcome.opens_at) })].filter(Boolean).join(" ");
    if (state === "over") return this.say("over");
    if (state === "talking") return this.say("talking", { name: talk.state.agent || this.say("agent") });
    if (state !== "waiting") return talk.welcome?.greeting || "";
    const place = position ? this.say(position === 1 ? "next" : "place", { n: position }) : this.say("waiting");
    return expected ? `${place} ${this.say("wait", { n: Math.max(1, Math.round(expected / 60)) })}` : place;
  }

  // Lines stay the nodes they are: a screen reader hears new ones only, and a selection survives.
  drawLines() {
    const { talk } = this, read = Math.max(talk.state.read || 0, talk.lines.findLast((line) => line.by === "agent")?.n || 0);
    const wanted = [
      ...talk.lines.map((line) => [`n${line.n}`, line, line.by === "visitor" ? this.say(line.n <= read ? "read" : "sent") : line.name || ""]),
      ...talk.unsent.map((frame) => [`u${frame.id}`, { ...frame, by: "visitor", pending: true }, this.say("sending")]),
      ...[...talk.uploads].map(([id, file]) => [`u${id}`, { by: "visitor", text: file.name, pending: true }, this.say("sending")]),
      ...[...talk.refused].map(([id, frame]) => [`r${id}`, { by: "visitor", text: frame.text || "", failed: true }, `${this.say("refused")} ${this.say(this.words.en[`why_${frame.code}`] ? `why_${frame.code}` : "why_bad")}`]),
    ];
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, node] of this.drawn) if (!keys.has(key)) { node.remove(); this.drawn.delete(key); }
    for (const [key, line, note] of wanted) {
      let node = this.drawn.get(key);
      if (!node) {
        node = this.line(line);
        this.drawn.set(key, node);
      }
      if (node.note.textContent !== note) node.note.textContent = note;
      if (this.log.children[[...keys].indexOf(key)] !== node) this.log.insertBefore(node, this.log.children[[...keys].indexOf(key)] || null);
    }
  }

  line(line) {
    const links = (line.files || []).map((file) => make("a", { href: this.base + file.url, rel: "noopener", textContent: file.name }));
    const node = make("li", { className: ["line", line.by === "visitor" && "mine", line.pending && "pending", line.failed && "failed"].filter(Boolean).join(" ") },
      make("p", {}, make("span", { className: "unseen", textContent: `${line.by === "visitor" ? this.say("you") : line.name || this.say("agent")}: ` }), ...linked(line.text || ""), ...links));
    node.note = make("small");
    node.append(node.note);
    return node;
  }

  drawAfter(over) {
    const { talk } = this;
    const shape = JSON.stringify([over, over && talk.state.stars, talk.notes]);
    if (this.shape === shape) return;
    this.shape = shape;
    this.after.hidden = !over;
    const parts = [];
    if (over) {
      if (talk.state.stars) parts.push(talk.notes.rated ? make("p", { className: "said", textContent: this.say("thanks") }) : this.stars());
      if (talk.state.talked) parts.push(talk.notes.sent ? make("p", { className: "said", textContent: this.say("transcript_sent") }) : this.transcript());
      if (talk.notes.refused) parts.push(make("p", { className: "said bad", role: "alert", textContent: this.say("not_now") }));
      parts.push(make("button", { type: "button", className: "button first", textContent: this.say("again"), onclick: () => { this.drawn.forEach((node) => node.remove()); this.drawn.clear(); talk.begin(); } }));
    }
    this.after.replaceChildren(...parts);
  }

  stars() {
    const rate = (score) => this.talk.send({ type: "rate", score });
    const all = [1, 2, 3, 4, 5].map((score) => button("star", this.say("stars", { n: score }), () => rate(score), {
      onpointerenter: () => all.forEach((each, at) => each.classList.toggle("on", at < score)), onfocus: () => all.forEach((each, at) => each.classList.toggle("on", at < score)),
    }));
    return make("fieldset", { className: "stars" }, make("legend", { textContent: this.say("how_was_it") }), ...all);
  }

  transcript() {
    const address = make("input", { type: "email", required: true, autocomplete: "email", value: this.email.value });
    return make("form", { onsubmit: (event) => { event.preventDefault(); this.talk.notes.refused = undefined; this.talk.send({ type: "transcript", email: address.value }); } },
      make("label", {}, this.say("transcript"), address), make("button", { className: "button", textContent: this.say("transcript_send") }));
  }

  countUnread() {
    const { talk } = this, looking = !this.panel.hidden && !document.hidden;
    if (looking) talk.read();
    const seen = talk.seen || talk.memory.here.seen?.[talk.token] || 0;
    if (looking && talk.seen && talk.seen !== talk.memory.here.seen?.[talk.token]) talk.memory.change((here) => { here.seen = { [talk.token]: talk.seen }; });
    const count = talk.lines.filter((line) => line.by === "agent" && line.n > seen).length;
    this.unread.hidden = !count || !this.panel.hidden;
    this.unread.textContent = String(count);
    if (count && this.panel.hidden) this.launch.setAttribute("aria-label", this.say("unread", { n: count }));
  }
}
