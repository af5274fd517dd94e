// Tells by the browser when a run ends or the doctor finds something, if it is allowed to.
import { find } from "../runs/store.js";

let on = localStorage.getItem("notify") === "1";
const known = new Map(); // by run: findings that were told

export function start(button, say) {
  const draw = () => {
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Notifying" : "Notify";
  };
  draw();
  button.addEventListener("click", async () => {
    if (!on && (!("Notification" in window) || await Notification.requestPermission() !== "granted")) {
      say("The browser does not allow notifications for this page.", true);
      return;
    }
    on = !on;
    localStorage.setItem("notify", on ? "1" : "0");
    say(on ? "You are told when a run ends or the doctor finds something, while this page is open." : "Nothing is told any more.");
    draw();
  });
}

const tell = (text) => on && "Notification" in window && Notification.permission === "granted"
  && new Notification("lora-native", { body: text, tag: text });

/** Compares rows that changed with what they were. */
export function look(names) {
  for (const name of names) {
    const run = find(name);
    if (!run) {
      continue;
    }
    if (run.before === "running" && run.state !== "running") {
      tell(`${name}: ${run.state}${run.message ? ", " + run.message : ""}`);
    }
    const bad = run.findings.filter((f) => f.severity === "error" || f.severity === "warning");
    const told = known.get(name);
    if (told && run.state === "running") {
      bad.filter((f) => !told.has(f.kind)).forEach((f) => tell(`${name}: ${f.title}, from step ${f.step}`));
    }
    known.set(name, new Set(bad.map((f) => f.kind)));
  }
}
