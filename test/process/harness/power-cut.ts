/**
 * A model of a disk that loses power: a file has the content that its last fsync found, and a directory the names. A
 * file that was written and not synced is empty; a file, a rename or a removal in a directory that was not synced since
 * has not happened. Or some of it has: a file system may write anything before it is asked to.
 *
 * For Linux, where /proc names what a descriptor is open on. MongoDB's own files are MongoDB's concern.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Entry {
  readonly name: string;
  readonly id: string;
  readonly mode: number;
  readonly kind: 'file' | 'directory';
}

const storeName = 'POWER_CUT_STORE';
const rootName = 'POWER_CUT_ROOT';
const recorder = pathToFileURL(fileURLToPath(new URL('../fixtures/preloads/record-syncs.js', import.meta.url))).href;

/** In a process that records: takes down what is there now, to be called back when the fsync has returned. */
export function noteDurable(fd: number): () => void {
  const root = process.env[rootName]!;
  const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
  if (path !== root && !path.startsWith(`${root}/`)) return () => {};
  return note(process.env[storeName]!, `/proc/self/fd/${fd}`);
}

function note(store: string, path: string): () => void {
  const stat = fs.statSync(path, { bigint: true });
  const at = process.hrtime.bigint();
  const target = join(store, idOf(stat));
  const draft = `${target}.${process.pid}.${at}`;
  if (stat.isDirectory()) fs.writeFileSync(draft, JSON.stringify(entriesOf(path)));
  else fs.copyFileSync(path, draft);
  fs.utimesSync(draft, Number(at) / 1e9, Number(at) / 1e9);
  return () => {
    // One that began before another, and ended after it, knows less.
    const known = fs.statSync(target, { throwIfNoEntry: false });
    if (known === undefined || known.mtimeMs <= Number(at) / 1e6) fs.renameSync(draft, target);
    else fs.rmSync(draft);
  };
}

export class PowerCut {
  readonly #root: string;
  readonly #store: string;

  /** What is below `root` now is durable. `store` is a folder that exists, elsewhere. */
  constructor(root: string, store: string) {
    this.#root = root;
    this.#store = store;
    this.#noteAll(root);
  }

  /** For the processes whose fsyncs count. */
  static env(root: string, store: string): Record<string, string> {
    return { [rootName]: root, [storeName]: store, NODE_OPTIONS: `--import=${recorder}` };
  }

  /** With every process dead: leaves below the root what the disk has. `survives` decides of each thing not synced. */
  happen(survives: () => boolean): void {
    const live = `${this.#root}.live`;
    fs.renameSync(this.#root, live);
    const paths = new Map<string, string>();
    const look = (path: string): void => {
      paths.set(idOf(fs.statSync(path, { bigint: true })), path);
      for (const { name, kind } of entriesOf(path)) {
        const child = join(path, name);
        if (kind === 'directory') look(child);
        else paths.set(idOf(fs.statSync(child, { bigint: true })), child);
      }
    };
    look(live);
    fs.mkdirSync(this.#root, { mode: 0o700 });
    this.#build(this.#root, idOf(fs.statSync(live, { bigint: true })), paths, survives);
    fs.rmSync(live, { recursive: true });
    fs.rmSync(this.#store, { recursive: true });
    fs.mkdirSync(this.#store);
    this.#noteAll(this.#root); // what came through is on the disk
  }

  #build(path: string, id: string, live: ReadonlyMap<string, string>, survives: () => boolean): void {
    const durable = new Map(this.#durableEntries(id).map((entry) => [entry.name, entry]));
    const present = new Map((live.has(id) ? entriesOf(live.get(id)!) : []).map((entry) => [entry.name, entry]));
    for (const name of new Set([...durable.keys(), ...present.keys()])) {
      const [before, now] = [durable.get(name), present.get(name)];
      const entry = before?.id === now?.id || !survives() ? before : now;
      if (entry === undefined) continue;
      const target = join(path, name);
      if (entry.kind === 'directory') {
        fs.mkdirSync(target, { mode: entry.mode });
        this.#build(target, entry.id, live, survives);
      } else {
        const synced = join(this.#store, entry.id);
        const written = live.get(entry.id);
        if (written !== undefined && survives()) fs.copyFileSync(written, target);
        else if (fs.existsSync(synced)) fs.copyFileSync(synced, target);
        else fs.writeFileSync(target, '');
        fs.chmodSync(target, entry.mode);
      }
    }
  }

  #durableEntries(id: string): Entry[] {
    const file = join(this.#store, id);
    return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Entry[]) : [];
  }

  #noteAll(path: string): void {
    note(this.#store, path)();
    for (const { name, kind } of entriesOf(path)) {
      const child = join(path, name);
      if (kind === 'directory') this.#noteAll(child);
      else note(this.#store, child)();
    }
  }
}

/** Sockets are nothing on a disk. */
function entriesOf(path: string): Entry[] {
  return fs.readdirSync(path).flatMap((name) => {
    const stat = fs.lstatSync(join(path, name), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || !(stat.isFile() || stat.isDirectory())) return [];
    const kind = stat.isDirectory() ? ('directory' as const) : ('file' as const);
    return [{ name, id: idOf(stat), mode: Number(stat.mode & 0o777n), kind }];
  });
}

/** A number of an inode is used again. */
function idOf({ ino, birthtimeNs }: fs.BigIntStats): string {
  return `${ino}-${birthtimeNs}`;
}
