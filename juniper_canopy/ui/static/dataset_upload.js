import { inWords, withQuery } from "canopy/rest.js";
import { View, make, setText } from "canopy/view.js";

const UPLOAD_PATH = "/api/datasets/upload";

/** Takes a file by choosing or dropping it, and sends it as it lies on the disk, without reading it into the page. */
export class DatasetUpload extends View {
  build() {
    this._input = make("input", "file-input");
    this._input.type = "file";
    this._input.accept = ".csv,.tsv,.txt,.json,.jsonl,.ndjson,.parquet,.npz";
    this._input.setAttribute("aria-label", "File to upload");
    this._input.onchange = () => this._choose(this._input.files[0]);
    this._name = make("span", "drop-name", "Choose a file, or drop it here");
    const drop = make("label", "drop", this._input, this._name);
    this._bar = make("progress", "upload-bar");
    this._bar.max = 1;
    this._bar.hidden = true;
    this._bar.setAttribute("aria-label", "How much of the file is sent");
    this.element.append(drop, this._bar);
    drop.ondragover = (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    };
    drop.ondragleave = () => drop.classList.remove("is-over");
    drop.ondrop = (event) => {
      event.preventDefault();
      drop.classList.remove("is-over");
      this._choose(event.dataTransfer.files[0]);
    };
    this.until(() => this._request?.abort());
  }

  /** Sends the file with what the form says of it. */
  send(query) {
    if (!this._file || this._request) return;
    const request = new XMLHttpRequest();
    this._request = request;
    request.open("POST", withQuery(UPLOAD_PATH, query));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => {
      this._bar.hidden = false;
      this._bar.value = total ? loaded / total : 0;
    };
    request.onload = () => this._end(answerOf(request));
    request.onerror = () => this._end({ problem: "the connection broke while the file was sent" });
    request.send(this._file);
  }

  /** Forgets the file: it is a dataset now. */
  clear() {
    this._input.value = "";
    this._choose(undefined);
  }

  _choose(file) {
    this._file = file;
    setText(this._name, file ? file.name : "Choose a file, or drop it here");
    this.emit("chosen", file?.name ?? null);
  }

  _end(answer) {
    this._request = null;
    this._bar.hidden = true;
    this.emit("sent", answer);
  }
}

function answerOf(request) {
  try {
    const body = JSON.parse(request.responseText);
    if (request.status >= 400) return { problem: inWords(body.detail) };
    return request.status === 202 ? { job_id: body.job_id } : { dataset_id: body.dataset_id };
  } catch {
    return { problem: `the answer was ${request.status} ${request.statusText}` };
  }
}
