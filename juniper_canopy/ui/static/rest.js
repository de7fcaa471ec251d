/** The dashboard's own REST, as the page uses it: an answer, or an Error in words that a person can read. */
import { decodeFrame } from "canopy/frame.js";

/**
 * Asks for JSON.
 * @param {string} path
 * @param {Query} [query]
 * @param {number} [patienceMs] for how long the answer may take; without it, as long as it takes
 *
 * @typedef {Record<string, string | number | boolean | null | undefined>} Query what is empty is left out
 */
export async function ask(path, query = {}, patienceMs = undefined) {
  const signal = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
  return (await send(withQuery(path, query), { signal })).json();
}

/** Asks for a frame: `{ header, arrays }`. */
export async function askFrame(path, query = {}) {
  return decodeFrame(await (await send(withQuery(path, query))).arrayBuffer());
}

/** Gives an order; resolves to its answer, or to null where there is nothing to say. */
export async function tell(method, path, body) {
  const json = body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await send(path, { method, ...json });
  return response.status === 204 ? null : response.json();
}

/** A path whose parts, but the first, may hold any sign. */
export const at = (...parts) => parts.map((part, index) => (index ? encodeURIComponent(part) : part)).join("/");

/** A path with a query. */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** What a service refused, as a person reads it: `detail` is a sentence, or the fields that it is about. */
export function inWords(detail) {
  if (!Array.isArray(detail)) return String(detail);
  return detail.map(({ loc, msg }) => `${loc.filter((part) => part !== "params").join(".")}: ${msg}`).join("; ");
}

/** Throws an Error with the `status` and the `detail` of what was refused; without an answer it has neither. */
async function send(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
  } catch {
    throw new Error("The dashboard does not answer.");
  }
  if (response.ok) return response;
  const { status, statusText } = response;
  const { detail = `${status} ${statusText}` } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(inWords(detail)), { status, detail });
}
