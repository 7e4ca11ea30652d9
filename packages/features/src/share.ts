/** How much each of `count` columns may take, where one may take `each` and all together `all`; at least 100. */
export const shareOf = ({ each, all }: { each: number; all: number }, count: number): number =>
	Math.max(100, Math.min(each, Math.floor(all / Math.max(1, count))));
