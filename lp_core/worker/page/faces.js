// Faces of the source: shown with their ids, each with its own performance, or with points set by hand.

import { ask, upload } from "./api.js";
import { Drop } from "./drop.js";
import { HandPoints, svg } from "./points.js";

const HAND = "hand";
const template = document.querySelector("#face");

export class Faces {
  // source, driving: the form's drops; onChange: after every change of the cast.
  constructor(element, source, driving, onChange) {
    const find = (name) => element.querySelector(name);
    this.parts = {
      find: find(".find"), frame: find(".frame"), stage: find(".stage"), image: find(".stage img"),
      layer: find(".stage svg"), words: find(".words"), list: find(".cast"), follow: find(".follow input"),
      count: find(".count"), hand: find(".hand"), drop: find(".drop-points"), save: find(".save"), load: find(".load"),
      file: find(".points-file"), problem: find(".problem"),
    };
    Object.assign(this, { source, driving, onChange, found: null, members: new Map() });
    this.points = new HandPoints(this.parts.layer, (error) => this.problem(error), () => this.tell());
    const act = (button, work) => button.addEventListener("click", () => this.try(work));
    act(this.parts.find, () => this.look());
    act(this.parts.hand, () => this.byHand());
    act(this.parts.drop, () => { this.points.clear(); this.remove(HAND); this.tell(); });
    act(this.parts.save, () => this.save());
    act(this.parts.load, () => this.parts.file.click());
    this.parts.file.addEventListener("change", () => this.try(async () => {
      if (!this.found) await this.look();
      this.points.fromJson(await this.parts.file.files[0].text(), this.found);
      this.place(HAND, "by hand");
      this.parts.file.value = "";
    }));
    this.parts.frame.addEventListener("change", () => this.try(() => this.look()));
    this.parts.follow.addEventListener("change", () => this.tell());
    this.tell();
  }

  async try(work) {
    this.problem(null);
    try {
      await work();
    } catch (error) {
      this.problem(error);
    }
  }

  problem(error) {
    this.parts.problem.textContent = error?.message ?? "";
    this.parts.problem.hidden = !error;
  }

  // Another source: nothing of the old one's faces holds.
  forget() {
    if (!this.found) return;
    this.found = null;
    this.members.clear();
    this.points.clear();
    this.parts.list.replaceChildren();
    this.parts.layer.querySelectorAll(".face, .unread").forEach((item) => item.remove());
    this.parts.stage.hidden = true;
    this.tell();
  }

  async look() {
    const { parts } = this;
    const frame = Math.max(Number.parseInt(parts.frame.value, 10) || 0, 0);
    parts.find.disabled = true;
    try {
      const source = await this.source.place();
      this.found = await ask("POST", "/faces", { source, frame });
      parts.image.src = `/faces/picture?${new URLSearchParams({ source, frame })}`;
      this.draw();
      this.points.goTo(frame);
    } finally {
      this.tell();
    }
  }

  draw() {
    const { width, height, faces, unread } = this.found;
    const { layer, stage } = this.parts;
    stage.hidden = false;
    stage.style.aspectRatio = `${width} / ${height}`;
    layer.setAttribute("viewBox", `0 0 ${width} ${height}`);
    layer.querySelectorAll(".face, .unread").forEach((item) => item.remove());
    for (const item of unread) {
      const group = svg("g", { class: "unread" });
      frameOf(group, item.box);
      svg("title", {}, group).textContent = item.reason;
      layer.insertBefore(group, this.points.group);
    }
    for (const face of faces) layer.insertBefore(this.shape(face), this.points.group);
  }

  shape(face) {
    const group = svg("g", { class: "face", tabindex: 0, role: "button", "aria-label": `Face ${face.id}` });
    group.dataset.face = face.index;
    const [left, top, right] = frameOf(group, face.box);
    const size = Math.max((right - left) / 5, this.found.width / 60);
    svg("text", { x: left, y: Math.max(top - size / 4, size), "font-size": size }, group).textContent = face.id;
    group.addEventListener("click", () => this.choose(String(face.index), face.id));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.choose(String(face.index), face.id);
    });
    for (const kind of ["dragenter", "dragover"]) {
      group.addEventListener(kind, (event) => { event.preventDefault(); group.classList.add("over"); });
    }
    for (const kind of ["dragleave", "drop"]) group.addEventListener(kind, () => group.classList.remove("over"));
    group.addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer.files[0];
      if (file) this.choose(String(face.index), face.id).take(file);
    });
    return group;
  }

  // The place for a face's performance, made on first use.
  choose(name, label) {
    const drop = this.place(name, label);
    drop.path.focus();
    return drop;
  }

  place(name, label) {
    const known = this.members.get(name);
    if (known) return known;
    const element = template.content.firstElementChild.cloneNode(true);
    element.querySelector("strong").textContent = label;
    element.querySelector(".path").setAttribute("aria-label", `Performance of ${label}`);
    element.querySelector(".leave").setAttribute("aria-label", `Leave ${label} as it is`);
    element.querySelector(".leave").addEventListener("click", () => {
      if (name === HAND) this.points.clear();
      this.remove(name);
      this.tell();
    });
    this.parts.list.append(element);
    const drop = new Drop(element, () => this.tell());
    this.members.set(name, drop);
    this.tell();
    return drop;
  }

  remove(name) {
    this.members.get(name)?.element.remove();
    this.members.delete(name);
  }

  byHand() {
    const count = this.parts.count.value;
    const start = () => {
      const guess = this.found.faces[0]?.points[count] ?? (count === "5" ? this.found.guess : null);
      this.points.begin(Number(count), this.found, guess);
      this.place(HAND, "by hand");
    };
    return this.found ? start() : this.look().then(start);
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.points.toJson()], { type: "application/json" }));
    link.download = `${this.source.name || "face"}-points.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  tell() {
    const { parts, found } = this;
    parts.find.disabled = !this.source.isSet;
    parts.hand.disabled = parts.load.disabled = !this.source.isSet;
    parts.save.disabled = parts.drop.disabled = !this.points.isSet;
    const all = found?.faces.length ?? 0;
    parts.follow.disabled = !all;
    const hidden = found?.unread.length ? `, ${found.unread.length} found and not read` : "";
    parts.words.textContent = found ? `${all} face${all === 1 ? "" : "s"}${hidden}. Click a face, or drop a clip on it.` : "";
    for (const shape of parts.layer.querySelectorAll(".face")) {
      shape.classList.toggle("cast", this.members.has(shape.dataset.face) || parts.follow.checked);
    }
    this.onChange();
  }

  get isFollowed() {
    return this.parts.follow.checked && !this.parts.follow.disabled;
  }

  // True where some face has its own performance: the form's own one may then be left out.
  get hasDriver() {
    return [...this.members.values()].some((member) => member.isSet);
  }

  // {settings, driving}: the job's settings for faces, and the first performance among them.
  async told() {
    const rows = [];
    for (const [name, member] of this.members) {
      const driving = member.isSet ? await member.place() : "";
      rows.push({ face: name, driving, points: name === HAND ? await this.send() : "" });
    }
    if (this.isFollowed) {
      const others = this.found.faces.map((face) => String(face.index)).filter((name) => !this.members.has(name));
      rows.push(...others.map((name) => ({ face: name, driving: "", points: "" })));
    }
    const driving = rows.find((row) => row.driving)?.driving ?? "";
    return { settings: rows.length ? { face: rows.map(entry) } : {}, driving };
  }

  async send() {
    const text = this.points.toJson();
    if (text !== this.sentText) {
      this.sentPath = (await upload(new File([text], "points.json"))).path;
      this.sentText = text;
    }
    return this.sentPath;
  }
}

// An entry of the setting ``face``: 0=clip.mp4, 0 (as above), or JSON where the face has points.
function entry({ face, driving, points }) {
  if (points) return JSON.stringify({ face, points, ...(driving && { driving }) });
  return driving ? `${face}=${driving}` : face;
}

function frameOf(group, [left, top, right, bottom]) {
  svg("rect", { x: left, y: top, width: right - left, height: bottom - top }, group);
  return [left, top, right, bottom];
}
