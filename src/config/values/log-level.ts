/** pino's levels. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Returns `LOG_LEVEL`, if it is a valid level. */
export function logLevelOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return logLevels.find((level) => level === env['LOG_LEVEL']);
}
