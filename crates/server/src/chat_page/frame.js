// The page inside of another page of the same server: what that page is told, and what it may ask for. Pages of other
// servers cannot have it inside of them.

export const isEmbedded = window.parent !== window;

/** `facts`: `{ state }`, which is `connecting`, `online`, `kicked` or `login`, or `{ unread }` */
export function tell(facts) {
  if (isEmbedded) window.parent.postMessage({ chat: facts }, location.origin);
}

/** `take(text)` hears of texts that are to be put before the user. */
export function onSuggestion(take, signal) {
  const heard = ({ source, origin, data }) => {
    if (isEmbedded && source === window.parent && origin === location.origin && typeof data?.suggest === "string") take(data.suggest);
  };
  addEventListener("message", heard, { signal });
}

/** Of several frames that can be seen, only one has the user's attention. */
export function isLookedAt() {
  if (document.visibilityState !== "visible") return false;
  if (!isEmbedded) return document.hasFocus();
  const around = window.parent.document;
  return around.hasFocus() && around.activeElement === window.frameElement;
}
