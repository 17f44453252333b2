/** How the spool files of one worker begin: what it leaves when it dies can be told from what others write. */
export function spoolPrefix({ slot, incarnation }: { slot: number; incarnation: number }): string {
  return `${slot}-${incarnation}-`;
}
