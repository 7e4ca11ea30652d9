import type { Usage } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes, count, percent } from '../format.js';
import { Facts } from './facts.js';

/** How the disk of the data folder is used: by what, and how much is left. */
export function DiskUse({ usage }: { usage: Usage }): VNode {
	const { disk } = usage;
	const own = usage.datasets.bytes + usage.models.bytes + usage.jobs.bytes + usage.temporary.bytes;
	const others = Math.max(0, disk.total_bytes - disk.free_bytes - own);
	const parts = [
		{ name: 'Steelyard', bytes: own, series: 'series-0' },
		{ name: 'Others', bytes: others, series: 'series-7' },
	];
	const rows: readonly [string, string][] = [
		['Datasets', `${bytes(usage.datasets.bytes)} in ${count(usage.datasets.count, 'dataset')}`],
		['Models', `${bytes(usage.models.bytes)} in ${count(usage.models.count, 'model')}`],
		['Jobs', `${bytes(usage.jobs.bytes)} in ${count(usage.jobs.count, 'job')}, ${bytes(usage.jobs.checkpoint_bytes)} of it checkpoints`],
		...(usage.temporary.count > 0
			? ([['Unfinished', `${bytes(usage.temporary.bytes)} in ${count(usage.temporary.count, 'file')}`]] as [string, string][])
			: []),
		['Other files', bytes(others)],
		['Free', `${bytes(disk.free_bytes)} of ${bytes(disk.total_bytes)}`],
		['Kept free', `${bytes(disk.reserved_bytes)}: with less, uploads and new jobs are refused`],
	];
	const isFull = disk.free_bytes < disk.reserved_bytes;
	return (
		<>
			{isFull && (
				<p class="note bad" role="alert">
					The disk is full: uploads and new jobs are refused until jobs or datasets are deleted.
				</p>
			)}
			<div class="disk-bar" role="img" aria-label={`${percent(1 - disk.free_bytes / disk.total_bytes)} of the disk is used`}>
				{parts.map((part) => (
					<span key={part.name} class={part.series} style={{ flexGrow: part.bytes }} />
				))}
				<span style={{ flexGrow: disk.free_bytes }} />
			</div>
			<Facts rows={rows} />
		</>
	);
}
