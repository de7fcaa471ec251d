/** The page's keys: one listener for all, and a list of them for whoever asks with `?`. */
const SETTING = "canopy-keys";
const bindings = [];

/**
 * Has a key do something, wherever the focus is but in a field that takes keys itself.
 * @param {string} key as `KeyboardEvent.key` has it; a letter is meant with and without Shift
 * @param {string} words what it does, for the help
 * @param {(event: KeyboardEvent) => void} action
 * @param {Element} [element] the key is bound only while this is shown: each tab can have keys of its own
 * Returns the way to take it back.
 */
export function bindKey(key, words, action, element = null) {
  const binding = { key: plain(key), words, action, element };
  bindings.push(binding);
  return () => bindings.splice(bindings.indexOf(binding), 1);
}

/** [key, words] of every key that does something now, in the order in which they were bound. */
export function boundKeys() {
  return bindings.filter((binding) => boundTo(binding.key) === binding).map(({ key, words }) => [key, words]);
}

/** Whether keys do anything: whoever speaks to their machine, or hits keys by chance, turns them off. */
export const areKeysOn = () => localStorage.getItem(SETTING) !== "off";

export function turnKeys(isOn) {
  localStorage.setItem(SETTING, isOn ? "on" : "off");
}

const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

/** What a key does now: of several, what was bound last. */
function boundTo(key) {
  return bindings.findLast((binding) => binding.key === key && !binding.element?.closest("[hidden]"));
}

/** What takes keys itself; sliders, tick boxes and radios take arrows, which are bound to nothing, and Space. */
const TAKES_KEYS =
  "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable], " +
  "[role=combobox], [role=listbox], dialog";
/** What Space and Enter press. */
const IS_PRESSED =
  "button, a, summary, [type=checkbox], [type=radio], [role=button], [role=tab], [role=checkbox], [role=radio], [role=switch]";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(TAKES_KEYS) || !areKeysOn()) return;
  if ((event.key === " " || event.key === "Enter") && event.target.closest(IS_PRESSED)) return;
  const binding = boundTo(plain(event.key));
  if (!binding) return;
  event.preventDefault();
  binding.action(event);
});
