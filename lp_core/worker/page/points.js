// Points of a face set by hand: 5 or 9 handles over an image, with the mesh that they give.

import { ask } from "./api.js";

const NAMES = {
  5: ["Eye", "Other eye", "Nose tip", "Mouth corner", "Other mouth corner"],
  9: ["Eye corner", "Inner eye corner", "Other inner eye corner", "Other eye corner", "Nose tip", "Mouth corner",
    "Other mouth corner", "Upper lip", "Lower lip"],
};
const REST = {
  5: [[-0.12, -0.08], [0.12, -0.08], [0, 0.04], [-0.08, 0.14], [0.08, 0.14]],
  9: [[-0.17, -0.08], [-0.07, -0.08], [0.07, -0.08], [0.17, -0.08], [0, 0.04], [-0.08, 0.14], [0.08, 0.14], [0, 0.12],
    [0, 0.17]],
};
const SVG = "http://www.w3.org/2000/svg";
const WAIT_MS = 60;

export const svg = (name, values = {}, parent = null) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
};

export class HandPoints {
  // layer: <svg> whose units are pixels of the frame; onChange: after every move.
  constructor(layer, onProblem, onChange) {
    this.group = svg("g", { class: "points" }, layer);
    this.layer = layer;
    this.onProblem = onProblem;
    this.onChange = onChange;
    this.frame = 0;
    this.clear();
  }

  clear() {
    this.keys = new Map();
    this.group.replaceChildren();
    clearTimeout(this.timer);
  }

  get isSet() {
    return this.keys.size > 0;
  }

  get points() {
    return this.keys.get(this.frame) ?? [...this.keys.values()].at(-1);
  }

  // Five or nine points to begin with; without a guess, in the middle of the frame.
  begin(count, size, guess = null) {
    this.size = size;
    const unit = Math.min(size.width, size.height);
    const rest = REST[count].map(([x, y]) => [size.width / 2 + x * unit, size.height / 2 + y * unit]);
    this.keys = new Map([[this.frame, (guess ?? rest).map((point) => [...point])]]);
    this.show();
  }

  // The frame that is shown: what is moved there becomes a separate key.
  goTo(frame) {
    this.frame = frame;
    if (this.isSet) this.show();
  }

  show() {
    this.group.replaceChildren();
    this.mesh = svg("path", { class: "mesh" }, this.group);
    this.contours = svg("path", { class: "contours" }, this.group);
    const points = this.points;
    const radius = Math.max(this.size.width, this.size.height) / 90;
    points.forEach(([x, y], index) => {
      const handle = svg("circle", {
        class: "handle", cx: x, cy: y, r: radius, tabindex: 0, role: "slider", "aria-label": NAMES[points.length][index],
        "aria-valuetext": `${Math.round(x)}, ${Math.round(y)}`, "aria-valuenow": Math.round(x),
      }, this.group);
      handle.addEventListener("pointerdown", (event) => this.drag(event, handle, index));
      handle.addEventListener("keydown", (event) => this.nudge(event, handle, index));
    });
    this.fit();
    this.onChange();
  }

  drag(down, handle, index) {
    down.preventDefault();
    handle.focus();
    handle.setPointerCapture(down.pointerId);
    const move = (event) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.layer.getScreenCTM().inverse());
      this.move(handle, index, place.x, place.y);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", move), { once: true });
  }

  nudge(event, handle, index) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.points[index];
    const far = event.shiftKey ? 10 : 1;
    this.move(handle, index, x + step[0] * far, y + step[1] * far);
  }

  move(handle, index, x, y) {
    const points = this.points.map((point) => [...point]);
    points[index] = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
    this.keys.set(this.frame, points);
    handle.setAttribute("cx", x);
    handle.setAttribute("cy", y);
    handle.setAttribute("aria-valuetext", `${Math.round(x)}, ${Math.round(y)}`);
    handle.setAttribute("aria-valuenow", Math.round(x));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fit(), WAIT_MS);
    this.onChange();
  }

  // Asks for the mesh through the points; an answer that is late is dropped.
  async fit() {
    const points = this.points;
    if (!points) return;
    try {
      const lines = await ask("POST", "/faces/mesh", { points });
      if (points !== this.points) return;
      this.mesh.setAttribute("d", lines.mesh);
      this.contours.setAttribute("d", lines.contours);
      this.onProblem(null);
    } catch (error) {
      this.onProblem(error);
    }
  }

  toJson() {
    const head = { schema: "lpsuite.points", version: 1 };
    const keys = [...this.keys].sort(([one], [other]) => one - other);
    const body = keys.length === 1 && keys[0][0] === 0 ? { points: keys[0][1] }
      : { keys: keys.map(([frame, points]) => ({ frame, points })) };
    return JSON.stringify({ ...head, ...body });
  }

  fromJson(text, size) {
    const table = JSON.parse(text);
    const rows = table.keys ?? [{ frame: 0, points: table.points }];
    const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
    const isFine = table.schema === "lpsuite.points" && Array.isArray(rows) && rows.length && rows.every((row) =>
      Number.isInteger(row.frame) && NAMES[row.points?.length] && row.points.every(isPoint));
    if (!isFine) throw new Error("This is not a file of points; docs/faces.md shows one.");
    this.size = size;
    this.keys = new Map(rows.map((row) => [row.frame, row.points]));
    this.show();
  }
}
