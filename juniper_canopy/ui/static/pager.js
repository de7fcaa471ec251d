import { pushButton } from "canopy/elements.js";
import { formatCount } from "canopy/format.js";
import { make, setText } from "canopy/view.js";

/** Turns the pages of a list that a service keeps: what lies before and after what is shown, and where that stands. */
export class Pager {
  /**
   * @param {number} size of a page
   * @param {(offset: number) => void} turn is called with the place of another page's first entry
   */
  constructor(size, turn) {
    this._size = size;
    this._offset = 0;
    this._earlier = pushButton("Previous", () => turn(Math.max(0, this._offset - size)));
    this._later = pushButton("Next", () => turn(this._offset + size));
    this._where = make("span", "hint");
    this.element = make("div", "pager", this._earlier, this._where, this._later);
  }

  /** Shows where a page stands; hidden where there is but one. */
  show(offset, count, total) {
    this._offset = offset;
    this.element.hidden = total <= this._size && offset === 0;
    setText(this._where, `${formatCount(offset + 1)} to ${formatCount(offset + count)} of ${formatCount(total)}`);
    this._earlier.disabled = offset === 0;
    this._later.disabled = offset + count >= total;
  }

  /** The first place of the last page that has any entry. */
  lastOffset(total) {
    return Math.max(0, this._size * Math.floor((total - 1) / this._size));
  }
}
