// A job that a host program has prepared: it comes behind the # of the page's address, which no server ever sees.

import { ask } from "./api.js";

export function prepared() {
  const given = new URLSearchParams(location.hash.slice(1));
  const words = given.get("fill");
  history.replaceState(null, "", location.pathname);
  if (!words) return null;
  try {
    return { job: JSON.parse(words), name: given.get("prepared") };
  } catch {
    return null;
  }
}

// The host recognizes its job by the output, so that is not to be changed.
export function fill(form, job) {
  for (const name of ["source", "driving"]) form[name].path.value = job[name] ?? "";
  const output = document.querySelector("#output");
  output.value = job.output ?? "";
  output.readOnly = Boolean(job.output);
  const controls = new Map(Object.values(form.groups).flat().map((item) => [item.name, item]));
  for (const values of Object.values(job.settings ?? {})) {
    for (const [name, value] of Object.entries(values)) controls.get(name)?.set(value);
  }
  form.check();
}

// Cancel tells the host program, which waits for the job, that nobody will start it.
export function offerCancel(bar, name, problem) {
  bar.hidden = false;
  bar.querySelector("button").addEventListener("click", async () => {
    try {
      await ask("DELETE", `/prepared/${encodeURIComponent(name)}`);
    } catch (error) {
      problem(error);
      return;
    }
    location.reload();
  });
}
