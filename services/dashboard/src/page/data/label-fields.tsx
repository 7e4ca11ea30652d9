import { useSignal } from '@preact/signals';
import type { TablePreview } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { withLabel } from './manifest-edit.js';
import { ChoiceField, type Editing, Field, TextField } from './manifest-field.js';

const TASKS = [
	['binary', 'one of two classes'],
	['multiclass', 'one of several classes'],
	['multilabel', 'any of several labels'],
	['regression', 'a number'],
] as const;

type Props = {
	editing: Editing;
	/** The columns, as far as they are known. */
	names: readonly string[];
	preview: TablePreview | null;
	/** The column that the preview takes for the label because none has a usual name. */
	guess: string | null;
};

/** What is to be predicted. */
export function LabelFields({ editing, names, preview, guess }: Props): VNode {
	const { manifest, change, faultOf } = editing;
	const isSeveral = useSignal(Array.isArray(manifest.label));
	const now =
		typeof manifest.label === 'string' ? manifest.label : manifest.label === undefined && guess === null ? preview?.label : undefined;
	const fault = faultOf('label');
	const task = TASKS.find(([type]) => type === preview?.task.type)?.[1];
	const classes = preview?.task.classes ?? [];
	return (
		<fieldset class="box">
			<legend>What is to be predicted</legend>
			<div class="field-grid">
				<Field
					name="Label"
					fault={isSeveral.value ? null : fault}
					hint={guess === null ? 'The column that the model learns to predict from the others.' : undefined}
				>
					{(attributes) => (
						<select
							{...attributes}
							value={isSeveral.value ? '*' : typeof now === 'string' ? `=${now}` : ''}
							onChange={(event) => {
								const { value } = event.currentTarget;
								isSeveral.value = value === '*';
								if (value.startsWith('=')) change(withLabel(manifest, value.slice(1)));
							}}
						>
							{!isSeveral.value && typeof now !== 'string' && <option value="">choose a column …</option>}
							{names.map((name) => (
								<option key={name} value={`=${name}`}>
									{name}
								</option>
							))}
							<option value="*">several columns of 0 and 1 …</option>
						</select>
					)}
				</Field>
				{isSeveral.value && (
					<Field name="Columns of the labels" fault={fault} hint="Names between commas; * stands for any letters, as in finding_*.">
						{(attributes) => (
							<input
								{...attributes}
								value={Array.isArray(manifest.label) ? manifest.label.join(', ') : ''}
								placeholder="finding_*"
								onChange={(event) => {
									const parts = event.currentTarget.value.split(',').map((part) => part.trim());
									const labels = parts.filter((part) => part !== '');
									if (labels.length > 0) change(withLabel(manifest, labels));
								}}
							/>
						)}
					</Field>
				)}
				<ChoiceField
					editing={editing}
					field="task.type"
					name="Task"
					unsaid={task === undefined || manifest.task?.type !== undefined ? 'found out' : `found out: ${task}`}
					options={TASKS}
					hint={
						classes.length === 0
							? undefined
							: `Classes: ${classes.slice(0, 6).join(', ')}${classes.length > 6 ? `, … (${classes.length})` : ''}`
					}
				/>
				{!isSeveral.value && (
					<TextField
						editing={editing}
						field="label_separator"
						name="Separator of labels"
						unsaid="each cell is one label"
						hint="Where a cell holds several, such as | in fracture|effusion."
					/>
				)}
				<ChoiceField
					editing={editing}
					field="missing_labels"
					name="Rows without a label"
					unsaid="are refused"
					options={[['drop', 'are left out']]}
				/>
			</div>
			{guess !== null && fault === null && (
				<div class="note warn">
					<strong>Which column is to be predicted?</strong>
					<p>
						None is called label, target, y, class or outcome. Below, the table is read as if it were <strong>{guess}</strong>.
					</p>
					<p class="actions">
						<button type="button" class="primary" onClick={() => change(withLabel(manifest, guess))}>
							Predict {guess}
						</button>
					</p>
				</div>
			)}
		</fieldset>
	);
}
