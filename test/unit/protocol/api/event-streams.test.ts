import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { EventStreams } from '#quiesce/protocol/api/event-streams.js';

describe('the places for event streams', () => {
  const response = (destroyed = false) => Object.assign(new EventEmitter(), { destroyed });

  it('are so many, and each is free again when its response is closed', () => {
    const streams = new EventStreams(2);
    const first = response();
    for (const reader of [first, response(true), response()]) streams.enter(reader);
    expect(() => streams.enter(response()))
      .to.throw()
      .with.property('code', 'too-many-streams');
    first.emit('close');
    first.emit('close');
    streams.enter(response());
    expect(() => streams.enter(response()))
      .to.throw()
      .with.property('code', 'too-many-streams');
  });
});
