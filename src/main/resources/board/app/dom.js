// Elements. A name from a file is always text, never HTML.

/** An element with classes and children; null children are left out. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return made;
}

export function button(text, onClick, className = "") {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

/** A choice of words: pairs of value and text. */
export function select(label, options, chosen, onChange) {
  const made = element("select");
  made.setAttribute("aria-label", label);
  for (const [value, text] of options) {
    const option = element("option", "", text);
    option.value = value;
    option.selected = value === chosen;
    made.append(option);
  }
  made.addEventListener("change", () => onChange(made.value));
  return made;
}

/** A name that may break behind slashes and dashes, and inside words only where nothing else helps. */
export function breakable(name) {
  const made = element("span", "name");
  name.split(/(?<=[/_.=-])/).forEach((part, i) => made.append(...(i ? [element("wbr")] : []), part));
  made.dir = "auto";
  made.title = name;
  return made;
}

/** A run's name beside its colour. */
export function named(run, colour, ...more) {
  const swatch = element("span", "swatch");
  swatch.style.background = colour;
  return element("div", "strip-name", swatch, breakable(run.name), ...more);
}

/**
 * Draws only what differs from what is there: sliders, focus and scrolling stay. What waits for an answer asks by what it is
 * given whether something newer has come meanwhile; what fails is drawn again.
 */
export async function keep(root, key, make) {
  if (root.dataset.key === key) {
    return;
  }
  root.dataset.key = key;
  try {
    await make(() => root.dataset.key !== key);
  } catch (e) {
    delete root.dataset.key;
    throw e;
  }
}

export const none = (what, how) => element("p", "card hint", `No ${what} in the runs that are shown. ${how}`);

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A dialog that Escape and its button close. */
export function dialog(title, ...children) {
  const box = element("dialog", "box", element("div", "box-head", element("h2", "", title),
    button("Close", () => box.close(), "quiet")), ...children);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (e) => { if (e.target === box) { box.close(); } });
  document.body.append(box);
  box.showModal();
  return box;
}

let library;

/** echarts is large: it is fetched when it is first needed. */
export function echartsLoaded() {
  library ??= new Promise((done, failed) => {
    const script = element("script");
    script.src = "echarts.js";
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return library;
}
