// Requests to the worker that serves this page; every failure is an Error with the worker's own sentence.

async function answered(method, path, body) {
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
  if (answer.ok) return answer;
  const values = await answer.json().catch(() => null);
  throw new Error(values?.message ?? `The worker refused with code ${answer.status}.`);
}

export async function ask(method, path, body) {
  const text = await (await answered(method, path, body)).text();
  return text ? JSON.parse(text) : null;
}

// The same for an answer that is a file.
export const askBlob = async (method, path, body) => (await answered(method, path, body)).blob();

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
