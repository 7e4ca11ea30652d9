import type { DatasetRow } from '@steelyard/contracts';

/** The label of a row as text. */
export function labelText(label: DatasetRow['label']): string {
	if (label === null) return '–';
	if (!Array.isArray(label)) return String(label);
	return label.length === 0
		? 'none'
		: label.map((one) => (one === null ? '–' : Array.isArray(one) ? JSON.stringify(one) : String(one))).join(', ');
}
