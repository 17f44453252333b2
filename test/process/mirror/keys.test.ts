import { expect } from 'chai';
import { keyClasses } from '../../unit/mirror/bson/key-classes.ts';
import { useDatabase } from '../harness/mongo.ts';

describe('MongoDB', function () {
  this.timeout(30_000);
  const database = useDatabase();

  it('tells keys apart as the mirror does', async () => {
    const collection = database.db.collection<{ _id: never }>('keys');
    for (const forms of keyClasses) {
      // One after the other: under Wine, duplicate key errors at the same moment can take mongod down.
      let inserted = 0;
      for (const form of forms) {
        await collection.insertOne({ _id: form as never }).then(
          () => (inserted += 1),
          () => {},
        );
      }
      expect(inserted, String(forms[0])).to.equal(1);
    }
    expect(await collection.countDocuments()).to.equal(keyClasses.length);
  });
});
