// Where ONNX Runtime's CUDA provider places the nodes of graphs, and which copies it inserts between the GPU and the host.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bodiesOf, decodeModel, encodeModel, withBodies } from '../../packages/onnx/dist/index.js';

const PLACE = fileURLToPath(new URL('place.js', import.meta.url));

/** The graph with nodes whose names say how deep they stand: `0:…` in the outer graph, `1:…` in a body of one of its nodes, and so on. */
const named = (graph, where = '') => ({
	...graph,
	nodes: graph.nodes.map((node, i) => ({
		...withBodies(node, (body) => named(body, `${where}${i}/`)),
		name: `${where.split('/').length - 1}:${where}${i}`,
	})),
});

/** The graph with Splits of equal parts in the place of those whose sizes are computed: where kernels do nothing, these sizes would be wrong. */
function evened(graph) {
	const even = (node) => ({
		...node,
		inputs: node.inputs.slice(0, 1),
		attributes: { ...node.attributes, num_outputs: { type: 'int', value: node.outputs.length } },
	});
	const nodes = graph.nodes.map((node) => {
		const [, sizes] = node.inputs;
		return node.op === 'Split' && sizes && !graph.initializers.has(sizes) ? even(node) : withBodies(node, evened);
	});
	return { ...graph, nodes };
}

const PROVIDER = /(?:All nodes|Node\(s\)) placed on \[(\w+)ExecutionProvider\]/;
const NODE = /\]\s+(\w+) \((\d+):\S*\)$/;

/** The nodes that the log names, as `{ op, depth }`, by provider. */
function placements(log) {
	const found = { CPU: [], CUDA: [] };
	let provider;
	for (const line of log.split('\n')) {
		provider = PROVIDER.exec(line)?.[1] ?? provider;
		const node = line.includes('VerifyEachNode') ? NODE.exec(line) : null;
		if (node) found[provider]?.push({ op: node[1], depth: Number(node[2]) });
	}
	return found;
}

/** The copies in a graph that the runtime has written: `{ depth, to, of, for }`, where `of` is the operator that made the value and `for` those that read it. */
function copies(graph, depth = 0) {
	const makers = new Map(graph.nodes.flatMap(({ op, outputs }) => outputs.map((name) => [name, op])));
	return graph.nodes.flatMap((node) => {
		const within = bodiesOf(node).flatMap(([, body]) => copies(body, depth + 1));
		if (!node.op.startsWith('Memcpy')) return within;
		const readers = graph.nodes.filter(({ inputs }) => inputs.includes(node.outputs[0])).map(({ op }) => op);
		return [
			{ depth, to: node.op === 'MemcpyToHost' ? 'host' : 'device', of: makers.get(node.inputs[0]) ?? 'input', for: [...new Set(readers)] },
		];
	});
}

/** Runs place.js over the entries; where its process dies, it is started again behind the graph that it died of. */
async function placed(entries, folder, { args = [], env = {} }) {
	const done = new Map();
	const [list, counters] = ['list.json', 'counters'].map((name) => join(folder, name));
	while (done.size < entries.length) {
		await writeFile(list, JSON.stringify(entries.filter(({ name }) => !done.has(name))));
		const log = await open(join(folder, 'log'), 'w+');
		let answers = '';
		const code = await new Promise((resolve, reject) => {
			const child = spawn(process.execPath, [...args, PLACE, list, counters], {
				env: { ...process.env, ...env, STUB_COUNTERS: counters },
				stdio: ['ignore', 'pipe', log.fd],
			});
			child.stdout.setEncoding('utf8').on('data', (text) => {
				answers += text;
			});
			child.once('error', reject).once('close', (code, signal) => resolve(signal ?? code));
		});
		await log.close();
		const parts = (await readFile(join(folder, 'log'), 'utf8')).split('\nGRAPH ').slice(1);
		const said = new Map(
			answers
				.split('\n')
				.filter(Boolean)
				.map(JSON.parse)
				.map((one) => [one.name, one]),
		);
		for (const part of parts) {
			const name = part.slice(0, part.indexOf('\n'));
			done.set(name, {
				said: said.get(name) ?? { error: `the process ended with ${code}`, run: {}, step: {}, microseconds: null },
				log: part,
			});
		}
		if (parts.length === 0) throw new Error(`the provider did not start: ${(await readFile(join(folder, 'log'), 'utf8')).slice(-500)}`);
	}
	return done;
}

/**
 * Places and runs models, `{ name, bytes, optimisation }`, with the `args` and `env` of a process (see stand-in.js). Gives for each
 * `{ name, error, cpu, copies, run, step, microseconds }`: the nodes on the CPU, inserted copies, calls of CUDA in a run and in a step where stubs count them, and, with `timed`, the processor time of a step.
 */
export async function placementsOf(models, where, { timed = false } = {}) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-placement-'));
	try {
		const entries = [];
		for (const [i, { name, bytes, optimisation }] of models.entries()) {
			const model = decodeModel(bytes);
			const [file, placed, run] = ['onnx', 'placed.onnx', 'run.onnx'].map((end) => join(folder, `${i}.${end}`));
			await writeFile(file, encodeModel({ ...model, graph: named(model.graph) }));
			await writeFile(run, encodeModel({ ...model, graph: evened(model.graph) }));
			entries.push({ name, file, placed, run, optimisation, timed });
		}
		const done = await placed(entries, folder, where);
		return await Promise.all(
			entries.map(async ({ name, placed }) => {
				const { said, log } = done.get(name);
				const { CPU } = placements(log);
				const inserted = existsSync(placed) ? copies(decodeModel(await readFile(placed)).graph) : [];
				return { name, error: said.error, cpu: CPU, copies: inserted, run: said.run, step: said.step, microseconds: said.microseconds };
			}),
		);
	} finally {
		await rm(folder, { recursive: true });
	}
}
