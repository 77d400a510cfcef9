// What the scripts share: a browser that notes everything it should not have to complain of.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What Python told: one JSON object. */
export const told = JSON.parse(process.argv[2]);

export const report = { problem: null, steps: {}, console: [], violations: [], dialogs: [], serious: [], seen: {} };

const browser = await chromium.launch({
  executablePath: told.chromium,
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
    '--no-sandbox', '--disable-dev-shm-usage'],
});

/** A new window with nothing kept. What it complains of ends in the report. */
export async function open({ locale = 'en-GB', width = 1366, height = 768, theme, storageState } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale, storageState, reducedMotion: 'reduce' });
  if (theme) await context.addInitScript(value => localStorage.setItem('mantine-color-scheme-value', value), theme);
  await context.addInitScript(() => {
    globalThis.negatoscopeViolations = [];
    document.addEventListener('securitypolicyviolation', event =>
      globalThis.negatoscopeViolations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('console', message => {
    if (message.type() !== 'error') return;
    // A refusal that the page expects is no failure of it: who is not signed in is told so.
    if (/Failed to fetch dynamically imported|status of (401|403|404|422|429|503)|ERR_(INTERNET_DISCONNECTED|FAILED|ABORTED|BLOCKED)/.test(message.text())) return;
    report.console.push(`${new URL(page.url()).pathname}: ${message.text()}`);
  });
  page.on('pageerror', error => report.console.push(`${page.url()}: ${error}`));
  page.on('dialog', dialog => {
    report.dialogs.push(`${page.url()}: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { context, page };
}

/** Sign in where the page stands, with the keyboard alone. */
export async function signIn(page, name, password) {
  await page.locator('input[name=name]').waitFor();
  await page.locator('input[name=name]').fill(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

/** Serious and critical findings of axe, and violations of the content security policy. */
export async function inspect(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(one => ['serious', 'critical'].includes(one.impact))
      .map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`);
  });
  report.serious.push(...found.map(one => `${where}: ${one}`));
  await policy(page, where);
}

export async function policy(page, where) {
  const violations = await page.evaluate(() => globalThis.negatoscopeViolations.splice(0));
  report.violations.push(...violations.map(one => `${where}: ${one}`));
}

export async function step(name, act) {
  const since = Date.now();
  await act();
  report.steps[name] = (Date.now() - since) / 1000;
}

export async function picture(page, name) {
  if (told.screenshots) await page.screenshot({ path: `${told.screenshots}/${name}.png` });
}

/** The page has what it waited for. Some ask again and again: a network that is idle never comes. */
export async function settled(page) {
  await page.waitForTimeout(350); // until then a loader is not shown
  await page.waitForFunction(() => document.querySelector('main [role=status] .mantine-Loader-root') === null, undefined, { timeout: 3000 })
    .catch(() => undefined); // the page of components shows one for ever
}

/** Run the scenario and say what was seen. */
export async function run(scenario) {
  try {
    await scenario();
  } catch (error) {
    report.problem = String(error?.stack ?? error);
    for (const context of browser.contexts()) {
      for (const page of context.pages()) {
        report.seen[page.url()] = (await page.locator('body').innerText().catch(() => '')).slice(0, 1500);
        await picture(page, 'problem').catch(() => undefined);
      }
    }
  }
  await browser.close();
  process.stdout.write(JSON.stringify(report, null, 2) + '\n');
}
