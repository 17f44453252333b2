/** The protocol number and the environment variables that a keeper and its primary share. */

/** Grows with a change that the other side does not understand. Also the value of the variable below. */
export const keeperProtocol = 2;
/** The first one that knows how a primary is replaced. What came before is understood too. */
export const handoverProtocol = 2;
/** In the environment of a primary that a keeper has started. */
export const keeperVariable = 'QUIESCE_KEEPER';
/**
 * In the environment of a primary that is started with sockets of a service manager: their names, with `:` between them. They
 * are its descriptors after that of the channel.
 */
export const passedVariable = 'QUIESCE_LISTEN_FDNAMES';
/** In the environment of the primary of one of several apps. */
export const severalVariable = 'QUIESCE_ONE_OF_SEVERAL';
/** In the environment of a worker that is forked while another primary serves: it asks before it listens. */
export const waitsVariable = 'QUIESCE_WAITS';
