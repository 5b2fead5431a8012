import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { serve } from "#cli/commands/serve";
import { check } from "#cli/commands/check";
import { defaultLimits } from "#domain/snapshot";
import { runCommand } from "../world/run-command.ts";

const folder = join(import.meta.dirname, "../../deploy");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

const configuration = read("hedgerow.yaml");
/** Variables that the example configuration needs. */
const variables = [...configuration.matchAll(/\$\{([A-Z0-9_]+)\}/gu)].map(([, name]) => name ?? "");
const drainS = defaultLimits.drainMs / 1_000;

/** Seconds of `150s` or `150`. */
const seconds = (text: unknown): number => Number(/^(\d+)s?$/u.exec(String(text))?.[1]);

/** A command line as it is started there: it must be one that this program has. */
async function expectServes(args: readonly string[]): Promise<void> {
  const [name, command, ...rest] = args;
  expect([name?.split("/").at(-1), command]).toEqual(["hedgerow", "serve"]);
  const { out } = await runCommand(["serve", "--help"], [serve], { cwd: folder });
  for (const flag of rest.filter((each) => each.startsWith("-"))) {
    expect([flag, new RegExp(`(?:^|[\\s,])${flag}\\b`, "u").test(out)]).toEqual([flag, true]);
  }
}

const valueAfter = (args: readonly string[], flag: string): string | undefined => args[args.indexOf(flag) + 1];

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly build?: { readonly dockerfile: string };
}

/** The image's own command line. */
function imageCommand(): readonly string[] {
  const line = /^CMD (\[.*\])$/mu.exec(read("Containerfile"))?.[1];
  return JSON.parse(line ?? "[]") as readonly string[];
}

describe("the example configuration", () => {
  it("passes the check, with the variables that the compose file gives it", async () => {
    const env = Object.fromEntries(
      variables.map((name) => [name, name.startsWith("HEDGEROW_S") ? "redis://x:6379" : `${name}-0123456789abcdef`]),
    );
    env["HEDGEROW_STORE"] = "postgres://hedgerow@postgres:5432/hedgerow";
    const { code, err, out } = await runCommand(["check", "-c", "hedgerow.yaml"], [check], { cwd: folder, env });
    expect([code, err + out]).toEqual([0, expect.any(String)]);
  });
});

describe("the container file", () => {
  it("starts a command that there is, as nobody in particular, with its data where it may write", async () => {
    const text = read("Containerfile");
    const command = imageCommand();
    await expectServes(command);
    const [port, data] = [valueAfter(command, "--port"), valueAfter(command, "--data")];
    expect(text).toContain(`EXPOSE ${port}`);
    expect(text).toContain(`VOLUME ${data}`);
    expect(text).toMatch(/^USER node$/mu);
    expect(text).toMatch(/HEALTHCHECK[\s\S]*\/livez/u);
    expect(text).toContain("node:24-");
    // What it copies and runs is in the checkout.
    expect(readFileSync(join(folder, "../scripts/setup.mjs"), "utf8")).toContain("export function setup");
  });
});

describe("the compose file", () => {
  const { services } = parse(read("compose.yaml"), { merge: true }) as { readonly services: Record<string, Service> };
  const gateways = Object.entries(services).filter(([name]) => name.startsWith("gateway-"));

  it("runs two gateways over one database and one cache, each with what its configuration names", () => {
    expect(gateways).toHaveLength(2);
    const command = imageCommand();
    for (const [, { environment = {}, volumes = [], ports = [], ...service }] of gateways) {
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(variables));
      expect(volumes).toContain(`./hedgerow.yaml:${valueAfter(command, "-c")}:ro`);
      expect(volumes.some((each) => each.endsWith(`:${valueAfter(command, "--data")}`))).toBe(true);
      expect(ports[0]).toMatch(new RegExp(`:${valueAfter(command, "--port")}$`, "u"));
      expect(seconds(service.stop_grace_period)).toBeGreaterThan(drainS);
      expect(service.read_only).toBe(true);
      expect(service.build?.dockerfile).toBe("deploy/Containerfile");
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect([name, condition, services[name]?.healthcheck !== undefined]).toEqual([name, "service_healthy", true]);
      }
    }
    const data = gateways.map(([, { volumes = [] }]) => volumes.find((each) => each.includes("/var/lib/hedgerow")));
    expect(new Set(data).size).toBe(2);
  });

  it("names every secret in the example of the environment", () => {
    const wanted = [...read("compose.yaml").matchAll(/\$\{([A-Z0-9_]+):\?/gu)].map(([, name]) => name);
    for (const name of wanted) expect(read("env.example")).toMatch(new RegExp(`^${name}=$`, "mu"));
  });

  const canCompose = spawnSync("docker", ["compose", "version"]).status === 0;
  it.skipIf(!canCompose)("is one that compose reads", () => {
    const env = {
      ...process.env,
      HEDGEROW_ADMIN_TOKEN: "a",
      POSTGRES_PASSWORD: "b",
      OPENAI_API_KEY: "c",
      ANTHROPIC_API_KEY: "d",
    };
    const ran = spawnSync("docker", ["compose", "-f", "compose.yaml", "config", "-q"], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
  });
});

describe("the manifests for Kubernetes", () => {
  const documents = parseAllDocuments(read("kubernetes/hedgerow.yaml")).map(
    (each) => each.toJS() as Record<string, never>,
  );
  const ofKind = (kind: string): Record<string, never> | undefined => documents.find((each) => each["kind"] === kind);

  it("run a command that there is, are ready and alive by its own word, and let it drain", async () => {
    const spec = ofKind("StatefulSet")?.["spec"] as unknown as {
      readonly template: {
        readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Container[] };
      };
    };
    const { terminationGracePeriodSeconds, containers } = spec.template.spec;
    const [container] = containers;
    if (container === undefined) throw new Error("no container");
    await expectServes(container.args);
    expect(container.args).toEqual(imageCommand());
    expect(container.livenessProbe.httpGet.path).toBe("/livez");
    expect(container.readinessProbe.httpGet.path).toBe("/readyz");
    expect(container.ports[0]?.containerPort).toBe(Number(valueAfter(container.args, "--port")));
    const pauseS = Number(container.lifecycle.preStop.exec.command[1]);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(drainS + pauseS);
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounts).toEqual(expect.arrayContaining([valueAfter(container.args, "--data"), "/etc/hedgerow"]));
    expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(documents.map((each) => each["kind"])).toEqual(["StatefulSet", "Service", "Service", "PodDisruptionBudget"]);
  });

  it.skipIf(!has("kubectl"))("are rendered by kubectl", () => {
    const ran = spawnSync("kubectl", ["kustomize", join(folder, "kubernetes")], { encoding: "utf8" });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(parseAllDocuments(ran.stdout)).toHaveLength(4);
  });
});

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly securityContext: object;
}

describe("the unit for systemd", () => {
  const text = read("hedgerow.service");
  const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, "mu").exec(text)?.[1] ?? "";

  it("runs a command that there is, and lets it drain", async () => {
    await expectServes(valueOf("ExecStart").split(" "));
    expect(seconds(valueOf("TimeoutStopSec"))).toBeGreaterThan(drainS);
    expect(valueOf("ExecStart")).toContain(`--data /var/lib/${valueOf("StateDirectory")}`);
  });

  it.skipIf(!has("systemd-analyze"))("is one that systemd reads", () => {
    const unit = `${process.env["TMPDIR"] ?? "/tmp"}/hedgerow-${process.pid}.service`;
    const made = spawnSync(
      "sh",
      ["-c", `cat > ${unit} && systemd-analyze verify ${unit}; code=$?; rm -f ${unit}; exit $code`],
      {
        input: text.replace("/usr/local/bin/hedgerow", "/bin/true"),
        encoding: "utf8",
      },
    );
    expect([made.status, made.stderr.includes("hedgerow")]).toEqual([0, false]);
  });
});
