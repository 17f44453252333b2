/** A test app tells with this header which slot has answered. */
export const slotHeader = 'x-slot';
