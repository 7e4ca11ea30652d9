import { describe, expect, it } from 'vitest';
import { useSwiftShader } from '../../../test/swiftshader.js';
import { loadOnDevice, loadProgram, RuntimeError, type State, tensor } from '../src/index.js';
import { accumulating } from './models.js';
import { describeProgram, type LoadProgram } from './program-suite.js';

const onWebgpu: LoadProgram = (model, state, options) => loadProgram(model, state, { ...options, provider: 'webgpu' });

describe.skipIf(!useSwiftShader())('WebGPU on SwiftShader', () => {
	describeProgram('a program whose state stays on the device', onWebgpu);

	const state: State = { total: tensor('float32', [1, 3], [0, 0, 0]), count: tensor('int64', [], [0]) };
	const model = { bytes: accumulating, state: { total: 'total_next', count: 'count_next' } };
	const inputs = { x: tensor('float32', [1, 3], [1, 2, 3]), factor: tensor('float32', [1], [2]) };

	it('shares state between models, each of which may have a part of it', async () => {
		const other = { bytes: accumulating, state: { total: 'total_next' } };
		const both = await loadOnDevice({ whole: model, part: other }, state);
		await both.run('whole', inputs);
		const { count_next: count } = await both.run('part', { ...inputs, count: tensor('int64', [], [7]) });
		expect(count).toEqual(tensor('int64', [], [8]));
		expect(await both.state()).toEqual({ total: tensor('float32', [1, 3], [4, 8, 12]), count: tensor('int64', [], [1]) });
		expect(await both.state(['total'])).toEqual({ total: tensor('float32', [1, 3], [4, 8, 12]) });
		await both.dispose();
	});

	it('is refused wholly for a model of which a node has no kernel there', async () => {
		const refused = loadProgram(model, state, { provider: 'webgpu', wholly: true });
		await expect(refused).rejects.toBeInstanceOf(RuntimeError);
		await expect(refused).rejects.toMatchObject({ code: 'no_kernel' });
	});
});
