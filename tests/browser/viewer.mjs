// Drives our viewer as a person would, and reads what it shows. Writes one JSON document to standard output.
//
//   node viewer.mjs PLAN CHROMIUM
//
// PLAN is a JSON file: url, user, password, the studies of test_viewer.py, screenshots (a folder or null).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [planFile, executablePath] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8'));
const report = { errors: [], failed: [], seconds: {} };

const browser = await chromium.launch({
  executablePath,
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
    '--no-sandbox', '--disable-dev-shm-usage'],
});
const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, locale: 'en-GB' });
let page = await context.newPage();
page.setDefaultTimeout(30000);
// Before the sign-in nobody is signed in.
page.on('response', response => {
  if (response.status() >= 400 && !response.url().endsWith('/api/v1/session')) {
    report.failed.push(`${response.status()} ${response.url()}`);
  }
});
page.on('console', message => {
  if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) report.errors.push(message.text());
});
page.on('pageerror', error => report.errors.push(String(error.stack ?? error)));

// The session that the viewer's element carries.
const state = pick => page.evaluate(`(${pick})(document.querySelector('.nv-viewer').negatoscope.store.get())`);
const dispatch = command => page.evaluate(one => document.querySelector('.nv-viewer').negatoscope.store.dispatch(one), command);
const texts = selector => page.locator(selector).allInnerTexts();
const pause = milliseconds => page.waitForTimeout(milliseconds);

// The pane shows the picture that the state asks for.
const shown = (pane = 0) => page.waitForFunction(at => {
  const session = document.querySelector('.nv-viewer')?.negatoscope;
  const wanted = session?.store.get().panes[at];
  const element = document.querySelector(`[data-pane="${at}"] .nv-viewport`);
  return wanted?.displaySetId && element?.dataset.shown === `${wanted.displaySetId}#${wanted.index}`;
}, pane, { polling: 20 });

async function open(...studies) {
  await page.goto(`${plan.url}/viewer?${studies.map(uid => `studyUID=${uid}`).join('&')}`);
  await shown();
}

async function step(name, act) {
  const since = Date.now();
  try {
    report[name] = (await act()) ?? null;
  } catch (error) {
    report[name] = { problem: String(error).slice(0, 600) };
  }
  report.seconds[name] = (Date.now() - since) / 1000;
  if (plan.screenshots) await page.screenshot({ path: `${plan.screenshots}/viewer-${name}.png` }).catch(() => {});
}

// Steps that make requests fail have a page of their own: nobody minds its errors.
async function aside(act) {
  const usual = page;
  page = await context.newPage();
  page.setDefaultTimeout(30000);
  try {
    return await act();
  } finally {
    await page.close();
    page = usual;
  }
}

// Values of the picture in a pane, after the Modality LUT, as little-endian float64.
async function values(pane = 0) {
  const found = await page.evaluate(at => {
    const image = document.querySelector('.nv-viewer').negatoscope.stack(at).viewport.getCornerstoneImage();
    const data = Float64Array.from(image.voxelManager.getScalarData());
    let binary = '';
    const bytes = new Uint8Array(data.buffer);
    for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return { base64: btoa(binary), syntax: image.transferSyntaxUID };
  }, pane);
  return { sha256: createHash('sha256').update(Buffer.from(found.base64, 'base64')).digest('hex'), syntax: found.syntax };
}

// Where a position of the image is on the page.
const onPage = (x, y, pane = 0) => page.evaluate(([x, y, at]) => {
  const session = document.querySelector('.nv-viewer').negatoscope;
  const { viewport, element } = session.stack(at);
  const { origin, direction, spacing } = viewport.getImageData();
  const world = [0, 1, 2].map(i => origin[i] + direction[i] * x * spacing[0] + direction[3 + i] * y * spacing[1]);
  const [cx, cy] = viewport.worldToCanvas(world);
  const box = element.getBoundingClientRect();
  return [box.left + cx, box.top + cy];
}, [x, y, pane]);

async function drag(from, to) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2);
  await page.mouse.move(...to);
  await page.mouse.up();
  await pause(150);
}
const drawings = () => page.evaluate(() => [...document.querySelectorAll('.nv-pane .svg-layer text, .nv-pane svg text')]
  .map(one => [...one.querySelectorAll('tspan')].map(line => line.textContent).join('\n') || one.textContent));
const letters = () => page.evaluate(() => ['top', 'right', 'bottom', 'left']
  .map(edge => document.querySelector(`.nv-edge-${edge}`)?.textContent ?? '').join(' '));

await page.goto(`${plan.url}/sign-in`);
const status = await page.evaluate(async ({ user, password }) => {
  const response = await fetch('/api/v1/session', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: user, password }),
  });
  return response.status;
}, plan);
if (status !== 200) report.failed.push(`sign-in ${status}`);

// Every lossless syntax gives the values numpy has: once as HTJ2K made by the server, once as stored.
async function everySyntax() {
  await open(plan.codecs);
  await page.waitForFunction(count => Object.keys(document.querySelector('.nv-viewer').negatoscope.store.get().displaySets).length === count,
    plan.codecCount);
  const found = {};
  const sets = await state('state => Object.values(state.displaySets).map(set => [set.description, set.id])');
  for (const [description, id] of sets) {
    await dispatch({ type: 'place', pane: 0, displaySetId: id });
    await shown();
    found[description] = await values();
  }
  return found;
}
await step('htj2k', everySyntax);
await step('stored', async () => {
  await page.evaluate(() => localStorage.setItem('negatoscope.viewer', JSON.stringify({ version: 1, transfer: 'stored' })));
  const found = await everySyntax();
  await page.evaluate(() => localStorage.removeItem('negatoscope.viewer'));
  return found;
});

await step('keys', async () => {
  await open(plan.ct);
  const seen = {};
  const see = async (name, ...keys) => {
    for (const key of keys) await page.keyboard.press(key);
    await shown();
    await pause(120);
    const { index, presentation } = await state('state => state.panes[state.activePane]');
    seen[name] = { index, voi: presentation.voi, inverted: presentation.isInverted, letters: await letters(), told: (await texts('.nv-bottom-right'))[0] };
  };
  await see('opened');
  await see('down', 'ArrowDown');
  await see('end', 'End');
  await see('home', 'Home');
  await see('page', 'PageDown');
  await see('bone', '3');
  await see('own', '0');
  await see('inverted', 'i');
  await see('right', 'i', 'Shift+ArrowRight');
  await see('mirrored', 'h');
  await see('reset', 'Backspace');
  await page.keyboard.press('?');
  seen.help = await page.locator('dialog kbd').count();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.mouse.move(560, 260);
  await pause(100);
  await page.mouse.move(600, 300);
  const index = () => state('state => state.panes[state.activePane].index');
  const from = await index();
  for (let turn = 0; turn < 5 && (await index()) === from; turn += 1) {
    await page.mouse.move(600 + turn, 300); // the picture under the dialog must be hit again first
    await page.mouse.wheel(0, 120);
    await pause(600);
  }
  await see('wheel');
  return seen;
});

await step('touch', async () => {
  await open(plan.ct);
  const client = await page.context().newCDPSession(page);
  const seen = async () => state('state => [state.panes[0].index, state.panes[0].presentation.zoom]');
  const fingers = async (...moves) => {
    const points = move => move.map(([x, y], id) => ({ x, y, id }));
    await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: points(moves[0]) });
    for (const move of moves.slice(1)) {
      await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: points(move) });
      await pause(40);
    }
    await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await pause(200);
  };
  const before = await seen();
  const together = y => [[500, y], [600, y]];
  await fingers(together(300), together(310), together(330), together(350), together(370));
  const scrolled = await seen();
  const apart = gap => [[550 - gap, 300], [550 + gap, 300]];
  await fingers(apart(50), apart(60), apart(80), apart(100));
  return { before, scrolled, zoomed: await seen() };
});

await step('measures', async () => {
  await open(plan.ct);
  await page.keyboard.press('l');
  await drag(await onPage(20, 64), await onPage(100, 64));
  await page.keyboard.press('e');
  await drag(await onPage(64, 40), await onPage(74, 50));
  await page.keyboard.press('b');
  const [x, y] = await onPage(64, 100);
  for (let i = 0; i < 6 && (await drawings()).length < 3; i += 1) {
    await pause(600); // a click soon after another is half of a double click
    await page.mouse.move(x, y);
    await page.mouse.down();
    await pause(100);
    await page.mouse.up();
    await pause(500);
  }
  const drawn = await drawings();
  await page.keyboard.press('Control+z');
  await pause(300);
  const undone = (await drawings()).length;
  await page.keyboard.press('Control+y');
  await pause(300);
  const redone = (await drawings()).length;
  // They are there again after another image, and another layout.
  await page.keyboard.press('ArrowDown');
  await shown();
  await pause(300);
  const elsewhere = (await drawings()).length;
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Shift+Digit2');
  await page.keyboard.press('Shift+Digit1');
  await shown();
  await pause(400);
  return { drawn, undone, redone, elsewhere, again: (await drawings()).length };
});

await step('uncalibrated', async () => {
  await open(plan.photograph);
  await page.keyboard.press('l');
  await drag(await onPage(10, 32), await onPage(50, 32));
  return drawings();
});

await step('compare', async () => {
  await open(plan.ct);
  await page.locator('.nv-prior').first().click();
  await page.waitForFunction(() => document.querySelector('.nv-viewer').negatoscope.store.get().links !== null);
  await shown(0);
  await shown(1);
  const before = await state('state => state.panes.map(pane => pane.index)');
  await page.keyboard.press('Home');
  await page.keyboard.press('PageDown');
  await shown(0);
  await shown(1);
  const after = await state('state => state.panes.map(pane => pane.index)');
  const titles = await texts('.nv-top-right');
  const bytes = () => page.evaluate(() => document.querySelector('.nv-viewer').negatoscope.cachedBytes);
  const held = await bytes();
  await page.locator('.nv-panel [aria-label="Close this study"]').click();
  await pause(300);
  return { before, after, titles, left: await state('state => Object.values(state.displaySets).length'), freed: held - await bytes() };
});

await step('lines', async () => {
  await open(plan.scouted);
  await page.waitForFunction(() => Object.keys(document.querySelector('.nv-viewer').negatoscope.store.get().displaySets).length === 2);
  await page.keyboard.press('Shift+Digit2');
  await shown(0);
  await shown(1);
  await pause(300);
  const lines = pane => page.evaluate(at => [...document.querySelectorAll(`[data-pane="${at}"] .nv-lines line`)]
    .map(line => ['x1', 'y1', 'x2', 'y2'].map(name => Number(line.getAttribute(name)))), pane);
  const wanted = await page.evaluate(() => {
    const session = document.querySelector('.nv-viewer').negatoscope;
    const { origin } = session.stack(0).viewport.getImageData();
    return session.stack(1).viewport.worldToCanvas([32, 20, origin[2]])[1];
  });
  const found = { axial: await lines(0), scout: await lines(1), wanted };
  await page.keyboard.press('Shift+Digit1');
  await pause(1200); // the layout is kept
  return found;
});

await step('planes', async () => {
  await open(plan.ct);
  await page.keyboard.press('m');
  await page.waitForFunction(() => document.querySelector('.nv-viewer').negatoscope.planes.progress === 1);
  await pause(1500);
  // How bright the small bead is that lies off the middle: thin planes miss it, a projection finds it.
  const bead = () => page.evaluate(world => [0, 1, 2, 3].map(plane => {
    const viewport = document.querySelector('.nv-viewer').negatoscope.planes.viewport(plane);
    const [x, y] = viewport.worldToCanvas(world);
    const canvas = viewport.canvas;
    const scale = canvas.width / canvas.getBoundingClientRect().width;
    return canvas.getContext('2d').getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data[0];
  }), plan.bead);
  const thin = await bead();
  const edges = await page.evaluate(() => [...document.querySelectorAll('[data-plane]')].map(pane =>
    ['top', 'right'].map(edge => pane.querySelector(`.nv-edge-${edge}`)?.textContent).join(' ')));
  await dispatch({ type: 'slab', projection: 'maximum', slabMm: 60 });
  await pause(1500);
  const thick = await bead();
  await page.keyboard.press('Escape');
  await shown();
  return { thin, thick, edges, left: await state('state => state.volume') };
});

await step('axe', async () => {
  const found = [];
  const inspect = async where => {
    await page.evaluate(axe);
    const serious = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      return violations.filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`);
    });
    found.push(...serious.map(one => `${where}: ${one}`));
  };
  await open(plan.ct);
  await page.locator('.nv-button-menu').nth(1).click();
  await inspect('images');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await inspect('help');
  await page.keyboard.press('Escape');
  return found;
});

await step('trouble', () => aside(async () => {
  // One image is missing, one comes as rubbish in every form that the browser decodes itself.
  await page.route(/instances\/[^/]+\.5\/frames\//, route => route.fulfill({ status: 404, body: '' }));
  await page.route(/instances\/[^/]+\.6\/frames\/1\?accept/, route => {
    const isNative = route.request().url().includes('1.2.840.10008.1.2.1');
    if (isNative) return route.continue();
    return route.fulfill({ status: 200, headers: { 'content-type': 'image/jls' }, body: 'rubbish' });
  });
  await open(plan.ct);
  await dispatch({ type: 'goTo', pane: 0, index: 4 });
  await page.locator('.nv-trouble').waitFor();
  const missing = await texts('.nv-trouble');
  await dispatch({ type: 'goTo', pane: 0, index: 5 });
  await shown();
  const decoded = (await values()).sha256;
  const quiet = await page.locator('.nv-trouble').count();
  return { missing, decoded, quiet };
}));

await step('drawn', () => aside(async () => {
  await page.goto(`${plan.url}/viewer?studyUID=${plan.deflated}`);
  await page.locator('.nv-rendered').waitFor();
  await page.waitForFunction(() => document.querySelector('.nv-rendered').naturalWidth > 0);
  return texts('.nv-trouble');
}));

await step('lost', async () => {
  await open(plan.ct);
  const before = (await values()).sha256;
  await page.evaluate(() => document.querySelector('.nv-viewer').negatoscope.recover());
  await page.waitForFunction(() => document.querySelector('.nv-viewport canvas'));
  await pause(600);
  await shown();
  const after = (await values()).sha256;
  return { same: before === after };
});

await step('speed', async () => {
  // The page of the viewer is there, as after the list's first row: another study, until its first image.
  const found = [];
  for (const study of [plan.codecs, plan.ct, plan.codecs, plan.ct]) {
    found.push(await page.evaluate(async uid => {
      const start = performance.now();
      history.pushState({}, '', `/viewer?studyUID=${uid}`);
      dispatchEvent(new PopStateEvent('popstate'));
      for (;;) {
        const session = document.querySelector('.nv-viewer')?.negatoscope;
        const now = session?.store.get();
        const pane = now?.panes[0];
        const element = document.querySelector('.nv-viewport');
        if (now?.studyOrder[0] === uid && pane.displaySetId && element?.dataset.shown === `${pane.displaySetId}#${pane.index}`) break;
        if (performance.now() - start > 20000) throw new Error('no image');
        await new Promise(resolve => setTimeout(resolve, 4));
      }
      return Math.round(performance.now() - start);
    }, study));
    await pause(300);
  }
  return found;
});

await step('forgotten', () => aside(async () => {
  await page.goto(`${plan.url}/viewer?studyUID=1.2.3.4.5`);
  await page.locator('.nv-failure').waitFor();
  return texts('.nv-failure');
}));

await browser.close();
process.stdout.write(JSON.stringify(report, null, 2));
