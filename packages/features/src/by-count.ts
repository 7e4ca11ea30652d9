/** Texts by how often they occur, the most frequent first, among equals in the order of the alphabet. */
export const byCount = ([a, n]: readonly [string, number], [b, m]: readonly [string, number]): number => m - n || (a < b ? -1 : 1);
