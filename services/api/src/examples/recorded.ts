// What a service has answered for the sample table `services/cli/sample/visits.csv`, with its numbers rounded and its longest lists cut.
import type {
	AuditLine,
	CallerResource,
	DatasetResource,
	Diagnostics,
	JobCurves,
	JobEvent,
	JobLogLine,
	JobResource,
	ModelResource,
	NewKey,
	Predictions,
	Readiness,
	Retention,
	SweepResource,
	TablePreview,
	Usage,
} from '@steelyard/contracts';

export const preview: TablePreview = {
	object: 'table_preview',
	task: { type: 'binary', classes: ['no', 'yes'] },
	standard: false,
	files: ['visits.csv'],
	rows: 800,
	delimiter: ',',
	label: 'readmitted',
	columns: [
		{
			name: 'visit',
			role: 'ignored',
			missing: 0,
			distinct: 800,
			examples: ['1000', '1001', '1002'],
			note: 'manifest.json gives it to no modality',
		},
		{ name: 'age', role: 'feature', kind: 'number', modality: 'numbers', missing: 0.035, distinct: 79, examples: ['87', '75', '33'] },
		{
			name: 'note',
			role: 'feature',
			kind: 'text',
			modality: 'note',
			missing: 0.0725,
			distinct: 90,
			examples: [
				'Comes with pain in the knee, lives alone; "in good spirits"',
				'Comes with swollen legs, lives with family; "tired"',
				'Comes with a sore throat, lives with family; "in good spiri…',
			],
		},
		{ name: 'readmitted', role: 'label', kind: 'category', missing: 0, distinct: 2, examples: ['no', 'yes'] },
	],
};

export const dataset: DatasetResource = {
	id: 'ds_01m8pddca0dmpdh2wctggazpfz',
	object: 'dataset',
	project: 'default',
	created_at: 1796048597,
	name: 'Visits',
	title: null,
	task: { type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	modalities: {
		numbers: {
			shape: [2],
			masked: true,
			mask: 'rows',
			missing: 0.035,
			dtype: 'float32',
			min: -2.389,
			max: 2.232,
			whole: false,
			columns: ['age', 'age is missing'],
			standardize: false,
		},
		note: {
			shape: [118],
			masked: true,
			mask: 'rows',
			missing: 0.0725,
			dtype: 'float32',
			min: 0,
			max: 0.427,
			whole: false,
			standardize: false,
		},
	},
	splits: { train: { rows: 640, labels: { no: 377, yes: 263 } }, test: { rows: 160, labels: { no: 94, yes: 66 } } },
	bytes: 390080,
	sha256: 'a29ab540ef1724f810e68e418cdc20d547f5d09cea2872b073ac7b257338eb17',
	table: {
		files: ['visits.csv'],
		rows: 800,
		delimiter: ',',
		label: 'readmitted',
		columns: [
			{
				name: 'visit',
				role: 'ignored',
				missing: 0,
				distinct: 800,
				examples: ['1000', '1001', '1002'],
				note: 'manifest.json gives it to no modality',
			},
			{
				name: 'age',
				role: 'feature',
				kind: 'number',
				modality: 'numbers',
				features: 2,
				missing: 0.035,
				distinct: 79,
				examples: ['87', '75', '33'],
			},
			{
				name: 'note',
				role: 'feature',
				kind: 'text',
				modality: 'note',
				features: 118,
				missing: 0.0725,
				distinct: 90,
				examples: [
					'Comes with pain in the knee, lives alone; "in good spirits"',
					'Comes with swollen legs, lives with family; "tired"',
					'Comes with a sore throat, lives with family; "in good spiri…',
				],
			},
			{ name: 'readmitted', role: 'label', kind: 'category', missing: 0, distinct: 2, examples: ['no', 'yes'] },
		],
		standard: false,
	},
	metadata: { study: 'winter' },
	manifest: {
		label: 'readmitted',
		text: { terms: 3, pairs: false },
		columns: { numbers: ['age'], note: ['note'] },
	},
};

export const model: ModelResource = {
	id: 'mdl_01m8pddceq476y21xx8004qpxa',
	object: 'model',
	project: 'default',
	created_at: 1796048597,
	name: 'Linear',
	metadata: { study: 'winter' },
	bytes: 219,
	sha256: '691fc67af324fad207620c4c5559a71fbd02d00f890bc1b1c506b656aa8b425e',
	status: 'ready',
	report: {
		opset: 18,
		inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
		outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
		parameters: [
			{ name: 'layer.weight', dtype: 'float32', shape: [4, 2], kind: 'parameter', trainable: true, reason: 'weight of Gemm "layer"' },
			{ name: 'layer.bias', dtype: 'float32', shape: [2], kind: 'parameter', trainable: true, reason: 'bias of Gemm "layer"' },
		],
		operators: { Gemm: 1, Relu: 1 },
		blockers: [],
	},
	error: null,
};

export const job: JobResource = {
	id: 'job_01m8pddd8v2q1yyzxkwz1mst4b',
	object: 'job',
	project: 'default',
	status: 'succeeded',
	stage: null,
	progress: 1,
	epoch: 2,
	step: 48,
	eta_seconds: null,
	metrics: { loss: 0.5589, accuracy: 0.7109, macro_f1: 0.6953, weighted_f1: 0.7072, auroc: 0.7805, auprc: 0.7204 },
	modality_weights: { numbers: 0.8997, note: 0.8997 },
	request_id: '780b9cb5-8c77-492b-8cbb-b6ba77851f80',
	created_at: 1796048598,
	started_at: 1796048598,
	finished_at: 1796048602,
	attempt: 2,
	cancel_requested: false,
	device: { provider: 'cpu', note: 'no GPU found, using the CPU' },
	spec: {
		dataset: 'ds_01m8pddca0dmpdh2wctggazpfz',
		weighting: { preset: 'consensus' },
		training: {
			epochs: 3,
			batch_size: 32,
			optimizer: { name: 'adamw', learning_rate: 0.001, weight_decay: 0, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
			schedule: { name: 'constant', warmup_fraction: 0.05, final_fraction: 0, factor: 0.5, patience: 3 },
			clip_norm: null,
			early_stopping: { metric: 'loss', patience: 10 },
			loss: 'auto',
			validation_fraction: 0.2,
			threads: 1,
			seed: 1,
		},
		model: { family: 'mlp-fusion', hidden: 128, encoder_layers: 2, head_layers: 2 },
		device: 'auto',
		metadata: { study: 'winter' },
		name: 'Ward 3',
	},
	result: {
		metrics: {
			validation: { loss: 0.5589, accuracy: 0.7109, macro_f1: 0.6953, weighted_f1: 0.7072, auroc: 0.7805, auprc: 0.7204 },
			test: { loss: 0.5146, accuracy: 0.7562, macro_f1: 0.744, weighted_f1: 0.7538, auroc: 0.8266, auprc: 0.7646 },
		},
		intervals: {
			validation: { accuracy: { low: 0.6172, high: 0.7891 }, loss: { low: 0.4806, high: 0.6489 } },
			test: { accuracy: { low: 0.6875, high: 0.8187 }, loss: { low: 0.4505, high: 0.5891 } },
		},
		warnings: [],
		unimodal: {
			numbers: {
				validation: { loss: 0.6619, accuracy: 0.5984, macro_f1: 0.5542, weighted_f1: 0.5796, auroc: 0.596, auprc: 0.4772 },
				test: { loss: 0.6468, accuracy: 0.6623, macro_f1: 0.6084, weighted_f1: 0.6382, auroc: 0.6304, auprc: 0.5392 },
			},
			note: {
				validation: { loss: 0.6051, accuracy: 0.6885, macro_f1: 0.6712, weighted_f1: 0.6823, auroc: 0.7361, auprc: 0.6295 },
				test: { loss: 0.558, accuracy: 0.7697, macro_f1: 0.761, weighted_f1: 0.7688, auroc: 0.779, auprc: 0.6729 },
			},
		},
		modality_weights: {
			numbers: { mean: 0.8997, p10: 0.8872, p90: 0.911, mutual_information: null },
			note: { mean: 0.8997, p10: 0.8872, p90: 0.9109, mutual_information: null },
		},
		robustness: {
			split: 'test',
			metric: 'accuracy',
			rows: 160,
			clean: 0.7562,
			modalities: {
				numbers: { missing: -0.0125, shuffled: { mean: 0.01812, low: 0.005935, high: 0.03031 }, noisy: [-0.0125, 0.025, 0.0625] },
				note: { missing: 0.0875, shuffled: { mean: 0.2231, low: 0.1938, high: 0.2525 }, noisy: [-0.00625, 0.00625, 0.04375] },
			},
		},
		loss: 'cross_entropy',
		calibration: { temperature: null, ece: { validation: 0.0813, test: 0.07281 } },
		best_epoch: 2,
		epochs: 3,
		parameters: 491275,
		seconds: 1.056,
		device: 'cpu',
		device_note: 'no GPU found, using the CPU',
	},
	artifacts: [
		{
			name: 'model.onnx',
			bytes: 1992617,
			sha256: '9e361a791e1a50d5fcab67e867de7313245cd1d10474d1d7e9c906290a2ce1f7',
			content_type: 'application/octet-stream',
		},
		{
			name: 'metrics.json',
			bytes: 10161,
			sha256: '2ec35ff4b0321ed6414c410940bcdf27e940ef610f6b3f51ca5649917fdfde45',
			content_type: 'application/json',
		},
		{
			name: 'report.md',
			bytes: 6295,
			sha256: 'ae29808f1ae9dddbf3bdee880e7d76efcfa5e8d627b7432493f5b048e102eb66',
			content_type: 'text/markdown; charset=utf-8',
		},
	],
	error: null,
	pause_requested: false,
	measured: {
		step_seconds: 0.0004579,
		checkpoint_seconds: 0.01762,
		checkpoint_bytes: 1652280,
		refresh_seconds: 0.005717,
		peak_memory_bytes: 182505472,
	},
	rows_per_second: 69890,
};

export const events: JobEvent[] = [
	{ id: '1796048601345-0', at: 1796048601345, type: 'stage', stage: 'preparing' },
	{
		id: '1796048602019-0',
		at: 1796048602019,
		type: 'weights',
		epoch: 0,
		modality_weights: { numbers: 0.9004, note: 0.9004 },
		mutual_information: null,
		smoothing: 1,
		seconds: 0.005717,
	},
	{
		id: '1796048602022-0',
		at: 1796048602022,
		type: 'progress',
		stage: 'fusion',
		model: 'fusion',
		progress: 0.8121,
		epoch: 0,
		epochs: 3,
		step: 1,
		steps: 48,
		loss: 0.6821,
		rows_per_second: 4657,
		eta_seconds: 0.1366,
	},
	{
		id: '1796048602061-0',
		at: 1796048602061,
		type: 'epoch',
		stage: 'fusion',
		model: 'fusion',
		epoch: 2,
		validation: { loss: 0.5589, accuracy: 0.7109, macro_f1: 0.6953, weighted_f1: 0.7072, auroc: 0.7805, auprc: 0.7204 },
		best: true,
		train_loss: 0.5188,
		learning_rate: 0.001,
	},
	{ id: '1796048602517-0', at: 1796048602517, type: 'status', status: 'succeeded', attempt: 2, error: null },
];

export const curves: JobCurves = {
	object: 'metrics',
	epochs: [
		{
			stage: 'fusion',
			model: 'fusion',
			epoch: 0,
			validation: { loss: 0.6156, accuracy: 0.6563, macro_f1: 0.5594, weighted_f1: 0.5949, auroc: 0.7314, auprc: 0.6922 },
			best: true,
			train_loss: 0.6653,
			learning_rate: 0.001,
		},
		{
			stage: 'fusion',
			model: 'fusion',
			epoch: 1,
			validation: { loss: 0.6038, accuracy: 0.6563, macro_f1: 0.5594, weighted_f1: 0.5949, auroc: 0.7511, auprc: 0.7064 },
			best: true,
			train_loss: 0.6147,
			learning_rate: 0.001,
		},
	],
	weights: [{ epoch: 0, modality_weights: { numbers: 0.9004, note: 0.9004 }, mutual_information: null, smoothing: 1, seconds: 0.005717 }],
};

export const log: JobLogLine[] = [
	{
		id: '2-1',
		at: 1796048601338,
		attempt: 2,
		level: 'info',
		source: 'worker',
		message: 'attempt 2 begins, by version 0.1.0, of a job that request 780b9cb5-8c77-492b-8cbb-b6ba77851f80 posted',
	},
	{ id: '2-2', at: 1796048601344, attempt: 2, level: 'info', source: 'worker', message: 'the trainer has started' },
	{ id: '2-3', at: 1796048601344, attempt: 2, level: 'info', source: 'worker', message: 'stage preparing' },
];

export const diagnostics: Diagnostics = {
	object: 'diagnostics',
	modalities: ['numbers', 'note'],
	reason: null,
	unimodal: {
		numbers: { test: { loss: 0.6468, accuracy: 0.6623, macro_f1: 0.6084, weighted_f1: 0.6382, auroc: 0.6304, auprc: 0.5392 } },
		note: { test: { loss: 0.558, accuracy: 0.7697, macro_f1: 0.761, weighted_f1: 0.7688, auroc: 0.779, auprc: 0.6729 } },
	},
	best_unimodal: { modality: 'note', metric: 'loss' },
	fusion_gain: {
		test: {
			rows: 152,
			gain: { loss: 0.05519, accuracy: -0.006579, macro_f1: -0.008865, weighted_f1: -0.007739, auroc: 0.05814, auprc: 0.1032 },
		},
	},
	partial_information: {
		cuts: null,
		pairs: [
			{
				modalities: ['numbers', 'note'],
				splits: {
					test: { rows: 143, redundant: 0.03484, unique: { numbers: 0, note: 0.1028 }, synergistic: 0.0556, total: 0.1932, gap: 0 },
				},
			},
		],
	},
};

export const predictions: Predictions = {
	object: 'predictions',
	job: 'job_01m8pddd8v2q1yyzxkwz1mst4b',
	data: [{ prediction: 'no', probabilities: { no: 0.6442, yes: 0.3558 }, weights: { numbers: 0.8868, note: 0.8868 } }],
};

export const key: NewKey = {
	id: 'key_01m8pddkb88jzed5knftpd8nk9',
	object: 'key',
	name: 'Ada',
	project: 'ward-3',
	scope: 'train',
	prefix: 'steelyard_01m8pddkb88jzed5knftpd8nk9',
	created_at: 1796048604,
	expires_at: 1803824604,
	last_used_at: null,
	token: 'steelyard_01m8pddkb88jzed5knftpd8nk9_…',
};

export const caller: CallerResource = {
	object: 'caller',
	key: null,
	name: null,
	scope: 'admin',
	project: 'default',
	has_webhook: false,
	expires_at: null,
};

export const lines: AuditLine[] = [
	{
		id: '2026-11-000001-36',
		at: 1796048604631,
		request: '327897dd-1ca2-466b-94e0-850295fd84f2',
		key: null,
		name: null,
		project: 'default',
		method: 'POST',
		operation: 'createKey',
		resource: 'key_01m8pddkb88jzed5knftpd8nk9',
		status: 201,
		address: '127.0.0.1',
	},
	{
		id: '2026-11-000001-35',
		at: 1796048604421,
		request: '4b9105af-c310-4294-9356-8071c9c50764',
		key: null,
		name: null,
		project: 'default',
		method: 'POST',
		operation: 'cancelJob',
		resource: 'job_01m8pddhr6q4g1pfqrnffvhz4h',
		status: 200,
		address: '127.0.0.1',
	},
];

export const readiness: Readiness = {
	ready: true,
	redis: { ok: true, version: '7.0.15', eviction_policy: 'noeviction', kind: 'binary', note: null },
	store: { ok: true, free_bytes: 82229706752, note: null },
	workers: [
		{
			id: 'ward-5326-ac74b796',
			pid: 5326,
			started_at: 1796048491,
			version: '0.1.0',
			devices: {
				cpu: { available: true },
				cuda: { available: false, note: 'no GPU found (OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library)' },
				webgpu: {
					available: false,
					adapter: null,
					software: null,
					note: 'no Vulkan found (libvulkan.so.1: cannot open shared object file: No such file or directory)',
				},
			},
			cores: 2,
			memory_bytes: 25276514304,
			jobs: [],
		},
	],
};

export const usage: Usage = {
	object: 'usage',
	disk: { total_bytes: 270553174016, free_bytes: 82229706752, reserved_bytes: 5411063481 },
	datasets: { count: 1, bytes: 413471 },
	models: { count: 1, bytes: 978 },
	jobs: { count: 2, bytes: 7818496, checkpoint_bytes: 659912 },
	temporary: { count: 0, bytes: 0 },
	project: {
		name: 'default',
		bytes: 8232945,
		datasets: { count: 1, bytes: 413471 },
		models: { count: 1, bytes: 978 },
		jobs: { count: 2, bytes: 7818496 },
	},
};

export const retention: Retention = {
	object: 'retention',
	dry_run: true,
	jobs: { count: 0, bytes: 0, first: [] },
	orphans: { count: 0, bytes: 0, first: [] },
};

const rate = 'training.optimizer.learning_rate';

export const sweep: SweepResource = {
	id: 'swp_01m8q9q60k3vb4ezhx6rwtcd2a',
	object: 'sweep',
	project: 'default',
	status: 'succeeded',
	created_at: 1796078242,
	finished_at: 1796078271,
	spec: {
		name: 'Learning rates',
		job: { dataset: dataset.id, training: { epochs: 9, early_stopping: null } },
		metric: 'auroc',
		space: {
			[rate]: { type: 'log-uniform', low: 0.0001, high: 0.1 },
			'weighting.preset': { type: 'choice', values: ['uniform', 'consensus'] },
		},
		search: { type: 'tpe', startup: 5, candidates: 24 },
		pruning: { type: 'asha', minimum: 1, factor: 3 },
		direction: 'maximise',
		seeds: 1,
		budget: { trials: 9 },
		concurrency: 4,
		seed: 1,
	},
	counts: { completed: 1, pruned: 8, running: 0, failed: 0 },
	best: {
		assignment: { [rate]: 0.00773, 'weighting.preset': 'uniform' },
		jobs: ['job_01m8q9qxh26m8gxcdn7mqfe2e1'],
		mean: 0.8101,
		low: null,
		high: null,
	},
	trials: [
		{
			trial: 0,
			job: 'job_01m8q9qxh26m8gxcdn7mqfe2e1',
			assignment: { [rate]: 0.00773, 'weighting.preset': 'uniform' },
			seed: 0,
			state: 'completed',
			epochs: 9,
			value: 0.8101,
		},
		{
			trial: 5,
			job: 'job_01m8q9qn2tx5ystx16xabzwehb',
			assignment: { [rate]: 0.03365, 'weighting.preset': 'uniform' },
			seed: 0,
			state: 'pruned',
			epochs: 3,
			value: 0.8189,
		},
	],
	importance: null,
};
