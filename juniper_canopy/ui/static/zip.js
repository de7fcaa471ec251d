/**
 * A ZIP file (PKWARE APPNOTE 6.3) whose files are stored as they are: pictures are compressed already, and curves small.
 */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const NAMES_ARE_UTF8 = 0x0800;
const EPOCH_DATE = 0x21; // 1 January 1980, the earliest there is: the same curves make the same file

/**
 * @param {{name: string, bytes: Uint8Array}[]} files
 * @returns {Blob}
 */
export function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const encoded = new TextEncoder().encode(name);
    const facts = [VERSION, NAMES_ARE_UTF8, 0, 0, EPOCH_DATE];
    const sizes = [crc32(bytes), bytes.length, bytes.length];
    const local = record([[LOCAL, 4], ...shorts(facts), ...longs(sizes), ...shorts([encoded.length, 0])]);
    const central = [[CENTRAL, 4], ...shorts([VERSION, ...facts]), ...longs(sizes)];
    central.push(...shorts([encoded.length, 0, 0, 0, 0]), ...longs([0, offset]));
    directory.push(record(central), encoded);
    parts.push(local, encoded, bytes);
    offset += local.length + encoded.length + bytes.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = [[END, 4], ...shorts([0, 0, files.length, files.length]), ...longs([length, offset]), ...shorts([0])];
  return new Blob([...parts, ...directory, record(end)], { type: "application/zip" });
}

const shorts = (values) => values.map((value) => [value, 2]);
const longs = (values) => values.map((value) => [value, 4]);

/** Little-endian numbers of so many bytes each. */
function record(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
