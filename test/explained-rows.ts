import type { Client } from '@steelyard/client';
import type { DatasetRows, JobResource } from '@steelyard/contracts';
import { parquetReadObjects } from 'hyparquet';
import { expect } from 'vitest';

/** Holds rows of a split of a dataset, put to the model of a job on it as they were shown, to give the labels, predictions and weights that `explanation.parquet` has for them. */
export async function expectExplained(client: Client, job: Pick<JobResource, 'id'>, { split, data }: DatasetRows): Promise<void> {
	const file = await (await client.jobs.download(job.id, 'explanation.parquet')).arrayBuffer();
	const { classes } = (await (await client.jobs.download(job.id, 'explanation.json')).json()) as { classes: string[] };
	const explained = (await parquetReadObjects({ file })).filter((row) => row['split'] === split);
	const { data: predictions } = await client.jobs.predict(
		job.id,
		data.map(({ values }) => values),
	);
	expect(predictions).toHaveLength(data.length);
	expect(data.length).toBeGreaterThan(0);
	data.forEach(({ row, label }, i) => {
		const known = explained.find((one) => one['row'] === row) ?? expect.unreachable(`there is no row ${row}`);
		const { prediction, probabilities = {}, weights = {} } = predictions[i] ?? {};
		const nameOf = (index: unknown) => classes[index as number];
		expect([label, prediction]).toEqual([nameOf(known['label']), nameOf(known['prediction'])]);
		// another batch size and other optimisations of the graph, in float32
		expect(probabilities[prediction as string]).toBeCloseTo(known['probability'], 4);
		for (const [modality, weight] of Object.entries(weights)) expect(weight).toBeCloseTo(known[`weight.${modality}`], 4);
	});
}
