import { afterEach, expect, test, vi } from "vitest";
import { list } from "./json.ts";
import { allPages } from "./pages.ts";

afterEach(() => vi.unstubAllGlobals());

const decode = (value: unknown) => list((value as { entries: unknown }).entries) as number[];

test("a list is read from page to page to its end", async () => {
  const asked: string[] = [];
  const pages = new Map([
    ["/list?limit=100", { entries: [1, 2], next: "2-b" }],
    ["/list?limit=100&cursor=2-b", { entries: [3], next: null }],
  ]);
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    return new Response(JSON.stringify(pages.get(path)));
  });
  expect(await allPages("/list", decode)).toEqual({ state: "ready", value: [1, 2, 3] });
  expect(asked).toEqual([...pages.keys()]);
});

test("a page that fails is the list's failure, and a list without an end has one here", async () => {
  const endless = async () => new Response(JSON.stringify({ entries: [1], next: "1-a" }));
  vi.stubGlobal("fetch", endless);
  expect(await allPages("/list", decode)).toMatchObject({ value: { length: 100 } });
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 500 }));
  expect((await allPages("/list", decode)).state).toBe("failed");
});
