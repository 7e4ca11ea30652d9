/** The product of sizes; 1 of none. */
export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** 0, 1, … count − 1. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
