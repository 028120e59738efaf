import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { ticketEnd, withTicketOf } from "./ticket.ts";

/** An address with a ticket of the server's form that ends at `seconds`. */
function address(seconds: number, file = "master.m3u8"): string {
  const bytes = Buffer.alloc(38, 7);
  bytes.writeUIntBE(seconds, 1, 5);
  return `/t/${bytes.toString("base64url")}/v/7f3a/${file}`;
}

test("a ticket's end stands in it", () => {
  expect(ticketEnd(address(1_900_000_000))).toBe(1_900_000_000_000);
  expect(ticketEnd("/v/7f3a/master.m3u8")).toBeNull();
  expect(ticketEnd("/t/abc/v/7f3a/master.m3u8")).toBeNull();
});

test("a segment of an old playlist is asked for with the new ticket", () => {
  const old = `https://videos.example.org${address(1000, "720p/3.m4s")}`;
  const renewed = `https://videos.example.org${address(2000, "720p/3.m4s")}`;
  expect(withTicketOf(old, address(2000))).toBe(renewed);
});

test("an address without a ticket stays as it is", () => {
  expect(withTicketOf("/v/7f3a/720p/3.m4s", address(2000))).toBe("/v/7f3a/720p/3.m4s");
  expect(withTicketOf(address(1000), "/v/7f3a/master.m3u8")).toBe(address(1000));
});
