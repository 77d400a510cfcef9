// The web application as people meet it: set-up, the door, the keyboard, two languages, two themes,
// a session that ends, a connection that is lost, a build that is gone.
import { inspect, open, picture, policy, report, run, settled, signIn, step, told } from './browser.mjs';

const { url, setup, password, other } = told;
const NAME = 'ana';

function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

await run(async () => {
  const { context, page } = await open();

  await step('set-up', async () => {
    await page.goto(setup);
    await page.getByLabel('User name').fill(NAME);
    await page.getByLabel(/^Password/).first().fill('123456789012');
    await page.getByLabel(/^Password again/).fill('123456789012');
    await page.keyboard.press('Enter');
    await page.getByText('guessed first').or(page.getByText('repeats a few')).first().waitFor();
    await inspect(page, 'set-up');
    await picture(page, 'set-up');
    await page.getByLabel(/^Password/).first().fill(password);
    await page.getByLabel(/^Password again/).fill(password);
    await page.keyboard.press('Enter');
    await page.locator('main#content').waitFor();
    await page.goto(setup);
    await page.getByText('no longer good').waitFor();
  });

  await step('hostile texts', async () => {
    // What comes from modalities and from people is text, whatever is in it.
    const answers = await page.evaluate(async ([object, user]) => {
      const bytes = Uint8Array.from(atob(object), one => one.charCodeAt(0));
      const stored = await fetch('/dicom-web/studies', { method: 'POST', headers: { 'content-type': 'application/dicom', accept: 'application/dicom+json' }, body: bytes });
      const added = await fetch('/api/v1/users', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(user) });
      return [stored.status, added.status];
    }, [told.object, { name: other, roles: ['clinician'], password, display_name: told.script }]);
    check(answers[0] === 200 && answers[1] === 201, `a study and an account are there: ${answers}`);
  });

  await step('door', async () => {
    await context.clearCookies();
    await page.goto(`${url}/account?x=1`);
    await page.waitForURL(address => address.pathname === '/sign-in');
    check(new URL(page.url()).searchParams.get('next') === '/account?x=1', 'the door remembers where one wanted to go');
    await inspect(page, 'sign-in');
    await picture(page, 'sign-in');
    await signIn(page, NAME, 'not this one');
    await page.getByText('do not go together').waitFor();
    await signIn(page, NAME, password);
    await page.waitForURL(`${url}/account?x=1`);
  });

  await step('other sites', async () => {
    for (const next of ['//elsewhere.example/', 'https://elsewhere.example/', '/\\elsewhere.example', 'javascript:alert(1)']) {
      await context.clearCookies();
      await page.goto(`${url}/sign-in?next=${encodeURIComponent(next)}`);
      await signIn(page, NAME, password);
      await page.waitForURL(address => address.pathname !== '/sign-in');
      check(page.url().startsWith(`${url}/`), `${next} leads nowhere else`);
    }
  });

  await step('keyboard', async () => {
    await page.goto(`${url}/account`);
    await page.locator('main#content').waitFor();
    await settled(page);
    await page.keyboard.press('Tab');
    check(await page.evaluate(() => document.activeElement.getAttribute('href')) === '#content', 'the skip link comes first');
    await page.keyboard.press('Enter');
    check(await page.evaluate(() => document.activeElement.id) === 'content', 'it leads to the content');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await inspect(page, 'help');
    await picture(page, 'help');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.locator('input[role=combobox]:focus').waitFor();
    await page.keyboard.type('francais');
    await inspect(page, 'palette');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Mon compte' }).waitFor();
    check(await page.evaluate(() => document.documentElement.lang) === 'fr', 'the document says its language');
    await page.reload();
    await page.getByRole('heading', { name: 'Mon compte' }).waitFor();
    check(await page.title() === 'Mon compte · Negatoscope', 'the tab too');
    const { context: elsewhere, page: there } = await open();
    await there.goto(`${url}/account`);
    await signIn(there, NAME, password);
    await there.getByRole('heading', { name: 'Mon compte' }).waitFor(); // the account keeps it
    await elsewhere.close();
    await page.keyboard.press('/');
    check(await page.evaluate(() => document.activeElement.id) === 'global-search', 'the search is a key away');
  });

  await step('every route', async () => {
    const storageState = await context.storageState();
    for (const [locale, theme, width, height] of [['en-GB', 'light', 1366, 768], ['fr-FR', 'dark', 820, 1180]]) {
      const { context: another, page: tab } = await open({ locale, theme, width, height, storageState: { ...storageState, origins: [] } });
      await another.addCookies([{ name: 'negatoscope_language', value: locale.slice(0, 2), url }]);
      await tab.goto(`${url}/account`);
      await tab.locator('main#content').waitFor();
      await tab.evaluate(body => fetch('/api/v1/me/preferences/appearance', { method: 'PUT', headers: { 'content-type': 'application/json' }, body }),
        JSON.stringify({ language: locale.slice(0, 2), theme }));
      const links = await tab.locator('nav a').evaluateAll(found => found.map(one => one.getAttribute('href')));
      const routes = [...new Set([...links, '/account', '/design', '/admin/nowhere', '/nowhere', ...(told.routes ?? [])])];
      report.routes = routes;
      // In the second turn every third one: the pages share their colours and their frame.
      for (const route of theme === 'light' ? routes : routes.filter((_, place) => place % 3 === 1)) {
        await tab.goto(`${url}${route}`);
        await tab.locator('main').first().waitFor();
        await settled(tab);
        await inspect(tab, `${route} ${theme} ${locale}`);
        await picture(tab, `${route.slice(1).replaceAll(/\W+/g, '-').slice(0, 40) || 'home'}-${theme}`);
      }
      await another.close();
    }
  });

  await step('session ends', async () => {
    await page.goto(`${url}/account`);
    await page.locator('main#content').waitFor();
    await settled(page);
    const kept = page.locator('input[autocomplete=new-password]').first();
    await kept.fill('typed before it ended');
    await context.clearCookies({ name: /session/ });
    await page.locator('button:has(.tabler-icon-chevron-down)').click(); // anything that asks the server
    await page.keyboard.press('Escape');
    await page.evaluate(() => globalThis.dispatchEvent(new Event('visibilitychange')));
    await page.locator('section button', { hasText: /Ajouter|Add an/ }).first().click();
    const dialog = page.getByRole('dialog').filter({ has: page.locator('input[name=password]') });
    await dialog.waitFor();
    await inspect(page, 'session ended');
    await picture(page, 'session-ended');
    await dialog.locator('input[name=password]').fill(password);
    await dialog.locator('input[name=password]').press('Enter');
    await dialog.waitFor({ state: 'detached' });
    check(await kept.inputValue() === 'typed before it ended', 'what was typed is still there');
  });

  await step('connection', async () => {
    await page.goto(`${url}/account`);
    await page.locator('main#content').waitFor();
    await settled(page);
    await context.setOffline(true);
    await page.evaluate(() => document.querySelector('main').dispatchEvent(new Event('x')));
    await page.locator('section button', { hasText: /Ajouter|Add an/ }).first().click();
    await page.getByText(/Connexion perdue|Connection lost/).waitFor();
    await picture(page, 'connection-lost');
    await context.setOffline(false);
    await page.getByText(/Connexion perdue|Connection lost/).waitFor({ state: 'detached' });
  });

  await step('build', async () => {
    await page.goto(`${url}/account`);
    await page.locator('main#content').waitFor();
    await page.route('**/assets/DesignPage*', route => route.fulfill({ status: 404, body: '' }));
    await page.keyboard.press('Escape');
    await page.evaluate(path => {
      history.pushState({}, '', path);
      globalThis.dispatchEvent(new PopStateEvent('popstate', { state: {} }));
    }, '/design');
    await page.getByRole('button', { name: /^(Recharger|Reload)$/ }).first().waitFor();
    await page.unroute('**/assets/DesignPage*');
  });

  await step('what others may', async () => {
    const { context: another, page: tab } = await open();
    await tab.goto(`${url}/design`);
    await signIn(tab, other, password);
    await tab.getByText('not for your account').or(tab.getByText('Choose a new password')).first().waitFor();
    if (await tab.getByText('Choose a new password').count() > 0) {
      await inspect(tab, 'new password asked for');
      await picture(tab, 'new-password');
      await tab.locator('input[autocomplete=current-password]').fill(password);
      for (const field of await tab.locator('input[autocomplete=new-password]').all()) await field.fill(`${password} encore`);
      await tab.keyboard.press('Enter');
    }
    await tab.getByText('not for your account').waitFor();
    check(await tab.getByText('Administration', { exact: true }).count() === 0, 'the menu shows no administration');
    await inspect(tab, 'not allowed');
    await policy(tab, 'not allowed');
    await another.close();
  });
});
