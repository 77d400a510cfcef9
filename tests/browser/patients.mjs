// Patients: found as one types, opened, corrected, typed in; stays and history, with the keyboard where it counts.
import { inspect, open, picture, run, settled, signIn, step, told } from './browser.mjs';

const { url, user, password, script } = told;

function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

const rows = page => page.locator('main tbody tr');
const count = (page, wanted) => page.waitForFunction(
  number => document.querySelectorAll('main tbody tr').length === number, wanted);

await run(async () => {
  const { page } = await open();

  await step('list', async () => {
    await page.goto(`${url}/patients`);
    await signIn(page, user, password);
    await count(page, 3);
    await inspect(page, 'patients');
    await picture(page, 'patients');
    await page.keyboard.type('lefevre 1948');
    await count(page, 1);
    await page.waitForFunction(() => new URL(location.href).searchParams.get('text') === 'lefevre 1948');
    await page.reload();
    await count(page, 1);
    await page.getByPlaceholder('Name, identifier or birth date').fill('script');
    await rows(page).getByText(script).waitFor();
    await page.getByPlaceholder('Name, identifier or birth date').fill('P1');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter'); // too early: rows of the search before stand there still
    await rows(page).getByText('P1 (CHU)').waitFor();
    await page.waitForFunction(() => document.querySelector('main [aria-busy=true]') === null);
    check(new URL(page.url()).pathname === '/patients', 'a row that was not asked for is not opened');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/patients/registered/*');
  });

  await step('file', async () => {
    await page.getByRole('heading', { level: 1, name: 'LEFÈVRE-DUBOIS Marie' }).waitFor();
    await page.getByText('Qualified', { exact: true }).waitFor();
    await page.getByRole('img', { name: 'The key does not fit.' }).waitFor();
    await page.getByText('Chirurgie V (6268)').first().waitFor();
    await page.getByText('Stay V1').waitFor();
    await settled(page);
    await inspect(page, 'patient file');
    await picture(page, 'patient-file');
  });

  await step('correct', async () => {
    await page.getByRole('button', { name: 'Correct', exact: true }).click();
    const date = page.getByLabel('Birth date');
    await date.fill('31/02/1948');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A date is written').waitFor();
    await date.fill('15/03/1948');
    await page.getByRole('button', { name: 'Doubtful' }).or(page.getByText('Doubtful', { exact: true })).first().click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The file was changed.').waitFor();
    await page.getByText('Provisional', { exact: true }).waitFor();
    await page.getByText('14/03/1948', { exact: true }).first().waitFor(); // struck out in the history
    await page.getByText('Ended', { exact: false }).first().waitFor();
  });

  await step('new', async () => {
    await page.goto(`${url}/patients`);
    await count(page, 3);
    await page.keyboard.type('nobody');
    await page.getByText('Nobody matches.').waitFor();
    await page.getByPlaceholder('Name, identifier or birth date').fill('petit jean 01/02/1990');
    await page.getByText('P2 (CHU)').waitFor();
    await page.getByRole('button', { name: 'New patient' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Birth name', { exact: false }).first().waitFor();
    check(await dialog.getByLabel('Birth date').inputValue() === '01/02/1990', 'what was searched is there');
    await inspect(page, 'new patient');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('A patient with this name and birth date is known.').waitFor();
    await dialog.getByRole('button', { name: 'It is somebody else: create' }).click();
    await page.waitForURL('**/patients/registered/*');
    await page.getByRole('heading', { level: 1, name: 'PETIT Jean' }).waitFor();
    await page.getByText('NEGATOSCOPE').first().waitFor();
  });

  await step('units', async () => {
    await page.goto(`${url}/admin/units`);
    await page.getByText('Chirurgie V').waitFor();
    const choose = file => page.locator('input[type=file]').setInputFiles(
      { name: 'uf.csv', mimeType: 'text/csv', buffer: Buffer.from(file, 'latin1') });
    await choose('code;libell\xe9\n1;\n');
    await page.getByText('Line 2: code and label are needed').waitFor();
    await choose('code;libell\xe9\n6268;Chirurgie vasculaire\n7000;R\xe9animation\n');
    await page.getByText('2 units taken in.').waitFor();
    await page.getByText('Réanimation').waitFor();
    await inspect(page, 'units');
  });
});
