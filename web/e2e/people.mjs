// The actions of people on the pages of accounts: forms, menus, signing up and in.

export const PASSWORD = "correct horse battery";

export const field = (page, name) => page.getByLabel(name, { exact: true });

export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

export const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();

/** Waits until the element with that text has the focus, which comes with the next frame. */
export const focusOn = (page, text) =>
  page.waitForFunction((it) => document.activeElement.textContent === it, text, {
    timeout: 10_000,
  });

/** Chooses an entry of the menu of the person who is signed in. */
export async function menu(page, person, entry) {
  await press(page, `Account of ${person.name}`);
  await page.getByRole("menuitem", { name: entry }).click();
}

export async function signUp(page, person) {
  await field(page, "Name").fill(person.name);
  await field(page, "E-mail").fill(person.email);
  await field(page, "Password").fill(person.password);
  await press(page, "Create account");
  await page.getByRole("button", { name: `Account of ${person.name}` }).waitFor();
}

/** Makes an account beside the page: the first one, or one that the person of `administrator`, a browser's context, invites. */
export async function makeAccount(server, person, administrator = null) {
  const data = { ...person };
  if (administrator !== null) {
    const invited = await administrator.request.post(`${server.url}/api/v1/invitations`, {
      data: {},
    });
    const { link } = await invited.json();
    data.key = new URL(link, server.url).searchParams.get("invitation");
  }
  const answer = await fetch(`${server.url}/api/v1/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(data),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
}

export async function signIn(page, person) {
  await field(page, "E-mail").fill(person.email);
  await field(page, "Password").fill(person.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click();
}
