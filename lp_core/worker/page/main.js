// The page: starts jobs and shows them; the live panel joins where the worker can do live streams.

import { ask, Schema } from "./api.js";
import { Drop } from "./drop.js";
import { Faces } from "./faces.js";
import { fill, offerCancel, prepared } from "./fill.js";
import { Jobs } from "./jobs.js";
import { changed, makeSettings, makeSliders } from "./settings.js";
import { Voice } from "./voice.js";

const MAIN = { motion: ["region", "strength"], engine: ["engine"], output: ["codec", "overwrite"] };
const $ = (name) => document.querySelector(name);

const problemLine = $("#problem");
function problem(error) {
  problemLine.textContent = error?.message ?? "";
  problemLine.hidden = !error;
}

function showLink(isUp) {
  $("#link").className = isUp ? "up" : "down";
  $("#link .words").textContent = isUp ? "connected" : "no answer, trying again";
}

function tabs() {
  const all = [...document.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      $(`#${tab.getAttribute("aria-controls")}`).hidden = tab !== chosen;
    }
  };
  for (const tab of all) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = all[(all.indexOf(tab) + step + all.length) % all.length];
      choose(next);
      next.focus();
    });
  }
}

class Form {
  constructor(schema, facts) {
    this.facts = facts;
    this.groups = makeSettings(schema);
    this.sliders = makeSliders(facts.sliders);
    this.source = new Drop($("#source"), () => { this.faces?.forget(); this.faces?.tell(); });
    this.driving = new Drop($("#driving"), () => this.check());
    this.voice = new Voice($("#voice"), this.driving);
    this.faces = new Faces($("#faces"), this.source, this.driving, () => this.faces && this.check());
    for (const name of facts.demos) $("#demos").append(new Option(name, name));
    $("#expression .settings").append(...this.sliders.map((item) => item.element));
    for (const [group, items] of Object.entries(this.groups)) {
      const rest = items.filter((item) => !MAIN[group]?.includes(item.name));
      const main = items.filter((item) => MAIN[group]?.includes(item.name));
      $("#main-settings").append(...main.map((item) => item.element));
      if (!rest.length) continue;
      const title = document.createElement("h4");
      title.textContent = group;
      $("#all .groups").append(title, ...rest.map((item) => item.element));
    }
    $("#new").addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !$("#start").disabled) this.submit();
    });
    this.check();
  }

  check() {
    this.voice?.check();
    const isDriven = this.driving.isSet || this.faces.hasDriver;
    $("#start").disabled = !(this.source.isSet && isDriven) || this.isBusy;
    $("#output").placeholder = this.suggestion("");
  }

  suggestion(mark) {
    const join = this.facts.results.includes("\\") ? "\\" : "/";
    return `${this.facts.results}${join}${this.source.name || "portrait"}-${this.driving.name || "clip"}${mark}.mp4`;
  }

  async submit() {
    problem(null);
    this.isBusy = true;
    this.check();
    try {
      const mark = `-${Date.now().toString(36)}`;
      const faces = await this.faces.told();
      const settings = changed(this.groups, this.sliders);
      if (Object.keys(faces.settings).length) settings.face = { ...settings.face, ...faces.settings };
      const parameters = {
        source: await this.source.place(),
        driving: this.driving.isSet ? await this.driving.place() : faces.driving,
        output: $("#output").value.trim() || this.suggestion(mark),
        settings,
      };
      await ask("POST", "/jobs", { kind: "animate", parameters });
      $("#host").hidden = true;
    } catch (error) {
      problem(error);
    }
    this.isBusy = false;
    this.check();
  }
}

async function begin() {
  tabs();
  const host = prepared();
  const [openapi, facts] = await Promise.all([ask("GET", "/openapi.json"), ask("GET", "/facts")]);
  const schema = new Schema(openapi);
  const form = new Form(schema, facts);
  if (host) fill(form, host.job);
  if (host?.name) offerCancel($("#host"), host.name, problem);
  if ("/streams" in schema.paths) {
    const { startLive } = await import("./live.js");
    startLive($("#live"), schema, facts);
  } else $("#tab-live").hidden = true;
  const { startSpeak } = await import("./speak.js");
  startSpeak($("#speak"), facts);
  await new Jobs(facts.phases, problem, showLink).start();
  document.body.dataset.ready = "yes";
}

begin().catch((error) => { showLink(false); problem(error); });
