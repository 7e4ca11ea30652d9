import type { GraphProto } from 'onnx-buf';

/** What the exporter of a model says that an initializer is. */
export type ExporterLabel = 'parameter' | 'buffer' | 'constant';

const KEY = 'pkg.torch.export.graph_signature.InputSpec.kind';
const labels: Readonly<Record<string, ExporterLabel>> = { PARAMETER: 'parameter', BUFFER: 'buffer', CONSTANT_TENSOR: 'constant' };

/** The labels that torch.export gives initializers, in the metadata of their types, by name; empty for other exporters and for what it folded. */
export const exporterLabels = ({ initializer, valueInfo }: GraphProto): Map<string, ExporterLabel> => {
	const names = new Set(initializer.map(({ name }) => name));
	return new Map(
		valueInfo.flatMap(({ name, metadataProps }) => {
			const label = labels[metadataProps.find(({ key }) => key === KEY)?.value ?? ''];
			return label !== undefined && names.has(name) ? [[name, label] as const] : [];
		}),
	);
};
