import { describe, expect, it } from 'vitest';
import { type CustomConfig, type DatasetFields, type ModelInterface, parseJobSpec } from '../src/index.js';
import { BINARY, CUSTOM, GRAPH, MEASURED, MULTICLASS, MULTILABEL, problemsOf, REGRESSION, SEQUENCE, SQUARE, TAGGED } from './job-parts.js';

type Case = { model?: Partial<CustomConfig>; spec?: object; dataset?: DatasetFields; graph?: Partial<ModelInterface> };

const problemsOfCase = ({ model = {}, spec = {}, dataset = BINARY, graph = {} }: Case) =>
	problemsOf({ model: { ...CUSTOM, ...model }, ...spec }, dataset, { ...GRAPH, ...graph });

type GraphValue = ModelInterface['inputs'][number];
const input = (name: string, shape: GraphValue['shape'], dtype = 'float32'): GraphValue => ({ name, dtype, shape });
const inputs = (...more: GraphValue[]) => [...GRAPH.inputs, ...more];
const output = (shape: GraphValue['shape'], dtype = 'float32', operator?: 'Softmax' | 'Sigmoid', after: string[] = []) => ({
	outputs: [
		{ name: 'y', dtype, shape, ...(operator && { activation: { operator, logits: 'z', axis: operator === 'Softmax' ? 1 : null, after } }) },
	],
});
/** A dataset and a graph that takes its modality `text` by the input. */
const ofText = (text: Partial<DatasetFields['modalities'][string]>, taker: GraphValue): Case => ({
	dataset: { ...BINARY, modalities: { ...BINARY.modalities, text: { shape: [2], masked: false, missing: 0, ...text } } },
	graph: { inputs: [input('labs', ['batch', 2]), taker] },
});
const IDS: GraphValue = { ...input('text', ['batch', 2], 'int64'), limit: { size: 10, table: 'embedding' } };
const weighted = { weighting: { preset: 'btw', refresh_epochs: 2 } };

describe('a job of a custom model is admitted', () => {
	it.each<[string, Case]>([
		['as it is', {}],
		[
			'with only some of the modalities',
			{ model: { inputs: { labs: 'labs' } }, spec: { modalities: ['labs'] }, graph: { inputs: [input('labs', ['n', 2])] } },
		],
		[
			'with the modalities that it has inputs for, where the job names none',
			{ model: { inputs: { labs: 'labs' } }, graph: { inputs: [input('labs', ['n', 2])] } },
		],
		['with free dimensions', { graph: { inputs: [input('labs', ['n', 'f']), input('text', ['m', 'g'])], ...output(['n', 'c']) } }],
		[
			'with a fixed batch that is that of the job',
			{ spec: { training: { batch_size: 8 } }, graph: { inputs: [input('labs', [8, 2]), input('text', [8, 2])], ...output([8, 1]) } },
		],
		[
			'with a weight whose size is free',
			{ spec: weighted, graph: { inputs: inputs(input('w.labs', ['n', 'k']), input('w.text', ['n'])) } },
		],
		['for every id of the table', ofText({ dtype: 'int64', min: 0, max: 9, whole: true }, IDS)],
		['for ids as whole floats', ofText({ dtype: 'float32', min: 0, max: 9, whole: true }, IDS)],
		['for values of which a profile of an older version says nothing', ofText({}, IDS)],
		['for integers that go into floats', ofText({ dtype: 'int64', min: -5, max: 2 ** 40, whole: true }, input('text', ['batch', 2]))],
		['with one logit per class of a binary task', { graph: output(['batch', 2]) }],
		['with the Softmax of its classes', { dataset: MULTICLASS, graph: output(['batch', 3], 'float32', 'Softmax') }],
		['with the Sigmoid of its logit', { graph: output(['batch', 1], 'float32', 'Sigmoid') }],
		['with a Softmax whose size is free', { graph: output(['batch', 'c'], 'float32', 'Softmax') }],
		['with values of one number per row', { graph: output(['batch']) }],
		['for as many classes as it has logits', { dataset: MULTICLASS, graph: output(['batch', 3]) }],
		['for classes of positions along the last axis', { dataset: TAGGED, graph: output(['batch', 5, 3]) }],
		['for classes of positions along axis 1', { dataset: TAGGED, graph: output(['batch', 3, 5]) }],
		['for classes of positions along an axis of free size', { dataset: TAGGED, graph: output(['batch', 'seq', 3]) }],
		[
			'for classes of positions along the axis that it names',
			{ dataset: SQUARE, model: { class_axis: 1 }, graph: output(['batch', 3, 3]) },
		],
		['for positions whose axis only a run shows', { dataset: SQUARE, graph: output(['batch', 'a', 'b']) }],
		[
			'for classes of positions by a loss with choices',
			{ dataset: TAGGED, model: { loss: { name: 'cross_entropy', label_smoothing: 0.1 } }, graph: output(['batch', 5, 3]) },
		],
		['for a value of each position', { dataset: MEASURED, graph: output(['batch', 5]) }],
		['for a value of each position on an axis of its own', { dataset: MEASURED, graph: output(['batch', 1, 5]) }],
		[
			'stopped by a metric of positions',
			{
				dataset: TAGGED,
				spec: { training: { early_stopping: { metric: 'mean_iou', patience: 2 } } },
				graph: output(['batch', 5, 3]),
			},
		],
		['for a regression', { dataset: REGRESSION, graph: output(['batch', 1]) }],
		[
			'with a modality in another shape of its size',
			{ dataset: SEQUENCE, graph: { inputs: [input('labs', ['n', 2]), input('text', ['n', 15])] } },
		],
		[
			'with a mask per row',
			{
				dataset: SEQUENCE,
				model: { masks: { text: 'm' } },
				graph: { inputs: [input('labs', ['n', 2]), input('text', ['n', 5, 3]), input('m', ['n'])] },
			},
		],
		[
			'with a mask per step',
			{
				dataset: SEQUENCE,
				model: { masks: { text: 'm' } },
				graph: { inputs: [input('labs', ['n', 2]), input('text', ['n', 5, 3]), input('m', ['n', 5], 'bool')] },
			},
		],
		['with inputs for weights that are not used', { graph: { inputs: inputs(input('w.labs', ['batch']), input('w.text', ['batch', 1])) } }],
		[
			'with weights in the graph',
			{ spec: weighted, graph: { inputs: inputs(input('w.labs', ['batch', 1]), input('w.text', ['batch', 1])) } },
		],
		['with weights on embeddings', { spec: weighted, model: { embeddings: { labs: 'h1', text: 'h2' } } }],
		[
			'with weights here and there',
			{ spec: weighted, model: { embeddings: { labs: 'h1' } }, graph: { inputs: inputs(input('w.text', ['batch', 1])) } },
		],
		['with low-rank updates of matrices', { model: { lora: { match: ['encoder.*', 'head.weight'], rank: 1 } } }],
		['with scaled values', { model: { scale: { labs: { factor: 0.5, mean: [1, 2], std: [3, 4] }, text: { std: [1, 2] } } } }],
		[
			'with scaled values of an input whose size is free',
			{ model: { scale: { labs: { mean: [1, 2] } } }, graph: { inputs: [input('labs', ['n', 'f']), input('text', ['n', 2])] } },
		],
		['with a frozen encoder', { model: { frozen: ['encoder.*'] } }],
		['with a constant frozen by name', { model: { frozen: ['sqrt_two'] } }],
		['with one trainable parameter', { model: { trainable: ['head.*'] } }],
	])('%s', (_, one) => expect(problemsOfCase(one)).toEqual([]));
});

describe('a temperature for a custom model', () => {
	const evaluation = { calibration: 'temperature' };
	it('is taken where the service writes the exported model, and refused where that is the uploaded graph or has positions', () => {
		const embeddings = { labs: 'h1', text: 'h2' };
		expect(problemsOfCase({ spec: { ...weighted, evaluation }, model: { embeddings } })).toEqual([]);
		expect(problemsOfCase({ spec: { evaluation } })).toMatchObject([
			{ code: 'invalid_request', param: 'evaluation.calibration', message: expect.stringContaining('your own graph') },
		]);
		expect(problemsOfCase({ spec: { evaluation }, dataset: TAGGED })).toContainEqual(
			expect.objectContaining({ code: 'unsupported_task', param: 'evaluation.calibration' }),
		);
	});
});

describe('a job of a custom model is refused', () => {
	it.each<[string, Case, string, string | RegExp]>([
		[
			'for a modality that it does not use',
			{ model: { inputs: { labs: 'labs', text: 'text' } }, spec: { modalities: ['labs'] } },
			'model.inputs.text',
			'model.inputs names the modality text, which the job does not use; it uses labs',
		],
		[
			'for a modality that the dataset lacks',
			{ model: { inputs: { labs: 'labs', text: 'text', audio: 'a' } } },
			'model.inputs.audio',
			'The dataset has no modality audio; it has labs, text',
		],
		[
			'for a mask of a modality that it leaves out',
			{ model: { inputs: { labs: 'labs' }, masks: { text: 'm' } }, spec: { modalities: ['labs'] } },
			'model.masks.text',
			'it uses labs',
		],
		[
			'for an embedding of no modality',
			{ model: { embeddings: { constructor: 'h' } as Record<string, string> } },
			'model.embeddings.constructor',
			'which the job does not use',
		],
		[
			'for a modality without an input',
			{ model: { inputs: { labs: 'labs' } }, spec: { modalities: ['labs', 'text'] } },
			'model.inputs',
			'no input for the modality text',
		],
		[
			'for an input that the model lacks',
			{ model: { inputs: { labs: 'x', text: 'text' } } },
			'model.inputs.labs',
			'no input "x"; its inputs are labs, text',
		],
		['for a mask that the model lacks', { model: { masks: { text: 'm' } } }, 'model.masks.text', 'no input "m"'],
		[
			'for one input given twice',
			{ model: { inputs: { labs: 'labs', text: 'labs' } } },
			'model.inputs.text',
			'is given the modality labs already',
		],
		[
			'for an input that nothing is given to',
			{ graph: { inputs: inputs(input('temperature', [1]), input('w.audio', ['batch'])) } },
			'model.inputs',
			'Nothing is given to the input temperature, w.audio of the model',
		],
		[
			'for another size of a modality',
			{ graph: { inputs: [input('labs', ['batch', 7]), input('text', ['batch', 2])] } },
			'model.inputs.labs',
			'"labs" of the model has the shape [batch, 7], but the modality labs is [batch, 2]',
		],
		[
			'for another rank of a modality',
			{ dataset: SEQUENCE, graph: { inputs: [input('labs', ['batch', 2]), input('text', ['batch', 'f'])] } },
			'model.inputs.text',
			'[batch, f], but the modality text is [batch, 5, 3]',
		],
		[
			'for an input without a batch',
			{ graph: { inputs: [input('labs', []), input('text', ['batch', 2])] } },
			'model.inputs.labs',
			'has the shape []',
		],
		[
			'for ids beyond the table',
			ofText({ dtype: 'int64', min: 0, max: 10, whole: true }, IDS),
			'model.inputs.text',
			'takes ids of the 10 rows of "embedding", but the modality text has numbers from 0 to 10; expected 0 to 9',
		],
		[
			'for negative ids',
			ofText({ dtype: 'int64', min: -1, max: 9, whole: true }, IDS),
			'model.inputs.text',
			'has numbers from -1 to 9; expected 0 to 9',
		],
		[
			'for ids with a fraction',
			ofText({ min: 0, max: 9, whole: false }, IDS),
			'model.inputs.text',
			'has numbers with a fraction, between 0 and 9',
		],
		[
			'for integers that its type has not',
			ofText({ dtype: 'int16', min: 0, max: 300, whole: true }, input('text', ['batch', 2], 'uint8')),
			'model.inputs.text',
			'takes uint8, but the modality text has numbers from 0 to 300; expected 0 to 255',
		],
		[
			'for whole numbers that float32 has rounded',
			ofText({ dtype: 'float32', min: 0, max: 2 ** 25, whole: true }, input('text', ['batch', 2], 'int64')),
			'model.inputs.text',
			'where whole numbers are no longer exact; store integers',
		],
		[
			'for a type that values cannot have',
			{ graph: { inputs: [input('labs', ['batch', 2], 'string'), input('text', ['batch', 2])] } },
			'model.inputs.labs',
			'takes string',
		],
		[
			'for another shape of a mask',
			{ model: { masks: { text: 'm' } }, graph: { inputs: inputs(input('m', ['batch', 4])) } },
			'model.masks.text',
			'the mask of text is [batch] or [batch, 1]',
		],
		[
			'for another shape of a weight',
			{ graph: { inputs: inputs(input('w.text', ['batch', 4])) } },
			'model.inputs',
			'the weight of text is [batch] or [batch, 1]',
		],
		[
			'for one free dimension of two sizes',
			{ dataset: SEQUENCE, graph: { inputs: [input('labs', ['n', 'd']), input('text', ['n', 5, 'd'])] } },
			'model.inputs.text',
			'"d" of the model is 2 by the modality labs, but 3 by the modality text',
		],
		[
			'for a free dimension that is the batch and a size of an instance',
			{ graph: { inputs: [input('labs', ['n', 'n']), input('text', ['n', 2])] } },
			'model.inputs.labs',
			'"n" of the model is the batch, but also 2 by the modality labs',
		],
		['for an output that the model lacks', { model: { output: 'z' } }, 'model.output', 'no output "z"; its outputs are y'],
		['for too few logits', { dataset: MULTICLASS }, 'model.output', '[batch, 1], but the 3 classes of the dataset want [batch, 3]'],
		['for too few labels', { dataset: MULTILABEL }, 'model.output', '[batch, 1], but the 2 labels of the dataset want [batch, 2]'],
		['for classes given by one number', { dataset: MULTICLASS, graph: output(['batch']) }, 'model.output', 'want [batch, 3]'],
		[
			'for low-rank updates of nothing',
			{ model: { lora: { match: ['head.*', 'decoder.*'], rank: 1 } } },
			'model.lora.match.1',
			'names "decoder.*", which no parameter of the model is called; its matrices are encoder.weight, head.weight',
		],
		[
			'for low-rank updates of a vector',
			{ model: { lora: { match: ['*.bias'], rank: 1 } } },
			'model.lora.match.0',
			'"encoder.bias" is [8] and no matrix',
		],
		[
			'for a rank that is no less than that of the matrix',
			{ model: { lora: { match: ['*'], rank: 5 } } },
			'model.lora.rank',
			'"encoder.weight" is [4, 8], for which a rank of 5 is too large: choose at most 4',
		],
		[
			'for the Softmax of labels',
			{ dataset: MULTILABEL, graph: output(['batch', 2], 'float32', 'Softmax') },
			'model.output',
			'ends in Softmax, but a multilabel task is trained on logits or their Sigmoid: export the model without Softmax',
		],
		[
			'for the Softmax of a single logit',
			{ graph: output(['batch', 1], 'float32', 'Softmax') },
			'model.output',
			'a binary task with one number per row is trained on logits or their Sigmoid',
		],
		[
			'for probabilities with bounds',
			{ graph: output(['batch', 1], 'float32', 'Sigmoid', ['Clip']) },
			'model.output',
			'has Clip behind its Sigmoid',
		],
		[
			'for three logits of a binary task',
			{ graph: output(['batch', 3]) },
			'model.output',
			'a binary task wants [batch, 1] or [batch] or [batch, 2]',
		],
		[
			'for two values of a regression',
			{ dataset: REGRESSION, graph: output(['batch', 2]) },
			'model.output',
			'a regression task wants [batch, 1] or [batch]',
		],
		[
			'for classes of positions in another shape',
			{ dataset: TAGGED, graph: output(['batch', 5, 4]) },
			'model.output',
			'[batch, 5, 4], but labels of positions want [batch, 5, 3] or [batch, 3, 5]',
		],
		[
			'for classes of positions along another axis than it names',
			{ dataset: TAGGED, model: { class_axis: 1 }, graph: output(['batch', 5, 3]) },
			'model.output',
			'labels of positions want [batch, 3, 5]',
		],
		[
			'for as many classes as positions',
			{ dataset: SQUARE, graph: output(['batch', 3, 3]) },
			'model.class_axis',
			'along axis 1 as well as the last one: say by model.class_axis which it is, 1 or -1',
		],
		['for a class axis of rows', { model: { class_axis: -1 } }, 'model.class_axis', 'for a dataset whose positions have labels'],
		['for an output of whole numbers', { graph: output(['batch', 1], 'int64') }, 'model.output', 'is int64; expected float32'],
		[
			'for a fixed batch of another size',
			{ graph: { inputs: [input('labs', [1, 2]), input('text', ['batch', 2])] } },
			'training.batch_size',
			/fixed batch size 1, but training\.batch_size is 32: set it to 1, or export .* dynamic_axes=\{"labs": \{0: "batch"\}\}/,
		],
		[
			'for a glob that names nothing to train',
			{ model: { trainable: ['head.*', 'decoder.*'] } },
			'model.trainable.1',
			'no parameter of the model is called; there are encoder.weight, encoder.bias, head.weight',
		],
		['for a glob that names nothing to freeze', { model: { frozen: ['decoder.*'] } }, 'model.frozen.0', 'model.frozen names "decoder.*"'],
		[
			'for more stars than can be searched for',
			{
				model: { trainable: ['*'], frozen: Array.from({ length: 990 }, (_, i) => `*${'a*b*'.repeat(39)}${i}`) },
				graph: { parameters: Array.from({ length: 1000 }, (_, i) => ({ ...GRAPH.parameters[0]!, name: `blocks.${1000 + i}.weight` })) },
			},
			'model.frozen',
			'in model.frozen and the fields before it have 78211 stars, expected at most 1578 for a model of 1000 parameters',
		],
		[
			'for a constant that is to be trained',
			{ model: { trainable: ['sqrt*'] } },
			'model.trainable.0',
			'"sqrt_two" cannot be trained: a constant of Div',
		],
		[
			'for a scale of a modality that it does not use',
			{ model: { scale: { audio: { factor: 2 } } } },
			'model.scale.audio',
			'model.scale names the modality audio, which the job does not use',
		],
		[
			'for a mean that has not a number for each channel',
			{ model: { scale: { labs: { mean: [1, 2, 3], std: [1, 2] } } } },
			'model.scale.labs.mean',
			'mean has length 3, but axis 1 of the input "labs" of the model, [batch, 2], has 2',
		],
		[
			'for a deviation of other length than a free dimension has by the dataset',
			{ model: { scale: { labs: { std: [1] } } }, graph: { inputs: [input('labs', ['n', 'f']), input('text', ['n', 2])] } },
			'model.scale.labs.std',
			'[n, f], has 2',
		],
		[
			'for channels along an axis that the input lacks',
			{ model: { scale: { labs: { std: [1, 2], axis: 2 } } } },
			'model.scale.labs.axis',
			'has the shape [batch, 2]; expected an axis from 1 to 1',
		],
		[
			'for a scale of integers',
			{ model: { scale: { labs: { factor: 2 } } }, graph: { inputs: [input('labs', ['n', 2], 'int64'), input('text', ['n', 2])] } },
			'model.scale.labs',
			'takes int64; model.scale gives float32',
		],
		[
			'for a scale of ids',
			{ ...ofText({ dtype: 'int64', min: 0, max: 9, whole: true }, IDS), model: { scale: { text: { factor: 2 } } } },
			'model.scale.text',
			'takes ids of the rows of "embedding"',
		],
		['where all is frozen', { model: { frozen: ['*'] } }, 'model.frozen', 'No parameter is left'],
		[
			'where all that is trainable is frozen',
			{ model: { trainable: ['head.*'], frozen: ['head.weight'] } },
			'model.frozen',
			'No parameter is left',
		],
		['where there is nothing to train', { graph: { parameters: [] } }, 'model.model', 'no parameter that can be trained'],
		[
			'for parameters of another type',
			{ graph: { parameters: GRAPH.parameters.map((one) => ({ ...one, dtype: 'float64' })) } },
			'model.frozen',
			'only float32, float16, bfloat16 can be trained',
		],
		[
			'for a weight without a place',
			{ spec: weighted, model: { embeddings: { labs: 'h' } } },
			'model.embeddings.text',
			'btw has no place for the weight of text',
		],
		[
			'for a weight on the output',
			{ spec: weighted, model: { embeddings: { labs: 'h', text: 'y' } } },
			'model.embeddings.text',
			'is the output itself',
		],
	])('%s', (_, one, param, words) => {
		const [problem] = problemsOfCase(one);
		expect(problem).toMatchObject({
			param,
			message: typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
		});
		const isUnknownModality = /does not use|has no modality/.test(problem?.message ?? '');
		expect(problem?.code).toBe(isUnknownModality ? 'modality_not_found' : 'invalid_model');
	});

	it.each([
		['std', 0],
		['std', 1],
		['factor', 0],
	])('for a scale whose %s is %i where that is no such number', (field, value) => {
		const scale = { labs: { [field]: field === 'std' && value === 0 ? [1, 0] : value } };
		expect(() => parseJobSpec({ dataset: 'ds_1', model: { ...CUSTOM, scale } })).toThrow(/model\.scale\.labs/);
	});

	it('with no more names than can be read', () => {
		const parameters = Array.from({ length: 500 }, (_, i) => ({
			name: `p${i}`,
			dtype: 'float32',
			shape: [1],
			trainable: true,
			reason: '',
		}));
		expect(problemsOfCase({ model: { frozen: ['q'] }, graph: { parameters } })[0]?.message).toMatch(/there are p0, .*p9 and 490 more$/);
	});
});

describe('quantiles of a custom model', () => {
	it.each<[string, object]>([
		['training.loss', { training: { loss: 'quantile' } }],
		['model.loss', { model: { ...CUSTOM, loss: { name: 'quantile', quantiles: [0.5, 0.9] } } }],
	])('are refused at %s, with what to do instead', (param, spec) => {
		expect(() => parseJobSpec({ dataset: 'ds_1', model: CUSTOM, ...spec })).toThrow(
			expect.objectContaining({
				code: 'invalid_request',
				param,
				message: expect.stringMatching(/is for the built-in families; .* computes their pinball loss itself \(model\.loss\.output\)/),
			}),
		);
	});
});

describe('a loss that the graph computes', () => {
	const LOSS = { name: 'loss', dtype: 'float32', shape: [] };
	const ofLoss = { loss: { output: 'loss' }, labels: 'target' };
	const graph = (label: GraphValue = input('target', ['batch'], 'int64'), outputs: ReturnType<typeof output>['outputs'] = [LOSS]) => ({
		inputs: inputs(label),
		outputs: [...GRAPH.outputs, ...outputs],
	});
	const { output: _, ...ALONE } = CUSTOM;
	const of = (model: object, { dataset = BINARY, spec = {}, ...more }: Omit<Case, 'model'> = {}) =>
		problemsOf({ model: { ...ALONE, ...ofLoss, ...model }, ...spec }, dataset, { ...GRAPH, ...graph(), ...more.graph });

	it.each<[string, ReturnType<typeof of>]>([
		['alone', of({})],
		['with an output', of({ output: 'y' })],
		['without labels', of({ labels: undefined }, { graph: { inputs: GRAPH.inputs } })],
		['with labels as floats', of({}, { graph: graph(input('target', ['batch', 1])) })],
		['with values', of({}, { dataset: REGRESSION, graph: graph(input('target', ['batch', 1])) })],
		['with flags', of({}, { dataset: MULTILABEL, graph: graph(input('target', ['batch', 'k'])) })],
	])('is admitted %s', (_, problems) => {
		expect(problems).toEqual([]);
	});

	const shape = (dims: GraphValue['shape'], dtype = 'float32') => ({ graph: graph(undefined, [{ name: 'loss', dtype, shape: dims }]) });
	it.each<[string, () => ReturnType<typeof of>, string, RegExp]>([
		['which the graph lacks', () => of({ loss: { output: 'cost' } }), 'model.loss.output', /no output "cost"; its outputs are y, loss/],
		['of a number for each row', () => of({}, shape(['batch'])), 'model.loss.output', /shape \[batch\]; a loss is one number/],
		['of integers', () => of({}, shape([], 'int64')), 'model.loss.output', /is int64; expected float32/],
		['with labels that the graph lacks', () => of({ labels: 'gold' }), 'model.labels', /no input "gold"/],
		[
			'whose labels nothing is given',
			() => of({ labels: undefined }),
			'model.inputs',
			/Nothing is given to the input target.*model\.labels/,
		],
		['with values in integers', () => of({}, { dataset: REGRESSION }), 'model.labels', /takes int64, but the labels are values/],
		[
			'with classes in bool',
			() => of({}, { dataset: MULTICLASS, graph: graph(input('target', ['batch'], 'bool')) }),
			'model.labels',
			/takes bool/,
		],
		[
			'with labels of another shape',
			() => of({}, { graph: graph(input('target', ['batch', 4])) }),
			'model.labels',
			/\[batch, 4\], but the label is/,
		],
		['that is the output too', () => of({ output: 'loss' }), 'model.output', /./],
	])('is refused %s', (_, problems, param, message) => {
		expect(problems()).toContainEqual({ code: 'invalid_model', param, message: expect.stringMatching(message) });
	});

	it.each<[string, () => unknown, string, RegExp]>([
		['a choice of a built-in loss', () => of({ loss: { output: 'loss', gamma: 1 } }), 'model.loss.gamma', /is for a built-in loss/],
		['a weighting', () => of({}, { spec: weighted }), 'weighting.preset', /choose uniform/],
		[
			'a metric of predictions without them',
			() => of({}, { spec: { training: { early_stopping: { metric: 'auroc' } } } }),
			'training.early_stopping.metric',
			/name the output/,
		],
		['labels without it', () => of({ loss: undefined, output: 'y' }), 'model.labels', /loss\.output/],
		['no output without it', () => of({ loss: undefined, labels: undefined }), 'model.output', /model\.output is required/],
		['an object without a name', () => of({ loss: {} }), 'model.loss.name', /is required/],
	])('does not go with %s', (_, problems, param, message) => {
		expect(problems).toThrow(expect.objectContaining({ code: 'invalid_request', param, message: expect.stringMatching(message) }));
	});
});

describe('outputs with a loss each', () => {
	const AGED: DatasetFields = {
		...MULTICLASS,
		modalities: {
			...MULTICLASS.modalities,
			age: { shape: [1], masked: true, missing: 0.2, dtype: 'float32', min: 0, max: 90.5, whole: false },
			stage: { shape: [1], masked: false, missing: 0, dtype: 'int64', min: 0, max: 3, whole: true },
			tags: { shape: [5], masked: false, missing: 0, dtype: 'uint8', min: 0, max: 4, whole: true },
			none: { shape: [1], masked: true, missing: 1, dtype: 'float32', min: 0, max: 0, whole: true },
		},
	};
	const value = (shape: GraphValue['shape'], more: Partial<ModelInterface['outputs'][number]> = {}) => ({
		name: 'more',
		dtype: 'float32',
		shape,
		...more,
	});
	const of = (more: object, further: ReturnType<typeof value>, { dataset = AGED, ...rest }: Case = {}) =>
		problemsOfCase({
			...rest,
			dataset,
			model: { outputs: { more: { labels: 'age', ...more } }, ...rest.model },
			graph: {
				outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', ...(dataset.task.positions ?? []), dataset.task.outputs] }, further],
			},
		});

	it.each<[string, ReturnType<typeof of>]>([
		['for values', of({}, value(['batch', 1]))],
		[
			'for values of one number per row, with a loss and its weight',
			of({ loss: { name: 'huber', delta: 5 }, weight: 0.1 }, value(['batch'])),
		],
		['for classes', of({ labels: 'stage' }, value(['batch', 4]))],
		['for classes as values', of({ labels: 'stage', loss: 'mae' }, value(['batch', 1]))],
		['for classes along the last axis', of({ labels: 'tags' }, value(['batch', 5, 6]))],
		['for classes along axis 1', of({ labels: 'tags' }, value(['batch', 6, 5]))],
		['for classes along the axis that is named', of({ labels: 'tags', class_axis: 1 }, value(['batch', 5, 5]))],
		[
			'for the Softmax of classes',
			of({ labels: 'stage' }, value(['batch', 4], { activation: { operator: 'Softmax', logits: 'z', axis: 1, after: [] } })),
		],
		['for an input again, in another shape of its size', of({ labels: 'labs' }, value(['batch', 1, 2]))],
		['for the labels of the task', of({ labels: 'labels', loss: 'focal' }, value(['batch', 3]))],
		['for flags', of({ labels: 'labels' }, value(['batch', 2]), { dataset: MULTILABEL })],
		['for labels of two classes on two logits', of({ labels: 'labels' }, value(['batch', 2]), { dataset: BINARY })],
		['for labels of positions', of({ labels: 'labels' }, value(['batch', 3, 5]), { dataset: TAGGED })],
		['for a shape that only a run shows', of({}, value(['batch', 'columns']))],
	])('are admitted %s', (_, problems) => {
		expect(problems).toEqual([]);
	});

	it.each<[string, ReturnType<typeof of>, string, RegExp]>([
		[
			'that the graph lacks',
			of({}, value(['batch', 1], { name: 'other' })),
			'model.outputs.more',
			/no output "more"; its outputs are y, other/,
		],
		['of integers', of({}, value(['batch', 1], { dtype: 'int64' })), 'model.outputs.more', /is int64; expected float32/],
		['of one number for a batch', of({}, value([])), 'model.outputs.more', /is one number, \[\]; expected \[batch, …\]/],
		[
			'for a modality without any row',
			of({ labels: 'none' }, value(['batch', 1])),
			'model.outputs.more.labels',
			/none is missing in every row/,
		],
		[
			'of another size',
			of({}, value(['batch', 2])),
			'model.outputs.more',
			/is \[batch, 2\], and the modality age \[batch, 1\]: expected one value/,
		],
		['without classes', of({ labels: 'tags' }, value(['batch', 7])), 'model.outputs.more', /one logit for each number, or an axis more/],
		[
			'whose classes lie along one axis or the other',
			of({ labels: 'tags' }, value(['batch', 5, 5])),
			'model.outputs.more.class_axis',
			/1 or -1/,
		],
		[
			'of fewer classes than there are',
			of({ labels: 'stage' }, value(['batch', 3])),
			'model.outputs.more.labels',
			/logits of 3 classes, but the modality stage has numbers from 0 to 3; expected 0 to 2/,
		],
		[
			'of one logit for more classes',
			of({ labels: 'stage' }, value(['batch', 1])),
			'model.outputs.more.labels',
			/one logit for classes 0 and 1, but .* 0 to 3/,
		],
		[
			'with fractions as classes',
			of({ loss: 'cross_entropy' }, value(['batch', 3])),
			'model.outputs.more.loss',
			/numbers with a fraction, between 0 and 90.5/,
		],
		[
			'in Sigmoids of classes',
			of({ labels: 'stage' }, value(['batch', 4], { activation: { operator: 'Sigmoid', logits: 'z', axis: null, after: [] } })),
			'model.outputs.more',
			/ends in Sigmoid/,
		],
	])('are refused %s', (_, problems, param, message) => {
		expect(problems).toContainEqual({ code: 'invalid_model', param, message: expect.stringMatching(message) });
	});

	it.each<[string, ReturnType<typeof of>, string, string, RegExp]>([
		[
			'a modality that the dataset lacks',
			of({ labels: 'weight' }, value(['batch', 1])),
			'modality_not_found',
			'model.outputs.more.labels',
			/no modality weight to compare the output "more" with; it has labs, text, age, .*"labels" are the labels of the task/,
		],
		[
			'a loss that is not one for the labels',
			of({ labels: 'labels', loss: 'mse' }, value(['batch', 3])),
			'unsupported_task',
			'model.outputs.more.loss',
			/mse is not for the labels of the dataset; choose one of auto, cross_entropy, focal/,
		],
		[
			'a choice that several classes do not have',
			of({ labels: 'stage', loss: { name: 'focal', alpha: 0.5 } }, value(['batch', 4])),
			'unsupported_task',
			'model.outputs.more.loss.alpha',
			/leave it out for 4 classes/,
		],
	])('do not go with %s', (_, problems, code, param, message) => {
		expect(problems).toContainEqual({ code, param, message: expect.stringMatching(message) });
	});

	it.each<[string, () => unknown, string, RegExp]>([
		[
			'a loss in the graph',
			() => of({}, value(['batch', 1]), { model: { loss: { output: 'loss' } } }),
			'model.outputs',
			/add the losses of other outputs to it in the graph/,
		],
		['weights of modalities', () => of({}, value(['batch', 1]), { spec: weighted }), 'weighting.preset', /choose uniform/],
		[
			'the output itself',
			() => of({}, value(['batch', 1]), { model: { output: 'more' } }),
			'model.outputs.more',
			/"more" is model.output already/,
		],
		[
			'a choice of another loss',
			() => of({ loss: { name: 'mse', gamma: 1 } }, value(['batch', 1])),
			'model.outputs.more.loss.gamma',
			/is a choice of focal; the loss is mse/,
		],
		[
			'quantiles',
			() => of({ loss: 'quantile' }, value(['batch', 3])),
			'model.outputs.more.loss',
			/is for the built-in families; choose one of auto, cross_entropy, focal, mse, mae, huber/,
		],
		['a weight below 0', () => of({ weight: -1 }, value(['batch', 1])), 'model.outputs.more.weight', /must be >= 0/],
	])('are invalid with %s', (_, problems, param, message) => {
		expect(problems).toThrow(expect.objectContaining({ code: 'invalid_request', param, message: expect.stringMatching(message) }));
	});
});
