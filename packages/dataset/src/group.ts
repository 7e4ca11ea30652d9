import type { CanonicalFolder } from './canonical-folder.js';
import type { Member } from './member.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';
import { rowsOfOne, sameRows } from './row-count.js';

/** The codes 0, 1, … of groups, in the order in which they first occur. All splits share one table, so that equal values have equal codes. */
export type GroupCodes = Map<bigint, number>;

/** Copies the groups of a split, integers of any type, as int32 codes, of which there may be `most`. */
export async function copyGroup(
	member: Member,
	name: string,
	rows: number,
	labels: string,
	{ codes, most }: { codes: GroupCodes; most: number },
	target: CanonicalFolder,
): Promise<void> {
	await readNpy(member, async (array) => {
		const { element, shape } = array.header;
		if (element.kind !== 'integer') throw refusal(array.file, 'groups of an integer type', element.name);
		rowsOfOne(array);
		sameRows(array.file, shape, rows, labels);
		await target.writeArray(name, 'int32', [rows], async (append) => {
			for await (const { start, values } of array.blocks()) {
				const out = new Int32Array(values.length);
				for (let i = 0; i < values.length; i++) {
					const group = BigInt(values[i] as number | bigint);
					const code = codes.get(group) ?? codes.size;
					if (code === most) throw refusal(array.file, `at most ${most} groups in all splits`, 'one more', { row: start + i });
					codes.set(group, code);
					out[i] = code;
				}
				await append(out);
			}
		});
	});
}
