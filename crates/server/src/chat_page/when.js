// Times and sizes as people say them: words in the language of the page, the clock and short dates as the reader is used to them.

import { capital } from "./dom.js";

const WORDS = "en";
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "2-digit", year: "2-digit" });
const weekday = new Intl.DateTimeFormat(WORDS, { weekday: "long" });
const shortDay = new Intl.DateTimeFormat(WORDS, { weekday: "short" });
const date = new Intl.DateTimeFormat(WORDS, { day: "numeric", month: "long" });
const dateWithYear = new Intl.DateTimeFormat(WORDS, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(WORDS, { numeric: "auto" });

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_DAYS = 7;
/** A month that long ago may be one of last year's. */
const YEAR_NEEDED_DAYS = 180;
const dayOf = (secs) => new Date(secs * 1000).setHours(0, 0, 0, 0);
const daysAgo = (secs) => Math.round((new Date().setHours(0, 0, 0, 0) - dayOf(secs)) / DAY_MS);

export const time = (secs) => clock.format(secs * 1000);
export const isSameDay = (a, b) => dayOf(a) === dayOf(b);

/** Between the messages of two days. */
export function day(secs) {
  const ago = daysAgo(secs);
  if (ago <= 1) return capital(relative.format(-Math.max(0, ago), "day"));
  if (ago < WEEK_DAYS) return weekday.format(secs * 1000);
  return (ago < YEAR_NEEDED_DAYS ? date : dateWithYear).format(secs * 1000);
}

/** In the list: as short as can be. */
export function moment(secs) {
  const ago = daysAgo(secs);
  if (ago <= 0) return time(secs);
  if (ago === 1) return "Yesterday";
  return (ago < WEEK_DAYS ? shortDay : shortDate).format(secs * 1000);
}

export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const shown = bytes / 1024 ** step;
  const format = new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: units[step],
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: step > 0 && shown < 10 ? 1 : 0,
  });
  return format.format(shown);
}
