import { Type } from 'typebox';

/** What may multiply or divide: far from where float32 ends. */
const size = { minimum: 1e-12, maximum: 1e12 };
const perChannel = (item: ReturnType<typeof Type.Number>, description: string) =>
	Type.Optional(Type.Array(item, { minItems: 1, maxItems: 100_000, description }));

/** How the raw values of a modality are brought to what an input takes: (x · factor − mean) / std. */
export const Scaling = Type.Object(
	{
		factor: Type.Optional(Type.Number({ ...size, description: 'what every value is multiplied by first; 1 unless given' })),
		mean: perChannel(
			Type.Number({ minimum: -1e9, maximum: 1e9 }),
			'a number for each channel, subtracted then, in the unit that the factor gives',
		),
		std: perChannel(Type.Number(size), 'a number for each channel, divided by at last'),
		axis: Type.Optional(
			Type.Integer({
				minimum: 1,
				maximum: 7,
				description: 'the axis of the input along which the channels lie; 1, the one behind the batch, unless given',
			}),
		),
	},
	{ additionalProperties: false },
);
