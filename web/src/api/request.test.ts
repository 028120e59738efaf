import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { decodeProblem, onSignInRequired, request, sentence } from "./request.ts";

let server: Server | null = null;

async function serve(answer: RequestListener): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/`;
}

afterEach(() => {
  onSignInRequired(null);
  server?.close();
  server = null;
});

const decode = (json: unknown) =>
  typeof json === "object" ? (json as { a: number } | null) : null;

test("an answer becomes its value", async () => {
  const url = await serve((_, response) => response.end('{"a":1}'));
  expect(await request(url, { decode })).toEqual({ state: "ready", value: { a: 1 } });
});

test("a body is sent as JSON with its type", async () => {
  const url = await serve(async (asked, response) => {
    let body = "";
    for await (const part of asked) body += part;
    response.end(
      JSON.stringify({ method: asked.method, type: asked.headers["content-type"], body }),
    );
  });
  const outcome = await request(url, { method: "PATCH", body: { title: "T" }, decode: (it) => it });
  expect(outcome).toEqual({
    state: "ready",
    value: { method: "PATCH", type: "application/json", body: '{"title":"T"}' },
  });
});

test("a problem document keeps its status, code and detail", async () => {
  const url = await serve((_, response) => {
    response.writeHead(404, { "content-type": "application/problem+json" });
    response.end('{"title":"Not Found","detail":"there is no video 7f","code":"unknown_video"}');
  });
  expect(await request(url, { decode })).toEqual({
    state: "failed",
    problem: {
      status: 404,
      code: "unknown_video",
      title: "Not Found",
      detail: "there is no video 7f",
    },
  });
});

test("an empty answer is a success for a call that expects nothing", async () => {
  const url = await serve((_, response) => {
    response.writeHead(204);
    response.end();
  });
  const outcome = await request(url, { method: "DELETE", decode: () => true });
  expect(outcome).toEqual({ state: "ready", value: true });
});

test("an answer that is not what was promised is a failure", async () => {
  const url = await serve((_, response) => response.end("<html>"));
  const outcome = await request(url, { decode });
  expect(outcome.state === "failed" && outcome.problem.code).toBe("unreadable_answer");
});

test("a server that is not there is a failure, not an exception", async () => {
  const url = await serve((_, response) => response.end());
  await new Promise((resolve) => server?.close(resolve));
  const outcome = await request(url, { decode });
  expect(outcome.state === "failed" && outcome.problem.code).toBe("unreachable");
});

test("a proxy's error without a problem document still has a sentence", () => {
  expect(sentence(decodeProblem(502, null))).toBe("The server could not do this");
  expect(sentence(decodeProblem(418, "teapot"))).toBe("The server refused this (418)");
});

test("the detail is the sentence, with a capital letter", () => {
  expect(sentence(decodeProblem(404, { detail: "there is no video 7f" }))).toBe(
    "There is no video 7f",
  );
});

describe("an answer that requires a sign-in", () => {
  /** A server that wants a session, and one that has been begun by the second request. */
  async function ended(): Promise<{ url: string; bodies: string[] }> {
    const bodies: string[] = [];
    const url = await serve(async (asked, response) => {
      let body = "";
      for await (const part of asked) body += part;
      bodies.push(body);
      if (bodies.length === 1) response.writeHead(401);
      response.end(bodies.length === 1 ? '{"code":"sign_in_required"}' : '{"a":1}');
    });
    return { url, bodies };
  }

  test("waits for it, and goes out again with the same body", async () => {
    const { url, bodies } = await ended();
    onSignInRequired(async () => true);
    const outcome = await request(url, { method: "POST", body: { title: "T" }, decode });
    expect(outcome).toEqual({ state: "ready", value: { a: 1 } });
    expect(bodies).toEqual(['{"title":"T"}', '{"title":"T"}']);
  });

  test("is a failure when nobody signs in", async () => {
    const { url, bodies } = await ended();
    onSignInRequired(async () => false);
    const outcome = await request(url, { decode });
    expect(outcome.state === "failed" && outcome.problem.status).toBe(401);
    expect(bodies.length).toBe(1);
  });
});
