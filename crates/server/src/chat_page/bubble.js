// One message, as it stands.

import { followable, loadable } from "./address.js";
import { h, icon } from "./dom.js";
import { size, time } from "./when.js";

/** Wide enough to see something, and no wider than half a screen. */
const PICTURE_WIDTH_PX_MAX = 330;
const PICTURE_HEIGHT_PX_MAX = 380;
const PICTURE_WIDTH_PX_MIN = 96;
/** What the server calls the middle of three sizes. */
const LARGE = 2;
const FEW_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u200d\ufe0f\s]){1,12}$/u;

/** `problem` says why it was not sent. `does`: `{ menu(message, button), retry(message), enlarge(url), preview(message) }` */
export function bubble(message, { follows, isNew, problem }, does) {
  const isOwn = message.flow === "out";
  const hasFailed = message.status === "fail";
  const content = message.isRevoked ? [h("p", {}, isOwn ? "You took this message back" : "This message was taken back")] : elements(message, does);
  const isBare = !message.isRevoked && content.length === 1 && content[0].matches(".picture, video");
  const isBig = !message.isRevoked && message.type === "TIMTextElem" && FEW_EMOJI.test(message.payload.text);
  const classes = ["message", isOwn && "own", follows && "follows", message.isRevoked && "gone", hasFailed && "failed", isNew && "new", isBig && "big"];
  // In the last line of a text, if there is room for it.
  const end = content.at(-1);
  const info = meta(message, isOwn);
  if (end?.matches("p")) end.append(info);
  else content.push(info);
  const canMenu = message.status === "success" && !message.isRevoked;
  const item = h(
    "li",
    { class: classes.filter(Boolean).join(" "), tabindex: -1 },
    h("div", { class: isBare ? "bubble bare" : "bubble" }, h("span", { class: "unseen" }, isOwn ? "You: " : `${message.nick || message.from}: `), ...content),
    canMenu && more(message, does),
    hasFailed && h("p", { class: "problem" }, problem ? `Not sent: ${problem}` : "Not sent", h("button", { type: "button", onclick: () => does.retry(message) }, "Try again")),
  );
  item.dataset.id = message.ID;
  return item;
}

/** With the keyboard, Enter on the message does the same, so that the Tab key need not stop at each of them. */
function more(message, does) {
  const attributes = { class: "plain more", type: "button", tabindex: -1, "aria-label": "What to do with this message", "aria-haspopup": "menu" };
  const button = h("button", attributes, icon("more"));
  button.addEventListener("click", () => does.menu(message, button));
  return button;
}

function meta(message, isOwn) {
  const state = { success: message.isPeerRead ? "read" : "sent", unSend: "waiting" }[message.status];
  const label = { read: "read", sent: "sent", waiting: "being sent" }[state];
  const mark = isOwn && state && !message.isRevoked && h("span", { class: state, role: "img", "aria-label": label, title: label }, icon(state));
  const isEdited = message.isModified && !message.isRevoked;
  return h("span", { class: "meta" }, isEdited && h("span", { class: "edited" }, "edited"), h("time", {}, time(message.time)), mark);
}

function elements(message, does) {
  return message.elements().map(({ type, payload }) => (SHOWN[type] ?? other)(payload, message, does));
}

const other = (payload) => h("p", { class: "soft" }, payload.description || payload.compatibleText || "A message that this page cannot show");

const SHOWN = {
  TIMTextElem: (payload) => h("p", {}, ...withLinks(payload.text)),
  TIMImageElem: picture,
  TIMFileElem: ({ fileName, fileUrl, fileSize }, message) => attachment(fileName || "File", fileUrl, fileSize, message),
  TIMVideoFileElem: video,
  TIMSoundElem: ({ url, size: bytes }, message) =>
    loadable(url) ? h("audio", { src: loadable(url), controls: true, preload: "metadata" }) : attachment("Voice message", url, bytes, message),
  TIMLocationElem: ({ description, latitude, longitude }) => h("p", {}, `${description || "Place"} (${latitude}, ${longitude})`),
};

function picture(payload, message, does) {
  const infos = payload.imageInfoArray ?? [];
  const original = infos.find(({ type }) => type === 1) ?? infos[0];
  if (!original) return h("p", { class: "soft" }, "Picture");
  const shown = infos.find(({ type }) => type === LARGE) ?? original;
  // What was sent from here is at hand already.
  const source = does.preview(message) ?? loadable(shown.url);
  if (!source) return attachment("Picture", original.url, original.size, message);
  const image = h("img", { src: source, alt: "Picture", loading: "lazy" });
  const attributes = { class: "picture", type: "button", "aria-label": "Enlarge the picture", onclick: () => does.enlarge(loadable(original.url) ?? source) };
  const button = h("button", { ...attributes, ...room(shown) }, image, progress(message));
  image.addEventListener("error", () => button.replaceWith(h("p", { class: "soft" }, "This picture is not there any more")));
  return button;
}

/** The room is there before the picture is, so that nothing jumps. */
function room({ width = 0, height = 0 }) {
  if (!(width > 0 && height > 0)) return {};
  const scale = Math.min(1, PICTURE_WIDTH_PX_MAX / width, PICTURE_HEIGHT_PX_MAX / height);
  return { "--width": `${Math.max(PICTURE_WIDTH_PX_MIN, Math.round(width * scale))}px`, "--ratio": `${width} / ${height}` };
}

function video(payload, message) {
  const { videoUrl, thumbUrl, videoSize } = payload;
  const source = loadable(videoUrl);
  if (!source || message.status !== "success") return attachment("Video", videoUrl, videoSize, message);
  return h("video", { src: source, poster: loadable(thumbUrl), controls: true, preload: "metadata" });
}

function attachment(name, url, bytes, message) {
  const address = message.status === "success" ? followable(url) : null;
  const content = [icon("file"), h("b", {}, name), h("span", {}, bytes ? size(bytes) : ""), progress(message)];
  if (!address) return h("div", { class: "file" }, ...content);
  return h("a", { class: "file", href: address, target: "_blank", rel: "noopener noreferrer", download: name }, ...content);
}

const progress = (message) => message._upload && message.status === "unSend" && h("span", { class: "progress", role: "presentation" }, h("i"));

/** Only what says itself that it is a web address. */
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/).map((part, at) =>
    at % 2 === 0 ? part : h("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part),
  );
}
