// An administrator's evening: register a device and test it, decide a conflict, change a setting, look at every page.
import { inspect, open, picture, report, run, settled, signIn, step, told } from './browser.mjs';

const PAGES = ['health', 'ae', 'volumes', 'conflicts', 'jobs', 'connections', 'settings', 'logs', 'licences'];

await run(async () => {
  const { page } = await open({ locale: 'en-GB' });
  await step('sign in', async () => {
    await page.goto(`${told.url}/sign-in`);
    await signIn(page, told.user, told.password);
    await page.waitForURL(url => !url.pathname.startsWith('/sign-in'));
  });

  await step('a device is added and answers', async () => {
    await page.goto(`${told.url}/admin/ae`);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('AE title').fill('MODALITY');
    await dialog.getByLabel('Host or address').fill('127.0.0.1');
    await dialog.getByLabel('Port').fill(String(told.echoPort));
    await inspect(page, 'adding a device');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: /MODALITY/ }).getByRole('button', { name: 'Test' }).click();
    await page.getByText(/MODALITY answers after/).waitFor();
    report.seen.answer = await page.getByRole('alert').or(page.getByRole('status')).allInnerTexts();
  });

  await step('another one does not answer and why is said', async () => {
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('AE title').fill('SILENT');
    await dialog.getByLabel('Host or address').fill('127.0.0.1');
    await dialog.getByLabel('Port').fill(String(told.deadPort));
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: /SILENT/ }).getByRole('button', { name: 'Test' }).click();
    await page.getByText('nobody listens on that port').waitFor();
    await inspect(page, 'a device that does not answer');
    await picture(page, 'admin-ae-test-1366-en');
    await page.getByRole('row', { name: /SILENT/ }).getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('row', { name: /SILENT/ }).waitFor({ state: 'hidden' });
  });

  await step('who was refused is registered', async () => {
    const row = page.getByRole('row', { name: /UNKNOWN7/ });
    await row.getByRole('button', { name: 'Register' }).click();
    const dialog = page.getByRole('dialog');
    report.seen.registered = await dialog.getByLabel('AE title').inputValue();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await row.getByRole('button', { name: 'Register' }).waitFor({ state: 'hidden' });
  });

  await step('a conflict is decided', async () => {
    await page.goto(`${told.url}/admin/conflicts`);
    await page.getByRole('button', { name: 'Compare' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('ImageComments').waitFor();
    report.seen.comparison = await dialog.innerText();
    await inspect(page, 'two versions');
    await picture(page, 'admin-compare-1366-en');
    await dialog.getByRole('button', { name: 'Take the one set aside' }).click();
    await page.getByRole('dialog', { name: /Make the object/ }).getByRole('button', { name: 'Take' }).click();
    await page.getByText('The object set aside is now current').waitFor();
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
  });

  await step('a setting is changed', async () => {
    await page.goto(`${told.url}/admin/settings`);
    await page.getByRole('button', { name: 'Change limits.max_associations_per_peer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('New value').fill('0');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('New value').fill('1');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: /limits\.max_associations_per_peer.*this page/ }).waitFor();
  });

  // Every page on a tablet, in French; other sizes are for whoever wants to look.
  const sizes = [[820, 1180, 'fr-FR'], ...(told.screenshots ? [[1366, 768, 'en-GB'], [1920, 1080, 'fr-FR']] : [])];
  for (const [width, height, locale] of sizes) {
    const state = await page.context().storageState();
    const other = await open({ locale, width, height, storageState: state });
    for (const name of PAGES) {
      await step(`${name} ${width} ${locale}`, async () => {
        await other.page.goto(`${told.url}/admin/${name}`);
        await settled(other.page);
        await other.page.locator('table, section').first().waitFor();
        if (width === 820) await inspect(other.page, `${name} ${width}`);
        const overflow = await other.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
        if (overflow) report.serious.push(`${name} ${width}: wider than the window`);
        await picture(other.page, `admin-${name}-${width}-${locale.slice(0, 2)}`);
      });
    }
    await other.context.close();
  }
});
