// Tests of the suite that fail, each with the reason. A test that fails without one, or passes in spite of one, fails the run.

const AGE =
  "RFC 9111 §5.1: of several values the first counts and an invalid one is ignored; the suite is older and wants it stale";
const BROKEN =
  "nothing stale is served, but no cache can pass: the origin closes each connection, and the suite wants its 200 and its field";
const COOKIE = "RFC 9111 §7.3 leaves cookies to the cache; one that is set was made for one client";
const TARGET =
  "a target is a name out of Surrogate-Capability, which is not sent: it would offer the ESI of the same W3C note";
const RANGE =
  "parts are not stored to be combined, which RFC 9111 §3.3 and §3.4 leave to the cache";
const LANGUAGE =
  "every browser sends a language, so a key's first fetch goes without; the suite allows no second one";

const REPEATED =
  "a first fetch with fields that Vary does not name is repeated without them when its response is for all; the suite allows no second one";

export const EXCEPTIONS = {
  ...of(AGE, [
    "age-parse-nonnumeric",
    "age-parse-negative",
    "age-parse-float",
    "age-parse-prefix-twoline",
    "age-parse-dup-0",
    "age-parse-dup-0-twoline",
    "age-parse-dup-old",
    "age-parse-parameter",
    "age-parse-numeric-parameter",
  ]),
  ...of(BROKEN, [
    "stale-close-must-revalidate",
    "stale-close-proxy-revalidate",
    "stale-close-no-cache",
    "stale-close-s-maxage=2",
  ]),
  ...of(COOKIE, [
    "headers-store-Set-Cookie",
    "304-etag-update-response-Set-Cookie",
    "other-set-cookie",
  ]),
  "304-etag-update-response-ETag":
    "RFC 9111 §4.3.4: a 304 with another strong tag updates nothing, so the whole is requested; the suite allows no second request",
  ...of(TARGET, ["surrogate-fresh-cc-nostore", "surrogate-max-age-me-target"]),
  ...of(RANGE, [
    "partial-store-partial-reuse-partial",
    "partial-store-partial-reuse-partial-byterange",
    "partial-store-partial-reuse-partial-absent",
    "partial-store-partial-reuse-partial-suffix",
    "partial-store-partial-complete",
  ]),
  ...of(LANGUAGE, [
    "vary-normalise-lang-order",
    "vary-normalise-lang-case",
    "vary-normalise-lang-space",
    "vary-normalise-lang-select",
  ]),
  ...of(REPEATED, [
    "vary-cache-key",
    "vary-star",
    "vary-syntax-star",
    "vary-syntax-star-star",
    "vary-syntax-star-star-lines",
    "vary-syntax-empty-star",
    "vary-syntax-empty-star-lines",
    "vary-syntax-star-foo",
    "vary-syntax-foo-star",
  ]),
  "method-POST": "responses to POST are not stored, which RFC 9110 §9.3.3 leaves to the cache",
  "heuristic-599-cached":
    "an error without a lifetime of its own is kept for a second; the suite waits for three",
  "conditional-lm-fresh-no-lm":
    "RFC 9111 §4.3.2: the response's Date stands in for Last-Modified, and is later than the date that the suite sends",
};

function of(reason, ids) {
  return Object.fromEntries(ids.map((id) => [id, reason]));
}
