/** Tells why a host cannot join: another process is in the document under its id. */
import type { SiteHost, SiteRules } from './document.ts';

interface Log {
  warn(fields: object, message: string): void;
}

export class InUse {
  #told: string | null = null;

  /**
   * Returns the reason in short. Logs it, and what to do, once for each such process.
   *
   * @param former what stands in the document under the id of this host
   */
  tell({ name, incarnation }: SiteHost, { onPartition }: Pick<SiteRules, 'onPartition'>, log: Log): string {
    const why = `another process has the id of this host, and is in the cluster as ${name}`;
    if (this.#told === incarnation) return why;
    this.#told = incarnation;
    const until =
      onPartition === 'shut' ? 'its lease is over' : `an operator takes it out: quiesce hosts remove ${name}`;
    log.warn(
      { incarnation },
      `this host cannot join the cluster: ${why}. If that is its former primary, which may still be alive, this host waits until ${until}. If this data directory is a copy of that of another host, it waits for ever: stop it, remove host.json from its data directory, and start it again to join as a new host`,
    );
    return why;
  }
}
