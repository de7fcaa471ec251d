import { pushButton } from "canopy/elements.js";
import { make } from "canopy/view.js";

/**
 * Asks before something is done. Resolves to the fields' values by name, or to null where the person would rather not.
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} placeholder
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.words what will be
 * @param {string} question.action what the button says
 * @param {boolean} [question.isDangerous] whether something is lost
 * @param {Field[]} [question.fields] whole numbers, from 1, that may be left out
 * @returns {Promise<Record<string, number | null> | null>}
 */
export function askPerson({ title, words, action, isDangerous = false, fields = [] }) {
  const dialog = make("dialog", "dialog");
  const heading = make("h2", "dialog-title", title);
  heading.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", heading.id);
  const inputs = fields.map(inputOf);
  const cancel = pushButton("Cancel", () => dialog.close());
  const confirm = make("button", `button ${isDangerous ? "button-danger" : "button-main"}`, action);
  const buttons = make("div", "dialog-buttons", cancel, confirm);
  const form = make("form", "dialog-form", heading, make("p", "dialog-words", words));
  form.append(...inputs.map(({ label }) => label), buttons);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      resolve(
        Object.fromEntries(inputs.map(({ name, input }) => [name, input.value === "" ? null : Number(input.value)])),
      );
      dialog.close();
    };
    dialog.onclose = () => {
      dialog.remove();
      resolve(null); // where it was answered, nobody hears this
    };
    dialog.showModal();
  });
}

function inputOf({ name, label, placeholder }) {
  const input = make("input", "field");
  Object.assign(input, { type: "number", min: 1, step: 1, placeholder });
  return { name, input, label: make("label", "field-label", label, input) };
}
