// Requests to the worker that serves this page; every failure is an Error with the worker's own sentence.

export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof Blob) {
    options.body = body;
    options.headers["Content-Type"] = "application/octet-stream";
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The worker does not answer; is it still running?");
  }
  const text = await answer.text();
  const values = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(values?.message ?? `The worker refused with code ${answer.status}.`);
  return values;
}

export const upload = (file) => ask("POST", `/uploads?name=${encodeURIComponent(file.name.slice(-200))}`, file);

// The JSON schema of a component, and of what it refers to.
export class Schema {
  constructor(openapi) {
    this.parts = openapi.components.schemas;
    this.paths = openapi.paths;
  }
  part(name) {
    return this.parts[name];
  }
  follow(value) {
    const found = value.$ref ? this.parts[value.$ref.split("/").pop()] : value;
    return { ...found, ...value };
  }
}
