// Who logs in. A link may bring it along behind the #, where it reaches no server; it is taken out of the address bar at
// once, and kept for as long as the tab is open, so that a reload logs in again.

// Frames of one tab share what it keeps. Their names tell them apart.
const KEPT = `couplet.chat ${window.name}`.trim();
const NAMES = ["sdkappid", "userid", "usersig", "peer"];

export function fromLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  if (!link.has("sdkappid")) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return Object.fromEntries(NAMES.map((name) => [name, link.get(name)?.trim() ?? ""]));
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

export function keep(credentials) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(credentials));
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Nothing was kept.
  }
}
