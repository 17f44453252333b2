/** How long a worker's gate waits, at most, for those who listen to `mirrored`, ms. Both sides of the channel count on it. */
export const longestListening = 5_000;
