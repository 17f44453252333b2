/**
 * Which signals a terminal sends to the command of `exec` by itself. To forward those would be a second one, which many
 * programs treat differently.
 *
 * Ctrl-C and Ctrl-\ go to every process in the foreground, the command included. A terminal that hangs up tells only the
 * leader of its session: a shell, which tells its jobs, or whose end makes the kernel tell them (setsid(2), credentials(7)).
 * With `ssh -t host quiesce exec …` that leader is `exec`, and then nobody else tells the command.
 */
import { statOf } from '../../primary/data-dir/lock-owner.ts';

export function sentByTerminal(): readonly NodeJS.Signals[] {
  if (!process.stdin.isTTY) return [];
  return leadsSession() ? ['SIGINT', 'SIGQUIT'] : ['SIGINT', 'SIGQUIT', 'SIGHUP'];
}

function leadsSession(): boolean {
  const [, , , session] = statOf(process.pid);
  return session === undefined || Number(session) === process.pid; // not known: twice is better than never
}
