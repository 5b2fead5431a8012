import { afterEach, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { configurationFor, eventually, Place, readiness } from "./gateway-process.ts";

const places: Place[] = [];
let simulator: Simulator | undefined;

afterEach(async () => {
  await Promise.all(places.splice(0).map((place) => place.clear()));
  await simulator?.close();
});

it(
  "two nodes with the same configuration serve the same version, and both the next one",
  { timeout: 180_000 },
  async () => {
    simulator = await startSimulator();
    const [before, after] = [configurationFor(simulator), configurationFor(simulator, { key: "sk-e2e-rotated-00000" })];
    const urls = await Promise.all(
      [new Place(), new Place()].map((place) => {
        places.push(place);
        place.write(before);
        return place.start().ready();
      }),
    );
    const versions = async () => (await Promise.all(urls.map(readiness))).map(({ body }) => body.version);
    const [first, second] = await versions();
    expect(second).toBe(first);
    for (const place of places) place.write(after);
    await eventually(async () => {
      const [one, other] = await versions();
      expect(one).not.toBe(first);
      expect(other).toBe(one);
    });
  },
);
