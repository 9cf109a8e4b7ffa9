// A place to drop, choose or name a file; the file is sent when a job needs its path.

import { upload } from "./api.js";

export class Drop {
  constructor(element, onChange) {
    this.element = element;
    this.file = null;
    this.sent = null;
    this.show = element.querySelector(".show");
    this.hint = this.show.innerHTML;
    this.path = element.querySelector(".path");
    this.onChange = onChange;
    const picker = element.querySelector("input[type=file]");
    element.querySelector(".choose").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => picker.files[0] && this.take(picker.files[0]));
    this.path.addEventListener("input", () => {
      if (this.path.value) this.clear();
      onChange();
    });
    for (const kind of ["dragenter", "dragover"]) {
      element.addEventListener(kind, (event) => { event.preventDefault(); element.classList.add("over"); });
    }
    for (const kind of ["dragleave", "drop"]) {
      element.addEventListener(kind, () => element.classList.remove("over"));
    }
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files[0]) this.take(event.dataTransfer.files[0]);
    });
  }

  take(file) {
    this.clear();
    this.path.value = "";
    this.file = file;
    const kind = file.type.startsWith("video/") ? "video" : file.type.startsWith("image/") ? "img" : null;
    if (kind) {
      const view = document.createElement(kind);
      view.src = this.url = URL.createObjectURL(file);
      Object.assign(view, { muted: true, autoplay: true, loop: true, playsInline: true, alt: file.name });
      this.show.replaceChildren(view);
    } else this.show.textContent = file.name;
    this.onChange();
  }

  write(name) {
    this.clear();
    this.path.value = name;
    this.onChange();
  }

  clear() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.file = this.sent = this.url = null;
    this.show.innerHTML = this.hint;
  }

  get isSet() {
    return this.file !== null || this.path.value.trim() !== "";
  }

  get name() {
    const whole = this.file?.name ?? this.path.value.trim();
    return whole.split(/[\\/:]/).pop().replace(/\.[^.]*$/, "");
  }

  // Path on the worker's machine; a file is sent once.
  async place() {
    if (this.file === null) return this.path.value.trim();
    this.sent ??= (await upload(this.file)).path;
    return this.sent;
  }
}
