// The pictures of the department: one function each, on the demonstration that take_pictures.py has started.
import { open, picture, report, run, settled as loaded, signIn, told } from './browser.mjs';

const LARGE = { width: 1440, height: 900 };

async function settled(page) {
  await loaded(page);
  await page.waitForTimeout(1500); // thumbnails and counts come after the rows
}

const PICTURES = {
  async board(page) {
    await page.goto(`${told.url}/board`);
    await settled(page);
  },
  async calendar(page) {
    await page.goto(`${told.url}/calendar`);
    await settled(page);
    await page.getByRole('button', { name: /À planifier/ }).click();
    await page.waitForTimeout(1500);
  },
  async orders(page) {
    await page.goto(`${told.url}/orders`);
    await settled(page);
  },
  async vetting(page) {
    await page.goto(`${told.url}/vetting`);
    await settled(page);
  },
  async 'patient-file'(page) {
    await page.goto(`${told.url}/patients`);
    await settled(page);
    await page.locator('main input').first().fill('da silva');
    await page.waitForTimeout(1500);
    await page.locator('main table a').first().click();
    await settled(page);
  },
  async 'hl7-messages'(page) {
    await page.goto(`${told.url}/admin/messages`);
    await settled(page);
  },
};

await run(async () => {
  const { page } = await open({ locale: 'fr-FR', ...LARGE });
  await page.goto(`${told.url}/sign-in`);
  await signIn(page, 'admin', told.accounts.admin);
  await page.waitForURL(url => !url.pathname.startsWith('/sign-in'));
  for (const [name, take] of Object.entries(PICTURES)) {
    if (told.wanted.length > 0 && !told.wanted.includes(name)) continue;
    await take(page);
    await picture(page, name);
  }
});
if (report.problem) process.exitCode = 1;
