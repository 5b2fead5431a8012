import { describe, expect, it } from "vitest";
import { documentFormat, formatOfEnding, imageFormat, mediaTypeOf, videoFormat } from "./media-formats.ts";

const image = (mediaType: string, data = "AAAA") => imageFormat({ kind: "base64", mediaType, data });

describe("formats of media", () => {
  it("are read from the media type, whatever stands behind it", () => {
    expect(image("IMAGE/JPG; charset=utf-8")).toBe("jpeg");
    expect(documentFormat("text/markdown; charset=utf-8")).toBe("md");
    expect(documentFormat("application/json")).toBe("txt");
    expect(documentFormat("text/x-python")).toBe("txt");
    expect(documentFormat("application/zip")).toBeUndefined();
    expect(videoFormat("video/3gpp")).toBe("three_gp");
    expect(image("image/tiff")).toBeUndefined();
  });

  it.each([
    ["/9j/4AAQ", "jpeg"],
    ["iVBORw0KGgoAAAA", "png"],
    ["R0lGODlh", "gif"],
    ["UklGRgAA", "webp"],
    ["AAAA", undefined],
  ])("are seen in the first bytes where nobody says them: %s", (data, format) => {
    expect(image("image/*", data)).toBe(format);
    expect(image("", data)).toBe(format);
  });

  it("are read from the ending of a file in S3", () => {
    expect(formatOfEnding("s3://b/photo.JPG", "image")).toBe("jpeg");
    expect(formatOfEnding("s3://b/clip.3gp", "video")).toBe("three_gp");
    expect(formatOfEnding("s3://b/clip.mpg", "video")).toBe("mpg");
    expect(formatOfEnding("s3://b/paper.pdf", "image")).toBeUndefined();
    expect(formatOfEnding("s3://b/none", "document")).toBeUndefined();
  });

  it("have a media type each, which leads back to them", () => {
    for (const format of ["png", "jpeg", "gif", "webp"])
      expect(image(mediaTypeOf(format, "image") ?? "x")).toBe(format);
    for (const format of ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]) {
      expect(documentFormat(mediaTypeOf(format, "document") ?? "x")).toBe(format);
    }
    for (const format of ["mp4", "webm", "mov", "mkv", "flv", "mpeg", "wmv", "three_gp"]) {
      expect(videoFormat(mediaTypeOf(format, "video") ?? "x")).toBe(format);
    }
    expect(mediaTypeOf("mpg", "video")).toBe("video/mpeg");
    expect(mediaTypeOf("bmp", "image")).toBeUndefined();
  });
});
