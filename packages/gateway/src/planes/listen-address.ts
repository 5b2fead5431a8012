import type { SendHandle } from "node:child_process";
import * as net from "node:net";
import type { ListenAddress } from "./messages.ts";

export type Prepared =
  | { readonly kind: "prepared"; readonly listen: ListenAddress; readonly handed?: HandedAddress }
  | { readonly kind: "failed"; readonly message: string; readonly code?: string };

/** A bound address that is the supervisor's to give to workers, and to close in the end. */
export interface HandedAddress {
  readonly handle: SendHandle;
  close(): void;
}

export interface PrepareOptions {
  readonly host: string;
  readonly port: number;
  /** The port may be held by workers of our own that are about to leave it. */
  readonly shareWithOrphans: boolean;
  /** For tests: how it is done on systems of the other kind. */
  readonly how?: ListenAddress["how"];
}

/** Why an address cannot be listened on, and what to do. `code` is the system's. */
export function explainListenFailure(
  failed: { readonly message: string; readonly code?: string | undefined },
  { host, port }: { readonly host: string; readonly port: number },
): string {
  switch (failed.code) {
    case "EADDRINUSE":
      return `port ${port} on ${host} is in use by another program; stop it, or choose another port with --port (0 takes a free one)`;
    case "EACCES":
      return `port ${port} on ${host} may not be used by this user; choose one above 1023 with --port`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} is no address of this machine; choose another with --host`;
    default:
      return `cannot start on ${host}:${port}: ${failed.message}`;
  }
}

/** Finds out how workers can share a port here, and that nobody else has it. */
export async function prepareListening(options: PrepareOptions): Promise<Prepared> {
  const { host, port } = options;
  const unusable = await tryListen({ host, port: 0 });
  if (unusable !== undefined) return failed(unusable);
  const how =
    options.how ?? ((await tryListen({ host, port: 0, reusePort: true })) === undefined ? "shared" : "handed");
  if (how === "handed") return handOver(host, port);
  if (port !== 0 && !options.shareWithOrphans) {
    // Binding with `reusePort` succeeds beside another program that does the same, and each would get half the calls.
    const error = await tryListen({ host, port });
    if (error !== undefined) return failed(error);
  }
  return { kind: "prepared", listen: { host, port, how } };
}

function tryListen(options: net.ListenOptions): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", resolve);
    try {
      server.listen(options, () => server.close(() => resolve(undefined)));
    } catch (error) {
      resolve(error as NodeJS.ErrnoException);
    }
  });
}

function failed({ message, code }: NodeJS.ErrnoException): Prepared {
  return { kind: "failed", message, ...(code === undefined ? {} : { code }) };
}

interface BoundHandle {
  close(): void;
}

/**
 * Binds the address without accepting from it, so that only workers do. It is how `node:cluster` shares a port with
 * `SCHED_NONE`; a listening `net.Server` would take its part of the connections.
 */
async function handOver(host: string, port: number): Promise<Prepared> {
  const create = (net as unknown as Record<string, unknown>)["_createServerHandle"] as (
    address: string,
    port: number,
    family: 4 | 6,
  ) => BoundHandle | number;
  const address = net.isIP(host) === 0 ? await resolveHost(host) : host;
  const handle = create(address, port, net.isIPv6(address) ? 6 : 4);
  if (typeof handle === "number") {
    return failed((await tryListen({ host, port })) ?? new Error(`error ${handle} of the system`));
  }
  return {
    kind: "prepared",
    listen: { host, port, how: "handed" },
    handed: { handle: handle as unknown as SendHandle, close: () => handle.close() },
  };
}

async function resolveHost(host: string): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host)).address;
}
