/** What befalls a host: how it is brought about, and how it ends. */
import type { Host } from './hosts.ts';

export interface Fault {
  readonly name: string;
  /** No process of the host runs meanwhile, as on a machine that is frozen as a whole. */
  readonly freezes?: boolean;
  begin(host: Host): Promise<void>;
  /** The host is as it was; what it does then is its own business. */
  end(host: Host): Promise<void>;
}

const stopped = new Map<Host, readonly number[]>();

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended
    }
  }
}

async function stop(host: Host, pids: readonly number[]): Promise<void> {
  stopped.set(host, pids);
  signalAll(pids, 'SIGSTOP');
}

async function goOn(host: Host): Promise<void> {
  signalAll(stopped.get(host) ?? [], 'SIGCONT');
  stopped.delete(host);
}

export const faults: readonly Fault[] = [
  {
    name: 'kill -9',
    begin: async ({ cluster }) => cluster.kill(),
    async end({ cluster }) {
      cluster.launch();
      await cluster.ready(90_000);
    },
  },
  {
    name: 'a stop of primary and workers, beyond the lease',
    freezes: true,
    begin: async (host) => stop(host, await host.pids()),
    end: goOn,
  },
  {
    name: 'a stop of the primary alone, beyond the lease',
    begin: async (host) => stop(host, [host.cluster.pid]),
    end: goOn,
  },
  {
    name: 'a partition that keeps what is sent and delivers it late',
    begin: async ({ proxy }) => proxy.silence(),
    end: async ({ proxy }) => proxy.speak(),
  },
  {
    name: 'a MongoDB that refuses connections',
    begin: ({ proxy }) => proxy.goAway(),
    end: ({ proxy }) => proxy.comeBack(),
  },
];

/** After a test that failed: nothing stays stopped. */
export function endFaults(): void {
  for (const pids of stopped.values()) signalAll(pids, 'SIGCONT');
  stopped.clear();
}
