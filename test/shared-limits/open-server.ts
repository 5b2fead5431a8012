import { Connection } from "#control/shared-limits/connection";
import { sharedScripts, type Scripts } from "#control/shared-limits/scripts";
import { Secret } from "#domain/secret";
import { systemClock } from "#planes/system-clock";

/** A connection for tests of what is said over it: on a busy machine an answer may take its time. */
export async function openConnection(url: string, scripts: Scripts = sharedScripts()): Promise<Connection> {
  let connection: Connection | undefined;
  await new Promise<void>((resolve) => {
    connection = new Connection({
      url: new Secret(url),
      scripts: Object.values(scripts),
      clock: systemClock,
      onReady: resolve,
      answerWithinMs: 10_000,
    });
  });
  if (connection === undefined) throw new Error("there is no connection");
  return connection;
}
