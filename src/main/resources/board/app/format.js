// Numbers and times for people.

/** Five digits at most, as short as they can be. */
export function short(x) {
  if (x === null || x === undefined || Number.isNaN(x)) {
    return "–";
  }
  const size = Math.abs(x);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) {
    return x.toExponential(2).replace(/\.?0+e/, "e");
  }
  for (const [unit, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
    if (size >= unit) {
      return (x / unit).toPrecision(4).replace(/\.?0+$/, "") + " " + letter;
    }
  }
  return String(+x.toPrecision(5));
}

export function bytes(n) {
  if (!n) {
    return "–";
  }
  const units = ["B", "kB", "MB", "GB", "TB"];
  const i = Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return +(n / 1000 ** i).toPrecision(3) + " " + units[i];
}

/** Seconds as 45 s, 12 min, 3 h 05. */
export function duration(seconds) {
  if (!(seconds >= 0)) {
    return "–";
  }
  if (seconds < 90) {
    return Math.round(seconds) + " s";
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? minutes + " min" : Math.floor(minutes / 60) + " h " + String(minutes % 60).padStart(2, "0");
}

/** As many digits as a column of losses needs. */
export const loss = (x) => x === null || x === undefined ? "–" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4
  ? x.toPrecision(4) : short(x);

/** A cell's number where it is one. */
export const value = (v) => v !== undefined && v !== null && v !== "" && !isNaN(v) ? Number(v) : v ?? "";
