/** The start of the names of one worker's spool files, which distinguishes them from those of other workers. */
export function spoolPrefix({ slot, incarnation }: { slot: number; incarnation: number }): string {
  return `${slot}-${incarnation}-`;
}
