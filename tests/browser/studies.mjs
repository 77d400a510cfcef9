// The list of studies, the patient page, headers, upload and download, with keyboard and mouse.
import { readFileSync } from 'node:fs';
import { inspect, open, picture, report, run, signIn, step, told } from './browser.mjs';

const { url, user, password, objects, script } = told;
const rows = page => page.locator('[role=grid] [role=row][aria-selected]');

function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

/** The list has so many rows, and a text is in the first. */
async function count(page, wanted, text = '') {
  await page.waitForFunction(([number, words]) => {
    const found = document.querySelectorAll('[role=grid] [role=row][aria-selected]');
    return found.length === number && (found[0]?.textContent ?? '').includes(words);
  }, [wanted, text]);
}

const bytes = text => Buffer.from(text, 'base64');
const store = (page, object) => page.evaluate(async text => {
  const body = Uint8Array.from(atob(text), one => one.charCodeAt(0));
  const headers = { 'content-type': 'application/dicom', accept: 'application/dicom+json' };
  return (await fetch('/dicom-web/studies', { method: 'POST', headers, body })).status;
}, object);

await run(async () => {
  const { page } = await open();

  await step('list', async () => {
    await page.goto(url);
    await signIn(page, user, password);
    await page.locator('nav a[href="/studies"]').click();
    await page.waitForURL('**/studies');
    await count(page, 4);
    await page.getByText('4 studies', { exact: true }).waitFor();
    await inspect(page, 'studies');
    await picture(page, 'studies');
  });

  await step('search', async () => {
    const box = page.getByRole('searchbox', { name: 'Search studies' });
    await page.keyboard.press('/');
    await page.keyboard.type('eloise thoracique');
    await count(page, 1, 'DUPONT Éloïse');
    await page.reload();
    await count(page, 1, 'DUPONT Éloïse');
    check(await box.inputValue() === 'eloise thoracique', 'what was looked for is kept');
    await box.fill('script alert');
    await count(page, 1, script);
    await box.fill('nobody at all');
    await page.getByText('No study matches').waitFor();
    await page.getByRole('main').getByRole('button', { name: 'Clear the search' }).last().click();
    await count(page, 4);
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    await page.getByRole('textbox', { name: 'Accession number' }).fill('B12');
    await count(page, 1, 'LE GALL');
    check(new URL(page.url()).searchParams.get('accession_number') === 'B12', 'filters are in the address');
    await page.keyboard.press('Escape');
    await page.goto(`${url}/studies?modality=MR&first=2020-01-01&last=2020-12-31`);
    await count(page, 1);
    await page.getByRole('button', { name: 'Saved filters' }).click();
    await page.getByLabel('Name of the search').fill('MR of 2020');
    await page.getByRole('button', { name: 'Save this search' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Clear the search' }).first().click();
    await count(page, 4);
    await page.getByRole('button', { name: 'Saved filters' }).click();
    await page.getByRole('button', { name: 'MR of 2020', exact: true }).click();
    await count(page, 1);
    await page.getByRole('button', { name: 'Clear the search' }).first().click();
    await count(page, 4);
  });

  await step('keyboard', async () => {
    await page.keyboard.press('/');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.getByText('1 selected', { exact: true }).waitFor();
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByText('2 selected', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Compare' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('2 selected', { exact: true }).waitFor({ state: 'hidden' });
    await page.keyboard.press('Home');
    await page.locator('aside img').first().waitFor();
    await picture(page, 'preview');
    await inspect(page, 'preview');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/viewer?studyUID=*');
    await page.goBack();
    await count(page, 4);
  });

  await step('columns', async () => {
    const heads = () => page.getByRole('columnheader').allInnerTexts();
    await page.getByRole('button', { name: 'Columns', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Sex' }).click();
    await page.getByRole('columnheader', { name: 'Sex' }).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Move Modality to the left' }).click();
    await page.waitForFunction(() => {
      const heads = [...document.querySelectorAll('[role=columnheader]')].map(one => one.innerText.trim());
      return heads.indexOf('Modality') < heads.indexOf('Date');
    });
    await page.keyboard.press('Escape');
    const handle = page.getByRole('separator', { name: 'Width of Patient' });
    const box = await handle.boundingBox();
    await page.mouse.move(box.x + 4, box.y + 8);
    await page.mouse.down();
    await page.mouse.move(box.x + 64, box.y + 8, { steps: 4 });
    await page.mouse.up();
    const wide = Number(await handle.getAttribute('aria-valuenow'));
    await page.waitForTimeout(1200);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await count(page, 4);
    await page.getByRole('columnheader', { name: 'Sex' }).waitFor({ state: 'hidden' }); // the account's answer may come after the list
    const shown = (await heads()).map(one => one.trim()).filter(Boolean);
    check(!shown.includes('Sex') && shown.indexOf('Modality') < shown.indexOf('Date'), `columns are kept: ${shown}`);
    check(wide > 260 && Number(await handle.getAttribute('aria-valuenow')) === wide, `widths are kept: ${wide}`);
  });

  await step('order', async () => {
    await page.getByRole('columnheader', { name: 'Patient' }).getByRole('button').click();
    await page.waitForURL('**order=name');
    await page.waitForFunction(() => document.querySelector('[role=grid] [role=row][aria-selected]')?.textContent.includes('<'));
    await page.getByRole('columnheader', { name: 'Date' }).getByRole('button').click();
    await page.waitForFunction(() => document.querySelector('[role=grid] [role=row][aria-selected]')?.textContent.includes('LE GALL'));
  });

  await step('arrival', async () => {
    await page.waitForTimeout(1000); // the channel opens
    check(await store(page, objects.arriving) === 200, 'a study arrives');
    await count(page, 5);
    await page.getByRole('grid').focus();
    await page.keyboard.press('Home');
    const before = await rows(page).first().innerText();
    check(await store(page, objects.second) === 200, 'another study arrives');
    const news = page.getByRole('button', { name: '1 study arrived' });
    await news.waitFor();
    check((await rows(page).count()) === 5 && (await rows(page).first().innerText()) === before, 'nothing moves under the reader');
    await news.click();
    await count(page, 6);
    check(await store(page, objects.more) === 200, 'one more image of the second');
    await page.waitForFunction(() => [...document.querySelectorAll('[role=grid] [role=row][aria-selected]')]
      .some(row => row.textContent.includes('ZWEIG') && [...row.querySelectorAll('[data-column=instance_count]')].some(cell => cell.textContent === '2')));
  });

  await step('patient', async () => {
    const box = page.getByRole('searchbox', { name: 'Search studies' });
    await box.fill('dupont');
    await count(page, 2, 'DUPONT');
    await page.keyboard.press('ArrowDown');
    await page.locator('[role=grid]:focus [data-active]').waitFor();
    await page.keyboard.press('p');
    await page.waitForURL('**/patients/*');
    await page.getByRole('heading', { name: 'DUPONT Éloïse' }).waitFor();
    await page.getByText('Another patient has the same identifier').waitFor();
    check(await page.getByRole('navigation', { name: 'Studies over time' }).getByRole('button').count() === 2, 'two studies on the line');
    await page.waitForFunction(() => [...document.querySelectorAll('main img')].some(one => one.naturalWidth > 0));
    await inspect(page, 'patient');
    await picture(page, 'patient');
    await page.locator('main button:has(img)').first().click();
    await page.getByRole('table', { name: 'Instances' }).waitFor();
  });

  await step('header', async () => {
    await page.getByRole('link', { name: 'DICOM header' }).first().click();
    await page.getByRole('heading', { name: 'DICOM header' }).waitFor();
    await page.getByText('Detector Channel').waitFor();
    await page.getByRole('searchbox', { name: 'Search tag' }).fill('patientname eloise');
    await page.getByText(/^1 of \d+ lines/).waitFor();
    await page.getByRole('searchbox', { name: 'Search tag' }).fill('');
    await page.getByText('Private elements').click();
    await page.getByText(/^2 of \d+ lines/).waitFor();
    await inspect(page, 'header');
    await picture(page, 'header');
  });

  await step('download', async () => {
    await page.goto(`${url}/studies?text=dupont`);
    await count(page, 2);
    await page.getByRole('grid').focus();
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download (ZIP)' }).click();
    const file = readFileSync(await (await waiting).path());
    check(file.subarray(0, 2).toString() === 'PK' && file.includes('DICM'), 'a ZIP of DICOM files');
    const csv = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export as CSV' }).click();
    const table = readFileSync(await (await csv).path(), 'utf8');
    check(table.split('\r\n').length === 4 && table.includes('DUPONT'), 'a table of two studies');
  });

  await step('upload', async () => {
    await page.getByRole('link', { name: 'Upload' }).click();
    await page.getByText('Drop DICOM files').waitFor();
    await inspect(page, 'upload');
    const good = objects.uploaded.map((text, at) => ({ name: `IM${at}.dcm`, mimeType: 'application/dicom', buffer: bytes(text) }));
    const bad = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not an image') };
    await page.locator('input[type=file]').first().setInputFiles([...good, bad]);
    await page.getByText(`${good.length} stored`).waitFor();
    await page.getByText('1 refused').waitFor();
    await page.getByText('Not a DICOM file.').waitFor();
    await page.getByText('Everything is sent').waitFor();
    await inspect(page, 'uploaded');
    await picture(page, 'upload');
    // The connection breaks in the middle, and comes back.
    await page.context().setOffline(true);
    await page.locator('input[type=file]').first().setInputFiles([{ name: 'late.dcm', mimeType: 'application/dicom', buffer: bytes(objects.late) }]);
    await page.getByText('The server does not answer. It goes on by itself.').waitFor();
    await page.context().setOffline(false);
    await page.getByText(`${good.length + 1} stored`).waitFor();
  });

  await step('French', async () => {
    await page.context().addCookies([{ name: 'negatoscope_language', value: 'fr', url }]);
    await page.goto(`${url}/studies?text=zzz`);
    await page.getByText('Aucun examen ne correspond').waitFor();
    await page.goto(`${url}/studies?order=name`);
    await page.locator('[role=grid]').waitFor();
    await page.setViewportSize({ width: 820, height: 1180 });
    await page.getByRole('grid').focus();
    await inspect(page, 'examens');
    await picture(page, 'examens-tablette');
    await page.goto(`${url}/upload`);
    await page.getByText('Déposez ici').waitFor();
  });
  report.seen.done = true;
});
