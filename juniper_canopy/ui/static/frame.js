/**
 * Decodes what juniper_canopy/transport/frames.py encodes:
 * u32 header length, JSON header, then little-endian arrays, each beginning on a multiple of 8 bytes.
 */
const ARRAY_TYPES = { u1: Uint8Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

const text = new TextDecoder();

/** @param {ArrayBuffer} buffer */
export function decodeFrame(buffer) {
  const headerLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(text.decode(new Uint8Array(buffer, 4, headerLength)));
  const arrays = {};
  let offset = 4 + headerLength;
  for (const [name, type, length] of header.arrays) {
    offset = Math.ceil(offset / 8) * 8;
    arrays[name] = new ARRAY_TYPES[type](buffer, offset, length);
    offset += arrays[name].byteLength;
  }
  return { header, arrays };
}
