// What the page may load. Its rules allow pictures, sounds and videos of its own server, and those in memory.

const OF_MEDIA = "/media/";

/** Where to load a picture, a sound or a video from; `null` if it lies somewhere else. */
export function loadable(url) {
  if (!url) return null;
  if (url.startsWith("blob:")) return url;
  const { origin, pathname, search } = new URL(url, location.href);
  // The address of a file begins with the name by which its sender calls the server. Here it may have another one.
  const at = pathname.indexOf(OF_MEDIA);
  if (at >= 0) return pathname.slice(at) + search;
  return origin === location.origin ? pathname + search : null;
}

/** Where a link may lead; `null` if it is no web address. */
export function followable(url) {
  return loadable(url) ?? (/^https?:\/\//.test(url ?? "") ? url : null);
}
