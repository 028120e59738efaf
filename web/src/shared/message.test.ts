import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Message } from "./message.tsx";

const shown = (text: string) => renderToStaticMarkup(createElement(Message, { text }));

test("a command between backticks is set as code, without them", () => {
  expect(shown("Run `clipcut doctor`, then `clipcut serve`.")).toBe(
    "Run <code>clipcut doctor</code>, then <code>clipcut serve</code>.",
  );
});

test("a lone backtick is a character, and markup is words", () => {
  expect(shown("5` <b>")).toBe("5` &lt;b&gt;");
});
