/** What may be predicted of a row. */
export const TASK_TYPES = ['binary', 'multiclass', 'multilabel', 'regression'] as const;
export type TaskType = (typeof TASK_TYPES)[number];
