import type { Source } from "#domain/request";

const imageTypes: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"]);

/** First base64 characters of each format's magic bytes. */
const magic: readonly (readonly [start: string, mediaType: string])[] = [
  ["/9j/", "image/jpeg"],
  ["iVBORw0KGgo", "image/png"],
  ["UklGR", "image/webp"],
];

/** What callers write as `format`, in Google's words (ai.google.dev/gemini-api/docs/audio, and Vertex's list, 2026-11). */
const audioTypes: ReadonlyMap<string, string> = new Map([
  ["wav", "audio/wav"],
  ["mp3", "audio/mp3"],
  ["mpeg", "audio/mpeg"],
  ["mpga", "audio/mpga"],
  ["mp4", "audio/mp4"],
  ["m4a", "audio/m4a"],
  ["aiff", "audio/aiff"],
  ["aac", "audio/aac"],
  ["ogg", "audio/ogg"],
  ["opus", "audio/opus"],
  ["flac", "audio/flac"],
  ["webm", "audio/webm"],
]);

const typeOfExtension: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["webp", "image/webp"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
  ["pdf", "application/pdf"],
  ["txt", "text/plain"],
  ["html", "text/html"],
  ["csv", "text/csv"],
  ["xml", "text/xml"],
  ["json", "application/json"],
  ["mp4", "video/mp4"],
  ["mov", "video/mov"],
  ["mpeg", "video/mpeg"],
  ["webm", "video/webm"],
]);

/** What callers write (`image/jpg`, `image/*`, nothing) is settled by the bytes where the word does not do. */
export function imageType(source: { readonly mediaType: string; readonly data: string }): string | undefined {
  const said = bareType(source.mediaType);
  if (imageTypes.has(said)) return said;
  if (said !== "" && said !== "image/*" && said !== "image/jpg") return undefined;
  return (
    magic.find(([start]) => source.data.startsWith(start))?.[1] ?? (said === "image/jpg" ? "image/jpeg" : undefined)
  );
}

export function audioType(format: string): string | undefined {
  const word = bareType(format).replace(/^audio\/(?:x-)?/u, "");
  return audioTypes.get(word);
}

export function isTextType(mediaType: string): boolean {
  const type = bareType(mediaType);
  return type.startsWith("text/") || type === "application/json";
}

/** Without parameters, in lower case. */
export function bareType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

/** What an address leads to, by the end of its path. */
export function typeOfAddress(url: string): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return typeOfExtension.get(/\.(\w+)$/u.exec(path)?.[1]?.toLowerCase() ?? "");
}

const video = /^https?:\/\/(?:(?:www|m)\.)?(?:youtube\.com|youtu\.be)\//iu;
const kept = /^(?:gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/(?:v\w+\/)?files\/)/iu;

/**
 * Who can fetch an address: Google its own files and YouTube's for every model, the web's for models since 2.5 (pictures
 * and documents alone; ai.google.dev/gemini-api/docs/file-input-methods, 2026-01).
 */
export function placeOf({ url }: Extract<Source, { kind: "url" }>): "youtube" | "google" | "web" | "elsewhere" {
  if (video.test(url)) return "youtube";
  if (kept.test(url)) return "google";
  return /^https?:\/\//iu.test(url) ? "web" : "elsewhere";
}
