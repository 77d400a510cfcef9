// The audit pages: a link with filters survives the sign-in, thousands of rows scroll, an event opens, a patient's
// accesses are told, the trail is verified; in both languages and themes.
import { inspect, open, picture, report, run, settled, signIn, step, told } from './browser.mjs';

const { url, password, patient } = told;
const WORDS = {
  fr: {
    export: 'Exporter',
    verify: 'Vérifier maintenant',
    sound: 'Le journal est tel qu’il a été écrit',
    same: 'Qui a vu ce patient',
    locale: 'fr-FR',
  },
  en: {
    export: 'Export',
    verify: 'Verify now',
    sound: 'The trail is as it was written',
    same: 'Who saw this patient',
    locale: 'en-GB',
  },
};

async function go(language, { theme, width }) {
  const words = WORDS[language];
  const { context, page } = await open({ locale: words.locale, width, height: 800, theme });
  const where = name => `${name}-${language}`;
  const seen = (report.seen[language] = {});

  await step(where('link'), async () => {
    await page.goto(`${url}/admin/audit?classes=%5B%22view%22%5D&user=reader1`);
    await signIn(page, 'officer', password);
    await page.locator('[role=row][data-index]').first().waitFor();
  });
  seen.filtered = await page.locator('[role=row][data-index] >> text=reader1').count() > 0;
  seen.others = await page.locator('[role=row][data-index] >> text=reader2').count();
  seen.address = page.url();

  await step(where('scroll'), async () => {
    await page.goto(`${url}/admin/audit?tab=events&text=reader`);
    const table = page.locator('[role=table]');
    await page.locator('[role=row][data-index]').first().waitFor();
    seen.rows_in_page = await page.locator('[role=row][data-index]').count();
    for (let turn = 0; turn < 12; turn += 1) {
      await table.evaluate(element => element.scrollTo(0, element.scrollHeight));
      await page.waitForTimeout(250);
    }
    seen.deepest = Number(await page.locator('[role=row][data-index]').last().getAttribute('data-index'));
    seen.rows_in_page_after = await page.locator('[role=row][data-index]').count();
  });
  await page.locator('[role=table]').evaluate(element => element.scrollTo(0, 0));
  await page.waitForTimeout(300);
  await inspect(page, where('events'));
  await picture(page, where('audit-events'));

  await step(where('event'), async () => {
    await page.locator('[role=row][data-index="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.getAttribute('data-index') === '1');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.waitForTimeout(300);
  });
  await inspect(page, where('event'));
  await picture(page, where('audit-event'));
  await page.getByRole('dialog').getByRole('button', { name: words.same }).click();
  await page.locator('tbody tr').first().waitFor();
  seen.patient_by_event = page.url();

  const waiting = page.waitForEvent('download');
  await page.goto(`${url}/admin/audit?tab=events&outcomes=%5B%22REFUSED%22%5D`);
  await page.getByRole('button', { name: words.export }).click();
  await page.getByRole('menuitem').first().click();
  seen.download = (await waiting).suggestedFilename();

  await step(where('patient'), async () => {
    await page.goto(`${url}/admin/audit?patient=${patient}`);
    await page.locator('tbody tr').first().waitFor();
  });
  seen.accesses = await page.locator('tbody tr').count();
  await inspect(page, where('patient'));
  await picture(page, where('audit-patient'));

  await step(where('state'), async () => {
    await page.goto(`${url}/admin/audit?tab=state`);
    await page.getByRole('button', { name: words.verify }).click();
    await page.getByText(words.sound).waitFor({ timeout: 60000 });
  });
  await settled(page);
  await inspect(page, where('state'));
  await picture(page, where('audit-state'));
  await context.close();
}

await run(async () => {
  await go('fr', { theme: 'light', width: 1366 });
  await go('en', { theme: 'dark', width: 1024 });
});
