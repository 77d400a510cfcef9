// The department board, left open: what it shows of one patient's examination, as it changes by itself.
import { open, picture, policy, report, run, signIn, step, told } from './browser.mjs';

const { url, password, name, states, until } = told;

await run(async () => {
  const { page } = await open({ locale: 'fr-FR', width: 1440, height: 900 });
  await step('sign-in', async () => {
    await page.goto(`${url}/board?text=${encodeURIComponent(name)}`); // a long day is scrolled: who is looked for would not be drawn
    await signIn(page, 'chief', password);
    await page.locator('[role=search]').first().waitFor();
  });
  process.stderr.write('open\n');
  const seen = (report.seen.states = []);
  const row = page.locator('[data-state][role=row]', { hasText: name });
  const deadline = Date.now() + until * 1000;
  while (Date.now() < deadline && seen.at(-1) !== states.at(-1)) {
    const state = await row.first().getAttribute('data-state', { timeout: 1000 }).catch(() => null);
    if (state !== null && state !== seen.at(-1)) {
      seen.push(state);
      process.stderr.write(`${state}\n`);
      await picture(page, `board-${state}`);
    }
    await page.waitForTimeout(100);
  }
  await page.waitForFunction(text => document.body.innerText.includes(text), told.images, { timeout: 20000 });
  report.seen.text = (await row.first().innerText()).split('\n').join(' ');
  await policy(page, 'board');
  await picture(page, 'board');
});
