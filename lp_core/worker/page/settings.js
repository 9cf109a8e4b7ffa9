// Controls made from the schema: one for every setting, in the same words and with the same ranges as everywhere.

const LONGEST_SLIDER = 1e5;

const words = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

function options(schema) {
  const kinds = schema.anyOf ?? [schema];
  const kind = kinds.find((item) => item.type !== "null") ?? {};
  return { ...kind, default: schema.default, description: schema.description, nullable: kinds.length > 1 };
}

function control(kind, id) {
  if (kind.enum || kind.const) {
    const select = document.createElement("select");
    for (const value of kind.enum ?? [kind.const]) select.append(new Option(value, value));
    return select;
  }
  const input = document.createElement("input");
  input.id = id;
  if (kind.type === "boolean") input.type = "checkbox";
  else if (kind.type === "number" || kind.type === "integer") {
    // A slider over millions of frames could not be set to one of them.
    const limited = kind.maximum - kind.minimum <= LONGEST_SLIDER;
    input.type = limited ? "range" : "number";
    input.min = kind.minimum ?? "";
    input.max = kind.maximum ?? "";
    input.step = kind.type === "integer" ? 1 : limited ? niceStep(kind.maximum - kind.minimum) : "any";
  } else input.type = "text";
  return input;
}

export function niceStep(span) {
  return 10 ** Math.floor(Math.log10(span / 50));
}

// One labelled control; value() is undefined while it has its default.
export function makeSetting(name, kind, onChange, prefix) {
  const label = document.createElement("label");
  label.className = "setting";
  label.title = kind.description ?? "";
  const caption = document.createElement("span");
  caption.textContent = words(name);
  const input = control(kind, `${prefix}-${name}`);
  input.setAttribute("aria-label", words(name));
  label.append(caption, input);
  const start = kind.default ?? (kind.type === "boolean" ? false : "");
  let number = null;
  if (input.type === "range") {
    number = document.createElement("input");
    Object.assign(number, { type: "number", min: input.min, max: input.max, step: "any", tabIndex: -1 });
    number.setAttribute("aria-label", `${words(name)} as a number`);
    label.append(number);
  }
  const show = (value) => {
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
    if (number) number.value = value;
  };
  const read = () => {
    if (input.type === "checkbox") return input.checked;
    if (input.type === "range" || input.type === "number") return input.value === "" ? "" : Number(input.value);
    return input.value.trim();
  };
  const told = () => {
    label.classList.toggle("changed", read() !== start);
    onChange();
  };
  show(start);
  input.addEventListener("input", () => {
    if (number) number.value = input.value;
    told();
  });
  number?.addEventListener("input", () => {
    if (number.value !== "") input.value = number.value;
    told();
  });
  if (input.type === "range") label.addEventListener("dblclick", () => { show(start); told(); });
  return {
    name,
    element: label,
    value: () => (read() === start || read() === "" ? undefined : read()),
    current: () => (read() === "" ? null : read()),
    reset: () => { show(start); told(); },
    set: (value) => { show(value); told(); },
  };
}

// All settings of the render by group: {group: [setting]}; lists of texts have sliders of their own.
export function makeSettings(schema, onChange = () => {}, prefix = "setting") {
  const groups = {};
  for (const [group, about] of Object.entries(schema.part("RenderSettings").properties)) {
    const properties = schema.follow(about).properties;
    groups[group] = Object.entries(properties)
      .map(([name, value]) => [name, options(schema.follow(value))])
      .filter(([, kind]) => kind.type !== "array")
      .map(([name, kind]) => makeSetting(name, kind, onChange, prefix));
  }
  return groups;
}

export function makeSliders(infos, onChange = () => {}, prefix = "setting") {
  return infos.map((info) =>
    makeSetting(
      info.name,
      {
        type: "number", minimum: info.minimum, maximum: info.maximum, default: info.neutral ?? info.minimum,
        description: info.help,
      },
      onChange,
      prefix,
    ));
}

// Sliders that are not at rest, as the wire wants them.
export const edits = (sliders) =>
  sliders.filter((item) => item.value() !== undefined).map((item) => `${item.name}=${item.value()}`);

// What differs from the defaults, as the wire wants it.
export function changed(groups, sliders) {
  const settings = {};
  for (const [group, items] of Object.entries(groups)) {
    for (const item of items) {
      const value = item.value();
      if (value !== undefined) (settings[group] ??= {})[item.name] = value;
    }
  }
  const edit = edits(sliders);
  if (edit.length) (settings.sliders ??= {}).edit = edit;
  return settings;
}
