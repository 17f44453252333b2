/** The public API; see docs/ for each. */
export {};
