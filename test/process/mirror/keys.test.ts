import { expect } from 'chai';
import { keyClasses } from '../../unit/mirror/bson/key-classes.ts';
import { useDatabase } from '../harness/mongodb/mongo.ts';

describe('MongoDB', function () {
  this.timeout(30_000);
  const database = useDatabase();

  it('tells keys apart as the mirror does', async () => {
    const collection = database.db.collection<{ _id: never }>('keys');
    for (const forms of keyClasses) {
      const results = await Promise.allSettled(forms.map((form) => collection.insertOne({ _id: form as never })));
      const inserted = results.filter(({ status }) => status === 'fulfilled').length;
      expect(inserted, String(forms[0])).to.equal(1);
    }
    expect(await collection.countDocuments()).to.equal(keyClasses.length);
  });

  // Each of these conflicts is an exception within mongod, which a runtime that mishandles them does not survive.
  it('rides out clients that make and drop the same collection at the same moment', async () => {
    const collection = database.db.collection('contested');
    const client = async (): Promise<void> => {
      for (let round = 0; round < 8; round++) {
        await collection.insertOne({});
        await collection.drop();
      }
    };
    await Promise.all([client(), client(), client(), client()]);
    expect(await collection.countDocuments()).to.equal(0);
  });
});
