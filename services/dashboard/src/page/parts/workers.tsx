import type { WorkerStatus } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes, moment, shortId } from '../format.js';

function devicesOf({ devices: { cuda, webgpu } }: WorkerStatus): string {
	const gpus = [cuda.available ? ['CUDA'] : [], webgpu?.available ? [webgpu.software ? 'WebGPU in software' : 'WebGPU'] : []];
	return [...gpus.flat(), 'CPU'].join(', ');
}

/** What is taken of the memory of its machine. */
const memoryOf = ({ memory_used_bytes: used, memory_bytes: all }: WorkerStatus): string =>
	used === undefined ? bytes(all) : `${bytes(used)} of ${bytes(all)}`;

/** How many more jobs it would run now; a worker of an earlier version does not say. */
const slotsOf = ({ free_slots: free, slots }: WorkerStatus): string =>
	free === undefined || slots === undefined ? '–' : `${free} of ${slots}`;

/** Workers that are alive, with what they train on and what they run. `nameOf` gives the name of a job that the page knows. */
export function Workers({ workers, nameOf }: { workers: readonly WorkerStatus[]; nameOf?: (id: string) => string | undefined }): VNode {
	if (workers.length === 0)
		return (
			<p class="note warn">
				<strong>No worker is alive.</strong> Jobs wait until one is started; <code>npm start</code> starts one with the service.
			</p>
		);
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard
		<section class="scroll" tabIndex={0} aria-label="Workers">
			<table>
				<thead>
					<tr>
						<th>Worker</th>
						<th>Devices</th>
						<th class="number">Cores</th>
						<th class="number">Memory</th>
						<th class="number">Slots free</th>
						<th>Runs</th>
						<th>Since</th>
						<th>Version</th>
					</tr>
				</thead>
				<tbody>
					{workers.map((worker) => (
						<tr key={worker.id}>
							<td>
								<span class="mono">{worker.id}</span>
								{worker.labels !== undefined && worker.labels.length > 0 && <p class="hint">{worker.labels.join(', ')}</p>}
							</td>
							<td>
								{devicesOf(worker)}
								{worker.devices.cuda.note !== null && (
									<details class="hint">
										<summary>Why no CUDA</summary>
										{worker.devices.cuda.note}
									</details>
								)}
							</td>
							<td class="number">{worker.cores ?? '–'}</td>
							<td class="number">{memoryOf(worker)}</td>
							<td class="number">{slotsOf(worker)}</td>
							<td>
								{worker.jobs.length === 0
									? 'nothing'
									: worker.jobs.map((id) => (
											<a key={id} href={`#/jobs/${id}`}>
												{nameOf?.(id) ?? shortId(id)}{' '}
											</a>
										))}
							</td>
							<td>{moment(worker.started_at)}</td>
							<td>{worker.version}</td>
						</tr>
					))}
				</tbody>
			</table>
		</section>
	);
}
