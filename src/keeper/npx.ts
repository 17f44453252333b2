/** Stops an app that npx has started when npx is stopped. */

/** How often the parent process is checked, ms. */
const watchParent = 500;

/**
 * Ends this process, if npx has started it, when its parent goes. npx runs a command in a shell and passes signals to
 * that shell only. The shell then ends, and the app would run on unnoticed. Not done under `npm run`: its scripts may
 * put the app into the background on purpose.
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
