import type { Operation } from '@skein/paxos'
import { CLUSTER_LIMITS } from './limits.js'

/**
 * Checks what is to be stored and sent to others. Callers check what users give them, and answer them better.
 * @throws RangeError
 */
export function checkOperation(key: string, operation: Operation): void {
  checkText('key', key, CLUSTER_LIMITS.keyBytesMax)
  if (key.startsWith('\0')) throw new RangeError('keys that begin with a zero belong to the cluster itself')
  if (operation.kind === 'read') return
  checkText('client', operation.id.client, CLUSTER_LIMITS.clientBytesMax)
  checkCounter('sequence', operation.id.sequence)
  checkCounter('since', operation.since)
  if (operation.kind === 'resolve') return
  checkCounter('settled', operation.settled)
  if (operation.data !== undefined) checkText('data', operation.data, CLUSTER_LIMITS.dataBytesMax, 0)
}

function checkText(what: string, text: string, bytesMax: number, bytesMin = 1): void {
  const bytes = Buffer.byteLength(text)
  if (bytes < bytesMin || bytes > bytesMax) {
    throw new RangeError(`the ${what} has ${bytes} bytes, not ${bytesMin} to ${bytesMax}`)
  }
  // Its UTF-8 would be that of another text.
  if (/\p{Surrogate}/u.test(text)) throw new RangeError(`the ${what} is not well-formed Unicode`)
}

function checkCounter(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} ${value} is no whole number`)
}
