import path from 'node:path';

/**
 * The log of the supervisor and of all its workers: JSON lines as pino writes them, whatever standard output shows.
 * What `quiesce logs` reads. When it is rotated the file of this name is a new one.
 */
export const logFile = (dataDir: string): string => path.join(dataDir, 'log', 'quiesce.log');
