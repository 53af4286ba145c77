import * as encoding from 'lib0/encoding'
import { decodeUtf8 } from 'lib0/string'
import { ProtocolError } from '../error.js'
import { checkJson } from '../json.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'
import { utf16Length } from '../utf8.js'

/** A register of the strong region as its users see it. */
export interface StrongEntry {
  /** A JSON text; undefined where there is no value, be it deleted or never written. */
  readonly value: string | undefined
  /** How often the register was changed; 0 where it never was. */
  readonly version: number
  /** The fencing token: it rises with every write but a lease's renewal. */
  readonly fence: number
}

/** Names one operation of one client, in all its attempts over whichever relays. */
export interface StrongOperationId {
  readonly client: string
  /** From 1. */
  readonly sequence: number
}

/** A key, within its space. */
export function readKey(reader: Reader): string {
  return nonEmpty(reader.varString(LIMITS.strongKeyBytesMax, 'strong key'), 'strong key')
}

/** A number that is never 0. */
export function readPositive(reader: Reader, what: string): number {
  const value = reader.varUint()
  if (value === 0) throw new ProtocolError('malformed', `${what} starts at 1`)
  return value
}

export function readFlag(reader: Reader, what: string): boolean {
  const value = reader.byte()
  if (value > 1) throw new ProtocolError('malformed', `${what} is neither 0 nor 1`)
  return value === 1
}

export function writeValue(encoder: encoding.Encoder, value: string | undefined): void {
  encoding.writeUint8(encoder, value === undefined ? 0 : 1)
  if (value !== undefined) encoding.writeVarString(encoder, value)
}

/** A JSON text, or undefined for none. It is checked, not built. */
export function readValue(reader: Reader): string | undefined {
  if (!readFlag(reader, 'whether there is a value')) return undefined
  const bytes = reader.varBytes(LIMITS.strongValueBytesMax, 'strong value')
  utf16Length(bytes)
  checkJson(bytes, LIMITS.valueDepthMax)
  return decodeUtf8(bytes)
}

export function writeEntry(encoder: encoding.Encoder, { value, version, fence }: StrongEntry): void {
  encoding.writeVarUint(encoder, version)
  encoding.writeVarUint(encoder, fence)
  writeValue(encoder, value)
}

export function readEntry(reader: Reader): StrongEntry {
  const version = reader.varUint()
  const fence = reader.varUint()
  return { value: readValue(reader), version, fence }
}

export function writeOperationId(encoder: encoding.Encoder, { client, sequence }: StrongOperationId): void {
  encoding.writeVarString(encoder, client)
  encoding.writeVarUint(encoder, sequence)
}

export function readOperationId(reader: Reader): StrongOperationId {
  const client = nonEmpty(reader.varString(LIMITS.idBytesMax, 'client'), 'client')
  return { client, sequence: readPositive(reader, 'sequence') }
}

export function writePrefixes(encoder: encoding.Encoder, prefixes: readonly string[]): void {
  encoding.writeVarUint(encoder, prefixes.length)
  for (const prefix of prefixes) encoding.writeVarString(encoder, prefix)
}

export function readPrefixes(reader: Reader): string[] {
  const count = reader.varUintMax(LIMITS.strongPrefixesMax, 'strong prefixes')
  const prefixes: string[] = []
  for (let i = 0; i < count; i++) {
    prefixes.push(nonEmpty(reader.varString(LIMITS.strongPrefixBytesMax, 'strong prefix'), 'strong prefix'))
  }
  return prefixes
}

function nonEmpty(text: string, what: string): string {
  if (text === '') throw new ProtocolError('malformed', `empty ${what}`)
  return text
}
