import { describe, expect, it } from 'vitest';
import {
	admit,
	type DatasetFields,
	type JobSpec,
	type ModelInterface,
	modalitiesOf,
	parse,
	parseJobSpec,
	JobSpec as Schema,
} from '../src/index.js';
import { BINARY, CUSTOM, GRAPH, MEASURED, MULTICLASS, MULTILABEL, plain, problemsOf, REGRESSION, shaped, TAGGED } from './job-parts.js';

const spec = (input: object): JobSpec => parse(Schema, { dataset: 'ds_1', ...input });
const stoppingBy = (metric: string) => ({ training: { early_stopping: { metric, patience: 2 } } });

const IMAGES = shaped({ labs: [2], text: [3, 8, 8] });

describe('the loss of a job', () => {
	it.each<[unknown, string, RegExp]>([
		[{ name: 'mse', delta: 1 }, 'training.loss.delta', /is a choice of huber; the loss is mse/],
		[{ name: 'huber', delta: 0 }, 'training.loss.delta', /must be > 0/],
		[{ name: 'hubert' }, 'training.loss.name', /must be one of .*"huber"/],
		[{ name: 'focal', beta: 1 }, 'training.loss.beta', /is not a known field/],
		['hubert', 'training.loss', /must be one of .*"huber"/],
		[{ name: 'mae', quantiles: [0.1, 0.5] }, 'training.loss.quantiles', /is a choice of quantile; the loss is mae/],
		[{ name: 'quantile', quantiles: [0.5] }, 'training.loss.quantiles', /fewer than 2 items/],
		[{ name: 'quantile', quantiles: Array.from({ length: 10 }, (_, q) => (q + 1) / 20) }, 'training.loss.quantiles', /more than 9 items/],
		[{ name: 'quantile', quantiles: [0, 0.5] }, 'training.loss.quantiles.0', /must be > 0/],
		[{ name: 'quantile', quantiles: [0.5, 1] }, 'training.loss.quantiles.1', /must be < 1/],
		[{ name: 'quantile', quantiles: [0.5, '0.9'] }, 'training.loss.quantiles.1', /must be number/],
		[{ name: 'quantile', quantiles: [0.5, 0.9, 0.1] }, 'training.loss.quantiles', /must rise, each once; found 0.1 behind 0.9/],
		[{ name: 'quantile', quantiles: [0.1, 0.5, 0.5] }, 'training.loss.quantiles', /must rise, each once; found 0.5 behind 0.5/],
		[
			{ name: 'quantile', quantiles: [0.1, 0.9] },
			'training.loss.quantiles',
			/must have 0.5 among them, the median, which is the prediction; found 0.1, 0.9/,
		],
	])('is refused: %j', (loss, param, message) => {
		expect(() => parseJobSpec({ dataset: 'ds_1', training: { loss } })).toThrow(
			expect.objectContaining({ param, message: expect.stringMatching(message) }),
		);
	});
});

describe('the weights of classes of a job', () => {
	it.each<[unknown, string, RegExp]>([
		['even', 'training.class_weights', /must be one of "balanced"/],
		[{ spam: 0 }, 'training.class_weights.spam', /must be > 0/],
		[{ spam: '2' }, 'training.class_weights.spam', /must be number/],
		[{ 'a\nb': 2 }, 'training.class_weights', /1 to 200 characters of one line/],
		[{ ['__proto__']: 2 }, 'training.class_weights', /not __proto__/],
		[Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`c${i}`, 1])), 'training.class_weights', /more than 1000 properties/],
	])('are refused: case %#', (class_weights, param, message) => {
		expect(() => parseJobSpec({ dataset: 'ds_1', training: { class_weights } })).toThrow(
			expect.objectContaining({ param, message: expect.stringMatching(message) }),
		);
	});
});

describe('a job is held against its dataset', () => {
	it.each<[string, object, DatasetFields]>([
		['as it is', {}, BINARY],
		['for some of the modalities', { modalities: ['text'] }, BINARY],
		['with the cross entropy of classes', { training: { loss: 'cross_entropy', early_stopping: { metric: 'auroc' } } }, BINARY],
		['with a weighting that is chosen', { weighting: { preset: 'auto' } }, BINARY],
		['stopped by a metric of classes', stoppingBy('macro_f1'), MULTICLASS],
		['stopped by metrics of labels', stoppingBy('subset_accuracy'), MULTILABEL],
		['with the choices of a loss', { training: { loss: { name: 'focal', gamma: 1, alpha: 0.25 } } }, BINARY],
		['with label smoothing of labels', { training: { loss: { name: 'cross_entropy', label_smoothing: 0.1 } } }, MULTILABEL],
		['with quantiles', { training: { loss: 'quantile' } }, REGRESSION],
		['with quantiles of its own', { training: { loss: { name: 'quantile', quantiles: [0.05, 0.25, 0.5] } } }, REGRESSION],
		['with huber', { training: { loss: { name: 'huber', delta: 3 } } }, REGRESSION],
		['calibrated', { evaluation: { calibration: 'temperature' } }, MULTILABEL],
		['not calibrated', { evaluation: { calibration: 'none' } }, REGRESSION],
		['with thresholds of labels', { evaluation: { thresholds: 'f1' } }, MULTILABEL],
		['with balanced classes', { training: { class_weights: 'balanced' } }, MULTICLASS],
		['with a weight for a class', { training: { class_weights: { yes: 3 }, loss: 'focal' } }, BINARY],
		['with a loss of values', { training: { loss: 'mae', early_stopping: { metric: 'pearson' } } }, REGRESSION],
		['without early stopping', { training: { early_stopping: null } }, REGRESSION],
		['with images, which mlp-fusion reads as one vector', {}, IMAGES],
		['with mutual information by classes', { weighting: { preset: 'btw', mutual_information: 'argmax' } }, MULTILABEL],
	])('and fits it %s', (_, job, dataset) => expect(problemsOf(job, dataset)).toEqual([]));

	it.each<[string, object, DatasetFields, string, string, string]>([
		...['mmim-moe', 'fuse-moe'].map((family): [string, object, DatasetFields, string, string, string] => [
			`images, which ${family} has no encoder for`,
			{ model: { family } },
			IMAGES,
			'invalid_model',
			'model.family',
			`${family} takes [features] or [steps, features], but the modality text is [3, 8, 8]; mlp-fusion reads it as one vector`,
		]),
		...['mlp-fusion', 'mmim-moe', 'fuse-moe'].map((family): [string, object, DatasetFields, string, string, string] => [
			`a mask for each number of a vector, which ${family} does not take`,
			{ model: { family } },
			{ ...BINARY, modalities: { text: { shape: [8], masked: true, mask: 'steps', missing: 0 } } },
			'invalid_model',
			'model.family',
			'the modality text is [8] with a mask for each of its 8 numbers',
		]),
		[
			'a mask for each step of several axes, which mlp-fusion does not take',
			{ model: { family: 'mlp-fusion' } },
			{ ...BINARY, modalities: { text: { shape: [6, 3, 4], masked: true, mask: 'steps', missing: 0 } } },
			'invalid_model',
			'model.family',
			'with a mask for each of its 6 steps, which mlp-fusion does not take; store it as a sequence (rows, 6, 12), or use a custom model',
		],
		[
			'a temperature for values',
			{ evaluation: { calibration: 'temperature' } },
			REGRESSION,
			'unsupported_task',
			'evaluation.calibration',
			'temperature is for probabilities, and a regression gives none',
		],
		[
			'thresholds for classes',
			{ evaluation: { thresholds: 'f1' } },
			MULTICLASS,
			'unsupported_task',
			'evaluation.thresholds',
			'f1 is for multilabel, and the task is multiclass; choose half',
		],
		[
			'weights of classes for labels',
			{ training: { class_weights: 'balanced' } },
			MULTILABEL,
			'unsupported_task',
			'training.class_weights',
			'is for binary and multiclass, and the task is multilabel; alpha of the loss focal weighs',
		],
		[
			'weights of classes for values',
			{ training: { class_weights: { a: 2 } } },
			REGRESSION,
			'unsupported_task',
			'training.class_weights',
			'is for binary and multiclass, and the task is regression',
		],
		[
			'a weight for a class that the dataset lacks',
			{ training: { class_weights: { yes: 2, spam: 3 } } },
			BINARY,
			'invalid_request',
			'training.class_weights.spam',
			'The dataset has no class "spam"; it has no, yes',
		],
		[
			'the alpha of focal for classes',
			{ training: { loss: { name: 'focal', alpha: 0.5 } } },
			MULTICLASS,
			'unsupported_task',
			'training.loss.alpha',
			'leave it out for multiclass',
		],
		[
			'a modality that the dataset lacks',
			{ modalities: ['labs', 'audio'] },
			BINARY,
			'modality_not_found',
			'modalities.1',
			'The dataset has no modality audio; it has labs, text',
		],
		[
			'a modality that is a property of every object',
			{ modalities: ['constructor'] },
			BINARY,
			'modality_not_found',
			'modalities.0',
			'no modality constructor',
		],
		[
			'the loss of a regression',
			{ training: { loss: 'mse' } },
			BINARY,
			'unsupported_task',
			'training.loss',
			'choose one of auto, cross_entropy',
		],
		[
			'the loss of classes',
			{ training: { loss: 'cross_entropy' } },
			REGRESSION,
			'unsupported_task',
			'training.loss',
			'one of auto, mse, mae',
		],
		[
			'quantiles of classes',
			{ training: { loss: 'quantile' } },
			BINARY,
			'unsupported_task',
			'training.loss',
			'The loss quantile is not for binary; choose one of auto, cross_entropy, focal',
		],
		[
			'labels of positions',
			{ model: { family: 'mlp-fusion' } },
			TAGGED,
			'unsupported_task',
			'model.family',
			'a label for each position of an instance, [5], and mlp-fusion predicts one per instance; use a graph of your own',
		],
		[
			'labels of positions that are weighed',
			{ model: CUSTOM, weighting: { preset: 'btw', refresh_epochs: 2 } },
			TAGGED,
			'unsupported_task',
			'weighting.preset',
			'the dataset has a label for each of its positions; choose uniform',
		],
		[
			'a ranking of positions',
			{ model: CUSTOM, ...stoppingBy('auroc') },
			TAGGED,
			'unsupported_task',
			'training.early_stopping.metric',
			'The metric auroc is not for multiclass of positions; choose one of loss, accuracy, macro_f1, mean_iou',
		],
		[
			'a metric of positions',
			stoppingBy('mean_iou'),
			MULTICLASS,
			'unsupported_task',
			'training.early_stopping.metric',
			'The metric mean_iou is not for multiclass; choose one of loss, accuracy, macro_f1, auroc, auprc',
		],
		[
			'a metric of labels',
			stoppingBy('micro_f1'),
			MULTICLASS,
			'unsupported_task',
			'training.early_stopping.metric',
			'The metric micro_f1 is not for multiclass; choose one of loss, accuracy, macro_f1, auroc, auprc',
		],
		[
			'a metric of values',
			stoppingBy('rmse'),
			MULTILABEL,
			'unsupported_task',
			'training.early_stopping.metric',
			'rmse is not for multilabel',
		],
		[
			'a metric of classes',
			stoppingBy('accuracy'),
			REGRESSION,
			'unsupported_task',
			'training.early_stopping.metric',
			'choose one of loss, mae, rmse, pearson',
		],
		[
			'mutual information by classes',
			{ weighting: { preset: 'btw', mutual_information: 'argmax' } },
			REGRESSION,
			'unsupported_task',
			'weighting.mutual_information',
			'argmax mutual information is not for regression; choose ksg',
		],
	])('and refused for %s', (_, job, dataset, code, param, words) => {
		expect(problemsOf(job, dataset)).toEqual([{ code, param, message: expect.stringContaining(words) }]);
	});

	it('and refused for quantiles of the labels of positions, whatever else is wrong', () => {
		const message =
			'The loss quantile is for one label of each row, and the dataset has one for each position, [5]; choose one of auto, mse, mae, huber';
		expect(problemsOf({ training: { loss: 'quantile' } }, MEASURED)).toContainEqual({
			code: 'unsupported_task',
			param: 'training.loss',
			message,
		});
	});
});

describe('a weighting that is chosen', () => {
	const auto = (more: object, candidates?: string[]) => spec({ weighting: { preset: 'auto', ...(candidates && { candidates }) }, ...more });

	it('needs two modalities', () => {
		const [problem] = admit(auto({ modalities: ['text'] }), BINARY, null);
		expect([problem?.param, problem?.message]).toEqual([
			'weighting.preset',
			expect.stringContaining('expected at least 2 of them, found 1'),
		]);
	});

	it('is refused where one of its candidates would be, once for what stands against several', () => {
		const [problem, ...others] = admit(auto({}, ['uniform', 'consensus', 'ogm-ge']), TAGGED, null);
		expect(problem?.message).toBeDefined();
		const said = [problem, ...others].map((one) => one?.message);
		expect(new Set(said).size).toBe(said.length);
		const custom = admit(auto({ model: CUSTOM }, ['uniform', 'ogm-ge']), BINARY, GRAPH);
		expect(custom.map(({ param, message }) => [param, message])).toContainEqual([
			'weighting.candidates',
			expect.stringContaining('weighting auto cannot train ogm-ge: ogm-ge modulates the encoders of a built-in family'),
		]);
	});
});

describe('all that stands against a job is found at once', () => {
	it.each<[string, JobSpec, DatasetFields, ModelInterface | null, Array<[string, string]>]>([
		[
			'of a built-in family',
			spec({
				model: { fusion: 'cross-attention', hidden: 30 },
				modalities: ['audio', 'labs', 'smell'],
				weighting: { preset: 'btw', refresh_epochs: 9, mutual_information: 'argmax' },
				training: { epochs: 9, loss: 'cross_entropy', early_stopping: { metric: 'auroc' } },
			}),
			REGRESSION,
			null,
			[
				['invalid_request', 'weighting.refresh_epochs'],
				['invalid_request', 'model.heads'],
				['modality_not_found', 'modalities.0'],
				['modality_not_found', 'modalities.2'],
				['unsupported_task', 'training.loss'],
				['unsupported_task', 'weighting.mutual_information'],
				['unsupported_task', 'training.early_stopping.metric'],
			],
		],
		[
			'of every field of fuse-moe',
			spec({ model: { family: 'fuse-moe', width: 100, time_width: 12, experts: 1, time_columns: { labs: 0, audio: 1 } } }),
			BINARY,
			null,
			[
				['invalid_request', 'model.width'],
				['invalid_request', 'model.time_width'],
				['invalid_request', 'model.top_k'],
				['invalid_model', 'model.time_columns.labs'],
				['modality_not_found', 'model.time_columns.audio'],
			],
		],
		[
			'of a custom model',
			spec({
				model: {
					...CUSTOM,
					inputs: { labs: 'lab', text: 'text', audio: 'sound' },
					masks: { smell: 'm' },
					output: 'z',
					loss: 'mae',
					frozen: ['decoder.*', 'tail.*'],
				},
				weighting: { preset: 'btw', refresh_epochs: 2 },
				training: { standardize: true, batch_size: 8 },
			}),
			BINARY,
			{ ...GRAPH, inputs: [{ name: 'text', dtype: 'string', shape: [16, 5] }] },
			[
				['invalid_request', 'training.standardize'],
				['modality_not_found', 'model.inputs.audio'],
				['unsupported_task', 'model.loss'],
				['modality_not_found', 'model.masks.smell'],
				['invalid_model', 'model.inputs.labs'],
				['invalid_model', 'model.inputs.text'],
				['invalid_model', 'model.inputs.text'],
				['invalid_model', 'model.output'],
				['invalid_model', 'training.batch_size'],
				['invalid_model', 'model.frozen.0'],
				['invalid_model', 'model.frozen.1'],
				['invalid_model', 'model.embeddings.labs'],
			],
		],
		[
			'of a custom model that is not inspected yet',
			spec({ model: { ...CUSTOM, masks: { smell: 'm' }, output: 'z' }, training: { loss: 'mse' } }),
			BINARY,
			null,
			[
				['unsupported_task', 'training.loss'],
				['modality_not_found', 'model.masks.smell'],
			],
		],
		[
			'of a weighting that has no custom models',
			spec({ model: CUSTOM, weighting: { preset: 'ogm-ge' } }),
			BINARY,
			GRAPH,
			[['invalid_request', 'weighting.preset']],
		],
	])('%s', (_, job, dataset, graph, problems) => {
		expect(admit(job, dataset, graph).map(({ code, param }) => [code, param])).toEqual(problems);
	});

	it('without a problem that only follows from another', () => {
		const trainable = problemsOf({ model: { ...CUSTOM, trainable: ['tail.*'] } }, BINARY, GRAPH);
		expect(trainable.map(({ param }) => param)).toEqual(['model.trainable.0']);
		const unknown = admit(spec({ model: { ...CUSTOM, inputs: { labs: 'labs', smell: 'text' } } }), BINARY, GRAPH).map(plain);
		expect(unknown.map(({ param }) => param)).toEqual(['model.inputs.smell']);
	});
});

describe('the modalities of a job', () => {
	it.each<[object, string[]]>([
		[{}, ['labs', 'text']],
		[{ modalities: ['text'] }, ['text']],
		[{ model: { ...CUSTOM, inputs: { text: 't' } } }, ['text']],
		[{ model: CUSTOM, modalities: ['text', 'labs'] }, ['text', 'labs']],
	])('are those that it names, that its model names, or all: %j', (job, names) => {
		expect(modalitiesOf(spec(job), BINARY)).toEqual(names);
	});
});
