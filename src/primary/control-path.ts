import path from 'node:path';

/** The Unix socket that the commands find a primary by. */
export const controlSocket = (dataDir: string): string => path.join(dataDir, 'control.sock');
