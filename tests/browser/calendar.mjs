// Somebody books an order, moves what was booked by pointer and keyboard, and is told what is in the way.
import { inspect, open, picture, report, run, signIn, step, told } from './browser.mjs';

const { url, order, rooms, taken, password, day } = told;

await run(async () => {
  const { context, page } = await open({ locale: 'fr-FR', width: 1440, height: 900, theme: 'light' });
  const toast = page.locator('.mantine-Notification-root');
  const said = async text => {
    await toast.filter({ hasText: text }).last().waitFor();
    return (await toast.filter({ hasText: text }).last().innerText()).split('\n')[0];
  };
  const block = name => page.locator('[data-block]', { hasText: name });
  /** Where a minute of a column is on the screen; the rooms are open from 8 to 18. */
  const place = async (index, minute) => {
    const box = await page.locator('[data-column]').nth(index).boundingBox();
    return { x: box.x + box.width / 2, y: box.y + (box.height * (minute - 480)) / 600 };
  };
  const drag = async (from, to) => {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 10, from.y + 10);
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.mouse.up();
  };
  const grip = async name => {
    const box = await block(name).boundingBox();
    return { x: box.x + 30, y: box.y + 4 };
  };

  await page.goto(`${url}/calendar?day=${day}&order=${order}${rooms.map(room => `&room=${room}`).join('')}`);
  await signIn(page, 'clara', password);

  await step('book', async () => {
    await page.getByLabel('Pas avant').fill(day);
    const first = page.locator('aside li').first();
    await first.getByText('08:20').waitFor();
    report.seen.proposal = (await first.innerText()).split('\n')[0];
    await first.getByRole('button', { name: 'Réserver' }).click();
    report.seen.booked = await said('Rendez-vous pris');
    await block('MARTIN Zoé').waitFor();
  });
  await inspect(page, 'calendar');
  await picture(page, 'calendar');

  // What changes next is made of what the server answered, however long a new list takes.
  const slow = /\/api\/v1\/appointments\?/;
  await page.route(slow, async route => {
    await new Promise(resolve => setTimeout(resolve, 1500));
    await route.continue().catch(() => undefined);
  });
  await step('drag', async () => {
    const to = await place(1, 10 * 60 + 15);
    await drag(await grip('MARTIN Zoé'), { x: to.x, y: to.y + 5 });
    report.seen.dragged = await said('Déplacé');
  });

  await step('conflict', async () => {
    const to = await place(0, 8 * 60);
    await drag(await grip('MARTIN Zoé'), { x: to.x, y: to.y + 4 });
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    report.seen.inTheWay = await dialog.locator('li').first().innerText();
    await inspect(page, 'conflict');
    await dialog.getByLabel('Motif').fill('Urgence');
    await dialog.getByRole('button', { name: 'Réserver malgré tout' }).click();
    await page.locator('[data-block][class*=overbooked]', { hasText: 'MARTIN Zoé' }).waitFor();
  });

  await page.unroute(slow);

  await step('undo', async () => {
    await toast.filter({ hasText: '08:0' }).last().getByRole('button', { name: 'Annuler' }).click();
    await page.locator('[data-block][class*=overbooked]').waitFor({ state: 'detached' });
  });

  // A colleague has the same days open.
  const colleague = await context.newPage();
  await colleague.goto(page.url());
  await colleague.locator('[data-block]', { hasText: 'MARTIN Zoé' }).waitFor();
  await colleague.waitForTimeout(500);
  await page.bringToFront();

  await step('keyboard', async () => {
    await block('MARTIN Zoé').focus();
    for (const key of ['m', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'Enter']) await page.keyboard.press(key);
    report.seen.keyed = await said('10:25');
    const since = Date.now();
    await colleague.locator('[data-column]').first().locator('[data-block]', { hasText: 'MARTIN Zoé' }).waitFor();
    report.seen.colleagueMs = Date.now() - since;
    await colleague.close();
    await page.locator('[data-block]:focus', { hasText: 'MARTIN Zoé' }).waitFor();
  });

  await step('open', async () => {
    await block(taken).click();
    await page.getByRole('dialog').getByRole('heading', { name: 'Historique' }).waitFor();
    await page.waitForTimeout(300);
  });
  await inspect(page, 'appointment');
});
