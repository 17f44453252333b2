import { QuiesceError } from '../../errors.ts';

/** Somebody who heeds no pause has written since the plan was made: a new compare may do. */
export class StalePlan extends QuiesceError {
  constructor(cause?: unknown) {
    super(
      'run-failed',
      'Something that is not paused writes to the mirrored documents: some of them are no longer what they were a moment ago. Stop what writes to this collection besides the app, and send the feed again.',
      { cause },
    );
    this.name = 'StalePlan';
  }
}
