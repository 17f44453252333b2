import { expect } from 'chai';
import { LogTail } from '#quiesce/primary/live/log-tail.js';

describe("the log's tail", () => {
  const told = (tail: LogTail): Promise<readonly string[]> => new Promise((resolve) => tail.onLines(resolve));
  const line = (msg: string): string => `${JSON.stringify({ level: 30, time: 1, msg })}\n`;

  it('keeps the newest lines', () => {
    const tail = new LogTail();
    for (let number = 0; number < 5_000; number++) tail.write(line(`line ${number}`));
    expect(tail.lines.length).to.be.within(400, 800);
    expect(tail.lines.at(-1)).to.equal(line('line 4999').trimEnd());
    tail.close();
  });

  it('tells lines in batches, and of a flood its end and how much is left out', async () => {
    const tail = new LogTail();
    const batch = told(tail);
    for (let number = 0; number < 1_000; number++) tail.write(line(`line ${number}`));
    const lines = await batch;
    expect(lines).to.have.length(201);
    expect(JSON.parse(lines[0]!)).to.deep.include({ level: 40, msg: '800 lines before this one are not shown here' });
    expect(lines.at(-1)).to.include('line 999');
  });

  it('shortens a line that is too long, and says how long it was', async () => {
    const tail = new LogTail();
    const batch = told(tail);
    tail.write(
      `${JSON.stringify({ level: 50, time: 1, slot: 2, stream: 'stderr', msg: 'x'.repeat(100_000), more: 1 })}\n`,
    );
    tail.write(`${'{'.repeat(9_000)}\n`);
    const [first, second] = (await batch).map(
      (text) => JSON.parse(text) as { level: number; slot?: number; msg: string },
    );
    expect(first).to.include({ level: 50, slot: 2 });
    expect(first!.msg).to.match(/^x+ … \(\d+ characters\)$/);
    expect(second!.msg).to.have.length.below(4_100);
  });
});
