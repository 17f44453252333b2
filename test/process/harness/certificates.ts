/** Certificates for 127.0.0.1, made with openssl. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  readonly key: string;
  readonly valid: string;
  readonly expired: string;
  /** A file for NODE_EXTRA_CA_CERTS, by which Node knows both. */
  readonly trusted: string;
}

const newKey = 'req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -subj /CN=localhost';
const past = '-startdate 20200101000000Z -enddate 20200102000000Z';

/** Null where there is no openssl. `folder`: an empty one. */
export function certificates(folder: string): Certificates | null {
  mkdirSync(join(folder, 'new'));
  writeFileSync(join(folder, 'index'), '');
  writeFileSync(join(folder, 'ca.conf'), ca);
  const openssl = (words: string): number | null => spawnSync('openssl', words.split(' '), { cwd: folder }).status;
  if (openssl(`${newKey} -x509 -out now.pem -days 2 -addext subjectAltName=IP:127.0.0.1`) !== 0) return null;
  const made = [
    openssl('req -new -key key.pem -subj /CN=localhost -out request.pem'),
    openssl(`ca -batch -selfsign -config ca.conf -in request.pem -keyfile key.pem -out old.pem ${past}`),
  ];
  if (made.some((code) => code !== 0)) throw new Error('openssl makes no certificate that has expired');
  const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const trusted = join(folder, 'trusted.pem');
  writeFileSync(trusted, file('now.pem') + file('old.pem'));
  return { key: file('key.pem'), valid: file('now.pem'), expired: file('old.pem'), trusted };
}

const ca = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = new
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
`;
