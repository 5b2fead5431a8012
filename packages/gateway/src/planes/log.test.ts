import { describe, expect, it } from "vitest";
import { openLog, type LogStyle } from "./log.ts";

function logged(style: LogStyle, message: string, fields?: Parameters<ReturnType<typeof openLog>["info"]>[1]): string {
  let text = "";
  const log = openLog({ style, from: "w1", wallMs: () => 0, write: (line) => (text += line) });
  log.warn(message, fields);
  return text;
}

describe("the log", () => {
  it("writes one JSON object a line for machines", () => {
    expect(JSON.parse(logged("json", "a worker\nended", { pid: 7, how: "SIGKILL" }))).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      level: "warn",
      from: "w1",
      message: "a worker\nended",
      pid: 7,
      how: "SIGKILL",
    });
  });

  it("writes one plain line for people, whatever a name holds", () => {
    const text = logged("plain", "route \u001b[31mred\nfake line", { names: ["a", "b\r\nc"], absent: undefined });
    expect(text).toBe("1970-01-01T00:00:00.000Z warn  w1: route  [31mred fake line names=a,b  c\n");
  });
});
