/** The longest time that a worker's gate waits for listeners of `mirrored`, ms. Both sides of the channel use it. */
export const longestListening = 5_000;
