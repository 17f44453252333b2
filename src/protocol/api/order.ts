/** The longest name of somebody who gives an order, characters. */
export const longestName = 100;
