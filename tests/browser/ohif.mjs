// Drives OHIF as a person would: sign in, list, stack, the stack
// again as HTJ2K, MPR. Writes one JSON document to standard
// output: seconds of each step, every request that failed, every error of the console.
//
//   node ohif.mjs URL USER PASSWORD STUDY CHROMIUM SCREENSHOTS
import { chromium } from 'playwright-core';

const [url, user, password, study, executablePath, screenshots] = process.argv.slice(2);
const failed = [], errors = [], steps = {}, requests = {}, types = {};
const started = Date.now();

const browser = await chromium.launch({
  executablePath,
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
    '--no-sandbox', '--disable-dev-shm-usage'],
});
const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, locale: 'en-GB' });
const page = await context.newPage();
page.setDefaultTimeout(45000);
page.on('response', response => {
  const path = new URL(response.url()).pathname.replace(/[0-9]+(\.[0-9]+)+/g, '{uid}').replace(/frames\/\d+/, 'frames/{n}');
  const key = `${response.status()} ${path}`;
  requests[key] = (requests[key] ?? 0) + 1;
  if (path.includes('/frames/')) {
    const type = /transfer-syntax=([0-9.]+)/.exec(response.headers()['content-type'] ?? '')?.[1];
    types[type] = (types[type] ?? 0) + 1;
  }
  if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
});
page.on('requestfailed', request => {
  // What the page itself gives up when it changes is no failure of the server.
  if (request.failure()?.errorText !== 'net::ERR_ABORTED') failed.push(`${request.failure()?.errorText} ${request.url()}`);
});
page.on('console', message => {
  if (message.type() !== 'error') return;
  if (message.location().url.endsWith('/api/v1/session')) return; // who is there? nobody yet
  errors.push(message.text());
});
page.on('pageerror', error => errors.push(String(error)));

async function step(name, act) {
  const since = Date.now();
  await act();
  steps[name] = (Date.now() - since) / 1000;
  if (screenshots) await page.screenshot({ path: `${screenshots}/${name}.png` });
}

// Whether the canvases of viewports show something: grey values are not all the same.
const shown = count => page.waitForFunction(wanted => {
  const canvases = [...document.querySelectorAll('canvas.cornerstone-canvas')];
  const drawn = canvases.filter(canvas => {
    if (!canvas.width || !canvas.height) return false;
    const copy = document.createElement('canvas');
    copy.width = copy.height = 64;
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0, 64, 64);
    const values = new Set();
    const { data } = context.getImageData(0, 0, 64, 64);
    for (let i = 0; i < data.length; i += 4) values.add(data[i]);
    return values.size > 16;
  });
  return drawn.length >= wanted;
}, count, { polling: 250 });

// What the first viewport shows, exactly.
const picture = () => page.evaluate(() => document.querySelector('canvas.cornerstone-canvas').toDataURL());
const HTJ2K = 'multipart/related; type="image/jphc"; transfer-syntax=1.2.840.10008.1.2.4.202';

let problem = null, same = null;
try {
  await step('list', async () => {
    await page.goto(`${url}/ohif/`);
    await page.fill('input[name=name]', user);
    await page.fill('input[name=password]', password);
    await page.click('button[type=submit]');
    await page.waitForURL(address => address.pathname.startsWith('/ohif'));
    await page.getByText('PHANTOM', { exact: false }).or(page.locator('[data-cy="study-list-results"] tr, tbody tr')).first().waitFor();
  });
  await step('stack', async () => {
    await page.goto(`${url}/ohif/viewer?StudyInstanceUIDs=${study}`);
    await shown(1);
    await page.waitForLoadState('networkidle');
  });
  const asStored = await picture();
  await step('htj2k', async () => {
    await page.route('**/frames/*', route => route.continue({ headers: { ...route.request().headers(), accept: HTJ2K } }));
    await page.goto(`${url}/ohif/viewer?StudyInstanceUIDs=${study}`);
    await shown(1);
    await page.waitForLoadState('networkidle');
    await page.unroute('**/frames/*');
  });
  same = asStored === await picture();
  await step('mpr', async () => {
    await page.goto(`${url}/ohif/viewer?StudyInstanceUIDs=${study}&hangingprotocolId=mpr`);
    await shown(3);
    await page.waitForLoadState('networkidle');
  });
} catch (error) {
  problem = String(error);
  if (screenshots) await page.screenshot({ path: `${screenshots}/problem.png` }).catch(() => {});
}
steps.all = (Date.now() - started) / 1000;
const language = await page.evaluate(() => localStorage.getItem('i18nextLng')).catch(() => null);
await browser.close();
process.stdout.write(JSON.stringify({ problem, steps, failed, errors, requests, types, same, language }, null, 2) + '\n');
process.exit(problem ? 1 : 0);
