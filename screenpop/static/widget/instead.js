// What stands in place of the conversation: a form while nobody is there, and asking to be called.

// Of the form that the server makes up itself, which has no words of its own.
const OWN_WORDS = { name: "who", email: "address", text: "message" };
const KINDS = { email: "email", phone: "tel", date: "date" };

class Instead {
  constructor(panel) {
    this.panel = panel;
    this.talk = panel.talk;
    this.say = (word, places) => panel.say(word, places);
    this.node = make("div", { className: "instead", hidden: true });
    this.mode = "";
    this.calling = false;
  }

  // The visitor's own clock and words.
  date(iso, form) { return new Intl.DateTimeFormat(this.talk.language.replace("_", "-"), form).format(new Date(iso)); }
  when(iso) { return this.date(iso, { weekday: "long", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit" }); }

  // Why something was refused; the server says it in English.
  said(words) {
    const { exact, alike } = this.panel.words[this.talk.language].said;
    for (const [pattern, sentence] of alike) {
      const match = new RegExp(`^(?:${pattern})$`).exec(words);
      if (match) return sentence.replace(/%\((\w+)\)s/g, (_, name) => match.groups[name]);
    }
    return exact[words] || words;
  }

  draw({ closed, waiting }) {
    const { talk } = this;
    this.welcome = talk.welcome || this.welcome; // while there is no connection, what was said last
    const may = this.welcome?.callback;
    const promised = talk.promised && (closed || talk.state.state === "over");
    if (promised || !(closed || (waiting && may))) this.calling = false;
    const mode = promised ? "promised" : this.calling ? "call" : closed ? (talk.received ? "received" : "form") : waiting && may ? "offer" : "";
    const shape = JSON.stringify([mode, closed, mode === "form" && this.welcome.form, mode === "form" && may, mode === "promised" && talk.promised]);
    if (this.shape !== shape) {
      const focused = this.panel.host.shadowRoot.activeElement, here = this.node.contains(focused);
      this.shape = shape;
      this.mode = mode;
      this.fields = new Map();
      this.node.replaceChildren(...this.parts(mode, closed));
      this.node.hidden = !mode; // what is hidden takes no focus
      if ((here || focused === this.panel.text) && ["call", "form", "received", "promised"].includes(mode)) this.focus();
    }
    this.node.classList.toggle("whole", closed || mode === "call");
    this.update(mode);
  }

  parts(mode, closed) {
    switch (mode) {
      case "offer": return [make("button", { type: "button", className: "button", textContent: this.say("call_instead"), onclick: () => this.call() })];
      case "call": return [this.callForm(closed)];
      case "form": return this.written();
      case "received": return this.receipt();
      case "promised": return [make("p", { className: "said good", role: "status", tabIndex: -1, textContent: this.promise() }), ...(closed ? [this.again()] : [])];
      default: return [];
    }
  }

  focus() { this.node.querySelector("input:not(.bait), select, textarea, [tabindex]")?.focus(); }

  again() {
    return make("button", { type: "button", className: "button", textContent: this.say("write_more"), onclick: () => { this.talk.forget(); this.panel.draw(); this.focus(); } });
  }

  receipt() {
    const { number, thanks } = this.talk.received;
    return [make("p", { className: "said good", role: "status", tabIndex: -1 }, `${this.say("received")} ${thanks || ""}`.trim()),
      make("p", { className: "number" }, `${this.say("case")} `, make("strong", { textContent: `#${number}` })), this.again()];
  }

  promise() {
    const { number, due_at, position, expected } = this.talk.promised;
    if (due_at) return this.say("promised_at", { number, when: this.when(due_at) });
    const place = position ? this.say(position === 1 ? "next" : "place", { n: position }) : "";
    const wait = expected ? this.say("wait", { n: Math.max(1, Math.round(expected / 60)) }) : "";
    return [this.say("promised_turn", { number }), place, wait].filter(Boolean).join(" ");
  }

  // A field with its label, and room for what is wrong with it.
  field(name, label, control, { hint, optional } = {}) {
    const id = `field-${name}`, more = make("small", { id: `${id}-more`, textContent: hint || "", hidden: !hint });
    control.id = id;
    control.setAttribute("aria-describedby", more.id);
    this.fields.set(name, { control, more, hint });
    return make("div", { className: "field" }, make("label", { htmlFor: id }, label, ...(optional ? [make("span", { className: "optional", textContent: ` ${this.say("optional")}` })] : [])), control, more);
  }

  select(choices, more) { return make("select", more, ...choices.map(([value, text]) => make("option", { value, textContent: text }))); }

  // -- a form

  written() {
    const { form, callback } = this.welcome, parts = [];
    if (callback) parts.push(make("button", { type: "button", className: "button", textContent: this.say("call_me"), onclick: () => this.call() }));
    if (form.page) return [...parts, make("a", { className: "button first", href: this.panel.base + form.page, target: "_blank", rel: "noopener", textContent: this.say("leave") })];
    const bait = make("input", { className: "bait", name: "website", tabIndex: -1, autocomplete: "off", "aria-hidden": "true" });
    const fields = form.fields.map((each) => this.field(each.name, each.text || this.say(OWN_WORDS[each.name]), this.control(each), { hint: each.hint, optional: !each.required }));
    this.alert = make("p", { className: "bad", role: "alert", hidden: true });
    this.button = make("button", { className: "button first", textContent: this.say("send") });
    return [make("form", { noValidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(form, bait); } },
      make("p", { className: "lead", textContent: form.intro || this.say("write_us") }), this.alert, ...fields, bait, this.button), ...parts];
  }

  control({ name, kind, required, choices }) {
    const more = required ? { required: true } : {};
    if (kind === "long_text") return make("textarea", { rows: 4, maxLength: 20000, ...more });
    if (kind === "choice") return this.select([["", this.say("choose")], ...choices], more);
    return make("input", { type: KINDS[kind] || "text", inputMode: kind === "number" ? "decimal" : "", autocomplete: { email: "email", phone: "tel" }[kind] || (name === "name" ? "name" : "on"), maxLength: 254, ...more });
  }

  submit(form, bait) {
    const values = {};
    for (const { name } of form.fields) if (this.fields.get(name).control.value.trim()) values[name] = this.fields.get(name).control.value;
    this.talk.ask({ type: "form", values, website: bait.value });
  }

  // -- a call

  call() {
    this.calling = true;
    this.talk.wrong = null;
    this.talk.send({ type: "times" });
    this.panel.draw();
    this.focus();
  }

  callForm(closed) {
    const number = make("input", { type: "tel", autocomplete: "tel", required: true, maxLength: 64, onchange: () => number.value.trim() && this.talk.send({ type: "number", number: number.value }) });
    const at = make("select", { required: true });
    const turn = this.radio("turn", this.say("in_turn"), !closed), chosen = this.radio("at", this.say("at_time"), closed);
    const times = this.field("at", this.say("time"), at, { hint: this.say("zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone }) });
    const choose = () => { times.hidden = !chosen.input.checked; };
    turn.input.onchange = chosen.input.onchange = choose;
    choose();
    this.at = at;
    this.offered = null;
    this.alert = make("p", { className: "bad", role: "alert", hidden: true });
    this.button = make("button", { className: "button first", textContent: this.say("call_ask") });
    const send = (event) => {
      event.preventDefault();
      this.talk.ask({ type: "callback", number: number.value, ...(chosen.input.checked ? { at: at.value || undefined } : {}) }, chosen.input.checked && !at.value ? { at: "Choose one of these." } : null);
    };
    return make("form", { noValidate: true, onsubmit: send }, this.alert, this.field("number", this.say("number"), number),
      ...(closed ? [] : [make("fieldset", {}, make("legend", { className: "unseen", textContent: this.say("call_when") }), turn.label, chosen.label)]), times,
      make("div", { className: "row ends" }, make("button", { type: "button", className: "button", textContent: this.say("back"), onclick: () => { this.calling = false; this.talk.wrong = null; this.panel.draw(); (closed ? this : this.panel.text).focus(); } }), this.button));
  }

  radio(value, text, checked) {
    const input = make("input", { type: "radio", name: "when", value, checked });
    return { input, label: make("label", { className: "radio" }, input, text) };
  }

  offerTimes(times) {
    const shown = times.map((iso) => make("option", { value: iso, textContent: this.date(iso, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }) }));
    this.at.replaceChildren(make("option", { value: "", textContent: this.say(times.length ? "choose" : "no_times") }), ...shown);
  }

  // What came since: moments to choose from, how the number is understood, what is wrong.
  update(mode) {
    if (mode !== "form" && mode !== "call") return;
    const { talk } = this, wrong = talk.wrong?.fields || {};
    if (mode === "call" && talk.times && this.offered !== talk.times) {
      this.offered = talk.times;
      this.offerTimes(talk.times);
    }
    for (const [name, { control, more, hint }] of this.fields) {
      const checked = name === "number" && talk.number?.given === control.value ? talk.number : null;
      const bad = wrong[name] ? this.said(wrong[name]) : checked?.reason ? this.said(checked.reason) : "";
      const text = bad || checked?.shown || hint || "";
      if (more.textContent !== text) more.textContent = text;
      more.hidden = !text;
      more.classList.toggle("bad", Boolean(bad));
      control.setAttribute("aria-invalid", String(Boolean(bad)));
    }
    if (!this.alert) return;
    const known = Object.keys(wrong).some((name) => this.fields.has(name));
    const text = !talk.wrong ? "" : known ? this.say("unsent") : this.said(talk.wrong.reason);
    if (this.alert.textContent !== text) this.alert.textContent = text;
    this.alert.hidden = !text;
    this.button.disabled = talk.asked.size > 0;
    if (talk.wrong && talk.wrong !== this.shown && known) {
      this.shown = talk.wrong;
      [...this.fields].find(([name]) => wrong[name])?.[1].control.focus();
    }
  }
}
