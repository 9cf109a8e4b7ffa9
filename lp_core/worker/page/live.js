// The live panel: begins a stream, shows its preview, and hands every change on from one frame to the next.

import { ask } from "./api.js";
import { Drop } from "./drop.js";
import { edits, makeSettings, makeSliders } from "./settings.js";

const SHOWN = { motion: ["region", "strength", "expression_strength", "pose_strength"], engine: ["engine"] };
const TELL_MS = 1000;
const CHANGE_MS = 60;

class Live {
  constructor(element, schema, facts) {
    const find = (name) => element.querySelector(name);
    this.id = null;
    this.preview = find(".preview");
    this.stateLine = find(".state");
    this.acts = find(".acts");
    this.freeze = find(".freeze");
    this.start = find("[type=submit]");
    this.problemLine = find(".problem");
    this.empty = this.preview.innerHTML;
    const changed = () => this.change();
    this.groups = Object.fromEntries(
      Object.entries(makeSettings(schema, changed, "live"))
        .map(([group, items]) => [group, items.filter((item) => SHOWN[group]?.includes(item.name))])
        .filter(([, items]) => items.length),
    );
    this.sliders = makeSliders(facts.sliders, changed, "live");
    for (const items of Object.values(this.groups)) find(".settings").append(...items.map((item) => item.element));
    find(".expression").append(...this.sliders.map((item) => item.element));
    for (const name of facts.demos) find("#drivers").append(new Option(name, name));
    this.portrait = new Drop(find("#live-portrait"), () => this.check());
    this.driver = new Drop(find("#live-driver"), () => this.check());
    find(".microphone").addEventListener("click", () => this.driver.write("microphone"));
    find("form").addEventListener("submit", (event) => { event.preventDefault(); this.tried(() => this.begin()); });
    find(".stop").addEventListener("click", () => this.tried(() => this.end()));
    find(".recentre").addEventListener("click", () => this.tried(() => ask("POST", `/streams/${this.id}/recentre`)));
    this.freeze.addEventListener("click", () => this.tried(() => this.toggle()));
    setInterval(() => this.id && this.tried(() => this.tell()), TELL_MS);
    this.check();
    this.tried(() => this.find());
  }

  async tried(work) {
    try {
      await work();
      this.problemLine.hidden = true;
    } catch (error) {
      this.problemLine.textContent = error.message;
      this.problemLine.hidden = false;
    }
  }

  check() {
    this.start.disabled = !(this.portrait.isSet && this.driver.isSet);
  }

  settings() {
    const settings = {};
    for (const [group, items] of Object.entries(this.groups)) {
      settings[group] = Object.fromEntries(items.map((item) => [item.name, item.current()]));
    }
    settings.sliders = { edit: edits(this.sliders) };
    return settings;
  }

  // A stream that runs already, begun by a host or before this page was loaded again.
  async find() {
    const { streams } = await ask("GET", "/streams");
    if (streams.length) this.show(streams[0].id);
  }

  async begin() {
    const wanted = { portrait: await this.portrait.place(), driver: await this.driver.place(), settings: this.settings() };
    if (this.id) await ask("PATCH", `/streams/${this.id}`, wanted);
    else this.show((await ask("POST", "/streams", wanted)).id);
  }

  show(id) {
    this.id = id;
    const picture = document.createElement("img");
    picture.src = `/streams/${id}/preview.mjpeg`;
    picture.alt = "The live portrait";
    this.preview.replaceChildren(picture);
    this.acts.hidden = false;
    this.start.textContent = "Change";
  }

  async end() {
    const id = this.id;
    this.close();
    await ask("DELETE", `/streams/${id}`);
  }

  close() {
    this.id = null;
    this.preview.innerHTML = this.empty;
    this.stateLine.textContent = "";
    this.acts.hidden = true;
    this.start.textContent = "Go live";
  }

  async toggle() {
    const freeze = this.freeze.getAttribute("aria-pressed") !== "true";
    await ask("PATCH", `/streams/${this.id}`, { freeze });
    this.freeze.setAttribute("aria-pressed", String(freeze));
  }

  // Sliders fire often; the newest position counts.
  change() {
    if (!this.id || this.waits) return;
    this.waits = setTimeout(() => {
      this.waits = null;
      if (this.id) this.tried(() => ask("PATCH", `/streams/${this.id}`, { settings: this.settings() }));
    }, CHANGE_MS);
  }

  async tell() {
    const id = this.id;
    try {
      const { state, message, notes, fps, width, height, made_ms } = await ask("GET", `/streams/${id}`);
      if (id !== this.id) return;
      const late = made_ms?.[0] ? `, ${Math.round(made_ms[0])} ms behind the driver` : "";
      const figures = `${state}: ${width}x${height} at ${fps.toFixed(1)} fps${late}`;
      const words = state === "running" ? [figures, message] : [message || figures];
      this.stateLine.textContent = [...words, ...notes].filter(Boolean).join(" ");
    } catch (error) {
      if (id === this.id) this.close();
      throw error;
    }
  }
}

export function startLive(element, schema, facts) {
  return new Live(element, schema, facts);
}
