import { expect } from 'chai';
import { plainMessage } from '#quiesce/mirror/database/errors.js';

describe('a message of MongoDB', () => {
  it('is told without the command that it quotes', () => {
    const command =
      '{ renameCollection: "shop.a", to: "shop.b", lsid: { id: UUID("0f0e") }, $clusterTime: { signature: { hash: BinData(0, AA) } } }';
    expect(plainMessage(new Error(`not authorized on admin to execute command ${command}`))).to.equal(
      'not authorized on admin to execute the command renameCollection',
    );
  });

  it('is told as it is where it quotes none, and not at any length', () => {
    expect(plainMessage(new Error('the command failed: { a: 1 }'))).to.equal('the command failed: { a: 1 }');
    expect(plainMessage(new Error('x'.repeat(64_000)))).to.have.lengthOf(1000);
  });
});
