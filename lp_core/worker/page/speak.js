// The Speak panel: a portrait and a text become a sound to listen to, a video, or a portrait that talks at once.

import { ask, askBlob } from "./api.js";
import { Drop } from "./drop.js";
import { Talk } from "./talk.js";

const LOOK_MS = 500;

class Speak {
  constructor(element, facts) {
    const find = (name) => element.querySelector(name);
    this.facts = facts;
    this.parts = {
      text: find("textarea"), voice: find(".voice"), speed: find(".speed"), subtitles: find(".subtitles"),
      hear: find(".hear"), render: find("[type=submit]"), problem: find(".problem"),
      sound: find("audio"), film: find("video.result"), bar: find("progress"), state: find(".state"),
      link: find("a.download"), titles: find(".licenses"),
    };
    this.portrait = new Drop(find("#speak-portrait"), () => this.check());
    this.talk = new Talk(find(".talking"), this.portrait, () => this.words(), (error) => this.problem(error));
    this.parts.text.addEventListener("input", () => this.check());
    this.parts.voice.addEventListener("change", () => this.license());
    this.parts.hear.addEventListener("click", () => this.tried(this.parts.hear, () => this.hear()));
    find("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.tried(this.parts.render, () => this.render());
    });
    this.check();
    this.list().catch((error) => this.problem(error));
  }

  problem(error) {
    this.parts.problem.textContent = error?.message ?? "";
    this.parts.problem.hidden = !error;
  }

  async tried(button, work) {
    this.problem(null);
    this.busy = button;
    this.check();
    try {
      await work();
    } catch (error) {
      this.problem(error);
    }
    this.busy = null;
    this.check();
  }

  check() {
    const { text, hear, render } = this.parts;
    const hasText = text.value.trim() !== "";
    hear.disabled = !hasText || this.busy === hear;
    render.disabled = !hasText || !this.portrait.isSet || this.busy === render;
    this.talk.check(hasText);
  }

  async list() {
    const { voices } = await ask("GET", "/voices");
    this.voices = new Map(voices.map((voice) => [voice.id, voice]));
    const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
    for (const voice of voices) {
      let language = voice.language;
      try { language = names.of(language) ?? language; } catch { /* a code of the program's own */ }
      this.parts.voice.append(new Option(`${language}: ${voice.title}`, voice.id));
    }
    this.license();
  }

  license() {
    const voice = this.voices?.get(this.parts.voice.value);
    this.parts.titles.textContent = voice ? `Synthetic voice ${voice.id}, ${voice.license}.` : "";
  }

  words() {
    return { text: this.parts.text.value, voice: this.parts.voice.value, speed: Number(this.parts.speed.value) };
  }

  async hear() {
    const sound = await askBlob("POST", "/speech", this.words());
    if (this.url) URL.revokeObjectURL(this.url);
    this.parts.sound.src = this.url = URL.createObjectURL(sound);
    this.parts.sound.hidden = false;
    await this.parts.sound.play().catch(() => {});
  }

  async render() {
    const { bar, film, link, state } = this.parts;
    const join = this.facts.results.includes("\\") ? "\\" : "/";
    const output = `${this.facts.results}${join}${this.portrait.name || "portrait"}-${Date.now().toString(36)}.mp4`;
    const scene = { portrait: await this.portrait.place(), ...this.words() };
    const parameters = { scenes: [scene], output, subtitles: this.parts.subtitles.checked };
    let job = await ask("POST", "/jobs", { kind: "say", parameters });
    film.hidden = link.hidden = true;
    bar.hidden = false;
    while (job.ended_s === null) {
      const { phase, frame, total } = job.progress ?? {};
      state.textContent = phase ? this.facts.phases[phase] ?? phase : "Waiting";
      if (total) Object.assign(bar, { max: total, value: frame });
      await new Promise((done) => setTimeout(done, LOOK_MS));
      job = await ask("GET", `/jobs/${job.id}`);
    }
    bar.hidden = true;
    state.textContent = "";
    if (job.state !== "done") throw new Error(job.error?.message ?? "The render was cancelled.");
    film.src = link.href = `/jobs/${job.id}/output`;
    link.download = output.split(/[\\/]/).pop();
    film.hidden = link.hidden = false;
    state.textContent = job.summary.notes?.join(" ") ?? "";
  }
}

export function startSpeak(element, facts) {
  return new Speak(element, facts);
}
