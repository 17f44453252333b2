import { expect } from 'chai';
import { cutOffText, leftOutText } from '#quiesce/primary/reload/words.js';

describe('what a reload warns of', () => {
  const change = (setting: string, needsPrimary: boolean): Parameters<typeof leftOutText>[0][number] => ({
    setting,
    from: 'a',
    to: 'b',
    needsPrimary,
  });

  it('are the settings that it leaves out, with a remedy that is not refused', () => {
    const changes = [change('name', true), change('instances', false), change('quiesce.mongodb.uri', true)];
    expect(leftOutText(changes, true)).to.deep.equal([
      'Only a new primary takes name, quiesce.mongodb.uri: quiesce reload --primary',
    ]);
    expect(leftOutText(changes, false)).to.deep.equal([
      'Only a new primary takes name, quiesce.mongodb.uri: stop the app and start it again',
    ]);
    expect(leftOutText([change('instances', false)], true)).to.deep.equal([]);
  });

  it('are workers that had to be killed, and how many requests that has cost', () => {
    expect(cutOffText({ workers: 0, requests: 0 }, 2_000)).to.deep.equal([]);
    expect(cutOffText({ workers: 1, requests: 0 }, null)[0]).to.match(
      /^1 worker had not finished in time \(kill_timeout is not set\) and had to be killed\. No request was in flight\. Set kill_timeout/,
    );
    expect(cutOffText({ workers: 2, requests: 1 }, 2_000)[0]).to.match(
      /^2 workers had not finished after 2000 ms, the kill_timeout, and had to be killed\. The reload cut off 1 request\./,
    );
  });
});
