// Loaded before a gateway (`--import`): each request costs so many microseconds of processor time more.
import { Server } from "node:http";

const burnMicros = Number(process.env["BURN_MICROS"]);
const emit = Reflect.get(Server.prototype, "emit") as (
  this: Server,
  name: string,
  ...rest: readonly unknown[]
) => boolean;

Server.prototype.emit = function emitSlowly(this: Server, name: string, ...rest: readonly unknown[]): boolean {
  if (name === "request") for (const until = performance.now() + burnMicros / 1000; performance.now() < until;);
  return Reflect.apply(emit, this, [name, ...rest]);
} as Server["emit"];
