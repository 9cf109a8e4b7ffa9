// A portrait that talks at once, over WebRTC.

import { ask } from "./api.js";

export class Talk {
  // words: gives {text, voice, speed}; problem: takes an Error.
  constructor(element, portrait, words, problem) {
    const find = (name) => element.querySelector(name);
    this.portrait = portrait;
    this.words = words;
    this.problem = problem;
    this.parts = {
      begin: find(".begin"), say: find(".say"), interrupt: find(".interrupt"), end: find(".end"),
      video: find("video"), state: find(".talk-state"),
    };
    const act = (button, work) => button.addEventListener("click", () => this.tried(work));
    act(this.parts.begin, () => this.begin());
    act(this.parts.say, () => this.say());
    act(this.parts.interrupt, () => ask("POST", `/talking/${this.id}/interrupt`));
    act(this.parts.end, () => this.end());
    addEventListener("pagehide", () => this.id && fetch(`/talking/${this.id}`, { method: "DELETE", keepalive: true }));
  }

  async tried(work) {
    this.problem(null);
    try {
      await work();
    } catch (error) {
      this.problem(error);
    }
    this.check(this.hasText);
  }

  check(hasText) {
    this.hasText = hasText;
    this.parts.begin.disabled = !this.portrait.isSet || Boolean(this.peer);
    this.parts.say.disabled = !this.isReady || !hasText;
    this.parts.interrupt.disabled = this.parts.end.disabled = !this.peer;
  }

  tell(words) {
    this.parts.state.textContent = words;
  }

  async begin() {
    this.tell("preparing the portrait");
    this.peer = new RTCPeerConnection();
    this.check(this.hasText);
    try {
      const portrait = await this.portrait.place();
      const offer = await ask("POST", "/talking", { portrait });
      this.id = offer.id;
      this.listen(this.peer);
      await this.peer.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      await this.peer.setLocalDescription(await this.peer.createAnswer());
      await ask("POST", `/talking/${this.id}/answer`, { sdp: this.peer.localDescription.sdp });
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  listen(peer) {
    const stream = new MediaStream();
    this.parts.video.srcObject = stream;
    peer.addEventListener("track", ({ track }) => stream.addTrack(track));
    peer.addEventListener("datachannel", ({ channel }) => {
      this.channel = channel;
      channel.addEventListener("message", ({ data }) => this.heard(data));
    });
    peer.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(peer.connectionState) && peer === this.peer) this.end();
    });
  }

  // stream/ready, stream/started:{...}, stream/done:{...}, stream/error:{...}
  heard(data) {
    const at = data.indexOf(":");
    const kind = at < 0 ? data : data.slice(0, at);
    const facts = at < 0 ? {} : JSON.parse(data.slice(at + 1));
    this.parts.video.dispatchEvent(new CustomEvent("talk", { detail: { kind, facts, time: performance.now() } }));
    if (kind === "stream/ready") {
      this.isReady = true;
      this.tell("listening to your text");
    } else if (kind === "stream/started") this.tell(`speaking (synthetic voice ${facts.voice})`);
    else if (kind === "stream/done") this.tell("listening to your text");
    else if (kind === "stream/error") this.problem(new Error(facts.message));
    this.check(this.hasText);
  }

  async say() {
    await ask("POST", `/talking/${this.id}/text`, this.words());
  }

  async end() {
    const { id, peer } = this;
    this.id = this.peer = null;
    this.isReady = false;
    this.parts.video.srcObject = null;
    this.tell("");
    peer?.close();
    if (id) await ask("DELETE", `/talking/${id}`).catch(() => {});
    this.check(this.hasText);
  }
}
