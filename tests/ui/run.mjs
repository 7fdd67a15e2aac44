// Drives a real panel in headless Chromium: the first run, a site from plan to page to deletion, with and without script.
//
//   node tests/ui/run.mjs --base https://HOST:8443 --link 'https://HOST:8443/start?link=…' [--http http://HOST] [--shots DIR]
//       [--inside 'COMMAND…']   what runs a command as root on the panel's host; without it nothing is stopped or killed there
//
// Invariant: every page it opens is watched: a policy violation, a script error or a request to another host is a failure.
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';
import { pages } from './pages.mjs';

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    link: { type: 'string' },
    http: { type: 'string' },
    shots: { type: 'string' },
    inside: { type: 'string' },
    site: { type: 'string', default: 'ui-test.example' },
    name: { type: 'string', default: 'mara' },
    password: { type: 'string', default: 'mauve otter tin sky' },
  },
});
if (!options.base || !options.link) {
  console.error('usage: run.mjs --base https://HOST:8443 --link URL [--http http://HOST|none] [--shots DIR]');
  process.exit(2);
}
const base = options.base.replace(/\/$/, '');
const panel = new URL(base);
const sites = options.http ?? `http://${panel.hostname}`;
const { site, name, password } = options;
const plain = `plain-${site}`;
if (options.shots) fs.mkdirSync(options.shots, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const complaints = [];
let passed = 0, failed = 0;

async function test(title, run) {
  const before = complaints.length;
  const begun = Date.now();
  try {
    await run();
    const fresh = complaints.slice(before);
    if (fresh.length) throw new Error(`the page complained:\n    ${fresh.join('\n    ')}`);
    passed += 1;
    console.log(`ok   ${title} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${title}\n  ${String(error.stack ?? error).split('\n').slice(0, 12).join('\n  ')}`);
  }
}

function check(truth, words) {
  if (!truth) throw new Error(words);
}

// A context whose every page is watched.
async function context(settings = {}) {
  const made = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 860 }, ...settings });
  await made.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', event => {
      console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await made.route('**/*', route => {
    const asked = new URL(route.request().url());
    if (asked.host === panel.host) return route.continue();
    complaints.push(`a request to another host: ${asked}`);
    return route.abort();
  });
  made.on('page', page => {
    // A page that answers 4xx on purpose is not a fault of the page; Chromium writes it to the console all the same.
    page.on('console', line => {
      if (line.type() === 'error' && !/status of 4\d\d/.test(line.text())) complaints.push(`${page.url()}: ${line.text()}`);
    });
    page.on('pageerror', error => complaints.push(`${page.url()}: ${error}`));
  });
  return made;
}

// Runs a command on the panel's host.
function inside(...command) {
  const [program, ...before] = options.inside.split(' ');
  return execFileSync(program, [...before, ...command], { encoding: 'utf8' });
}

// While the agent is away, 503 is the right answer; Chromium writes that to the console all the same.
async function withoutAgent(run) {
  const before = complaints.length;
  await run();
  const fresh = complaints.splice(before);
  complaints.push(...fresh.filter(line => !/status of 503/.test(line)));
}

async function shot(page, title) {
  if (options.shots) await page.screenshot({ path: path.join(options.shots, `${title}.png`), fullPage: true });
}

async function signIn(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${base}/`);
}

// What a visitor of the site gets.
function visit(host) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${sites}/`, { headers: { host }, agent: false, timeout: 10_000 }, answer => {
      let text = '';
      answer.on('data', part => { text += part; });
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', error => (error.code === 'ECONNRESET' ? resolve({ status: 0, text: '' }) : reject(error)));
  });
}

async function finished(page, headline) {
  await page.waitForSelector('#operation[data-final=true]', { timeout: 120_000 });
  const heading = await page.locator('h1').innerText();
  check(heading === headline, `the operation ended as “${heading}”: ${await page.locator('#operation').innerText()}`);
}

const main = await context();
const page = await main.newPage();

await test('a link that is not ours opens nothing', async () => {
  const answer = await page.goto(`${base}/start?link=${'0'.repeat(64)}`);
  check(answer.status() === 404, `status ${answer.status()}`);
  check((await page.innerText('main')).includes('lalapanel admin link'), 'it does not say what to do');
});

await test('the first run refuses a weak password, keeps the name and creates the owner', async () => {
  await page.goto(options.link);
  await shot(page, 'start');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill('Password1234!');
  await page.getByRole('button', { name: 'Create owner account' }).click();
  await page.getByText('There is 1 thing to fix').waitFor();
  check((await page.getByLabel('Name', { exact: true }).inputValue()) === name, 'the name was lost');
  check((await page.getByLabel('Password', { exact: true }).inputValue()) === '', 'the password came back');
  await shot(page, 'start-refused');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create owner account' }).click();
  await page.waitForURL(`${base}/`);
  check((await page.innerText('header')).includes(name), 'nobody is signed in');
  await shot(page, 'home-empty');
});

await test('the link works once', async () => {
  const other = await context();
  const answer = await (await other.newPage()).goto(options.link);
  check(answer.status() === 404, `status ${answer.status()}`);
  await other.close();
});

await test('the sign-in page weighs at most 30 KB, all files', async () => {
  const fresh = await context();
  const tab = await fresh.newPage();
  const wire = await fresh.newCDPSession(tab);
  await wire.send('Network.enable');
  let bytes = 0, files = 0;
  wire.on('Network.loadingFinished', event => { bytes += event.encodedDataLength; files += 1; });
  await tab.goto(`${base}/login`, { waitUntil: 'networkidle' });
  await shot(tab, 'login');
  console.log(`     ${bytes} bytes in ${files} requests`);
  check(bytes > 1000 && bytes <= 30_000, `${bytes} bytes`);
  check(files <= 6, `${files} requests`);
  await fresh.close();
});

await test('a wrong password and a wrong name look the same', async () => {
  const fresh = await context();
  const tab = await fresh.newPage();
  const words = [];
  for (const who of [name, 'nobody']) {
    await tab.goto(`${base}/login`);
    await tab.getByLabel('Name', { exact: true }).fill(who);
    await tab.getByLabel('Password', { exact: true }).fill('not this one, surely');
    await tab.getByRole('button', { name: 'Sign in' }).click();
    words.push(await tab.locator('[role=alert]').innerText());
    check((await tab.getByLabel('Name', { exact: true }).inputValue()) === who, 'the name was lost');
  }
  check(words[0] === words[1] && words[0].includes('Name or password is wrong'), words.join(' / '));
  await fresh.close();
});

await test('the plan follows what is typed, and nothing runs before the button', async () => {
  await page.goto(`${base}/sites/new`);
  await page.getByLabel('Domain name').pressSequentially('https://x', { delay: 10 });
  await page.locator('#plan .note').getByText('without https://').waitFor();
  await page.getByLabel('Domain name').fill('');
  await page.getByLabel('Domain name').pressSequentially(site, { delay: 10 });
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  check(page.url() === `${base}/sites/new`, 'the page was left');
  check((await page.locator('#plan').innerText()).includes('Nothing has been changed yet'), 'it does not say so');
  await page.getByText('Show files and commands').click();
  check((await page.locator('#plan').innerText()).includes(`server_name ${site}`), 'the nginx file is not shown');
  await page.getByText('Show files and commands').click();
  await page.goto(`${base}/sites`);
  check(!(await page.innerText('main')).includes(site), 'the site exists before anybody asked');
});

let operation;
await test('a site is created while the page shows every step', async () => {
  await page.goto(`${base}/sites/new`);
  await page.getByLabel('Domain name').pressSequentially(site, { delay: 10 });
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await shot(page, 'new-site');
  await page.getByRole('button', { name: 'Create site' }).dblclick();
  await page.waitForURL(/\/operations\//);
  operation = page.url();
  await shot(page, 'operation-running');
  await finished(page, `${site} is ready`);
  await page.waitForFunction(() => document.title.startsWith('Done'));
  const states = await page.locator('.steps > li .pill').allInnerTexts();
  check(states.length > 3 && states.every(word => word === 'Done'), states.join(', '));
  check((await page.locator('#stream').count()) === 0, 'a notice about the stream is left over');
  await page.locator('#announce').getByText('Done.').waitFor({ state: 'attached', timeout: 8000 });
  await shot(page, 'operation-done');
});

await test('pressing twice made one operation', async () => {
  await page.goto(`${base}/activity`);
  const lines = await page.locator('tbody tr', { hasText: site }).count();
  check(lines === 1, `${lines} operations`);
});

if (sites !== 'none') {
  await test('the site answers visitors with a page made by PHP', async () => {
    const seen = await visit(site);
    check(seen.status === 200, `status ${seen.status}`);
    check(/PHP\s*\d+\.\d+/.test(seen.text.replace(/<[^>]*>/g, ' ')) && !seen.text.includes('<?php'), seen.text.slice(0, 300));
  });
}

await test('a taken name is refused at its field, before anything runs', async () => {
  await page.goto(`${base}/sites/new`);
  await page.getByLabel('Domain name').fill(site.toUpperCase());
  await page.locator('#plan .note').getByText(/already/).waitFor();
  await page.getByRole('button', { name: 'Create site' }).click();
  await page.locator('#hostname-error').waitFor();
  check((await page.getByLabel('Domain name').inputValue()) === site.toUpperCase(), 'what was typed was lost');
  await shot(page, 'new-site-refused');
});

if (sites !== 'none') {
  await test('the log of a site is followed, and what comes while one reads further down waits', async () => {
    const entries = page.locator('ol.log > li');
    const ask = path => new Promise(resolve => http.get(`${sites}${path}`, { headers: { host: site, 'user-agent': '<b>bold</b>' }, agent: false }, answer => { answer.resume(); answer.on('end', resolve); }));
    for (let i = 0; i < 40; i += 1) await ask(`/first-${i}`);
    // Two workers of nginx write their lines once a second, in any order.
    await page.waitForTimeout(1500);
    await ask(`/long?${'x'.repeat(900)}`);
    await page.goto(`${base}/sites/${site}`);
    await page.getByRole('link', { name: 'Logs' }).click();
    // nginx writes what visitors asked once a second.
    for (let look = 0; look < 20 && !(await entries.first().locator('summary').getByText('/long').isVisible()); look += 1) {
      await page.waitForTimeout(500);
      await page.reload();
    }
    await entries.first().locator('summary').getByText('/long').waitFor();
    check((await entries.first().locator('pre').isVisible()) === false, 'a long entry is not folded');
    await entries.first().locator('summary').click();
    check(await entries.first().locator('pre').isVisible(), 'a folded entry does not open');
    check((await page.locator('ol.log b').count()) === 0, 'a visitor wrote markup');
    await page.getByRole('button', { name: 'Follow' }).click();
    check((await page.getByRole('button', { name: 'Following' }).getAttribute('aria-pressed')) === 'true', 'it does not say that it follows');
    await ask('/live-one');
    await entries.first().getByText('/live-one').waitFor({ timeout: 8000 });
    await page.evaluate(() => scrollTo(0, 900));
    const before = await page.evaluate(() => scrollY);
    await ask('/live-two');
    const waiting = page.getByRole('button', { name: /new lines?$/ });
    await waiting.waitFor({ timeout: 8000 });
    await ask('/live-three');
    check((await page.evaluate(() => scrollY)) === before, 'the page moved while it was read');
    await page.waitForFunction(() => /2 new lines/.test(document.querySelector('.waiting').textContent), null, { timeout: 8000 });
    await shot(page, 'logs-waiting');
    await waiting.click();
    await entries.first().getByText('/live-three').waitFor();
    check((await entries.nth(1).innerText()).includes('/live-two'), 'the order is wrong');
    // In another tab for a while: what came meanwhile is there afterwards, once, and it goes on (Coolify#7719).
    const tab = hidden => page.evaluate(value => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await page.evaluate(() => scrollTo(0, 0));
    await tab(true);
    await ask('/while-away');
    await page.waitForTimeout(1500);
    check((await page.getByText('/while-away').count()) === 0, 'a hidden tab holds a stream');
    await tab(false);
    await entries.first().getByText('/while-away').waitFor({ timeout: 10_000 });
    await ask('/back-again');
    await entries.first().getByText('/back-again').waitFor({ timeout: 10_000 });
    for (const path of ['/live-three', '/while-away', '/back-again']) {
      const times = await entries.filter({ hasText: path }).count();
      check(times === 1, `${path} is shown ${times} times`);
    }
    await page.getByRole('button', { name: 'Following' }).click();
    await shot(page, 'logs');
    await page.getByLabel('Text').fill('FIRST-7');
    await page.getByRole('button', { name: 'Filter' }).click();
    check((await entries.count()) === 1, `${await entries.count()} entries fit`);
    await page.getByLabel('Status').selectOption('5xx');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('Nothing matches').waitFor();
    check((await page.getByLabel('Text').inputValue()) === 'FIRST-7', 'the text of the filter was lost');
  });

  await test('without JavaScript a log is read, older and newer', async () => {
    const plain = await context({ javaScriptEnabled: false, storageState: await main.storageState() });
    const reader = await plain.newPage();
    await reader.goto(`${base}/sites/${site}/logs`);
    check((await reader.getByRole('button', { name: /Follow/ }).count()) === 0, 'a button that does nothing');
    await reader.getByRole('link', { name: 'Newer lines' }).click();
    check((await reader.locator('ol.log > li').count()) > 40, 'entries are missing');
    await reader.getByRole('link', { name: 'PHP errors' }).click();
    await reader.getByText('Nothing was logged').waitFor();
    await plain.close();
  });
}

await test('settings are changed in the browser: the plan, the operation, the value', async () => {
  const settings = `${base}/sites/${site}/settings`;
  await page.goto(`${settings}/php`);
  await page.getByLabel('Memory of a request').fill('banana');
  await page.locator('#plan .note').getByText('Write a number from 16 to 4096 MB').waitFor();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.locator('[id="php.memory_limit-error"]').waitFor();
  check((await page.getByLabel('Memory of a request').inputValue()) === 'banana', 'what was typed was lost');
  await shot(page, 'settings-refused');
  await page.getByLabel('Memory of a request').fill('384');
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await page.locator('footer .command').getByText(`lalapanel site set ${site} php.memory_limit=384`).waitFor();
  await page.getByText('Show files and commands').click();
  check((await page.locator('#plan').innerText()).includes('384M'), 'the plan does not show the new value');
  await shot(page, 'settings-plan');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.waitForURL(/\/operations\//);
  await finished(page, `${site} is changed`);
  await page.goto(`${settings}/php`);
  check((await page.getByLabel('Memory of a request').inputValue()) === '384', 'the value is not set');

  await page.goto(`${settings}/names`);
  await page.getByLabel('Sent to the name without www').check();
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.waitForURL(/\/operations\//);
  await finished(page, `${site} is changed`);
  await page.goto(`${base}/sites/${site}`);
  check((await page.innerText('main')).includes(`www.${site}`), 'the redirected name is not shown');
  if (sites !== 'none') {
    const sent = await visit(`www.${site}`);
    check(sent.status === 301 || sent.status === 308, `www answers ${sent.status}`);
  }
});

await test('two tabs that change different things do not undo each other', async () => {
  const address = `${base}/sites/${site}/settings/php`;
  const other = await main.newPage();
  await page.goto(address);
  await other.goto(address);
  await page.getByLabel('Requests at once').fill('12');
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await other.getByLabel('Fields of a form').fill('2500');
  await other.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await other.getByRole('button', { name: 'Save changes' }).click();
  await finished(other, `${site} is changed`);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('The server has changed since you looked').waitFor();
  await shot(page, 'settings-changed-meanwhile');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await finished(page, `${site} is changed`);
  await page.goto(address);
  check((await page.getByLabel('Fields of a form').inputValue()) === '2500', 'the change of the other tab was undone');
  check((await page.getByLabel('Requests at once').inputValue()) === '12', 'the change of this tab is not there');
  await other.close();
});

// What a page says once, and what MariaDB makes of it.
const signsIn = (user, word) => inside('sh', '-c', `MYSQL_PWD='${word}' mariadb --user=${user} -N -e 'SELECT 1' ${user} 2>&1 || true`).includes('1');
let secretPage;
const secret = tab => tab.locator('details[data-copy] code').textContent();

await test('a database is made in the browser, and its password is shown once', async () => {
  await page.goto(`${base}/databases`);
  await page.getByText('This server has no database yet').waitFor();
  await shot(page, 'databases-empty');
  await page.goto(`${base}/sites/${site}`);
  await page.getByRole('navigation', { name: 'Sections of this site' }).getByRole('link', { name: 'Databases' }).click();
  await page.getByRole('link', { name: 'New database' }).click();
  await page.getByLabel('Name', { exact: true }).pressSequentially('a-b', { delay: 10 });
  await page.locator('#plan .note').getByText('begins with a letter').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('ui_db');
  await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
  await page.locator('footer .command').getByText(`lalapanel db create ui_db --site ${site}`).waitFor();
  await page.getByText('Show files and commands').click();
  const plan = await page.locator('#plan').innerText();
  check(plan.includes('GRANT ALL PRIVILEGES') && !/\*[0-9A-F]{40}/.test(plan), plan);
  await shot(page, 'new-database');
  await page.getByRole('button', { name: 'Create database' }).click();
  await page.waitForURL(/\/operations\//);
  await finished(page, 'Create the database ui_db');
  const word = await secret(page);
  check(/^[a-z2-9]{32}$/.test(word), 'no password on the page');
  check(!(await page.locator('details[data-copy] code').isVisible()), 'the password is not covered');
  await page.getByText('Show the password').click();
  await shot(page, 'database-done');
  if (options.inside) check(signsIn('ui_db', word), 'the password is not the one that MariaDB knows');
  await page.reload();
  check((await secret(page)) === word, 'a second look shows something else');
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByRole('link', { name: 'All databases' }).waitFor();
  check((await page.content()).includes(word) === false, 'the password is still there');
  await page.getByRole('link', { name: 'All databases' }).click();
  await page.getByRole('link', { name: 'ui_db' }).click();
  check(!(await page.content()).includes(word), 'the password is on the page of the database');
});

await test('without JavaScript a database gets a password of one\'s own and is deleted by its typed name', async () => {
  const quiet = await context({ javaScriptEnabled: false, storageState: await main.storageState() });
  const tab = await quiet.newPage();
  await tab.goto(`${base}/databases/ui_db/password`);
  await tab.getByLabel('Password (optional)').fill('lilac badger iron sea');
  await tab.getByRole('button', { name: 'Show what will happen' }).click();
  await tab.getByText('The password you typed is kept').waitFor();
  check(!(await tab.content()).includes('lilac'), 'the password came back');
  await tab.getByRole('button', { name: 'Change the password' }).click();
  await tab.getByText('All databases').waitFor({ timeout: 60_000 });
  check((await tab.locator('details[data-copy]').count()) === 0, 'a password that was typed is shown');
  if (options.inside) check(signsIn('ui_db', 'lilac badger iron sea'), 'the typed password is not the one');
  await tab.goto(`${base}/databases/ui_db/delete`);
  await tab.getByLabel('Type ui_db to delete it').fill('ui');
  await tab.getByRole('button', { name: 'Delete', exact: true }).click();
  await tab.locator('#confirm-error').getByText('Type ui_db').waitFor();
  await tab.getByLabel('Type ui_db to delete it').fill('ui_db');
  await tab.getByRole('button', { name: 'Delete', exact: true }).click();
  await tab.getByText('Put it back').first().waitFor({ timeout: 60_000 });
  await tab.goto(`${base}/databases/ui_db`);
  await tab.getByText('Put it back').first().waitFor();
  // One that the next tests look at; its password is nobody's.
  await tab.goto(`${base}/databases/new-database?name=axe_db&site=${site}`);
  await tab.getByRole('button', { name: 'Create database' }).click();
  await tab.getByText('Please check what will happen').waitFor();
  await tab.getByRole('button', { name: 'Create database' }).click();
  await tab.getByText('Show the password').waitFor({ timeout: 60_000 });
  secretPage = tab.url();
  await quiet.close();
});

const rows = (word) => Buffer.from(`CREATE TABLE \`${word}\` (x INT);\nINSERT INTO \`${word}\` VALUES (1);\n-- Dump completed\n`);
async function upload(tab, buffer) {
  await tab.goto(`${base}/databases/axe_db`);
  await tab.getByRole('link', { name: 'Import a dump' }).click();
  await tab.getByLabel('File', { exact: true }).setInputFiles({ name: 'axe_db.sql', mimeType: 'application/sql', buffer });
  await tab.getByRole('button', { name: 'Upload and look' }).click();
}
const isLoaded = (tab) => tab.getByText('The dump is loaded beside the database').waitFor({ timeout: 30_000 });
await test('a dump is uploaded, looked at and put in place by the typed name, without JavaScript as well', async () => {
  const quiet = await context({ javaScriptEnabled: false, storageState: await main.storageState() });
  for (const [tab, word] of [[page, 'first'], [await quiet.newPage(), 'second']]) {
    await upload(tab, rows(word));
    await isLoaded(tab);
    await tab.getByRole('button', { name: 'Replace what is in it' }).click();
    await tab.locator('#confirm-error').getByText('Type axe_db').waitFor();
    await tab.getByLabel('Type axe_db to replace').fill('axe_db');
    await tab.getByRole('button', { name: 'Replace what is in it' }).click();
    await tab.getByRole('link', { name: 'All databases' }).waitFor({ timeout: 60_000 });
    await tab.goto(`${base}/databases/axe_db`);
    await tab.getByRole('cell', { name: word, exact: true }).waitFor();
  }
  await quiet.close();
  await upload(page, Buffer.from('CREATE TABLE fine (x INT);\nGRANT ALL ON *.* TO x;\n-- Dump completed\n'));
  await page.locator('#file-error').getByText('at line 2').waitFor({ timeout: 30_000 });
  await shot(page, 'database-import-refused');
});

if (sites !== 'none') {
  await test('WordPress is fetched by the button, installed, and signed in to with the password shown once', async () => {
    const host = `wp-${site}`;
    await page.goto(`${base}/sites/new`);
    const email = page.getByLabel("Administrator's e-mail");
    check(!(await email.isVisible()), 'a field of WordPress is shown for PHP');
    await page.getByLabel('Domain name').fill(host);
    await page.getByRole('radio', { name: /^WordPress/ }).check();
    check(!(await email.isVisible()), 'the fields are shown before the box is ticked');
    await page.getByLabel('Install WordPress, ready to sign in').check();
    await email.fill('mara@wp.example');
    await page.getByLabel('Site title').fill("Mara's <Shop>");
    await page.locator('#plan .note').getByText('has to be fetched first').waitFor();
    await shot(page, 'new-site-wordpress');
    await page.getByRole('button', { name: 'Create site' }).click();
    await page.getByText('Please check what will happen, then press Create site').waitFor({ timeout: 60_000 });
    const words = await page.locator('#plan').innerText();
    check(/WordPress \d+\.\d.* was fetched from https:\/\/mirror\.example/.test(words), words);
    check((await email.inputValue()) === 'mara@wp.example', 'what was typed was lost');
    await shot(page, 'new-site-wordpress-plan');
    await page.getByRole('button', { name: 'Create site' }).click();
    await page.waitForURL(/\/operations\//);
    await finished(page, `${host} is ready`);
    await page.getByText('Show the password').click();
    const secret = await page.locator('details[data-copy] code').innerText();
    check(secret.length === 32, 'no password is shown');
    await page.getByText('Show the password').click();
    await shot(page, 'wordpress-done');
    const seen = await visit(host);
    check(seen.status === 200 && seen.text.includes('&lt;Shop&gt;'), seen.text.slice(0, 300));
    const form = new URLSearchParams({ log: 'admin', pwd: secret, 'wp-submit': 'x', testcookie: '1' }).toString();
    const status = await new Promise((resolve, reject) => {
      const headers = { host, cookie: 'wordpress_test_cookie=WP%20Cookie%20check', 'content-type': 'application/x-www-form-urlencoded', 'content-length': form.length };
      const asked = http.request(`${sites}/wp-login.php`, { method: 'POST', headers, agent: false }, answer => { answer.resume(); resolve(answer.statusCode); });
      asked.on('error', reject);
      asked.end(form);
    });
    check(status === 302, `signing in is answered with ${status}`);
    await page.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByText('Show the password').waitFor({ state: 'detached' });
    await page.goto(`${base}/sites/${host}/delete`);
    await page.getByLabel(`Type ${host} to delete it`).fill(host);
    await page.getByRole('button', { name: `Delete ${host}`, exact: true }).click();
    await finished(page, `${host} is deleted`);
  });
}

await test('text from people stays text', async () => {
  const evil = '"><img src=x onerror=alert(1)>';
  for (const address of ['/sites?q=', '/databases?q=', '/databases/new-database?name=', '/activity?q=', '/sites/new?hostname=', '/login?next=']) {
    await page.goto(base + address + encodeURIComponent(evil));
    check((await page.locator('img[src=x]').count()) === 0, address);
  }
});

await test('a site goes offline and comes back, each with its plan', async () => {
  await page.goto(`${base}/sites/${site}/danger`);
  await shot(page, 'danger');
  await page.getByRole('link', { name: 'Take offline…' }).click();
  check((await page.innerText('main')).includes('What will happen'), 'no plan');
  await page.getByRole('button', { name: `Take ${site} offline`, exact: true }).click();
  await finished(page, `${site} is offline`);
  if (sites !== 'none') check((await visit(site)).status !== 200, 'the site still answers');
  await page.goto(`${base}/sites/${site}`);
  await shot(page, 'site-offline');
  await page.getByRole('link', { name: 'Put it online' }).click();
  await page.getByRole('button', { name: `Put ${site} online`, exact: true }).click();
  await finished(page, `${site} is online`);
  if (sites !== 'none') check((await visit(site)).status === 200, 'the site does not answer');
});

if (options.inside) {
  await test('the agent is killed while the page watches: it says so, reconnects and shows how it ended', () => withoutAgent(async () => {
    const host = `killed-${site}`;
    const wire = await main.newCDPSession(page);
    await wire.send('Network.enable');
    const events = [];
    wire.on('Network.eventSourceMessageReceived', event => {
      if (event.eventName === 'progress') events.push({ id: Number(event.eventId), ...JSON.parse(event.data) });
    });
    await page.goto(`${base}/sites/new?hostname=${host}&type=php`);
    await page.waitForSelector('#plan input[name=plan]', { state: 'attached' });
    // A master that sleeps takes no reload: the operation waits for it, and is killed there.
    inside('sh', '-c', 'kill -STOP $(cat /run/nginx.pid)');
    try {
      await page.getByRole('button', { name: 'Create site' }).click();
      await page.waitForURL(/\/operations\//);
      await page.locator('[aria-current=step]', { hasText: 'Reload nginx' }).waitFor();
      await page.evaluate(() => { window.neverLeft = true; });
      inside('systemctl', 'kill', '--signal=KILL', 'lalapanel-agent.service');
      await page.locator('#stream').getByText(/Live updates stopped at .*Reconnecting/).waitFor();
      await shot(page, 'operation-agent-killed');
    } finally {
      inside('sh', '-c', 'kill -CONT $(cat /run/nginx.pid)');
    }
    await finished(page, `${host} was not created`);
    check(await page.evaluate(() => window.neverLeft), 'the page was loaded anew');
    check((await page.locator('#operation').innerText()).includes('Everything was undone'), 'it does not say what became of it');
    check((await page.locator('#stream').count()) === 0, 'a notice about the stream is left over');
    await shot(page, 'operation-agent-back');

    const ids = events.map(event => event.id);
    check(ids.length > 2 && ids.every((id, index) => index === 0 || id > ids[index - 1]), `events came twice or out of order: ${ids}`);
    check(events.filter(event => event.final).length === 1 && events.at(-1).final, `not one end: ${JSON.stringify(events)}`);
    const shown = () => page.locator('#operation').evaluate(box => ({
      sequence: Number(box.dataset.sequence), steps: [...box.querySelectorAll('.steps > li')].map(step => step.innerText.replace(/\s+/g, ' ')),
    }));
    const live = await shown();
    check(live.sequence === ids.at(-1), `the page shows ${live.sequence}, the last event was ${ids.at(-1)}`);
    await page.reload();
    check(JSON.stringify(await shown()) === JSON.stringify(live), 'the page had missed something that a fresh look shows');
    await wire.detach();
    await page.goto(`${base}/sites`);
    check(!(await page.innerText('main')).includes(host), 'the undone site is listed');
  }));

  await test('while the agent is stopped pages say so, and come back by themselves', () => withoutAgent(async () => {
    inside('systemctl', 'stop', 'lalapanel-agent.service');
    try {
      const answer = await page.goto(`${base}/sites`);
      check(answer.status() === 503, `status ${answer.status()}`);
      const words = await page.innerText('main');
      check(words.includes('The Lala agent is not answering') && words.includes('systemctl status lalapanel-agent'), words);
      await shot(page, 'agent-down');
      const report = await new AxeBuilder({ page }).analyze();
      check(report.violations.length === 0, report.violations.map(one => one.id).join(', '));
    } finally {
      inside('systemctl', 'start', 'lalapanel-agent.service');
    }
    await page.getByRole('heading', { name: 'Sites', exact: true }).waitFor({ timeout: 15_000 });
  }));
}

await test('the theme is chosen without script and stays', async () => {
  await page.getByRole('button', { name: 'Dark' }).click();
  check((await page.locator('html').getAttribute('data-theme')) === 'dark', 'not dark');
  await page.goto(`${base}/sites`);
  check((await page.locator('html').getAttribute('data-theme')) === 'dark', 'dark was forgotten');
  await shot(page, 'sites-dark');
  await page.getByRole('button', { name: 'System' }).click();
});

const drifted = options.inside ? `drifted-${site}` : site;
if (options.inside) {
  await test('a site whose file somebody edited says so', async () => {
    inside('lalapanel', 'site', 'create', drifted, '--type', 'static');
    inside('sed', '-i', 's|^    location / {|    location = /by-hand { return 204; }\\n&|', `/etc/nginx/sites-available/${drifted}`);
    inside('sh', '-c', `echo 'lilac otter tin' | lalapanel site visitor add ${site} eve --password-file -`);
    await page.goto(`${base}/sites/${drifted}/drift/keep`);
    await page.getByText('Show files and commands').click();
    check((await page.locator('main').innerText()).includes('/by-hand'), 'the plan does not show what was added');
  });
}
await page.goto(`${base}/sites`);
const idOf = (address, at) => new URL(address, base).pathname.split('/')[at];
const trashed = idOf(await page.locator('a[href^="/trash/"]').first().getAttribute('href'), 2);
await page.goto(`${base}/php`);
const version = idOf(await page.locator('a[href$="/extensions"]').first().getAttribute('href'), 2);
// A dump that waits is forgotten when the agent restarts, so it is sent after the tests that kill it.
await upload(page, rows('third'));
await isLoaded(page);
const loaded = idOf(page.url(), 4);
const looked = pages({ site, drifted, trashed, version, loaded, operation: idOf(operation, 2), secret: idOf(secretPage, 2) });
for (const [look, settings] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true },
  narrow: { viewport: { width: 320, height: 640 }, hasTouch: true },
  contrast: { forcedColors: 'active', reducedMotion: 'reduce' },
})) {
  await test(`every page is accessible: ${look}`, async () => {
    const seen = await context({ ...settings, storageState: await main.storageState() });
    const tab = await seen.newPage();
    const found = [];
    for (const [title, address] of Object.entries(looked)) {
      await tab.goto(base + address);
      await shot(tab, `${title}-${look}`);
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) found.push(`${title}: ${wide} px too wide`);
      // The narrow look says the same of what a phone shows, and more.
      if (look === 'phone') continue;
      const report = await new AxeBuilder({ page: tab })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .analyze();
      for (const one of report.violations) found.push(`${title}: ${one.id}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`);
    }
    await seen.close();
    check(found.length === 0, found.join('\n  '));
  });
}
await test('the sign-in page is accessible, light and dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const seen = await context({ colorScheme });
    const tab = await seen.newPage();
    await tab.goto(`${base}/login`);
    const report = await new AxeBuilder({ page: tab }).analyze();
    await seen.close();
    check(report.violations.length === 0, report.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html).join(', ')}`).join('\n  '));
  }
});

await test('without JavaScript a site is created by checking, then confirming', async () => {
  const quiet = await context({ javaScriptEnabled: false });
  const tab = await quiet.newPage();
  await signIn(tab);
  await tab.goto(`${base}/sites/new`);
  await tab.getByLabel('Domain name').fill(plain);
  await tab.getByLabel('Static files').check();
  await tab.getByRole('button', { name: 'Create site' }).click();
  await tab.getByText('Please check what will happen, then press Create site').waitFor();
  check(await tab.getByLabel('Static files').isChecked(), 'the choice was lost');
  await shot(tab, 'no-script-check');
  await tab.getByRole('button', { name: 'Create site' }).click();
  await tab.waitForURL(/\/operations\//);
  // The page renews itself until it has ended.
  await tab.getByRole('heading', { name: `${plain} is ready` }).waitFor({ timeout: 60_000 });
  await shot(tab, 'no-script-done');
  await tab.goto(`${base}/sites/${plain}/delete`);
  await tab.getByLabel(`Type ${plain} to delete it`).fill(plain);
  await tab.getByRole('button', { name: `Delete ${plain}`, exact: true }).click();
  await tab.getByRole('heading', { name: `${plain} is deleted` }).waitFor({ timeout: 60_000 });
  await quiet.close();
});

await test('without JavaScript a setting is changed by checking, then confirming', async () => {
  const quiet = await context({ javaScriptEnabled: false });
  const tab = await quiet.newPage();
  await signIn(tab);
  await tab.goto(`${base}/sites/${site}/settings/web`);
  await tab.getByLabel('Largest upload').fill('96');
  await tab.getByLabel('Compression by brotli').uncheck();
  await tab.getByRole('button', { name: 'Save changes' }).click();
  await tab.getByText('Please check what will happen, then press Save changes').waitFor();
  await tab.getByRole('button', { name: 'Save changes' }).click();
  await tab.getByRole('heading', { name: `${site} is changed` }).waitFor({ timeout: 60_000 });
  await tab.goto(`${base}/sites/${site}/settings/web`);
  check((await tab.getByLabel('Largest upload').inputValue()) === '96', 'the upload limit is not set');
  check(!(await tab.getByLabel('Compression by brotli').isChecked()), 'the switch is not off');
  await quiet.close();
});

await test('a script that never arrives changes nothing but comfort', async () => {
  const cut = await context({ storageState: await main.storageState() });
  await cut.route('**/*.js', route => route.abort());
  const tab = await cut.newPage();
  const before = complaints.length;
  await tab.goto(`${base}/sites/new`);
  await tab.getByLabel('Domain name').fill(`cut-${site}`);
  await tab.getByRole('button', { name: 'Create site' }).click();
  await tab.getByText('Please check what will happen, then press Create site').waitFor();
  complaints.splice(before);
  await cut.close();
});

await test('a site is deleted only by its typed name', async () => {
  await page.goto(`${base}/sites/${site}/delete`);
  await shot(page, 'delete');
  await page.getByLabel(`Type ${site} to delete it`).fill('something else');
  await page.getByRole('button', { name: `Delete ${site}`, exact: true }).click();
  await page.locator('#confirm-error').getByText(`The name does not match. Type ${site}`).waitFor();
  await page.getByLabel(`Type ${site} to delete it`).fill(site);
  await page.getByRole('button', { name: `Delete ${site}`, exact: true }).click();
  await finished(page, `${site} is deleted`);
  const answer = await page.goto(`${base}/sites/${site}`);
  check(answer.status() === 404, `status ${answer.status()}`);
  if (sites !== 'none') check((await visit(site)).status !== 200, 'the site still answers');
});

await test('an ended session leads to the sign-in page and back to where one was', async () => {
  await main.clearCookies({ name: '__Host-lala_session' });
  await page.goto(`${base}/activity/audit`);
  check(new URL(page.url()).pathname === '/login', page.url());
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${base}/activity/audit`);
  check((await page.innerText('main')).includes('unbroken'), 'the audit chain is not shown as sound');
});

await test('signing out ends the session on the server', async () => {
  const kept = await main.storageState();
  await page.goto(`${base}/account`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login/);
  const other = await context({ storageState: kept });
  const tab = await other.newPage();
  await tab.goto(`${base}/sites`);
  check(new URL(tab.url()).pathname === '/login', 'the old cookie still works');
  await other.close();
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
