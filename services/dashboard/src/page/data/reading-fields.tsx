import type { ColumnProfile, TablePreview } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { ChoiceField, type Editing, NumberField, TextField } from './manifest-field.js';

type Props = { editing: Editing; columns: readonly ColumnProfile[]; preview: TablePreview | null };

const named = (columns: readonly ColumnProfile[]) => columns.map(({ name }) => [name, name] as const);

/** How the rows are cut into splits. */
export function SplitFields({ editing, columns }: Props): VNode {
	const { split, time } = editing.manifest;
	const isColumn = typeof split === 'string';
	const free = columns.filter(({ role }) => role !== 'label');
	return (
		<fieldset class="box">
			<legend>Splits</legend>
			<div class="field-grid">
				<ChoiceField
					editing={editing}
					field="split"
					name="Column of splits"
					unsaid="none: the rows are drawn"
					options={named(free)}
					hint="Its cells are train, valid or test."
				/>
				{!isColumn && (
					<>
						<NumberField
							editing={editing}
							field="split.test"
							name="Share for the test"
							unsaid="0.2"
							step="any"
							max={0.99}
							hint="Of all rows, from 0 to below 1."
						/>
						<NumberField
							editing={editing}
							field="split.valid"
							name="Share for validation"
							unsaid={time === undefined ? '0' : '0.16'}
							step="any"
							max={0.99}
							hint="With 0 each job takes its own from the training rows."
						/>
						<NumberField editing={editing} field="split.seed" name="Seed" unsaid="1" hint="Another seed draws other rows." />
					</>
				)}
				<ChoiceField
					editing={editing}
					field="group"
					name="Rows that belong together"
					unsaid="none: each row stands alone"
					options={named(free)}
					hint="Rows with equal cells in this column, such as those of one patient, stay in one split."
				/>
				{!isColumn && (
					<ChoiceField
						editing={editing}
						field="time"
						name="Cut by time"
						unsaid="no"
						options={named(free.filter(({ kind, name }) => kind === 'date' || name === time))}
						hint="The last rows by this column of dates are for the test."
					/>
				)}
			</div>
		</fieldset>
	);
}

/** How cells are read, and what becomes of them. */
export function CellFields({ editing, columns, preview }: Props): VNode {
	const has = (kind: ColumnProfile['kind']) => columns.some((column) => column.kind === kind && column.role === 'feature');
	const isTokens = editing.manifest.texts?.as === 'tokens';
	return (
		<fieldset class="box">
			<legend>Cells</legend>
			<div class="field-grid">
				{preview?.delimiter !== undefined && (
					<ChoiceField
						editing={editing}
						field="delimiter"
						name="Between cells stands"
						unsaid="found out"
						options={[
							[',', 'a comma ,'],
							[';', 'a semicolon ;'],
							['\t', 'a tab'],
							['|', 'a bar |'],
						]}
						hint={`Now it is read with ${preview.delimiter === '\t' ? 'a tab' : preview.delimiter}`}
					/>
				)}
				<ChoiceField
					editing={editing}
					field="decimal"
					name="Decimal mark"
					unsaid="found out for each column"
					options={[
						['.', 'a point: 3.5'],
						[',', 'a comma: 3,5'],
					]}
				/>
				<ChoiceField
					editing={editing}
					field="day_first"
					name="The date 3/4/2020 is"
					unsaid="found out for each column"
					options={[
						[true, 'a day in April (day first)'],
						[false, 'a day in March (month first)'],
					]}
				/>
				<TextField
					editing={editing}
					field="missing"
					name="Cells that mean nothing"
					unsaid="NA, N/A, NaN, null, None, ?"
					isList
					hint="Between commas. The empty cell always does."
				/>
				{has('number') && (
					<ChoiceField
						editing={editing}
						field="numbers.fill"
						name="A missing number becomes"
						unsaid="the mean of the training rows"
						options={[['median', 'the median of the training rows']]}
					/>
				)}
				{has('category') && (
					<NumberField
						editing={editing}
						field="categories.most"
						name="Most categories of a column"
						unsaid="100"
						min={1}
						hint="Rarer ones share one feature."
					/>
				)}
				{has('text') && (
					<>
						<ChoiceField
							editing={editing}
							field="texts.as"
							name="Texts become"
							unsaid="how often words occur (TF-IDF)"
							options={[['tokens', 'ids of their words, whose meaning is learned']]}
						/>
						{isTokens ? (
							<>
								<NumberField editing={editing} field="texts.tokens" name="Words of a text that are read" unsaid="64" min={2} />
								<NumberField editing={editing} field="texts.vocabulary" name="Words that are known" unsaid="20,000" min={1} />
							</>
						) : (
							<NumberField
								editing={editing}
								field="texts.terms"
								name="Most words and pairs of words"
								unsaid="2,048"
								min={1}
								hint="Fewer take less room."
							/>
						)}
					</>
				)}
				{has('sequence') && (
					<NumberField
						editing={editing}
						field="sequences.steps"
						name="Steps of a sequence"
						unsaid="those of the longest"
						min={1}
						hint="Shorter ones are filled up, longer ones are refused."
					/>
				)}
			</div>
		</fieldset>
	);
}
