import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { CLASS_NAME } from './name-pattern.js';
import { recordOf } from './record.js';

/** The most classes that a job can give a weight by name. */
const MOST_NAMED = 1000;

/** How much each class counts in what training minimises: by a rule, or by the name of the class. */
export const ClassWeights = Type.Union(
	[choice(['balanced']), recordOf(CLASS_NAME, Type.Number({ exclusiveMinimum: 0, maximum: 1e6 }), { maxProperties: MOST_NAMED })],
	{
		description:
			'how much each class counts in the loss that training minimises, for binary and multiclass: balanced, which is rows / (classes · rows of the class) of the training rows, or a number by name, and 1 for a class that has none; metrics stay unweighted',
	},
);
export type ClassWeights = Static<typeof ClassWeights>;
