// Somebody orders, answers a safety question and lets it go on; a radiologist decides without a mouse.
import { inspect, open, picture, report, run, settled, signIn, step, told } from './browser.mjs';

const { url, patient, examination, password } = told;

await run(async () => {
  const { page } = await open({ locale: 'fr-FR', width: 1440, height: 900, theme: 'light' });
  const toast = page.locator('.mantine-Notification-root');
  const said = text => toast.filter({ hasText: text }).last().waitFor();
  const key = name => page.keyboard.press(name);
  const field = (label, root = page) => root.locator('input, textarea').and(root.getByLabel(label));
  const write = text => page.keyboard.type(text);

  await step('order', async () => {
    await page.goto(`${url}/orders/new?patient=${patient}`);
    await signIn(page, 'ana', password);
    await field('Ajouter un examen').fill('radiographie thorax');
    await page.getByRole('option', { name: /Radiographie du thorax/ }).waitFor();
    await key('Enter');
    await field('Question posée').fill('Toux.');
    await inspect(page, 'new order');
    await picture(page, 'order-new');
    await page.getByRole('button', { name: 'Demander' }).click();
    await said('est faite');
  });

  await step('safety', async () => {
    await page.getByRole('button', { name: 'Répondre' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Oui', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Garder les réponses' }).click();
    await field('Motif pour continuer', dialog).fill('Tablier, urgence');
    await inspect(page, 'safety questions');
    await dialog.getByRole('button', { name: 'Fermer' }).last().click();
    const line = page.locator('main').getByText('Grossesse', { exact: true }).locator('..');
    await line.getByText('Oui').waitFor();
    report.seen.blocked = (await line.innerText()).split('\n').filter(Boolean);
    await page.getByRole('button', { name: 'Répondre' }).click();
    await field('Motif pour continuer', dialog).fill('Tablier, urgence');
    await dialog.getByRole('button', { name: 'Laisser continuer' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('levée par ana : Tablier, urgence').waitFor();
    report.seen.cleared = (await line.locator('..').innerText()).split('\n').filter(Boolean).slice(1).join(' ');
    await inspect(page, 'order');
    await picture(page, 'order');
  });

  await step('together', async () => {
    await page.goto(`${url}/orders/${told.together[0]}`);
    await page.getByRole('button', { name: 'Réaliser avec une autre demande' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Radiographie du bassin').check();
    await inspect(page, 'together');
    await picture(page, 'order-together');
    await dialog.getByRole('button', { name: 'Réaliser ensemble' }).click();
    await said('Une seule acquisition');
    await page.getByText('une seule acquisition').first().waitFor();
    await page.getByRole('button', { name: 'Acquisitions séparées' }).click();
    await said('son acquisition');
    await toast.filter({ hasText: 'son acquisition' }).last().getByRole('button', { name: 'Annuler' }).click();
    await page.getByRole('button', { name: 'Acquisitions séparées' }).waitFor();
  });

  await step('accept', async () => {
    await key('g');
    await key('v');
    await field('Protocoles').waitFor();
    await settled(page);
    await inspect(page, 'vetting');
    await key('p');
    await write('rachis lomb');
    await page.getByRole('option', { name: 'IRM du rachis lombaire' }).waitFor();
    await key('ArrowDown');
    await key('Enter');
    await write('Coupes fines');
    await key('Enter');
    await picture(page, 'vetting-protocol');
    await key('Tab'); // contrast agent
    await write(' x 2');
    await key('Escape');
    await key('a');
    await said('accepté');
  });

  await step('taken back', async () => {
    await toast.filter({ hasText: 'accepté' }).last().getByRole('button', { name: 'Annuler' }).click();
    await said('à valider de nouveau');
    await page.getByText('IRM cérébrale injectée').first().waitFor();
    await settled(page);
    // Urgent as it is, it is the first again, without what was chosen: as an answer of the server has it.
    const waiting = await page.evaluate(async () => (await fetch('/api/v1/orders/vetting')).json());
    const first = waiting.waiting[0].order.procedures[0];
    if (first.protocol !== '' || first.wished_room !== null) throw new Error('the protocol stayed');
    if (first.steps.filter(one => one.state === 'WAITING').length !== 1) throw new Error('the steps stayed');
    await key('k');
    await key('k');
    await key('p');
    await write('rachis lomb');
    await page.getByRole('option', { name: 'IRM du rachis lombaire' }).waitFor();
    await key('ArrowDown');
    await key('Enter');
    await write('Coupes fines');
    await key('Enter');
    await field('Salle souhaitée').focus();
    await page.getByRole('option', { name: 'IRM 1 (1,5 T)' }).waitFor();
    await write('IRM 2');
    await page.getByRole('option', { name: 'IRM 1 (1,5 T)' }).waitFor({ state: 'detached' });
    await key('ArrowDown');
    await key('Enter');
    await page.getByRole('option').first().waitFor({ state: 'detached' });
    await field('Consignes').focus();
    await write("Séquence FLAIR d'abord");
    await inspect(page, 'protocol');
    await picture(page, 'vetting');
    await key('Control+Enter');
  });

  await step('refuse', async () => {
    await page.getByRole('heading', { name: 'IRM du rachis lombaire' }).waitFor();
    await key('r');
    await field('Motif', page.getByRole('dialog')).waitFor();
    await key('Control+Enter');
    await field('Motif', page.getByRole('dialog')).fill("Pas d'indication");
    await inspect(page, 'refuse');
    await key('Tab');
    await key('Tab');
    await key('Enter');
    // Messages at the bottom are five at most, further ones wait: the next of the list tells.
    await page.getByRole('heading', { name: 'Scanner abdomino-pelvien injecté', exact: true }).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  await step('replace', async () => {
    await page.getByRole('heading', { name: 'Scanner abdomino-pelvien injecté' }).waitFor();
    await key('x');
    await page.locator('[role=dialog] input:focus').waitFor();
    await write('echographie renale');
    await page.getByRole('option', { name: /Échographie rénale/ }).waitFor();
    await key('Enter');
    await field('Protocoles', page.getByRole('dialog')).waitFor();
    await inspect(page, 'replace');
    await picture(page, 'vetting-replace');
    await page.getByRole('dialog').getByRole('button', { name: 'Remplacer' }).click();
    await page.getByText('Rien n’attend de radiologue.').waitFor();
  });
  report.seen.keys = await page.evaluate(async () => {
    const { orders } = await (await fetch('/api/v1/orders')).json();
    return orders.filter(one => one.clinical_question === 'Bilan.').reverse().map(one => one.procedures[0].vetting);
  });

  await step('english', async () => {
    const { page: there } = await open({ locale: 'en-GB', width: 1366, height: 768, theme: 'dark' });
    await there.goto(`${url}/examinations/${examination}`);
    await signIn(there, 'eve', password);
    await there.getByText('Coupes fines').first().waitFor();
    await settled(there);
    await inspect(there, 'examination');
    await picture(there, 'examination-protocol');
    await there.goto(`${url}/vetting`);
    await there.getByText('Nothing waits for a radiologist.').waitFor();
    await inspect(there, 'vetting in English');
  });
});
