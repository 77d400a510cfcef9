// Drives the audit pages in Chromium: signs in, searches, opens an event, follows a patient, verifies.
// Usage: node audit.mjs BASE NAME PASSWORD CHROMIUM FOLDER PATIENT
// Prints one line of JSON; the test decides what is right.
import { chromium } from 'playwright-core';

const [, , base, name, password, executablePath, folder, patient] = process.argv;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const told = { errors: [], rows: {} };
for (const [language, locale] of [
  ['fr', 'fr-FR'],
  ['en', 'en-GB'],
]) {
  const context = await browser.newContext({
    locale,
    viewport: { width: language === 'fr' ? 1366 : 1920, height: 900 },
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => told.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('401')) told.errors.push(message.text());
  });
  const shot = (title) => page.screenshot({ path: `${folder}/${title}-${language}.png` });

  await page.goto(`${base}/admin/audit?classes=%5B%22sign+in%22%2C%22store%22%5D`);
  await page.locator('input[autocomplete="username"], input[name="name"]').first().fill(name);
  await page.locator('input[type="password"]').first().fill(password);
  await page.keyboard.press('Enter');

  // The link that was opened before the sign-in still holds its filters.
  const rows = page.locator('[role="row"][data-index]');
  await rows.first().waitFor();
  told.rows[language] = await rows.count();
  await shot('audit-events');

  await rows.first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.waitForTimeout(400);
  await shot('audit-event');
  await page.keyboard.press('Escape');

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: language === 'fr' ? 'Exporter' : 'Export' }).click();
  await page.getByRole('menuitem').first().click();
  told[`export_${language}`] = (await download).suggestedFilename();

  await page.goto(`${base}/admin/audit?patient=${encodeURIComponent(patient)}`);
  await page.getByRole('table').first().waitFor();
  told[`patient_${language}`] = await page.locator('tbody tr').count();
  await shot('audit-patient');

  await page.goto(`${base}/admin/audit?tab=state`);
  const verify = page.getByRole('button', { name: language === 'fr' ? 'Vérifier maintenant' : 'Verify now' });
  await verify.waitFor();
  await verify.click({ timeout: 60_000 });
  await page
    .getByText(language === 'fr' ? 'Le journal est tel qu’il a été écrit' : 'The trail is as it was written')
    .waitFor();
  await page.waitForTimeout(6000);
  await shot('audit-state');
  told[`title_${language}`] = await page.title();
  await context.close();
}
await browser.close();
console.log(JSON.stringify(told));
