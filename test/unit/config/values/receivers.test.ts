import { expect } from 'chai';
import { appSchema } from '#quiesce/config/settings/schema.js';
import { faultsOf } from '#quiesce/config/file/faults.js';
import { shownReceiver, type Receiver } from '#quiesce/config/values/receivers.js';

function parsed(notify: unknown): readonly Receiver[] {
  return appSchema.parse({ script: 'a.js', quiesce: { notify } }).quiesce.notify;
}

function faults(notify: unknown): string[] {
  const app = { script: 'a.js', quiesce: { notify } };
  const result = appSchema.safeParse(app);
  return result.success ? [] : faultsOf(result.error, app).map(({ path, message }) => `${path} ${message}`);
}

const url = 'https://hooks.example/services/T0/verysecret';

describe('the receivers of notices', () => {
  it('get every event where none is named, run-overdue only with a time', () => {
    expect(parsed([{ url }])[0]).to.include({ format: 'json', secret: null, overdue: null });
    expect(parsed([{ url }])[0]!.events)
      .to.include('run-failed')
      .and.not.include('run-overdue');
    expect(parsed([{ url, overdue: '26h' }])[0]!.events).to.include('run-overdue');
    expect(appSchema.parse({ script: 'a.js' }).quiesce.notify).to.deep.equal([]);
  });

  it('are refused where something is wrong, without what is secret', () => {
    const found = [
      ...faults([{ url: 'ftp://verysecret' }]),
      ...faults([{ url: 'https://me:verysecret@hooks.example' }]),
      ...faults([{}]),
      ...faults([{ url, events: ['run-fialed'] }]),
      ...faults([{ url, events: ['run-overdue'] }]),
      ...faults([{ url, format: 'pigeon' }]),
      ...faults([{ url, secret: 'short' }]),
      ...faults([{ url, colour: 'verysecret' }]),
      ...faults('https://verysecret'),
    ];
    expect(found).to.have.length(9);
    expect(found.join('\n')).to.not.contain('verysecret');
    expect(found[2]).to.equal(
      'quiesce.notify.0.url is missing; it takes an address that begins with http:// or https://, without user and password',
    );
    expect(found[3]).to.contain('quiesce.notify.0.events.0 cannot be').and.contain("'run-failed', 'run-overdue'");
    expect(found[4]).to.equal("quiesce.notify.0.overdue is missing; it takes a time such as '26h', with run-overdue");
  });

  it('are shown without path and secret', () => {
    const [receiver] = parsed([{ url, secret: 'sixteen-or-more-characters', format: 'slack' }]);
    expect(shownReceiver(receiver!)).to.equal('slack, signed, to https://hooks.example/…');
  });
});
