// Uses the web face as people do, in a real browser: by keyboard, on a phone, in the dark. Told by tests/operator/web.rs
// where it is; says on stdout when it waits for something to happen, and ends with 0 where all was as it should be.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { modules, chromium: executablePath, server, token, batch, schedule } = JSON.parse(process.argv[2]);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, bypassCSP: false });
const page = await context.newPage();
const troubles = [];
page.on("console", (message) => { if (message.type() === "error") troubles.push(message.text()); });
page.on("pageerror", (error) => troubles.push(String(error)));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(server) && !url.startsWith("data:")) troubles.push(`asks elsewhere: ${url}`);
});

async function accessible(where) {
  // The policy of the page lets no script in, and this one comes in by another way.
  const found = await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
  const said = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
  assert.deepEqual(said, [], where);
}

async function fits(where) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= room, `${where} is ${wide} wide and has ${room}`);
}

const heading = () => page.textContent("h1");

try {
  // Nobody is let in who does not say who they are, and comes back to where they wanted to go.
  await page.goto(`${server}/ui/batches?state=running`);
  assert.match(page.url(), /\/ui\/sign-in\?next=/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  await accessible("sign in");
  await page.keyboard.type("gft_mistyped");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#wrong");
  troubles.splice(0, troubles.length, ...troubles.filter((one) => !one.includes("401")));
  await accessible("sign in, refused");
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server}/ui/batches?state=running`);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads the cookie");

  // By keyboard: past the places, into the content, to the batch.
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => location.hash), "#content");
  await page.focus(`a[href$="${batch}"]`);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server}/ui/batches/${batch}`);
  assert.match(await page.textContent("main"), /surveying/);
  await accessible("a batch that runs");

  // It goes on, and nobody loads the page.
  console.log("watching");
  await page.waitForFunction(() => document.querySelector("main .facts .state.good")?.textContent === "finished");
  await page.waitForSelector("text=Its report");
  await accessible("a batch that has ended");

  await page.click("text=Its report");
  await page.waitForFunction(() => document.title.startsWith("Git activity"));
  await accessible("the report");
  await page.goBack();

  await page.click("text=Its jobs");
  await page.click("table a >> nth=0");
  await page.waitForSelector("text=Attempts");
  assert.ok(await page.locator("tbody tr").count() > 0, "somebody did it");
  assert.match(await page.textContent(".lead"), /it is done/);

  await page.goto(`${server}/ui/workers`);
  await page.click("button:has-text('Drain')");
  await page.waitForSelector("button:has-text('Let it take jobs')");
  await page.click("button:has-text('Let it take jobs')");
  await page.waitForSelector("button:has-text('Drain')");

  // Two messages that nobody can use: one is sent again and comes back, one is thrown away.
  await page.goto(`${server}/ui/dead`);
  assert.equal(await page.locator("tbody tr").count(), 2);
  const first = await page.textContent("tbody tr a");
  await page.click("tbody tr a");
  assert.match(await page.textContent(".bytes"), /^[0-9a-f\n]+$/);
  await page.click("button:has-text('Drop')");
  await page.waitForURL(`${server}/ui/dead`);
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.notEqual(await page.textContent("tbody tr a"), first);
  const arrived = await page.getAttribute("tbody time", "datetime");
  await page.click("button:has-text('Replay')");
  await page.waitForURL(`${server}/ui/dead`);
  for (let now = null; now === null || now === arrived; ) {
    await page.reload();
    now = await page.locator("tbody time").count() ? await page.getAttribute("tbody time", "datetime") : null;
  }

  await page.goto(`${server}/ui/monitoring`);
  for (const part of ["Health", "Throughput", "Error rates", "Resources", "leads."]) {
    assert.match(await page.textContent("main"), new RegExp(part));
  }

  // A schedule rests and goes on, and says what became of it.
  await page.goto(`${server}/ui/schedules`);
  await page.click(`a:has-text("${schedule}")`);
  await page.click("button:has-text('Pause')");
  await page.waitForSelector("button:has-text('Resume')");
  await page.click("button:has-text('Resume')");
  await page.waitForSelector("button:has-text('Pause')");
  await page.click("button:has-text('Run now')");
  await page.waitForSelector("text=asked for");
  const planned = page.url().slice(`${server}/ui`.length);

  // Whoever rules sees who may ask, and who did what.
  await page.goto(`${server}/ui/tokens`);
  await page.click("tr:has-text('to be revoked') button:has-text('Revoke')");
  await page.waitForSelector("tr:has-text('to be revoked') .state.warn");
  await page.goto(`${server}/ui/audit`);
  assert.match(await page.textContent("tbody"), /revoke/);

  // Every page, for every eye and on every screen.
  const links = ["", "/batches", `/batches/${batch}`, "/jobs", "/workers", "/dead", "/reports", "/monitoring", "/schedules", planned,
    "/tokens", "/audit"];
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1200]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 740 });
      for (const link of links) {
        await page.goto(`${server}/ui${link}`);
        const where = `${link || "overview"}, ${colorScheme}, ${width}`;
        assert.ok(await heading(), where);
        await fits(where);
        await accessible(where);
      }
    }
  }

  // Who has left is out.
  await page.click("text=Sign out");
  await page.waitForURL(`${server}/ui/sign-in`);
  await page.goto(`${server}/ui/batches`);
  assert.match(page.url(), /sign-in/);
  assert.deepEqual(troubles, []);
} finally {
  await browser.close();
}
