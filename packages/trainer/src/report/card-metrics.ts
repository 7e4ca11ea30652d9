/** What metrics are called, and what they say. */
export const METRICS: Readonly<Record<string, readonly [name: string, meaning: string]>> = {
	accuracy: ['accuracy', 'the share of right answers'],
	subset_accuracy: ['subset accuracy', 'the share of rows whose labels are all right'],
	macro_f1: ['macro F1', 'the mean over the classes of F1, which is 1 where a class is always found and never claimed wrongly'],
	micro_f1: ['micro F1', 'F1 over all labels together'],
	mean_iou: ['mean IoU', 'the mean over the classes of right positions by all that have the class or are given it'],
	auroc: ['AUROC', 'how often a row that has the class is ranked above one that has not (0.5 is chance)'],
	auprc: ['AUPRC', 'the mean precision over all thresholds (the share of the class is chance)'],
	mae: ['mean absolute error', 'how far the answer is off on average, in the unit of the label'],
	rmse: ['root mean squared error', 'the same with large errors counted more'],
	pearson: ['correlation', 'of answers and labels (1 is perfect)'],
	coverage: ['coverage', 'the share of labels that lie from the lowest to the highest quantile of their row'],
	interval_width: ['width of intervals', 'how far the highest quantile lies above the lowest on average, in the unit of the label'],
	loss: ['loss', 'what training made small; of classes it also counts how sure the answers were'],
};

/** What a metric is called; one that is not known by its own name. */
export const nameOf = (metric: string): string => METRICS[metric]?.[0] ?? metric;
