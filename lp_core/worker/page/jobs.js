// The list of jobs, kept up to date by the worker's events.

import { ask } from "./api.js";

const STATES = { queued: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled" };
const FILM = /\.(mp4|mov|mkv|webm)$/i;

const template = document.querySelector("#job");
const list = document.querySelector("#jobs");
const none = document.querySelector("#none");

class Card {
  constructor(job, phases, problem) {
    this.phases = phases;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.id = job.id;
    const find = (name) => this.element.querySelector(name);
    this.parts = {
      title: find("h3"), state: find(".state"), bar: find("progress"), words: find(".words"), image: find("img"),
      play: find(".play"), cancel: find(".cancel"), forget: find(".forget"), film: find(".film"),
      curve: find(".curve"),
    };
    const act = (button, work) => button.addEventListener("click", () => work().catch(problem));
    act(this.parts.cancel, () => ask("POST", `/jobs/${this.id}/cancel`).then((now) => this.update(now)));
    act(this.parts.forget, () => ask("DELETE", `/jobs/${this.id}`).then(() => { this.element.remove(); tell(); }));
    act(this.parts.play, async () => this.toggle());
    this.parts.image.addEventListener("load", () => { this.parts.image.hidden = false; });
    this.update(job);
  }

  update(job) {
    const { parts } = this;
    const ended = job.ended_s !== null;
    this.element.dataset.state = job.state;
    const name = job.output.split(/[\\/]/).pop();
    parts.title.textContent = name;
    parts.title.title = job.output;
    parts.state.textContent = `${STATES[job.state]}: ${job.kind}`;
    parts.bar.hidden = ended;
    parts.cancel.hidden = ended;
    parts.cancel.setAttribute("aria-label", `Cancel ${name}`);
    parts.forget.hidden = !ended;
    parts.play.hidden = !(job.state === "done" && FILM.test(job.output));
    parts.play.setAttribute("aria-label", `Play ${name}`);
    parts.words.textContent = job.error?.message ?? (job.summary ? ended && told(job.summary) : "") ?? "";
    parts.curve.replaceChildren(...(ended ? curve(job.summary?.confidence) : []));
    if (job.progress && !ended) this.progress(job.progress);
    if (job.state === "queued") parts.bar.value = 0;
    if (job.kind !== "extract" && this.pictured !== job.state) {
      this.pictured = job.state;
      parts.image.src = `/jobs/${this.id}/thumbnail?state=${job.state}`;
    }
  }

  progress({ phase, frame, total, fps, eta_s }) {
    const { parts } = this;
    if (total) {
      parts.bar.max = total;
      parts.bar.value = frame;
    } else parts.bar.removeAttribute("value");
    const left = eta_s ? `, ${Math.ceil(eta_s)} s left` : "";
    const count = total ? `${frame} of ${total}` : frame || "";
    parts.words.textContent = `${this.phases[phase] ?? phase} ${count}${fps ? ` at ${fps.toFixed(1)} fps` : ""}${left}`;
  }

  toggle() {
    const { film, play } = this.parts;
    if (film.firstChild) {
      film.replaceChildren();
    } else {
      const video = document.createElement("video");
      Object.assign(video, { src: `/jobs/${this.id}/output`, controls: true, autoplay: true, loop: true });
      film.append(video);
    }
    film.hidden = !film.firstChild;
    play.textContent = film.hidden ? "Play" : "Close";
  }
}

// How far the performance can be trusted over the result; nothing where all of it can.
function curve(values) {
  if (!values?.some((value) => value < 1)) return [];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  const across = 100 / Math.max(values.length - 1, 1);
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Confidence over the result, lowest ${Math.min(...values).toFixed(2)}`);
  line.setAttribute("points", values.map((value, at) => `${(at * across).toFixed(2)},${(19 - 18 * value).toFixed(2)}`).join(" "));
  svg.append(line);
  const title = document.createElement("span");
  title.textContent = "Confidence";
  return [title, svg];
}

function told(summary) {
  const seconds = summary.seconds ? ` in ${summary.seconds.toFixed(1)} s` : "";
  const figures = `${summary.frames} frames at ${summary.rate} fps, ${summary.engine} engine${seconds}.`;
  return [figures, ...summary.notes ?? []].join(" ");
}

function tell() {
  none.hidden = list.childElementCount > 0;
}

export class Jobs {
  // phases: name -> label, from /facts.
  constructor(phases, problem, onLink) {
    this.cards = new Map();
    this.phases = phases;
    this.problem = problem;
    this.onLink = onLink;
  }

  async start() {
    const { jobs } = await ask("GET", "/jobs?limit=50");
    for (const job of jobs.reverse()) this.put(job);
    tell();
    const events = new EventSource("/events");
    events.addEventListener("open", () => { this.onLink(true); this.refresh(); });
    events.addEventListener("error", () => this.onLink(false));
    events.addEventListener("state", (event) => this.put(JSON.parse(event.data)));
    events.addEventListener("progress", (event) => {
      const values = JSON.parse(event.data);
      this.cards.get(values.job)?.progress(values);
    });
  }

  // States that changed while nobody listened.
  refresh() {
    ask("GET", "/jobs?limit=50").then(({ jobs }) => jobs.reverse().forEach((job) => this.put(job))).catch(this.problem);
  }

  put(job) {
    const known = this.cards.get(job.id);
    if (known) known.update(job);
    else {
      const card = new Card(job, this.phases, this.problem);
      this.cards.set(job.id, card);
      list.prepend(card.element);
    }
    tell();
  }
}
