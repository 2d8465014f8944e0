// Pictures before they are sent.

/** What servers take as a picture unless they are told otherwise. */
const TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"];

/** Width and height; `null` of a file that is no picture. */
export async function measure(file) {
  if (!TYPES.includes(file.type)) return null;
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    return null;
  }
}
