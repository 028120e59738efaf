// An OpenID provider for one test: it signs whoever comes in as `person`, with an RSA key of its own.

import { createHash, createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

export const CLIENT = "clipcut";

export async function startProvider(person) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const codes = new Map();
  const provider = { person, issuer: "" };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, provider.issuer);
    const json = (document) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(document));
    };
    if (url.pathname === "/.well-known/openid-configuration") {
      json({
        issuer: provider.issuer,
        authorization_endpoint: `${provider.issuer}/authorize`,
        token_endpoint: `${provider.issuer}/token`,
        jwks_uri: `${provider.issuer}/keys`,
      });
    } else if (url.pathname === "/keys") {
      json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", use: "sig" }] });
    } else if (url.pathname === "/authorize") {
      const asked = url.searchParams;
      const code = String(codes.size);
      codes.set(code, asked);
      const back = new URL(asked.get("redirect_uri"));
      back.search = new URLSearchParams({ code, state: asked.get("state") });
      response.writeHead(302, { location: back.href }).end();
    } else {
      let form = "";
      for await (const part of request) form += part;
      const given = new URLSearchParams(form);
      const asked = codes.get(given.get("code"));
      const challenge = createHash("sha256").update(given.get("code_verifier")).digest("base64url");
      if (challenge !== asked?.get("code_challenge")) response.writeHead(400).end();
      else json({ token_type: "Bearer", id_token: sign(asked.get("nonce")) });
    }
  });

  function sign(nonce) {
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 60;
    const claims = { iss: provider.issuer, aud: CLIENT, exp, nonce, ...provider.person };
    const signed = `${encode({ alg: "RS256", kid: "1" })}.${encode(claims)}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(privateKey, "base64url")}`;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  provider.issuer = `http://127.0.0.1:${server.address().port}`;
  return Object.assign(provider, { stop: () => server.close() });
}
