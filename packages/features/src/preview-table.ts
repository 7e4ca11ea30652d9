import type { TableManifest, TablePreview } from '@steelyard/contracts';
import type { Table } from '@steelyard/table';
import { tableProfile } from './column-profiles.js';
import { survey } from './survey.js';
import { filesOf } from './table-files.js';

/** Rows that are looked at. */
const HEAD = 10_000;

/** Says how tables would be read, from their first rows. Throws ProblemError or TableError. */
export async function previewTable(tables: readonly Table[], manifest: TableManifest): Promise<TablePreview> {
	const files = filesOf(tables);
	const found = await survey(files, manifest, { head: HEAD });
	const { task, columns } = found.reading;
	return {
		object: 'table_preview',
		task: { type: task.type, classes: [...(task.classes ?? [])].slice(0, 1000) },
		standard: !columns.some(({ kind, role }) => kind === 'text' && role === 'feature'),
		...tableProfile(found, files, { features: null, dropped: 0 }),
	};
}
