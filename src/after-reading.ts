/**
 * Like setTimeout(), but `callback` runs after the event loop has read what arrived meanwhile: in a process that was
 * held up, timers run before it reads its pipes and connections; the setImmediate() of a timer runs after that.
 */
export function afterReading(ms: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(callback), ms);
}
