/** The warnings of a host whose text is long. */
export const notLeft =
  'this host could not take itself out of the cluster; the other hosts evict it when its lease is over';
export const documentLost =
  'the cluster document was removed, or restored from a backup: it is older than the one this host has seen. All hosts join again';
export const wasSuspended = 'this machine was suspended: the lease of this host ends earlier by that time';
