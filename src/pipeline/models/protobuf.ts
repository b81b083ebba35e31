/**
 * The wire format of protocol buffers as far as ONNX files need it: https://protobuf.dev/programming-guides/encoding.
 * Messages are lists of numbered fields; the caller knows their meaning.
 */
import { ServiceError } from '../../errors.ts';

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The value of a varint field, truncated to 53 bits of precision; 0 for the others. */
  readonly int: number;
  /** The content of every other field: a view of the message, not a copy. */
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** Returns the fields of a message in order. Throws `invalid_model` if it is truncated or invalid. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    const first = message[at] ?? 128;
    if (first < 128) {
      at++;
      return first;
    }
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw notAMessage();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    throw notAMessage();
  };
  const bytes = (length: number): Uint8Array => {
    if (length < 0 || at + length > message.length) throw notAMessage();
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = varint();
    const wire = key % 8;
    const number = Math.floor(key / 8);
    if (wire === VARINT) fields.push({ number, wire, int: varint(), bytes: NO_BYTES });
    else if (wire === BYTES) fields.push({ number, wire, int: 0, bytes: bytes(varint()) });
    else if (wire === FIXED_32) fields.push({ number, wire, int: 0, bytes: bytes(4) });
    else if (wire === FIXED_64) fields.push({ number, wire, int: 0, bytes: bytes(8) });
    else throw notAMessage();
  }
  return fields;
}

function notAMessage(): ServiceError {
  return new ServiceError('invalid_model', 'The file is not an ONNX model');
}

/** A message to be written: fields in the order in which they are added. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  int(field: number, value: number): this {
    return this.#add(varintBytes(field * 8 + VARINT), varintBytes(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#add(varintBytes(field * 8 + FIXED_32), bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#add(varintBytes(field * 8 + BYTES), varintBytes(value.length), value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: MessageWriter): this {
    return this.#add(varintBytes(field * 8 + BYTES), varintBytes(value.#length), ...value.#parts);
  }

  /** A field as it was read. */
  field({ number, wire, int, bytes }: Field): this {
    if (wire === VARINT) return this.int(number, int);
    if (wire === BYTES) return this.bytes(number, bytes);
    return this.#add(varintBytes(number * 8 + wire), bytes);
  }

  encoded(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }

  #add(...parts: readonly Uint8Array[]): this {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return this;
  }
}

/** Seven bits a byte, lowest first; a negative number is written in 64-bit two's complement. */
function varintBytes(value: number): Uint8Array {
  if (value >= 0 && value < 128) return Uint8Array.of(value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
