/** The error for a plan that is no longer exact. */
import { QuiesceError } from '../../errors.ts';

/** A writer that is not paused has written since the plan was made: a new comparison may help. */
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
