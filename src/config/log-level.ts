/** pino's levels. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** `LOG_LEVEL`, where it is set to a level that there is. */
export function logLevelOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return logLevels.find((level) => level === env['LOG_LEVEL']);
}
