// What the pictures show: each a place in the page, the size of the window, the colours, and what is done and waited for before it is taken.

/** @typedef {import('playwright-core').Page} Page */
/**
 * @typedef {object} Scene
 * @property {string} name of the file, without its ending
 * @property {string} place the part of the address after `#`
 * @property {readonly [number, number]} size of the window, in pixels
 * @property {'light' | 'dark'} [theme] light unless given
 * @property {(page: Page) => Promise<unknown>} ready resolves when the page shows what it is taken for
 * @property {string} [figure] the title of the one figure that is saved as SVG, by its own button; without it the window is taken as PNG
 */

const figure = (page, title) => page.getByRole('figure').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
const figuresOf =
	(...titles) =>
	(page) =>
		Promise.all(titles.map((title) => figure(page, title).locator('svg, canvas').first().waitFor()));
const heading = (name) => (page) => page.getByRole('heading', { name }).waitFor();

/**
 * The pictures of a service that has nothing yet.
 * @returns {Scene[]}
 */
export const emptyScenes = () => [
	{
		name: 'start',
		place: '/',
		size: [1280, 640],
		ready: (page) => page.getByRole('button', { name: 'Train on the sample mail' }).waitFor(),
	},
];

/**
 * The pictures of jobs and data by the ids that `trainJobs` gives; `table` is the path of a csv file.
 * @returns {Scene[]}
 */
export const scenes = ({ refreshed, voted, readmission, visits, compared, sweep }, table) => [
	{
		...{ name: 'job-weights', place: `/jobs/${refreshed}?tab=weights`, size: [1280, 590] },
		ready: figuresOf('Weight of each modality', 'Mutual information'),
	},
	{
		...{ name: 'upload', place: '/data/new', size: [1280, 1284] },
		ready: async (page) => {
			await page.locator('input[type=file]').setInputFiles(table);
			const choose = page.getByRole('button', { name: 'Predict readmitted' });
			await choose.click();
			await choose.waitFor({ state: 'detached' });
			await page.getByText('What 7 columns were taken for').waitFor();
		},
	},
	{ name: 'new-job', place: `/jobs/new?dataset=${visits}`, size: [1280, 900], ready: (page) => page.getByText('640 rows').waitFor() },
	{ name: 'job-narrow', place: `/jobs/${voted}`, size: [360, 780], ready: figuresOf('Loss of the fused model') },
	{
		...{ name: 'evaluation-dark', place: `/jobs/${voted}?tab=evaluation`, size: [800, 990], theme: 'dark' },
		ready: figuresOf('Confusion matrix', 'ROC'),
	},
	{
		...{ name: 'compare', place: `/compare?${compared.map((id) => `job=${id}`).join('&')}`, size: [1280, 890] },
		ready: figuresOf('Validation: accuracy', 'Weights of the modalities'),
	},
	{
		...{ name: 'sweep', place: `/sweeps/${sweep}`, size: [1280, 1330] },
		ready: figuresOf('accuracy over the trials', 'What mattered'),
	},
	{
		...{ name: 'try', place: `/jobs/${readmission}/try?without=note`, size: [1280, 1215], theme: 'dark' },
		ready: figuresOf('How far each modality is trusted'),
	},
	{
		...{ name: 'weights-by-refresh', place: `/jobs/${refreshed}?tab=weights`, size: [1280, 900], figure: 'Weight of each modality' },
		ready: figuresOf('Weight of each modality'),
	},
	{
		...{ name: 'weights-right-and-wrong', place: `/jobs/${voted}?tab=weights`, size: [1280, 900], figure: 'Weight of body' },
		ready: figuresOf('Weight of body'),
	},
	{
		...{
			name: 'broken-modality',
			place: `/jobs/${voted}?tab=diagnostics`,
			size: [1280, 900],
			figure: 'Loss of accuracy where a modality breaks',
		},
		ready: heading('Loss of accuracy where a modality breaks'),
	},
];

/**
 * Takes one picture in a page of its own, and saves it in a folder; resolves with the name of the file.
 * @param {import('playwright-core').Browser} browser
 * @param {Scene} scene
 * @param {{url: string, folder: string}} where the address of the service, and the folder
 */
export async function take(browser, { name, place, size: [width, height], theme = 'light', ready, figure: title }, { url, folder }) {
	const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
	try {
		await page.goto(`${url}/#${place}`);
		await page.getByRole('heading', { level: 1 }).waitFor();
		await ready(page);
		const file = `${name}.${title === undefined ? 'png' : 'svg'}`;
		if (title === undefined) {
			await page.mouse.move(0, 0);
			await page.evaluate('scrollTo(0, 0)');
			await page.screenshot({ path: `${folder}/${file}`, animations: 'disabled', caret: 'hide' });
		} else {
			const [download] = await Promise.all([
				page.waitForEvent('download'),
				figure(page, title)
					.getByRole('button', { name: /as SVG$/ })
					.click(),
			]);
			await download.saveAs(`${folder}/${file}`);
		}
		return file;
	} finally {
		await page.close();
	}
}
