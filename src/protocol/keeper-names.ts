/** The protocol number and the environment variables that a keeper and its primary share. */

/** Grows with a change that the other side does not understand. Also the value of the variable below. */
export const keeperProtocol = 1;
/** In the environment of a primary that a keeper has started. */
export const keeperVariable = 'QUIESCE_KEEPER';
/** In the environment of the primary of one of several apps. */
export const severalVariable = 'QUIESCE_ONE_OF_SEVERAL';
