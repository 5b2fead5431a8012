import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "./free-port.ts";
import { serverProgram } from "./install.ts";

const startWithinMs = 60_000;
const password = "test-only";

/** Where the package puts its programs: not on the PATH. */
function debianFolders(): readonly string[] {
  const root = "/usr/lib/postgresql";
  try {
    return readdirSync(root).map((version) => join(root, version, "bin"));
  } catch {
    return [];
  }
}

/** The folder with `postgres` and `initdb`; undefined where there is none and none can be installed. */
export function postgresPrograms(): string | undefined {
  const found = serverProgram({ programs: ["postgres"], packageName: "postgresql", folders: debianFolders });
  // What stands on the PATH may be a link, to where its companions are.
  return found === undefined ? undefined : dirname(realpathSync(found));
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as nobody. */
function user(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout));
    if (uid !== undefined && gid !== undefined && uid > 0) return { uid, gid };
  }
  return {};
}

/**
 * The server ends with us, however we end: the shell's input ends then. It kills all of the server's processes, and removes
 * what they had unless it is told to keep it.
 */
const untilInputEnds = `folder=$1; shift; "$@" >&2 & pid=$!; echo "$pid"; read -r word
kill -QUIT "$pid" 2>/dev/null; kill -CONT "$pid" 2>/dev/null; wait "$pid"
[ "$word" = keep ] || rm -rf "$folder"`;

/** A server of its own, on loopback, in a folder that is removed with it. */
export class PostgresServer {
  readonly port: number;
  readonly #programs: string;
  readonly #folder: string;
  readonly #as: ReturnType<typeof user>;
  #shell: ChildProcess | undefined;
  #pid = 0;
  #databases = 0;
  readonly #settings: string[];

  private constructor(programs: string, folder: string, port: number) {
    [this.#programs, this.#folder, this.port] = [programs, folder, port];
    this.#as = user();
    this.#settings = ["fsync=off", "listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`];
  }

  /** `tls`: with a certificate for `localhost` that nobody vouches for, `certificate`. */
  static async start({ tls = false } = {}): Promise<PostgresServer> {
    const programs = postgresPrograms();
    if (programs === undefined) throw new Error("there is no PostgreSQL here");
    const folder = mkdtempSync(join(tmpdir(), "hedgerow-pg-"));
    const server = new PostgresServer(programs, folder, await freePort());
    server.#initialise();
    if (tls) server.#certify();
    await server.run();
    return server;
  }

  #initialise(): void {
    const { uid, gid } = this.#as;
    chmodSync(this.#folder, 0o700);
    if (uid !== undefined && gid !== undefined) chownSync(this.#folder, uid, gid);
    const args = ["-D", join(this.#folder, "data"), "-U", "hedgerow", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"];
    const made = spawnSync(join(this.#programs, "initdb"), args, { ...this.#as, cwd: this.#folder, encoding: "utf8" });
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}${made.error?.message ?? ""}`);
  }

  get certificate(): string {
    return join(this.#folder, "certificate.pem");
  }

  #certify(): void {
    const key = join(this.#folder, "key.pem");
    const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", this.certificate, ...name];
    const made = spawnSync("openssl", args, { ...this.#as, cwd: this.#folder, encoding: "utf8" });
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}${made.error?.message ?? ""}`);
    // The tests read it as somebody else.
    chmodSync(this.#folder, 0o711);
    chmodSync(this.certificate, 0o644);
    this.#settings.push("ssl=on", `ssl_cert_file=${this.certificate}`, `ssl_key_file=${key}`);
  }

  /** Runs it, also again after `kill`: with what it had. */
  async run(): Promise<void> {
    const args = [
      "-D",
      join(this.#folder, "data"),
      "-p",
      String(this.port),
      ...this.#settings.flatMap((each) => ["-c", each]),
    ];
    const shell = spawn("sh", ["-c", untilInputEnds, "sh", this.#folder, join(this.#programs, "postgres"), ...args], {
      ...this.#as,
      cwd: this.#folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#shell = shell;
    shell.stdin.on("error", () => {});
    let said = "";
    shell.stderr.on("data", (text) => (said = (said + String(text)).slice(-4_000)));
    this.#pid = await new Promise<number>((resolve, reject) => {
      shell.stdout.once("data", (text) => resolve(Number(String(text).trim())));
      shell.once("error", reject);
    });
    const until = performance.now() + startWithinMs;
    while (!this.#isReady()) {
      if (performance.now() > until) {
        await this.stop();
        throw new Error(`PostgreSQL on port ${this.port} does not answer: ${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The address of a new, empty database. `port`: of a proxy before the server. */
  database(): { readonly name: string; url(port?: number): string } {
    this.#databases += 1;
    const name = `d${process.pid}_${this.#databases}`;
    const made = spawnSync(join(this.#programs, "createdb"), [...this.#client, name], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`createdb: ${made.stderr}`);
    return { name, url: (port = this.port) => this.url(name, port) };
  }

  url(database: string, port = this.port): string {
    return `postgres://hedgerow:${password}@127.0.0.1:${port}/${database}`;
  }

  /** The database's own client: one statement, its rows as lines, columns separated by `|`. */
  query(database: string, sql: string): readonly string[] {
    const args = [...this.#client, "-d", database, "-v", "ON_ERROR_STOP=1", "-At", "-c", sql];
    const asked = spawnSync(join(this.#programs, "psql"), args, { encoding: "utf8" });
    if (asked.status !== 0) throw new Error(asked.stderr);
    return asked.stdout.split("\n").filter(Boolean);
  }

  /** Ends at once, as if somebody had pulled the plug; `run` starts it again. */
  async kill(): Promise<void> {
    await this.#end();
  }

  /** Connections stay, nothing is answered, by none of the server's processes. */
  pause(): void {
    this.#signal("STOP");
  }

  resume(): void {
    this.#signal("CONT");
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  get #client(): readonly string[] {
    return ["-h", "127.0.0.1", "-p", String(this.port), "-U", "hedgerow"];
  }

  async #end(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined || shell.exitCode !== null) return;
    const ended = new Promise((resolve) => shell.once("exit", resolve));
    shell.stdin?.end("keep\n");
    await ended;
    this.#shell = undefined;
  }

  #signal(name: string): void {
    const children = spawnSync("pgrep", ["-P", String(this.#pid)], { encoding: "utf8" }).stdout.split("\n");
    for (const pid of [String(this.#pid), ...children].filter(Boolean)) spawnSync("kill", [`-${name}`, pid]);
  }

  #isReady(): boolean {
    return spawnSync(join(this.#programs, "pg_isready"), [...this.#client, "-d", "postgres"]).status === 0;
  }
}
