import { useSignal } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { VNode } from 'preact';
import { type Entry, metadataChange } from './metadata-change.js';

const MOST_ENTRIES = 16;

type Metadata = Readonly<Record<string, string>>;

/** What is changed: a name, which null takes away, and entries, of which null removes one. */
export type Naming = { name?: string | null; metadata?: Record<string, string | null> };

export type NamingFormProps = {
	/** The name as it is; null where there is none, which is allowed then. */
	name: string | null;
	metadata: Metadata;
	/** Changes them, and resolves with the metadata as they are then. */
	update: (change: Naming) => Promise<Metadata>;
	saved: () => void;
	/** Whether there must be a name. */
	isNamed: boolean;
};

const entriesOf = (metadata: Metadata): Entry[] => Object.entries(metadata).map(([key, text]) => ({ key, text }));

/** The name and the metadata of a dataset or a job, which can be changed here. */
export function NamingForm({ name: before, metadata, update, saved, isNamed }: NamingFormProps): VNode {
	const name = useSignal(before ?? '');
	const entries = useSignal<readonly Entry[]>(entriesOf(metadata));
	const fault = useSignal<{ text: string; at: number | 'name' | 'all' } | null>(null);
	const done = useSignal(false);
	const isBusy = useSignal(false);
	const edit = (at: number, part: Partial<Entry>): void => {
		done.value = false;
		entries.value = entries.value.map((entry, i) => (i === at ? { ...entry, ...part } : entry));
	};
	const save = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		fault.value = null;
		done.value = false;
		const found = metadataChange(metadata, entries.value);
		if ('problem' in found) {
			fault.value = { text: found.problem, at: found.at };
			return;
		}
		const change = {
			...(name.value === (before ?? '') ? {} : { name: name.value === '' ? null : name.value }),
			...(Object.keys(found.change).length === 0 ? {} : { metadata: found.change }),
		};
		isBusy.value = true;
		try {
			if (Object.keys(change).length > 0) entries.value = entriesOf(await update(change));
			done.value = true;
			saved();
		} catch (error) {
			const param = error instanceof SteelyardError ? error.param : null;
			fault.value = { text: (error as Error).message, at: param === 'name' ? 'name' : 'all' };
		} finally {
			isBusy.value = false;
		}
	};
	const faultAt = (at: number | 'name' | 'all') =>
		fault.value?.at === at && (
			<p class="field-error" role="alert">
				{fault.value.text}
			</p>
		);
	return (
		<form class="naming" onSubmit={(event) => void save(event)}>
			<label class="field">
				<span>Name</span>
				<input
					value={name.value}
					maxLength={200}
					required={isNamed}
					onInput={(event) => {
						done.value = false;
						name.value = event.currentTarget.value;
					}}
				/>
			</label>
			{faultAt('name')}
			<fieldset class="box">
				<legend>Metadata</legend>
				<p class="hint">Texts of your own by name, such as a source or a version. Jobs and datasets can be found by them.</p>
				{entries.value.map((entry, i) => (
					// Entries have no name of their own before they are saved.
					// biome-ignore lint/suspicious/noArrayIndexKey: the place is what tells them apart
					<div key={i}>
						<div class="entry">
							<input
								aria-label={`Name of entry ${i + 1}`}
								placeholder="name"
								maxLength={64}
								value={entry.key}
								onInput={(event) => edit(i, { key: event.currentTarget.value })}
							/>
							<input
								aria-label={`Text of entry ${i + 1}`}
								placeholder="text"
								maxLength={512}
								value={entry.text}
								onInput={(event) => edit(i, { text: event.currentTarget.value })}
							/>
							<button
								type="button"
								aria-label={`Remove entry ${i + 1}`}
								onClick={() => {
									done.value = false;
									entries.value = entries.value.filter((_, other) => other !== i);
								}}
							>
								✕
							</button>
						</div>
						{faultAt(i)}
					</div>
				))}
				{entries.value.length < MOST_ENTRIES && (
					<button
						type="button"
						class="small"
						onClick={() => {
							entries.value = [...entries.value, { key: '', text: '' }];
						}}
					>
						Add an entry
					</button>
				)}
			</fieldset>
			{faultAt('all')}
			<p class="actions">
				<button type="submit" disabled={isBusy.value}>
					Save name and metadata
				</button>
				<span role="status" class="quiet">
					{done.value && '✓ saved'}
				</span>
			</p>
		</form>
	);
}
