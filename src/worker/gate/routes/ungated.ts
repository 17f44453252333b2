/** Finds the routes of an Express app that stand before its `gate()`, in Express 4 and 5. */
import { layersOf, type Layer } from './special-routes.ts';

const kGate = Symbol.for('quiesce.gate');

export function markGate<T extends object>(gate: T): T {
  return Object.defineProperty(gate, kGate, { value: true });
}

export interface Ungated {
  readonly method: string;
  /** For people. */
  readonly name: string;
  /** Where it is one text. */
  readonly path: string | undefined;
  /** Where it is one expression. */
  readonly expression: RegExp | undefined;
}

/** Empty if the app has no gate of its own, or a structure that is unknown here. */
export function ungatedIn(app: object): Ungated[] {
  const layers = layersOf(app);
  return layers.some(isGate) ? beforeGate(layers, ['']) : [];
}

/**
 * @param mounts where the layers are mounted; undefined: unknown
 * @param above the routers that they are in: one may hold itself
 */
function beforeGate(layers: readonly Layer[], mounts: readonly Mount[], above: readonly unknown[] = []): Ungated[] {
  const gate = layers.findIndex(isGate);
  return (gate === -1 ? layers : layers.slice(0, gate)).flatMap((layer) => {
    const { handle, route } = layer;
    if (route !== undefined) {
      const [method = '_all'] = Object.keys(route.methods ?? {});
      return placesOf(route.path).flatMap((path) => mounts.map((mount) => ungated(methodName(method), mount, path)));
    }
    const below = mountsOf(layer).flatMap((own) => mounts.map((mount) => joined(mount, own)));
    // A router is a function with layers. Other middleware, such as express.static, tells nothing of what it serves.
    if (Array.isArray(handle?.stack))
      return above.includes(handle) ? [] : beforeGate(handle.stack, below, [...above, handle]);
    // An app within the app: Express hides it in a function of this name.
    return handle?.name === 'mounted_app' ? below.map((mount) => ungated(methodName('_all'), mount, '/')) : [];
  });
}

function isGate({ handle }: Layer): boolean {
  return handle !== undefined && kGate in handle;
}

function methodName(method: string): string {
  return method === '_all' ? 'any method' : method.toUpperCase();
}

function ungated(method: string, mount: Mount, path: Place): Ungated {
  const whole = joined(mount, path);
  const name = typeof whole === 'string' ? whole || '/' : `${mount === undefined ? '…' : String(mount)}${String(path)}`;
  return {
    method,
    name,
    path: typeof whole === 'string' ? whole || '/' : undefined,
    expression: whole instanceof RegExp ? whole : undefined,
  };
}

type Place = string | RegExp;
type Mount = Place | undefined;

/** A path below a mount; undefined where that is not one text, or one expression. */
function joined(mount: Mount, path: Mount): Mount {
  if (mount === '') return path === '/' ? '' : path;
  if (path === '' || path === '/') return mount;
  return typeof mount === 'string' && typeof path === 'string' ? mount.replace(/\/$/, '') + path : undefined;
}

/** Express takes a path, an expression, or lists of both. */
function placesOf(path: unknown): Place[] {
  return [path].flat(Infinity).filter((each): each is Place => typeof each === 'string' || each instanceof RegExp);
}

function mountsOf({ slash, rawPath, regexp }: Layer): Mount[] {
  if (slash === true || regexp?.fast_slash === true) return [''];
  const places = placesOf(rawPath);
  return places.length > 0 ? places : [plainMountOf(regexp)];
}

/** The path of `use(path, …)` in Express 4, which keeps an expression only; undefined where it was no plain path. */
function plainMountOf(regexp: RegExp | undefined): string | undefined {
  const [, path] = /^\^((?:\\[/.]|[\w~-])+?)\\\/\?\(\?=\\\/\|\$\)$/.exec(regexp?.source ?? '') ?? [];
  return path?.replaceAll('\\', '');
}
