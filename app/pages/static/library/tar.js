// Several files as one tar (POSIX.1-2001, pax): a Blob that refers to them, so that nothing is copied and any part can be read.

const BLOCK = 512, SHORT_NAME = 100;
const UTF8 = new TextEncoder();

/** A tar of {path, file}, the same for the same files in whatever order they come. */
export function tar(entries) {
  const parts = [];
  for (const { path, file } of entries.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    const seconds = Math.floor(file.lastModified / 1000), name = UTF8.encode(path);
    if (name.length > SHORT_NAME || name.length !== path.length) {
      const record = pax("path", path);
      parts.push(header(UTF8.encode("pax"), record.length, seconds, "x"), record, padding(record.length));
    }
    parts.push(header(name.subarray(0, SHORT_NAME), file.size, seconds, "0"), file, padding(file.size));
  }
  return new Blob([...parts, new Uint8Array(2 * BLOCK)]);
}

function header(name, size, seconds, kind) {
  const block = new Uint8Array(BLOCK);
  const put = (text, at) => block.set(typeof text === "string" ? UTF8.encode(text) : text, at);
  const octal = (number, digits) => number.toString(8).padStart(digits, "0");
  put(name, 0);
  put("0000644\0" + "0000000\0".repeat(2), 100);
  if (size < 8 ** 11) put(octal(size, 11), 124);
  else { block[124] = 0x80; new DataView(block.buffer).setBigUint64(128, BigInt(size)); } // GNU's form from 8 GiB on
  put(octal(seconds, 11), 136);
  put(" ".repeat(8) + kind, 148);
  put("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/** A record of an extended header: its own length stands at its beginning. */
function pax(key, value) {
  const rest = UTF8.encode(` ${key}=${value}\n`);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  const record = new Uint8Array(length);
  record.set(UTF8.encode(String(length)));
  record.set(rest, String(length).length);
  return record;
}

function padding(size) {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
