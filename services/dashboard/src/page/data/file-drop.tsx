import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';

const ENDINGS = '.csv,.tsv,.txt,.jsonl,.ndjson,.gz,.parquet,.zip,.npz';

/** Takes a file: dropped here, or chosen by the button. */
export function FileDrop({ file, take }: { file: File | null; take: (file: File) => void }): VNode {
	const isOver = useSignal(false);
	return (
		<label
			class={`drop${isOver.value ? ' over' : ''}`}
			onDragOver={(event) => {
				event.preventDefault();
				isOver.value = true;
			}}
			onDragLeave={() => {
				isOver.value = false;
			}}
			onDrop={(event) => {
				event.preventDefault();
				isOver.value = false;
				const dropped = event.dataTransfer?.files[0];
				if (dropped !== undefined) take(dropped);
			}}
		>
			<span class="drop-words">{file === null ? 'Drop a file here, or choose one' : 'Drop another file here, or choose one'}</span>
			<input
				type="file"
				accept={ENDINGS}
				aria-describedby="file-hint"
				onChange={(event) => {
					const chosen = event.currentTarget.files?.[0];
					if (chosen !== undefined) take(chosen);
				}}
			/>
			<span class="hint" id="file-hint">
				A table (.csv, .tsv, .jsonl, .parquet; .gz too), or a .zip or .npz of arrays.
			</span>
		</label>
	);
}
