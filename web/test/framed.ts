/** A frame as liqcore.tables.packed writes it; the shape of an array is its length, unless it is given. */
export function framed(
  header: object,
  arrays: Record<string, Float64Array | Float32Array | Uint16Array | BigInt64Array>,
  shapes: Record<string, number[]> = {},
): Uint8Array<ArrayBuffer> {
  const types: Record<string, string> = {
    Float64Array: "float64", Float32Array: "float32", Uint16Array: "uint16", BigInt64Array: "int64",
  };
  const listed: Record<string, object> = {};
  let at = 0;
  const bodies: Uint8Array[] = [];
  for (const [name, array] of Object.entries(arrays)) {
    listed[name] = { type: types[array.constructor.name], shape: shapes[name] ?? [array.length], at };
    const body = new Uint8Array(Math.ceil(array.byteLength / 8) * 8);
    body.set(new Uint8Array(array.buffer));
    bodies.push(body);
    at += body.length;
  }
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: listed }));
  const bytes = new Uint8Array(4 + text.length + at);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let to = 4 + text.length;
  for (const body of bodies) {
    bytes.set(body, to);
    to += body.length;
  }
  return bytes;
}
