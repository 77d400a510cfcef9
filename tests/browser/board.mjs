// A morning at the board, by keyboard: who came, who they are, begun, ended, taken back; a note, an emergency, what never ended.
import { inspect, open, picture, report, run, signIn, step, told } from './browser.mjs';

const { url, password, number } = told;

await run(async () => {
  const { context, page } = await open({ locale: 'en-GB', width: 1440, height: 900, theme: 'light' });
  const row = (tab, name) => tab.locator('[data-state][role=row]', { hasText: name });
  const grid = page.getByRole('grid');
  const is = async (name, state) => {
    await page.locator(`[data-state="${state}"][role=row]`, { hasText: name }).waitFor();
    (report.seen.states ??= []).push(state);
  };
  const press = async key => {
    await grid.focus();
    await page.keyboard.press(key);
  };

  await page.goto(`${url}/board`);
  await signIn(page, 'clara', password);
  await row(page, 'ABADIE').waitFor();
  await row(page, 'ABADIE').click();

  await step('arrive, check, begin, end, take back', async () => {
    await press('a');
    await is('ABADIE', 'ARRIVED');
    await press('i');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio').first().check();
    await inspect(page, 'identity');
    await dialog.getByRole('button', { name: 'It is this person' }).click();
    await is('ABADIE', 'READY');
    for (const [key, state] of [['s', 'STARTED'], ['e', 'COMPLETED'], ['u', 'STARTED']]) {
      await press(key);
      await is('ABADIE', state);
    }
  });

  await step('note', async () => {
    const colleague = await context.newPage();
    await colleague.goto(`${url}/board`);
    await row(colleague, 'ABADIE').waitFor();
    await page.bringToFront();
    await press('n');
    await page.getByRole('dialog').getByLabel('What the others should know').fill('Daughter is on the phone');
    await inspect(page, 'note');
    await page.keyboard.press('Enter');
    const since = Date.now();
    await row(colleague, 'Daughter is on the phone').waitFor();
    report.seen.noteMs = Date.now() - since;
    await colleague.close();
    await row(page, 'Daughter is on the phone').waitFor();
  });

  await step('filter and saved view', async () => {
    const search = page.locator('input[aria-label="Search in the board"]');
    await search.fill('abadie');
    await row(page, 'BERNARD').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByLabel('Name of this view').fill('Mine');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Mine', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.reload();
    await row(page, 'ABADIE').waitFor();
    report.seen.kept = await row(page, 'BERNARD').count() === 0;
    await search.fill('');
    await row(page, 'BERNARD').waitFor();
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('button', { name: 'Mine', exact: true }).click();
    await row(page, 'BERNARD').waitFor({ state: 'detached' });
    await search.fill('');
    await row(page, 'BERNARD').waitFor();
  });

  await step('urgent', async () => {
    await page.getByRole('button', { name: 'Add urgent' }).click();
    const dialog = page.getByRole('dialog');
    await page.waitForTimeout(300); // the dialog takes the keyboard
    await dialog.getByRole('textbox', { name: 'Patient' }).click();
    await page.keyboard.type('MARTIN', { delay: 30 });
    await page.getByRole('option', { name: /MARTIN/ }).first().click();
    await dialog.getByLabel('Procedure').click();
    await page.getByRole('option').first().click();
    await inspect(page, 'urgent');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await is('MARTIN', 'ARRIVED');
  });
  await inspect(page, 'board');
  await picture(page, 'board');

  await step('never ended', async () => {
    await page.goto(`${url}/performed-steps`);
    await page.getByRole('button', { name: /BERNARD/ }).click();
    await page.getByText('DLP 412').waitFor();
    report.seen.why = await page.getByText('not ended for long').count() > 0;
    await inspect(page, 'performed steps');
    await picture(page, 'performed-steps');
    await page.getByRole('button', { name: 'Stop with a reason…' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('Device broke down');
    await picture(page, 'performed-stop');
    await page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Nothing waits for a person').waitFor();
    await page.goto(`${url}/performed-steps?show=all&open=${number}`);
    await page.getByText('Ended by hand: clara').waitFor();
    await page.getByRole('link', { name: /^Order .*step/ }).click();
    await page.getByText('What the device says (MPPS)').waitFor();
    await page.getByRole('link', { name: 'CT_A' }).waitFor();
  });
});
