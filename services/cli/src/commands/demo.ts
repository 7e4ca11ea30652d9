import type { Command } from 'commander';

export function demo(command: Command): void {
	command
		.option('-o, --output <folder>', 'where to write the last model and its report', 'out/demo')
		.action(async ({ output }: { output: string }) => (await import('../run-demo.js')).runDemo(output));
}
