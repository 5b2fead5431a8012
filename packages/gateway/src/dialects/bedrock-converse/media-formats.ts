import type { Source } from "#domain/request";

/** Formats that Converse has a word for, by media type (Bedrock's reference: `ImageBlock`, `DocumentBlock`, …). */
const images: ReadonlyMap<string, string> = new Map([
  ["image/png", "png"],
  ["image/jpeg", "jpeg"],
  ["image/jpg", "jpeg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
]);

const documents: ReadonlyMap<string, string> = new Map([
  ["application/pdf", "pdf"],
  ["text/csv", "csv"],
  ["application/msword", "doc"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"],
  ["application/vnd.ms-excel", "xls"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
  ["text/html", "html"],
  ["text/plain", "txt"],
  ["text/markdown", "md"],
]);

const videos: ReadonlyMap<string, string> = new Map([
  ["video/mp4", "mp4"],
  ["video/webm", "webm"],
  ["video/quicktime", "mov"],
  ["video/x-matroska", "mkv"],
  ["video/x-flv", "flv"],
  ["video/mpeg", "mpeg"],
  ["video/x-ms-wmv", "wmv"],
  ["video/3gpp", "three_gp"],
]);

const audioFormats: ReadonlySet<string> = new Set(
  "aac flac m4a mka mkv mp3 mp4 mpeg mpga ogg opus pcm wav webm x-aac".split(" "),
);

/** First base64 characters of each format's magic bytes. */
const magic: readonly (readonly [start: string, format: string])[] = [
  ["/9j/", "jpeg"],
  ["iVBORw0KGgo", "png"],
  ["R0lGOD", "gif"],
  ["UklGR", "webp"],
];

/** What callers write (`image/*`, nothing) is settled by the bytes where the word does not do. */
export function imageFormat(source: Extract<Source, { kind: "base64" }>): string | undefined {
  const said = bareType(source.mediaType);
  if (said !== "" && said !== "image/*") return images.get(said);
  return magic.find(([start]) => source.data.startsWith(start))?.[1];
}

/** Other kinds of text and JSON are read as plain text. */
export function documentFormat(mediaType: string): string | undefined {
  const said = bareType(mediaType);
  return documents.get(said) ?? (said.startsWith("text/") || said === "application/json" ? "txt" : undefined);
}

export function videoFormat(mediaType: string): string | undefined {
  return videos.get(bareType(mediaType));
}

export function audioFormat(format: string): string | undefined {
  return audioFormats.has(format) ? format : undefined;
}

/** The format of a file in S3, by its name's ending. */
export function formatOfEnding(url: string, kind: "image" | "document" | "video"): string | undefined {
  const ending = /\.([a-z0-9]+)$/u.exec(url.toLowerCase())?.[1] ?? "";
  const format = ending === "jpg" ? "jpeg" : ending === "3gp" ? "three_gp" : ending;
  return [...mapOf(kind).values()].includes(format) || (kind === "video" && format === "mpg") ? format : undefined;
}

/** The media type of a format: the first of its names. */
export function mediaTypeOf(format: string, kind: "image" | "document" | "video"): string | undefined {
  if (kind === "video" && format === "mpg") return "video/mpeg";
  return [...mapOf(kind)].find(([, word]) => word === format)?.[0];
}

function mapOf(kind: "image" | "document" | "video"): ReadonlyMap<string, string> {
  return kind === "image" ? images : kind === "document" ? documents : videos;
}

function bareType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}
