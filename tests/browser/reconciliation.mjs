// The reconciliation desk of the demonstration: pairs with their reasons, a merge previewed, done and taken back;
// somebody unknown joined to whom he is; a study bound to the order that is proposed for it.
import { inspect, open, picture, policy, report, run, settled, signIn, step, told } from './browser.mjs';

const { url, user, password } = told;

function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

await run(async () => {
  const { page } = await open({ locale: 'fr-FR', width: 1440, height: 900 });
  const rows = page.getByRole('option');
  const detail = page.locator('main');
  const tab = name => page.getByRole('tab', { name });
  const row = name => rows.filter({ hasText: name });

  await step('pairs', async () => {
    await page.goto(`${url}/`);
    await signIn(page, user, password);
    await page.locator('main#content').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.getByRole('heading', { level: 1, name: 'Rapprochement' }).waitFor();
    await row('LÉRITIER').waitFor();
    report.seen.pairs = await rows.allTextContents();
    check(!report.seen.pairs.some(text => text.includes('CHEVALLIER')), 'twins are not proposed');
    await page.keyboard.press('j');
    await page.getByText(/^Score \d+ sur 100/).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    check(await rows.first().getAttribute('aria-selected') === 'true', 'J and K go through the list');
    await row('LÉRITIER').click();
    await detail.getByText('nom de même sonorité').last().waitFor();
    await detail.locator('mark').first().waitFor();
    await settled(page);
    await inspect(page, 'a pair');
    await picture(page, 'reconciliation');
  });

  await step('merge', async () => {
    const count = await rows.count();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Cela touchera').waitFor();
    await dialog.getByText('26119900011').first().waitFor(); // her order
    await inspect(page, 'preview');
    await picture(page, 'reconciliation-preview');
    await page.keyboard.type('Entendu de travers aux urgences');
    await page.keyboard.press('Enter');
    await page.getByText('Dossiers fusionnés.').waitFor();
    await page.waitForFunction(before => document.querySelectorAll('[role=option]').length === before - 1, count);
  });

  await step('journal and undo', async () => {
    await tab('Journal').click();
    const line = page.getByRole('row').filter({ hasText: 'Entendu de travers aux urgences' }).first();
    await line.waitFor();
    await inspect(page, 'journal');
    await picture(page, 'reconciliation-journal');
    await line.getByRole('button', { name: 'Annuler' }).click();
    await line.getByText(/^annulé /).waitFor();
    await tab('Doublons probables').click();
    await row('LÉRITIER').waitFor({ timeout: 10000 });
  });

  await step('unidentified', async () => {
    await tab('Non identifiés').click();
    await row('INCONNU').click();
    await page.getByRole('textbox', { name: 'Patient' }).fill('van den bossche');
    await page.getByRole('option', { name: /BOSSCHE/ }).last().waitFor();
    await page.keyboard.press('Enter');
    await page.getByText(/^Score \d+ sur 100/).waitFor();
    await settled(page);
    await inspect(page, 'unidentified');
    await picture(page, 'reconciliation-unidentified');
    await page.getByRole('button', { name: 'Fusionner…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Cela touchera').waitFor();
    await dialog.getByText('26119900029').first().waitFor(); // the running examination
    await dialog.getByRole('button', { name: 'Confirmer' }).click();
    await page.getByText('Dossiers fusionnés.').first().waitFor();
    await row('INCONNU').waitFor({ state: 'detached' });
  });

  await step('default issuers', async () => {
    const { page: admin } = await open({ locale: 'fr-FR', width: 1440, height: 900 });
    await admin.goto(`${url}/admin/default-issuers`);
    await signIn(admin, told.administrator, password);
    const candidate = admin.getByRole('row').filter({ hasText: 'CABINET' });
    await candidate.getByRole('button', { name: 'Choisir' }).click();
    const authority = admin.getByLabel('Autorité d’affectation').locator('visible=true').first();
    await authority.fill('CHU-VALMORAL');
    await admin.getByText('Personne ici n’a d’identifiant de cette autorité').waitFor();
    await authority.fill('CHU-VALMOREL');
    await inspect(admin, 'default issuers');
    await picture(admin, 'default-issuers');
    await authority.press('Enter');
    const dialog = admin.getByRole('dialog').or(admin.getByRole('alertdialog'));
    await dialog.getByText('Les numéros nus de CABINET').waitFor();
    await dialog.getByRole('button', { name: 'Définir' }).click();
    await admin.getByText('Émetteurs par défaut modifiés.').waitFor();
    await candidate.getByRole('button', { name: 'Retirer' }).click();
    await dialog.getByRole('button', { name: 'Retirer' }).click();
    await admin.getByText('Aucun appareil n’a d’émetteur par défaut.').waitFor();
    await policy(admin, 'default issuers');
    await admin.close();
  });

  await step('without patient', async () => {
    await tab('Examens sans patient').click();
    await row('BOURGEOIS').waitFor();
    await row('SEGUIN').click();
    await page.getByText('Même numéro, ou même date de naissance et un nom').waitFor();
    await settled(page);
    await inspect(page, 'without patient');
    await picture(page, 'reconciliation-study');
    await page.getByRole('button', { name: 'Attribuer à ce patient…' }).first().click();
    await page.getByRole('dialog').getByText('1 examen affiché').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Examens attribués.').waitFor();
    await row('SEGUIN').waitFor({ state: 'detached' });
  });

  await step('without order', async () => {
    await tab('Examens sans demande').click();
    await row('FAURE').click();
    const proposed = page.getByText('26119900037').first();
    await proposed.waitFor();
    await page.getByRole('button', { name: 'Rattacher…' }).first().click();
    await page.getByRole('dialog').getByText('Cela touchera').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Examen rattaché.').waitFor();
    await row('FAURE').waitFor({ state: 'detached' });
    await policy(page, 'without order');
  });
});
