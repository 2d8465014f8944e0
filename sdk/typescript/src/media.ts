// Files on their way to the server. A message that has one is sent once the file is there.

import { ChatError, CLIENT_CODES } from "./errors.js";
import type { ImagePayload, Payload } from "./elements.js";
import type { UploadAnswer, UploadRequest } from "./wire.js";

export type MediaKind = UploadRequest["kind"];

/** A file of an app that has no DOM. */
export interface FileBytes {
  name: string;
  /** Its media type, such as `image/png`. */
  type?: string;
  data: Uint8Array | ArrayBuffer | Blob;
}

/** What a file can be given as. */
export type FileSource = Blob | FileBytes | HTMLInputElement | FileList | File[] | Blob[];

export interface Upload {
  kind: MediaKind;
  name: string;
  type: string;
  content: Blob;
  onProgress: ((fraction: number) => void) | undefined;
}

/** A file of a message that was not sent yet. */
export interface PendingUpload extends Upload {
  /** What the app said of it, such as how long it plays. */
  given: Record<string, unknown>;
  /** A picture out of a video. */
  snapshot: unknown;
}

/** What the server says of a file that it has. */
interface Uploaded {
  UUID: string;
  Url: string;
  Size: number;
  /** The usual ending of a file like this. */
  Format?: string;
  ImageFormat?: number;
  Width?: number;
  Height?: number;
  Thumbnails?: { Type: number; Url: string; Size: number; Width: number; Height: number }[];
}

const OTHER_IMAGE = 255;
const STATUS_OK_MIN = 200;
const STATUS_OK_MAX = 299;

export function prepareUpload(kind: MediaKind, source: unknown, onProgress?: (fraction: number) => void): Upload {
  const file = firstFile(source);
  if (file instanceof Blob) {
    return { kind, name: (file as File).name ?? kind, type: file.type, content: file, onProgress };
  }
  const bytes = file as FileBytes | undefined;
  if (!bytes?.data) throw new ChatError(CLIENT_CODES.BadFile, "payload.file is no file");
  const content = bytes.data instanceof Blob ? bytes.data : new Blob([bytes.data as BlobPart]);
  return { kind, name: bytes.name || kind, type: bytes.type ?? content.type, content, onProgress };
}

function firstFile(source: unknown): unknown {
  const files = (source as HTMLInputElement | null)?.files ?? source;
  const isList = Array.isArray(files) || (typeof FileList !== "undefined" && files instanceof FileList);
  return isList ? (files as FileList)[0] : files;
}

/** What a message shows before its file is there. */
export function draftPayload(upload: Upload, given: Record<string, unknown>): Payload {
  const url = globalThis.URL.createObjectURL(upload.content);
  const uploaded = { UUID: "", Url: url, Size: upload.content.size };
  return payloadOf(upload, uploaded, given);
}

/** The address that `draftPayload` made is of no use once the server has the file. */
export function releaseDraft(payload: Payload): void {
  const { url, fileUrl, videoUrl } = payload as Record<string, unknown>;
  const images = (payload as Partial<ImagePayload>).imageInfoArray ?? [];
  for (const it of new Set([url, fileUrl, videoUrl, ...images.map((info) => info.url)])) {
    if (typeof it === "string" && it.startsWith("blob:")) globalThis.URL.revokeObjectURL(it);
  }
}

/** Brings the file to the server; resolves with the payload that the message is sent with. */
export async function upload(
  it: Upload,
  given: Record<string, unknown>,
  base: string,
  permit: (request: UploadRequest) => Promise<UploadAnswer>,
): Promise<Payload> {
  const { kind, name, content } = it;
  const type = it.type || "application/octet-stream";
  const { upload_url } = await permit({ op: "upload", kind, name, size: content.size, type });
  const uploaded = await post(new URL(upload_url, base).href, it);
  it.onProgress?.(1);
  return payloadOf(it, uploaded, given);
}

async function post(url: string, it: Upload): Promise<Uploaded> {
  // Only this tells how far an upload is; Node has no use for that and does not know it.
  if (typeof XMLHttpRequest !== "undefined") return postWithProgress(url, it);
  const answer = await fetch(url, { method: "POST", body: it.content }).catch((error: unknown) => {
    throw failed(String(error));
  });
  return read(answer.status, await answer.text());
}

function postWithProgress(url: string, it: Upload): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = ({ loaded, total }) => it.onProgress?.(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(failed("the upload broke"));
    request.onload = () => {
      try {
        resolve(read(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.send(it.content);
  });
}

function read(status: number, text: string): Uploaded {
  let answer: Partial<Uploaded> & { ErrorCode?: number; ErrorInfo?: string; error?: { code: number; text: string } } = {};
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    // The status says enough.
  }
  const code = answer.error?.code ?? answer.ErrorCode;
  if (code) throw new ChatError(code, answer.error?.text ?? answer.ErrorInfo ?? "the upload was refused");
  if (status < STATUS_OK_MIN || status > STATUS_OK_MAX || !answer.Url) throw failed(`the upload was answered ${status}`);
  return answer as Uploaded;
}

function failed(text: string): ChatError {
  return new ChatError(CLIENT_CODES.NetworkError, text, undefined, true);
}

function payloadOf(it: Upload, uploaded: Uploaded, given: Record<string, unknown>): Payload {
  const { UUID, Url, Size } = uploaded;
  switch (it.kind) {
    case "image":
      return imagePayload(uploaded);
    case "sound": {
      const second = Math.round(Number(given.duration ?? 0));
      return { uuid: UUID, url: Url, remoteAudioUrl: Url, size: Size, second };
    }
    case "file":
      return { uuid: UUID, fileName: it.name, fileUrl: Url, fileSize: Size };
    case "video":
      return {
        videoUUID: UUID,
        videoUrl: Url,
        remoteVideoUrl: Url,
        videoFormat: uploaded.Format ?? "",
        videoSecond: Math.round(Number(given.duration ?? 0)),
        videoSize: Size,
        ...NO_SNAPSHOT,
      };
  }
}

const NO_SNAPSHOT = {
  thumbUUID: "",
  thumbUrl: "",
  snapshotUrl: "",
  thumbFormat: "",
  thumbSize: 0,
  thumbWidth: 0,
  thumbHeight: 0,
  snapshotWidth: 0,
  snapshotHeight: 0,
};

/** A picture out of a video, as the video's payload names it. */
export function snapshotOf(image: ImagePayload): Record<string, unknown> {
  const small = image.imageInfoArray.at(-1);
  if (!small) return NO_SNAPSHOT;
  return {
    thumbUUID: image.uuid,
    thumbUrl: small.url,
    snapshotUrl: small.url,
    thumbFormat: "JPG",
    thumbSize: small.size,
    thumbWidth: small.width,
    thumbHeight: small.height,
    snapshotWidth: small.width,
    snapshotHeight: small.height,
  };
}

function imagePayload(uploaded: Uploaded): ImagePayload {
  const original = {
    Type: 1,
    Url: uploaded.Url,
    Size: uploaded.Size,
    Width: uploaded.Width ?? 0,
    Height: uploaded.Height ?? 0,
  };
  const imageInfoArray = (uploaded.Thumbnails ?? [original]).map((info) => ({
    type: info.Type,
    sizeType: info.Type,
    size: info.Size,
    width: info.Width,
    height: info.Height,
    url: info.Url,
    imageUrl: info.Url,
  }));
  return { uuid: uploaded.UUID, imageFormat: uploaded.ImageFormat ?? OTHER_IMAGE, imageInfoArray };
}
