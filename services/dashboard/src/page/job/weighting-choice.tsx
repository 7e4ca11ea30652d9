import type { JobResult } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure } from '../format.js';

/** How a job with the weighting auto chose it: what each candidate did on validation. */
export function WeightingChoice({ choice }: { choice: NonNullable<JobResult['weighting_choice']> }): VNode {
	const { chosen, reason, metric, rows, shuffles, candidates } = choice;
	const modalities = Object.keys(candidates[0]?.shuffled ?? {});
	return (
		<>
			<h2>How the weighting was chosen</h2>
			<p>{reason}</p>
			<p class="hint">
				{metric} over {rows.toLocaleString('en')} rows of validation: as they are, with the standard error of the difference to the best,
				and with one modality from other rows, the mean of {shuffles} orders. Test rows were not looked at.
			</p>
			<div class="scroll" tabIndex={0} role="region" aria-label="Candidates of the weighting">
				<table>
					<thead>
						<tr>
							<th scope="col">weighting</th>
							<th scope="col" class="number">
								as it is
							</th>
							{modalities.map((name) => (
								<th key={name} scope="col" class="number">
									{name} shuffled
								</th>
							))}
							<th scope="col" class="number">
								mean of these
							</th>
						</tr>
					</thead>
					<tbody>
						{candidates.map(({ preset, clean, standard_error: error, eligible, shuffled, shuffled_mean: mean }) => (
							<tr key={preset}>
								<th scope="row">
									{preset === chosen ? (
										<>
											{preset} <span aria-label="chosen">★</span>
										</>
									) : (
										preset
									)}
								</th>
								<td class="number" title={eligible ? undefined : 'worse than the best by more than a standard error'}>
									{!eligible && <span class="quiet">worse: </span>}
									{figure(clean)}
									{error !== null && error > 0 && <span class="quiet"> ± {figure(error)}</span>}
								</td>
								{modalities.map((name) => (
									<td key={name} class="number">
										{figure(shuffled[name])}
									</td>
								))}
								<td class="number">{figure(mean)}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</>
	);
}
