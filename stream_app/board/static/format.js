// Numbers as people read them. Everything returns {text, unit}; what is not known is "N/A", never 0.

const counts = new Intl.NumberFormat("en");
export const NOT_AVAILABLE = Object.freeze({ text: "N/A", unit: "" });

const WINDOW_NAMES = {
  now: "now", today: "today", "5m": "5 min", "15m": "15 min", "30m": "30 min", "60m": "60 min", "7d": "7 days", "28d": "28 days",
};

export function windowName(window) {
  return WINDOW_NAMES[window] ?? window;
}

export function isKnown(value) {
  return typeof value === "number" && Number.isFinite(value);
}

export function value(row, { signed = false } = {}) {
  if (!row || !isKnown(row.value)) return NOT_AVAILABLE;
  if (row.unit === "ratio") return share(row.value);
  if (row.unit === "seconds") return duration(row.value);
  if (row.unit === "score") return row.kpi === "nps" ? { text: sign(Math.round(row.value)), unit: "" } : { text: row.value.toFixed(1), unit: "" };
  return { text: signed ? sign(row.value) : counts.format(row.value), unit: row.unit ?? "" };
}

export function share(ratio) {
  const percent = ratio * 100;
  return { text: percent === 0 || percent === 100 ? String(percent) : percent.toFixed(1), unit: "%" };
}

export function count(number) {
  return isKnown(number) ? counts.format(number) : NOT_AVAILABLE.text;
}

// Two units at most: 42 s, 3:07 min, 5:12 h, 3.4 days.
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return { text: seconds < 10 && seconds % 1 !== 0 ? seconds.toFixed(1) : String(whole), unit: "s" };
  if (whole < 3600) return { text: `${Math.floor(whole / 60)}:${pad(whole % 60)}`, unit: "min" };
  if (whole < 172800) return { text: `${Math.floor(whole / 3600)}:${pad(Math.floor((whole % 3600) / 60))}`, unit: "h" };
  return { text: (whole / 86400).toFixed(1), unit: "days" };
}

// A running clock: seconds are always seen, so that it is seen to run.
export function running(milliseconds) {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(whole / 3600);
  const rest = `${hours ? pad(Math.floor((whole % 3600) / 60)) : Math.floor(whole / 60)}:${pad(whole % 60)}`;
  if (hours >= 48) return { text: `${Math.floor(hours / 24)} d ${hours % 24} h`, unit: "" };
  return hours ? { text: `${hours}:${rest}`, unit: "h" } : { text: rest, unit: "min" };
}

// Ages in words, short: "4 s", "2 min 14 s", "3 h 5 min", "2 d".
export function age(milliseconds) {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d`;
}

// The same in one unit, for small places.
export function shortAge(milliseconds) {
  const words = age(milliseconds).split(" ");
  return words.slice(0, 2).join(" ");
}

export function makeClock(zone) {
  const shared = { timeZone: zone, hourCycle: "h23" };
  let time, date;
  try {
    time = new Intl.DateTimeFormat("en-GB", { ...shared, hour: "2-digit", minute: "2-digit", second: "2-digit" });
    date = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric" });
  } catch {
    return makeClock("UTC");
  }
  return { time: (instant) => time.format(instant), date: (instant) => date.format(instant) };
}

function sign(number) {
  return number > 0 ? `+${counts.format(number)}` : number < 0 ? `−${counts.format(-number)}` : "0";
}

function pad(number) {
  return String(number).padStart(2, "0");
}

// How wide a number is, in digits: what decides whether it needs smaller type.
export function breadth(text) {
  return [...text].reduce((sum, character) => sum + (".,: ".includes(character) ? 0.5 : 1), 0);
}
