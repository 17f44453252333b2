const watchParent = 500;

/**
 * npx runs a command in a shell and passes a signal to that shell only, which ends without a word: the app would run on
 * with nobody who knows of it. Not for `npm run`, whose scripts may put the app into the background on purpose.
 */
export function stopWithNpx(): void {
  if (process.env['npm_command'] !== 'exec') return;
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, watchParent);
  timer.unref();
}
