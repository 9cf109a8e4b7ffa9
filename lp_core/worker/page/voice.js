// What is heard in a voice: its waveform, and the sounds of speech with their times.

import { ask } from "./api.js";

const SOUND = /\.(wav|mp3|m4a|aac|flac|ogg|opus|aif|aiff|wma)$|^speech:/i;
const PX_PER_S = 90;
const LIPS = new Set(["B", "P", "M"]);

function drawn(tag, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

export class Voice {
  constructor(element, driving) {
    this.element = element;
    this.driving = driving;
    this.button = element.querySelector(".listen");
    this.words = element.querySelector(".words");
    this.problem = element.querySelector(".problem");
    this.wave = element.querySelector(".wave");
    this.button.addEventListener("click", () => this.listen());
    this.check();
  }

  get isVoice() {
    const file = this.driving.file;
    return file ? file.type.startsWith("audio/") || SOUND.test(file.name) : SOUND.test(this.driving.path.value.trim());
  }

  // Called when another performance is named.
  check() {
    const name = this.driving.file ?? this.driving.path.value.trim();
    if (name === this.shown) return;
    this.shown = name;
    this.element.hidden = !this.isVoice;
    this.wave.replaceChildren();
    this.wave.hidden = this.problem.hidden = true;
    this.words.textContent = "";
  }

  async listen() {
    const name = this.shown;
    this.button.disabled = true;
    this.problem.hidden = true;
    this.words.textContent = "Listening";
    try {
      const place = (await this.driving.place()).replace(/^speech:/, "");
      const heard = await ask("POST", "/speech/heard", { voice: place });
      if (name === this.shown) this.show(heard);
    } catch (error) {
      if (name === this.shown) {
        this.words.textContent = "";
        this.problem.textContent = error.message;
        this.problem.hidden = false;
      }
    }
    this.button.disabled = false;
  }

  show({ seconds, is_whole, peaks, speech_s, phones }) {
    const width = Math.max(Math.ceil(seconds * PX_PER_S), 1);
    const svg = drawn("svg", { width, height: 96, viewBox: `0 0 ${width} 96`, role: "img" });
    svg.setAttribute("aria-label", `Waveform with ${phones.length} sounds of speech`);
    const step = width / Math.max(peaks.length, 1);
    const bars = peaks.map((peak, at) => {
      const half = Math.max(peak * 34, 0.5);
      return `M${((at + 0.5) * step).toFixed(1)} ${(36 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
    });
    svg.append(drawn("path", { d: bars.join(""), class: "level" }));
    for (const phone of phones) {
      const left = phone.start_s * PX_PER_S, right = phone.end_s * PX_PER_S;
      const group = drawn("g", { class: LIPS.has(phone.name) ? "lips" : "phone" });
      group.append(
        drawn("rect", { x: left.toFixed(1), y: 74, width: Math.max(right - left - 0.5, 1).toFixed(1), height: 18 }),
        drawn("text", { x: ((left + right) / 2).toFixed(1), y: 87 }, right - left > 9 ? phone.name : ""),
        drawn("title", {}, `${phone.name} ${phone.start_s.toFixed(2)} s`),
      );
      svg.append(group);
    }
    this.wave.replaceChildren(svg);
    this.wave.hidden = false;
    const part = is_whole ? "" : ` The first ${seconds.toFixed(0)} s are shown.`;
    this.words.textContent = phones.length
      ? `${speech_s.toFixed(1)} s of speech in ${seconds.toFixed(1)} s, ${phones.length} sounds.${part}`
      : `No speech is heard in ${seconds.toFixed(1)} s, so the mouth will rest.${part}`;
  }
}
