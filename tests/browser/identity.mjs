// Accounts, what they see, emergency access and its review, a link to one study; in both languages.
import { inspect, open, picture, report, run, settled, signIn, step, told } from './browser.mjs';

const { url, password, study, hidden } = told;
const WORDS = {
  fr: {
    locale: 'fr-FR', add: 'Nouveau compte', name: 'Identifiant', roles: 'Rôles', role: 'Clinicien', first: 'Premier mot de passe',
    create: 'Créer le compte', kind: 'Par', byStudy: 'examen', value: 'Valeur', plus: 'Ajouter', saved: 'Le périmètre est enregistré.',
    emergency: 'Accès en urgence', reason: 'Motif', openFile: 'Ouvrir le dossier', banner: 'Accès en urgence à un dossier',
    comment: 'Votre commentaire', review: 'Marquer comme contrôlé', reviewed: 'L’accès est marqué comme contrôlé.',
    openStudy: 'Ouvrir l’examen', pin: 'Code', now: 'Mot de passe actuel', again: 'Choisissez un nouveau mot de passe',
  },
  en: {
    locale: 'en-GB', add: 'New account', name: 'User name', roles: 'Roles', role: 'Clinician', first: 'First password',
    create: 'Create the account', kind: 'By', byStudy: 'study', value: 'Value', plus: 'Add', saved: 'The data scope is set.',
    emergency: 'Emergency access', reason: 'Reason', openFile: 'Open the file', banner: 'Emergency access to one file',
    comment: 'Your comment', review: 'Mark as reviewed', reviewed: 'It is marked as reviewed.',
    openStudy: 'Open the study', pin: 'PIN',
  },
};
const REASON = 'Vital emergency, patient unconscious';

async function go(language, theme) {
  const words = WORDS[language];
  const where = name => `${name}-${language}`;
  const seen = (report.seen[language] = {});
  const { context, page } = await open({ locale: words.locale, theme });
  const doctor = `doctor-${language}`;

  await step(where('account'), async () => {
    await page.goto(`${url}/admin/users`);
    await signIn(page, 'chief', password);
    await page.getByRole('button', { name: words.add }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(words.name).fill(doctor);
    await dialog.getByLabel(words.roles).first().click();
    await page.getByRole('option', { name: words.role }).click();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: words.create }).click();
    await page.getByRole('button', { name: doctor }).click();
  });
  await step(where('scope'), async () => {
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel(words.kind, { exact: true }).first().click();
    await page.getByRole('option', { name: words.byStudy, exact: true }).click();
    await drawer.getByLabel(words.value, { exact: true }).fill(study);
    await drawer.getByRole('button', { name: words.plus }).click();
    await page.getByText(words.saved).waitFor();
  });
  await inspect(page, where('account'));
  await picture(page, where('identity-account'));
  const given = await page.evaluate(async ([name, secret]) => {
    const answer = await fetch(`/api/v1/users/${name}/password`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password: secret }),
    });
    return answer.status;
  }, [doctor, password]);
  seen.given = given;

  const ward = await open({ locale: words.locale, theme });
  await step(where('break-glass'), async () => {
    await ward.page.goto(`${url}/view?requestType=STUDY&studyUID=${hidden}`);
    await signIn(ward.page, doctor, password);
    await ward.page.waitForFunction(() => document.querySelectorAll('input[type=password]').length === 3);
    seen.required = true;  // somebody else chose the password
    const fields = ward.page.locator('input[type=password]');
    await fields.nth(0).fill(password);
    await fields.nth(1).fill(`${password} encore`);
    await fields.nth(2).fill(`${password} encore`);
    await ward.page.keyboard.press('Enter');
    await ward.page.getByRole('button', { name: words.emergency }).click();
    await ward.page.getByLabel(words.reason).fill(REASON);
    await inspect(ward.page, where('break-glass'));
    await picture(ward.page, where('identity-break-glass'));
    await ward.page.getByRole('button', { name: words.openFile }).click();
    await ward.page.waitForURL(address => address.pathname === '/viewer');
    await ward.page.getByText(words.banner).waitFor();
    await picture(ward.page, where('identity-banner'));
  });
  await ward.context.close();

  await step(where('review'), async () => {
    await page.goto(`${url}/admin/break-glass`);
    await page.getByRole('button', { name: doctor }).click();
    await page.getByText(REASON).last().waitFor();
    await page.getByLabel(words.comment).fill('Justified.');
    await inspect(page, where('review'));
    await picture(page, where('identity-review'));
    await page.getByRole('button', { name: words.review }).click();
    await page.getByText(words.reviewed).waitFor();
  });

  const address = await page.evaluate(async uid => {
    const answer = await fetch('/api/v1/links', {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ study_instance_uid: uid, pin: '4711' }),
    });
    return (await answer.json()).url;
  }, study);
  const guest = await open({ locale: words.locale, theme, width: 1024 });
  const referers = [];
  guest.page.on('request', request => referers.push(request.headers()['referer'] ?? ''));
  await step(where('link'), async () => {
    await guest.page.goto(address);
    await guest.page.getByRole('button', { name: words.openStudy }).click();
    await guest.page.getByLabel(words.pin, { exact: false }).first().fill('4711');
    await inspect(guest.page, where('link'));
    await picture(guest.page, where('identity-link'));
    await guest.page.getByRole('button', { name: words.openStudy }).click();
    await guest.page.waitForURL(found => found.pathname === '/viewer');
  });
  seen.guest = await guest.page.evaluate(async uids => {
    const status = async uid => (await fetch(`/dicom-web/studies/${uid}/metadata`)).status;
    return [await status(uids[0]), await status(uids[1])];
  }, [study, hidden]);
  seen.secret_in_referer = referers.some(one => one.includes(address.split('/').pop()));
  await guest.context.close();
  await context.close();
}

await run(async () => {
  for (const [language, theme] of told.turns) await go(language, theme);
});
