import { expect } from 'chai';
import { keyClasses } from '../../unit/mirror/bson/key-classes.ts';
import { useDatabase } from '../harness/mongo.ts';

describe('MongoDB', function () {
  this.timeout(30_000);
  const database = useDatabase();

  it('tells keys apart as the mirror does', async () => {
    const collection = database.db.collection<{ _id: never }>('keys');
    for (const forms of keyClasses) {
      const results = await Promise.allSettled(forms.map((form) => collection.insertOne({ _id: form as never })));
      expect(
        results.filter(({ status }) => status === 'fulfilled'),
        String(forms[0]),
      ).to.have.lengthOf(1);
    }
    expect(await collection.countDocuments()).to.equal(keyClasses.length);
  });
});
