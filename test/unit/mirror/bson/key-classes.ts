import { BSON } from 'mongodb';

const { Decimal128, Double, Int32, Long, ObjectId } = BSON;

const id = new ObjectId();
/** Each line is one key to MongoDB, and no two lines are: test/process/mirror/keys.test.ts asks it. */
export const keyClasses: readonly (readonly unknown[])[] = [
  [
    new Int32(1),
    new Double(1),
    Long.fromNumber(1),
    Decimal128.fromString('1'),
    Decimal128.fromString('1.00'),
    Decimal128.fromString('0.1E1'),
  ],
  [0, new Double(-0), Decimal128.fromString('-0'), Decimal128.fromString('0E5')],
  [new Double(0.5), Decimal128.fromString('0.5')],
  [new Double(0.1)],
  [Decimal128.fromString('0.1')],
  [Long.fromString('9007199254740993'), Decimal128.fromString('9007199254740993')],
  [Long.fromString('1152921504606846976'), new Double(2 ** 60), Decimal128.fromString('1152921504606846976')],
  [new Double(2 ** 70), Decimal128.fromString('1180591620717411303424')],
  [new Double(-1.5)],
  ['1'],
  [''],
  ['\0'],
  ['é'],
  ['e\u0301'],
  [true],
  [false],
  [{ a: 1 }, { a: new Double(1) }],
  [{ a: 1, b: 2 }],
  [{ b: 2, a: 1 }],
  [{ a: '1' }],
  [{}],
  [{ a: [1] }],
  [{ a: { 0: 1 } }],
  [id],
  [new Date(1)],
  [new BSON.Binary(Buffer.from('x'))],
];
