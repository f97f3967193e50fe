// An OpenID Connect provider, the library oidc-provider with its own pages to sign in.
//
//   node oidc_provider.mjs LIBRARY SETUP
//
// SETUP is JSON: {"port": …, "client": {…}, "people": {"login": {"claim": …}}}.  Any password will do.
import { pathToFileURL } from "node:url";

const [library, setup] = process.argv.slice(2);
const { port, client, people } = JSON.parse(setup);
const { Provider } = await import(pathToFileURL(`${library}/lib/index.js`));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client],
  features: { backchannelLogout: { enabled: true } },
  claims: { email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  // It calls nobody on this machine unless told to.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_, login) =>
    people[login] && { accountId: login, claims: () => ({ sub: login, ...people[login] }) },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
