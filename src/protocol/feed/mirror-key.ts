/** The key of a mirror: the member that identifies an item, by a path, or several of them. */

export type MirrorKey = string | readonly string[];

/** The path to each part of the key, as a list of names. */
export function keyPaths(key: MirrorKey): string[][] {
  return (typeof key === 'string' ? [key] : key).map((part) => part.split('.'));
}

/** The name of the one top-level member that becomes `_id`; null if the key is a path or has several parts. */
export function plainKey(key: MirrorKey): string | null {
  const [first, ...more] = typeof key === 'string' ? [key] : key;
  return first === undefined || more.length > 0 || first.includes('.') ? null : first;
}

export function showMirrorKey(key: MirrorKey): string {
  return typeof key === 'string' ? key : key.join(', ');
}

/** What is wrong with the key and the kept members, beyond what their types check; null if nothing is. */
export function keyFault(key: MirrorKey, keep: readonly string[], scope: readonly string[]): string | null {
  const parts = typeof key === 'string' ? [key] : key;
  const paths = keyPaths(key);
  if (paths.some((path) => path.some((name) => name === '' || name.includes('\0'))))
    return "key takes names, or paths of names such as 'sku.id'";
  if (new Set(parts).size < parts.length) return 'key has the same member twice';
  if (plainKey(key) !== '_id' && paths.some(([first]) => first === '_id'))
    return 'key cannot have _id beside another member, or a member of it: the key is stored as _id';
  for (const name of keep) {
    if (name === '' || name === '_id' || name.startsWith('$') || /[.\0]/.test(name))
      return `keep takes names of top-level members, and not '${name}'`;
    if (paths.some(([first]) => first === name)) return `keep cannot have '${name}', which is in the key`;
    if (scope.includes(name)) return `keep cannot have '${name}', which is in the scope`;
  }
  return null;
}
