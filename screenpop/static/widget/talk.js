// The conversation as the browser keeps it: what got no answer is sent again, and each line is taken once.

// Seconds between attempts to connect, doubled up to the longest, each a little off so that not all come back at once.
const FIRST_PAUSE = 0.5, LONGEST_PAUSE = 30;
const PIECE = 32 * 1024;
// A socket that says nothing for so long is taken for dead; the server pings more often, which browsers do not tell, so it is asked.
const chance = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
};

// As the door takes it: half of a pair of surrogates, which cutting a text leaves, is no UTF-8.
const written = (frame) => JSON.stringify(frame, (_, value) => (typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\uFFFD") : value));
// Addresses and titles may be of any length; the door takes so much, and would not be said hello to with more.
const here = () => ({ page: location.href.slice(0, 4000), title: document.title.slice(0, 1000) });

// What outlives the page. Without storage (private windows, sandboxes) the chat lives as long as the page.
class Memory {
  constructor(name) {
    this.name = name;
    this.here = {};
    this.read();
    this.here.browser ||= chance();
    this.write();
  }

  read() {
    try { this.here = JSON.parse(localStorage.getItem(this.name)) || this.here; } catch { /* none */ }
  }

  write() {
    try { localStorage.setItem(this.name, JSON.stringify(this.here)); } catch { /* none */ }
  }

  // Other tabs write too: always on what is there now.
  change(act) {
    this.read();
    act(this.here);
    this.write();
  }
}

class Talk {
  constructor({ url, key, language, proof, changed }) {
    this.url = url;
    this.language = language;
    this.proof = proof;
    this.changed = changed;
    this.memory = new Memory(`callcenter:${key}`);
    this.prefix = chance().slice(0, 8);
    this.count = 0;
    this.uploads = new Map();
    this.asked = new Map(); // forms and calls that got no answer yet
    this.wanted = false;
    this.pause = FIRST_PAUSE;
    this.clear();
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.socket?.close());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    addEventListener("storage", (event) => event.key === this.memory.name && this.follow());
    addEventListener("pagehide", () => this.socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.hurry());
  }

  clear() {
    this.lines = [];
    this.state = {};
    this.refused = new Map();
    this.welcome = null;
    this.notes = {};
    this.typingUntil = 0;
    this.received = this.wrong = this.times = this.number = null;
  }

  // What a form or a call came to. That a call was promised is known on other pages too.
  forget() {
    this.received = this.wrong = null;
    this.memory.change((here) => { delete here.promised; });
  }

  get promised() { return this.memory.here.promised?.of === this.token ? this.memory.here.promised : null; }

  get token() { return this.memory.here.token; }
  // Tabs that write at once may bring back what another has crossed out: what stands in the conversation was sent.
  get unsent() {
    const sent = new Set(this.lines.map((line) => line.id));
    return Object.values(this.memory.here.unsent || {}).filter((frame) => !sent.has(frame.id));
  }

  get online() { return Boolean(this.welcome && this.socket?.readyState === WebSocket.OPEN); }

  // A chat that this browser began goes on by itself.
  resume() { if (this.token && !this.memory.here.over) this.connect(); }

  connect() {
    this.wanted = true;
    if (!this.socket && !this.waiting) this.open();
  }

  hurry() {
    if (!this.waiting) return;
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.open();
  }

  // Another tab began a new conversation, or wrote into this one.
  follow() {
    const before = this.token;
    this.memory.read();
    if (this.token !== before) {
      this.clear();
      this.socket?.close();
      this.connect();
    }
    this.changed();
  }

  open() {
    if (!this.token) this.memory.change((here) => { here.token ||= chance(); });
    const socket = this.socket = new WebSocket(this.url);
    socket.onopen = () => socket.send(written(this.hello()));
    socket.onmessage = (event) => this.socket === socket && this.receive(JSON.parse(event.data));
    socket.onclose = () => this.lost(socket);
  }

  hello() {
    return {
      type: this.lines.length ? "resume" : "hello", token: this.token, browser: this.memory.here.browser, language: this.language,
      ...here(), after: this.lines.length, ...(this.proof ? { proof: this.proof.slice(0, 4000) } : {}),
    };
  }

  lost(socket) {
    if (this.socket !== socket) return;
    this.socket = null;
    this.welcome = null;
    if (this.wanted) {
      this.waiting = setTimeout(() => { this.waiting = 0; this.open(); }, this.pause * (750 + 500 * Math.random()));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    }
    this.changed();
  }

  receive(frame) {
    switch (frame.type) {
      case "welcome":
        this.welcome = frame;
        this.pause = FIRST_PAUSE;
        this.unsent.forEach((each) => this.send(each));
        this.uploads.forEach((file, id) => this.upload(id, file));
        this.asked.forEach((each) => this.send(each));
        break;
      case "line":
        if (frame.n === this.lines.length + 1) this.lines.push(frame);
        if (frame.by === "agent") this.typingUntil = 0;
        this.answered(frame.id);
        break;
      case "state":
        this.state = frame;
        this.memory.change((here) => { here.over = frame.state === "over"; });
        break;
      case "typing":
        this.typingUntil = Date.now() + 4000;
        setTimeout(() => this.changed(), 4100);
        break;
      case "received":
        this.received = frame;
        this.asked.delete(frame.id);
        break;
      case "callback":
        this.asked.delete(frame.id);
        this.memory.change((here) => { here.promised = { ...frame, of: this.token }; });
        break;
      case "times":
        this.times = frame.times;
        break;
      case "number":
        this.number = frame;
        break;
      case "refused":
        if (this.asked.delete(frame.id)) this.wrong = frame;
        else if (frame.id) this.refused.set(frame.id, { ...frame, text: this.memory.here.unsent?.[frame.id]?.text });
        else this.notes.refused = frame.reason;
        this.answered(frame.id);
        break;
      default:
        this.notes[frame.type] = true;
    }
    this.changed(frame);
  }

  answered(id) {
    if (!id) return;
    this.uploads.delete(id);
    if (this.memory.here.unsent?.[id]) this.memory.change((here) => { delete here.unsent[id]; });
  }

  send(frame) {
    if (this.online) this.socket.send(written(frame));
  }

  nextId() { return `${this.prefix}-${++this.count}`; }

  say(text, more) {
    const frame = { type: "message", id: this.nextId(), text, ...more };
    this.memory.change((here) => { (here.unsent ||= {})[frame.id] = frame; here.over = false; });
    this.connect();
    this.send(frame);
    this.changed();
  }

  // Something in place of the conversation. `wrong`: what is known to be without asking.
  ask(given, wrong) {
    this.wrong = wrong ? { fields: wrong } : null;
    if (!wrong && !this.asked.size) {
      const frame = { ...given, id: this.nextId() };
      this.asked.set(frame.id, frame);
      this.connect();
      this.send(frame);
    }
    this.changed();
  }

  attach(file) {
    const id = this.nextId();
    this.uploads.set(id, file);
    this.connect();
    this.upload(id, file);
    this.changed();
  }

  // One after the other: a piece does not say of which file it is.
  upload(id, file) {
    this.uploading = (this.uploading || Promise.resolve()).then(() => this.pour(id, file)).catch(() => {});
  }

  async pour(id, file) {
    if (!this.online || !this.uploads.has(id)) return;
    const socket = this.socket;
    const data = await file.arrayBuffer();
    if (this.socket !== socket || !this.online) return; // the next connection begins anew
    this.send({ type: "file", id, name: file.name.slice(-300), kind: file.type, size: data.byteLength });
    for (let at = 0; at < data.byteLength; at += PIECE) {
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > 8 * PIECE) {
        await new Promise((done) => setTimeout(done, 20));
      }
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(data.slice(at, at + PIECE));
    }
  }

  typing() {
    const now = Date.now();
    if (this.state.state === "talking" && now - (this.typedAt || 0) > 2000) {
      this.typedAt = now;
      this.send({ type: "typing" });
    }
  }

  read() {
    const last = this.lines.findLast((line) => line.by === "agent");
    if (last && last.n > (this.seen || 0) && this.online) {
      this.seen = last.n;
      this.send({ type: "read", upto: last.n });
    }
  }

  // A new conversation: the one before stays with those who had it.
  begin() {
    this.memory.change((here) => { here.token = chance(); here.unsent = {}; here.over = false; });
    this.clear();
    this.seen = 0;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.wanted = true;
    this.hurry();
    if (!this.socket) this.open();
    this.changed();
  }
}
