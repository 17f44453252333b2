/**
 * Which signals a terminal sends to the command of `exec` by itself. To forward those would be a second one, which many
 * programs treat differently.
 *
 * Ctrl-C and Ctrl-\ go to every process in the foreground, the command included. A terminal that hangs up tells only the
 * leader of its session: a shell, which tells its jobs, or whose end makes the kernel tell them (setsid(2), credentials(7)).
 * With `ssh -t host quiesce exec …` that leader is `exec`, and then nobody else tells the command.
 */
import { readFileSync } from 'node:fs';

export function sentByTerminal(): readonly NodeJS.Signals[] {
  if (!process.stdin.isTTY) return [];
  return leadsSession() ? ['SIGINT', 'SIGQUIT'] : ['SIGINT', 'SIGQUIT', 'SIGHUP'];
}

function leadsSession(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // The field before these, the program's name, may contain spaces and brackets.
    const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(session) === process.pid;
  } catch {
    return true; // not known: twice is better than never
  }
}
