import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { isToKeeper } from '#quiesce/protocol/keeper/checks.js';
import { handoverProtocol, keeperProtocol, keeperVariable } from '#quiesce/protocol/keeper/names.js';

/** What a primary finds that is started by a keeper of this version, and what the keeper hears from it. */
async function joined(version: string): Promise<{ found: object; heard: unknown[] }> {
  const link = import.meta.resolve('#quiesce/primary/kept/link.js');
  const program = `
    const { KeeperLink } = await import(${JSON.stringify(link)});
    const tell = (found) => console.log(JSON.stringify(found));
    try {
      const { canReplace } = KeeperLink.join();
      tell({ canReplace });
      process.exit(0);
    } catch ({ code, message }) {
      tell({ code, message });
      process.disconnect();
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, [keeperVariable]: version },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const heard: unknown[] = [];
  child.on('message', (message) => heard.push(message));
  let out = '';
  child.stdout!.on('data', (chunk) => (out += String(chunk)));
  await once(child, 'close');
  return { found: JSON.parse(out) as object, heard };
}

describe('a primary and the version of its keeper', () => {
  it('understands each up to its own, and knows which of them can replace it', async () => {
    for (let version = 1; version <= keeperProtocol; version++) {
      const { found } = await joined(String(version));
      expect(found, `version ${version}`).to.deep.equal({ canReplace: version >= handoverProtocol });
    }
  });

  it('does not start under any other, and says to both sides that the keeper needs a stop', async () => {
    for (const version of [String(keeperProtocol + 1), '0', 'x']) {
      const { found, heard } = await joined(version);
      expect(found).to.include({ code: 'boot-failed' });
      const { message } = found as { message: string };
      expect(message).to.include(`speaks version ${version}, and this one ${keeperProtocol}`);
      expect(message).to.include('It alone needs a stop: quiesce stop, then quiesce start');
      expect(heard).to.deep.equal([{ keeper: 1, type: 'ending', error: { code: 'boot-failed', message } }]);
      expect(heard.every((each) => isToKeeper(each))).to.equal(true);
    }
  });
});
