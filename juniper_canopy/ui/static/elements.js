/** The small parts that several views are made of. */
import { make } from "canopy/view.js";

/**
 * A button that does something.
 * @param {string | Node} content
 * @param {(event: MouseEvent) => void} action
 * @param {string} [kind] its classes
 * @param {string | null} [name] what it is called, where its content does not say it
 */
export function pushButton(content, action, kind = "button", name = null) {
  const button = make("button", kind, content);
  button.type = "button";
  button.onclick = action;
  if (name !== null) {
    button.title = name;
    button.setAttribute("aria-label", name);
  }
  return button;
}

/**
 * A choice of one among words.
 * @param {string} name
 * @param {Record<string, string>} words by value
 * @param {(value: string) => void} onChoice
 */
export function selectField(name, words, onChoice) {
  const select = make("select", "field");
  select.setAttribute("aria-label", name);
  offerWords(select, words);
  select.onchange = () => onChoice(select.value);
  return select;
}

/** Puts other words in a select's place. */
export function offerWords(select, words) {
  select.replaceChildren(...Object.entries(words).map(([value, text]) => new Option(text, value)));
}

/** A line for what went wrong, hidden until something does. */
export function alertLine() {
  const line = make("p", "alert");
  line.setAttribute("role", "alert");
  line.hidden = true;
  return line;
}

/** A box that scrolls by itself, by keyboard too. */
export function scrollBox(name, ...children) {
  const box = make("div", "scroller", ...children);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", name);
  return box;
}

/** A table's heading for a column or a row. */
export function headingCell(scope, kind, ...children) {
  const cell = make("th", kind, ...children);
  cell.scope = scope;
  return cell;
}

const SVG = "http://www.w3.org/2000/svg";

/** A piece of a line, as a legend shows it. */
export function lineKey({ color, dash = [] }) {
  const key = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "line");
  const told = { x1: 0, x2: 24, y1: 2, y2: 2, "stroke-width": 2, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(told)) line.setAttribute(name, value);
  line.style.stroke = `var(--${color})`;
  key.setAttribute("class", "line-key");
  key.setAttribute("aria-hidden", "true");
  key.append(line);
  return key;
}
